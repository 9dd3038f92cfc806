/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/want.h"

#include <stdlib.h>
#include <string.h>

#include "enclave/emit.h"
#include "enclave/lambda.h"
#include "enclave/sched.h"
#include "enclave/shelf.h"
#include "enclave/thread.h"
#include "lib/bundle.h"

/* Apart from what tfaasd numbers, and what other threads do. */
static const uint64_t OURS = UINT64_C(1) << 63;
enum { THREAD_SHIFT = 48 };
static const uint64_t PATIENCE_NS = TF_WANT_SECONDS * UINT64_C(1000000000);

static struct tf_want *find(struct tf_wants *wants, uint64_t id)
{
    for (size_t i = 0; i < TF_WANTS_MAX; i++) {
        if (wants->list[i].id == id) {
            return &wants->list[i];
        }
    }
    return NULL;
}

bool tf_want_is_open(struct tf_thread *thread, uint64_t id)
{
    return id != 0 && find(&thread->wants, id) != NULL;
}

static void hold_lambda(struct tf_thread *thread, struct tf_lambda *lambda)
{
    tf_lock_take(&thread->instance->lock);
    lambda->refs++;
    tf_lock_give(&thread->instance->lock);
}

tf_err tf_want_ask(struct tf_thread *thread, struct tf_resident *resident, size_t max)
{
    struct tf_wants *wants = &thread->wants;
    struct tf_lambda *lambda = resident->now.lambda;
    uint64_t id = OURS + (thread->page->index << THREAD_SHIFT) + wants->last + 1;

    if (resident->is_wanted) {
        return TF_AGAIN;
    }
    struct tf_want *place = find(wants, 0);
    if (place == NULL || wants->count >= max ||
        !tf_emit_frame(thread, TF_MSG_WANT, id,
                       tf_part(lambda->digest, sizeof(lambda->digest)),
                       tf_part(NULL, 0))) {
        return TF_EBUSY;
    }
    *place = (struct tf_want){id, lambda, thread->now};
    hold_lambda(thread, lambda);
    wants->last++;
    wants->count++;
    resident->is_wanted = true;
    return TF_AGAIN;
}

/* What of the thread waits for it; NULL: nothing any more. */
static struct tf_resident *waiting_for(const struct tf_thread *thread,
                                       const struct tf_lambda *lambda)
{
    struct tf_resident *resident = tf_view_have(thread, lambda->entry);

    return resident != NULL && resident->now.lambda == lambda ? resident : NULL;
}

/* The wait is over. Those who wait are refused, unless all is well. */
static void end(struct tf_thread *thread, struct tf_want *want, tf_err err)
{
    struct tf_resident *resident = waiting_for(thread, want->lambda);

    if (resident != NULL) {
        resident->is_wanted = false;
        resident->want = want->id;
        err = err == TF_OK ? tf_resident_open(thread, resident) : err;
        if (err == TF_OK) {
            (void)tf_sched_warm(thread, resident);
        } else {
            tf_sched_refuse(thread, resident, err);
        }
    }
    tf_lock_take(&thread->instance->lock);
    tf_lambda_release(want->lambda);
    tf_lock_give(&thread->instance->lock);
    *want = (struct tf_want){0};
    thread->wants.count--;
}

/* Puts the bytes on the shelf, and the bundle, which it takes, with the resident that
 * waits for it. */
static void keep(struct tf_thread *thread, struct tf_lambda *lambda, uint8_t *bytes,
                 size_t size, struct tf_bundle *bundle)
{
    struct tf_instance *instance = thread->instance;
    struct tf_resident *resident = waiting_for(thread, lambda);

    tf_lock_take(&instance->lock);
    /* Another thread may have it by now, and then its bytes are the ones that stay. */
    bool is_ours = lambda->bytes == NULL && resident != NULL && resident->bundle == NULL;
    tf_shelf_put(&instance->shelf, lambda, bytes, size);
    /* Taken at once: on the shelf they are any thread's to drop, and `bundle` points into
     * just these. */
    is_ours = is_ours && tf_shelf_take(&instance->shelf, lambda);
    tf_lock_give(&instance->lock);
    if (is_ours) {
        (void)!tf_resident_adopt(thread, resident, bundle); /* else it is opened later */
    } else {
        tf_bundle_wipe(bundle);
        free(bundle);
    }
}

static tf_err accept(struct tf_thread *thread, struct tf_lambda *lambda, uint8_t *bytes,
                     size_t size)
{
    struct tf_bundle *bundle = NULL;

    tf_err err = tf_lambda_open(lambda, bytes, size, &bundle);
    if (err == TF_OK) {
        keep(thread, lambda, bytes, size, bundle);
    }
    return err;
}

tf_err tf_want_answer(struct tf_thread *thread, uint64_t id, uint8_t *bytes, size_t size,
                      tf_err err)
{
    struct tf_want *want = id == 0 ? NULL : find(&thread->wants, id);

    if (want == NULL) {
        return TF_ENOTFOUND;
    }
    if (err == TF_OK) {
        err = accept(thread, want->lambda, bytes, size);
    }
    end(thread, want, err);
    return err;
}

void tf_want_expire(struct tf_thread *thread)
{
    struct tf_wants *wants = &thread->wants;

    for (size_t i = 0; i < TF_WANTS_MAX && wants->count != 0; i++) {
        struct tf_want *want = &wants->list[i];
        bool is_late =
            thread->now < want->asked || thread->now - want->asked > PATIENCE_NS;
        if (want->id != 0 && is_late) {
            end(thread, want, TF_EBUNDLE_LATE);
        }
    }
}
