/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dcap.h - judges an ECDSA quote of SGX or TDX with Intel's collateral. No network and no
 * clock: the caller brings quote, collateral and time. Who links the library may use it
 * without the rest of tfaas (doc/man/libtfaas-verify.3.scd has an example).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "verify/appraisal.h"
#include "verify/collateral.h"
#include "verify/policy.h"

/** All the caller's; quote and collateral are untrusted. */
struct tf_dcap_input {
    const uint8_t *quote;
    size_t quote_size;
    const struct tf_collateral *collateral; /* NULL: none at hand */
    int64_t time;                           /* seconds since 1970 */
    const struct tf_policy *policy;         /* NULL: see tf_appraisal_apply */
};

/**
 * Judges. In this order, and the first failure ends it: format; PCK chain to the root;
 * CRLs; TCB info; QE identity; QE report; QE against its identity; quote signature; the
 * certificate's platform against the TCB info; TCB levels of platform, module and QE,
 * merged. Then everything in the policy (tf_appraisal_apply), noting every reason.
 *
 * Without collateral a quote whose PCK chain is good gets TF_ECOLLATERAL_FETCH, and
 * out->pck says which platform's is wanted.
 *
 * @param out  always filled with what could be read.
 * @return out->result.
 */
TF_MUST_USE tf_err tf_dcap_verify(const struct tf_dcap_input *input,
                                  struct tf_appraisal *out);
