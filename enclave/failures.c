/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/failures.h"

#include <string.h>

#include "enclave/conn.h"
#include "enclave/thread.h"
#include "lib/bytes.h"
#include "lib/dsse.h"
#include "lib/json.h"

enum { QUESTION_MAX = 256 };

struct failure {
    const struct tf_entry *entry; /* of the lambda; NULL: forgotten */
    uint64_t id;
    uint64_t time; /* the enclave's, seconds since 1970 */
    uint64_t version;
    tf_err err;
    char message[sizeof(((struct tf_js_report *)0)->message)];
};

struct tf_failures {
    uint64_t count; /* so far; the next one's place, modulo the number of places */
    struct failure last[TF_FAILURES_KEPT];
};

/* Hold the lock. */
static struct failure *next_place(struct tf_instance *instance)
{
    struct tf_failures *all = instance->failures;

    if (all == NULL) {
        all = instance->failures = tf_shared_alloc(sizeof(*all));
        if (all == NULL) {
            return NULL;
        }
        memset(all, 0, sizeof(*all));
    }
    return &all->last[all->count++ % TF_FAILURES_KEPT];
}

void tf_failures_note(struct tf_thread *thread, const struct tf_lambda *lambda,
                      uint64_t id, tf_err err, const char *message)
{
    struct tf_instance *instance = thread->instance;
    uint64_t time = tf_anchor_now(thread, lambda->member);

    tf_lock_take(&instance->lock);
    bool is_current = lambda->entry->lambda == lambda;
    struct failure *failure = is_current ? next_place(instance) : NULL;
    if (failure != NULL) {
        failure->entry = lambda->entry;
        failure->id = id;
        failure->time = time;
        failure->version = lambda->version;
        failure->err = err;
        memcpy(failure->message, message, strlen(message) + 1);
        tf_plain(failure->message);
    }
    tf_lock_give(&instance->lock);
}

void tf_failures_forget(struct tf_instance *instance, const struct tf_entry *entry)
{
    struct tf_failures *all = instance->failures;

    for (size_t i = 0; all != NULL && i < TF_FAILURES_KEPT; i++) {
        if (all->last[i].entry == entry) {
            tf_wipe(&all->last[i], sizeof(all->last[i]));
        }
    }
}

/* --- questions ------------------------------------------------------------------- */

struct question {
    char lambda[TF_NAME_MAX + 1];
    uint8_t exporter[TF_SHA256_SIZE];
};

static void take_question(struct tf_json_fields *f, void *user)
{
    struct question *out = user;

    tf_json_constant(f, "tfaas", "failures.v1");
    tf_json_copy(f, "lambda", out->lambda, sizeof(out->lambda));
    tf_json_bytes(f, "exporter", out->exporter, sizeof(out->exporter));
}

static void put_failure(struct tf_json_writer *w, const struct failure *failure)
{
    const uint64_t id = __builtin_bswap64(failure->id); /* reads as the number does */

    tf_json_open_object(w, NULL);
    tf_json_put_hex(w, "id", &id, sizeof(id));
    tf_json_put_integer(w, "time", failure->time);
    tf_json_put_integer(w, "version", failure->version);
    tf_json_put_string(w, "error", tf_err_name(failure->err));
    tf_json_put_string(w, "message", failure->message);
    tf_json_close_object(w);
}

/* Hold the lock. */
static void put_failures(struct tf_json_writer *w, const struct tf_failures *all,
                         const struct tf_entry *entry)
{
    size_t told = 0;

    for (uint64_t i = 1; all != NULL && i <= all->count && i <= TF_FAILURES_KEPT; i++) {
        const struct failure *failure = &all->last[(all->count - i) % TF_FAILURES_KEPT];
        if (failure->entry == entry && told < TF_FAILURES_TOLD) {
            put_failure(w, failure);
            told++;
        }
    }
}

/* Hold the lock. */
static tf_err tell(struct tf_instance *instance, const char *lambda, const char *signer,
                   struct tf_json_writer *w)
{
    const struct tf_entry *entry = tf_instance_known(instance, lambda);

    if (tf_revocations_have_signer(&instance->revocations, signer)) {
        return TF_EREVOKED;
    }
    if (entry == NULL ||
        entry->member != tf_descriptor_member(&instance->domain, signer)) {
        return TF_ENOTFOUND;
    }
    put_failures(w, instance->failures, entry);
    return TF_OK;
}

tf_err tf_failures_answer(struct tf_conn *conn, struct tf_str body,
                          struct tf_json_writer *answer)
{
    struct tf_instance *instance = conn->thread->instance;
    const struct tf_dsse_rule rule = {.type = TF_DSSE_FAILURES,
                                      .payload_max = QUESTION_MAX,
                                      .too_large = TF_ELIMIT,
                                      .domain = &instance->domain};
    uint8_t scratch[2 * QUESTION_MAX + 256];
    struct question question;
    struct tf_dsse dsse;

    tf_err err = tf_dsse_open(body.data, body.size, &rule, scratch, &dsse);
    if (err == TF_OK) {
        err = tf_json_read((const char *)dsse.payload, dsse.payload_size, take_question,
                           &question, TF_EFORMAT);
    }
    if (err != TF_OK) {
        return err;
    }
    if (!tf_crypto_equal(question.exporter, conn->exporter, sizeof(question.exporter))) {
        return TF_EGRANT_CHANNEL;
    }
    tf_json_open_object(answer, NULL);
    tf_json_open_array(answer, "failures");
    tf_lock_take(&instance->lock);
    err = tell(instance, question.lambda, dsse.signer, answer);
    tf_lock_give(&instance->lock);
    tf_json_close_array(answer);
    tf_json_close_object(answer);
    return err;
}
