/* SPDX-License-Identifier: Apache-2.0 */
/* random.h - numbers for tests that try many things: the same in each run (xorshift64).
 */
#pragma once

#include <stdint.h>

/** What a test begins with. */
#define TEST_RANDOM UINT64_C(88172645463325252)

/** The next one; `state` is not 0. */
static inline uint64_t test_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}
