/* SPDX-License-Identifier: Apache-2.0 */
/* keys.h - the publisher's keys (Ed25519, ECDSA P-256), over OpenSSL; their secrecy. */
#pragma once

#include <openssl/evp.h>

#include "lib/crypto.h"
#include "lib/descriptor.h"

/** Keys and secrets of this process get into no core file, and no other process of this
 *  user reads them in its memory. @return TF_OK, or TF_EINTERNAL after a message. */
TF_MUST_USE tf_err tf_keys_hide(void);

/** Makes a key: "ed25519" or "p256". @return owned, or NULL after a message. */
EVP_PKEY *tf_key_make(const char *algorithm);

/** Loads a PEM private key of one of the two kinds. @return owned, or NULL after a
 * message. */
EVP_PKEY *tf_key_load(const char *path);

/** Writes a PEM private key (PKCS#8), mode 0600. */
TF_MUST_USE tf_err tf_key_save(const char *path, const EVP_PKEY *key);

/** DER SubjectPublicKeyInfo. @return its size, 0 if over TF_SPKI_MAX. */
size_t tf_key_spki(const EVP_PKEY *key, uint8_t spki[static TF_SPKI_MAX]);

/** Loads a PEM public key file as DER SubjectPublicKeyInfo. */
TF_MUST_USE tf_err tf_spki_load(const char *path, uint8_t spki[static TF_SPKI_MAX],
                                size_t *size);

/** Loads a trust domain descriptor. @return TF_OK, or an error after a message. */
TF_MUST_USE tf_err tf_descriptor_load(const char *path, struct tf_descriptor *out);

/** Hex SHA-256 of an SPKI, with NUL. */
void tf_keyid(const uint8_t *spki, size_t size,
              char keyid[static 2 * TF_SHA256_SIZE + 1]);

enum { TF_SIGNATURE_MAX = 96 };

/** Signs bytes: Ed25519 over them, P-256 over their SHA-256 (DER). */
TF_MUST_USE tf_err tf_key_sign(EVP_PKEY *key, const void *data, size_t size,
                               uint8_t signature[static TF_SIGNATURE_MAX],
                               size_t *signature_size);

/**
 * Writes a DSSE envelope with one signature, or with none if `key` is NULL.
 * @param out  owned by the caller: free. @return TF_OK, or an error after a message.
 */
TF_MUST_USE tf_err tf_envelope_make(EVP_PKEY *key, const char *type, const void *payload,
                                    size_t payload_size, char **out, size_t *size);
