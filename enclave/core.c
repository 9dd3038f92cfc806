/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/core.h"

#include <stdlib.h>
#include <string.h>

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/ssl.h>

#include "enclave/conn.h"
#include "enclave/emit.h"
#include "enclave/identity.h"
#include "enclave/lease.h"
#include "enclave/local.h"
#include "enclave/processor.h"
#include "enclave/thread.h"
#include "enclave/tls.h"

/* --- a thread's start ------------------------------------------------------------ */

static struct tf_thread *make_thread(struct tf_thread_page *page, tf_hostptr channel)
{
    struct tf_thread *thread = calloc(1, sizeof(*thread));

    if (thread == NULL) {
        return NULL;
    }
    thread->page = page;
    thread->heap = tf_own(page, page->heap);
    thread->instance = tf_instance_self();
    thread->in.ring = tf_host_at(channel, offsetof(struct tf_channel, in));
    thread->out.ring = tf_host_at(channel, offsetof(struct tf_channel, out));
    tf_lanes_init(thread);
    page->state = (uint64_t)(uintptr_t)thread - page->base;
    return thread;
}

static struct tf_thread *thread_of(const struct tf_thread_page *page)
{
    return tf_own(page, page->state);
}

static size_t at_most(uint64_t wish, uint64_t most)
{
    return (size_t)(wish == 0 || wish > most ? most : wish);
}

/* What the host wishes to be kept in memory, as far as that leaves room for the rest. */
static void set_budgets(struct tf_thread *thread, const struct tf_msg_init *init)
{
    const struct tf_thread_page *page = thread->page;
    struct tf_instance *instance = thread->instance;

    thread->view.budget = at_most(init->memory, tf_slot_room(page->heap_size));
    tf_lock_take(&instance->lock);
    instance->shelf.budget = at_most(init->shelf, page->shared_size / 2);
    tf_lock_give(&instance->lock);
}

static tf_err take_init(struct tf_thread *thread, const uint8_t *payload, size_t size)
{
    struct tf_msg_init init;

    if (thread->is_started || size < sizeof(init)) {
        return TF_EHOST;
    }
    memcpy(&init, payload, sizeof(init));
    if (init.descriptor_size != size - sizeof(init) ||
        init.descriptor_size > TF_DESCRIPTOR_MAX) {
        return TF_EHOST;
    }
    static_assert(sizeof(thread->target) == sizeof(init.target_info), "SDM 38.16");
    memcpy(&thread->target, init.target_info, sizeof(thread->target));
    tf_processor_hint(init.insecure_processor);
    tf_err err = tf_instance_start(thread->instance, (const char *)payload + sizeof(init),
                                   init.descriptor_size);
    if (err == TF_OK) {
        err = tf_tls_start(thread);
    }
    thread->is_started = err == TF_OK;
    if (thread->is_started) {
        set_budgets(thread, &init);
        tf_identity_ask(thread);
    }
    return err;
}

/* --- frames ---------------------------------------------------------------------- */

static tf_err take_sent(struct tf_thread *thread, uint64_t id, const uint8_t *payload,
                        size_t size)
{
    uint64_t bytes;

    if (size != sizeof(bytes)) {
        return TF_EHOST;
    }
    memcpy(&bytes, payload, sizeof(bytes));
    return tf_conn_sent(thread, id, bytes);
}

/* Another quoting enclave than at the start, or the first one. The host may name any: a
 * REPORT convinces only whom it is made for. */
static tf_err take_target(struct tf_thread *thread, const uint8_t *payload, size_t size)
{
    if (size != sizeof(thread->target)) {
        return TF_EHOST;
    }
    memcpy(&thread->target, payload, sizeof(thread->target));
    tf_identity_ask(thread);
    return TF_OK;
}

/* One case for each kind that the host may send; anything else ends the enclave. */
static tf_err dispatch(struct tf_thread *thread, const struct tf_frame *frame)
{
    const uint8_t *payload = thread->frame;
    size_t size = frame->size;

    if (!thread->is_started) {
        return frame->type == TF_MSG_INIT ? take_init(thread, payload, size) : TF_EHOST;
    }
    switch (frame->type) {
    case TF_MSG_OPEN:
        return size == 0 ? tf_conn_open(thread, frame->id) : TF_EHOST;
    case TF_MSG_DATA:
        return tf_conn_data(thread, frame->id, payload, size);
    case TF_MSG_CLOSE:
        return size == 0 ? tf_conn_gone(thread, frame->id) : TF_EHOST;
    case TF_MSG_SENT:
        return take_sent(thread, frame->id, payload, size);
    case TF_MSG_BLOB:
        return tf_blob_take(thread, frame->id, payload, size);
    case TF_MSG_QUOTE:
        return frame->id == TF_ID_IDENTITY
                   ? tf_identity_quote(thread, payload, size)
                   : tf_conn_quote(thread, frame->id, payload, size);
    case TF_MSG_TARGET:
        return take_target(thread, payload, size);
    case TF_MSG_STATS:
        return tf_stats_answer(thread, frame->id, payload, size);
    case TF_MSG_DROP:
        tf_blob_drop(thread, frame->id, payload, size);
        return TF_OK;
    default:
        return TF_EHOST;
    }
}

/* Takes frames as long as there is room for what they may cause.
 * @return whether the ring was emptied. */
static bool take_frames(struct tf_thread *thread)
{
    while (thread->err == TF_OK && tf_emit_is_ready(thread)) {
        struct tf_frame frame;
        tf_err err = tf_ring_take(&thread->in, &frame, thread->frame);
        if (err == TF_AGAIN) {
            return true;
        }
        if (err == TF_OK) {
            thread->sched.is_asked = true;
            err = dispatch(thread, &frame);
        }
        if (err != TF_OK && thread->err == TF_OK) {
            thread->err = err;
        }
    }
    return false;
}

static void commit(struct tf_thread *thread)
{
    tf_err err = tf_ring_reader_commit(&thread->in);
    if (err == TF_OK) {
        err = tf_ring_writer_commit(&thread->out);
    }
    if (err != TF_OK && thread->err == TF_OK) {
        thread->err = err;
    }
}

struct tf_core_exit tf_core_enter(struct tf_thread_page *page, tf_hostptr channel,
                                  uint64_t now)
{
    struct tf_thread *thread =
        page->state == 0 ? make_thread(page, channel) : thread_of(page);

    if (thread == NULL) {
        return (struct tf_core_exit){TF_EXIT_DEAD, TF_ENOMEM};
    }
    thread->now = now;
    thread->entries++;
    tf_err err = tf_ring_writer_begin(&thread->out);
    if (err != TF_OK) {
        return (struct tf_core_exit){TF_EXIT_DEAD, err};
    }
    tf_sched_begin(thread);
    tf_lease_note_clock(thread);
    if (thread->wants.count != 0) {
        tf_want_expire(thread);
    }
    if (thread->trial.lane != NULL) {
        tf_trial_expire(thread);
    }
    if (thread->ready_count != 0) {
        tf_conn_run_ready(thread);
    }
    bool is_empty = take_frames(thread);
    tf_view_sync(thread); /* what left the table leaves this thread, asked for or not */
    tf_sched_run(thread);
    commit(thread);
    if (thread->err != TF_OK) {
        return (struct tf_core_exit){TF_EXIT_DEAD, thread->err};
    }
    bool is_done = is_empty && thread->ready_count == 0 && !tf_sched_has_work(thread);
    return (struct tf_core_exit){is_done ? TF_EXIT_IDLE : TF_EXIT_MORE, TF_OK};
}
