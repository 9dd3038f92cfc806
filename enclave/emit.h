/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit.h - frames to the host, and who may use the room of the ring. Connection data may
 * fill it but for a reserve, in which the answer to the next frame from the host always
 * fits: no frame is taken before that much room is there.
 *
 * A host that breaks the ring's protocol is noted in thread->err; the caller of the
 * core's loop looks there, so most functions here just do nothing more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/channel.h"
#include "enclave/ring.h"
#include "lib/err.h"

struct tf_thread;

/** Whether the answer to anything fits: the precondition of taking a frame. */
bool tf_emit_is_ready(struct tf_thread *thread);

/** Whether tf_emit_data takes that many bytes at once. */
bool tf_emit_has_room(struct tf_thread *thread, size_t size);

/** Sends bytes of a connection, or the first of them. @return how many; 0: no room now.
 */
size_t tf_emit_data(struct tf_thread *thread, uint64_t id, const void *data, size_t size);

/** Sends a frame of two parts; uses the reserve.
 *  @return whether there was room. */
bool tf_emit_frame(struct tf_thread *thread, uint32_t type, uint64_t id, struct tf_part a,
                   struct tf_part b);

/** Sends a code for the operator's log; dropped when there is little room.
 *  @param lambda  the name of the one that it is about, or "". */
void tf_emit_event(struct tf_thread *thread, enum tf_event event, tf_err err,
                   uint64_t value, const char *lambda);

/** Answers a BLOB, DROP or STATS with `err` and JSON text. */
void tf_emit_result(struct tf_thread *thread, uint64_t id, tf_err err, const char *json,
                    size_t size);

/** The same for a failure: the code says it all, the JSON is empty. */
void tf_emit_failure(struct tf_thread *thread, uint64_t id, tf_err err);
