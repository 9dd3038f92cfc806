/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys_test.c - EGETKEY and EREPORT (SDM vol. 3D, same names): every field of KEYREQUEST
 * and of the identity changes the key, changes nothing, or gives the error, as the SDM
 * says; wrong operands kill the enclave. Argument: the toy image.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "abi/layout.h"
#include "host/sim.h"
#include "test/attack/child.h"
#include "test/test.h"
#include "test/toy/toy.h"
#include "test/toy/toy_host.h"

enum {
    FAULT = 70,
    SVN = 2, /* of the toy's SIGSTRUCT */
    KSS_POLICIES = 0x3c,
    POLICY_NO_PROD_ID = 4,
    POLICY_FAMILY_ID = 0x10,
    POLICY_EXT_PROD_ID = 0x20,
    AT_INPUT = 0, /* in the enclave's heap */
    AT_DATA = 1024,
    AT_OUTPUT = 2048
};

static struct tf_toy_files files;
static unsigned rows;

/* One enclave of the toy image, and its memory for operands. */
struct rig {
    struct tf_toy toy;
    struct tf_sim *sim;
    uint8_t *memory;
};

static void rig_open(struct rig *rig)
{
    const struct tf_enclave_options options = tf_toy_options(&files);

    tf_toy_open(&rig->toy, &options);
    rig->sim = tf_sim_active;
    /* thread 0's page */
    const struct tf_thread_page *page = (void *)(uintptr_t)tf_sim_threads[0].fs_base;
    rig->memory = rig->sim->base + page->stack_top - page->stack_size;
}

static void rig_close(struct rig *rig)
{
    tf_toy_close(&rig->toy);
}

static struct sgx_key_request request_for(const struct rig *rig, uint16_t policy)
{
    struct sgx_key_request request;

    memset(&request, 0, sizeof(request));
    request.key_name = SGX_KEYNAME_SEAL;
    request.key_policy = policy;
    request.isv_svn = SVN;
    memcpy(request.cpu_svn, rig->sim->machine.cpu_svn, sizeof(request.cpu_svn));
    return request;
}

/* As ENCLU[EGETKEY]. @return RAX, or -1 for #GP. */
static int egetkey(const struct rig *rig, const struct sgx_key_request *request,
                   uint8_t key[static 16])
{
    struct tf_sim_registers registers = {
        .rax = SGX_EGETKEY,
        .rbx = (uint64_t)(uintptr_t)rig->memory + AT_INPUT,
        .rcx = (uint64_t)(uintptr_t)rig->memory + AT_OUTPUT};

    memcpy(rig->memory + AT_INPUT, request, sizeof(*request));
    if (!tf_sim_leaf(rig->sim, &registers)) {
        return -1;
    }
    /* ZF says whether it failed. */
    CHECK(((registers.rflags & 0x40) != 0) == (registers.rax != SGX_SUCCESS));
    memcpy(key, rig->memory + AT_OUTPUT, 16);
    return (int)registers.rax;
}

static void answers(const struct rig *rig, const struct sgx_key_request *request,
                    int wanted, const char *name)
{
    uint8_t key[16];

    rows++;
    int got = egetkey(rig, request, key);
    if (!CHECK(got == wanted)) {
        (void)fprintf(stderr, "  %s: %d, not %d\n", name, got, wanted);
    }
}

/* --- fields of KEYREQUEST
 * ------------------------------------------------------------------- */

struct patch {
    const char *name;
    size_t offset;
    uint64_t value; /* the answer's sign: below */
    size_t size;
    int answer; /* RAX; -1 #GP; 0 and another key */
};

#define REQ(member) offsetof(struct sgx_key_request, member)

