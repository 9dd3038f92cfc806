/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept_test.c - memory that comes after EINIT (EAUG, EACCEPT): nobody reaches a page of
 * it before the enclave has accepted it, it is zeros then, and nothing that is there
 * already can be accepted, so that the host cannot have an enclave forget what it wrote.
 */
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "test/attack/small_enclave.h"

enum {
    FRESH = AT_HOLE,
    PENDING = RW | SGX_SECINFO_PENDING,
    FLAG_ZF = 0x40,
    REFUSED = -1, /* #GP or #PF */
    ALIGN = 64
};

/* As the loader leaves it: two pages after the image may be asked for. */
static void rig_run(struct rig *rig)
{
    rig_open(rig);
    make_sigstruct(rig);
    tf_toy_sign(&rig->sig);
    CHECK(create(rig) == 0 && add_all(rig) == 0 && init(rig) == 0 && map_all(rig) == 0);
    CHECK(tf_sim_mmap(rig->sim, rig->secs.base + FRESH, (uint64_t)2 * TF_PAGE,
                      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED) == 0);
}

/* ENCLU[EACCEPT]; the SECINFO lies `at` bytes into the data page. @return RAX. */
static int accept_at(struct rig *rig, uint64_t at, const struct secinfo *secinfo,
                     uint64_t address)
{
    struct tf_sim_registers registers = {
        .rax = SGX_EACCEPT, .rbx = rig->secs.base + AT_DATA + at, .rcx = address};

    memcpy(rig->sim->base + AT_DATA + at, secinfo, sizeof(*secinfo));
    if (!tf_sim_leaf(rig->sim, &registers)) {
        return REFUSED;
    }
    CHECK(((registers.rflags & FLAG_ZF) != 0) == (registers.rax != SGX_SUCCESS));
    return (int)registers.rax;
}

static int accept(struct rig *rig, uint64_t flags, uint64_t offset)
{
    const struct secinfo secinfo = {.flags = flags};

    return accept_at(rig, 0, &secinfo, rig->secs.base + offset);
}

/* Whether this process can read the byte. */
static bool can_read(const struct rig *rig, uint64_t offset, uint8_t *out)
{
    const struct iovec local = {out, 1};
    const struct iovec remote = {rig->sim->base + offset, 1};

    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1;
}

static void out_of_reach_until_it_is_accepted(void)
{
    struct rig rig;
    uint8_t byte = 1;

    rig_run(&rig);
    CHECK(!can_read(&rig, FRESH, &byte) && !can_read(&rig, FRESH + TF_PAGE, &byte));
    CHECK(accept(&rig, PENDING, FRESH) == SGX_SUCCESS);
    CHECK(can_read(&rig, FRESH, &byte) && byte == 0);
    CHECK(can_read(&rig, FRESH + TF_PAGE - 1, &byte) && byte == 0);
    CHECK(!can_read(&rig, FRESH + TF_PAGE, &byte)); /* its neighbour */
    rig_close(&rig);
}

static void what_is_there_is_not_accepted_again(void)
{
    struct rig rig;

    rig_run(&rig);
    CHECK(accept(&rig, PENDING, FRESH) == SGX_SUCCESS);
    rig.sim->base[FRESH] = 7;
    verdict("again", accept(&rig, PENDING, FRESH), SGX_PAGE_ATTRIBUTES_MISMATCH);
    verdict("as it is", accept(&rig, RW, FRESH), SGX_PAGE_ATTRIBUTES_MISMATCH);
    verdict("added by EADD", accept(&rig, PENDING, AT_SSA), SGX_PAGE_ATTRIBUTES_MISMATCH);
    verdict("code", accept(&rig, PENDING, AT_CODE), SGX_PAGE_ATTRIBUTES_MISMATCH);
    verdict("a TCS", accept(&rig, PENDING, AT_TCS), SGX_PAGE_ATTRIBUTES_MISMATCH);
    CHECK(rig.sim->base[FRESH] == 7);
    rig_close(&rig);
}

static void only_as_what_it_is(void)
{
    static const uint64_t wrong[] = {RW, PENDING | SGX_SECINFO_X,
                                     RO | SGX_SECINFO_PENDING,
                                     SGX_SECINFO_TCS | SGX_SECINFO_PENDING, 0};
    struct rig rig;

    rig_run(&rig);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        verdict("other flags", accept(&rig, wrong[i], FRESH),
                SGX_PAGE_ATTRIBUTES_MISMATCH);
    }
    CHECK(accept(&rig, PENDING, FRESH) == SGX_SUCCESS);
    rig_close(&rig);
}

static void where_there_is_nothing_to_accept(void)
{
    struct secinfo spare = {.flags = PENDING};
    const struct secinfo good = spare;
    struct rig rig;

    rig_run(&rig);
    uint64_t fresh = rig.secs.base + FRESH;
    spare.reserved[55] = 1;
    verdict("a hole", accept(&rig, PENDING, FRESH + 2 * TF_PAGE), REFUSED);
    verdict("outside", accept(&rig, PENDING, ELRANGE), REFUSED);
    verdict("before", accept_at(&rig, 0, &good, rig.secs.base - TF_PAGE), REFUSED);
    verdict("inside a page", accept(&rig, PENDING, FRESH + ALIGN), REFUSED);
    verdict("SECINFO reserved", accept_at(&rig, 0, &spare, fresh), REFUSED);
    verdict("SECINFO not aligned", accept_at(&rig, ALIGN / 2, &good, fresh), REFUSED);
    CHECK(tf_sim_mmap(rig.sim, fresh, TF_PAGE, PROT_READ, MAP_SHARED | MAP_FIXED) == 0);
    verdict("mapped to be read", accept(&rig, PENDING, FRESH), REFUSED);
    rig.sim->machine.cpu = *tf_sim_cpu_find("sgx1-client");
    verdict("no SGX2", accept(&rig, PENDING, FRESH + TF_PAGE), REFUSED);
    rig_close(&rig);
}

int main(int argc, char **argv)
{
    tf_toy_files_begin(&files, argc, argv);
    RUN(out_of_reach_until_it_is_accepted);
    RUN(what_is_there_is_not_accepted_again);
    RUN(only_as_what_it_is);
    RUN(where_there_is_nothing_to_accept);
    tf_toy_files_remove(&files);
    (void)printf("%u cases, each with its code\n", rows);
    return test_end();
}
