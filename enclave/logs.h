/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logs.h - what a lambda wrote to its console and why invocations failed, for its
 * publisher alone. The client learns an id of a failure, the host that and a code; what
 * the lambda or the engine said may be of a request or a secret. Of each lambda the last
 * lines are kept while it stays, in the order of their writing on any thread, and each
 * publisher of its domain can ask for them, with a question signed for one management
 * connection.
 *
 * All that code wrote in one go, a top level or a request's handler, is of one run. What
 * was put back to begin anew (enclave/sched.h) has written nothing.
 */
#pragma once

#include <stdint.h>

#include "lib/err.h"
#include "lib/json.h"

struct tf_conn;
struct tf_entry;
struct tf_instance;
struct tf_lambda;
struct tf_str;

/**
 * Keeps why an invocation failed, unless the lambda has gone or there is no memory. What
 * the lambda writes to its console is kept likewise (tf_console in enclave/js/env.h); one
 * kind takes no room from the other.
 *
 * @param conn     whose request it was.
 * @param id       as the client got it.
 * @param message  what the engine said, or "".
 */
void tf_logs_failure(struct tf_conn *conn, const struct tf_lambda *lambda, uint64_t id,
                     tf_err err, const char *message);

/** Wipes what a run has written; 0: all lines of the entry, whose lambda goes. Hold the
 *  lock. */
void tf_logs_forget(struct tf_instance *instance, struct tf_entry *entry, uint64_t run);

/**
 * Answers a signed question, untrusted.
 *
 * @param answer  {"version": N, "lines": [..]}, the oldest first, as many as fit, on
 *                TF_OK.
 * @return TF_OK; TF_EDSSE_*, TF_EFORMAT; TF_EGRANT_CHANNEL for another connection;
 *         TF_EREVOKED (its signer); TF_ENOTFOUND: the signer's domain has no such lambda
 *         here; TF_ENOMEM.
 */
TF_MUST_USE tf_err tf_logs_answer(struct tf_conn *conn, struct tf_str body,
                                  struct tf_json_writer *answer);
