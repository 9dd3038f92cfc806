/* SPDX-License-Identifier: Apache-2.0 */
/* Outside the enclave: lib/crypto.h over OpenSSL 3. */

/* The one-struct SHA-256 calls are deprecated since 3.0, but EVP contexts live on the
 * heap and can fail to be made, and hashing must not fail. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "lib/crypto.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "lib/spki.h"

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct tf_sha256), "room for the state");

void tf_sha256_init(struct tf_sha256 *ctx)
{
    (void)SHA256_Init((SHA256_CTX *)(void *)ctx);
}

void tf_sha256_feed(struct tf_sha256 *ctx, const void *data, size_t size)
{
    (void)SHA256_Update((SHA256_CTX *)(void *)ctx, data, size);
}

void tf_sha256_take(struct tf_sha256 *ctx, uint8_t digest[static TF_SHA256_SIZE])
{
    (void)SHA256_Final(digest, (SHA256_CTX *)(void *)ctx);
}

void tf_sha256(const void *data, size_t size, uint8_t digest[static TF_SHA256_SIZE])
{
    struct tf_sha256 ctx;
    tf_sha256_init(&ctx);
    tf_sha256_feed(&ctx, data, size);
    tf_sha256_take(&ctx, digest);
}

tf_err tf_signature_check(const uint8_t *spki, size_t spki_size, const void *message,
                          size_t message_size, const uint8_t *signature,
                          size_t signature_size)
{
    const uint8_t *raw = NULL;
    enum tf_spki_kind kind = tf_spki_parse(spki, spki_size, &raw);
    if (kind == TF_SPKI_OTHER) {
        return TF_EFORMAT;
    }
    const EVP_MD *hash = kind == TF_SPKI_P256 ? EVP_sha256() : NULL;
    const uint8_t *at = spki;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki_size);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int is_good =
        key != NULL && ctx != NULL &&
        EVP_DigestVerifyInit(ctx, NULL, hash, NULL, key) == 1 &&
        EVP_DigestVerify(ctx, signature, signature_size, message, message_size) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return is_good ? TF_OK : TF_EDSSE_SIGNATURE;
}

bool tf_crypto_equal(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}

void tf_wipe(void *memory, size_t size)
{
    OPENSSL_cleanse(memory, size);
}
