/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/buffer.h"

#include <stdlib.h>
#include <string.h>

#include "lib/crypto.h"

enum { SMALLEST = 512 };

tf_err tf_buffer_reserve(struct tf_buffer *buffer, size_t more)
{
    if (more > SIZE_MAX / 2 - buffer->size) {
        return TF_ENOMEM;
    }
    size_t needed = buffer->size + more;
    if (needed <= buffer->cap) {
        return TF_OK;
    }
    size_t cap = buffer->cap + buffer->cap / 2;
    cap = cap < needed ? needed : cap;
    cap = cap < SMALLEST ? SMALLEST : cap;
    uint8_t *data = realloc(buffer->data, cap);
    if (data == NULL) {
        return TF_ENOMEM;
    }
    buffer->data = data;
    buffer->cap = cap;
    return TF_OK;
}

tf_err tf_buffer_append(struct tf_buffer *buffer, const void *data, size_t size)
{
    if (size == 0) {
        return TF_OK;
    }
    tf_err err = tf_buffer_reserve(buffer, size);
    if (err != TF_OK) {
        return err;
    }
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    return TF_OK;
}

void tf_buffer_cut(struct tf_buffer *buffer, size_t size)
{
    if (size >= buffer->size) {
        free(buffer->data);
        *buffer = (struct tf_buffer){0};
        return;
    }
    if (size != 0) {
        memmove(buffer->data, buffer->data + size, buffer->size - size);
        buffer->size -= size;
    }
}

void tf_buffer_wipe(struct tf_buffer *buffer)
{
    if (buffer->data != NULL) {
        tf_wipe(buffer->data, buffer->cap);
    }
    free(buffer->data);
    *buffer = (struct tf_buffer){0};
}
