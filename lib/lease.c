/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/lease.h"

#include <stdbool.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/json.h"
#include "lib/names.h"

static const char version_tag[] = "lease.v1";

static bool has_lambda(const struct tf_lease_statement *lease, const char *name)
{
    for (size_t i = 0; i < lease->lambda_count; i++) {
        if (strcmp(lease->lambdas[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool parse_lambdas(const json_t *list, struct tf_lease_statement *out)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct tf_lease_lambda *one = &out->lambdas[i];
        struct tf_json_fields f;
        tf_json_fields_init(&f, json_array_get(list, i));
        tf_json_copy(&f, "lambda", one->name, sizeof(one->name));
        one->serial = tf_json_integer(&f, "serial", 1, TF_JSON_INTEGER_MAX);
        one->version_floor = tf_json_integer(&f, "version_floor", 0, TF_JSON_INTEGER_MAX);
        if (!tf_json_fields_end(&f) || !tf_name_is_valid(one->name, strlen(one->name)) ||
            has_lambda(out, one->name)) {
            return false;
        }
        out->lambda_count = i + 1;
    }
    return true;
}

static bool parse_revocations(const json_t *list, struct tf_lease_statement *out)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct tf_lease_revocation *one = &out->revocations[i];
        uint8_t keyid[TF_SHA256_SIZE] = {0};
        struct tf_json_fields f;
        tf_json_fields_init(&f, json_array_get(list, i));
        tf_json_hex(&f, "signer", keyid, sizeof(keyid));
        tf_hex_write(keyid, sizeof(keyid), one->signer);
        one->serial = tf_json_integer(&f, "serial", 1, TF_JSON_INTEGER_MAX);
        if (!tf_json_fields_end(&f)) {
            return false;
        }
        out->revocation_count = i + 1;
    }
    return true;
}

static bool parse_document(const json_t *document, struct tf_lease_statement *out)
{
    const size_t tag_size = sizeof(version_tag) - 1;
    struct tf_json_fields f;

    tf_json_fields_init(&f, document);
    const char *tag = tf_json_string(&f, "tfaas", tag_size, tag_size);
    tf_json_hex(&f, "instance", out->instance, sizeof(out->instance));
    size_t exporter =
        tf_json_base64(&f, "exporter", out->exporter, sizeof(out->exporter));
    out->time = tf_json_integer(&f, "time", 1, TF_TIME_MAX);
    out->until =
        tf_json_integer(&f, "until", out->time, out->time + TF_LEASE_SECONDS_MAX);
    out->requests = tf_json_integer(&f, "requests", 0, TF_JSON_INTEGER_MAX);
    bool is_good =
        parse_lambdas(tf_json_array(&f, "lambdas", 0, TF_NAMED_MAX), out) &&
        parse_revocations(tf_json_array(&f, "revocations", 0, TF_LEASE_SIGNERS_MAX), out);
    return tf_json_fields_end(&f) && is_good && exporter == sizeof(out->exporter) &&
           memcmp(tag, version_tag, sizeof(version_tag)) == 0;
}

tf_err tf_lease_parse(const char *text, size_t size, struct tf_lease_statement *out)
{
    json_t *document = NULL;
    struct tf_lease_statement lease;

    if (size > TF_LEASE_MAX) {
        return TF_ELEASE_FORMAT;
    }
    tf_err err = tf_json_parse(text, size, &document);
    if (err != TF_OK) {
        return err == TF_ENOMEM ? err : TF_ELEASE_FORMAT;
    }
    memset(&lease, 0, sizeof(lease));
    bool is_good = parse_document(document, &lease);
    json_decref(document);
    if (!is_good) {
        return TF_ELEASE_FORMAT;
    }
    *out = lease;
    return TF_OK;
}
