/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/policy.h"

#include <string.h>

#include "lib/bytes.h"
#include "lib/json.h"
#include "lib/spki.h"
#include "verify/dates.h"

/* An array of hex strings of `size` bytes each, into rows of `size` bytes at `out`. */
static bool read_hashes(struct tf_json_fields *f, const char *key, size_t max,
                        size_t size, uint8_t *out, size_t *count)
{
    const json_t *list = tf_json_array(f, key, 1, max);

    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *hex = tf_json_string_at(list, i, 2 * size, 2 * size);
        if (hex == NULL || tf_hex_parse(hex, 2 * size, out + i * size, size) != TF_OK) {
            return false;
        }
        (*count)++;
    }
    return *count > 0;
}

static bool read_publishers(struct tf_json_fields *f, struct tf_policy *out)
{
    const json_t *list = tf_json_array(f, "publishers", 1, TF_PUBLISHERS_MAX);
    uint8_t digest[TF_SHA256_SIZE];

    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *hex = tf_json_string_at(list, i, 64, 64);
        if (hex == NULL || tf_hex_parse(hex, 64, digest, sizeof(digest)) != TF_OK) {
            return false;
        }
        tf_hex_write(digest, sizeof(digest), out->publishers[i]);
        out->publisher_count++;
    }
    return out->publisher_count > 0;
}

static bool read_lambda_fields(struct tf_json_fields *f, struct tf_policy *out)
{
    out->min_version = tf_json_integer_or(f, "min_version", 1, TF_JSON_INTEGER_MAX, 0);
    return !tf_json_has(f, "digests") ||
           read_hashes(f, "digests", TF_DIGESTS_MAX, TF_SHA256_SIZE, out->digests[0],
                       &out->digest_count);
}

/* Absent: no simulator is trusted. An empty root would say so less clearly: refused. */
static bool read_sim_root(struct tf_json_fields *f, struct tf_policy *out)
{
    const uint8_t *key = NULL;

    if (!tf_json_has(f, "insecure_sim_root")) {
        return true;
    }
    out->sim_root_size =
        tf_json_base64(f, "insecure_sim_root", out->sim_root, sizeof(out->sim_root));
    return tf_spki_parse(out->sim_root, out->sim_root_size, &key) == TF_SPKI_ED25519;
}

/* --- platforms ---------------------------------------------------------------------- */

static bool read_advisories(struct tf_json_fields *f, struct tf_advisories *out)
{
    const json_t *list = tf_json_array(f, "advisories", 0, TF_ADVISORIES_MAX);

    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *id = tf_json_string_at(list, i, 1, TF_ADVISORY_SIZE - 1);
        if (id == NULL || tf_advisories_have(out, id)) {
            return false;
        }
        memcpy(out->ids[out->count++], id, strlen(id) + 1);
    }
    return list != NULL;
}

/* Nothing is accepted without saying what is wrong with it or for how long, and a revoked
 * platform never is. */
static bool is_rule_bounded(const struct tf_tcb_rule *rule)
{
    if (rule->status == TF_TCB_UP_TO_DATE || rule->status == TF_TCB_REVOKED) {
        return false;
    }
    bool is_old = ((unsigned)rule->status & TF_TCB_OUT_OF_DATE) != 0;
    return is_old ? rule->has_until : rule->has_advisories;
}

static bool read_rule(const json_t *object, struct tf_tcb_rule *rule)
{
    struct tf_json_fields f;
    bool is_good = true;

    tf_json_fields_init(&f, object);
    const char *status = tf_json_string(&f, "status", 1, 64);
    is_good = status != NULL && tf_tcb_status_parse(status, &rule->status) == TF_OK;
    rule->has_advisories = tf_json_has(&f, "advisories");
    if (rule->has_advisories) {
        is_good = read_advisories(&f, &rule->advisories) && is_good;
    }
    rule->has_until = tf_json_has(&f, "until");
    if (rule->has_until) {
        rule->until = tf_date_read(&f, "until");
    }
    return tf_json_fields_end(&f) && is_good && is_rule_bounded(rule);
}

