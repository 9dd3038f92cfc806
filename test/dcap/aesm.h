/* SPDX-License-Identifier: Apache-2.0 */
/* aesm.h - AESM's answers in a world with DCAP (test/dcap/world.h). Trusts its callers.
 */
#pragma once

#include "test/dcap/world.h"

enum { AESM_FRAME_MAX = 16 << 10 };

struct aesm_message {
    uint8_t bytes[AESM_FRAME_MAX];
    size_t size;
};

/** Answers a request (a frame without its length) with a frame; under the world's lock.
 */
void aesm_answer(struct world *w, const struct tf_bytes *request,
                 struct aesm_message *out);
