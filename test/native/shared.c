/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shared.c - enclave/shared.h for tests: the C library's heap, and a lock that says when
 * the rule "hold the lock" is broken. Tests run one thread of the enclave at a time.
 */
#include "enclave/shared.h"

#include <stdbool.h>
#include <stdlib.h>

#include "test/native/native.h"

size_t tf_native_shared_count;
void (*tf_native_meanwhile)(void);

static bool is_held;

void tf_lock_take(struct tf_lock *lock)
{
    if (lock->taken != 0) {
        abort(); /* nobody else runs: this would spin for ever */
    }
    lock->taken = 1;
    is_held = true;
}

void tf_lock_give(struct tf_lock *lock)
{
    if (tf_native_meanwhile != NULL) {
        tf_native_meanwhile();
    }
    lock->taken = 0;
    is_held = false;
}

void *tf_shared_alloc(size_t size)
{
    if (!is_held) {
        abort();
    }
    void *block = malloc(size);
    tf_native_shared_count += block != NULL;
    return block;
}

void tf_shared_free(void *block)
{
    if (!is_held) {
        abort();
    }
    tf_native_shared_count -= block != NULL;
    free(block);
}
