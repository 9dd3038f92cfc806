/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fiber.c - enclave/fiber.h over the same enclave/fiber_switch.S, telling the address
 * sanitizer which stack runs. What a given up call had poisoned on the stack is cleared.
 */
#include "enclave/fiber.h"

#include <string.h>

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

/* Which stack called, for the way back. Tests run one thread of the enclave at a time. */
static const void *caller_stack;
static size_t caller_size;

void tf_fiber_init(struct tf_fiber *fiber, void *stack, size_t size, tf_fresh_fn fresh)
{
    *fiber = (struct tf_fiber){.stack = stack, .size = size, .fresh = fresh};
}

void tf_fiber_wipe(struct tf_fiber *fiber)
{
    ASAN_UNPOISON_MEMORY_REGION(fiber->stack, fiber->size);
    memset(fiber->stack, 0, fiber->size);
}

static void leave(struct tf_fiber *fiber)
{
    void *fake = NULL;

    __sanitizer_start_switch_fiber(fiber->is_done ? NULL : &fake, caller_stack,
                                   caller_size);
    tf_fiber_switch(&fiber->sp, fiber->caller);
    __sanitizer_finish_switch_fiber(fake, &caller_stack, &caller_size);
}

static void run(struct tf_fiber *fiber)
{
    __sanitizer_finish_switch_fiber(NULL, &caller_stack, &caller_size);
    fiber->main(fiber->user);
    fiber->is_done = true;
    leave(fiber);
}

void tf_fiber_start(struct tf_fiber *fiber, void (*main)(void *user), void *user)
{
    uint64_t *top = (void *)(fiber->stack + fiber->size);

    ASAN_UNPOISON_MEMORY_REGION(fiber->stack, fiber->size);
    memset(top - 7, 0, 7 * sizeof(*top)); /* enclave/fiber_switch.S has the order */
    top[-1] = (uint64_t)(uintptr_t)tf_fiber_begin;
    top[-4] = (uint64_t)(uintptr_t)run;
    top[-5] = (uint64_t)(uintptr_t)fiber;
    fiber->sp = top - 7;
    fiber->is_ready = true; /* as far as the test's memory is */
    fiber->main = main;
    fiber->user = user;
    fiber->is_done = false;
}

bool tf_fiber_resume(struct tf_fiber *fiber)
{
    void *fake = NULL;

    __sanitizer_start_switch_fiber(&fake, fiber->stack, fiber->size);
    tf_fiber_switch(&fiber->caller, fiber->sp);
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
    return fiber->is_done;
}

void tf_fiber_pause(struct tf_fiber *fiber)
{
    leave(fiber);
}
