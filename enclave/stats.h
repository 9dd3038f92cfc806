/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats.h - what a thread counts, for the host's metrics. Counts only: nothing of a
 * request.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct tf_thread;

/** What one invocation used, once it has ended. */
struct tf_invocation {
    bool is_ok;      /* the lambda answered */
    unsigned status; /* of the answer, the lambda's or the platform's */
    uint64_t steps;
    uint64_t peak;      /* the most that its JavaScript heap had, bytes */
    uint64_t bytes_in;  /* request body */
    uint64_t bytes_out; /* the lambda's response body */
};

/** Of one lambda: of an instance, or of one invocation. */
struct tf_lambda_stats {
    uint64_t ok;
    uint64_t failed;
    uint64_t steps;
    uint64_t peak;      /* the highest of them */
    uint64_t bytes_in;  /* request bodies */
    uint64_t bytes_out; /* response bodies */
};

/** Of one thread. */
struct tf_thread_stats {
    uint64_t handshakes;
    uint64_t handshakes_failed;
    uint64_t connections; /* open now */
};

/** Counts an invocation. */
void tf_stats_add(struct tf_lambda_stats *stats, const struct tf_invocation *done);

/** TF_MSG_STATS: payload untrusted; the place from which lambdas are listed, or nothing:
 *  none are. Answers with a RESULT. @return TF_OK or TF_EHOST. */
TF_MUST_USE tf_err tf_stats_answer(struct tf_thread *thread, uint64_t id,
                                   const uint8_t *payload, size_t size);
