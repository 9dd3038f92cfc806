/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collateral.h - what Intel publishes about platforms, as it comes from a PCS or PCCS,
 * kept in one JSON file (doc/formats.md, Collateral). Everything in it is untrusted: each
 * part is signed and is checked under the root, with the bytes exactly as they came.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "verify/chain.h"
#include "verify/policy.h"
#include "verify/quote.h"

enum { TF_COLLATERAL_MAX = 512 << 10, TF_CRL_MAX = 192 << 10 };

struct json_t; /* jansson's */

/** Collateral taken apart. Owned: end with tf_collateral_wipe. The texts are inside the
 *  document. */
struct tf_collateral {
    struct json_t *document;
    struct tf_bytes pck_crl_chain; /* PEM: the PCK's CA and the root */
    struct tf_bytes tcb_chain;     /* PEM: TCB signing certificate and the root */
    struct tf_bytes tcb_info;      /* JSON, the bytes that are signed */
    struct tf_bytes qe_chain;
    struct tf_bytes qe_identity;
    uint8_t tcb_signature[TF_P256_SIGNATURE_SIZE];
    uint8_t qe_signature[TF_P256_SIGNATURE_SIZE];
    uint8_t *crls; /* both lists, DER */
    struct tf_bytes root_crl;
    struct tf_bytes pck_crl;
};

/** Takes an untrusted file apart. @return TF_OK or TF_ECOLLATERAL_FORMAT. */
TF_MUST_USE tf_err tf_collateral_parse(const char *text, size_t size,
                                       struct tf_collateral *out);
void tf_collateral_wipe(struct tf_collateral *collateral);

/** One signed statement of the collateral, with who signed it. */
struct tf_statement {
    const struct tf_bytes *chain;
    const struct tf_bytes *body;
    const uint8_t *signature; /* TF_P256_SIGNATURE_SIZE */
};

/** What a statement is checked under. */
struct tf_statement_rules {
    const struct tf_policy *policy; /* may be NULL */
    const X509 *root;               /* the one of the PCK's chain */
    X509_CRL *root_crl;             /* already checked */
    int64_t time;
};

/**
 * Checks that "Intel SGX TCB Signing" signed a statement, under the same root as the PCK,
 * and is not revoked.
 *
 * @param ends  lowered to the end of the chain's validity if that is earlier.
 * @return TF_OK, TF_ECHAIN_*, or TF_ECOLLATERAL_SIGNATURE.
 */
TF_MUST_USE tf_err tf_statement_check(const struct tf_statement *statement,
                                      const struct tf_statement_rules *rules,
                                      int64_t *ends);

/**
 * Splits a PCS response such as {"tcbInfo":{...},"signature":"..."} into the bytes that
 * are signed and the signature's hex.
 *
 * @param key   "tcbInfo" or "enclaveIdentity".
 * @param body  points into `text`.
 * @return TF_OK or TF_ECOLLATERAL_FORMAT.
 */
TF_MUST_USE tf_err
tf_collateral_split(const char *text, size_t size, const char *key, struct tf_bytes *body,
                    char signature[static 2 * TF_P256_SIGNATURE_SIZE + 1]);
