/* SPDX-License-Identifier: Apache-2.0 */
/* rsa3_openssl.c - rsa3.h by OpenSSL. */
#include "lib/rsa3.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "lib/crypto.h"

enum { BITS = 3072, EXPONENT = 3 };

/* The numbers of one computation; all belong to `ctx`, so freeing it frees them. */
struct numbers {
    BN_CTX *ctx;
    BIGNUM *n;
    BIGNUM *s;
    BIGNUM *q1;
    BIGNUM *q2;
    BIGNUM *cube; /* S^3 mod n */
    BIGNUM *work;
};

static tf_err numbers_open(struct numbers *b)
{
    b->ctx = BN_CTX_new();
    if (b->ctx == NULL) {
        return TF_ENOMEM;
    }
    BN_CTX_start(b->ctx);
    b->n = BN_CTX_get(b->ctx);
    b->s = BN_CTX_get(b->ctx);
    b->q1 = BN_CTX_get(b->ctx);
    b->q2 = BN_CTX_get(b->ctx);
    b->cube = BN_CTX_get(b->ctx);
    b->work = BN_CTX_get(b->ctx);
    return b->work == NULL ? TF_ENOMEM : TF_OK; /* the last fails if any did */
}

static void numbers_close(struct numbers *b)
{
    if (b->ctx != NULL) {
        BN_CTX_end(b->ctx);
        BN_CTX_free(b->ctx);
    }
}

/* SDM 38.13: Q1 = S^2 / n, R = S^2 mod n, Q2 = S * R / n; then S^3 mod n = S * R - Q2 *
 * n. */
static tf_err divide(struct numbers *b)
{
    bool is_done = BN_sqr(b->work, b->s, b->ctx) == 1 &&
                   BN_div(b->q1, b->work, b->work, b->n, b->ctx) == 1 &&
                   BN_mul(b->work, b->s, b->work, b->ctx) == 1 &&
                   BN_div(b->q2, b->cube, b->work, b->n, b->ctx) == 1;
    return is_done ? TF_OK : TF_ENOMEM;
}

static tf_err load(struct numbers *b, const struct tf_rsa3_signature *signature)
{
    bool is_done = BN_lebin2bn(signature->modulus, TF_RSA3_SIZE, b->n) != NULL &&
                   BN_lebin2bn(signature->signature, TF_RSA3_SIZE, b->s) != NULL;
    return is_done ? TF_OK : TF_ENOMEM;
}

/* EMSA-PKCS1-v1_5 (RFC 8017, 9.2) of a SHA-256 digest. */
static void encode(const void *message, size_t size, uint8_t out[static TF_RSA3_SIZE])
{
    static const uint8_t digest_info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                          0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                          0x01, 0x05, 0x00, 0x04, 0x20};
    const size_t digest_at = TF_RSA3_SIZE - TF_SHA256_SIZE;
    const size_t info_at = digest_at - sizeof(digest_info);
    memset(out, 0xff, TF_RSA3_SIZE);
    out[0] = 0;
    out[1] = 1;
    out[info_at - 1] = 0;
    memcpy(out + info_at, digest_info, sizeof(digest_info));
    tf_sha256(message, size, out + digest_at);
}

static bool is_equal(const BIGNUM *number, const uint8_t little[static TF_RSA3_SIZE])
{
    uint8_t bytes[TF_RSA3_SIZE];
    return BN_bn2lebinpad(number, bytes, TF_RSA3_SIZE) == TF_RSA3_SIZE &&
           memcmp(bytes, little, TF_RSA3_SIZE) == 0;
}

static tf_err compare(struct numbers *b, const struct tf_rsa3_signature *signature,
                      const uint8_t encoded[static TF_RSA3_SIZE])
{
    /* n with 3072 bits and S below it: so S^3 has exactly one spelling. */
    if (BN_num_bits(b->n) != BITS || BN_cmp(b->s, b->n) >= 0) {
        return TF_EIMAGE_SIGNATURE;
    }
    tf_err err = divide(b);
    if (err != TF_OK) {
        return err;
    }
    uint8_t cube[TF_RSA3_SIZE];
    bool is_good = is_equal(b->q1, signature->q1) && is_equal(b->q2, signature->q2) &&
                   BN_bn2binpad(b->cube, cube, TF_RSA3_SIZE) == TF_RSA3_SIZE &&
                   memcmp(cube, encoded, TF_RSA3_SIZE) == 0;
    return is_good ? TF_OK : TF_EIMAGE_SIGNATURE;
}

tf_err tf_rsa3_check(const struct tf_rsa3_signature *signature, const void *message,
                     size_t size)
{
    struct numbers b = {.ctx = NULL};
    tf_err err = numbers_open(&b);
    if (err == TF_OK) {
        err = load(&b, signature);
    }
    if (err == TF_OK) {
        uint8_t encoded[TF_RSA3_SIZE];
        encode(message, size, encoded);
        err = compare(&b, signature, encoded);
    }
    numbers_close(&b);
    return err;
}

