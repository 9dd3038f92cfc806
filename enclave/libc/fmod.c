/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fmod.c - the remainder of doubles (C11 7.12.10.1), which is what `%` of a script
 * becomes as soon as a number is no small integer. Instead of musl's, which goes bit by
 * bit: whole numbers take one division, all others one for each 11 bits between the
 * exponents.
 */
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    FRACTION_BITS = 52,
    SPARE_BITS = 64 - FRACTION_BITS - 1 /* above a mantissa */
};

static const uint64_t first_bit = UINT64_C(1) << FRACTION_BITS;

union number {
    double value;
    uint64_t bits;
};

/* mantissa * 2^exponent, but for what all exponents have in common. */
struct parts {
    uint64_t mantissa;
    int exponent; /* 1 also for what is too small to have its first bit set */
};

static struct parts parts_of(double positive)
{
    uint64_t bits = (union number){.value = positive}.bits;
    int exponent = (int)(bits >> FRACTION_BITS);

    if (exponent == 0) {
        return (struct parts){bits, 1};
    }
    return (struct parts){(bits & (first_bit - 1)) | first_bit, exponent};
}

/* Of a mantissa that is not 0. */
static double number_of(struct parts parts)
{
    int shift = __builtin_clzll(parts.mantissa) - SPARE_BITS;

    shift = shift < parts.exponent ? shift : parts.exponent - 1;
    /* The mantissa's first bit, where it is set, adds 1 to the exponent. */
    uint64_t bits = (parts.mantissa << shift) +
                    ((uint64_t)(parts.exponent - shift - 1) << FRACTION_BITS);
    return (union number){.bits = bits}.value;
}

/* a > b > 0, both finite. */
static double remainder_of(double a, double b)
{
    struct parts rest = parts_of(a);
    struct parts by = parts_of(b);

    rest.mantissa %= by.mantissa;
    while (rest.exponent > by.exponent && rest.mantissa != 0) {
        int left = rest.exponent - by.exponent;
        int step = left < SPARE_BITS ? left : SPARE_BITS;
        rest.mantissa = (rest.mantissa << step) % by.mantissa;
        rest.exponent -= step;
    }
    return rest.mantissa == 0 ? 0 : number_of(rest);
}

static bool is_whole(double number)
{
    return number < 0x1p63 && (double)(int64_t)number == number;
}

double fmod(double x, double y)
{
    double a = __builtin_fabs(x);
    double b = __builtin_fabs(y);

    if (!(a <= DBL_MAX) || !(b > 0)) {
        return (x * y) / (x * y); /* not a number */
    }
    if (a < b) {
        return x;
    }
    if (is_whole(a) && is_whole(b)) {
        a = (double)(int64_t)((uint64_t)a % (uint64_t)b);
    } else {
        a = a == b ? 0 : remainder_of(a, b);
    }
    return __builtin_copysign(a, x);
}
