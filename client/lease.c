/* SPDX-License-Identifier: Apache-2.0 */
#include "client/lease.h"

#include "abi/limits.h"
#include "client/report.h"
#include "lib/dsse.h"
#include "lib/json.h"

static tf_err write_statement(const struct tf_lease_order *o, const uint8_t *exporter,
                              char *out, size_t cap, size_t *size)
{
    struct tf_json_writer w;

    tf_json_writer_init(&w, out, cap);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "tfaas", "lease.v1");
    tf_json_put_string(&w, "instance", o->instance);
    tf_json_put_base64(&w, "exporter", exporter, TF_EXPORTER_SIZE);
    tf_json_put_integer(&w, "time", o->time);
    tf_json_put_integer(&w, "until", o->until);
    tf_json_put_integer(&w, "requests", o->requests);
    tf_json_open_array(&w, "lambdas");
    for (size_t i = 0; i < o->lambda_count; i++) {
        tf_json_open_object(&w, NULL);
        tf_json_put_string(&w, "lambda", o->lambdas[i].lambda);
        tf_json_put_integer(&w, "serial", o->lambdas[i].serial);
        tf_json_put_integer(&w, "version_floor", o->lambdas[i].version_floor);
        tf_json_close_object(&w);
    }
    tf_json_close_array(&w);
    tf_json_open_array(&w, "revocations");
    for (size_t i = 0; i < o->list_count; i++) {
        tf_json_open_object(&w, NULL);
        tf_json_put_string(&w, "signer", o->lists[i].signer);
        tf_json_put_integer(&w, "serial", o->lists[i].serial);
        tf_json_close_object(&w);
    }
    tf_json_close_array(&w);
    tf_json_close_object(&w);
    return tf_json_take(&w, size);
}

tf_err tf_lease_send(struct tf_channel_client *channel, EVP_PKEY *signer,
                     const struct tf_lease_order *order)
{
    char statement[TF_GRANT_MAX];
    size_t size = 0;
    tf_err err = write_statement(order, tf_channel_exporter(channel), statement,
                                 sizeof(statement), &size);

    if (err != TF_OK) {
        (void)tf_report(err, "too many lambdas for a lease");
        return err;
    }
    return tf_channel_post_signed(channel, "/v1/lease", signer, TF_DSSE_LEASE, statement,
                                  size);
}
