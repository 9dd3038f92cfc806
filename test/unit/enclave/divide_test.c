/* SPDX-License-Identifier: Apache-2.0 */
/* 128-bit division, as the compiler calls it. */
#include <stdbool.h>
#include <stdint.h>

#include "test/random.h"
#include "test/test.h"

__extension__ typedef unsigned __int128 u128;

/* In enclave/libc/divide.c; the linker takes it before libgcc's. */
u128 tf_libc_divmod(u128 number, u128 by, u128 *rest) __asm__("__udivmodti4");
u128 tf_libc_div(u128 number, u128 by) __asm__("__udivti3");
u128 tf_libc_mod(u128 number, u128 by) __asm__("__umodti3");

/* By the definition: number = quotient * by + rest, rest < by, and no overflow. */
static bool is_right(u128 number, u128 by)
{
    u128 rest = 0;
    u128 quotient = tf_libc_divmod(number, by, &rest);

    return rest < by && quotient <= number / by && quotient * by + rest == number &&
           tf_libc_div(number, by) == quotient && tf_libc_mod(number, by) == rest;
}

static u128 make(uint64_t high, uint64_t low)
{
    return (u128)high << 64 | low;
}

static void corners(void)
{
    static const uint64_t words[] = {0,
                                     1,
                                     2,
                                     10,
                                     UINT32_MAX,
                                     (uint64_t)1 << 32,
                                     (uint64_t)1 << 63,
                                     UINT64_MAX - 1,
                                     UINT64_MAX};
    enum { COUNT = sizeof(words) / sizeof(words[0]) };

    for (int i = 0; i < COUNT * COUNT; i++) {
        for (int k = 1; k < COUNT * COUNT; k++) {
            CHECK(is_right(make(words[i / COUNT], words[i % COUNT]),
                           make(words[k / COUNT], words[k % COUNT])));
        }
    }
}

/* Numbers of all lengths. */
static void many(void)
{
    uint64_t state = TEST_RANDOM;
    u128 last = 1;

    for (int i = 0; i < 200000; i++) {
        (void)test_random(&state);
        u128 next = make(state, state * 0x9e3779b97f4a7c15) >> (state >> 57);
        CHECK(is_right(next, last | 1));
        last = next;
    }
}

int main(void)
{
    RUN(corners);
    RUN(many);
    return test_end();
}
