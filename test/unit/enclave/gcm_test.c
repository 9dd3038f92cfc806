/* SPDX-License-Identifier: Apache-2.0 */
/* AES-GCM in each of its two codes, between which a message's length and the host's hint
 * choose (enclave/processor.h, deps/wolfssl/aes_vaes.h). Without VAES here, the cases of
 * that code are run with the other one. */
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

#include <wolfssl/wolfcrypt/settings.h>

#include <aes_vaes.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/cpuid.h>

#include "abi/channel.h"
#include "enclave/processor.h"
#include "lib/bytes.h"
#include "lib/cpu_sgx.h"
#include "test/random.h"
#include "test/test.h"

enum {
    IV_SIZE = 12,
    TAG_SIZE = 16,
    AAD_MAX = 80,
    MESSAGE_MAX = 17000,
    EACH_SIZE_TO = 1200, /* around the edges of blocks, of vectors and of what is long */
    LONG = 512,          /* as in aes_vaes.c */
    ROUNDS = 1500
};

/* What a message is made of. */
struct message {
    uint8_t key[32];
    uint32_t key_size;
    uint8_t iv[IV_SIZE];
    uint8_t aad[AAD_MAX];
    uint32_t aad_size;
    uint8_t plain[MESSAGE_MAX];
    uint32_t size;
};

static uint32_t offered; /* what this machine has */

static uint32_t next(void)
{
    static uint64_t state = TEST_RANDOM;

    return (uint32_t)test_random(&state);
}

static void fill(uint8_t *to, size_t size)
{
    while (size-- > 0) {
        *to++ = (uint8_t)next();
    }
}

static void make(struct message *message, uint32_t size)
{
    message->key_size = 16 + 8 * (next() % 3);
    message->aad_size = next() % (AAD_MAX + 1);
    message->size = size;
    fill(message->key, sizeof(message->key));
    fill(message->iv, sizeof(message->iv));
    fill(message->aad, sizeof(message->aad));
    fill(message->plain, size);
}

static void set_key(Aes *aes, const struct message *message)
{
    CHECK(wc_AesInit(aes, NULL, INVALID_DEVID) == 0 &&
          wc_AesGcmSetKey(aes, message->key, message->key_size) == 0);
}

static void encrypt_with_openssl(const struct message *message, uint8_t *out,
                                 uint8_t tag[static TAG_SIZE])
{
    const EVP_CIPHER *cipher = message->key_size == 16   ? EVP_aes_128_gcm()
                               : message->key_size == 24 ? EVP_aes_192_gcm()
                                                         : EVP_aes_256_gcm();
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int size;

    CHECK(ctx != NULL &&
          EVP_EncryptInit_ex(ctx, cipher, NULL, message->key, message->iv) == 1 &&
          EVP_EncryptUpdate(ctx, NULL, &size, message->aad, (int)message->aad_size) ==
              1 &&
          EVP_EncryptUpdate(ctx, out, &size, message->plain, (int)message->size) == 1 &&
          EVP_EncryptFinal_ex(ctx, out + size, &size) == 1 &&
          EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, tag) == 1);
    EVP_CIPHER_CTX_free(ctx);
}

/* With another hint for each step if `is_changing`. */
static bool agrees_with_openssl(const struct message *message, uint32_t hint,
                                bool is_changing)
{
    static uint8_t theirs[MESSAGE_MAX];
    static uint8_t ours[MESSAGE_MAX];
    uint8_t their_tag[TAG_SIZE];
    uint8_t our_tag[TAG_SIZE];
    Aes aes;

    encrypt_with_openssl(message, theirs, their_tag);
    tf_processor_hint(is_changing ? next() : hint);
    set_key(&aes, message);
    tf_processor_hint(is_changing ? next() : hint);
    bool is_same =
        wc_AesGcmEncrypt(&aes, ours, message->plain, message->size, message->iv, IV_SIZE,
                         our_tag, TAG_SIZE, message->aad, message->aad_size) == 0 &&
        memcmp(ours, theirs, message->size) == 0 &&
        memcmp(our_tag, their_tag, TAG_SIZE) == 0;
    tf_processor_hint(is_changing ? next() : hint);
    is_same = is_same &&
              wc_AesGcmDecrypt(&aes, ours, ours, message->size, message->iv, IV_SIZE,
                               our_tag, TAG_SIZE, message->aad, message->aad_size) == 0 &&
              memcmp(ours, message->plain, message->size) == 0;
    wc_AesFree(&aes);
    tf_processor_hint(0);
    return is_same;
}