/* Of a request with policy MRENCLAVE, in an enclave with KSS. */
static const struct patch request_rows[] = {
    {"policy none", REQ(key_policy), 0, 2, 0},
    {"policy MRSIGNER", REQ(key_policy), 2, 2, 0},
    {"policy both", REQ(key_policy), 3, 2, 0},
    {"policy NOISVPRODID", REQ(key_policy), 5, 2, 0},
    {"policy CONFIGID", REQ(key_policy), 9, 2, 0},
    {"policy ISVFAMILYID", REQ(key_policy), 0x11, 2, 0},
    {"policy ISVEXTPRODID", REQ(key_policy), 0x21, 2, 0},
    {"ISVSVN lower", REQ(isv_svn), SVN - 1, 2, 0},
    {"ISVSVN 0", REQ(isv_svn), 0, 2, 0},
    {"CPUSVN lower", REQ(cpu_svn), 0, 1, 0},
    {"CPUSVN lower at its end", REQ(cpu_svn) + 15, 0, 1, 0},
    {"KEYID", REQ(key_id), 1, 1, 0},
    {"KEYID's end", REQ(key_id) + 31, 1, 1, 0},
    {"ATTRIBUTEMASK MODE64BIT", REQ(attribute_mask.flags), 4, 8, 0},
    {"ATTRIBUTEMASK KSS", REQ(attribute_mask.flags), 0x80, 8, 0},
    {"ATTRIBUTEMASK XFRM", REQ(attribute_mask.xfrm), 7, 8, 0},
    {"MISCMASK", REQ(misc_mask), 1, 4, 0},
    {"CET mask", REQ(cet_attributes_mask), 1, 1, 0},
    {"the report key", REQ(key_name), SGX_KEYNAME_REPORT, 2, 0},
    {"EINITTOKEN key", REQ(key_name), 0, 2, SGX_INVALID_ATTRIBUTE},
    {"PROVISION key", REQ(key_name), 1, 2, SGX_INVALID_ATTRIBUTE},
    {"PROVISION_SEAL key", REQ(key_name), 2, 2, SGX_INVALID_ATTRIBUTE},
    {"KEYNAME 5", REQ(key_name), 5, 2, SGX_INVALID_KEYNAME},
    {"KEYNAME 65535", REQ(key_name), 65535, 2, SGX_INVALID_KEYNAME},
    {"ISVSVN above", REQ(isv_svn), SVN + 1, 2, SGX_INVALID_ISVSVN},
    {"ISVSVN far above", REQ(isv_svn), 65535, 2, SGX_INVALID_ISVSVN},
    {"CPUSVN above", REQ(cpu_svn), 2, 1, SGX_INVALID_CPUSVN},
    {"CPUSVN above in one component", REQ(cpu_svn) + 7, 2, 1, SGX_INVALID_CPUSVN},
    {"CPUSVN above at its end", REQ(cpu_svn) + 15, 255, 1, SGX_INVALID_CPUSVN},
    {"CONFIGSVN above", REQ(config_svn), 1, 2, SGX_INVALID_ISVSVN},
    {"policy bit 6", REQ(key_policy), 0x41, 2, -1},
    {"policy bit 15", REQ(key_policy), 0x8001, 2, -1},
    {"reserved after the CET mask", REQ(reserved1), 1, 1, -1},
    {"first reserved byte", REQ(reserved2), 1, 1, -1},
    {"last reserved byte", REQ(reserved2) + 433, 0x80, 1, -1}};

static void fields_of_the_request(void)
{
    struct rig rig;
    uint8_t first[16];
    uint8_t other[16];

    rig_open(&rig);
    const struct sgx_key_request good = request_for(&rig, SGX_KEYPOLICY_MRENCLAVE);
    CHECK(egetkey(&rig, &good, first) == SGX_SUCCESS);
    CHECK(egetkey(&rig, &good, other) == SGX_SUCCESS && memcmp(first, other, 16) == 0);
    for (size_t i = 0; i < sizeof(request_rows) / sizeof(request_rows[0]); i++) {
        const struct patch *row = &request_rows[i];
        struct sgx_key_request request = good;
        memcpy((uint8_t *)&request + row->offset, &row->value, row->size);
        answers(&rig, &request, row->answer, row->name);
        if (row->answer == 0) {
            CHECK(egetkey(&rig, &request, other) == 0 && memcmp(first, other, 16) != 0);
        }
    }
    rig_close(&rig);
}

static void every_component_of_cpusvn(void)
{
    struct rig rig;

    rig_open(&rig);
    for (size_t i = 0; i < 16; i++) {
        struct sgx_key_request request = request_for(&rig, SGX_KEYPOLICY_MRSIGNER);
        request.cpu_svn[i]++;
        answers(&rig, &request, SGX_INVALID_CPUSVN, "CPUSVN");
    }
    rig_close(&rig);
}

/* KEYPOLICY bits 2 to 5 and CONFIGSVN belong to KSS. */
static void key_separation_without_kss(void)
{
    struct rig rig;

    rig_open(&rig);
    rig.sim->secs.attributes.flags &= ~(uint64_t)SGX_FLAGS_KSS;
    answers(&rig, &(struct sgx_key_request){.key_name = SGX_KEYNAME_SEAL}, 0,
            "no policy");
    for (uint16_t bit = 1; bit < 0x40; bit = (uint16_t)(bit << 1)) {
        struct sgx_key_request request = request_for(&rig, bit);
        answers(&rig, &request, (bit & KSS_POLICIES) != 0 ? -1 : 0, "KSS policy");
    }
    struct sgx_key_request request = request_for(&rig, 1);
    request.config_svn = 1;
    answers(&rig, &request, -1, "CONFIGSVN");
    rig_close(&rig);
}

