/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_leaf.c - EREPORT, EGETKEY and EACCEPT (SDM vol. 3D, same names). The CPU's
 * derivation is secret; ours is HMAC-SHA256 under the machine's root over the same
 * inputs, each at its own place.
 */
#include <string.h>
#include <sys/mman.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "host/sim.h"
#include "host/sim_memory.h"
#include "lib/crypto.h"

enum {
    ALIGN_LARGE = 512, /* TARGETINFO, REPORT, KEYREQUEST */
    ALIGN_DATA = 128,  /* REPORTDATA */
    ALIGN_KEY = 16,
    ALIGN_SECINFO = 64, /* and its size */
    KEY_SIZE = 16,
    REPORT_DATA_SIZE = 64,
    POLICY_KNOWN = 0x3f,
    POLICY_NEEDS_KSS = 0x3c,
    POLICY_NO_PROD_ID = 4,
    POLICY_FAMILY_ID = 0x10,
    POLICY_EXT_PROD_ID = 0x20,
    FLAG_ZF = 0x40,
    FLAGS_ARITHMETIC = 0x8d5 /* CF PF AF ZF SF OF */
};

/* SDM vol. 3D, EGETKEY, table "Key Derivation": fields that a key does not depend on are
 * zero. */
struct dependencies {
    uint16_t key_name;
    uint16_t key_policy;
    uint16_t isv_prod_id;
    uint16_t isv_svn;
    uint16_t config_svn;
    uint8_t cet_attributes;
    uint8_t cet_attributes_mask;
    uint32_t miscselect;
    uint32_t miscmask;
    uint32_t spare;
    struct sgx_attributes attributes;
    struct sgx_attributes attribute_mask;
    uint8_t cpu_svn[16];
    uint8_t key_id[32];
    uint8_t mrenclave[32];
    uint8_t mrsigner[32];
    uint8_t config_id[64];
    uint8_t isv_family_id[16];
    uint8_t isv_ext_prod_id[16];
};
static_assert(sizeof(struct dependencies) == 24 + 32 + 16 + 4 * 32 + 32 + 32,
              "no padding");

static void derive(const struct tf_sim_machine *machine,
                   const struct dependencies *inputs, uint8_t key[static KEY_SIZE])
{
    uint8_t mac[EVP_MAX_MD_SIZE] = {0};
    unsigned size = 0;

    (void)HMAC(EVP_sha256(), machine->root, sizeof(machine->root),
               (const uint8_t *)inputs, sizeof(*inputs), mac, &size);
    memcpy(key, mac, KEY_SIZE);
    tf_wipe(mac, sizeof(mac));
}

/* AES-128-CMAC over the report's body. */
static void cmac(const uint8_t key[static KEY_SIZE], const void *body,
                 uint8_t mac[static 16])
{
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "CMAC", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(algorithm);
    char cipher[] = "AES-128-CBC";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string("cipher", cipher, 0),
        OSSL_PARAM_construct_end()};
    size_t size = 0;

    if (context == NULL || EVP_MAC_init(context, key, KEY_SIZE, parameters) != 1 ||
        EVP_MAC_update(context, body, SGX_REPORT_BODY_SIZE) != 1 ||
        EVP_MAC_final(context, mac, &size, 16) != 1) {
        memset(mac, 0, 16); /* such a report verifies nowhere */
    }
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(algorithm);
}

void tf_sim_report_mac(const struct tf_sim_machine *machine,
                       const struct sgx_target_info *target,
                       const struct sgx_report *report, uint8_t mac[static 16])
{
    struct dependencies inputs = {.key_name = SGX_KEYNAME_REPORT};
    uint8_t key[KEY_SIZE];

    inputs.config_svn = target->config_svn;
    inputs.cet_attributes = target->cet_attributes;
    inputs.miscselect = target->miscselect;
    inputs.attributes = target->attributes;
    memcpy(inputs.cpu_svn, report->cpu_svn, sizeof(inputs.cpu_svn));
    memcpy(inputs.key_id, report->key_id, sizeof(inputs.key_id));
    memcpy(inputs.mrenclave, target->mrenclave, sizeof(inputs.mrenclave));
    memcpy(inputs.config_id, target->config_id, sizeof(inputs.config_id));
    derive(machine, &inputs, key);
    cmac(key, report, mac);
    tf_wipe(key, sizeof(key));
}

