/* SPDX-License-Identifier: Apache-2.0 */
/* cert.h - a publisher's small certificate authority: makes itself, signs an enclave's
 * CSR. */
#pragma once

#include <stddef.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/err.h"

/** Loads the first certificate of a PEM file. @return owned, or NULL after a message. */
X509 *tf_cert_load(const char *path);

/**
 * Issues a leaf for the key of a CSR.
 *
 * @param csr    PEM; its self-signature and its key (P-256) are checked, and that it asks
 * for exactly `names`. It comes from attested code, and is checked all the same.
 * @param chain  PEM: the leaf, then the CA; owned by the caller: OPENSSL_free.
 * @return TF_OK, or an error after a message.
 */
struct tf_cert_order {
    X509 *ca;
    EVP_PKEY *ca_key;
    const char *const *names;
    size_t name_count;
    long seconds; /* from now */
};
TF_MUST_USE tf_err tf_cert_issue(const struct tf_cert_order *order, const char *csr,
                                 char **chain);

/** A self-signed CA certificate for `key`, good for ten years. @return owned, or NULL. */
X509 *tf_cert_make_ca(const char *name, EVP_PKEY *key);
