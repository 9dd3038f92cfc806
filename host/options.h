/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - the command line of tfaasd. What is wrong with it is said on stderr, with
 * how it is meant.
 */
#pragma once

#include "host/daemon.h"
#include "lib/err.h"

/** What `tfaasd --help` prints. */
extern const char tf_options_usage[];

/**
 * Reads the command line, of which strings are borrowed: `argv` is cut up in place.
 *
 * @param out  zeros; filled even on failure, so that what it owns can be freed.
 * @return TF_OK; TF_EUSAGE, after a message; TF_EIO: this program does not find its
 * folder.
 */
TF_MUST_USE tf_err tf_options_parse(int argc, char **argv, struct tf_options *out);
