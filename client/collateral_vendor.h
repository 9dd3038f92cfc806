/* SPDX-License-Identifier: Apache-2.0 */
/* collateral_vendor.h - what the two parts of client/collateral_fetch.c, one for each
 * vendor of CPUs, are and share. */
#pragma once

#include "client/collateral_fetch.h"
#include "client/fetch.h"

enum { TF_URL_TEXT_MAX = 1024 };

/** Intel's, for a quote. Arguments and results as of tf_collateral_find. */
TF_MUST_USE tf_err tf_collateral_find_intel(const struct tf_collateral_source *source,
                                            const struct tf_collateral_wanted *wanted,
                                            struct tf_collateral_found *out);

/** AMD's, for a report: certificates where the evidence has none, revocation list. */
TF_MUST_USE tf_err tf_collateral_find_amd(const struct tf_collateral_source *source,
                                          const struct tf_collateral_wanted *wanted,
                                          struct tf_collateral_found *out);

/** Whether a reason says that the collateral is no good, rather than what it is about. A
 *  revoked certificate is a judgement: the lists are signed. */
bool tf_collateral_is_blamed(tf_err reason);

/** Whether what was fetched then is within the source's max_age. */
bool tf_collateral_is_young(const struct tf_collateral_source *source, int64_t fetched,
                            int64_t time);

/** When a revocation list was made; INT64_MIN if it does not parse. */
int64_t tf_collateral_crl_start(const struct tf_bytes *der);

/** GETs a path of the service. @return as tf_fetch, and TF_EUSAGE after a message. */
TF_MUST_USE tf_err tf_collateral_ask(const struct tf_collateral_source *source,
                                     const char *path, size_t max,
                                     struct tf_fetched *out);
