/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.h - the relying party's judgement of an enclave: evidence, claims and policy in,
 * a verdict with reasons out. No network, no clock, no files: the caller brings the
 * bytes.
 *
 * Who may use it: the CLI, an attester, anyone outside who links the library. It does not
 * open connections; nonce, exporter and key hash are those of the caller's own connection
 * (doc/formats.md, Management endpoint), which is what makes the evidence fresh and
 * bound.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "verify/appraisal.h"
#include "verify/collateral.h"
#include "verify/policy.h"

enum {
    TF_REASONS_MAX = TF_APPRAISAL_REASONS_MAX + 8,
    TF_NONCE_SIZE = 32,
    TF_EXPORTER_SIZE = 32,
    TF_CLAIMS_MAX = 192 << 10 /* TF_NAMED_MAX lambdas with TF_DOMAINS_MAX long names, and
                                 a group */
};

/** What the relying party holds. All the caller's; texts and what the vendors say are
 * untrusted, the rest is its own. */
struct tf_verify_input {
    const char *evidence; /* JSON */
    size_t evidence_size;
    const char *claims; /* JSON, exactly the bytes that the enclave hashed */
    size_t claims_size;
    const struct tf_policy *policy;
    const char *lambda;                     /* must be among the claims' lambdas */
    uint8_t nonce[TF_NONCE_SIZE];           /* as sent */
    uint8_t exporter[TF_EXPORTER_SIZE];     /* of this connection */
    uint8_t spki[TF_SHA256_SIZE];           /* SHA-256 of the peer certificate's SPKI */
    int64_t time;                           /* seconds since 1970: the caller's clock */
    const struct tf_collateral *collateral; /* Intel's; NULL: none at hand */
    struct tf_bytes snp_certificates;       /* AMD's, PEM; for evidence that has none */
    struct tf_bytes snp_crl;                /* AMD's, DER; size 0: none at hand */
    bool insecure_allow_simulated;
};

/** The enclave's statement about the lambda that was asked for. */
struct tf_lambda_claim {
    char name[TF_NAME_MAX + 1];
    uint64_t version;
    char digest[2 * TF_SHA256_SIZE + 1];
    char signer[2 * TF_SHA256_SIZE + 1];
    char domains[TF_DOMAINS_MAX][TF_DNS_MAX + 1];
    size_t domain_count;
    bool is_granted;       /* it serves its names now */
    uint64_t serial;       /* of its grant; 0: none */
    uint64_t leased_until; /* seconds since 1970, in the enclave's time; 0: no lease */
};

/** The revocation list of a signer that the enclave enforces. */
struct tf_revocation_claim {
    char signer[2 * TF_SHA256_SIZE + 1];
    uint64_t serial;
};

struct tf_verdict {
    tf_err result;                  /* TF_OK, or the first reason */
    tf_err reasons[TF_REASONS_MAX]; /* all that failed, in the order of the checks */
    size_t reason_count;
    struct tf_appraisal appraisal; /* what the evidence says, and who vouches for it */
    bool has_claims;               /* the claims parsed: the next ones are set */
    char domain[2 * TF_SHA256_SIZE + 1];
    char instance[33];
    char receipts[2 * TF_SHA256_SIZE + 1]; /* keyid of the key that signs receipts */
    char engine[16];
    char lvi[8];         /* flavour of the image against load value injection */
    uint64_t time;       /* the enclave's, seconds since 1970; 0: nobody has told it */
    size_t member_count; /* domains that the enclave serves; 1: only the policy's */
    struct tf_revocation_claim revocations[TF_GROUP_PUBLISHERS_MAX];
    size_t revocation_count;
    bool has_lambda;
    struct tf_lambda_claim lambda;
};

/**
 * Judges. Checks, in this order: format; the evidence by itself and under the policy
 * (tf_simulated_verify, tf_dcap_verify, tf_snp_verify); REPORTDATA is the claims' hash;
 * the claims are of this nonce, this connection, and the key seen on it; trust domain
 * (bound in the evidence and in the claims); the lambda, who signed it, which it is.
 *
 * @param out  always filled with what could be read, even when the verdict is bad.
 * @return out->result.
 */
TF_MUST_USE tf_err tf_verify(const struct tf_verify_input *input, struct tf_verdict *out);
