/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto.h - the few primitives that pure code needs. Implemented by lib/crypto_openssl.c
 * for programs outside and by enclave/crypto.c (wolfCrypt) inside: the platform is chosen
 * by file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

enum { TF_SHA256_SIZE = 32, TF_SPKI_MAX = 128 };

/** Room for either library's SHA-256 state; opaque. */
struct tf_sha256 {
    _Alignas(16) uint64_t state[32];
};

void tf_sha256_init(struct tf_sha256 *ctx);
void tf_sha256_feed(struct tf_sha256 *ctx, const void *data, size_t size);
/** Writes the digest; `ctx` must be initialised again before its next use. */
void tf_sha256_take(struct tf_sha256 *ctx, uint8_t digest[static TF_SHA256_SIZE]);
/** One-shot. */
void tf_sha256(const void *data, size_t size, uint8_t digest[static TF_SHA256_SIZE]);

/**
 * Verifies a signature under a public key given as DER SubjectPublicKeyInfo.
 *
 * Ed25519 (RFC 8410; 64-byte signature over the message itself) or ECDSA P-256 with
 * SHA-256 (RFC 5480; DER Ecdsa-Sig-Value). Everything is untrusted.
 *
 * @return TF_OK; TF_EFORMAT: another kind of key; TF_EDSSE_SIGNATURE: does not verify.
 */
TF_MUST_USE tf_err tf_signature_check(const uint8_t *spki, size_t spki_size,
                                      const void *message, size_t message_size,
                                      const uint8_t *signature, size_t signature_size);

/** Compares in time that depends on `size` only. */
bool tf_crypto_equal(const void *a, const void *b, size_t size);

/** Overwrites; the compiler may not drop it. */
void tf_wipe(void *memory, size_t size);
