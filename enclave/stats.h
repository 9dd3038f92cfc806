/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats.h - what a thread counts, for the host's metrics. Counts only: nothing of a
 * request.
 */
#pragma once

#include <stdint.h>

struct tf_thread;

/** Of one lambda on one thread. */
struct tf_lambda_stats {
    uint64_t ok;
    uint64_t failed;
    uint64_t steps;
    uint64_t bytes_in;  /* request bodies */
    uint64_t bytes_out; /* response bodies */
};

/** Of one thread. */
struct tf_thread_stats {
    uint64_t handshakes;
    uint64_t handshakes_failed;
    uint64_t connections; /* open now */
};

/** Answers TF_MSG_STATS: a RESULT for `id`. */
void tf_stats_answer(struct tf_thread *thread, uint64_t id);
