/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quoter.h - turns REPORTs into evidence beside the event loops of a worker process: one
 * thread asks whoever quotes (tf_enclave_quote), which may take seconds, while the loops
 * go on. Questions wait in a bounded queue, of which one peer gets a part; when it is
 * full, who has most gives way to who has less. Answers are fetched by the thread that
 * asked, told by an eventfd. When the quoting side is away it is asked again, at growing
 * distances and not for long; when another quoting enclave comes back, the loops learn
 * for whom REPORTs are made now.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "abi/sgx.h"
#include "host/enclave.h"
#include "lib/err.h"

enum {
    TF_QUOTER_JOBS_MAX = 32,       /* without an answer, of all threads; count */
    TF_QUOTER_PEER_JOBS_MAX = 8,   /* of one peer, count */
    TF_QUOTER_JOB_MS = 20000,      /* how long a question may wait: less than who asks */
    TF_QUOTER_ATTEMPTS_MAX = 6,    /* of one question, count */
    TF_QUOTER_FIRST_WAIT_MS = 100, /* before the second attempt; doubles each time */
    TF_QUOTER_WAIT_MAX_MS = 2000
};

struct tf_quoter;

/** Evidence for the REPORT of a connection. */
struct tf_quote_answer {
    uint64_t id;
    size_t size; /* 0: there is none */
    char evidence[TF_EVIDENCE_MAX];
};

/**
 * Starts the thread, after having asked once for whom REPORTs are to be made: that takes
 * up to TF_EVIDENCE_WAIT_MS. That nobody is there is logged, and no failure.
 *
 * @param enclave  kept until tf_quoter_close.
 * @param threads  of the worker, at most TF_THREADS_MAX.
 * @return TF_OK, TF_ENOMEM, TF_EIO.
 */
TF_MUST_USE tf_err tf_quoter_open(struct tf_enclave *enclave, unsigned threads,
                                  struct tf_quoter **out);

/** Ends the thread, once the question it may be asking has its answer. NULL is fine. */
void tf_quoter_close(struct tf_quoter *quoter);

/** What becomes readable (an eventfd) when there is something for a thread: an answer,
 *  or another target. The quoter's. */
int tf_quoter_fd(const struct tf_quoter *quoter, unsigned thread);

/** For whom REPORTs are made; zeros as long as nobody is known. @return which one this
 *  is: another number, another target; 0 for nobody. */
uint32_t tf_quoter_target(struct tf_quoter *quoter, struct sgx_target_info *out);

/**
 * Asks. Never waits. A question may be answered with nothing for the sake of a peer that
 * has fewer.
 *
 * @param thread  whose tf_quoter_take gets the answer.
 * @param peer    who caused it: a number by which peers differ; 0: no bound holds.
 * @param target  tf_quoter_target's number when the enclave learned of it: a REPORT for
 *                another one than now is answered with nothing.
 * @return false if the peer has its part of the queue, or it is full and nobody has two
 * more.
 */
bool tf_quoter_ask(struct tf_quoter *quoter, unsigned thread, uint64_t id, uint64_t peer,
                   uint32_t target, const struct sgx_report *report);

/** Fetches an answer, whichever is there. @return false if there is none. */
bool tf_quoter_take(struct tf_quoter *quoter, unsigned thread,
                    struct tf_quote_answer *out);