/* --- the identity
 * ----------------------------------------------------------------------------- */

static void spoil_mrenclave(struct rig *rig)
{
    rig->sim->secs.mrenclave[0] ^= 1;
}
static void spoil_mrsigner(struct rig *rig)
{
    rig->sim->secs.mrsigner[31] ^= 1;
}
static void spoil_prod_id(struct rig *rig)
{
    rig->sim->secs.isv_prod_id ^= 1;
}
static void spoil_config_id(struct rig *rig)
{
    rig->sim->secs.config_id[63] ^= 1;
}
static void spoil_family_id(struct rig *rig)
{
    rig->sim->isv_family_id[15] ^= 1;
}
static void spoil_ext_prod_id(struct rig *rig)
{
    rig->sim->isv_ext_prod_id[0] ^= 1;
}
static void spoil_debug(struct rig *rig)
{
    rig->sim->secs.attributes.flags ^= SGX_FLAGS_DEBUG;
}
static void spoil_xfrm(struct rig *rig)
{
    rig->sim->secs.attributes.xfrm ^= 4;
}
static void spoil_machine(struct rig *rig)
{
    rig->sim->machine.root[0] ^= 1;
}
static void raise_svn(struct rig *rig)
{
    rig->sim->secs.isv_svn++;
}
static void raise_cpu_svn(struct rig *rig)
{
    rig->sim->machine.cpu_svn[0]++;
}

/* Under which policies a change of the identity changes the key. */
static const struct {
    const char *name;
    void (*spoil)(struct rig *rig);
    uint16_t policy;
    int is_other;
} identity_rows[] = {{"MRENCLAVE", spoil_mrenclave, 1, 1},
                     {"MRENCLAVE, not asked for", spoil_mrenclave, 2, 0},
                     {"MRSIGNER", spoil_mrsigner, 2, 1},
                     {"MRSIGNER, not asked for", spoil_mrsigner, 1, 0},
                     {"ISVPRODID", spoil_prod_id, 2, 1},
                     {"ISVPRODID, not wanted", spoil_prod_id, 2 | POLICY_NO_PROD_ID, 0},
                     {"CONFIGID", spoil_config_id, 1 | SGX_KEYPOLICY_CONFIGID, 1},
                     {"CONFIGID, not asked for", spoil_config_id, 1, 0},
                     {"ISVFAMILYID", spoil_family_id, 2 | POLICY_FAMILY_ID, 1},
                     {"ISVFAMILYID, not asked for", spoil_family_id, 2, 0},
                     {"ISVEXTPRODID", spoil_ext_prod_id, 2 | POLICY_EXT_PROD_ID, 1},
                     {"ISVEXTPRODID, not asked for", spoil_ext_prod_id, 2, 0},
                     {"DEBUG, although masked out", spoil_debug, 1, 1},
                     {"XFRM, masked out", spoil_xfrm, 1, 0},
                     {"another machine", spoil_machine, 1, 1},
                     {"a later ISVSVN, for the old key", raise_svn, 1, 0},
                     {"a later CPUSVN, for the old key", raise_cpu_svn, 1, 0}};

static void the_identity(void)
{
    for (size_t i = 0; i < sizeof(identity_rows) / sizeof(identity_rows[0]); i++) {
        struct rig rig;
        uint8_t first[16];
        uint8_t other[16];
        rig_open(&rig);
        const struct sgx_key_request request = request_for(&rig, identity_rows[i].policy);
        CHECK(egetkey(&rig, &request, first) == SGX_SUCCESS);
        identity_rows[i].spoil(&rig);
        CHECK(egetkey(&rig, &request, other) == SGX_SUCCESS);
        rows++;
        if (!CHECK((memcmp(first, other, 16) != 0) == identity_rows[i].is_other)) {
            (void)fprintf(stderr, "  %s\n", identity_rows[i].name);
        }
        rig_close(&rig);
    }
}

