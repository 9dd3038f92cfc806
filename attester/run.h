/* SPDX-License-Identifier: Apache-2.0 */
/* run.h - runs a program of the user's and takes what it prints. No shell is involved. */
#pragma once

#include <stddef.h>

#include "lib/err.h"

/**
 * Runs `argv` (argv[0] is looked up in PATH) with this process's environment and stderr
 * and an empty stdin, at most `seconds` long; then it and its children are killed.
 *
 * @param argv    ends with NULL.
 * @param out     what it printed, NUL-terminated; `cap` bytes.
 * @return TF_OK if it ended with status 0; TF_ELIMIT if it printed too much; TF_EIO after
 *         a message.
 */
TF_MUST_USE tf_err tf_run(const char *const *argv, unsigned seconds, char *out,
                          size_t cap);
