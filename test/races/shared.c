/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shared.c - enclave/shared.h and enclave/fiber.h for two threads at once: the image's
 * lock and the C library's heap, so that the sanitizer sees what is freed. No lane runs.
 */
#include "enclave/shared.h"

#include <sched.h>
#include <stdlib.h>

#include "enclave/fiber.h"
#include "test/native/native.h"

enum { RESTING = 64 };

size_t tf_native_shared_count;
void (*tf_native_meanwhile)(void);

void tf_lock_take(struct tf_lock *lock)
{
    while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE) != 0) {
        (void)sched_yield();
    }
}

void tf_lock_give(struct tf_lock *lock)
{
    __atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
    if (tf_native_meanwhile != NULL) {
        tf_native_meanwhile();
    } else {
        (void)sched_yield();
    }
}

void *tf_shared_alloc(size_t size)
{
    return malloc(size);
}

/* Nobody gets the same bytes again soon, or what uses them still would see nothing of it.
 */
void tf_shared_free(void *block)
{
    static void *resting[RESTING];
    static size_t at;

    free(resting[at]);
    resting[at] = block;
    at = (at + 1) % RESTING;
}

void tf_fiber_init(struct tf_fiber *fiber, void *stack, size_t size, tf_fresh_fn fresh)
{
    *fiber = (struct tf_fiber){.stack = stack, .size = size, .fresh = fresh};
}

void tf_fiber_wipe(struct tf_fiber *fiber)
{
    (void)fiber;
    abort();
}

void tf_fiber_start(struct tf_fiber *fiber, void (*main)(void *user), void *user)
{
    (void)fiber;
    (void)main;
    (void)user;
    abort();
}

bool tf_fiber_resume(struct tf_fiber *fiber)
{
    (void)fiber;
    abort();
}

void tf_fiber_pause(struct tf_fiber *fiber)
{
    (void)fiber;
    abort();
}
