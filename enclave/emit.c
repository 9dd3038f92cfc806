/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/emit.h"

#include <string.h>

#include "enclave/thread.h"

/* Above the largest answer: a revocation list, 38 KiB, and the names that it stops. */
enum { RESERVE = 48 << 10 };

static size_t room(struct tf_thread *thread)
{
    size_t bytes = 0;

    if (thread->err != TF_OK) {
        return 0;
    }
    tf_err err = tf_ring_room(&thread->out, &bytes);
    if (err != TF_OK) {
        thread->err = err;
        return 0;
    }
    return bytes;
}

bool tf_emit_is_ready(struct tf_thread *thread)
{
    return room(thread) >= RESERVE;
}

bool tf_emit_has_room(struct tf_thread *thread, size_t size)
{
    return room(thread) >= RESERVE + size;
}

bool tf_emit_frame(struct tf_thread *thread, uint32_t type, uint64_t id, struct tf_part a,
                   struct tf_part b)
{
    if (thread->err != TF_OK) {
        return false;
    }
    tf_err err = tf_ring_put(&thread->out, type, id, a, b);
    if (err != TF_OK && err != TF_AGAIN) {
        thread->err = err;
    }
    return err == TF_OK;
}

size_t tf_emit_data(struct tf_thread *thread, uint64_t id, const void *data, size_t size)
{
    size_t bytes = room(thread);

    if (bytes <= RESERVE) {
        return 0;
    }
    bytes -= RESERVE;
    bytes = size < bytes ? size : bytes;
    return tf_emit_frame(thread, TF_MSG_DATA, id, tf_part(data, bytes), tf_part(NULL, 0))
               ? bytes
               : 0;
}

void tf_emit_event(struct tf_thread *thread, enum tf_event event, tf_err err,
                   uint64_t value, const char *lambda)
{
    struct tf_msg_event message = {(uint32_t)event, (uint32_t)err, value};
    size_t size = strlen(lambda);

    if (room(thread) > RESERVE + sizeof(message) + size) {
        (void)tf_emit_frame(thread, TF_MSG_EVENT, 0, tf_part(&message, sizeof(message)),
                            tf_part(lambda, size));
    }
}

void tf_emit_result(struct tf_thread *thread, uint64_t id, tf_err err, const char *json,
                    size_t size)
{
    struct tf_msg_result result = {(uint32_t)err, 0};

    if (!tf_emit_frame(thread, TF_MSG_RESULT, id, tf_part(&result, sizeof(result)),
                       tf_part(json, size)) &&
        thread->err == TF_OK) {
        thread->err = TF_EINTERNAL; /* the reserve was there when the frame was taken */
    }
}

void tf_emit_failure(struct tf_thread *thread, uint64_t id, tf_err err)
{
    tf_emit_result(thread, id, err, "{}", 2);
}
