/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/claims.h"

#include "enclave/conn.h"
#include "enclave/layout.h"
#include "enclave/lease.h"
#include "enclave/revoke.h"
#include "enclave/thread.h"
#include "lib/bytes.h"
#include "lib/image.h"
#include "lib/json.h"

enum {
    FIXED_MAX = 4096,
    LAMBDA_MAX = 512 + TF_NAME_MAX + TF_DOMAINS_MAX * (TF_DNS_MAX + 3)
};

static void write_lambda(struct tf_json_writer *w, const struct tf_thread *thread,
                         const struct tf_resident *resident)
{
    const struct tf_lambda *lambda = resident->lambda;

    tf_json_open_object(w, NULL);
    tf_json_put_string(w, "name", lambda->name);
    tf_json_put_integer(w, "version", lambda->version);
    tf_json_put_hex(w, "digest", lambda->digest, sizeof(lambda->digest));
    tf_json_put_string(w, "signer", lambda->signer);
    tf_json_open_array(w, "domains");
    for (size_t i = 0; i < lambda->domains.count; i++) {
        tf_json_put_string(w, NULL, lambda->domains.text[i]);
    }
    tf_json_close_array(w);
    tf_json_put_boolean(w, "granted", tf_resident_is_granted(thread, resident));
    tf_json_put_integer(w, "serial",
                        resident->grant == NULL ? 0 : resident->grant->serial);
    tf_json_put_integer(w, "leased_until", tf_lease_until(thread, resident));
    tf_json_close_object(w);
}

/* Each member has its own time; one domain alone says it once. */
static void write_group(struct tf_json_writer *w, const struct tf_thread *thread)
{
    const struct tf_instance *instance = thread->instance;

    if (instance->group == NULL) {
        return;
    }
    tf_json_put_base64(w, "group", (const uint8_t *)instance->group,
                       instance->group_size);
    tf_json_open_array(w, "times");
    for (size_t i = 0; i < instance->domain.member_count; i++) {
        tf_json_put_integer(w, NULL, tf_anchor_said(thread, i));
    }
    tf_json_close_array(w);
}

tf_err tf_claims_write(struct tf_conn *conn, const uint8_t nonce[static TF_NONCE_SIZE],
                       struct tf_buffer *out)
{
    struct tf_thread *thread = conn->thread;
    struct tf_instance *instance = thread->instance;
    struct tf_json_writer w;
    size_t cap = FIXED_MAX + tf_base64_size(instance->group_size);

    tf_view_sync(thread);
    for (size_t i = 0; i < TF_LAMBDAS_MAX; i++) {
        cap += thread->view.residents[i]->lambda != NULL ? (size_t)LAMBDA_MAX : 0;
    }
    tf_err err = tf_buffer_reserve(out, cap);
    if (err != TF_OK) {
        return err;
    }
    tf_json_writer_init(&w, (char *)out->data, out->cap);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "tfaas", "claims.v1");
    tf_json_put_base64(&w, "nonce", nonce, TF_NONCE_SIZE);
    tf_json_put_base64(&w, "exporter", conn->exporter, sizeof(conn->exporter));
    tf_json_put_hex(&w, "spki", instance->identity.spki_sha256, TF_SHA256_SIZE);
    tf_json_put_hex(&w, "domain", instance->domain.sha256, TF_SHA256_SIZE);
    tf_json_put_hex(&w, "receipts", instance->receipts.id, TF_SHA256_SIZE);
    tf_json_put_hex(&w, "instance", instance->id, sizeof(instance->id));
    tf_json_put_string(&w, "engine", tf_js_engine());
    tf_json_put_string(&w, "lvi", tf_image_lvi(&tf_layout));
    tf_json_put_integer(&w, "time",
                        instance->group == NULL ? tf_anchor_said(thread, 0) : 0);
    write_group(&w, thread);
    tf_revoke_write(thread->instance, &w);
    tf_json_open_array(&w, "lambdas");
    for (size_t i = 0; i < TF_LAMBDAS_MAX; i++) {
        if (thread->view.residents[i]->lambda != NULL) {
            write_lambda(&w, thread, thread->view.residents[i]);
        }
    }
    tf_json_close_array(&w);
    tf_json_close_object(&w);
    return tf_json_take(&w, &out->size);
}
