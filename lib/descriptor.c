/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/descriptor.h"

#include <string.h>

#include "lib/bytes.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/spki.h"

static tf_err parse_key(const char *text, struct tf_publisher *out)
{
    const uint8_t *key = NULL;
    if (text == NULL || tf_base64_parse(text, strlen(text), out->spki, sizeof(out->spki),
                                        &out->spki_size)) {
        return TF_EDOMAIN_FORMAT;
    }
    if (tf_spki_parse(out->spki, out->spki_size, &key) == TF_SPKI_OTHER) {
        return TF_EDOMAIN_FORMAT;
    }
    uint8_t digest[TF_SHA256_SIZE];
    tf_sha256(out->spki, out->spki_size, digest);
    tf_hex_write(digest, sizeof(digest), out->keyid);
    return TF_OK;
}

static const struct tf_publisher *find(const struct tf_publisher *keys, size_t count,
                                       const char *keyid)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i].keyid, keyid) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

const struct tf_publisher *tf_descriptor_find(const struct tf_descriptor *domain,
                                              const char *keyid, bool with_attesters)
{
    const struct tf_publisher *key =
        find(domain->publishers, domain->publisher_count, keyid);
    return key != NULL || !with_attesters
               ? key
               : find(domain->attesters, domain->attester_count, keyid);
}

/* Appends the keys of an array; one key has one role, once. */
static tf_err parse_keys(const json_t *array, struct tf_descriptor *domain,
                         struct tf_publisher *keys, size_t *count)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *text = tf_json_string_at(array, i, 1, tf_base64_size(TF_SPKI_MAX));
        if (parse_key(text, &keys[i]) ||
            tf_descriptor_find(domain, keys[i].keyid, true) != NULL) {
            return TF_EDOMAIN_FORMAT;
        }
        *count = i + 1;
    }
    return TF_OK;
}

static tf_err parse_document(const json_t *document, struct tf_descriptor *out)
{
    struct tf_json_fields f;
    const json_t *attesters = NULL;
    tf_json_fields_init(&f, document);
    const char *kind = tf_json_string(&f, "tfaas", 1, TF_NAME_MAX);
    const char *name = tf_json_string(&f, "name", 1, TF_NAME_MAX);
    const json_t *publishers = tf_json_array(&f, "publishers", 1, TF_PUBLISHERS_MAX);
    if (tf_json_has(&f, "attesters")) {
        attesters = tf_json_array(&f, "attesters", 0, TF_ATTESTERS_MAX);
    }
    if (tf_json_has(&f, "sharing")) {
        const char *sharing = tf_json_string(&f, "sharing", 1, TF_NAME_MAX);
        out->is_shared = sharing != NULL && strcmp(sharing, "shared") == 0;
        f.bad |= !out->is_shared;
    }
    if (!tf_json_fields_end(&f) || strcmp(kind, "domain.v1") != 0 ||
        !tf_name_is_valid(name, strlen(name))) {
        return TF_EDOMAIN_FORMAT;
    }
    memcpy(out->name, name, strlen(name) + 1);
    tf_err err = parse_keys(publishers, out, out->publishers, &out->publisher_count);
    return err != TF_OK
               ? err
               : parse_keys(attesters, out, out->attesters, &out->attester_count);
}

tf_err tf_descriptor_parse(const char *text, size_t size, struct tf_descriptor *out)
{
    json_t *document = NULL;
    if (size > TF_DESCRIPTOR_MAX || tf_json_parse(text, size, &document)) {
        return TF_EDOMAIN_FORMAT;
    }
    struct tf_descriptor descriptor = {0};
    tf_err err = parse_document(document, &descriptor);
    json_decref(document);
    if (err) {
        return err;
    }
    tf_sha256(text, size, descriptor.sha256);
    *out = descriptor;
    return TF_OK;
}
