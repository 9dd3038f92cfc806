/* SPDX-License-Identifier: Apache-2.0 */
/* wolfSSL makes public keys another way than upstream (deps/patches/wolfssl), and its
 * ladder adds without reducing (deps/recipes/wolfssl.sh): beside the RFC's numbers and
 * OpenSSL's. */
#include <stdint.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/fe_operations.h>

#include "test/test.h"

enum { SIZE = CURVE25519_KEYSIZE };

static void clamp(uint8_t *key)
{
    key[0] &= 248;
    key[SIZE - 1] = (key[SIZE - 1] & 127) | 64;
}

/* RFC 7748, section 6.1: Alice. */
static void the_public_key_is_the_rfcs(void)
{
    static const uint8_t key[SIZE] = {0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d,
                                      0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
                                      0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a,
                                      0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a};
    static const uint8_t expected[SIZE] = {
        0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d,
        0xdc, 0xb4, 0x3e, 0xf7, 0x5a, 0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38,
        0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a};
    uint8_t clamped[SIZE];
    uint8_t public[SIZE];

    memcpy(clamped, key, SIZE);
    clamp(clamped);
    CHECK(wc_curve25519_make_pub(SIZE, public, SIZE, clamped) == 0);
    CHECK(memcmp(public, expected, SIZE) == 0);
}

/* The ladder says the same for keys of every kind. */
static void the_table_agrees_with_the_ladder(void)
{
    static const uint8_t base[SIZE] = {9};

    for (unsigned i = 0; i < 8 * SIZE; i++) {
        uint8_t key[SIZE];
        uint8_t table[SIZE];
        uint8_t ladder[SIZE];
        memset(key, i % 2 == 0 ? 0 : 0xff, SIZE);
        key[i / 8] ^= (uint8_t)(1 << i % 8);
        clamp(key);
        CHECK(wc_curve25519_make_pub(SIZE, table, SIZE, key) == 0);
        CHECK(wc_curve25519_generic(SIZE, ladder, SIZE, key, SIZE, base) == 0);
        CHECK(memcmp(table, ladder, SIZE) == 0);
    }
}

/* OpenSSL's ladder; zeros where it refuses the point. */
static void ladder_of_openssl(const uint8_t *key, const uint8_t *point,
                              uint8_t out[static SIZE])
{
    size_t size = SIZE;
    EVP_PKEY *ours = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, key, SIZE);
    EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, point, SIZE);
    EVP_PKEY_CTX *derivation = EVP_PKEY_CTX_new(ours, NULL);

    CHECK(EVP_PKEY_derive_init(derivation) == 1);
    CHECK(EVP_PKEY_derive_set_peer(derivation, theirs) == 1);
    if (EVP_PKEY_derive(derivation, out, &size) != 1) {
        memset(out, 0, SIZE);
    }
    EVP_PKEY_CTX_free(derivation);
    EVP_PKEY_free(theirs);
    EVP_PKEY_free(ours);
}

/* Any point, or one with many bits that are alike: from 2^255 - 1 down, from 0 up, and
 * what has full or empty words. */
static void choose_point(unsigned i, uint8_t out[static SIZE])
{
    CHECK(RAND_bytes(out, SIZE) == 1);
    if (i % 4 == 1) {
        memset(out, i % 8 == 1 ? 0xff : 0, SIZE);
        out[0] = (uint8_t)(i % 8 == 1 ? ~(i / 8) : i / 8);
    } else if (i % 4 == 2) {
        memset(out + 8 * (i / 8 % 4), i % 8 == 2 ? 0xff : 0, 8);
    }
    out[SIZE - 1] &= 127;
}

static void the_ladder_is_openssls(void)
{
    for (unsigned i = 0; i < 4000; i++) {
        uint8_t key[SIZE];
        uint8_t point[SIZE];
        uint8_t found[SIZE];
        uint8_t expected[SIZE];
        CHECK(RAND_bytes(key, SIZE) == 1);
        clamp(key);
        choose_point(i, point);
        ladder_of_openssl(key, point, expected);
        CHECK(curve25519(found, key, point) == 0);
        CHECK(memcmp(found, expected, SIZE) == 0);
    }
}

/* 2^256 - 1 is 37 modulo p: its sum with 1 is the one that does not fit. */
static void a_sum_that_does_not_fit_goes_on(void)
{
    static const uint8_t small[SIZE] = {37};
    uint8_t large[SIZE];
    uint8_t key[SIZE];
    uint8_t found[SIZE];
    uint8_t expected[SIZE];

    memset(large, 0xff, SIZE);
    CHECK(RAND_bytes(key, SIZE) == 1);
    clamp(key);
    ladder_of_openssl(key, small, expected);
    CHECK(curve25519(found, key, large) == 0);
    CHECK(memcmp(found, expected, SIZE) == 0);
}

int main(void)
{
    RUN(the_public_key_is_the_rfcs);
    RUN(the_table_agrees_with_the_ladder);
    RUN(the_ladder_is_openssls);
    RUN(a_sum_that_does_not_fit_goes_on);
    return test_end();
}
