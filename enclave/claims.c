/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/claims.h"

#include "enclave/conn.h"
#include "enclave/lambda.h"
#include "enclave/layout.h"
#include "enclave/lease.h"
#include "enclave/revoke.h"
#include "enclave/thread.h"
#include "lib/bytes.h"
#include "lib/json.h"
#include "lib/lvi.h"

enum {
    FIXED_MAX = 4096,
    LAMBDA_MAX = 512 + TF_NAME_MAX + TF_DOMAINS_MAX * (TF_DNS_MAX + 3)
};

static void write_lambda(struct tf_json_writer *w, const struct tf_thread *thread,
                         const struct tf_tenure *tenure)
{
    tf_json_open_object(w, NULL);
    tf_lambda_write(tenure->lambda, w);
    tf_json_put_boolean(w, "granted", tf_tenure_is_granted(thread, tenure));
    tf_json_put_integer(w, "serial", tenure->grant == NULL ? 0 : tenure->grant->serial);
    tf_json_put_integer(w, "leased_until", tf_lease_until(thread, tenure));
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

/* One lambda that is asked for, if there is such a one. */
static void write_named(struct tf_json_writer *w, const struct tf_thread *thread,
                        const char *name)
{
    struct tf_instance *instance = thread->instance;

    tf_lock_take(&instance->lock);
    const struct tf_entry *entry = tf_instance_find(instance, name);
    tf_lock_give(&instance->lock);
    struct tf_tenure tenure = {0};
    if (entry != NULL) {
        tenure = tf_instance_read(instance, entry);
    }
    if (tenure.lambda != NULL) {
        write_lambda(w, thread, &tenure);
    }
    tf_instance_leave(instance, &tenure);
}

/* All of them. @return TF_ELIMIT if they are too many for one text. */
static tf_err write_all(struct tf_json_writer *w, const struct tf_thread *thread)
{
    struct tf_instance *instance = thread->instance;
    struct tf_tenure tenure;
    struct tf_entry *entry = NULL;
    size_t count = 0;

    while ((entry = tf_instance_next(instance, entry, &tenure)) != NULL) {
        if (count < TF_NAMED_MAX) {
            write_lambda(w, thread, &tenure);
        }
        count++;
        tf_instance_leave(instance, &tenure);
    }
    return count > TF_NAMED_MAX ? TF_ELIMIT : TF_OK;
}

static tf_err write_lambdas(struct tf_json_writer *w, const struct tf_thread *thread,
                            const struct tf_claims_names *wanted)
{
    tf_err err = TF_OK;

    tf_json_open_array(w, "lambdas");
    for (size_t i = 0; i < wanted->count; i++) {
        write_named(w, thread, wanted->text[i]);
    }
    if (wanted->count == 0) {
        err = write_all(w, thread);
    }
    tf_json_close_array(w);
    return err;
}

tf_err tf_claims_write(struct tf_conn *conn, const uint8_t nonce[static TF_NONCE_SIZE],
                       const struct tf_claims_names *wanted, struct tf_buffer *out)
{
    struct tf_thread *thread = conn->thread;
    struct tf_instance *instance = thread->instance;
    struct tf_json_writer w;
    size_t lambdas = wanted->count != 0 ? wanted->count : TF_NAMED_MAX;
    size_t cap = FIXED_MAX + tf_base64_size(instance->group_size) + lambdas * LAMBDA_MAX;

    tf_view_sync(thread);
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
    tf_json_put_string(&w, "lvi", tf_lvi_name(tf_layout.lvi));
    tf_json_put_integer(&w, "time",
                        instance->group == NULL ? tf_anchor_said(thread, 0) : 0);
    write_group(&w, thread);
    tf_revoke_write(thread->instance, &w);
    err = write_lambdas(&w, thread, wanted);
    tf_json_close_object(&w);
    return err == TF_OK ? tf_json_take(&w, &out->size) : err;
}