/* The report key of the enclave itself, to check reports that were made for it. */
static void report_key(const struct tf_sim_machine *machine, const struct sgx_secs *secs,
                       const struct sgx_key_request *request,
                       uint8_t key[static KEY_SIZE])
{
    struct dependencies inputs = {.key_name = SGX_KEYNAME_REPORT};

    inputs.config_svn = secs->config_svn;
    inputs.miscselect = secs->miscselect;
    inputs.attributes = secs->attributes;
    memcpy(inputs.cpu_svn, machine->cpu_svn, sizeof(inputs.cpu_svn));
    memcpy(inputs.key_id, request->key_id, sizeof(inputs.key_id));
    memcpy(inputs.mrenclave, secs->mrenclave, sizeof(inputs.mrenclave));
    memcpy(inputs.config_id, secs->config_id, sizeof(inputs.config_id));
    derive(machine, &inputs, key);
}

/* The parts of a seal key's inputs that the request's policy selects. */
static void apply_policy(const struct tf_sim *sim, const struct sgx_key_request *request,
                         struct dependencies *inputs)
{
    const struct sgx_secs *secs = &sim->secs;
    uint16_t policy = request->key_policy;

    if ((policy & POLICY_NO_PROD_ID) == 0) {
        inputs->isv_prod_id = secs->isv_prod_id;
    }
    if ((policy & SGX_KEYPOLICY_MRENCLAVE) != 0) {
        memcpy(inputs->mrenclave, secs->mrenclave, sizeof(inputs->mrenclave));
    }
    if ((policy & SGX_KEYPOLICY_MRSIGNER) != 0) {
        memcpy(inputs->mrsigner, secs->mrsigner, sizeof(inputs->mrsigner));
    }
    if ((policy & SGX_KEYPOLICY_CONFIGID) != 0) {
        memcpy(inputs->config_id, secs->config_id, sizeof(inputs->config_id));
        inputs->config_svn = request->config_svn;
    }
    if ((policy & POLICY_FAMILY_ID) != 0) {
        memcpy(inputs->isv_family_id, sim->isv_family_id, sizeof(inputs->isv_family_id));
    }
    if ((policy & POLICY_EXT_PROD_ID) != 0) {
        memcpy(inputs->isv_ext_prod_id, sim->isv_ext_prod_id,
               sizeof(inputs->isv_ext_prod_id));
    }
}

static void seal_key(const struct tf_sim *sim, const struct sgx_key_request *request,
                     uint8_t key[static KEY_SIZE])
{
    struct dependencies inputs = {.key_name = SGX_KEYNAME_SEAL};
    const struct sgx_secs *secs = &sim->secs;
    const uint64_t always = SGX_FLAGS_INIT | SGX_FLAGS_DEBUG;

    inputs.key_policy = request->key_policy;
    inputs.isv_svn = request->isv_svn;
    inputs.cet_attributes_mask = request->cet_attributes_mask;
    inputs.miscselect = secs->miscselect & request->misc_mask;
    inputs.miscmask = request->misc_mask;
    inputs.attributes.flags =
        secs->attributes.flags & (request->attribute_mask.flags | always);
    inputs.attributes.xfrm = secs->attributes.xfrm & request->attribute_mask.xfrm;
    inputs.attribute_mask = request->attribute_mask;
    memcpy(inputs.cpu_svn, request->cpu_svn, sizeof(inputs.cpu_svn));
    memcpy(inputs.key_id, request->key_id, sizeof(inputs.key_id));
    apply_policy(sim, request, &inputs);
    derive(&sim->machine, &inputs, key);
    tf_wipe(&inputs, sizeof(inputs));
}

