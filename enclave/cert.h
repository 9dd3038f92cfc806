/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert.h - the X.509 that the enclave makes (its management certificate, requests for
 * certificates) and the check of a leaf that was granted. Chains of trust are the
 * client's business; nothing here verifies a signature.
 */
#pragma once

#include "enclave/instance.h"
#include "lib/err.h"

enum { TF_CSR_PEM_MAX = 6 << 10, TF_KEY_PEM_MAX = 512 };

/** Makes the P-256 key and the self-signed certificate, CN "tfaas management".
 *  @return TF_OK or TF_EINTERNAL. */
TF_MUST_USE tf_err tf_cert_identity_make(struct tf_identity *out);

/**
 * Makes another certificate for the identity's key, with evidence in the extension
 * 2.23.133.5.4.9.
 *
 * @param evidence  tagged CBOR, public.
 * @param out       TF_ATTESTED_DER_MAX bytes.
 * @return TF_OK, TF_ENOMEM, or TF_EINTERNAL.
 */
TF_MUST_USE tf_err tf_cert_identity_attest(const struct tf_identity *identity,
                                           const uint8_t *evidence, size_t evidence_size,
                                           uint8_t *out, size_t *size);

/** A request for a certificate and its key. Wipe with tf_cert_csr_wipe. */
struct tf_csr {
    char pem[TF_CSR_PEM_MAX];     /* PKCS#10, NUL-terminated */
    char key_pem[TF_KEY_PEM_MAX]; /* secret: SEC1, NUL-terminated */
};

/**
 * Makes a new P-256 key and a request for these names, at least one.
 * @return TF_OK, TF_ENOMEM, or TF_EINTERNAL.
 */
TF_MUST_USE tf_err tf_cert_csr_make(const struct tf_names *names, struct tf_csr *out);

/** Overwrites. */
void tf_cert_csr_wipe(struct tf_csr *csr);

/**
 * Checks that the first certificate of `chain` (PEM, untrusted) is for exactly these
 * names: each is a dNSName of its SAN, and the SAN has no other.
 * @param end  its notAfter, seconds since 1970.
 * @return TF_OK, TF_EGRANT_FORMAT, TF_EGRANT_DOMAIN, or TF_ENOMEM.
 */
TF_MUST_USE tf_err tf_cert_leaf_check(const char *chain, size_t size,
                                      const struct tf_names *names, uint64_t *end);
