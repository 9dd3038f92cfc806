/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed vectors only, so that the same file tests both implementations of lib/crypto.h.
 */
#include "lib/crypto.h"

#include <string.h>

#include "lib/bytes.h"
#include "test/test.h"

enum { BYTES_MAX = 160 };

struct hexed {
    uint8_t data[BYTES_MAX];
    size_t size;
};

static struct hexed unhex(const char *text)
{
    struct hexed out = {.size = strlen(text) / 2};
    CHECK(out.size <= BYTES_MAX);
    CHECK(tf_hex_parse(text, strlen(text), out.data, out.size) == TF_OK);
    return out;
}

static int is_digest_of(const char *text, size_t size, const char *expected)
{
    uint8_t digest[TF_SHA256_SIZE];
    struct hexed want = unhex(expected);
    tf_sha256(text, size, digest);
    return memcmp(digest, want.data, sizeof(digest)) == 0;
}

/* FIPS 180-2 appendix B, and the empty message. */
static void test_sha256_vectors(void)
{
    static char millions[1000000];
    memset(millions, 'a', sizeof(millions));
    CHECK(is_digest_of(
        "", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    CHECK(is_digest_of(
        "abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    CHECK(
        is_digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
                     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
    CHECK(
        is_digest_of(millions, sizeof(millions),
                     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
}

static void test_sha256_in_parts_is_the_same(void)
{
    uint8_t data[300];
    memset(data, 0x5c, sizeof(data));
    for (size_t split = 0; split <= sizeof(data); split++) {
        struct tf_sha256 ctx;
        uint8_t whole[TF_SHA256_SIZE];
        uint8_t parts[TF_SHA256_SIZE];
        tf_sha256(data, sizeof(data), whole);
        tf_sha256_init(&ctx);
        tf_sha256_feed(&ctx, data, split);
        tf_sha256_feed(&ctx, data + split, sizeof(data) - split);
        tf_sha256_take(&ctx, parts);
        CHECK(memcmp(whole, parts, sizeof(whole)) == 0);
    }
}

/* RFC 8032 section 7.1, test 2, and RFC 6979 section A.2.5, SHA-256, "sample". */
static const char ed25519_spki[] =
    "302a300506032b6570032100"
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
static const char ed25519_message[] = "72";
static const char ed25519_signature[] =
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
/* The same with S + L: RFC 8032 section 5.1.7 demands S < L. */
static const char ed25519_malleated[] =
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "f52db7415978abc61b2c2eb6aeebfca0387b2eaeb4302aeeb00d291612bb0c10";
static const char p256_spki[] =
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
static const char p256_message[] = "73616d706c65";
static const char p256_signature[] =
    "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";

static tf_err check(const struct hexed *spki, const struct hexed *message,
                    const struct hexed *signature)
{
    return tf_signature_check(spki->data, spki->size, message->data, message->size,
                              signature->data, signature->size);
}

/* One good triple, and then every bit of it changed. */
static void check_every_bit(const char *spki_text, const char *message_text,
                            const char *signature_text)
{
    struct hexed spki = unhex(spki_text);
    struct hexed message = unhex(message_text);
    struct hexed signature = unhex(signature_text);
    CHECK(check(&spki, &message, &signature) == TF_OK);
    struct hexed *const all[] = {&spki, &message, &signature};
    for (size_t i = 0; i < 3; i++) {
        for (size_t bit = 0; bit < 8 * all[i]->size; bit++) {
            all[i]->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CHECK(check(&spki, &message, &signature) != TF_OK);
            all[i]->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    CHECK(check(&spki, &message, &signature) == TF_OK);
}

static void test_ed25519_and_every_bit_of_it(void)
{
    check_every_bit(ed25519_spki, ed25519_message, ed25519_signature);
}

static void test_p256_and_every_bit_of_it(void)
{
    check_every_bit(p256_spki, p256_message, p256_signature);
}

static void test_malleated_ed25519_is_refused(void)
{
    struct hexed spki = unhex(ed25519_spki);
    struct hexed message = unhex(ed25519_message);
    struct hexed signature = unhex(ed25519_malleated);
    CHECK(check(&spki, &message, &signature) == TF_EDSSE_SIGNATURE);
}

static void test_signatures_of_other_sizes_are_refused(void)
{
    static const char *const keys[] = {ed25519_spki, p256_spki};
    static const char *const signatures[] = {ed25519_signature, p256_signature};
    for (size_t i = 0; i < 2; i++) {
        struct hexed spki = unhex(keys[i]);
        struct hexed message = unhex(i == 0 ? ed25519_message : p256_message);
        struct hexed good = unhex(signatures[i]);
        for (size_t size = 0; size <= good.size + 20; size++) {
            struct hexed cut = good;
            cut.size = size;
            CHECK((check(&spki, &message, &cut) == TF_OK) == (size == good.size));
        }
    }
}

static void test_other_kinds_of_key_are_a_format_error(void)
{
    struct hexed message = unhex(ed25519_message);
    struct hexed signature = unhex(ed25519_signature);
    struct hexed spki = unhex(ed25519_spki);
    spki.size--;
    CHECK(check(&spki, &message, &signature) == TF_EFORMAT);
    spki.size += 2;
    CHECK(check(&spki, &message, &signature) == TF_EFORMAT);
    spki.size = 0;
    CHECK(check(&spki, &message, &signature) == TF_EFORMAT);
    spki = unhex(ed25519_spki);
    spki.data[8] = 0x71; /* Ed448 */
    CHECK(check(&spki, &message, &signature) == TF_EFORMAT);
}

static void test_equal_and_wipe(void)
{
    char a[] = "secret";
    char b[] = "secret";
    CHECK(tf_crypto_equal(a, b, sizeof(a)));
    CHECK(tf_crypto_equal(a, "other", 0));
    b[5] = 'T';
    CHECK(!tf_crypto_equal(a, b, sizeof(a)));
    tf_wipe(a, 6);
    CHECK(memcmp(a, "\0\0\0\0\0\0", 7) == 0);
}

int main(void)
{
    RUN(test_sha256_vectors);
    RUN(test_sha256_in_parts_is_the_same);
    RUN(test_ed25519_and_every_bit_of_it);
    RUN(test_p256_and_every_bit_of_it);
    RUN(test_malleated_ed25519_is_refused);
    RUN(test_signatures_of_other_sizes_are_refused);
    RUN(test_other_kinds_of_key_are_a_format_error);
    RUN(test_equal_and_wipe);
    return test_end();
}
