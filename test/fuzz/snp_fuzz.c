/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile SEV-SNP reports and certificates. Input is a report, and then a certificate
 * that stands for all of the chain and for the revocation list. It cannot be good: AMD's
 * roots are pinned.
 */
#include <stdlib.h>
#include <string.h>

#include "verify/snp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t report = size < TF_SNP_REPORT_SIZE ? size : TF_SNP_REPORT_SIZE;
    const struct tf_bytes cert = {data + report, size - report};
    const struct tf_snp_input in = {.report = data,
                                    .report_size = report,
                                    .vek = cert,
                                    .ask = cert,
                                    .ark = cert,
                                    .crl = cert};
    struct tf_appraisal a;

    if (tf_snp_verify(&in, &a) == TF_OK || a.is_genuine || a.reason_count != 1) {
        __builtin_trap();
    }
    return 0;
}
