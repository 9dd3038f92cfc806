/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 in each of its two codes, between which the host's hint chooses
 * (enclave/processor.h, deps/patches/wolfssl/0005-sha256-by-flag.patch). Without SHA
 * extensions here, the cases of the other code are run with the plain one. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <string.h>

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/cpuid.h>
#include <wolfssl/wolfcrypt/hmac.h>

#include "abi/channel.h"
#include "enclave/processor.h"
#include "lib/cpu_sgx.h"
#include "lib/crypto.h"
#include "test/random.h"
#include "test/test.h"

enum { MESSAGE_MAX = 3000, MILLION = 1000000, ROUNDS = 3000 };

static uint32_t offered; /* what this machine has */

static uint8_t message[MESSAGE_MAX];

static uint32_t next(void)
{
    static uint64_t state = TEST_RANDOM;

    return (uint32_t)test_random(&state);
}

static bool is_digest(const void *data, size_t size, const uint8_t *expected)
{
    uint8_t digest[TF_SHA256_SIZE];

    tf_sha256(data, size, digest);
    return memcmp(digest, expected, sizeof(digest)) == 0;
}

/* FIPS 180-2, appendix B, and the empty message. */
static void check_vectors(void)
{
    static const char two_blocks[] =
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    static const uint8_t of_nothing[] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14,
                                         0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
                                         0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c,
                                         0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
    static const uint8_t of_abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                                     0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                                     0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
                                     0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    static const uint8_t of_two_blocks[] = {
        0x24, 0x8d, 0x6a, 0x61, 0xd2, 0x06, 0x38, 0xb8, 0xe5, 0xc0, 0x26,
        0x93, 0x0c, 0x3e, 0x60, 0x39, 0xa3, 0x3c, 0xe4, 0x59, 0x64, 0xff,
        0x21, 0x67, 0xf6, 0xec, 0xed, 0xd4, 0x19, 0xdb, 0x06, 0xc1};
    static const uint8_t of_a_million[] = {
        0xcd, 0xc7, 0x6e, 0x5c, 0x99, 0x14, 0xfb, 0x92, 0x81, 0xa1, 0xc7,
        0xe2, 0x84, 0xd7, 0x3e, 0x67, 0xf1, 0x80, 0x9a, 0x48, 0xa4, 0x97,
        0x20, 0x0e, 0x04, 0x6d, 0x39, 0xcc, 0xc7, 0x11, 0x2c, 0xd0};
    static uint8_t letters[MILLION];

    memset(letters, 'a', sizeof(letters));
    CHECK(is_digest("", 0, of_nothing));
    CHECK(is_digest("abc", 3, of_abc));
    CHECK(is_digest(two_blocks, sizeof(two_blocks) - 1, of_two_blocks));
    CHECK(is_digest(letters, sizeof(letters), of_a_million));
}

static void plain_code_has_the_standards_digests(void)
{
    tf_processor_hint(0);
    CHECK((cpuid_get_flags() & CPUID_SHA) == 0);
    check_vectors();
}

static void extensions_have_the_standards_digests(void)
{
    tf_processor_hint(offered);
    CHECK((cpuid_get_flags() & CPUID_SHA) != 0 || offered == 0);
    check_vectors();
    tf_processor_hint(0);
}

/* A message fed in pieces, with another hint before each if `is_changing`. */
static void digest_in_pieces(const uint8_t *data, size_t size, bool is_changing,
                             uint8_t *digest)
{
    struct tf_sha256 ctx;

    tf_sha256_init(&ctx);
    for (size_t at = 0; at < size;) {
        size_t piece = 1 + next() % (size - at);
        if (is_changing) {
            tf_processor_hint((next() & 1) != 0 ? offered : 0);
        }
        tf_sha256_feed(&ctx, data + at, piece);
        at += piece;
    }
    tf_sha256_take(&ctx, digest);
}

static bool is_openssls(const uint8_t *data, size_t size, const uint8_t *digest)
{
    uint8_t expected[TF_SHA256_SIZE];

    return EVP_Digest(data, size, expected, NULL, EVP_sha256(), NULL) == 1 &&
           memcmp(expected, digest, sizeof(expected)) == 0;
}

/* Every length around the padding's edges, any start in memory, then lengths at random.
 */
