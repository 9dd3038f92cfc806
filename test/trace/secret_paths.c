/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_paths.c - calculates with secrets, to be run under valgrind, for which they are
 * memory that nobody has written: it reports each branch and each address that depends on
 * them (test/attack/secret_paths_test.sh).
 *
 *   secret_paths NAME     one calculation; without a name: lists them
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <valgrind/memcheck.h>
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/sp_int.h>

enum { SIZE = CURVE25519_KEYSIZE, WORDS = 4 };

/* Known to wolfSSL's own files only (deps/wolfssl/inverse.c). */
void sp_256_mod_inv_avx2_4(sp_digit *r, const sp_digit *a, const sp_digit *m);

static void invert(const uint64_t *secret)
{
    static const uint64_t order[WORDS] = {0xf3b9cac2fc632551, 0xbce6faada7179e84,
                                          0xffffffffffffffff, 0xffffffff00000000};
    uint64_t out[WORDS];

    sp_256_mod_inv_avx2_4(out, secret, order);
}

/* The bits that are the same in every private key are no secret. */
static void clamp(uint8_t key[static SIZE], const uint64_t *secret)
{
    memcpy(key, secret, SIZE);
    key[0] &= 248;
    key[SIZE - 1] = (key[SIZE - 1] & 127) | 64;
}

static void make_public(const uint64_t *secret)
{
    uint8_t key[SIZE];
    uint8_t out[SIZE];

    clamp(key, secret);
    (void)wc_curve25519_make_pub(SIZE, out, SIZE, key);
}

static void agree(const uint64_t *secret)
{
    static const uint8_t peer[SIZE] = {9};
    uint8_t key[SIZE];
    uint8_t out[SIZE];

    clamp(key, secret);
    (void)wc_curve25519_generic(SIZE, out, SIZE, key, SIZE, peer);
}

static void planted_branch(const uint64_t *secret)
{
    if (secret[0] == 1) {
        (void)puts("one");
    }
}

static void planted_address(const uint64_t *secret)
{
    static const char table[] = "0123456789abcdef";
    volatile char found = table[secret[0] & 15];

    (void)found;
}

static const struct calculation {
    const char *name;
    void (*run)(const uint64_t *secret);
} calculations[] = {
    {"invert", invert},
    {"x25519-public", make_public},
    {"x25519-agree", agree},
    {"planted-branch", planted_branch},
    {"planted-address", planted_address},
};

int main(int argc, char **argv)
{
    uint64_t secret[WORDS] = {1, 2, 3, 4};

    for (size_t i = 0; i < sizeof(calculations) / sizeof(calculations[0]); i++) {
        if (argc != 2) {
            (void)puts(calculations[i].name);
        } else if (strcmp(argv[1], calculations[i].name) == 0) {
            (void)VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof(secret));
            calculations[i].run(secret);
            return 0;
        }
    }
    return argc == 2;
}
