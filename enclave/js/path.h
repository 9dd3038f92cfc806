/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.h - where an import of an ES module leads. For the engines that have modules.
 */
#pragma once

#include <stdbool.h>

#include "lib/err.h"

/** Joins an ES module specifier, untrusted, relative only, to the path of the module that
 *  has it. @param out  TF_PATH_MAX + 1 bytes, NUL-terminated. @return false if it leads
 *  nowhere. */
TF_MUST_USE bool tf_path_join(const char *base, const char *name, char *out);
