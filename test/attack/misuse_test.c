/* SPDX-License-Identifier: Apache-2.0 */
/*
 * misuse_test.c - what a wrong loader, a wrong SIGSTRUCT or a wrong TCS meets: each row
 * of these tables is one misuse and the answer that Linux's driver or the CPU gives to it
 * (host/sim_driver.h). The rows are counted on the last line but one. Argument: any
 * image.
 */
#include <linux/aio_abi.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/attack/small_enclave.h"

static void nothing_wrong(void)
{
    struct rig rig;

    rig_open(&rig);
    make_sigstruct(&rig);
    tf_toy_sign(&rig.sig);
    CHECK(create(&rig) == 0 && add_all(&rig) == 0 && map_all(&rig) == 0);
    CHECK(init(&rig) == 0);
    CHECK(tf_sim_thread_check(rig.sim, rig.secs.base + AT_TCS) == 0);
    rig_close(&rig);
}

/* --- ECREATE
 * ----------------------------------------------------------------------------- */

#define SECS(member) offsetof(struct sgx_secs, member)

static const struct patch secs_rows[] = {
    {"SIZE 0", SECS(size), 0, 8, -EINVAL},
    {"SIZE no power of two", SECS(size), (uint64_t)3 * TF_PAGE, 8, -EINVAL},
    {"SIZE of one page", SECS(size), TF_PAGE, 8, -EIO},
    {"SIZE 2^56", SECS(size), UINT64_C(1) << 56, 8, -EIO},
    {"BASEADDR not aligned to SIZE", SECS(base), TF_PAGE, 8, -EIO},
    {"BASEADDR not canonical", SECS(base), UINT64_C(1) << 47, 8, -EIO},
    {"SSAFRAMESIZE 0", SECS(ssa_frame_size), 0, 4, -EIO},
    {"MISCSELECT unknown", SECS(miscselect), 2, 4, -EIO},
    {"CET bitmap", SECS(reserved1), 1, 8, -EIO},
    {"CET attributes", SECS(reserved1) + 8, 1, 1, -EIO},
    {"reserved after CET", SECS(reserved1) + 23, 1, 1, -EIO},
    {"ATTRIBUTES.INIT", SECS(attributes.flags), 5, 8, -EIO},
    {"ATTRIBUTES bit 3", SECS(attributes.flags), 0xc, 8, -EIO},
    {"ATTRIBUTES.CET", SECS(attributes.flags), 0x44, 8, -EIO},
    {"ATTRIBUTES.AEXNOTIFY", SECS(attributes.flags), 0x404, 8, -EIO},
    {"ATTRIBUTES bit 63", SECS(attributes.flags), UINT64_C(1) << 63 | 4, 8, -EIO},
    {"not 64 bit", SECS(attributes.flags), 0, 8, -EIO},
    {"XFRM without SSE", SECS(attributes.xfrm), 5, 8, -EIO},
    {"XFRM with half of AVX-512", SECS(attributes.xfrm), 0x27, 8, -EIO},
    {"XFRM AVX-512 without AVX", SECS(attributes.xfrm), 0xe3, 8, -EIO},
    {"XFRM AMX", SECS(attributes.xfrm), 0x60007, 8, -EIO},
    {"XFRM reserved", SECS(attributes.xfrm), UINT64_C(1) << 62 | 7, 8, -EIO},
    {"MRENCLAVE's neighbour", SECS(reserved2), 1, 8, -EIO},
    {"MRSIGNER's neighbour", SECS(reserved3) + 31, 1, 1, -EIO},
    {"reserved tail", SECS(reserved4) + 3833, 1, 1, -EIO},
    {"CONFIGID without KSS", SECS(config_id) + 63, 1, 1, -EIO},
    {"CONFIGSVN without KSS", SECS(config_svn), 1, 2, -EIO}};

