/* SPDX-License-Identifier: Apache-2.0 */
/*
 * panic.h - the end of this enclave instance.
 *
 * For what must not happen and cannot be answered with a tf_err: a broken invariant, a
 * smashed stack. There is no cleaning up: the processor takes a fault inside the enclave,
 * nothing of its state leaves it, and the supervisor starts another instance.
 */
#pragma once

/* Append-only. The host sees it only with the simulator, as the value of a register. */
enum tf_panic_code {
    TF_PANIC_ABORT = 1,   /* abort() in a dependency */
    TF_PANIC_ASSERT = 2,  /* a failed assertion in a dependency */
    TF_PANIC_STACK = 3,   /* the stack protector's canary changed */
    TF_PANIC_ENTROPY = 5, /* no entropy, or entropy that fails its health test */
    TF_PANIC_ACCEPT = 7,  /* a page that is not what it should be when it is first used */
    TF_PANIC_RUNAWAY = 6  /* native build: code that goes on after it was told to end */
};

/** Stops with `ud2`; `code` is in RDI. */
_Noreturn void tf_panic(unsigned code);
