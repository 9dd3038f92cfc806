/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simulated.h - judges the evidence of an enclave that is simulated: no CPU vouches for
 * it, so it is worth what the key of the simulator on that machine is worth
 * (doc/formats.md, Simulated evidence).
 */
#pragma once

#include "lib/err.h"
#include "verify/appraisal.h"
#include "verify/evidence.h"
#include "verify/policy.h"

/**
 * Judges. Simulation is allowed; the policy's simulator signed; then the policy
 * (tf_appraisal_apply). Every reason is noted.
 *
 * @param evidence  of a simulated kind; untrusted.
 * @param out       always filled. @return out->result.
 */
TF_MUST_USE tf_err tf_simulated_verify(const struct tf_evidence *evidence,
                                       bool insecure_allow_simulated,
                                       const struct tf_policy *policy,
                                       struct tf_appraisal *out);
