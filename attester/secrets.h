/* SPDX-License-Identifier: Apache-2.0 */
/* secrets.h - a lambda's secrets: a JSON object of strings in a file, for its grant. */
#pragma once

#include <stddef.h>

#include "abi/limits.h"
#include "client/grant.h"
#include "lib/err.h"

struct json_t; /* jansson's */

/** Owned: end with tf_secret_file_wipe. */
struct tf_secret_file {
    struct json_t *document;
    struct tf_grant_secret items[TF_ENV_MAX]; /* point into the document */
    size_t count;
};

/** Reads a file. @param path  NULL: there are none. @return TF_OK, or an error after a
 *  message. */
TF_MUST_USE tf_err tf_secret_file_load(const char *path, struct tf_secret_file *out);
void tf_secret_file_wipe(struct tf_secret_file *secrets);
