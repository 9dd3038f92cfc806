/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime.h - the measurement of a native runtime, which stands for its files as
 * MRENCLAVE does for an image: SHA-256 over a label and, for each file in order, its name
 * with a NUL, its size (u64) and the SHA-256 of its content (doc/formats.md). The caller
 * reads.
 */
#pragma once

#include <stdint.h>

#include "lib/crypto.h"

/** The files of a runtime's folder, in the order in which they are measured; NULL ends.
 */
extern const char *const tf_runtime_files[];

/** A measurement that is under way. */
struct tf_runtime {
    struct tf_sha256 hash;
};

/** Begins a measurement. */
void tf_runtime_init(struct tf_runtime *runtime);

/** Adds the next file. */
void tf_runtime_feed(struct tf_runtime *runtime, const char *name, uint64_t size,
                     const uint8_t content[static TF_SHA256_SIZE]);

/** Ends it: what the runtime is, after its last file. */
void tf_runtime_take(struct tf_runtime *runtime, uint8_t out[static TF_SHA256_SIZE]);
