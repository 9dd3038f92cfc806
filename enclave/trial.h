/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trial.h - what is deployed has to load before it gets into the table. The top level of
 * a bundle that the host brings (TF_BLOB_BUNDLE) runs in a lane of the thread, beside the
 * lambda that it is to replace and with what that one's grant brings, and nothing of it
 * stays. A host that has no use for that introduces the lambda by its envelope, and has
 * one that does not load.
 *
 * The host gets the engine's message, which the bundle alone determines: the host has
 * that and could run it. Of a lambda that has secrets it gets the code only.
 */
#pragma once

#include <stdint.h>

#include "lib/err.h"

struct tf_bundle;
struct tf_lambda;
struct tf_lane;
struct tf_thread;

/** A thread's; one at a time. */
struct tf_trial {
    struct tf_lane *lane; /* in which it runs; NULL: there is none */
    uint64_t id;          /* of the transfer that brought the bundle */
};

/**
 * Begins to try the lambda, of the transfer that has just ended, and takes its bytes.
 * @param bundle  of malloc; taken in any case.
 * @return TF_AGAIN: a RESULT follows; TF_EBUSY: one is tried already, or there is no
 *         lane; TF_ENOMEM; as tf_lambda_check_grant for a grant that has come since.
 */
TF_MUST_USE tf_err tf_trial_begin(struct tf_thread *thread, struct tf_lambda *lambda,
                                  struct tf_bundle *bundle);

/** The top level has ended with `err`, or was given up: puts the lambda in the table if
 * all is well, and answers. The lane's resident is still there. */
void tf_trial_end(struct tf_thread *thread, tf_err err);

/** Gives up what has taken too long by the host's clock. Call at each entry. */
void tf_trial_expire(struct tf_thread *thread);
