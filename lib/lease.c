/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/lease.h"

#include <stdbool.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/json.h"
#include "lib/names.h"

static bool has_lambda(const struct tf_lease_statement *lease, const char *name)
{
    for (size_t i = 0; i < lease->lambda_count; i++) {
        if (strcmp(lease->lambdas[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void take_lambdas(struct tf_json_fields *f, struct tf_lease_statement *out)
{
    const json_t *list = tf_json_array(f, "lambdas", 0, TF_NAMED_MAX);

    for (size_t i = 0; i < json_array_size(list); i++) {
        struct tf_lease_lambda *one = &out->lambdas[i];
        struct tf_json_fields of;
        tf_json_fields_init(&of, json_array_get(list, i));
        tf_json_copy(&of, "lambda", one->name, sizeof(one->name));
        one->serial = tf_json_integer(&of, "serial", 1, TF_JSON_INTEGER_MAX);
        one->version_floor =
            tf_json_integer(&of, "version_floor", 0, TF_JSON_INTEGER_MAX);
        f->bad |= !tf_json_fields_end(&of) ||
                  !tf_name_is_valid(one->name, strlen(one->name)) ||
                  has_lambda(out, one->name);
        out->lambda_count = i + 1;
    }
}

static void take_revocations(struct tf_json_fields *f, struct tf_lease_statement *out)
{
    const json_t *list = tf_json_array(f, "revocations", 0, TF_LEASE_SIGNERS_MAX);

    for (size_t i = 0; i < json_array_size(list); i++) {
        struct tf_lease_revocation *one = &out->revocations[i];
        uint8_t keyid[TF_SHA256_SIZE] = {0};
        struct tf_json_fields of;
        tf_json_fields_init(&of, json_array_get(list, i));
        tf_json_hex(&of, "signer", keyid, sizeof(keyid));
        tf_hex_write(keyid, sizeof(keyid), one->signer);
        one->serial = tf_json_integer(&of, "serial", 1, TF_JSON_INTEGER_MAX);
        f->bad |= !tf_json_fields_end(&of);
        out->revocation_count = i + 1;
    }
}

static void take_fields(struct tf_json_fields *f, void *user)
{
    struct tf_lease_statement *out = user;

    tf_json_constant(f, "tfaas", "lease.v1");
    tf_json_hex(f, "instance", out->instance, sizeof(out->instance));
    tf_json_bytes(f, "exporter", out->exporter, sizeof(out->exporter));
    out->time = tf_json_integer(f, "time", 1, TF_TIME_MAX);
    out->until = tf_json_integer(f, "until", out->time, out->time + TF_LEASE_SECONDS_MAX);
    out->requests = tf_json_integer(f, "requests", 0, TF_JSON_INTEGER_MAX);
    take_lambdas(f, out);
    take_revocations(f, out);
}

tf_err tf_lease_parse(const char *text, size_t size, struct tf_lease_statement *out)
{
    struct tf_lease_statement lease = {0};

    if (size > TF_LEASE_MAX) {
        return TF_ELEASE_FORMAT;
    }
    tf_err err = tf_json_read(text, size, take_fields, &lease, TF_ELEASE_FORMAT);
    if (err == TF_OK) {
        *out = lease;
    }
    return err;
}