/* On a processor of before 2019. */
static const struct patch old_secs_rows[] = {
    {"KSS", SECS(attributes.flags), 0x84, 8, -EIO},
    {"AVX-512", SECS(attributes.xfrm), 0xe7, 8, -EIO},
    {"PKRU", SECS(attributes.xfrm), 0x207, 8, -EIO},
    {"EXINFO", SECS(miscselect), 1, 4, -EIO},
    {"SIZE 2^36", SECS(size), UINT64_C(1) << 36, 8, -EIO}};

static void secs_rows_run(const struct patch *patches, size_t count, const char *cpu)
{
    for (size_t i = 0; i < count; i++) {
        struct rig rig;
        rig_open(&rig);
        rig.sim->machine.cpu = *tf_sim_cpu_find(cpu);
        apply(&rig.secs, &patches[i]);
        verdict(patches[i].name, create(&rig), patches[i].answer);
        rig_close(&rig);
    }
}

static void wrong_secs(void)
{
    secs_rows_run(secs_rows, sizeof(secs_rows) / sizeof(secs_rows[0]), "icelake-sp");
    secs_rows_run(old_secs_rows, sizeof(old_secs_rows) / sizeof(old_secs_rows[0]),
                  "sgx1-client");
}

/* --- the order of the operations
 * --------------------------------------------------------- */

static void wrong_order(void)
{
    struct sgx_enclave_create nowhere = {0};
    struct sgx_enclave_provision provision = {0};
    struct rig rig;

    rig_open(&rig);
    make_sigstruct(&rig);
    tf_toy_sign(&rig.sig);
    verdict("ADD_PAGES before CREATE", add(&rig, 0), -EINVAL);
    verdict("INIT before CREATE", init(&rig), -EINVAL);
    verdict("mmap before CREATE",
            tf_sim_mmap(rig.sim, rig.secs.base, TF_PAGE, PROT_READ, MAP_SHARED), -EACCES);
    verdict("CREATE with no argument", ioctl_of(&rig, SGX_IOC_ENCLAVE_CREATE, NULL),
            -EFAULT);
    verdict("CREATE with no SECS", ioctl_of(&rig, SGX_IOC_ENCLAVE_CREATE, &nowhere),
            -EFAULT);
    verdict("an unknown ioctl", ioctl_of(&rig, 0xa4ff, &nowhere), -ENOTTY);
    verdict("PROVISION with another fd",
            ioctl_of(&rig, SGX_IOC_ENCLAVE_PROVISION, &provision), -EINVAL);
    CHECK(create(&rig) == 0);
    verdict("CREATE twice", create(&rig), -EINVAL);
    (void)pthread_mutex_lock(&rig.sim->lock);
    verdict("two ioctls at once", add(&rig, 0), -EBUSY);
    (void)pthread_mutex_unlock(&rig.sim->lock);
    CHECK(add_all(&rig) == 0 && map_all(&rig) == 0);
    verdict("EENTER before INIT",
            (int)tf_sim_thread_check(rig.sim, rig.secs.base + AT_TCS), TF_SIM_GP);
    CHECK(init(&rig) == 0);
    verdict("INIT twice", init(&rig), -EINVAL);
    verdict("ADD_PAGES after INIT", add(&rig, 0), -EINVAL);
    verdict("CREATE after INIT", create(&rig), -EINVAL);
    rig_close(&rig);
}

/* --- ADD_PAGES
 * --------------------------------------------------------------------------- */

#define ARG(member) offsetof(struct sgx_enclave_add_pages, member)

/* Of the argument that adds page 0. */
static const struct patch add_rows[] = {
    {"src NULL", ARG(src), 0, 8, -EFAULT},
    {"src not aligned", ARG(src), 8, 8, -EINVAL},
    {"src not mapped", ARG(src), UINT64_C(1) << 46, 8, -EFAULT},
    {"src of the kernel", ARG(src), UINT64_MAX - 4095, 8, -EFAULT},
    {"offset not aligned", ARG(offset), 8, 8, -EINVAL},
    {"offset at the end", ARG(offset), ELRANGE, 8, -EINVAL},
    {"offset far away", ARG(offset), UINT64_MAX - 4095, 8, -EINVAL},
    {"length 0", ARG(length), 0, 8, -EINVAL},
    {"length of half a page", ARG(length), 2048, 8, -EINVAL},
    {"length past the end", ARG(length), ELRANGE + TF_PAGE, 8, -EINVAL},
    {"length that wraps", ARG(length), UINT64_MAX - 4095, 8, -EINVAL},
    {"secinfo NULL", ARG(secinfo), 0, 8, -EFAULT}};