/* Whether every component of `wanted` is at most the machine's. */
static bool is_cpu_svn_reached(const struct tf_sim_machine *machine,
                               const uint8_t wanted[static 16])
{
    for (size_t i = 0; i < sizeof(machine->cpu_svn); i++) {
        if (wanted[i] > machine->cpu_svn[i]) {
            return false;
        }
    }
    return true;
}

uint32_t tf_sim_key(const struct tf_sim *sim, const struct sgx_key_request *request,
                    uint8_t key[static 16])
{
    if (request->key_name == SGX_KEYNAME_REPORT) {
        report_key(&sim->machine, &sim->secs, request, key);
        return SGX_SUCCESS;
    }
    if (request->key_name < SGX_KEYNAME_REPORT) {
        return SGX_INVALID_ATTRIBUTE; /* EINITTOKEN and provisioning keys: not for us */
    }
    if (request->key_name != SGX_KEYNAME_SEAL) {
        return SGX_INVALID_KEYNAME;
    }
    if (!is_cpu_svn_reached(&sim->machine, request->cpu_svn)) {
        return SGX_INVALID_CPUSVN;
    }
    if (request->isv_svn > sim->secs.isv_svn ||
        request->config_svn > sim->secs.config_svn) {
        return SGX_INVALID_ISVSVN;
    }
    seal_key(sim, request, key);
    return SGX_SUCCESS;
}

/* An operand: aligned, and in pages of the enclave that allow the access. */
static void *operand(const struct tf_sim *sim, uint64_t address, uint64_t align,
                     uint64_t size, uint64_t access)
{
    if (address % align != 0 || !tf_sim_has_access(sim, address, size, access)) {
        return NULL;
    }
    /* an operand in a register */
    return (void *)(uintptr_t)address;
}

static bool ereport(const struct tf_sim *sim, const struct tf_sim_registers *registers)
{
    const struct sgx_target_info *target =
        operand(sim, registers->rbx, ALIGN_LARGE, sizeof(*target), SGX_SECINFO_R);
    const uint8_t *data =
        operand(sim, registers->rcx, ALIGN_DATA, REPORT_DATA_SIZE, SGX_SECINFO_R);
    struct sgx_report *out = operand(sim, registers->rdx, ALIGN_LARGE, sizeof(*out),
                                     SGX_SECINFO_R | SGX_SECINFO_W);
    if (target == NULL || data == NULL || out == NULL) {
        return false;
    }
    struct sgx_report report;
    memset(&report, 0, sizeof(report));
    memcpy(report.cpu_svn, sim->machine.cpu_svn, sizeof(report.cpu_svn));
    report.miscselect = sim->secs.miscselect;
    report.attributes = sim->secs.attributes;
    memcpy(report.mrenclave, sim->secs.mrenclave, sizeof(report.mrenclave));
    memcpy(report.mrsigner, sim->secs.mrsigner, sizeof(report.mrsigner));
    memcpy(report.config_id, sim->secs.config_id, sizeof(report.config_id));
    report.isv_prod_id = sim->secs.isv_prod_id;
    report.isv_svn = sim->secs.isv_svn;
    report.config_svn = sim->secs.config_svn;
    memcpy(report.isv_family_id, sim->isv_family_id, sizeof(report.isv_family_id));
    memcpy(report.isv_ext_prod_id, sim->isv_ext_prod_id, sizeof(report.isv_ext_prod_id));
    memcpy(report.report_data, data, sizeof(report.report_data));
    memcpy(report.key_id, sim->machine.report_key_id, sizeof(report.key_id));
    tf_sim_report_mac(&sim->machine, target, &report, report.mac);
    *out = report;
    return true;
}

static bool is_request_good(const struct tf_sim *sim,
                            const struct sgx_key_request *request)
{
    bool has_kss = (sim->secs.attributes.flags & SGX_FLAGS_KSS) != 0;
    bool wants_kss =
        (request->key_policy & POLICY_NEEDS_KSS) != 0 || request->config_svn != 0;
    uint8_t spare = request->reserved1;

    for (size_t i = 0; i < sizeof(request->reserved2); i++) {
        spare |= request->reserved2[i];
    }
    return spare == 0 && (request->key_policy & ~POLICY_KNOWN) == 0 &&
           (has_kss || !wants_kss);
}

