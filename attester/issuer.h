/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issuer.h - who certifies an enclave's key: the publisher's own CA, or an ACME client
 * (RFC 8555) that is run with the enclave's CSR. Either way the certificate is checked
 * here before it goes into a grant. Functions may be called from several threads.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "attester/config.h"
#include "lib/crypto.h"
#include "lib/err.h"

struct tf_issuer;

/** What an issuer gave. */
struct tf_certified {
    char *chain; /* PEM, leaf first; owned: free */
    size_t chain_size;
    char certificate[2 * TF_SHA256_SIZE + 1]; /* hex SHA-256 of the leaf's DER */
    uint64_t not_after;                       /* of the leaf; seconds since 1970 */
};

/** Loads keys. @param config  borrowed, kept until tf_issuer_close.
 *  @return TF_OK, or an error after a message. */
TF_MUST_USE tf_err tf_issuer_open(const struct tf_config *config, struct tf_issuer **out);
void tf_issuer_close(struct tf_issuer *issuer);

/**
 * Has the key of a CSR certified. May take as long as the ACME client.
 *
 * After a failure of the ACME client the next attempt waits, a minute at first, an hour
 * in the end: certificate authorities count.
 *
 * @param csr  PEM from attested code; checked all the same.
 * @return TF_OK; TF_EISSUER, TF_EGRANT_FORMAT or TF_EIO after a message; TF_AGAIN while
 *         the wait is not over.
 */
TF_MUST_USE tf_err tf_issuer_certify(struct tf_issuer *issuer, const char *csr,
                                     const char *const *names, size_t name_count,
                                     struct tf_certified *out);
