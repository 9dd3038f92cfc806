/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spki.h - tells the two kinds of public key that publishers may have by their exact DER,
 * so that both crypto libraries accept the same bytes and none of them parses ASN.1 of
 * keys.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum tf_spki_kind {
    TF_SPKI_OTHER, /* not accepted */
    TF_SPKI_ED25519,
    TF_SPKI_P256,
};

enum { TF_ED25519_KEY_SIZE = 32, TF_P256_POINT_SIZE = 65 };

/**
 * The kind of a DER SubjectPublicKeyInfo (untrusted).
 *
 * @param key  the raw key, inside `spki`: 32 bytes (RFC 8410 section 4), or the 65 bytes
 * of an uncompressed point (RFC 5480 section 2.2); whether it is on the curve is not
 *             checked. Untouched for TF_SPKI_OTHER.
 */
enum tf_spki_kind tf_spki_parse(const uint8_t *spki, size_t size, const uint8_t **key);
