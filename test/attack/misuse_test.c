/* SPDX-License-Identifier: Apache-2.0 */
/*
 * misuse_test.c - what a wrong loader, a wrong SIGSTRUCT or a wrong TCS meets: each row
 * of these tables is one misuse and the answer that Linux's driver or the CPU gives to it
 * (host/sim_driver.h). The rows are counted on the last line but one. Argument: any
 * image.
 */
#include <errno.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <asm/sgx.h>

#include "host/sim_driver.h"
#include "lib/sigstruct.h"
#include "test/test.h"
#include "test/toy/toy_host.h"

enum {
    PAGES = 16,
    ELRANGE = PAGES * TF_PAGE,
    RO = SGX_SECINFO_REG | SGX_SECINFO_R,
    RW = RO | SGX_SECINFO_W,
    RX = RO | SGX_SECINFO_X,
    TCS = SGX_SECINFO_TCS,
    /* offsets of the small enclave that every row starts from */
    AT_RO = 0,
    AT_CODE = 1 * TF_PAGE,
    AT_TCS = 2 * TF_PAGE,
    AT_SSA = 3 * TF_PAGE,
    AT_DATA = 4 * TF_PAGE,
    AT_HOLE = 5 * TF_PAGE
};

static struct tf_toy_files files;
static unsigned rows;

struct secinfo {
    uint64_t flags;
    uint8_t reserved[56];
};

/* The small enclave: everything right, until a row changes something. */
struct rig {
    struct tf_sim *sim;
    struct sgx_secs secs;
    struct sgx_sigstruct sig;
    struct secinfo secinfo[5];
    uint8_t *content; /* five pages */
    uint32_t code;    /* EINIT's */
};

/* One misuse: these bytes at this offset of this structure. */
struct patch {
    const char *name;
    size_t offset;
    uint64_t value;
    size_t size;
    int answer;
};

static void verdict(const char *name, int got, int wanted)
{
    rows++;
    if (!CHECK(got == wanted)) {
        (void)fprintf(stderr, "  %s: got %d, not %d\n", name, got, wanted);
    }
}

static void apply(void *structure, const struct patch *patch)
{
    memcpy((uint8_t *)structure + patch->offset, &patch->value, patch->size);
}

static void rig_open(struct rig *rig)
{
    static uint8_t content[5 * TF_PAGE] __attribute__((aligned(4096)));
    static const uint64_t flags[5] = {RO, RX, TCS, RW, RW};
    const struct sgx_tcs tcs = {.ossa = AT_SSA,
                                .nssa = 1,
                                .oentry = AT_CODE,
                                .ofsbase = AT_DATA,
                                .ogsbase = AT_DATA,
                                .fslimit = UINT32_MAX,
                                .gslimit = UINT32_MAX};

    memset(rig, 0, sizeof(*rig));
    memset(content, 0, sizeof(content));
    memcpy(content + AT_TCS, &tcs, sizeof(tcs));
    rig->content = content;
    for (unsigned i = 0; i < 5; i++) {
        rig->secinfo[i].flags = flags[i];
    }
    if (tf_sim_open(files.sim, ELRANGE, &rig->sim) != 0) {
        (void)fprintf(stderr, "the simulated machine does not open\n");
        exit(1);
    }
    rig->sim->is_strict = true;
    rig->secs.size = ELRANGE;
    rig->secs.base = (uint64_t)(uintptr_t)rig->sim->base;
    rig->secs.ssa_frame_size = 1;
    rig->secs.attributes.flags = SGX_FLAGS_MODE64BIT;
    rig->secs.attributes.xfrm = TF_XFRM;
}

static int ioctl_of(struct rig *rig, unsigned long request, void *argument)
{
    return tf_sim_ioctl(rig->sim, request, argument, &rig->code);
}

static int create(struct rig *rig)
{
    struct sgx_enclave_create argument = {(uint64_t)(uintptr_t)&rig->secs};
    return ioctl_of(rig, SGX_IOC_ENCLAVE_CREATE, &argument);
}

static struct sgx_enclave_add_pages adding(struct rig *rig, unsigned page)
{
    return (struct sgx_enclave_add_pages){
        .src = (uint64_t)(uintptr_t)rig->content + (uint64_t)page * TF_PAGE,
        .offset = (uint64_t)page * TF_PAGE,
        .length = TF_PAGE,
        .secinfo = (uint64_t)(uintptr_t)&rig->secinfo[page],
        .flags = SGX_PAGE_MEASURE};
}