#define INFO(member) offsetof(struct secinfo, member)

/* Of that page's SECINFO. */
static const struct patch secinfo_rows[] = {
    {"PT_SECS", INFO(flags), SGX_SECINFO_R, 8, -EINVAL},
    {"PT_VA", INFO(flags), 3 << 8 | SGX_SECINFO_R, 8, -EINVAL},
    {"PT_TRIM", INFO(flags), 4 << 8, 8, -EINVAL},
    {"W without R", INFO(flags), SGX_SECINFO_REG | SGX_SECINFO_W, 8, -EINVAL},
    {"WX without R", INFO(flags), SGX_SECINFO_REG | 6, 8, -EINVAL},
    {"TCS with R", INFO(flags), TCS | SGX_SECINFO_R, 8, -EINVAL},
    {"TCS with RW", INFO(flags), TCS | 3, 8, -EINVAL},
    {"PENDING", INFO(flags), RW | 8, 8, -EINVAL},
    {"MODIFIED", INFO(flags), RW | 0x10, 8, -EINVAL},
    {"a reserved flag", INFO(flags), UINT64_C(1) << 32 | RW, 8, -EINVAL},
    {"a reserved byte", INFO(reserved) + 55, 1, 1, -EINVAL}};

static void wrong_pages(void)
{
    for (size_t i = 0; i < sizeof(add_rows) / sizeof(add_rows[0]); i++) {
        struct rig rig;
        rig_open(&rig);
        CHECK(create(&rig) == 0);
        struct sgx_enclave_add_pages argument = adding(&rig, 0);
        apply(&argument, &add_rows[i]);
        verdict(add_rows[i].name, ioctl_of(&rig, SGX_IOC_ENCLAVE_ADD_PAGES, &argument),
                add_rows[i].answer);
        rig_close(&rig);
    }
    for (size_t i = 0; i < sizeof(secinfo_rows) / sizeof(secinfo_rows[0]); i++) {
        struct rig rig;
        rig_open(&rig);
        CHECK(create(&rig) == 0);
        apply(&rig.secinfo[0], &secinfo_rows[i]);
        verdict(secinfo_rows[i].name, add(&rig, 0), secinfo_rows[i].answer);
        rig_close(&rig);
    }
}

/* A page from a mapping that may never be executable: the ring of an AIO context, whose
 * pseudo file system is noexec. */
static int add_noexec(struct rig *rig)
{
    aio_context_t context = 0;

    if (syscall(SYS_io_setup, 1, &context) != 0) {
        return -EACCES; /* no AIO here: nothing to show */
    }
    struct sgx_enclave_add_pages argument = adding(rig, 0);
    argument.src = context;
    int rc = ioctl_of(rig, SGX_IOC_ENCLAVE_ADD_PAGES, &argument);
    (void)syscall(SYS_io_destroy, context);
    return rc;
}