static bool read_rules(struct tf_json_fields *f, struct tf_policy *out)
{
    const json_t *list = tf_json_array(f, "tcb", 1, TF_TCB_RULES_MAX);

    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!read_rule(json_array_get(list, i), &out->tcb[i])) {
            return false;
        }
        out->tcb_count++;
    }
    return out->tcb_count > 0;
}

static bool read_platforms(struct tf_json_fields *f, struct tf_policy *out)
{
    const json_t *list = tf_json_array(f, "platforms", 1, TF_PLATFORMS_MAX);

    for (size_t i = 0; i < json_array_size(list); i++) {
        struct tf_platform_id *id = &out->platforms[i];
        const char *hex = tf_json_string_at(list, i, 32, 128);
        id->size = hex == NULL ? 0 : strlen(hex) / 2;
        if ((id->size != 16 && id->size != 64) ||
            tf_hex_parse(hex, strlen(hex), id->bytes, id->size) != TF_OK) {
            return false;
        }
        out->platform_count++;
    }
    return out->platform_count > 0;
}

static const struct {
    const char *name;
    tf_root root;
} PRODUCTS[] = {{"Milan", TF_ROOT_AMD_MILAN},
                {"Genoa", TF_ROOT_AMD_GENOA},
                {"Turin", TF_ROOT_AMD_TURIN}};
enum { PRODUCT_COUNT = sizeof(PRODUCTS) / sizeof(PRODUCTS[0]) };

const char *tf_root_product(tf_root root)
{
    for (size_t i = 0; i < PRODUCT_COUNT; i++) {
        if (PRODUCTS[i].root == root) {
            return PRODUCTS[i].name;
        }
    }
    return NULL;
}

static uint8_t read_u8(struct tf_json_fields *f, const char *key)
{
    return (uint8_t)tf_json_integer(f, key, 0, UINT8_MAX);
}

static bool read_snp_rule(const json_t *object, struct tf_policy *out)
{
    struct tf_json_fields f;
    struct tf_snp_rule *rule = &out->snp[out->snp_count];

    tf_json_fields_init(&f, object);
    const char *name = tf_json_string(&f, "product", 1, 16);
    for (size_t i = 0; name != NULL && i < PRODUCT_COUNT; i++) {
        if (strcmp(PRODUCTS[i].name, name) == 0) {
            rule->product = PRODUCTS[i].root;
        }
    }
    for (size_t i = 0; i < out->snp_count; i++) {
        if (out->snp[i].product == rule->product) {
            return false; /* which of the two would hold? */
        }
    }
    rule->minimum.bootloader = read_u8(&f, "bootloader");
    rule->minimum.tee = read_u8(&f, "tee");
    rule->minimum.snp = read_u8(&f, "snp");
    rule->minimum.microcode = read_u8(&f, "microcode");
    if (rule->product == TF_ROOT_AMD_TURIN) {
        rule->minimum.fmc = read_u8(&f, "fmc");
    }
    out->snp_count++;
    return tf_json_fields_end(&f) && rule->product != TF_ROOT_NONE;
}

static bool read_snp(struct tf_json_fields *f, struct tf_policy *out)
{
    const json_t *list = tf_json_array(f, "snp", 1, TF_SNP_RULES_MAX);

    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!read_snp_rule(json_array_get(list, i), out)) {
            return false;
        }
    }
    return out->snp_count > 0;
}

