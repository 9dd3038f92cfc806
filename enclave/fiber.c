/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/fiber.h"

#include <string.h>

enum { WIPE_BLOCK = 4096 }; /* a page; stacks are whole ones */

/* What tf_fiber_switch takes from a stack. */
struct frame {
    uint64_t r15;
    uint64_t r14;
    uint64_t r13;
    uint64_t r12;
    uint64_t rbx;
    uint64_t rbp;
    uint64_t rip;
};

void tf_fiber_init(struct tf_fiber *fiber, void *stack, size_t size, tf_fresh_fn fresh)
{
    *fiber = (struct tf_fiber){.stack = stack, .size = size, .fresh = fresh};
}

/* The first function on a fiber's stack. */
static void run(struct tf_fiber *fiber)
{
    fiber->main(fiber->user);
    fiber->is_done = true;
    tf_fiber_switch(&fiber->sp, fiber->caller);
}

static bool is_zero(const uint8_t *block)
{
    const uint64_t *words = (const uint64_t *)(const void *)block;
    size_t i = 0;

    while (i < WIPE_BLOCK / sizeof(*words) && words[i] == 0) {
        i++;
    }
    return i == WIPE_BLOCK / sizeof(*words);
}

/* Most of a stack was never written to; to write there would make it the worker's memory
 * (in the simulator; on hardware it is the enclave's since it was accepted). */
void tf_fiber_wipe(struct tf_fiber *fiber)
{
    for (size_t at = 0; at < fiber->size; at += WIPE_BLOCK) {
        if (!is_zero(fiber->stack + at)) {
            memset(fiber->stack + at, 0, WIPE_BLOCK);
        }
    }
}

static void make_ready(struct tf_fiber *fiber)
{
    if (fiber->fresh != NULL) {
        fiber->fresh(fiber->stack, fiber->size);
    } else {
        tf_fiber_wipe(fiber);
    }
    fiber->is_ready = true;
}

void tf_fiber_start(struct tf_fiber *fiber, void (*main)(void *user), void *user)
{
    const struct frame frame = {.r12 = (uint64_t)(uintptr_t)run,
                                .r13 = (uint64_t)(uintptr_t)fiber,
                                .rip = (uint64_t)(uintptr_t)tf_fiber_begin};

    if (!fiber->is_ready) {
        make_ready(fiber);
    }
    fiber->sp = fiber->stack + fiber->size - sizeof(frame);
    memcpy(fiber->sp, &frame, sizeof(frame));
    fiber->main = main;
    fiber->user = user;
    fiber->is_done = false;
}

bool tf_fiber_resume(struct tf_fiber *fiber)
{
    tf_fiber_switch(&fiber->caller, fiber->sp);
    return fiber->is_done;
}

void tf_fiber_pause(struct tf_fiber *fiber)
{
    tf_fiber_switch(&fiber->sp, fiber->caller);
}
