/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/descriptor.h"

#include <stdbool.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/spki.h"

static tf_err parse_publisher(const char *text, struct tf_publisher *out)
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

static bool has_publisher(const struct tf_descriptor *descriptor, size_t count,
                          const char *keyid)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(descriptor->publishers[i].keyid, keyid) == 0) {
            return true;
        }
    }
    return false;
}

static tf_err parse_publishers(const json_t *array, struct tf_descriptor *out)
{
    out->publisher_count = json_array_size(array);
    for (size_t i = 0; i < out->publisher_count; i++) {
        const char *text = tf_json_string_at(array, i, 1, tf_base64_size(TF_SPKI_MAX));
        if (parse_publisher(text, &out->publishers[i]) ||
            has_publisher(out, i, out->publishers[i].keyid)) {
            return TF_EDOMAIN_FORMAT;
        }
    }
    return TF_OK;
}

static tf_err parse_document(const json_t *document, struct tf_descriptor *out)
{
    struct tf_json_fields f;
    tf_json_fields_init(&f, document);
    const char *kind = tf_json_string(&f, "tfaas", 1, TF_NAME_MAX);
    const char *name = tf_json_string(&f, "name", 1, TF_NAME_MAX);
    const json_t *publishers = tf_json_array(&f, "publishers", 1, TF_PUBLISHERS_MAX);
    if (!tf_json_fields_end(&f) || strcmp(kind, "domain.v1") != 0 ||
        !tf_name_is_valid(name, strlen(name))) {
        return TF_EDOMAIN_FORMAT;
    }
    memcpy(out->name, name, strlen(name) + 1);
    return parse_publishers(publishers, out);
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