static bool read_platform_fields(struct tf_json_fields *f, struct tf_policy *out)
{
    bool is_good = !tf_json_has(f, "tcb") || read_rules(f, out);

    is_good = (!tf_json_has(f, "platforms") || read_platforms(f, out)) && is_good;
    is_good = (!tf_json_has(f, "snp") || read_snp(f, out)) && is_good;
    out->min_evaluation =
        (uint32_t)tf_json_integer_or(f, "min_evaluation", 1, UINT32_MAX, 0);
    if (tf_json_has(f, "min_tcb_date")) {
        out->min_tcb_date = tf_date_read(f, "min_tcb_date");
    }
    out->max_vmpl = (uint8_t)tf_json_integer_or(f, "max_vmpl", 0, 3, 0);
    out->insecure_allow_debug = tf_json_boolean_or(f, "insecure_allow_debug", false);
    if (tf_json_has(f, "insecure_allow_roots")) {
        is_good =
            read_hashes(f, "insecure_allow_roots", TF_INSECURE_ROOTS_MAX, TF_ROOT_SIZE,
                        out->insecure_roots[0], &out->insecure_root_count) &&
            is_good;
    }
    return is_good;
}

/* --- enclaves ----------------------------------------------------------------------- */

static bool read_rtmrs(struct tf_json_fields *f, struct tf_policy *out)
{
    static const char *const keys[TF_RTMRS] = {"rtmr0", "rtmr1", "rtmr2", "rtmr3"};
    bool is_good = true;

    for (size_t i = 0; i < TF_RTMRS; i++) {
        if (tf_json_has(f, keys[i])) {
            is_good = read_hashes(f, keys[i], TF_RTMRS_MAX, 48, out->rtmrs[i][0],
                                  &out->rtmr_counts[i]) &&
                      is_good;
        }
    }
    return is_good;
}

static bool read_enclave_fields(struct tf_json_fields *f, struct tf_policy *out)
{
    bool is_good = true;

    if (tf_json_has(f, "measurements")) {
        is_good = read_hashes(f, "measurements", TF_MEASUREMENTS_MAX, 32,
                              out->measurements[0], &out->measurement_count);
    }
    if (tf_json_has(f, "guests")) {
        is_good = read_hashes(f, "guests", TF_MEASUREMENTS_MAX, 48, out->guests[0],
                              &out->guest_count) &&
                  is_good;
    }
    is_good = read_rtmrs(f, out) && is_good;
    if (tf_json_has(f, "signer")) {
        out->has_signer = true;
        tf_json_hex(f, "signer", out->signer, sizeof(out->signer));
        out->product = (uint16_t)tf_json_integer(f, "product", 0, UINT16_MAX);
        out->min_svn = (uint16_t)tf_json_integer(f, "min_svn", 1, UINT16_MAX);
    }
    out->has_attributes = tf_json_has(f, "attributes");
    if (out->has_attributes) {
        tf_json_hex(f, "attributes", out->attributes, sizeof(out->attributes));
    }
    out->has_miscselect = tf_json_has(f, "miscselect");
    out->miscselect = (uint32_t)tf_json_integer_or(f, "miscselect", 0, UINT32_MAX, 0);
    return is_good &&
           (out->measurement_count > 0 || out->has_signer || out->guest_count > 0);
}

static bool read_fields(struct tf_json_fields *f, struct tf_policy *out)
{
    bool is_good = read_enclave_fields(f, out);

    tf_json_hex(f, "domain", out->domain, sizeof(out->domain));
    out->allow_sharing = tf_json_boolean_or(f, "sharing", false);
    is_good = read_platform_fields(f, out) && is_good;
    is_good = read_sim_root(f, out) && is_good;
    is_good = read_lambda_fields(f, out) && is_good;
    return read_publishers(f, out) && is_good;
}

tf_err tf_policy_parse(const char *text, size_t size, struct tf_policy *out)
{
    json_t *document = NULL;
    struct tf_json_fields f;
    struct tf_policy policy;

    if (size > TF_POLICY_MAX || tf_json_parse(text, size, &document) != TF_OK) {
        return TF_EPOLICY_FORMAT;
    }
    memset(&policy, 0, sizeof(policy));
    tf_json_fields_init(&f, document);
    bool is_good = read_fields(&f, &policy);
    is_good = tf_json_fields_end(&f) && is_good;
    json_decref(document);
    if (!is_good) {
        return TF_EPOLICY_FORMAT;
    }
    *out = policy;
    return TF_OK;
}
