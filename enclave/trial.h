/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trial.h - whether a lambda's code loads, before any client has asked for it: who
 * deploys it hears at once what does not compile (TF_MSG_TRY). Its top level runs as for
 * a ClientHello (enclave/sched.h), with what the grant in force gives it; nothing of that
 * stays.
 *
 * The host gets the engine's message, which the bundle alone determines: the host has
 * that and could run it. Of a lambda that has secrets it gets the code only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct tf_resident;
struct tf_thread;

/** Takes the host's question about the lambda called `payload`. A RESULT follows, as a
 * rule: now, or when the top level has ended.
 *  @return TF_OK, or TF_EHOST. */
TF_MUST_USE tf_err tf_trial_begin(struct tf_thread *thread, uint64_t id,
                                  const uint8_t *payload, size_t size);

/** The resident's top level has ended with `err`, or was given up: answers who asked, and
 * has the resident leave with its last invocation, if nobody else wants it. */
void tf_trial_end(struct tf_thread *thread, struct tf_resident *resident, tf_err err);
