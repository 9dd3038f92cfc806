/* SPDX-License-Identifier: Apache-2.0 */
/*
 * errno.c - errno, for strtod and its like: a slot in the thread page.
 *
 * musl's __errno_location looks behind the thread pointer for a struct of its own, which
 * an enclave thread does not have.
 */
#include "abi/layout.h"

/** This thread's errno. */
int *tf_thread_errno(void);
int *tf_libc_errno(void) __asm__("__errno_location");
/* The name that musl's own objects use. */
int *tf_libc_errno_inside(void) __asm__("___errno_location");

int *tf_thread_errno(void)
{
    struct tf_thread_page *page;

    __asm__("movq %%fs:0, %0" : "=r"(page)); /* page->self */
    return (int *)&page->error_number;       /* the low half, little endian */
}

int *tf_libc_errno(void)
{
    return tf_thread_errno();
}

int *tf_libc_errno_inside(void)
{
    return tf_thread_errno();
}