static void check_with_openssl(uint32_t hint, bool is_changing)
{
    static struct message message;

    for (uint32_t i = 0; i < EACH_SIZE_TO + ROUNDS; i++) {
        make(&message, i < EACH_SIZE_TO ? i : next() % MESSAGE_MAX);
        if (!CHECK(agrees_with_openssl(&message, hint, is_changing))) {
            return;
        }
    }
}

static void the_code_for_all_agrees_with_openssl(void)
{
    check_with_openssl(0, false);
}

static void vaes_agrees_with_openssl(void)
{
    check_with_openssl(offered, false);
}

static void a_hint_that_changes_between_messages_changes_nothing(void)
{
    check_with_openssl(offered, offered != 0);
}

static bool is_hex(const char *text, uint32_t size, uint8_t *out)
{
    return tf_hex_parse(text, 2 * (size_t)size, out, size) == TF_OK;
}

/* McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B: test cases 3, 4,
 * 10 and 16. They are short, so the code for what is long is called itself. */
static void check_vector(const char *key, bool is_whole, const char *cipher,
                         const char *tag)
{
    static const char plain[] =
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";
    static struct message message;
    uint8_t expected[64 + TAG_SIZE];
    uint8_t found[64 + TAG_SIZE];
    Aes aes;

    message.key_size = (uint32_t)strlen(key) / 2;
    message.size = is_whole ? 64 : 60;
    message.aad_size = is_whole ? 0 : 20;
    CHECK(is_hex(key, message.key_size, message.key) &&
          is_hex("cafebabefacedbaddecaf888", IV_SIZE, message.iv) &&
          is_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2", 20, message.aad) &&
          is_hex(plain, message.size, message.plain) &&
          is_hex(cipher, message.size, expected) &&
          is_hex(tag, TAG_SIZE, expected + message.size));
    tf_processor_hint(offered);
    set_key(&aes, &message);
    tf_vaes_encrypt(&aes, found, message.plain, message.size, message.iv,
                    found + message.size, TAG_SIZE, message.aad, message.aad_size);
    CHECK(memcmp(found, expected, message.size + TAG_SIZE) == 0);
    CHECK(tf_vaes_decrypt(&aes, found, found, message.size, message.iv,
                          expected + message.size, TAG_SIZE, message.aad,
                          message.aad_size) == 0 &&
          memcmp(found, message.plain, message.size) == 0);
    wc_AesFree(&aes);
    tf_processor_hint(0);
}

static void vaes_has_the_papers_results(void)
{
    if ((offered & TF_PROCESSOR_VAES) == 0) {
        (void)printf("SKIP no VAES here\n");
        return;
    }
    check_vector("feffe9928665731c6d6a8f9467308308", true,
                 "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
                 "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985",
                 "4d5c2af327cd64a62cf35abd2ba6fab4");
    check_vector("feffe9928665731c6d6a8f9467308308", false,
                 "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
                 "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
                 "5bc94fbc3221a5db94fae95ae7121a47");
    check_vector("feffe9928665731c6d6a8f9467308308feffe9928665731c", false,
                 "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
                 "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
                 "2519498e80f1478f37ba55bd6d27618c");
    check_vector("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
                 false,
                 "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                 "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
                 "76fc6ece0f4e1768cddf8853bb2d551b");
}

