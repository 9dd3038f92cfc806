/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.h - which paths, DNS names and names of lambdas are accepted. One rule each, used
 * wherever such a name comes in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** The entry of a bundle that holds the signed manifest. */
#define TF_ENVELOPE_PATH "tfaas.dsse"

/** Whether `path` may name a file of a bundle: relative, parts of [A-Za-z0-9._-] that are
 * not
 *  "." or "..", no empty part, at most TF_PATH_MAX, not "tfaas.dsse". */
bool tf_path_is_valid(const char *path, size_t size);

/** Whether `name` is a lower-case DNS name (LDH labels, at least two, no final dot). */
bool tf_dns_is_valid(const char *name, size_t size);

/** Whether `name` may name a lambda or a trust domain: one lower-case DNS label. */
bool tf_name_is_valid(const char *name, size_t size);
