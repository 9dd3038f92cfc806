/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rsa3.h - RSA-3072 with e = 3 and SHA-256 (PKCS #1 v1.5), as SIGSTRUCT has it: numbers
 * are little-endian, and two quotients beside the signature spare the CPU its divisions
 * (SDM 38.13). Big numbers come from OpenSSL (lib/rsa3_openssl.c), for programs outside
 * the enclave only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

enum {
    TF_RSA3_SIZE = 384,
    TF_RSA3_PEM_MAX = 4096 /* a private key, PKCS #8 */
};

/** What a signature adds to a message. S is `signature`, n is `modulus`. */
struct tf_rsa3_signature {
    uint8_t modulus[TF_RSA3_SIZE];
    uint8_t signature[TF_RSA3_SIZE];
    uint8_t q1[TF_RSA3_SIZE]; /* S^2 / n */
    uint8_t q2[TF_RSA3_SIZE]; /* S * (S^2 mod n) / n */
};

/**
 * Verifies a signature and both quotients.
 * @param signature  untrusted.
 * @return TF_OK, TF_EIMAGE_SIGNATURE, or TF_ENOMEM.
 */
TF_MUST_USE tf_err tf_rsa3_check(const struct tf_rsa3_signature *signature,
                                 const void *message, size_t size);

/**
 * Signs. The scheme has no randomness: one key and one message give one signature.
 * @param pem  private key, not encrypted; `pem_size` bytes, not kept.
 * @return TF_OK; TF_EIMAGE_KEY for anything but RSA with 3072 bits and e = 3; TF_ENOMEM.
 */
TF_MUST_USE tf_err tf_rsa3_sign(const char *pem, size_t pem_size, const void *message,
                                size_t size, struct tf_rsa3_signature *out);

/**
 * Takes a signature that was made elsewhere, such as in an HSM, and checks it.
 * @param pem        public key (SubjectPublicKeyInfo), `pem_size` bytes, not kept.
 * @param signature  big-endian, as PKCS #1 has it; untrusted.
 * @return TF_OK; TF_EIMAGE_KEY for anything but RSA with 3072 bits and e = 3;
 *         TF_EIMAGE_SIGNATURE: not this key's signature of the message; TF_ENOMEM.
 */
TF_MUST_USE tf_err tf_rsa3_attach(const char *pem, size_t pem_size, const void *message,
                                  size_t size,
                                  const uint8_t signature[static TF_RSA3_SIZE],
                                  struct tf_rsa3_signature *out);

/**
 * Makes a private key as PEM (PKCS #8, not encrypted).
 * @param pem  TF_RSA3_PEM_MAX bytes; a secret, the caller wipes it.
 * @return TF_OK or TF_EINTERNAL.
 */
TF_MUST_USE tf_err tf_rsa3_keygen(char *pem, size_t *pem_size);
