/* SPDX-License-Identifier: Apache-2.0 */
#include "client/grant.h"

#include <stdlib.h>
#include <string.h>

#include "abi/limits.h"
#include "client/report.h"
#include "lib/dsse.h"
#include "lib/json.h"

enum { CSR_REQUEST_MAX = 4096 };

static void put_names(struct tf_json_writer *w, const char *const *names, size_t count)
{
    tf_json_open_array(w, "names");
    for (size_t i = 0; i < count; i++) {
        tf_json_put_string(w, NULL, names[i]);
    }
    tf_json_close_array(w);
}

tf_err tf_grant_ask_csr(struct tf_channel_client *channel, const char *lambda,
                        const char *const *names, size_t name_count, char **csr)
{
    char body[CSR_REQUEST_MAX];
    struct tf_json_writer w;
    size_t size = 0;
    json_t *answer = NULL;

    tf_json_writer_init(&w, body, sizeof(body));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "lambda", lambda);
    put_names(&w, names, name_count);
    tf_json_close_object(&w);
    tf_err err = tf_json_take(&w, &size);
    if (err == TF_OK) {
        err = tf_channel_post(channel, "/v1/csr", body, size, &answer);
    }
    if (err != TF_OK) {
        return err;
    }
    const char *text = json_string_value(json_object_get(answer, "csr"));
    char *copy = strdup(text == NULL ? "" : text);
    json_decref(answer);
    if (copy == NULL) {
        return TF_ENOMEM;
    }
    *csr = copy;
    return TF_OK;
}

static tf_err write_statement(const struct tf_grant_order *o, const uint8_t *exporter,
                              char *out, size_t cap, size_t *size)
{
    struct tf_json_writer w;

    tf_json_writer_init(&w, out, cap);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "tfaas", "grant.v1");
    tf_json_put_string(&w, "lambda", o->lambda);
    put_names(&w, o->names, o->name_count);
    tf_json_put_string(&w, "digest", o->digest);
    tf_json_put_integer(&w, "version_floor", o->version_floor);
    tf_json_put_integer(&w, "not_before", o->not_before);
    tf_json_put_integer(&w, "not_after", o->not_after);
    tf_json_put_base64(&w, "exporter", exporter, TF_EXPORTER_SIZE);
    tf_json_put_text(&w, "chain", o->chain, o->chain_size);
    tf_json_put_text(&w, "key", o->key, o->key_size);
    tf_json_put_integer(&w, "serial", o->serial);
    tf_json_put_integer(&w, "time", o->time);
    tf_json_put_boolean(&w, "lease", o->is_leased);
    tf_json_open_object(&w, "secrets");
    for (size_t i = 0; i < o->secret_count; i++) {
        tf_json_put_string(&w, o->secrets[i].name, o->secrets[i].value);
    }
    tf_json_close_object(&w);
    tf_json_close_object(&w);
    return tf_json_take(&w, size);
}

tf_err tf_grant_send(struct tf_channel_client *channel, EVP_PKEY *signer,
                     const struct tf_grant_order *order)
{
    char statement[TF_GRANT_MAX];
    size_t size = 0;
    tf_err err = write_statement(order, tf_channel_exporter(channel), statement,
                                 sizeof(statement), &size);

    if (err != TF_OK) {
        (void)tf_report(err, "chain, key and secrets are too large for a grant");
    } else {
        err = tf_channel_post_signed(channel, "/v1/grant", signer, TF_DSSE_GRANT,
                                     statement, size);
    }
    tf_wipe(statement, sizeof(statement));
    return err;
}