/* Any bit of the cipher text, the tag and what is authenticated with it. */
static void what_was_changed_is_refused_and_wiped(void)
{
    static struct message message;
    static uint8_t record[MESSAGE_MAX + TAG_SIZE + AAD_MAX];
    static uint8_t found[MESSAGE_MAX];
    Aes aes;

    make(&message, LONG + 100);
    uint32_t size = message.size;
    uint8_t *tag = record + size;
    uint8_t *aad = tag + TAG_SIZE;
    message.aad_size = 13;
    memcpy(aad, message.aad, message.aad_size);
    tf_processor_hint(offered);
    set_key(&aes, &message);
    CHECK(wc_AesGcmEncrypt(&aes, record, message.plain, size, message.iv, IV_SIZE, tag,
                           TAG_SIZE, aad, message.aad_size) == 0);
    for (uint32_t bit = 0; bit < 8 * (size + TAG_SIZE + message.aad_size); bit++) {
        record[bit / 8] ^= (uint8_t)(1U << bit % 8);
        int result = wc_AesGcmDecrypt(&aes, found, record, size, message.iv, IV_SIZE, tag,
                                      TAG_SIZE, aad, message.aad_size);
        bool is_left = memcmp(found, message.plain, LONG / 2) == 0 ||
                       memcmp(found + size - 64, message.plain + size - 64, 64) == 0;
        record[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (!CHECK(result != 0 && (!is_left || (offered & TF_PROCESSOR_VAES) == 0))) {
            return;
        }
    }
    wc_AesFree(&aes);
    tf_processor_hint(0);
}

static void the_next_key_has_powers_of_its_own(void)
{
    static struct message first;
    static struct message second;
    static uint8_t theirs[MESSAGE_MAX];
    static uint8_t ours[MESSAGE_MAX];
    uint8_t their_tag[TAG_SIZE];
    uint8_t our_tag[TAG_SIZE];
    Aes aes;

    make(&first, 2 * LONG);
    make(&second, 2 * LONG);
    tf_processor_hint(offered);
    set_key(&aes, &first);
    CHECK(wc_AesGcmEncrypt(&aes, ours, first.plain, first.size, first.iv, IV_SIZE,
                           our_tag, TAG_SIZE, first.aad, first.aad_size) == 0);
    CHECK(wc_AesGcmSetKey(&aes, second.key, second.key_size) == 0);
    CHECK(wc_AesGcmEncrypt(&aes, ours, second.plain, second.size, second.iv, IV_SIZE,
                           our_tag, TAG_SIZE, second.aad, second.aad_size) == 0);
    encrypt_with_openssl(&second, theirs, their_tag);
    CHECK(memcmp(ours, theirs, second.size) == 0 &&
          memcmp(our_tag, their_tag, TAG_SIZE) == 0);
    wc_AesFree(&aes);
    tf_processor_hint(0);
}

static void the_hint_and_the_length_choose(void)
{
    static struct message message;
    Aes aes;

    make(&message, LONG);
    tf_processor_hint(TF_PROCESSOR_VAES);
    set_key(&aes, &message);
    CHECK(tf_vaes_fits(&aes, LONG, IV_SIZE) != 0);
    CHECK(tf_vaes_fits(&aes, LONG - 1, IV_SIZE) == 0);
    CHECK(tf_vaes_fits(&aes, LONG, IV_SIZE + 1) == 0);
    tf_processor_hint(TF_PROCESSOR_SHA);
    CHECK(tf_vaes_fits(&aes, LONG, IV_SIZE) == 0);
    wc_AesFree(&aes);
    tf_processor_hint(0);
}

int main(void)
{
    offered = tf_cpu_processor(tf_cpuid_own, NULL) & TF_PROCESSOR_VAES;
    if (offered == 0) {
        (void)printf("no VAES here: only the other code is tested\n");
    }
    RUN(the_code_for_all_agrees_with_openssl);
    RUN(vaes_agrees_with_openssl);
    RUN(a_hint_that_changes_between_messages_changes_nothing);
    RUN(vaes_has_the_papers_results);
    RUN(what_was_changed_is_refused_and_wiped);
    RUN(the_next_key_has_powers_of_its_own);
    RUN(the_hint_and_the_length_choose);
    return test_end();
}
