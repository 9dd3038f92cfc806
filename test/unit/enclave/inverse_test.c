/* SPDX-License-Identifier: Apache-2.0 */
/* deps/wolfssl/inverse.c beside OpenSSL's numbers, modulo the three primes it is used
 * with: P-256's field and order, Curve25519's field. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <openssl/bn.h>
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/fe_operations.h>
#include <wolfssl/wolfcrypt/sp_int.h>

#include "test/test.h"

enum { SIZE = 32, WORDS = 4, RANDOM_COUNT = 5000, EDGE = 300 };

/* Known to wolfSSL's own files only. */
void sp_256_mod_inv_avx2_4(sp_digit *r, const sp_digit *a, const sp_digit *m);

static const char *const field =
    "FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF";
static const char *const order =
    "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
static const char *const field25519 =
    "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFED";

struct numbers {
    BN_CTX *context;
    BIGNUM *p;
    BIGNUM *a;
    BIGNUM *expected;
    BIGNUM *found;
};

static void open_numbers(struct numbers *n, const char *prime)
{
    memset(n, 0, sizeof(*n));
    n->context = BN_CTX_new();
    n->a = BN_new();
    n->expected = BN_new();
    n->found = BN_new();
    CHECK(BN_hex2bn(&n->p, prime) == 2 * SIZE);
}

static void close_numbers(struct numbers *n)
{
    BN_free(n->found);
    BN_free(n->expected);
    BN_free(n->a);
    BN_free(n->p);
    BN_CTX_free(n->context);
}

/* From below, from above, and anything between. */
static void choose(struct numbers *n, unsigned i)
{
    if (i < EDGE) {
        CHECK(BN_set_word(n->a, i) == 1);
    } else if (i < 2 * EDGE) {
        CHECK(BN_copy(n->a, n->p) != NULL && BN_sub_word(n->a, i - EDGE + 1) == 1);
    } else {
        CHECK(BN_rand_range(n->a, n->p) == 1);
    }
}

static bool is_inverse(struct numbers *n, const uint64_t *words)
{
    CHECK(BN_lebin2bn((const uint8_t *)words, SIZE, n->found) != NULL);
    if (BN_is_zero(n->a)) {
        return BN_is_zero(n->found);
    }
    return BN_mod_inverse(n->expected, n->a, n->p, n->context) != NULL &&
           BN_cmp(n->expected, n->found) == 0;
}

static void words_of(const BIGNUM *number, uint64_t out[static WORDS])
{
    CHECK(BN_bn2lebinpad(number, (uint8_t *)out, SIZE) == SIZE);
}

static void inverts_modulo(const char *prime)
{
    struct numbers n;
    uint64_t p[WORDS];
    uint64_t a[WORDS];
    uint64_t r[WORDS];

    open_numbers(&n, prime);
    words_of(n.p, p);
    for (unsigned i = 0; i < 2 * EDGE + RANDOM_COUNT; i++) {
        choose(&n, i);
        words_of(n.a, a);
        sp_256_mod_inv_avx2_4(r, a, p);
        CHECK(is_inverse(&n, r));
        sp_256_mod_inv_avx2_4(a, a, p); /* in place */
        CHECK(memcmp(a, r, sizeof(r)) == 0);
    }
    close_numbers(&n);
}

static void inverts_modulo_the_primes(void)
{
    inverts_modulo(field);
    inverts_modulo(order);
    inverts_modulo(field25519);
}

/* Elements of Curve25519's field come from 0 to 2^256 - 1, in more than one form each. */
static void inverts_elements_that_are_not_reduced(void)
{
    struct numbers n;
    uint64_t words[WORDS];
    fe z;
    fe out;

    open_numbers(&n, field25519);
    for (unsigned i = 0; i < 2 * EDGE; i++) {
        choose(&n, i);
        if (i < 19 || i >= EDGE) {
            CHECK(BN_add(n.found, n.a, n.p) == 1);
        } else {
            CHECK(BN_copy(n.found, n.a) != NULL);
        }
        words_of(n.found, words);
        memcpy(z, words, SIZE);
        fe_invert(out, z);
        fe_tobytes((uint8_t *)words, out);
        CHECK(is_inverse(&n, words));
    }
    close_numbers(&n);
}

int main(void)
{
    RUN(inverts_modulo_the_primes);
    RUN(inverts_elements_that_are_not_reduced);
    return test_end();
}
