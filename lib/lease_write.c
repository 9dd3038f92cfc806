/* SPDX-License-Identifier: Apache-2.0 */
/* lease_write.c - the granter's part of lease.h. */
#include "lib/json.h"
#include "lib/lease.h"

static void write_lambda(struct tf_json_writer *w, const struct tf_lease_lambda *lambda)
{
    tf_json_open_object(w, NULL);
    tf_json_put_string(w, "lambda", lambda->name);
    tf_json_put_integer(w, "serial", lambda->serial);
    tf_json_put_integer(w, "version_floor", lambda->version_floor);
    tf_json_close_object(w);
}

tf_err tf_lease_write(const struct tf_lease_statement *lease, char *out, size_t cap,
                      size_t *size)
{
    struct tf_json_writer w;

    tf_json_writer_init(&w, out, cap);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "tfaas", "lease.v1");
    tf_json_put_hex(&w, "instance", lease->instance, sizeof(lease->instance));
    tf_json_put_base64(&w, "exporter", lease->exporter, sizeof(lease->exporter));
    tf_json_put_integer(&w, "time", lease->time);
    tf_json_put_integer(&w, "until", lease->until);
    tf_json_put_integer(&w, "requests", lease->requests);
    tf_json_open_array(&w, "lambdas");
    for (size_t i = 0; i < lease->lambda_count; i++) {
        write_lambda(&w, &lease->lambdas[i]);
    }
    tf_json_close_array(&w);
    tf_json_open_array(&w, "revocations");
    for (size_t i = 0; i < lease->revocation_count; i++) {
        tf_json_open_object(&w, NULL);
        tf_json_put_string(&w, "signer", lease->revocations[i].signer);
        tf_json_put_integer(&w, "serial", lease->revocations[i].serial);
        tf_json_close_object(&w);
    }
    tf_json_close_array(&w);
    tf_json_close_object(&w);
    return tf_json_take(&w, size);
}
