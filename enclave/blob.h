/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blob.h - bundles, envelopes, sealed grants and revocation lists that the host hands
 * over in chunks, one transfer at a time per thread. Each is answered with one RESULT
 * when its last chunk is there, a bundle when its code was tried.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct tf_thread;

struct tf_transfer {
    uint8_t *bytes; /* in shared memory, owned; NULL: none runs, or it is refused */
    uint64_t id;
    uint64_t total; /* 0: none runs */
    uint64_t at;
    uint32_t kind;
    tf_err err; /* why it is refused */
};

/** TF_MSG_BLOB: payload untrusted. @return TF_OK, or TF_EHOST for chunks out of order. */
TF_MUST_USE tf_err tf_blob_take(struct tf_thread *thread, uint64_t id,
                                const uint8_t *payload, size_t size);

/** TF_MSG_DROP: the payload is a name, untrusted. Answers with a RESULT. */
void tf_blob_drop(struct tf_thread *thread, uint64_t id, const uint8_t *payload,
                  size_t size);