static int add(struct rig *rig, unsigned page)
{
    struct sgx_enclave_add_pages argument = adding(rig, page);
    return ioctl_of(rig, SGX_IOC_ENCLAVE_ADD_PAGES, &argument);
}

static int add_all(struct rig *rig)
{
    int rc = 0;

    for (unsigned i = 0; i < 5 && rc == 0; i++) {
        rc = add(rig, i);
    }
    return rc;
}

/* What the signer would make of the enclave as it is meant to be. */
static void make_sigstruct(struct rig *rig)
{
    struct tf_sigstruct_identity identity = {.prod_id = 1, .svn = 1, .date = 0x20240101};
    struct tf_measure measure;

    tf_measure_ecreate(&measure, rig->secs.ssa_frame_size, rig->secs.size);
    for (unsigned i = 0; i < 5; i++) {
        tf_measure_eadd(&measure, (uint64_t)i * TF_PAGE, rig->secinfo[i].flags);
        tf_measure_page(&measure, (uint64_t)i * TF_PAGE,
                        rig->content + (size_t)i * TF_PAGE);
    }
    tf_measure_take(&measure, identity.mrenclave);
    tf_sigstruct_init(&rig->sig, &rig->secs, &identity);
}

static int init(struct rig *rig)
{
    struct sgx_enclave_init argument = {(uint64_t)(uintptr_t)&rig->sig};
    return ioctl_of(rig, SGX_IOC_ENCLAVE_INIT, &argument);
}

static void rig_close(struct rig *rig)
{
    tf_sim_close(rig->sim);
}

