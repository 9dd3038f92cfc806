/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile quotes and RA-TLS certificates. There is no collateral, so nothing may be good;
 * what is taken apart must lie inside the input.
 */
#include <stdlib.h>
#include <string.h>

#include "verify/dcap.h"
#include "verify/ratls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require_inside(const uint8_t *data, size_t size, const uint8_t *part,
                           size_t part_size)
{
    if (part < data || part_size > size || (size_t)(part - data) > size - part_size) {
        __builtin_trap();
    }
}

static void check_parts(const uint8_t *data, size_t size)
{
    struct tf_quote q;

    if (tf_quote_parse(data, size, &q) != TF_OK) {
        return;
    }
    if (q.size > size || q.signed_part.data != data) {
        __builtin_trap();
    }
    require_inside(data, q.size, q.body.data, q.body.size);
    require_inside(data, q.size, q.qe_report, TF_QE_REPORT_SIZE);
    require_inside(data, q.size, q.auth.data, q.auth.size);
    require_inside(data, q.size, q.certs.data, q.certs.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tf_collateral none;
    const struct tf_dcap_input in = {
        .quote = data, .quote_size = size, .collateral = &none};
    struct tf_appraisal a;
    struct tf_ratls ratls;

    check_parts(data, size);
    if (tf_dcap_verify(&in, &a) == TF_OK || a.is_genuine || a.reason_count != 1) {
        __builtin_trap();
    }
    if (tf_ratls_parse(data, size, &ratls) == TF_OK) {
        tf_ratls_wipe(&ratls);
    }
    return 0;
}
