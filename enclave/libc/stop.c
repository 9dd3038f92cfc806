/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stop.c - every way in which C code ends a program becomes the end of the enclave.
 */
#include "enclave/panic.h"

_Noreturn void tf_libc_abort(void) __asm__("abort");
_Noreturn void tf_libc_exit(int status) __asm__("exit");
_Noreturn void tf_libc_assert(const char *text, const char *file, int line,
                              const char *function) __asm__("__assert_fail");
_Noreturn void tf_libc_smashed(void) __asm__("__stack_chk_fail");

_Noreturn void tf_libc_abort(void)
{
    tf_panic(TF_PANIC_ABORT);
}

_Noreturn void tf_libc_exit(int status)
{
    (void)status;
    tf_panic(TF_PANIC_ABORT);
}

_Noreturn void tf_libc_assert(const char *text, const char *file, int line,
                              const char *function)
{
    (void)text;
    (void)file;
    (void)line;
    (void)function;
    tf_panic(TF_PANIC_ASSERT);
}

/* The compiler calls this when the canary at %fs:0x28 is not what the function saved. */
_Noreturn void tf_libc_smashed(void)
{
    tf_panic(TF_PANIC_STACK);
}
