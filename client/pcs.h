/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcs.h - makes one collateral file (doc/formats.md, Collateral) of the answers of a PCS
 * (Intel's "Provisioning Certification Service" API, version 4) or a PCCS. Pure: bytes
 * in, text out. The answers are untrusted; here they are only decoded, with bounds.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "verify/quote.h"

enum { TF_PCS_CHAIN_MAX = 16 << 10 };

/** Decodes a URL-encoded header field (RFC 3986, section 2.1) of printable ASCII.
 *  @param out  owned by the caller: free. NUL-terminated text without NUL in it.
 *  @return TF_OK or TF_ECOLLATERAL_FORMAT. */
TF_MUST_USE tf_err tf_pcs_decode_chain(const char *text, char **out);

/** A revocation list as DER, or as hex as a PCCS has it. @param out  owned: free.
 *  @return TF_OK or TF_ECOLLATERAL_CRL. */
TF_MUST_USE tf_err tf_pcs_decode_crl(const uint8_t *body, size_t size, uint8_t **out,
                                     size_t *out_size);

/** One signed answer, as it came. */
struct tf_pcs_answer {
    struct tf_bytes body;
    const char *issuer_chain; /* URL-encoded; NULL if there was none */
};

/** All that makes collateral. The caller's; untrusted. */
struct tf_pcs_answers {
    struct tf_pcs_answer tcb_info;
    struct tf_pcs_answer qe_identity;
    struct tf_pcs_answer pck_crl;
    struct tf_bytes root_crl;
};

/** Writes the file. @param out  owned by the caller: free.
 *  @return TF_OK, TF_ECOLLATERAL_FORMAT or TF_ECOLLATERAL_CRL. */
TF_MUST_USE tf_err tf_pcs_compose(const struct tf_pcs_answers *answers, char **out,
                                  size_t *size);