static bool egetkey(const struct tf_sim *sim, struct tf_sim_registers *registers)
{
    const struct sgx_key_request *request =
        operand(sim, registers->rbx, ALIGN_LARGE, sizeof(*request), SGX_SECINFO_R);
    uint8_t *out =
        operand(sim, registers->rcx, ALIGN_KEY, KEY_SIZE, SGX_SECINFO_R | SGX_SECINFO_W);
    if (request == NULL || out == NULL || !is_request_good(sim, request)) {
        return false;
    }
    registers->rax = tf_sim_key(sim, request, out);
    registers->rflags &= ~(uint64_t)FLAGS_ARITHMETIC;
    registers->rflags |= registers->rax != SGX_SUCCESS ? (uint64_t)FLAG_ZF : 0;
    return true;
}

/* As what the place is mapped: the last mmap counts. */
static unsigned mapped_as(const struct tf_sim *sim, uint64_t offset)
{
    for (unsigned i = sim->map_count; i-- > 0;) {
        const struct tf_sim_map *map = &sim->maps[i];
        if (offset >= map->offset && offset - map->offset < map->size) {
            return map->access;
        }
    }
    return 0;
}

/* What the kernel does about an access where no page is (EAUG): one of zeros, pending, if
 * somebody mapped that place readable and writable. */
static bool augment(const struct tf_sim *sim, uint64_t offset)
{
    const unsigned both = SGX_SECINFO_R | SGX_SECINFO_W;
    uint16_t *page = &sim->epcm[offset / TF_PAGE];

    if (*page == 0) {
        unsigned access = mapped_as(sim, offset);
        if ((access & both) != both) {
            return false;
        }
        *page = (uint16_t)(SGX_SECINFO_NEW | access << TF_SIM_MAPPED);
    }
    return true;
}

static bool eaccept(struct tf_sim *sim, struct tf_sim_registers *registers)
{
    const uint8_t *secinfo =
        operand(sim, registers->rbx, ALIGN_SECINFO, ALIGN_SECINFO, SGX_SECINFO_R);
    uint64_t offset = registers->rcx - sim->secs.base;
    uint64_t flags;

    if (!sim->machine.cpu.has_sgx2 || secinfo == NULL || offset % TF_PAGE != 0 ||
        offset >= sim->secs.size ||
        !tf_sim_is_zero(secinfo + sizeof(flags), ALIGN_SECINFO - sizeof(flags)) ||
        !augment(sim, offset)) {
        return false;
    }
    memcpy(&flags, secinfo, sizeof(flags));
    uint16_t *page = &sim->epcm[offset / TF_PAGE];
    bool is_pending = (*page & SGX_SECINFO_PENDING) != 0;
    bool is_match = is_pending && flags == (*page & TF_SIM_PAGE);
    if (is_match) {
        *page = (uint16_t)(*page & ~SGX_SECINFO_PENDING);
    }
    registers->rax = is_match ? SGX_SUCCESS : SGX_PAGE_ATTRIBUTES_MISMATCH;
    registers->rflags &= ~(uint64_t)FLAGS_ARITHMETIC;
    registers->rflags |= is_match ? 0 : (uint64_t)FLAG_ZF;
    return !is_match || !sim->is_strict ||
           tf_sim_memory_map(sim, offset, TF_PAGE, PROT_READ | PROT_WRITE) == 0;
}

bool tf_sim_leaf(struct tf_sim *sim, struct tf_sim_registers *registers)
{
    switch ((uint32_t)registers->rax) {
    case SGX_EREPORT:
        return ereport(sim, registers);
    case SGX_EGETKEY:
        return egetkey(sim, registers);
    case SGX_EACCEPT:
        return eaccept(sim, registers);
    default:
        return false;
    }
}
