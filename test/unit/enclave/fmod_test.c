/* SPDX-License-Identifier: Apache-2.0 */
/* The image's fmod (enclave/libc/fmod.c), the very object, against the C library's: there
 * is one right result, so all bits are the same. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "test/random.h"
#include "test/test.h"

/* Renamed by the Makefile. */
double own_fmod(double x, double y);

static uint64_t state = TEST_RANDOM;

static uint64_t draw(void)
{
    return test_random(&state);
}

static uint64_t bits_of(double number)
{
    uint64_t bits;

    memcpy(&bits, &number, sizeof(bits));
    return bits;
}

static double number_of(uint64_t bits)
{
    double number;

    memcpy(&number, &bits, sizeof(number));
    return number;
}

static bool is_same(double x, double y)
{
    double expected = fmod(x, y);
    double found = own_fmod(x, y);

    return isnan(expected) ? isnan(found) : bits_of(expected) == bits_of(found);
}

static void numbers_at_the_edges(void)
{
    static const double edges[] = {0,
                                   1,
                                   2,
                                   3,
                                   0.5,
                                   0x1p-1022,
                                   0x1p-1074,
                                   0x1p31,
                                   0x1p32 - 1,
                                   0x1p53 - 1,
                                   0x1p53,
                                   0x1p62,
                                   0x1p63,
                                   0x1p64,
                                   0x1p1023,
                                   5.5,
                                   1000000007.,
                                   INFINITY,
                                   (double)NAN,
                                   0x1.fffffffffffffp1023,
                                   0x0.fffffffffffffp-1022,
                                   0x1.fffffffffffffp62};
    enum { COUNT = sizeof(edges) / sizeof(edges[0]) };

    for (int i = 0; i < COUNT * COUNT; i++) {
        double x = edges[i / COUNT];
        double y = edges[i % COUNT];
        CHECK(is_same(x, y) && is_same(-x, y) && is_same(x, -y) && is_same(-x, -y));
    }
}

static void numbers_of_all_sizes(void)
{
    for (int i = 0; i < 200000; i++) {
        CHECK(is_same(number_of(draw()), number_of(draw())));
    }
}

/* A mantissa with the exponent given. */
static double draw_near(int exponent)
{
    return ldexp((double)(draw() >> 11 | 1), exponent);
}

static void numbers_of_like_size(void)
{
    for (int i = 0; i < 200000; i++) {
        int exponent = (int)(draw() % 1000) - 500;
        double x = draw_near(exponent);
        CHECK(is_same(x, draw_near(exponent - (int)(draw() % 120))));
    }
}

static void whole_numbers(void)
{
    for (int i = 0; i < 200000; i++) {
        double x = (double)(draw() >> draw() % 64);
        double y = (double)(draw() >> draw() % 64);
        CHECK(is_same(x, y) && is_same(-x, y));
    }
}

static void numbers_too_small_for_a_first_bit(void)
{
    for (int i = 0; i < 100000; i++) {
        double y = number_of(draw() >> 12 >> draw() % 52);
        CHECK(is_same(number_of(draw() >> 12), y));
        CHECK(is_same(number_of(draw() >> 1), y));
    }
}

int main(void)
{
    RUN(numbers_at_the_edges);
    RUN(numbers_of_all_sizes);
    RUN(numbers_of_like_size);
    RUN(whole_numbers);
    RUN(numbers_too_small_for_a_first_bit);
    return test_end();
}
