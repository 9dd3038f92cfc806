/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buffer.h - bytes that grow in the thread's heap: what a connection has received, or has
 * still to send. A zeroed struct is an empty buffer.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct tf_buffer {
    uint8_t *data; /* owned; NULL while cap is 0 */
    size_t size;
    size_t cap;
};

/** Makes room for `more` bytes behind the ones there are. May move them.
 *  @return TF_OK or TF_ENOMEM. */
TF_MUST_USE tf_err tf_buffer_reserve(struct tf_buffer *buffer, size_t more);

/** Adds a copy of `size` bytes at the end. @return TF_OK or TF_ENOMEM. */
TF_MUST_USE tf_err tf_buffer_append(struct tf_buffer *buffer, const void *data,
                                    size_t size);

/** Drops the first `size` bytes, at most all; gives the memory back when none are left.
 */
void tf_buffer_cut(struct tf_buffer *buffer, size_t size);

/** Overwrites and frees. */
void tf_buffer_wipe(struct tf_buffer *buffer);
