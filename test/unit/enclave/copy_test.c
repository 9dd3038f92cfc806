/* SPDX-License-Identifier: Apache-2.0 */
/* The image's memcpy, memmove and memcmp (enclave/libc/copy.c), the very object, against
 * the C library's. */
#include <stdint.h>
#include <string.h>

#include "test/random.h"
#include "test/test.h"

/* Renamed by the Makefile. */
void *own_memcpy(void *to, const void *from, size_t size);
void *own_memmove(void *to, const void *from, size_t size);
int own_memcmp(const void *a, const void *b, size_t size);

enum { SIZE = 6000, MARGIN = 256, LONGEST = 2600 };

static uint8_t expected[SIZE];
static uint8_t found[SIZE];
static uint64_t state = TEST_RANDOM;

static size_t draw(size_t below)
{
    return (size_t)(test_random(&state) % below);
}

static void fill(void)
{
    for (size_t i = 0; i < SIZE; i++) {
        expected[i] = (uint8_t)draw(256);
    }
    memcpy(found, expected, SIZE);
}

/* Every length up to some strides, ranges apart. */
static void copies(void)
{
    fill();
    for (size_t size = 0; size < 1200; size++) {
        size_t from = draw(1000);
        size_t to = 3000 + draw(500);
        memcpy(expected + to, expected + from, size);
        CHECK(own_memcpy(found + to, found + from, size) == found + to);
        CHECK(memcmp(found, expected, SIZE) == 0);
    }
}

/* Ranges that overlap, either way, by any amount. */
static void moves(void)
{
    for (int i = 0; i < 20000; i++) {
        size_t size = draw(i % 4 == 0 ? LONGEST : 200);
        size_t from = MARGIN + draw(1000);
        size_t to = from + draw(2 * (size_t)MARGIN) - MARGIN;
        if (i % 100 == 0) {
            fill();
        }
        memmove(expected + to, expected + from, size);
        CHECK(own_memmove(found + to, found + from, size) == found + to);
        if (memcmp(found, expected, SIZE) != 0) {
            CHECK(!"moved as the C library moves");
            return;
        }
    }
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

/* The first byte that differs decides, taken as unsigned. */
static void compares(void)
{
    fill();
    for (size_t size = 0; size < 100; size++) {
        for (size_t at = 0; at <= size; at++) {
            size_t from = draw(1000);
            memcpy(found, expected + from, size + 1);
            found[at] = (uint8_t)draw(256);
            CHECK(sign(own_memcmp(found, expected + from, size)) ==
                  sign(memcmp(found, expected + from, size)));
        }
    }
}

int main(void)
{
    RUN(copies);
    RUN(moves);
    RUN(compares);
    return test_end();
}
