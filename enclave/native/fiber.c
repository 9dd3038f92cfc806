/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fiber.c - enclave/fiber.h for V8, which keeps to the stack of its thread and has no
 * step hook from which it could pause: what is resumed runs to its end, and a pause is
 * none.
 */
#include "enclave/fiber.h"

void tf_fiber_init(struct tf_fiber *fiber, void *stack, size_t size, tf_fresh_fn fresh)
{
    *fiber = (struct tf_fiber){.stack = stack, .size = size, .fresh = fresh};
}

/* Nothing ran on its stack. */
void tf_fiber_wipe(struct tf_fiber *fiber)
{
    (void)fiber;
}

void tf_fiber_start(struct tf_fiber *fiber, void (*main)(void *user), void *user)
{
    fiber->main = main;
    fiber->user = user;
    fiber->is_done = false;
}

bool tf_fiber_resume(struct tf_fiber *fiber)
{
    fiber->main(fiber->user);
    fiber->is_done = true;
    return true;
}

void tf_fiber_pause(struct tf_fiber *fiber)
{
    (void)fiber;
}
