/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shared.h - memory that the threads of an enclave share (bundles, grants), and the lock
 * around it. Nothing else is shared. The lock is held for table updates and look-ups
 * only, never while a lambda, TLS or the ring runs; a host that stops a thread inside it
 * stops the others too, which is denial of service and no more.
 */
#pragma once

#include <stdint.h>

#include "lib/arena.h"

struct tf_lock {
    uint32_t taken;
};

void tf_lock_take(struct tf_lock *lock);
void tf_lock_give(struct tf_lock *lock);

/** The shared heap, made and zeroed piece by piece. Hold the enclave's lock. */
void *tf_shared_alloc(size_t size);
void tf_shared_free(void *block);
