/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/blob.h"

#include <stdlib.h>
#include <string.h>

#include "enclave/emit.h"
#include "enclave/grant.h"
#include "enclave/lambda.h"
#include "enclave/revoke.h"
#include "enclave/seal.h"
#include "enclave/shelf.h"
#include "enclave/thread.h"
#include "enclave/want.h"
#include "lib/json.h"
#include "lib/names.h"

enum { ANSWER_MAX = 8 << 10 };

static uint64_t max_of(uint32_t kind)
{
    switch (kind) {
    case TF_BLOB_BUNDLE:
    case TF_BLOB_WANTED:
        return TF_BUNDLE_MAX;
    case TF_BLOB_ENVELOPE:
        return TF_ENVELOPE_MAX;
    case TF_BLOB_GRANT:
        return TF_GRANT_MAX + TF_SEAL_OVERHEAD;
    default:
        return TF_REVOCATIONS_ENVELOPE_MAX;
    }
}

static uint8_t *alloc(struct tf_thread *thread, size_t size)
{
    tf_lock_take(&thread->instance->lock);
    uint8_t *block = tf_shelf_alloc(&thread->instance->shelf, size);
    tf_lock_give(&thread->instance->lock);
    return block;
}

static void release(struct tf_thread *thread, uint8_t *block)
{
    tf_lock_take(&thread->instance->lock);
    tf_shared_free(block);
    tf_lock_give(&thread->instance->lock);
}

/* Of a whole bundle, or of an envelope alone. */
static tf_err check_bundle(const struct tf_thread *thread, uint8_t *scratch,
                           struct tf_bundle *out)
{
    const struct tf_transfer *transfer = &thread->transfer;
    const struct tf_descriptor *domain = &thread->instance->domain;
    size_t size = (size_t)transfer->total;

    return transfer->kind == TF_BLOB_BUNDLE
               ? tf_bundle_check(transfer->bytes, size, domain, tf_js_engine(), scratch,
                                 out)
               : tf_bundle_introduce((const char *)transfer->bytes, size, domain,
                                     tf_js_engine(), scratch, out);
}

static void release_lambda(struct tf_thread *thread, struct tf_lambda *lambda)
{
    tf_lock_take(&thread->instance->lock);
    tf_lambda_release(lambda);
    tf_lock_give(&thread->instance->lock);
}

/* Puts what an envelope introduces in the table, and tries a whole bundle, which may take
 * a while: TF_AGAIN. */
static tf_err finish_bundle(struct tf_thread *thread, struct tf_json_writer *answer)
{
    uint8_t *scratch = malloc(tf_bundle_scratch((size_t)thread->transfer.total));
    struct tf_bundle *bundle = calloc(1, sizeof(*bundle));
    struct tf_lambda *lambda = NULL;
    tf_err err = TF_ENOMEM;

    if (scratch == NULL || bundle == NULL) {
        goto out;
    }
    err = check_bundle(thread, scratch, bundle);
    if (err != TF_OK) {
        goto out;
    }
    err = tf_lambda_make(thread->instance, bundle, &lambda);
    if (err == TF_OK && thread->transfer.kind == TF_BLOB_BUNDLE) {
        err = tf_trial_begin(thread, lambda, bundle);
        bundle = NULL;
    } else if (err == TF_OK) {
        tf_lambda_describe(lambda, answer);
        err = tf_lambda_put(thread->instance, lambda);
    }
out:
    if (bundle != NULL) {
        tf_bundle_wipe(bundle);
    }
    free(bundle);
    free(scratch);
    release_lambda(thread, lambda);
    return err;
}

/* What was asked for: whoever waits for it goes on. */
static tf_err finish_wanted(struct tf_thread *thread, struct tf_json_writer *answer)
{
    struct tf_transfer *transfer = &thread->transfer;
    tf_err err = tf_want_answer(thread, transfer->id, transfer->bytes,
                                (size_t)transfer->total, TF_OK);

    if (err == TF_OK) {
        transfer->bytes = NULL;
        tf_json_open_object(answer, NULL);
        tf_json_close_object(answer);
    }
    return err;
}

static tf_err finish_grant(struct tf_thread *thread, struct tf_json_writer *answer)
{
    struct tf_grant_draft *draft = malloc(sizeof(*draft));

    if (draft == NULL) {
        return TF_ENOMEM;
    }
    tf_err err = tf_grant_unseal(thread, thread->transfer.bytes,
                                 (size_t)thread->transfer.total, draft);
    if (err == TF_OK) {
        tf_emit_event(thread, TF_EVENT_GRANTED, TF_OK, 0, draft->grant.lambda);
        tf_grant_answer_write(&draft->grant, answer);
    }
    tf_wipe(draft, sizeof(*draft));
    free(draft);
    return err;
}

static tf_err finish_revocations(struct tf_thread *thread, struct tf_json_writer *answer)
{
    const struct tf_str list = {(const char *)thread->transfer.bytes,
                                (size_t)thread->transfer.total};
    bool is_new = false; /* the host's store had it */

    return tf_revoke_take(thread->instance, list, answer, &is_new);
}

