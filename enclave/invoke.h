/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invoke.h - a request of a granted name, answered by its lambda on a fresh heap.
 */
#pragma once

#include <stdint.h>

#include "enclave/js/js.h"

struct tf_conn;

/** How large a body the lambda behind the connection takes.
 *  @return 0 and `max`; or the status to refuse the request with. */
unsigned tf_invoke_limit(struct tf_conn *conn, uint64_t *max);

/** Answers the connection's request, whose body this is. */
void tf_invoke_answer(struct tf_conn *conn, struct tf_str body);
