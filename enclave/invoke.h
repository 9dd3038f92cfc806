/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invoke.h - a request of a granted name, answered by its lambda on a fresh heap: which
 * lambda that is, what becomes of its answer, what is counted. When it runs is
 * enclave/sched.h's.
 */
#pragma once

#include <stdint.h>

#include "enclave/js/js.h"

struct tf_conn;
struct tf_lane;
struct tf_resident;

/** How large a body the lambda behind the connection takes.
 *  @return 0 and `max`; or the status to refuse the request with. */
unsigned tf_invoke_limit(struct tf_conn *conn, uint64_t *max);

/** Answers the connection's request, whose body is complete; or it waits, see
 *  tf_sched_submit. */
void tf_invoke_answer(struct tf_conn *conn);

/** Answers with what the lane's invocation, which has ended, came to. */
void tf_invoke_end(struct tf_lane *lane);

/** Refuses the connection's request: the lambda could not be called. */
void tf_invoke_fail(struct tf_conn *conn, struct tf_resident *resident, tf_err err);

/** Refuses it with 503: the lambda's code is not at hand, or does not load. */
void tf_invoke_unavailable(struct tf_conn *conn, struct tf_resident *resident,
                           tf_err err);

/** Counts what an invocation has used whose client is gone. */
void tf_invoke_lost(struct tf_lane *lane);
