/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/stats.h"

#include <stdlib.h>

#include "enclave/emit.h"
#include "enclave/thread.h"
#include "lib/json.h"

enum { STATS_MAX = 32 << 10 }; /* 64 lambdas at their longest are below 20 KiB */

void tf_stats_add(struct tf_lambda_stats *stats, const struct tf_invocation *done)
{
    stats->ok += done->is_ok;
    stats->failed += !done->is_ok;
    stats->steps += done->steps;
    stats->peak = done->peak > stats->peak ? done->peak : stats->peak;
    stats->bytes_in += done->bytes_in;
    stats->bytes_out += done->bytes_out;
}

static void write_lambda(struct tf_json_writer *w, const struct tf_thread *thread,
                         const struct tf_resident *resident)
{
    tf_json_open_object(w, NULL);
    tf_json_put_string(w, "name", resident->lambda->name);
    tf_json_put_boolean(w, "granted", tf_resident_is_granted(thread, resident));
    tf_json_put_integer(w, "ok", resident->stats.ok);
    tf_json_put_integer(w, "failed", resident->stats.failed);
    tf_json_put_integer(w, "steps", resident->stats.steps);
    tf_json_put_integer(w, "peak", resident->stats.peak);
    tf_json_put_integer(w, "bytes_in", resident->stats.bytes_in);
    tf_json_put_integer(w, "bytes_out", resident->stats.bytes_out);
    tf_json_close_object(w);
}

void tf_stats_answer(struct tf_thread *thread, uint64_t id)
{
    char *text = malloc(STATS_MAX);
    struct tf_json_writer w;
    size_t size = 0;

    if (text == NULL) {
        tf_emit_failure(thread, id, TF_ENOMEM);
        return;
    }
    tf_view_sync(thread);
    tf_json_writer_init(&w, text, STATS_MAX);
    tf_json_open_object(&w, NULL);
    tf_json_open_array(&w, "lambdas");
    for (size_t i = 0; i < TF_LAMBDAS_MAX; i++) {
        if (thread->view.residents[i]->lambda != NULL) {
            write_lambda(&w, thread, thread->view.residents[i]);
        }
    }
    tf_json_close_array(&w);
    tf_json_put_integer(&w, "handshakes", thread->stats.handshakes);
    tf_json_put_integer(&w, "handshakes_failed", thread->stats.handshakes_failed);
    tf_json_put_integer(&w, "connections", thread->stats.connections);
    tf_json_close_object(&w);
    tf_err err = tf_json_take(&w, &size);
    if (err == TF_OK) {
        tf_emit_result(thread, id, TF_OK, text, size);
    } else {
        tf_emit_failure(thread, id, err);
    }
    free(text);
}
