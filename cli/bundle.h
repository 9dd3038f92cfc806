/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.h - writing .tfb files. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "lib/err.h"

struct tf_bundle_file {
    const char *path;
    uint8_t *data;
    size_t size;
};

/**
 * Writes a bundle: the envelope over `manifest`, signed with `key` (NULL: no signature),
 * then the files in the order given, which is the manifest's.
 * @return TF_OK, or an error after a message.
 */
TF_MUST_USE tf_err tf_bundle_write(const char *out, EVP_PKEY *key, const char *manifest,
                                   const struct tf_bundle_file *files, size_t count);
