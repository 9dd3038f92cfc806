/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain.h - certificates and revocation lists of the CPU vendors, over OpenSSL. Chains
 * here have a known shape - leaf, one CA, root - so each is checked link by link instead
 * of searched for. No clock: every check takes the time. Strict: what does not encode to
 * the same bytes again, or has text around the PEM, does not parse.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/err.h"
#include "verify/policy.h"
#include "verify/quote.h"
#include "verify/roots.h"

enum { TF_CHAIN_CERTS = 3, TF_CERT_MAX = 8 << 10 };

/** Certificates from the leaf to the root, owned: end with tf_chain_wipe. */
struct tf_chain {
    X509 *certs[TF_CHAIN_CERTS];
    size_t count;
};

/** Parses untrusted PEM of exactly `count` certificates; one NUL may follow.
 *  @return TF_OK or TF_ECHAIN_FORMAT; `out` needs tf_chain_wipe either way. */
TF_MUST_USE tf_err tf_chain_parse(const struct tf_bytes *pem, size_t count,
                                  struct tf_chain *out);

/** Adds one untrusted certificate, DER or PEM, to a chain that began as zeros. */
TF_MUST_USE tf_err tf_chain_add(struct tf_chain *chain, const struct tf_bytes *cert);

/** Frees its certificates; zeros are fine. */
void tf_chain_wipe(struct tf_chain *chain);

/** How a vendor makes its chains. */
struct tf_chain_rules {
    int signature;        /* NID_ecdsa_with_SHA256 or NID_rsassaPss */
    int hash;             /* NID_sha256 or NID_sha384 */
    bool has_bare_leaves; /* leaves carry no basicConstraints and keyUsage (AMD) */
};

extern const struct tf_chain_rules TF_CHAIN_INTEL;
extern const struct tf_chain_rules TF_CHAIN_AMD;

/**
 * Checks a chain up to its last certificate, the root: names and signatures link, uses
 * and path length allow it, all are valid at `time`, and the root's key is built in or
 * among the policy's `insecure_allow_roots`.
 *
 * @param policy   may be NULL: only the built-in roots.
 * @param root     which built-in root; TF_ROOT_NONE: one that the policy names for tests.
 * @return TF_OK, TF_ECHAIN_ROOT, _LINK or _VALIDITY; `root` is set with TF_OK only.
 */
TF_MUST_USE tf_err tf_chain_check(const struct tf_chain *chain,
                                  const struct tf_chain_rules *rules,
                                  const struct tf_policy *policy, int64_t time,
                                  tf_root *root);

/** Whether the subject's common name is exactly this. */
bool tf_cert_is_named(const X509 *cert, const char *name);

/** Whether both are the same bytes. */
bool tf_cert_is_same(const X509 *a, const X509 *b);

/** notAfter, as seconds since 1970; INT64_MIN if it does not parse. */
int64_t tf_cert_end(const X509 *cert);

/** The contents of the one extension with this dotted OID.
 *  @return false if there is none, or more than one. */
bool tf_cert_extension(const X509 *cert, const char *oid, struct tf_bytes *out);

/** A revocation list, owned: end with X509_CRL_free.
 *  @return TF_OK or TF_ECOLLATERAL_CRL. */
TF_MUST_USE tf_err tf_crl_parse(const struct tf_bytes *der, X509_CRL **out);

/** Checks that `issuer` (already checked) signed the list and that `time` is within its
 *  dates. @return TF_OK, TF_ECOLLATERAL_CRL or TF_ECOLLATERAL_EXPIRED. */
TF_MUST_USE tf_err tf_crl_check(X509_CRL *crl, X509 *issuer,
                                const struct tf_chain_rules *rules, int64_t time);

/** thisUpdate as seconds since 1970; INT64_MIN if it does not parse. */
int64_t tf_crl_start(const X509_CRL *crl);

/** nextUpdate as seconds since 1970; INT64_MIN if there is none. */
int64_t tf_crl_end(const X509_CRL *crl);

/** Whether the list names the certificate. */
bool tf_crl_lists(X509_CRL *crl, X509 *cert);

/** Verifies ECDSA over `message`: r and s of `size` big-endian bytes each, hash SHA-256
 * for 32 bytes and SHA-384 for 48. */
bool tf_ecdsa_check(EVP_PKEY *key, const struct tf_bytes *message, const uint8_t *r,
                    const uint8_t *s, size_t size);

/** A P-256 public key of untrusted x || y. @return owned (EVP_PKEY_free), or NULL if it
 * is no point of the curve. */
EVP_PKEY *tf_p256_key(const uint8_t xy[static TF_P256_XY_SIZE]);
