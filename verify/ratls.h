/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ratls.h - certificates that carry evidence about the enclave which has their key, in
 * the interoperable form of the Confidential Computing Consortium:
 * extension 2.23.133.5.4.9 with the tagged CBOR 60000([quote, claims]). Takes them apart
 * and checks the binding; the quote is judged by tf_dcap_verify.
 *
 * A certificate says nothing about when: for evidence that is fresh and of this very
 * connection see doc/formats.md, Management endpoint.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "verify/quote.h"

enum { TF_RATLS_MAX = 96 << 10, TF_RATLS_NONCE_MAX = 64 };

/** A certificate's evidence. Owned: end with tf_ratls_wipe. */
struct tf_ratls {
    void *cert;             /* OpenSSL's X509 */
    struct tf_bytes quote;  /* inside it */
    struct tf_bytes claims; /* CBOR, as hashed into REPORTDATA */
    struct tf_bytes nonce;  /* of the claims; size 0: none */
};

/**
 * Takes an untrusted certificate apart, DER or PEM, and checks that its claims name its
 * public key and that the quote's REPORTDATA is their hash.
 *
 * @return TF_OK; TF_ECHAIN_FORMAT for no certificate; TF_EEVIDENCE_FORMAT for one without
 *         such evidence; TF_EQUOTE_*; TF_EEVIDENCE_BINDING.
 */
TF_MUST_USE tf_err tf_ratls_parse(const uint8_t *data, size_t size, struct tf_ratls *out);
void tf_ratls_wipe(struct tf_ratls *ratls);