static tf_err finish_kind(struct tf_thread *thread, struct tf_json_writer *answer)
{
    switch (thread->transfer.kind) {
    case TF_BLOB_BUNDLE:
    case TF_BLOB_ENVELOPE:
        return finish_bundle(thread, answer);
    case TF_BLOB_WANTED:
        return finish_wanted(thread, answer);
    case TF_BLOB_GRANT:
        return finish_grant(thread, answer);
    default:
        return finish_revocations(thread, answer);
    }
}

static void finish(struct tf_thread *thread)
{
    struct tf_transfer *transfer = &thread->transfer;
    char *answer = malloc(ANSWER_MAX);
    struct tf_json_writer w;
    size_t size = 0;
    tf_err err = transfer->err;

    if (err == TF_OK && answer == NULL) {
        err = TF_ENOMEM;
    }
    if (err == TF_OK) {
        tf_json_writer_init(&w, answer, ANSWER_MAX);
        err = finish_kind(thread, &w);
    } else if (transfer->kind == TF_BLOB_WANTED) {
        (void)!tf_want_answer(thread, transfer->id, NULL, 0, err);
    }
    if (err == TF_OK) {
        err = tf_json_take(&w, &size);
    }
    if (err == TF_OK) {
        tf_emit_result(thread, transfer->id, TF_OK, answer, size);
    } else if (err != TF_AGAIN) {
        tf_emit_failure(thread, transfer->id, err);
    }
    free(answer);
    release(thread, transfer->bytes);
    *transfer = (struct tf_transfer){0};
}

/* Too large, or no memory: the chunks are counted and dropped, and the RESULT says why.
 */
static void begin(struct tf_thread *thread, uint64_t id, const struct tf_msg_blob *blob)
{
    struct tf_transfer *transfer = &thread->transfer;

    *transfer = (struct tf_transfer){.id = id, .total = blob->total, .kind = blob->kind};
    if (blob->kind == TF_BLOB_WANTED && !tf_want_is_open(thread, id)) {
        transfer->err = TF_ENOTFOUND; /* too late, or nobody asked */
        return;
    }
    if (blob->total > max_of(blob->kind)) {
        transfer->err = TF_ELIMIT;
        return;
    }
    transfer->bytes = alloc(thread, (size_t)blob->total);
    if (transfer->bytes == NULL) {
        transfer->err = TF_ENOMEM;
    }
}

/* An empty blob: the answer that there is none, or a mistake. */
static tf_err take_nothing(struct tf_thread *thread, uint64_t id,
                           const struct tf_msg_blob *blob)
{
    return blob->kind == TF_BLOB_WANTED
               ? tf_want_answer(thread, id, NULL, 0, TF_EBUNDLE_GONE)
               : TF_EFORMAT;
}

tf_err tf_blob_take(struct tf_thread *thread, uint64_t id, const uint8_t *payload,
                    size_t size)
{
    struct tf_transfer *transfer = &thread->transfer;
    struct tf_msg_blob blob;

    if (size < sizeof(blob)) {
        return TF_EHOST;
    }
    memcpy(&blob, payload, sizeof(blob));
    size -= sizeof(blob);
    if (blob.kind < TF_BLOB_BUNDLE || blob.kind > TF_BLOB_WANTED) {
        return TF_EHOST;
    }
    bool is_alone = transfer->total == 0 || blob.kind == TF_BLOB_WANTED;
    if (blob.total == 0 && size == 0 && is_alone) {
        tf_emit_failure(thread, id, take_nothing(thread, id, &blob));
        return TF_OK;
    }
    if (size == 0) {
        return TF_EHOST;
    }
    if (transfer->total == 0 && blob.offset == 0) {
        begin(thread, id, &blob);
    }
    if (id != transfer->id || blob.kind != transfer->kind ||
        blob.total != transfer->total || blob.offset != transfer->at ||
        size > transfer->total - transfer->at) {
        return TF_EHOST;
    }
    if (transfer->bytes != NULL) {
        memcpy(transfer->bytes + transfer->at, payload + sizeof(blob), size);
    }
    transfer->at += size;
    if (transfer->at == transfer->total) {
        finish(thread);
    }
    return TF_OK;
}

void tf_blob_drop(struct tf_thread *thread, uint64_t id, const uint8_t *payload,
                  size_t size)
{
    char name[TF_NAME_MAX + 1];
    char answer[TF_NAME_MAX + 32];
    tf_err err = TF_EFORMAT;

    if (tf_name_is_valid((const char *)payload, size)) {
        memcpy(name, payload, size);
        name[size] = '\0';
        err = tf_lambda_drop(thread->instance, name);
    }
    if (err == TF_OK) {
        size = tf_json_field("removed", name, size, answer, sizeof(answer));
        tf_emit_result(thread, id, TF_OK, answer, size);
    } else {
        tf_emit_failure(thread, id, err);
    }
}
