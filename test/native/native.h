/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native.h - what tests see of the stand-ins in test/native/, which replace the enclave's
 * boundary, CPU instructions and heaps by ordinary code.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/layout.h"

/** Memory that the native boundary takes for the enclave's. */
extern uint8_t tf_native_inside[4096];

/** The CPU and what the enclave was created with; tests set the fields. */
struct tf_native_cpu {
    struct tf_thread_page *self; /* the thread that runs; NULL: a page of its own */
    uint8_t config_id[64];
    uint8_t mrenclave[32];
    uint16_t isv_svn;
    uint8_t cpu_svn;
    bool is_repeatable; /* tf_seed gives the same bytes again: for fuzzing */
};

extern struct tf_native_cpu tf_native_cpu;

/** Allocations of the shared heap that are still there. */
extern size_t tf_native_shared_count;

/** What another thread does when the lock is given back, with the lock; or NULL. */
extern void (*tf_native_meanwhile)(void);
