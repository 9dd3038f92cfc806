/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spki.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "test/fixture.h"
#include "test/test.h"

/* Compared with what OpenSSL writes for fresh keys. */
static void test_kinds_of_fresh_keys(void)
{
    const uint8_t *raw = NULL;
    uint8_t expected[TF_P256_POINT_SIZE];
    size_t size = sizeof(expected);
    struct fixture_key key = fixture_key_open("ED25519");
    CHECK(tf_spki_parse(key.publisher.spki, key.publisher.spki_size, &raw) ==
          TF_SPKI_ED25519);
    CHECK(EVP_PKEY_get_raw_public_key(key.key, expected, &size) == 1);
    CHECK(size == TF_ED25519_KEY_SIZE && memcmp(raw, expected, size) == 0);
    fixture_key_close(&key);

    key = fixture_key_open("P-256");
    CHECK(tf_spki_parse(key.publisher.spki, key.publisher.spki_size, &raw) ==
          TF_SPKI_P256);
    CHECK(EVP_PKEY_get_octet_string_param(key.key, "encoded-pub-key", expected,
                                          sizeof(expected), &size) == 1);
    CHECK(size == TF_P256_POINT_SIZE && memcmp(raw, expected, size) == 0);
    fixture_key_close(&key);
}

static void test_other_keys_are_told(void)
{
    static const char *const kinds[] = {"ED448", "X25519"};
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *raw = NULL;
        struct fixture_key key = fixture_key_open(kinds[i]);
        CHECK(tf_spki_parse(key.publisher.spki, key.publisher.spki_size, &raw) ==
              TF_SPKI_OTHER);
        CHECK(raw == NULL);
        fixture_key_close(&key);
    }
}

int main(void)
{
    RUN(test_kinds_of_fresh_keys);
    RUN(test_other_keys_are_told);
    return test_end();
}
