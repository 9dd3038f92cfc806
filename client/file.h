/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - whole files in, whole files out. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/**
 * Reads a whole file of at most `max` bytes.
 * @param data  owned by the caller: free (tf_wipe first if secret). NUL follows the
 * bytes.
 * @return TF_OK; TF_EIO or TF_ELIMIT after a message.
 */
TF_MUST_USE tf_err tf_file_read(const char *path, size_t max, uint8_t **data,
                                size_t *size);

/** Writes a file: temporary name, fsync, rename. @return TF_OK; TF_ESPACE or TF_EIO after
 *  a message. */
TF_MUST_USE tf_err tf_file_write(const char *path, const void *data, size_t size,
                                 unsigned mode);
