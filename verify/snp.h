/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp.h - judges an attestation report of AMD SEV-SNP with the processor's certificates.
 * No network and no clock. Formats: AMD 56860 "SEV Secure Nested Paging Firmware ABI",
 * table "ATTESTATION_REPORT", and 57230 "VCEK Certificate and KDS Interface".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "verify/appraisal.h"
#include "verify/chain.h"
#include "verify/policy.h"
#include "verify/quote.h"

enum { TF_SNP_REPORT_SIZE = 1184, TF_SNP_SIGNED_SIZE = 0x2a0 };

/** All the caller's; everything but time and policy is untrusted. */
struct tf_snp_input {
    const uint8_t *report;
    size_t report_size;
    struct tf_bytes vek; /* VCEK or VLEK, DER or PEM; size 0: no certificates at hand */
    struct tf_bytes ask; /* ASK, or ASVK for a VLEK */
    struct tf_bytes ark;
    struct tf_bytes crl;            /* the ARK's, DER; size 0: none at hand */
    int64_t time;                   /* seconds since 1970 */
    const struct tf_policy *policy; /* NULL: nothing is named, so TF_ESNP_OLD at least */
};

/**
 * Judges. In this order, and the first failure ends it: format; chain to AMD's root of
 * the product; CRL when given; the certificate is for this kind of key, product, chip and
 * TCB; signature. Then everything in the policy (tf_appraisal_apply), noting every
 * reason. Without a certificate: TF_ECOLLATERAL_FETCH.
 *
 * @param out  always filled with what could be read.
 * @return out->result.
 */
TF_MUST_USE tf_err tf_snp_verify(const struct tf_snp_input *input,
                                 struct tf_appraisal *out);

/** Finds VEK, ASK and ARK in untrusted PEM that has just these three, in this order.
 *  @return TF_OK and the parts, which point into `pem`, or TF_ECHAIN_FORMAT. */
TF_MUST_USE tf_err tf_snp_split(const struct tf_bytes *pem,
                                struct tf_bytes parts[static 3]);

/** What TCB_VERSION's bytes mean for a product: Turin put the FMC first. */
struct tf_snp_tcb tf_snp_tcb_of(tf_root product, const uint8_t bytes[static 8]);

/** Whether bytes look like a report rather than a DCAP quote: by size and version. */
bool tf_snp_is_report(const uint8_t *data, size_t size);