static void nothing_wrong(void)
{
    struct rig rig;

    rig_open(&rig);
    make_sigstruct(&rig);
    tf_toy_sign(&rig.sig);
    CHECK(create(&rig) == 0 && add_all(&rig) == 0 && init(&rig) == 0);
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
    CHECK(add_all(&rig) == 0);
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

/* --- EINIT
 * ------------------------------------------------------------------------------- */

#define SIG(member) offsetof(struct sgx_sigstruct, member)

/* After the signing. Positive answers are EINIT's; the driver says -EPERM then. */
static const struct patch signed_rows[] = {
    {"HEADER", SIG(header), 7, 1, SGX_INVALID_SIG_STRUCT},
    {"HEADER2", SIG(header2) + 15, 1, 1, SGX_INVALID_SIG_STRUCT},
    {"VENDOR unknown", SIG(vendor), 1, 4, -EINVAL},
    {"VENDOR changed", SIG(vendor), 0x8086, 4, SGX_INVALID_SIGNATURE},
    {"DATE changed", SIG(date), 0x20230101, 4, SGX_INVALID_SIGNATURE},
    {"SWDEFINED changed", SIG(swdefined), 1, 4, SGX_INVALID_SIGNATURE},
    {"reserved after SWDEFINED", SIG(reserved1) + 83, 1, 1, SGX_INVALID_SIG_STRUCT},
    {"MODULUS", SIG(modulus), 0, 8, SGX_INVALID_SIGNATURE},
    {"EXPONENT 65537", SIG(exponent), 65537, 4, SGX_INVALID_SIG_STRUCT},
    {"SIGNATURE", SIG(signature), 0, 8, SGX_INVALID_SIGNATURE},
    {"SIGNATURE above the modulus", SIG(signature) + 376, UINT64_MAX, 8,
     SGX_INVALID_SIGNATURE},
    {"CET attributes", SIG(reserved2), 1, 1, SGX_INVALID_SIG_STRUCT},
    {"reserved after CET", SIG(reserved2) + 3, 1, 1, SGX_INVALID_SIG_STRUCT},
    {"MISCMASK changed", SIG(miscmask), 0, 4, SGX_INVALID_SIGNATURE},
    {"ATTRIBUTEMASK changed", SIG(attribute_mask.flags), 0, 8, SGX_INVALID_SIGNATURE},
    {"ENCLAVEHASH changed", SIG(enclave_hash), 0, 8, SGX_INVALID_SIGNATURE},
    {"reserved after the hash", SIG(reserved3), 1, 1, SGX_INVALID_SIG_STRUCT},
    {"ISVPRODID changed", SIG(isv_prod_id), 9, 2, SGX_INVALID_SIGNATURE},
    {"ISVSVN raised", SIG(isv_svn), 9, 2, SGX_INVALID_SIGNATURE},
    {"reserved after ISVSVN", SIG(reserved4) + 11, 1, 1, SGX_INVALID_SIG_STRUCT},
    {"Q1", SIG(q1), 0, 8, SGX_INVALID_SIGNATURE},
    {"Q2", SIG(q2), 0, 8, SGX_INVALID_SIGNATURE}};

/* Before the signing: a good signature over the wrong thing. */
static const struct patch meant_rows[] = {
    {"another MRENCLAVE", SIG(enclave_hash), 0, 8, SGX_INVALID_MEASUREMENT},
    {"signed for DEBUG", SIG(attributes.flags), 6, 8, SGX_INVALID_ATTRIBUTE},
    {"signed for KSS", SIG(attributes.flags), 0x84, 8, SGX_INVALID_ATTRIBUTE},
    {"signed for SSE only", SIG(attributes.xfrm), 3, 8, SGX_INVALID_ATTRIBUTE},
    {"signed for AVX-512", SIG(attributes.xfrm), 0xe7, 8, SGX_INVALID_ATTRIBUTE},
    {"signed for EXINFO", SIG(miscselect), 1, 4, SGX_INVALID_ATTRIBUTE},
    {"ATTRIBUTES that no CPU has", SIG(attributes.flags), 0xc, 8, -EINVAL},
    {"XFRM that no CPU has", SIG(attributes.xfrm), UINT64_C(1) << 62 | 7, 8, -EINVAL},
    {"MISCSELECT that no CPU has", SIG(miscselect), 2, 4, -EINVAL},
    {"ISVFAMILYID without KSS", SIG(isv_family_id), 1, 1, SGX_INVALID_SIG_STRUCT},
    {"ISVEXTPRODID without KSS", SIG(isv_ext_prod_id) + 15, 1, 1,
     SGX_INVALID_SIG_STRUCT}};

static int init_with(const struct patch *patch, bool is_before)
{
    struct rig rig;

    rig_open(&rig);
    make_sigstruct(&rig);
    if (is_before) {
        apply(&rig.sig, patch);
    }
    tf_toy_sign(&rig.sig);
    if (!is_before) {
        apply(&rig.sig, patch);
    }
    CHECK(create(&rig) == 0 && add_all(&rig) == 0);
    int rc = init(&rig);
    if (rc == -EPERM) {
        rc = (int)rig.code;
    }
    rig_close(&rig);
    return rc;
}

static void wrong_sigstructs(void)
{
    for (size_t i = 0; i < sizeof(signed_rows) / sizeof(signed_rows[0]); i++) {
        verdict(signed_rows[i].name, init_with(&signed_rows[i], false),
                signed_rows[i].answer);
    }
    for (size_t i = 0; i < sizeof(meant_rows) / sizeof(meant_rows[0]); i++) {
        verdict(meant_rows[i].name, init_with(&meant_rows[i], true),
                meant_rows[i].answer);
    }
}

/* The enclave is not what was signed. */

static void other_content(struct rig *rig)
{
    rig->content[AT_CODE + TF_PAGE - 1] ^= 1;
    CHECK(add_all(rig) == 0);
}

static void other_permissions(struct rig *rig)
{
    rig->secinfo[0].flags = RW;
    CHECK(add_all(rig) == 0);
}

static void other_order(struct rig *rig)
{
    CHECK(add(rig, 1) == 0 && add(rig, 0) == 0);
    CHECK(add(rig, 2) == 0 && add(rig, 3) == 0 && add(rig, 4) == 0);
}

static void page_missing(struct rig *rig)
{
    CHECK(add(rig, 0) == 0 && add(rig, 1) == 0 && add(rig, 2) == 0 && add(rig, 3) == 0);
}

static void page_more(struct rig *rig)
{
    CHECK(add_all(rig) == 0);
    struct sgx_enclave_add_pages argument = adding(rig, 0);
    argument.offset = AT_HOLE;
    CHECK(ioctl_of(rig, SGX_IOC_ENCLAVE_ADD_PAGES, &argument) == 0);
}

static void page_unmeasured(struct rig *rig)
{
    CHECK(add(rig, 0) == 0 && add(rig, 1) == 0 && add(rig, 2) == 0 && add(rig, 3) == 0);
    struct sgx_enclave_add_pages argument = adding(rig, 4);
    argument.flags = 0;
    CHECK(ioctl_of(rig, SGX_IOC_ENCLAVE_ADD_PAGES, &argument) == 0);
}

static const struct {
    const char *name;
    void (*add)(struct rig *rig);
} measured_rows[] = {{"a byte of code differs", other_content},
                     {"a permission differs", other_permissions},
                     {"the order differs", other_order},
                     {"a page is missing", page_missing},
                     {"a page too many", page_more},
                     {"a page was not measured", page_unmeasured}};

static void not_what_was_signed(void)
{
    for (size_t i = 0; i < sizeof(measured_rows) / sizeof(measured_rows[0]); i++) {
        struct rig rig;
        rig_open(&rig);
        make_sigstruct(&rig);
        tf_toy_sign(&rig.sig);
        CHECK(create(&rig) == 0);
        measured_rows[i].add(&rig);
        int rc = init(&rig);
        verdict(measured_rows[i].name, rc == -EPERM ? (int)rig.code : rc,
                SGX_INVALID_MEASUREMENT);
        rig_close(&rig);
    }
}

static int init_privileged(uint64_t flags)
{
    struct rig rig;

    rig_open(&rig);
    rig.secs.attributes.flags |= flags;
    make_sigstruct(&rig);
    tf_toy_sign(&rig.sig);
    CHECK(create(&rig) == 0 && add_all(&rig) == 0);
    int rc = init(&rig);
    rig_close(&rig);
    return rc;
}

static int init_debug(void)
{
    struct rig rig;

    rig_open(&rig);
    make_sigstruct(&rig);
    tf_toy_sign(&rig.sig);
    rig.secs.attributes.flags |= SGX_FLAGS_DEBUG;
    CHECK(create(&rig) == 0 && add_all(&rig) == 0);
    int rc = init(&rig);
    rc = rc == -EPERM ? (int)rig.code : rc;
    rig_close(&rig);
    return rc;
}

static int init_nowhere(void)
{
    struct sgx_enclave_init argument = {0};
    struct rig rig;

    rig_open(&rig);
    CHECK(create(&rig) == 0);
    int rc = ioctl_of(&rig, SGX_IOC_ENCLAVE_INIT, &argument);
    rig_close(&rig);
    return rc;
}

static void wrong_privileges(void)
{
    verdict("PROVISIONKEY without leave", init_privileged(SGX_FLAGS_PROVISIONKEY),
            -EACCES);
    verdict("EINITTOKEN_KEY", init_privileged(SGX_FLAGS_EINITTOKEN_KEY), -EACCES);
    verdict("production image started as DEBUG", init_debug(), SGX_INVALID_ATTRIBUTE);
    verdict("no SIGSTRUCT", init_nowhere(), -EFAULT);
}

/* --- EENTER
 * ------------------------------------------------------------------------------ */

#define TCS_AT(member) offsetof(struct sgx_tcs, member)

/* Of the TCS, before EADD. Answers are vectors. */
static const struct patch tcs_rows[] = {
    {"OSSA not aligned", TCS_AT(ossa), AT_SSA + 8, 8, TF_SIM_GP},
    {"OSSA in constants", TCS_AT(ossa), AT_RO, 8, TF_SIM_PF},
    {"OSSA in code", TCS_AT(ossa), AT_CODE, 8, TF_SIM_PF},
    {"OSSA in the TCS", TCS_AT(ossa), AT_TCS, 8, TF_SIM_PF},
    {"OSSA in a hole", TCS_AT(ossa), AT_HOLE, 8, TF_SIM_PF},
    {"OSSA past the end", TCS_AT(ossa), ELRANGE, 8, TF_SIM_PF},
    {"NSSA 0", TCS_AT(nssa), 0, 4, TF_SIM_GP},
    {"OFSBASE not aligned", TCS_AT(ofsbase), AT_DATA + 16, 8, TF_SIM_GP},
    {"OGSBASE not aligned", TCS_AT(ogsbase), AT_DATA + 16, 8, TF_SIM_GP},
    {"OFSBASE not canonical", TCS_AT(ofsbase), UINT64_C(1) << 62, 8, TF_SIM_GP},
    {"OGSBASE not canonical", TCS_AT(ogsbase), UINT64_C(1) << 62, 8, TF_SIM_GP},
    {"OENTRY not canonical", TCS_AT(oentry), UINT64_C(1) << 62, 8, TF_SIM_GP},
    {"OENTRY in data", TCS_AT(oentry), AT_DATA, 8, TF_SIM_PF},
    {"OENTRY outside", TCS_AT(oentry), ELRANGE, 8, TF_SIM_PF},
    {"FLAGS.AEXNOTIFY without the attribute", TCS_AT(flags), 2, 8, TF_SIM_GP},
    {"FLAGS reserved", TCS_AT(flags), UINT64_C(1) << 63, 8, TF_SIM_GP}};

/* The EADD of a TCS clears these, so they are no misuse. */
static const struct patch cleared_rows[] = {{"STATE", TCS_AT(state), 1, 8, 0},
                                            {"FLAGS.DBGOPTIN", TCS_AT(flags), 1, 8, 0},
                                            {"CSSA", TCS_AT(cssa), 1, 4, 0},
                                            {"AEP", TCS_AT(aep), 1, 8, 0}};

static void ready(struct rig *rig, const struct patch *patch)
{
    rig_open(rig);
    if (patch != NULL) {
        apply(rig->content + AT_TCS, patch);
    }
    CHECK(create(rig) == 0 && add_all(rig) == 0);
    struct tf_measure measured = rig->sim->measure;
    make_sigstruct(rig);
    tf_measure_take(&measured, rig->sig.enclave_hash); /* whatever it became */
    tf_toy_sign(&rig->sig);
    CHECK(init(rig) == 0);
}

static void enter_row(const char *name, const struct rig *rig, uint64_t offset,
                      int wanted)
{
    uint64_t rdi = 0;
    uint64_t rsi = 0;

    int vector = (int)tf_sim_thread_check(rig->sim, rig->secs.base + offset);
    verdict(name, vector, wanted);
    if (wanted != 0) {
        CHECK(tf_sim_thread_enter(rig->sim, offset, &rdi, &rsi) == -EFAULT);
        CHECK((int)tf_sim_tests.vector == wanted);
    }
}

static void wrong_tcs(void)
{
    struct rig rig;

    for (size_t i = 0; i < sizeof(tcs_rows) / sizeof(tcs_rows[0]); i++) {
        ready(&rig, &tcs_rows[i]);
        enter_row(tcs_rows[i].name, &rig, AT_TCS, tcs_rows[i].answer);
        rig_close(&rig);
    }
    for (size_t i = 0; i < sizeof(cleared_rows) / sizeof(cleared_rows[0]); i++) {
        ready(&rig, &cleared_rows[i]);
        CHECK(tf_sim_thread_check(rig.sim, rig.secs.base + AT_TCS) == 0);
        rig_close(&rig);
    }
}

static void wrong_entries(void)
{
    struct rig rig;

    ready(&rig, NULL);
    enter_row("RBX not aligned", &rig, AT_TCS + 8, TF_SIM_GP);
    enter_row("RBX of a data page", &rig, AT_DATA, TF_SIM_PF);
    enter_row("RBX of a hole", &rig, AT_HOLE, TF_SIM_PF);
    enter_row("RBX outside", &rig, ELRANGE, TF_SIM_PF);
    tf_sim_threads[0].is_busy = 1;
    enter_row("a busy TCS", &rig, AT_TCS, TF_SIM_GP);
    tf_sim_threads[0].is_busy = 0;
    tf_sim_threads[0].content.cssa = 1;
    enter_row("CSSA is NSSA", &rig, AT_TCS, TF_SIM_GP);
    tf_sim_threads[0].content.cssa = 0;
    rig.sim->secs.attributes.xfrm |= UINT64_C(1) << 62; /* no XCR0 has it */
    enter_row("XFRM beyond XCR0", &rig, AT_TCS, TF_SIM_GP);
    rig_close(&rig);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s toy.img\n", argv[0]);
        return 2;
    }
    tf_toy_files_make(&files, argv[1]);
    RUN(nothing_wrong);
    RUN(wrong_secs);
    RUN(wrong_order);
    RUN(wrong_pages);
    RUN(wrong_sources);
    RUN(wrong_maps);
    RUN(wrong_sigstructs);
    RUN(not_what_was_signed);
    RUN(wrong_privileges);
    RUN(wrong_tcs);
    RUN(wrong_entries);
    tf_toy_files_remove(&files);
    (void)printf("%u misuses, each with its code\n", rows);
    return test_end();
}
