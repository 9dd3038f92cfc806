/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/stats.h"

#include <stdlib.h>
#include <string.h>

#include "enclave/emit.h"
#include "enclave/thread.h"
#include "lib/json.h"

/* A lambda at its longest is below 320 bytes. */
enum { PAGE = 96, STATS_MAX = 32 << 10 };

void tf_stats_add(struct tf_lambda_stats *stats, const struct tf_invocation *done)
{
    stats->ok += done->is_ok;
    stats->failed += !done->is_ok;
    stats->steps += done->steps;
    stats->peak = done->peak > stats->peak ? done->peak : stats->peak;
    stats->bytes_in += done->bytes_in;
    stats->bytes_out += done->bytes_out;
}

void tf_stats_note(struct tf_stats_share shares[static TF_STATS_SHARES], uint64_t index,
                   const struct tf_invocation *done)
{
    struct tf_stats_share *share = &shares[index % TF_STATS_SHARES];

    tf_lock_take(&share->lock);
    tf_stats_add(&share->sum, done);
    tf_lock_give(&share->lock);
}

struct tf_lambda_stats tf_stats_sum(struct tf_stats_share shares[static TF_STATS_SHARES])
{
    struct tf_lambda_stats all = {0};

    for (size_t i = 0; i < TF_STATS_SHARES; i++) {
        tf_lock_take(&shares[i].lock);
        const struct tf_lambda_stats one = shares[i].sum;
        tf_lock_give(&shares[i].lock);
        all.ok += one.ok;
        all.failed += one.failed;
        all.steps += one.steps;
        all.peak = one.peak > all.peak ? one.peak : all.peak;
        all.bytes_in += one.bytes_in;
        all.bytes_out += one.bytes_out;
    }
    return all;
}

static void write_lambda(struct tf_json_writer *w, struct tf_thread *thread,
                         struct tf_entry *entry, const struct tf_tenure *tenure)
{
    const struct tf_lambda_stats stats = tf_stats_sum(entry->usage.shares);

    tf_json_open_object(w, NULL);
    tf_json_put_string(w, "name", entry->name);
    tf_json_put_boolean(w, "granted", tf_tenure_is_granted(thread, tenure));
    tf_json_put_integer(w, "ok", stats.ok);
    tf_json_put_integer(w, "failed", stats.failed);
    tf_json_put_integer(w, "steps", stats.steps);
    tf_json_put_integer(w, "peak", stats.peak);
    tf_json_put_integer(w, "bytes_in", stats.bytes_in);
    tf_json_put_integer(w, "bytes_out", stats.bytes_out);
    tf_json_close_object(w);
}

/* The lambdas of one page. @return the place of the next page; 0: there is none. */
static uint64_t write_page(struct tf_json_writer *w, struct tf_thread *thread,
                           uint64_t from)
{
    struct tf_instance *instance = thread->instance;
    struct tf_tenure tenure;
    struct tf_entry *entry = NULL;
    uint64_t next = 0;
    size_t count = 0;

    while (next == 0 && (entry = tf_instance_next(instance, entry, &tenure)) != NULL) {
        if (entry->index >= from && count == PAGE) {
            next = entry->index;
        } else if (entry->index >= from) {
            write_lambda(w, thread, entry, &tenure);
            count++;
        }
        tf_instance_leave(instance, &tenure);
    }
    return next;
}

static tf_err write_stats(struct tf_thread *thread, const uint64_t *from, char *text,
                          size_t *size)
{
    struct tf_json_writer w;

    tf_view_sync(thread);
    tf_json_writer_init(&w, text, STATS_MAX);
    tf_json_open_object(&w, NULL);
    if (from != NULL) {
        tf_json_open_array(&w, "lambdas");
        uint64_t next = write_page(&w, thread, *from);
        tf_json_close_array(&w);
        tf_json_put_integer(&w, "next", next);
    }
    tf_json_put_integer(&w, "handshakes", thread->stats.handshakes);
    tf_json_put_integer(&w, "handshakes_failed", thread->stats.handshakes_failed);
    tf_json_put_integer(&w, "connections", thread->stats.connections);
    tf_json_put_integer(&w, "held", thread->view.held);
    tf_json_put_integer(&w, "evicted", thread->view.evicted);
    tf_json_close_object(&w);
    return tf_json_take(&w, size);
}

tf_err tf_stats_answer(struct tf_thread *thread, uint64_t id, const uint8_t *payload,
                       size_t size)
{
    uint64_t from = 0;
    size_t text_size = 0;

    if (size != 0 && size != sizeof(from)) {
        return TF_EHOST;
    }
    char *text = malloc(STATS_MAX);
    tf_err err = TF_ENOMEM;
    if (text != NULL) {
        memcpy(&from, payload, size);
        err = write_stats(thread, size == 0 ? NULL : &from, text, &text_size);
    }
    if (err == TF_OK) {
        tf_emit_result(thread, id, TF_OK, text, text_size);
    } else {
        tf_emit_failure(thread, id, err);
    }
    free(text);
    return TF_OK;
}
