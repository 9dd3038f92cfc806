/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.h - evidence as an enclave's host wraps it for the channel (doc/formats.md,
 * Evidence): JSON that names its type around the bytes of a quote or report. Only takes
 * it apart; nobody believes what it says until verify/verify.h has judged it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "verify/quote.h"

enum { TF_SIM_SIGNATURE_SIZE = 64 };

/** Whose word the evidence is. */
typedef enum tf_evidence_kind {
    TF_EVIDENCE_SIMULATED,       /* a simulator's: nobody's */
    TF_EVIDENCE_DCAP,            /* Intel's: SGX and TDX */
    TF_EVIDENCE_SNP,             /* AMD's */
    TF_EVIDENCE_SIMULATED_NATIVE /* a simulator's, about a core that is no enclave */
} tf_evidence_kind;

/** Evidence taken apart: its own copies, all untrusted. */
struct tf_evidence {
    tf_evidence_kind kind;
    uint8_t data[TF_EVIDENCE_MAX]; /* quote or report; simulated: struct sgx_report
                                      without key id and MAC */
    size_t size;
    char certificates[TF_EVIDENCE_MAX]; /* SEV-SNP: PEM of VCEK or VLEK, its CA, the root
                                         */
    size_t certificates_size;           /* 0: the host had none */
    uint8_t root[TF_SPKI_MAX];          /* simulated: the key that it names */
    size_t root_size;
    uint8_t signature[TF_SIM_SIGNATURE_SIZE];
};

/** Takes untrusted evidence apart. @return TF_OK or TF_EEVIDENCE_FORMAT. */
TF_MUST_USE tf_err tf_evidence_parse(const char *text, size_t size,
                                     struct tf_evidence *out);
