/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the enclave: lib/crypto.h over wolfCrypt. */
#include "lib/crypto.h"

#include <string.h>

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "lib/spki.h"

_Static_assert(sizeof(wc_Sha256) <= sizeof(struct tf_sha256), "room for the state");
_Static_assert(_Alignof(wc_Sha256) <= _Alignof(struct tf_sha256),
               "alignment of the state");

/* wolfCrypt counts in 32 bits; longer input goes in parts. */
static const size_t part_max = (size_t)1 << 30;

static wc_Sha256 *state_of(struct tf_sha256 *ctx)
{
    return (void *)ctx;
}

/* These calls fail only on NULL arguments. */
void tf_sha256_init(struct tf_sha256 *ctx)
{
    (void)wc_InitSha256(state_of(ctx));
}

void tf_sha256_feed(struct tf_sha256 *ctx, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t at = 0; at < size;) {
        size_t part = size - at < part_max ? size - at : part_max;
        (void)wc_Sha256Update(state_of(ctx), bytes + at, (word32)part);
        at += part;
    }
}

void tf_sha256_take(struct tf_sha256 *ctx, uint8_t digest[static TF_SHA256_SIZE])
{
    (void)wc_Sha256Final(state_of(ctx), digest);
}

void tf_sha256(const void *data, size_t size, uint8_t digest[static TF_SHA256_SIZE])
{
    struct tf_sha256 ctx;
    tf_sha256_init(&ctx);
    tf_sha256_feed(&ctx, data, size);
    tf_sha256_take(&ctx, digest);
}

struct signed_bytes {
    const uint8_t *message;
    size_t message_size;
    const uint8_t *signature;
    size_t signature_size;
};

static bool is_good_ed25519(const uint8_t *raw, const struct signed_bytes *in)
{
    ed25519_key key;
    int is_good = 0;
    if (wc_ed25519_init(&key) != 0) {
        return false;
    }
    if (wc_ed25519_import_public(raw, TF_ED25519_KEY_SIZE, &key) != 0 ||
        wc_ed25519_verify_msg(in->signature, (word32)in->signature_size, in->message,
                              (word32)in->message_size, &is_good, &key) != 0) {
        is_good = 0;
    }
    wc_ed25519_free(&key);
    return is_good == 1;
}

static bool is_good_p256(const uint8_t *raw, const struct signed_bytes *in)
{
    ecc_key key;
    int is_good = 0;
    uint8_t digest[TF_SHA256_SIZE];
    tf_sha256(in->message, in->message_size, digest);
    if (wc_ecc_init(&key) != 0) {
        return false;
    }
    if (wc_ecc_import_x963_ex(raw, TF_P256_POINT_SIZE, &key, ECC_SECP256R1) != 0 ||
        wc_ecc_check_key(&key) != 0 ||
        wc_ecc_verify_hash(in->signature, (word32)in->signature_size, digest,
                           sizeof(digest), &is_good, &key) != 0) {
        is_good = 0;
    }
    (void)wc_ecc_free(&key);
    return is_good == 1;
}

tf_err tf_signature_check(const uint8_t *spki, size_t spki_size, const void *message,
                          size_t message_size, const uint8_t *signature,
                          size_t signature_size)
{
    const struct signed_bytes in = {message, message_size, signature, signature_size};
    const uint8_t *raw = NULL;
    enum tf_spki_kind kind = tf_spki_parse(spki, spki_size, &raw);
    if (kind == TF_SPKI_OTHER) {
        return TF_EFORMAT;
    }
    if (message_size > part_max || signature_size > part_max) {
        return TF_EDSSE_SIGNATURE;
    }
    bool is_good =
        kind == TF_SPKI_ED25519 ? is_good_ed25519(raw, &in) : is_good_p256(raw, &in);
    return is_good ? TF_OK : TF_EDSSE_SIGNATURE;
}

bool tf_crypto_equal(const void *a, const void *b, size_t size)
{
    const volatile uint8_t *left = a; /* volatile: no early end */
    const volatile uint8_t *right = b;
    uint8_t difference = 0;
    for (size_t i = 0; i < size; i++) {
        difference |= left[i] ^ right[i];
    }
    return difference == 0;
}

void tf_wipe(void *memory, size_t size)
{
    memset(memory, 0, size);
    __asm__ volatile(""
                     :
                     : "r"(memory)
                     : "memory"); /* the zeros may be read: keep them */
}
