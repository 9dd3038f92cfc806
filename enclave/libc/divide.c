/* SPDX-License-Identifier: Apache-2.0 */
/*
 * divide.c - division of 128-bit integers, which the compiler calls for (QuickJS's
 * numbers). Instead of libgcc's, so that all of an image is compiled with the image's
 * flags. Not constant in time: no cryptography divides like this.
 */
#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 u128;

u128 tf_libc_divmod(u128 number, u128 by, u128 *rest) __asm__("__udivmodti4");
u128 tf_libc_div(u128 number, u128 by) __asm__("__udivti3");
u128 tf_libc_mod(u128 number, u128 by) __asm__("__umodti3");

/* high < by, or DIV faults. */
static uint64_t divide_word(uint64_t high, uint64_t low, uint64_t by, uint64_t *rest)
{
    uint64_t quotient;
    uint64_t left;

    __asm__("divq %4" : "=a"(quotient), "=d"(left) : "0"(low), "1"(high), "r"(by) : "cc");
    *rest = left;
    return quotient;
}

static u128 divide_by_word(u128 number, uint64_t by, u128 *rest)
{
    uint64_t high = (uint64_t)(number >> 64);
    uint64_t left;
    uint64_t low = divide_word(high % by, (uint64_t)number, by, &left);

    *rest = left;
    return (u128)(high / by) << 64 | low;
}

/* Bit by bit: `by` has more than 64 bits, so the quotient has less than 64. */
static u128 divide_long(u128 number, u128 by, u128 *rest)
{
    u128 quotient = 0;
    int shift = __builtin_clzll((uint64_t)(by >> 64));

    for (int i = shift; i >= 0; i--) {
        if (number >= by << i) {
            number -= by << i;
            quotient |= (u128)1 << i;
        }
    }
    *rest = number;
    return quotient;
}

u128 tf_libc_divmod(u128 number, u128 by, u128 *rest)
{
    u128 ignored;

    if (rest == NULL) {
        rest = &ignored;
    }
    return by >> 64 == 0 ? divide_by_word(number, (uint64_t)by, rest)
                         : divide_long(number, by, rest);
}

u128 tf_libc_div(u128 number, u128 by)
{
    u128 rest;

    return tf_libc_divmod(number, by, &rest);
}

u128 tf_libc_mod(u128 number, u128 by)
{
    u128 rest;

    (void)tf_libc_divmod(number, by, &rest);
    return rest;
}
