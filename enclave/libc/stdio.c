/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stdio.c - what musl's snprintf and strtod need of its stdio, without files and locks.
 *
 * Both work on a FILE on the caller's stack that never reaches a file descriptor, so its
 * lock is never contended and nothing is left to flush at exit. musl's own versions of
 * these bring in futexes. Streams do not exist: what writes to stdout or stderr in a
 * dependency is not reached, and the linker drops it or it goes nowhere.
 */
int tf_libc_lock_file(void *file) __asm__("__lockfile");
void tf_libc_unlock_file(void *file) __asm__("__unlockfile");

/* 0: not taken by this call, so it need not be given back. */
int tf_libc_lock_file(void *file)
{
    (void)file;
    return 0;
}

void tf_libc_unlock_file(void *file)
{
    (void)file;
}
