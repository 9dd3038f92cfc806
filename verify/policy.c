/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/policy.h"

#include <string.h>

#include "lib/bytes.h"
#include "lib/json.h"
#include "lib/spki.h"

static bool read_measurements(struct tf_json_fields *f, struct tf_policy *out)
{
    const json_t *list = tf_json_array(f, "measurements", 1, TF_MEASUREMENTS_MAX);

    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *hex = tf_json_string_at(list, i, 64, 64);
        if (hex == NULL || tf_hex_parse(hex, 64, out->measurements[i], 32) != TF_OK) {
            return false;
        }
        out->measurement_count++;
    }
    return out->measurement_count > 0;
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

static bool read_fields(struct tf_json_fields *f, struct tf_policy *out)
{
    bool is_good = true;

    if (tf_json_has(f, "measurements")) {
        is_good = read_measurements(f, out);
    }
    if (tf_json_has(f, "signer")) {
        out->has_signer = true;
        tf_json_hex(f, "signer", out->signer, sizeof(out->signer));
        out->product = (uint16_t)tf_json_integer(f, "product", 0, UINT16_MAX);
        out->min_svn = (uint16_t)tf_json_integer(f, "min_svn", 1, UINT16_MAX);
    }
    tf_json_hex(f, "domain", out->domain, sizeof(out->domain));
    is_good = read_sim_root(f, out) && is_good;
    return read_publishers(f, out) && is_good &&
           (out->measurement_count > 0 || out->has_signer);
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
