/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - how the programs of the relying party say on stderr what went wrong, and the
 * exit status that goes with it.
 */
#pragma once

#include "lib/err.h"

enum { TF_EXIT_OK = 0, TF_EXIT_REFUSED = 1, TF_EXIT_USAGE = 2 };

/** The exit status of a verb: TF_EXIT_OK, TF_EXIT_USAGE for TF_EUSAGE, TF_EIO, TF_ESPACE,
 *  TF_ENOMEM and TF_ETOOL, else TF_EXIT_REFUSED. */
int tf_exit(tf_err err);

/** Prints `tfaas: CODE: text: detail` and the hint. @return tf_exit(err). */
int tf_report(tf_err err, const char *detail, ...) __attribute__((format(printf, 2, 3)));

/** The same with another hint than the code's: what to do next in this very case. */
int tf_report_next(tf_err err, const char *next, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));

/** The same with the code that an enclave sent by name. @return TF_EXIT_REFUSED. */
int tf_report_refusal(const char *code);

/** The same with all that a host sent (untrusted; only printable ASCII is shown).
 *  @return TF_EXIT_REFUSED. */
int tf_report_remote(const char *code, const char *text, const char *hint);
