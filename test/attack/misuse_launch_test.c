/* SPDX-License-Identifier: Apache-2.0 */
/*
 * misuse_launch_test.c - as misuse_test.c: SIGSTRUCTs that EINIT or the driver refuses,
 * enclaves that are not what was signed, TCSs that EENTER refuses. Argument: any image.
 */
#include "test/attack/small_enclave.h"

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
    CHECK(create(rig) == 0 && add_all(rig) == 0 && map_all(rig) == 0);
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

/* EENTER goes through the page tables: what EADD allowed but nobody mapped is #PF. */
static void nothing_mapped(struct rig *rig, const char *name, unsigned page, int less)
{
    uint64_t address = rig->secs.base + (uint64_t)page * TF_PAGE;

    CHECK(tf_sim_mmap(rig->sim, address, TF_PAGE, less, MAP_SHARED | MAP_FIXED) == 0);
    enter_row(name, rig, AT_TCS, TF_SIM_PF);
    CHECK(map_page(rig, page) == 0);
    CHECK(tf_sim_thread_check(rig->sim, rig->secs.base + AT_TCS) == 0);
}

static void wrong_entries(void)
{
    struct rig rig;

    ready(&rig, NULL);
    enter_row("RBX not aligned", &rig, AT_TCS + 8, TF_SIM_GP);
    enter_row("RBX of a data page", &rig, AT_DATA, TF_SIM_PF);
    enter_row("RBX of a hole", &rig, AT_HOLE, TF_SIM_PF);
    enter_row("RBX outside", &rig, ELRANGE, TF_SIM_PF);
    nothing_mapped(&rig, "a TCS that is not mapped", AT_TCS / TF_PAGE, PROT_NONE);
    nothing_mapped(&rig, "a TCS mapped to be read", AT_TCS / TF_PAGE, PROT_READ);
    nothing_mapped(&rig, "an SSA mapped to be read", AT_SSA / TF_PAGE, PROT_READ);
    nothing_mapped(&rig, "code that is not mapped", AT_CODE / TF_PAGE, PROT_READ);
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
    tf_toy_files_begin(&files, argc, argv);
    RUN(wrong_sigstructs);
    RUN(not_what_was_signed);
    RUN(wrong_privileges);
    RUN(wrong_tcs);
    RUN(wrong_entries);
    tf_toy_files_remove(&files);
    (void)printf("%u misuses, each with its code\n", rows);
    return test_end();
}