static void configsvn(void)
{
    struct rig rig;
    uint8_t keys[2][16];

    rig_open(&rig);
    rig.sim->secs.config_svn = 2;
    struct sgx_key_request request = request_for(&rig, 1 | SGX_KEYPOLICY_CONFIGID);
    for (uint16_t i = 0; i < 2; i++) {
        request.config_svn = (uint16_t)(i + 1);
        CHECK(egetkey(&rig, &request, keys[i]) == SGX_SUCCESS);
    }
    CHECK(memcmp(keys[0], keys[1], 16) != 0);
    request.config_svn = 3;
    answers(&rig, &request, SGX_INVALID_ISVSVN, "CONFIGSVN above");
    rig_close(&rig);
}

/* --- operands
 * ---------------------------------------------------------------------------------- */

static bool leaf_with(const struct rig *rig, uint64_t leaf, uint64_t rbx, uint64_t rcx,
                      uint64_t rdx)
{
    struct tf_sim_registers registers = {.rax = leaf, .rbx = rbx, .rcx = rcx, .rdx = rdx};

    rows++;
    return tf_sim_leaf(rig->sim, &registers);
}

static void operands_of_egetkey(void)
{
    static uint8_t outside[1024] __attribute__((aligned(512)));
    struct rig rig;

    rig_open(&rig);
    uint64_t in = (uint64_t)(uintptr_t)rig.memory + AT_INPUT;
    uint64_t out = (uint64_t)(uintptr_t)rig.memory + AT_OUTPUT;
    uint64_t base = rig.sim->secs.base;
    uint64_t host = (uint64_t)(uintptr_t)outside;
    const struct sgx_key_request request = request_for(&rig, 1);
    memcpy(rig.memory + AT_INPUT, &request, sizeof(request));
    memcpy(outside, &request, sizeof(request));
    CHECK(leaf_with(&rig, SGX_EGETKEY, in, out, 0));
    CHECK(leaf_with(&rig, SGX_EGETKEY, in, out + 16, 0));
    CHECK(!leaf_with(&rig, SGX_EGETKEY, in + 256, out, 0)); /* not aligned to 512 */
    CHECK(!leaf_with(&rig, SGX_EGETKEY, in, out + 8, 0));   /* nor to 16 */
    CHECK(!leaf_with(&rig, SGX_EGETKEY, host, out, 0));     /* outside */
    CHECK(!leaf_with(&rig, SGX_EGETKEY, in, host, 0));
    CHECK(!leaf_with(&rig, SGX_EGETKEY, in, base, 0)); /* constants */
    CHECK(!leaf_with(&rig, SGX_EGETKEY, in, tf_sim_threads[0].tcs, 0));
    CHECK(!leaf_with(&rig, SGX_EGETKEY, 0, out, 0));
    CHECK(!leaf_with(&rig, SGX_EGETKEY, in, UINT64_MAX - 15, 0));
    CHECK(!leaf_with(&rig, SGX_EGETKEY, base + rig.sim->secs.size - 512, out, 0));
    CHECK(!leaf_with(&rig, 6, in, out, 0)); /* EMODPE: SGX2 */
    CHECK(!leaf_with(&rig, SGX_EENTER, in, out, 0));
    CHECK(!leaf_with(&rig, 0xff, in, out, 0));
    rig_close(&rig);
}

static void operands_of_ereport(void)
{
    struct rig rig;

    rig_open(&rig);
    uint64_t in = (uint64_t)(uintptr_t)rig.memory + AT_INPUT;
    uint64_t data = (uint64_t)(uintptr_t)rig.memory + AT_DATA;
    uint64_t out = (uint64_t)(uintptr_t)rig.memory + AT_OUTPUT;
    uint64_t base = rig.sim->secs.base;
    memset(rig.memory, 0, 4096);
    CHECK(leaf_with(&rig, SGX_EREPORT, in, data, out));
    CHECK(leaf_with(&rig, SGX_EREPORT, base, data, out)); /* reading constants is fine */
    CHECK(!leaf_with(&rig, SGX_EREPORT, in + 128, data, out));
    CHECK(!leaf_with(&rig, SGX_EREPORT, in, data + 64, out));
    CHECK(!leaf_with(&rig, SGX_EREPORT, in, data, out + 128));
    CHECK(!leaf_with(&rig, SGX_EREPORT, in, data, base));
    CHECK(!leaf_with(&rig, SGX_EREPORT, 512, data, out));
    CHECK(!leaf_with(&rig, SGX_EREPORT, in, 128, out));
    CHECK(!leaf_with(&rig, SGX_EREPORT, in, data, 512));
    rig_close(&rig);
}

