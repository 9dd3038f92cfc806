/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err_text.h - what an error means, for people. Not for the enclave: it says a code's
 * name, and those outside say the rest.
 */
#pragma once

#include "lib/err.h"

/** One line: what happened. Never NULL. */
const char *tf_err_text(tf_err err);

/** One line: what to do next. Never NULL; may be "". */
const char *tf_err_hint(tf_err err);

/** The code of a stable name; TF_ERR_COUNT: this version has none. */
tf_err tf_err_find(const char *name);
