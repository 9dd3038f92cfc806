/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stop.c - every way in which C code ends a program becomes the end of the enclave.
 */
#include "enclave/panic.h"

_Noreturn void tf_libc_abort(void) __asm__("abort");
_Noreturn void tf_libc_smashed(void) __asm__("__stack_chk_fail");

_Noreturn void tf_libc_abort(void)
{
    tf_panic(TF_PANIC_ABORT);
}

/* The compiler calls this when the canary at %fs:0x28 is not what the function saved. */
_Noreturn void tf_libc_smashed(void)
{
    tf_panic(TF_PANIC_STACK);
}
