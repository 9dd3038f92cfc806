/* SPDX-License-Identifier: Apache-2.0 */
/* collateral_vendor.h - tf_collateral_find by the CPU's vendor; for
 * client/collateral_fetch.c. */
#pragma once

#include "client/collateral_fetch.h"

/** Intel's, for a quote. Arguments and results as of tf_collateral_find. */
TF_MUST_USE tf_err tf_collateral_find_intel(const struct tf_collateral_source *source,
                                            const struct tf_collateral_wanted *wanted,
                                            struct tf_collateral_found *out);

/** AMD's, for a report: certificates where the evidence has none, revocation list. */
TF_MUST_USE tf_err tf_collateral_find_amd(const struct tf_collateral_source *source,
                                          const struct tf_collateral_wanted *wanted,
                                          struct tf_collateral_found *out);
