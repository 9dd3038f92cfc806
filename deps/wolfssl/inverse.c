/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inverse.c - 1 / a modulo a prime of up to 256 bits, in constant time, by division
 * steps: D. J. Bernstein and B.-Y. Yang, "Fast constant-time gcd computation and modular
 * inversion", 2019; with delta from 1/2 on, for which 590 steps are enough.
 *
 * It takes the place of wolfSSL's functions of the same names, which raise to the power
 * of p - 2 (fe_invert_avx2) or whose time depends on the number (sp_256_mod_inv_avx2_4).
 *
 * The steps begin with f = p and g = a, and keep d a = f and e a = g modulo p; f stays
 * odd. One step: if delta > 0 and g is odd, (delta, f, g) = (1 - delta, g, (g - f) / 2);
 * else delta = 1 + delta and g = (g + f) / 2 or g / 2, whichever has no remainder. In the
 * end g is 0 and f is 1 or -1, so that d or -d is the inverse. Which way a step goes
 * depends on the lowest bits alone: 59 steps are taken on one word each of f and g, and
 * make a matrix for the whole numbers.
 */
#include <stdint.h>

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/fe_operations.h>
#include <wolfssl/wolfcrypt/misc.h>
#include <wolfssl/wolfcrypt/sp.h>
#ifndef NO_INLINE
#define WOLFSSL_MISC_INCLUDED
#include <wolfcrypt/src/misc.c>
#endif

enum { LIMBS = 5, LIMB_BITS = 62, ROUNDS = 10, STEPS = 59 };

#define LIMB_MASK (UINT64_MAX >> (64 - LIMB_BITS))

/* The sum of limb[i] 2^(62 i). All limbs are from 0 to 2^62 - 1 but the last, which has
 * the sign. */
struct number {
    int64_t limb[LIMBS];
};

/* 59 steps: (f, g) becomes (u f + v g, q f + r g) / 2^62. The entries are 2^3 times what
 * 59 steps make, so that what is divided by is a limb; |u| + |v| and |q| + |r| are at
 * most 2^62. */
struct matrix {
    int64_t u;
    int64_t v;
    int64_t q;
    int64_t r;
};

struct state {
    struct number modulus;
    struct number f;
    struct number g;
    struct number d;
    struct number e;
    struct matrix t;
    uint64_t inverse; /* of the modulus, modulo 2^64 */
};

static struct number load(const uint64_t in[4])
{
    struct number out = {{
        (int64_t)(in[0] & LIMB_MASK),
        (int64_t)((in[0] >> 62 | in[1] << 2) & LIMB_MASK),
        (int64_t)((in[1] >> 60 | in[2] << 4) & LIMB_MASK),
        (int64_t)((in[2] >> 58 | in[3] << 6) & LIMB_MASK),
        (int64_t)(in[3] >> 56),
    }};

    return out;
}

static void store(const struct number *in, uint64_t out[4])
{
    const int64_t *limb = in->limb;

    out[0] = (uint64_t)limb[0] | (uint64_t)limb[1] << 62;
    out[1] = (uint64_t)limb[1] >> 2 | (uint64_t)limb[2] << 60;
    out[2] = (uint64_t)limb[2] >> 4 | (uint64_t)limb[3] << 58;
    out[3] = (uint64_t)limb[3] >> 6 | (uint64_t)limb[4] << 56;
}

/* All ones where `number` is below 0, else 0; and the compiler does not know that it is
 * one of the two, or it might branch. */
static inline uint64_t mask_of(int64_t number)
{
    uint64_t mask = (uint64_t)(number >> 63);

    __asm__("" : "+r"(mask));
    return mask;
}

/* `zeta` is -(delta + 1/2). @return the next one. */
static int64_t take_steps(int64_t zeta, uint64_t f, uint64_t g, struct matrix *out)
{
    uint64_t u = 8;
    uint64_t v = 0;
    uint64_t q = 0;
    uint64_t r = 8;

    for (int i = 0; i < STEPS; i++) {
        uint64_t swap = mask_of(zeta);
        uint64_t odd = mask_of(-(int64_t)(g & 1));
        /* Where g is odd, plus f or, before a swap, minus f. */
        g += ((f ^ swap) - swap) & odd;
        q += ((u ^ swap) - swap) & odd;
        r += ((v ^ swap) - swap) & odd;
        swap &= odd;
        zeta = (int64_t)((uint64_t)zeta ^ swap) - 1;
        /* g - f and f make g again. */
        f += g & swap;
        u += q & swap;
        v += r & swap;
        g >>= 1;
        u <<= 1; /* instead of halving q and r */
        v <<= 1;
    }
    *out = (struct matrix){(int64_t)u, (int64_t)v, (int64_t)q, (int64_t)r};
    return zeta;
}

static inline __int128 sum_of(__int128 carry, int64_t x, int64_t a, int64_t y, int64_t b)
{
    return carry + (__int128)x * a + (__int128)y * b;
}