static void check_with_openssl(uint32_t hint, bool is_changing)
{
    uint8_t digest[TF_SHA256_SIZE];

    for (size_t i = 0; i < ROUNDS; i++) {
        size_t start = next() % 64;
        size_t size = i < 300 ? i : next() % (MESSAGE_MAX - 64);
        tf_processor_hint(hint);
        digest_in_pieces(message + start, size, is_changing, digest);
        if (!CHECK(is_openssls(message + start, size, digest))) {
            return;
        }
    }
    tf_processor_hint(0);
}

static void plain_code_agrees_with_openssl(void)
{
    check_with_openssl(0, false);
}

static void extensions_agree_with_openssl(void)
{
    check_with_openssl(offered, false);
}

static void a_hint_that_changes_in_the_midst_changes_nothing(void)
{
    check_with_openssl(offered, true);
}

/* HMAC keeps hashes at rest and goes on with copies. */
static void hmac_agrees_with_openssl(void)
{
    for (size_t i = 0; i < ROUNDS; i++) {
        uint8_t ours[TF_SHA256_SIZE];
        uint8_t theirs[TF_SHA256_SIZE];
        unsigned their_size = 0;
        Hmac hmac;
        word32 key_size = 1 + next() % 130;
        word32 size = next() % 400;
        tf_processor_hint((i & 1) != 0 ? offered : 0);
        CHECK(wc_HmacInit(&hmac, NULL, INVALID_DEVID) == 0 &&
              wc_HmacSetKey(&hmac, WC_SHA256, message, key_size) == 0 &&
              wc_HmacUpdate(&hmac, message + 200, size) == 0);
        CHECK(wc_HmacFinal(&hmac, ours) == 0);
        wc_HmacFree(&hmac);
        CHECK(HMAC(EVP_sha256(), message, (int)key_size, message + 200, size, theirs,
                   &their_size) != NULL);
        if (!CHECK(memcmp(ours, theirs, sizeof(ours)) == 0)) {
            return;
        }
    }
    tf_processor_hint(0);
}

static void bits_that_nobody_knows_mean_nothing(void)
{
    tf_processor_hint(~(uint32_t)(TF_PROCESSOR_SHA | TF_PROCESSOR_VAES));
    CHECK(cpuid_get_flags() == TF_CPU);
}

static bool cpuid_made_up(void *user, uint32_t leaf, uint32_t sub, uint32_t out[static 4])
{
    const uint32_t *seven = user;

    (void)sub;
    memset(out, 0, 4 * sizeof(out[0]));
    out[TF_EBX] = leaf == 7 ? seven[0] : 0;
    out[TF_ECX] = leaf == 7 ? seven[1] : 0;
    return true;
}

static void the_hint_is_what_the_processor_says(void)
{
    /* SDM vol. 2A, CPUID, leaf 7: EBX and ECX */
    uint32_t sha[] = {1U << 29, 0};
    uint32_t vectors[] = {0, 1U << 9 | 1U << 10};
    uint32_t half[] = {0, 1U << 9};
    uint32_t others[] = {~sha[0], ~vectors[1]};

    CHECK(tf_cpu_processor(cpuid_made_up, sha) == TF_PROCESSOR_SHA);
    CHECK(tf_cpu_processor(cpuid_made_up, vectors) == TF_PROCESSOR_VAES);
    CHECK(tf_cpu_processor(cpuid_made_up, half) == 0);
    CHECK(tf_cpu_processor(cpuid_made_up, others) == 0);
}

int main(void)
{
    offered = tf_cpu_processor(tf_cpuid_own, NULL) & TF_PROCESSOR_SHA;
    if (offered == 0) {
        (void)printf("no SHA extensions here: only plain code is tested\n");
    }
    for (size_t i = 0; i < MESSAGE_MAX; i++) {
        message[i] = (uint8_t)next();
    }
    RUN(plain_code_has_the_standards_digests);
    RUN(extensions_have_the_standards_digests);
    RUN(plain_code_agrees_with_openssl);
    RUN(extensions_agree_with_openssl);
    RUN(a_hint_that_changes_in_the_midst_changes_nothing);
    RUN(hmac_agrees_with_openssl);
    RUN(bits_that_nobody_knows_mean_nothing);
    RUN(the_hint_is_what_the_processor_says);
    return test_end();
}
