/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout.c - the sizes of this image's address space. Compiled once per engine, with its
 * name as TF_ENGINE, and the image's flavour as TF_LVI.
 */
#include "enclave/layout.h"

#include "abi/limits.h"
#include "abi/version.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

enum { THREADS = 4, SLOTS = 4 };

__attribute__((section(".tfaas.layout"), used)) const struct tf_layout tf_layout = {
    .magic = TF_LAYOUT_MAGIC,
    .threads = THREADS,
    .elrange = 1024 * MIB,
    .stack_size = 128 * KIB,
    .heap_size = 24 * MIB,
    .slot_size = TF_MEMORY_MAX,
    .shared_size = 64 * MIB,
    .engine = TF_ENGINE,
    .lvi = TF_LVI,
    .slots = SLOTS,
    .version = TF_ABI_VERSION,
    .slot_stack = 1 * MIB,
};

static_assert(sizeof(TF_ENGINE) <= TF_ENGINE_NAME_MAX, "the name fits with its NUL");
static_assert((int)THREADS <= (int)TF_THREADS_MAX, "as many as the platform allows");
static_assert((int)SLOTS <= (int)TF_SLOTS_MAX, "as many as the platform allows");
static_assert((int)SLOTS >= 2, "one for what is short, beside what is long (sched.h)");
