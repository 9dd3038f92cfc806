/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ustar.h - reading the plain ustar archives that bundles are. A header is accepted only
 * if it is byte for byte the one that tf_ustar_header_write (lib/bundle.h) makes for its
 * path and size, so that an archive has no bytes that nobody checks.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/err.h"

enum { TF_USTAR_BLOCK = 512 };

struct tf_ustar_entry {
    const char *path; /* into the archive; not NUL-terminated */
    size_t path_size;
    const uint8_t *contents; /* into the archive */
    size_t size;
};

/**
 * Reads the entry at the cursor, with its padding, or the archive's end.
 *
 * @param r    over the whole archive (untrusted); moved to the next entry.
 * @param out  untouched unless TF_OK.
 * @return TF_OK; TF_ENOTFOUND at a proper end: two zero blocks and nothing after them;
 *         TF_EBUNDLE_TAR, _TYPE, _PATH.
 */
TF_MUST_USE tf_err tf_ustar_read(struct tf_reader *r, struct tf_ustar_entry *out);