/* The key in `pem` if it is RSA with 3072 bits and e = 3, else NULL. */
static EVP_PKEY *read_key(const char *pem, size_t pem_size, bool is_private)
{
    if (pem_size > INT_MAX) {
        return NULL;
    }
    BIO *bio = BIO_new_mem_buf(pem, (int)pem_size);
    char password[] = ""; /* for an encrypted key: there is nobody to ask */
    EVP_PKEY *key = is_private ? PEM_read_bio_PrivateKey(bio, NULL, NULL, password)
                               : PEM_read_bio_PUBKEY(bio, NULL, NULL, password);
    BIO_free(bio);
    if (key == NULL) {
        return NULL;
    }
    BIGNUM *e = NULL;
    bool is_good = EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) == BITS &&
                   EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
                   BN_is_word(e, EXPONENT);
    BN_free(e);
    if (!is_good) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

/* Fills b->n and b->s. */
static tf_err sign(EVP_PKEY *key, const void *message, size_t size, struct numbers *b)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t signature[TF_RSA3_SIZE];
    size_t signature_size = sizeof(signature);
    bool is_done = ctx != NULL &&
                   EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
                   EVP_DigestSign(ctx, signature, &signature_size, message, size) == 1 &&
                   signature_size == TF_RSA3_SIZE &&
                   BN_bin2bn(signature, TF_RSA3_SIZE, b->s) != NULL &&
                   EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &b->n) == 1;
    EVP_MD_CTX_free(ctx);
    return is_done ? TF_OK : TF_EIMAGE_KEY;
}

static tf_err store(const struct numbers *b, struct tf_rsa3_signature *out)
{
    bool is_done = BN_bn2lebinpad(b->n, out->modulus, TF_RSA3_SIZE) == TF_RSA3_SIZE &&
                   BN_bn2lebinpad(b->s, out->signature, TF_RSA3_SIZE) == TF_RSA3_SIZE &&
                   BN_bn2lebinpad(b->q1, out->q1, TF_RSA3_SIZE) == TF_RSA3_SIZE &&
                   BN_bn2lebinpad(b->q2, out->q2, TF_RSA3_SIZE) == TF_RSA3_SIZE;
    return is_done ? TF_OK : TF_EINTERNAL;
}

tf_err tf_rsa3_sign(const char *pem, size_t pem_size, const void *message, size_t size,
                    struct tf_rsa3_signature *out)
{
    struct tf_rsa3_signature signature;
    struct numbers b = {.ctx = NULL};
    EVP_PKEY *key = read_key(pem, pem_size, true);
    tf_err err = key == NULL ? TF_EIMAGE_KEY : numbers_open(&b);
    if (err == TF_OK) {
        err = sign(key, message, size, &b);
    }
    if (err == TF_OK) {
        err = divide(&b);
    }
    if (err == TF_OK) {
        err = store(&b, &signature);
    }
    EVP_PKEY_free(key);
    numbers_close(&b);
    if (err == TF_OK) {
        *out = signature;
    }
    return err;
}

tf_err tf_rsa3_attach(const char *pem, size_t pem_size, const void *message, size_t size,
                      const uint8_t signature[static TF_RSA3_SIZE],
                      struct tf_rsa3_signature *out)
{
    struct tf_rsa3_signature made;
    struct numbers b = {.ctx = NULL};
    EVP_PKEY *key = read_key(pem, pem_size, false);
    tf_err err = key == NULL ? TF_EIMAGE_KEY : numbers_open(&b);
    if (err == TF_OK && (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &b.n) != 1 ||
                         BN_bin2bn(signature, TF_RSA3_SIZE, b.s) == NULL)) {
        err = TF_ENOMEM;
    }
    if (err == TF_OK) {
        err = divide(&b);
    }
    if (err == TF_OK && store(&b, &made) != TF_OK) { /* a quotient larger than n */
        err = TF_EIMAGE_SIGNATURE;
    }
    if (err == TF_OK) {
        err = tf_rsa3_check(&made, message, size);
    }
    EVP_PKEY_free(key);
    numbers_close(&b);
    if (err == TF_OK) {
        *out = made;
    }
    return err;
}

static EVP_PKEY *make_key(void)
{
    EVP_PKEY *key = NULL;
    BIGNUM *e = BN_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    bool is_ready = e != NULL && BN_set_word(e, EXPONENT) == 1 && ctx != NULL &&
                    EVP_PKEY_keygen_init(ctx) == 1 &&
                    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, BITS) == 1 &&
                    EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) == 1;
    if (!is_ready || EVP_PKEY_keygen(ctx, &key) != 1) {
        key = NULL;
    }
    BN_free(e);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

tf_err tf_rsa3_keygen(char *pem, size_t *pem_size)
{
    EVP_PKEY *key = make_key();
    BIO *bio = BIO_new(BIO_s_secmem()); /* wiped when freed */
    char *text = NULL;
    tf_err err = TF_EINTERNAL;
    if (key != NULL && bio != NULL &&
        PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
        long size = BIO_get_mem_data(bio, &text);
        if (size > 0 && size <= TF_RSA3_PEM_MAX) {
            memcpy(pem, text, (size_t)size);
            *pem_size = (size_t)size;
            err = TF_OK;
        }
    }
    BIO_free(bio);
    EVP_PKEY_free(key);
    return err;
}
