/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c - the two functions with which musl's printf would look up a locale.
 *
 * musl keeps it behind the thread pointer, where an enclave thread has other things. No
 * dependency prints wide characters or %m; these answer as a C locale would, for ASCII.
 */
#include <stddef.h>
#include <stdint.h>

enum { ASCII_MAX = 0x7f };

char *tf_libc_strerror(int number) __asm__("strerror");
size_t tf_libc_wcrtomb(char *out, wchar_t wide, void *state) __asm__("wcrtomb");

static char unnamed[] = "error";

char *tf_libc_strerror(int number)
{
    (void)number;
    return unnamed;
}

/* SIZE_MAX: not representable. */
size_t tf_libc_wcrtomb(char *out, wchar_t wide, void *state)
{
    (void)state;
    if (out == NULL) {
        return 1;
    }
    if (wide < 0 || wide > ASCII_MAX) {
        return SIZE_MAX;
    }
    *out = (char)wide;
    return 1;
}