static void update_fg(struct state *s)
{
    int64_t *f = s->f.limb;
    int64_t *g = s->g.limb;
    __int128 next_f = sum_of(0, s->t.u, f[0], s->t.v, g[0]);
    __int128 next_g = sum_of(0, s->t.q, f[0], s->t.r, g[0]);

    for (int i = 1; i < LIMBS; i++) {
        next_f = sum_of(next_f >> LIMB_BITS, s->t.u, f[i], s->t.v, g[i]);
        next_g = sum_of(next_g >> LIMB_BITS, s->t.q, f[i], s->t.r, g[i]);
        f[i - 1] = (int64_t)((uint64_t)next_f & LIMB_MASK);
        g[i - 1] = (int64_t)((uint64_t)next_g & LIMB_MASK);
    }
    f[LIMBS - 1] = (int64_t)(next_f >> LIMB_BITS);
    g[LIMBS - 1] = (int64_t)(next_g >> LIMB_BITS);
}

/* The multiple of the modulus that makes the lowest limb of `sum` 0: between `least` and
 * 2^62 less. */
static inline int64_t multiple_for(const struct state *s, __int128 sum, int64_t least)
{
    uint64_t over = (s->inverse * (uint64_t)sum + (uint64_t)least) & LIMB_MASK;

    return (int64_t)((uint64_t)least - over);
}

/* The same for d and e, modulo p: a multiple of p makes them divisible by 2^62. Both are
 * between -2 p and p before and after: what is below 0 counts as p more. */
static void update_de(struct state *s)
{
    const struct matrix *t = &s->t;
    const int64_t *p = s->modulus.limb;
    int64_t *d = s->d.limb;
    int64_t *e = s->e.limb;
    uint64_t below_d = mask_of(d[LIMBS - 1]);
    uint64_t below_e = mask_of(e[LIMBS - 1]);
    __int128 next_d = sum_of(0, t->u, d[0], t->v, e[0]);
    __int128 next_e = sum_of(0, t->q, d[0], t->r, e[0]);
    int64_t for_d = multiple_for(
        s, next_d, (int64_t)(((uint64_t)t->u & below_d) + ((uint64_t)t->v & below_e)));
    int64_t for_e = multiple_for(
        s, next_e, (int64_t)(((uint64_t)t->q & below_d) + ((uint64_t)t->r & below_e)));

    next_d += (__int128)p[0] * for_d;
    next_e += (__int128)p[0] * for_e;
    for (int i = 1; i < LIMBS; i++) {
        next_d = sum_of(next_d >> LIMB_BITS, t->u, d[i], t->v, e[i]);
        next_e = sum_of(next_e >> LIMB_BITS, t->q, d[i], t->r, e[i]);
        next_d += (__int128)p[i] * for_d;
        next_e += (__int128)p[i] * for_e;
        d[i - 1] = (int64_t)((uint64_t)next_d & LIMB_MASK);
        e[i - 1] = (int64_t)((uint64_t)next_e & LIMB_MASK);
    }
    d[LIMBS - 1] = (int64_t)(next_d >> LIMB_BITS);
    e[LIMBS - 1] = (int64_t)(next_e >> LIMB_BITS);
}

/* Adds the modulus to d where d is below 0, then takes -d where `negative` is all ones.
 */
static void settle(struct state *s, uint64_t negative)
{
    uint64_t below = mask_of(s->d.limb[LIMBS - 1]);
    int64_t carry = 0;

    for (int i = 0; i < LIMBS; i++) {
        uint64_t limb = (uint64_t)s->d.limb[i] + ((uint64_t)s->modulus.limb[i] & below);
        carry += (int64_t)((limb ^ negative) - negative);
        s->d.limb[i] = i == LIMBS - 1 ? carry : (int64_t)((uint64_t)carry & LIMB_MASK);
        carry >>= LIMB_BITS;
    }
}

/* r = 1 / a modulo m, an odd prime of at most 256 bits; 0 for 0. a is below m. */
void sp_256_mod_inv_avx2_4(sp_digit *r, const sp_digit *a, const sp_digit *m)
{
    struct state s = {.modulus = load(m), .f = load(m), .g = load(a), .e = {{1}}};
    int64_t zeta = -1; /* delta is 1/2 */

    /* Newton's method: each round doubles the bits that are right, 3 at first. */
    s.inverse = m[0];
    for (int i = 0; i < 5; i++) {
        s.inverse *= 2 - m[0] * s.inverse;
    }
    for (int i = 0; i < ROUNDS; i++) {
        zeta = take_steps(zeta, (uint64_t)s.f.limb[0], (uint64_t)s.g.limb[0], &s.t);
        update_fg(&s);
        update_de(&s);
    }
    settle(&s, mask_of(s.f.limb[LIMBS - 1]));
    settle(&s, 0);
    store(&s.d, r);
    ForceZero(&s, sizeof(s));
}

/* out = 1 / z modulo 2^255 - 19; 0 for 0. */
void fe_invert_avx2(fe out, const fe z)
{
    static const sp_digit p[4] = {UINT64_MAX - 18, UINT64_MAX, UINT64_MAX,
                                  UINT64_MAX >> 1};
    sp_digit number[4];

    fe_tobytes((byte *)number, z);
    sp_256_mod_inv_avx2_4((sp_digit *)out, number, p);
    ForceZero(number, sizeof(number));
}
