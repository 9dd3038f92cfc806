/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failures.h - why invocations failed, for the publisher alone. The client learns an id,
 * the host an id and a code; what the engine said may be of a request or a secret. The
 * last failures of the instance are kept, of all its lambdas together, and each publisher
 * of the lambda's domain can ask for them, with a question signed for one management
 * connection.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "enclave/js/js.h"
#include "lib/err.h"
#include "lib/json.h"

struct tf_conn;
struct tf_entry;
struct tf_instance;
struct tf_lambda;
struct tf_thread;

enum {
    TF_FAILURES_KEPT = 128,
    TF_FAILURES_TOLD = 24 /* at a time, in less than 16 KiB */
};

/**
 * Keeps one, in the place of the oldest, until the lambda goes. Without memory it is not
 * kept, nor one of a lambda that has gone.
 *
 * @param id       as the client got it.
 * @param message  what the engine said, or "".
 */
void tf_failures_note(struct tf_thread *thread, const struct tf_lambda *lambda,
                      uint64_t id, tf_err err, const char *message);

/** Wipes those of an entry whose lambda goes. Hold the lock. */
void tf_failures_forget(struct tf_instance *instance, const struct tf_entry *entry);

/**
 * Answers a signed question, untrusted.
 *
 * @param answer  {"failures": [..]}, the latest first, on TF_OK.
 * @return TF_OK; TF_EDSSE_*, TF_EFORMAT; TF_EGRANT_CHANNEL for another connection;
 *         TF_EREVOKED (its signer); TF_ENOTFOUND: the signer's domain has no such lambda
 *         here; TF_ENOMEM.
 */
TF_MUST_USE tf_err tf_failures_answer(struct tf_conn *conn, struct tf_str body,
                                      struct tf_json_writer *answer);
