/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.h - evidence of hardware as the relying party gets it: the JSON objects of
 * doc/formats.md ("Evidence") around what a quoting enclave or a confidential VM's
 * firmware signed. Nothing is judged here; that is for verify/.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/sgx.h"
#include "host/aesm.h"
#include "lib/err.h"

enum {
    TF_SNP_REPORT_SIZE = 1184,  /* SEV-SNP ABI, ATTESTATION_REPORT */
    TF_EVIDENCE_WAIT_MS = 10000 /* for one question to AESM */
};

/**
 * Wraps a DCAP quote, of SGX or TDX.
 *
 * @param out   `cap` bytes; not a string.
 * @return TF_OK and `size`, or TF_ELIMIT if it does not fit.
 */
TF_MUST_USE tf_err tf_evidence_write_quote(const uint8_t *quote, size_t quote_size,
                                           char *out, size_t cap, size_t *size);

/** Wraps an SEV-SNP report. @param pem  VCEK or VLEK, ASK or ASVK, ARK; "" for none.
 *  @return as tf_evidence_write_quote. */
TF_MUST_USE tf_err tf_evidence_write_snp(const uint8_t report[static TF_SNP_REPORT_SIZE],
                                         const char *pem, char *out, size_t cap,
                                         size_t *size);

/** Has AESM quote a REPORT and wraps the quote. @param out  TF_EVIDENCE_MAX bytes.
 *  @return as tf_aesm_quote(). */
TF_MUST_USE tf_err tf_evidence_quote(struct tf_aesm *aesm,
                                     const struct sgx_report *report, char *out,
                                     size_t *size);
