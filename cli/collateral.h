/* SPDX-License-Identifier: Apache-2.0 */
/* collateral.h - evidence in files, and the options that say where collateral comes from,
 * for every verb that judges evidence. */
#pragma once

#include "cli/cli.h"
#include "client/collateral_fetch.h"

/** Rows of a verb's table of options, for a struct tf_collateral_source. */
#define TF_COLLATERAL_OPTIONS(source_)                                                   \
    TF_TEXT("collateral", &(source_)->file),                                             \
        TF_TEXT("collateral-service", &(source_)->service),                              \
        TF_TEXT("collateral-cacert", &(source_)->cacert)

/** Without options: the service of the environment's TFAAS_COLLATERAL if there is one,
 *  and the user's cache. */
struct tf_collateral_source tf_default_collateral(void);

/** Loads a quote, a report, a certificate with a quote (RA-TLS), or the JSON of
 *  doc/formats.md, Evidence. @return TF_OK, or an error after a message. */
TF_MUST_USE tf_err tf_evidence_load(const char *path, struct tf_evidence *out);

/** The exit status of a verdict. 1 is a judgement; without collateral there is none, good
 *  or bad: TF_EXIT_USAGE. */
int tf_exit_of(tf_err result);