/* The same from inside: the enclave does not survive it. */
static int leaf_body(const void *argument)
{
    const struct tf_enclave_options options = tf_toy_options(&files);
    struct tf_toy_key key;
    struct tf_toy toy;

    tf_toy_open(&toy, &options);
    int is_good = tf_toy_call(&toy, TOY_LEAF, argument, sizeof(struct tf_toy_leaf), &key,
                              sizeof(key));
    tf_toy_close(&toy);
    return !is_good || key.code != SGX_SUCCESS;
}

static void wrong_operands_kill(void)
{
    struct tf_toy_leaf leaves[] = {{.leaf = SGX_EGETKEY},
                                   {.leaf = SGX_EGETKEY, .rbx = 8},
                                   {.leaf = SGX_EGETKEY, .rcx = 8},
                                   {.leaf = SGX_EGETKEY, .is_address = 1},
                                   {.leaf = SGX_EREPORT, .rdx = 16},
                                   {.leaf = SGX_ERESUME},
                                   {.leaf = 9}};

    for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
        struct sgx_key_request request = {.key_name = SGX_KEYNAME_SEAL};
        memcpy(leaves[i].input, &request, sizeof(request));
        struct outcome outcome = in_child(leaf_body, &leaves[i]);
        rows++;
        if (!CHECK(outcome.status == (i == 0 ? 0 : FAULT))) {
            (void)fprintf(stderr, "leaf %zu: %d: %s\n", i, outcome.status,
                          outcome.output);
        }
    }
}

/* --- local attestation
 * ---------------------------------------------------------------------------- */

static int is_mac_good(const struct sgx_report *report, const uint8_t key[static 16])
{
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "CMAC", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(algorithm);
    char cipher[] = "AES-128-CBC";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string("cipher", cipher, 0),
        OSSL_PARAM_construct_end()};
    uint8_t mac[16] = {0};
    size_t size = 0;

    int is_done =
        EVP_MAC_init(context, key, 16, parameters) == 1 &&
        EVP_MAC_update(context, (const uint8_t *)report, SGX_REPORT_BODY_SIZE) == 1 &&
        EVP_MAC_final(context, mac, &size, sizeof(mac)) == 1;
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(algorithm);
    return is_done && memcmp(mac, report->mac, sizeof(mac)) == 0;
}

/* The target verifies with EGETKEY what EREPORT made; nobody else can. */
static void the_target_verifies_a_report(void)
{
    struct sgx_target_info target;
    struct sgx_report report;
    struct rig rig;
    uint8_t key[16];

    rig_open(&rig);
    memset(&target, 0, sizeof(target));
    memcpy(target.mrenclave, rig.sim->secs.mrenclave, sizeof(target.mrenclave));
    target.attributes = rig.sim->secs.attributes;
    memcpy(target.config_id, rig.sim->secs.config_id, sizeof(target.config_id));
    memcpy(rig.memory + AT_INPUT, &target, sizeof(target));
    uint64_t at = (uint64_t)(uintptr_t)rig.memory;
    CHECK(leaf_with(&rig, SGX_EREPORT, at + AT_INPUT, at + AT_DATA, at + AT_OUTPUT));
    memcpy(&report, rig.memory + AT_OUTPUT, sizeof(report));
    struct sgx_key_request request = {.key_name = SGX_KEYNAME_REPORT};
    memcpy(request.key_id, report.key_id, sizeof(request.key_id));
    CHECK(egetkey(&rig, &request, key) == SGX_SUCCESS && is_mac_good(&report, key));
    request.isv_svn = 9; /* a report key asks for none of these */
    request.key_policy = 3;
    memset(request.cpu_svn, 255, sizeof(request.cpu_svn));
    CHECK(egetkey(&rig, &request, key) == SGX_SUCCESS && is_mac_good(&report, key));
    request.key_id[0] ^= 1;
    CHECK(egetkey(&rig, &request, key) == SGX_SUCCESS && !is_mac_good(&report, key));
    request.key_id[0] ^= 1;
    spoil_mrenclave(&rig);
    CHECK(egetkey(&rig, &request, key) == SGX_SUCCESS && !is_mac_good(&report, key));
    rig_close(&rig);
}

int main(int argc, char **argv)
{
    tf_toy_files_begin(&files, argc, argv);
    RUN(fields_of_the_request);
    RUN(every_component_of_cpusvn);
    RUN(key_separation_without_kss);
    RUN(the_identity);
    RUN(configsvn);
    RUN(operands_of_egetkey);
    RUN(operands_of_ereport);
    RUN(wrong_operands_kill);
    RUN(the_target_verifies_a_report);
    tf_toy_files_remove(&files);
    (void)printf("%u requests, each with its key or error\n", rows);
    return test_end();
}
