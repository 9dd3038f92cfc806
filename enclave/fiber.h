/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fiber.h - a second stack of a thread: code that can be left in the middle and gone on
 * with later, or never. What it holds outside of its stack is its user's to free.
 *
 * The switch itself is enclave/fiber_switch.S. An asynchronous exit (AEX) meanwhile is no
 * matter: it saves and restores RSP whatever stack that points to (SDM vol. 3D, 39.4). A
 * fiber starts and is left at a call, so only what a call preserves is kept: RBX, RBP,
 * RSP, R12-R15. MXCSR and the x87 control word are what gate.S loads at each entry, and
 * nobody changes them. All stacks of a thread have its one canary, from its own page.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"

struct tf_fiber {
    uint8_t *stack; /* lowest address; between unmapped holes */
    size_t size;
    void *sp;     /* where it stands while it does not run */
    void *caller; /* where its caller stands while it runs */
    void (*main)(void *user);
    void *user;
    tf_fresh_fn fresh;
    bool is_ready; /* the stack is there */
    bool is_done;
};

/** Prepares a fiber on memory that stays the caller's; nothing is touched yet.
 *  @param fresh  makes the stack usable before the first start; NULL: it is zeroed. */
void tf_fiber_init(struct tf_fiber *fiber, void *stack, size_t size, tf_fresh_fn fresh);

/** Zeroes the stack of a fiber that has ended or will not go on. */
void tf_fiber_wipe(struct tf_fiber *fiber);

/** Has the next resume call main(user). What ran on it before is given up. */
void tf_fiber_start(struct tf_fiber *fiber, void (*main)(void *user), void *user);

/** Runs it until it pauses or main returns. Not on a fiber. @return whether main
 * returned. */
bool tf_fiber_resume(struct tf_fiber *fiber);

/** Called on the fiber: back to who resumed it; returns with the next resume. */
void tf_fiber_pause(struct tf_fiber *fiber);

/** enclave/fiber_switch.S: saves what a call preserves on the stack, writes RSP to *from,
 * and goes on where `to` was left. Returns when something switches back to *from. */
void tf_fiber_switch(void **from, void *to);

/** enclave/fiber_switch.S: where a new stack begins; calls the function in R12 with R13.
 */
void tf_fiber_begin(void);
