/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/dsse.h"

#include <string.h>

#include "lib/bytes.h"
#include "lib/json.h"

enum {
    KEYID_SIZE = 2 * TF_SHA256_SIZE,
    SIGNATURE_MAX = 128,   /* bytes: Ed25519 has 64, ECDSA P-256 at most 72 */
    TYPE_MAX = 128,        /* a payload type */
    PAE_OVERHEAD_MAX = 256 /* "DSSEv1 ", two lengths, spaces, a type */
};

_Static_assert(TYPE_MAX + 2 * 20 + 10 <= PAE_OVERHEAD_MAX, "room for the PAE's head");

struct signature {
    const char *keyid; /* into the document */
    uint8_t bytes[SIGNATURE_MAX];
    size_t size;
};

/* Appends; `*at` becomes larger than `cap` once something did not fit. */
static void append(uint8_t *out, size_t cap, size_t *at, const void *data, size_t size)
{
    if (*at > cap || size > cap - *at) {
        *at = SIZE_MAX;
        return;
    }
    memcpy(out + *at, data, size);
    *at += size;
}

static void append_number(uint8_t *out, size_t cap, size_t *at, size_t value)
{
    char digits[TF_DECIMAL_MAX];
    append(out, cap, at, digits, tf_decimal_write(value, digits));
}

size_t tf_dsse_pae_write(const char *type, const void *payload, size_t payload_size,
                         uint8_t *out, size_t cap)
{
    size_t at = 0;
    append(out, cap, &at, "DSSEv1 ", 7);
    append_number(out, cap, &at, strlen(type));
    append(out, cap, &at, " ", 1);
    append(out, cap, &at, type, strlen(type));
    append(out, cap, &at, " ", 1);
    append_number(out, cap, &at, payload_size);
    append(out, cap, &at, " ", 1);
    append(out, cap, &at, payload, payload_size);
    return at > cap ? 0 : at;
}

static tf_err parse_signature(const json_t *json, struct signature *out)
{
    struct tf_json_fields f;
    tf_json_fields_init(&f, json);
    out->keyid = tf_json_string(&f, "keyid", KEYID_SIZE, KEYID_SIZE);
    out->size = tf_json_base64(&f, "sig", out->bytes, sizeof(out->bytes));
    return tf_json_fields_end(&f) ? TF_OK : TF_EDSSE_FORMAT;
}

/* Looks through all signatures: each must be well formed; one by a key that may sign must
 * verify. */
static tf_err check_signatures(const json_t *signatures, const struct tf_dsse_rule *rule,
                               struct tf_dsse *dsse)
{
    tf_err err = TF_EDSSE_SIGNER;
    for (size_t i = 0; i < json_array_size(signatures); i++) {
        struct signature signature;
        if (parse_signature(json_array_get(signatures, i), &signature)) {
            return TF_EDSSE_FORMAT;
        }
        const struct tf_publisher *by =
            rule->domain == NULL
                ? NULL
                : tf_descriptor_find(rule->domain, signature.keyid, rule->with_attesters);
        if (by == NULL || err == TF_OK) {
            continue;
        }
        err = tf_signature_check(by->spki, by->spki_size, dsse->pae, dsse->pae_size,
                                 signature.bytes, signature.size);
        if (err != TF_OK) {
            err = TF_EDSSE_SIGNATURE;
            continue;
        }
        memcpy(dsse->signer, by->keyid, sizeof(dsse->signer));
    }
    return rule->domain == NULL ? TF_OK : err;
}

/* Decodes the payload into `scratch` and writes the PAE after it. */
static tf_err decode_payload(const char *text, const struct tf_dsse_rule *rule,
                             uint8_t *scratch, struct tf_dsse *dsse)
{
    tf_err err = tf_base64_parse(text, strlen(text), scratch, rule->payload_max,
                                 &dsse->payload_size);
    if (err) {
        return err == TF_ELIMIT ? rule->too_large : TF_EDSSE_FORMAT;
    }
    dsse->payload = scratch;
    dsse->pae = scratch + rule->payload_max;
    dsse->pae_size = tf_dsse_pae_write(rule->type, dsse->payload, dsse->payload_size,
                                       dsse->pae, rule->payload_max + PAE_OVERHEAD_MAX);
    if (dsse->pae_size == 0) {
        return TF_EINTERNAL; /* the rule's type is longer than TYPE_MAX */
    }
    tf_sha256(dsse->pae, dsse->pae_size, dsse->digest);
    return TF_OK;
}

static tf_err open_document(const json_t *document, const struct tf_dsse_rule *rule,
                            uint8_t *scratch, struct tf_dsse *dsse)
{
    struct tf_json_fields f;
    tf_json_fields_init(&f, document);
    const char *type = tf_json_string(&f, "payloadType", 1, TYPE_MAX);
    const char *payload = tf_json_string(&f, "payload", 0, SIZE_MAX);
    const json_t *signatures =
        tf_json_array(&f, "signatures", rule->domain == NULL ? 0 : 1, TF_SIGNATURES_MAX);
    if (!tf_json_fields_end(&f)) {
        return TF_EDSSE_FORMAT;
    }
    if (strcmp(type, rule->type) != 0) {
        return TF_EDSSE_TYPE;
    }
    tf_err err = decode_payload(payload, rule, scratch, dsse);
    if (err) {
        return err;
    }
    return check_signatures(signatures, rule, dsse);
}

/* The code that the rule has for this one. */
static tf_err code_of(tf_err err, const struct tf_dsse_rule *rule)
{
    if (err == TF_OK || err == TF_ENOMEM) {
        return err;
    }
    bool is_signer = err == TF_EDSSE_SIGNER || err == TF_EDSSE_SIGNATURE;
    tf_err code = is_signer ? rule->bad_signer : rule->bad_format;
    return code == TF_OK ? err : code;
}

tf_err tf_dsse_open(const char *text, size_t size, const struct tf_dsse_rule *rule,
                    uint8_t *scratch, struct tf_dsse *out)
{
    json_t *document = NULL;
    tf_err err = tf_json_parse(text, size, &document);
    if (err) {
        return err == TF_ENOMEM ? err : code_of(TF_EDSSE_FORMAT, rule);
    }
    struct tf_dsse dsse = {0};
    err = open_document(document, rule, scratch, &dsse);
    json_decref(document);
    if (err) {
        return code_of(err, rule);
    }
    *out = dsse;
    return TF_OK;
}
