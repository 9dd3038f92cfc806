/* SPDX-License-Identifier: Apache-2.0 */
/* claims.h - the enclave's claims (doc/formats.md): what REPORTDATA is the hash of. */
#pragma once

#include "lib/descriptor.h"
#include "verify/verify.h"

struct tf_claims {
    uint8_t nonce[TF_NONCE_SIZE];
    uint8_t exporter[TF_EXPORTER_SIZE];
    uint8_t spki[TF_SHA256_SIZE];
    uint8_t domain[TF_SHA256_SIZE];
    uint8_t receipts[TF_SHA256_SIZE]; /* keyid of the key that signs receipts */
    uint8_t instance[16];
    char engine[16];
    char lvi[8];   /* against load value injection: off, cf or full */
    uint64_t time; /* the enclave's, seconds since 1970; 0: nobody has told it */
    bool has_group;
    struct tf_descriptor group;     /* whose domains share the enclave, if has_group */
    uint64_t times[TF_MEMBERS_MAX]; /* as `time`, of each of them; `time` itself is 0 */
    struct tf_revocation_claim revocations[TF_GROUP_PUBLISHERS_MAX];
    size_t revocation_count;
    bool has_lambda; /* the one that was asked for is among them */
    struct tf_lambda_claim lambda;
};

/** Parses untrusted claims, every lambda in them strictly, and keeps the one named
 * `lambda`.
 *  @return TF_OK or TF_EEVIDENCE_FORMAT. */
TF_MUST_USE tf_err tf_claims_parse(const char *text, size_t size, const char *lambda,
                                   struct tf_claims *out);
