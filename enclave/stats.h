/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats.h - what a thread counts, for the host's metrics. Counts only: nothing of a
 * request.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enclave/shared.h"
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

/** What one thread's invocations of a lambda have used. Other threads write what lies
 *  beside it, and a line of a cache that two cores write goes to and fro. */
struct tf_stats_share {
    struct tf_lock lock; /* taken by others only to add up; no other is under it */
    uint32_t spare;
    struct tf_lambda_stats sum;
    uint8_t apart[72];
};

static_assert(sizeof(struct tf_stats_share) == 128,
              "two cache lines: also what a processor fetches beside one is no other's");

/** A lambda's, of all threads: the thread with index i has the share i % COUNT. */
enum { TF_STATS_SHARES = 4 };

/** Of one thread. */
struct tf_thread_stats {
    uint64_t handshakes;
    uint64_t handshakes_failed;
    uint64_t connections; /* open now */
};

/** Counts an invocation. */
void tf_stats_add(struct tf_lambda_stats *stats, const struct tf_invocation *done);

/** The same in the share of the thread `index`. */
void tf_stats_note(struct tf_stats_share shares[static TF_STATS_SHARES], uint64_t index,
                   const struct tf_invocation *done);

/** Adds the shares up. What ended before the call is in the sum. */
struct tf_lambda_stats tf_stats_sum(struct tf_stats_share shares[static TF_STATS_SHARES]);

/** TF_MSG_STATS: payload untrusted; the place from which lambdas are listed, or nothing:
 *  none are. Answers with a RESULT. @return TF_OK or TF_EHOST. */
TF_MUST_USE tf_err tf_stats_answer(struct tf_thread *thread, uint64_t id,
                                   const uint8_t *payload, size_t size);