static void wrong_sources(void)
{
    uint8_t *hidden = mmap(NULL, TF_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct rig rig;

    rig_open(&rig);
    CHECK(create(&rig) == 0);
    verdict("a noexec source", add_noexec(&rig), -EACCES);
    struct sgx_enclave_add_pages argument = adding(&rig, 0);
    argument.src = (uint64_t)(uintptr_t)hidden;
    verdict("a source that cannot be read",
            ioctl_of(&rig, SGX_IOC_ENCLAVE_ADD_PAGES, &argument), -EFAULT);
    (void)munmap(hidden, TF_PAGE);
    CHECK(add(&rig, 1) == 0);
    verdict("the same page twice", add(&rig, 1), -EBUSY);
    argument = adding(&rig, 0); /* runs into page 1 */
    argument.length = (uint64_t)3 * TF_PAGE;
    verdict("a run into a page", ioctl_of(&rig, SGX_IOC_ENCLAVE_ADD_PAGES, &argument),
            -EBUSY);
    CHECK(argument.count == TF_PAGE); /* the first was added */
    rig.content[AT_TCS + sizeof(struct sgx_tcs) - 1] = 1;
    verdict("a reserved byte in a TCS", add(&rig, 2), -EIO);
    rig_close(&rig);
}

/* --- mmap
 * -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint64_t offset;
    uint64_t size;
    int protection;
    int flags;
    int answer;
} map_rows[] = {
    {"MAP_PRIVATE", AT_RO, TF_PAGE, PROT_READ, MAP_PRIVATE, -EINVAL},
    {"not aligned", 8, TF_PAGE, PROT_READ, MAP_SHARED, -EINVAL},
    {"nothing", AT_RO, 0, PROT_READ, MAP_SHARED, -EINVAL},
    {"past the end", ELRANGE - TF_PAGE, 2 * TF_PAGE, PROT_READ, MAP_SHARED, -EACCES},
    {"before the base", UINT64_MAX - 4095, TF_PAGE, PROT_READ, MAP_SHARED, -EACCES},
    {"W on constants", AT_RO, TF_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, -EACCES},
    {"X on constants", AT_RO, TF_PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, -EACCES},
    {"W on code", AT_CODE, TF_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, -EACCES},
    {"W and X", AT_CODE, TF_PAGE, PROT_WRITE | PROT_EXEC, MAP_SHARED, -EACCES},
    {"X on a TCS", AT_TCS, TF_PAGE, PROT_EXEC, MAP_SHARED, -EACCES},
    {"X on an SSA frame", AT_SSA, TF_PAGE, PROT_EXEC, MAP_SHARED, -EACCES},
    {"W over more than data", AT_CODE, 4 * TF_PAGE, PROT_WRITE, MAP_SHARED, -EACCES}};

static void wrong_maps(void)
{
    struct rig rig;

    rig_open(&rig);
    CHECK(create(&rig) == 0 && add_all(&rig) == 0);
    for (size_t i = 0; i < sizeof(map_rows) / sizeof(map_rows[0]); i++) {
        verdict(map_rows[i].name,
                tf_sim_mmap(rig.sim, rig.secs.base + map_rows[i].offset, map_rows[i].size,
                            map_rows[i].protection, map_rows[i].flags),
                map_rows[i].answer);
    }
    unsigned before = (unsigned)personality(UINT32_MAX);
    CHECK(personality(before | READ_IMPLIES_EXEC) >= 0);
    verdict("READ_IMPLIES_EXEC",
            tf_sim_mmap(rig.sim, rig.secs.base + AT_DATA, TF_PAGE, PROT_READ, MAP_SHARED),
            -EACCES);
    CHECK(personality(before) >= 0);
    /* The driver maps holes, and a TCS for reading and writing; an access faults. */
    CHECK(tf_sim_mmap(rig.sim, rig.secs.base + AT_HOLE, TF_PAGE, PROT_READ, MAP_SHARED) ==
          0);
    CHECK(tf_sim_mmap(rig.sim, rig.secs.base + AT_TCS, TF_PAGE, PROT_READ | PROT_WRITE,
                      MAP_SHARED) == 0);
    rig_close(&rig);
}

int main(int argc, char **argv)
{
    tf_toy_files_begin(&files, argc, argv);
    RUN(nothing_wrong);
    RUN(wrong_secs);
    RUN(wrong_order);
    RUN(wrong_pages);
    RUN(wrong_sources);
    RUN(wrong_maps);
    tf_toy_files_remove(&files);
    (void)printf("%u misuses, each with its code\n", rows);
    return test_end();
}
