/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle.h - reading and checking a .tfb.
 *
 * A bundle is a plain ustar archive (POSIX.1-1988 header, no pax, no prefix field): first
 * the entry "tfaas.dsse", a DSSE envelope over the manifest, then exactly the files that
 * the manifest lists, in its order. Two zero blocks end it. Nothing is copied: paths and
 * contents point into the caller's bytes. All input is untrusted. Formats:
 * doc/formats.md.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "lib/crypto.h"
#include "lib/descriptor.h"
#include "lib/err.h"
#include "lib/manifest.h"

struct tf_bundle {
    struct tf_manifest manifest;
    const uint8_t *contents[TF_FILES_MAX]; /* of the manifest's; in the caller's bytes */
    uint8_t digest[TF_SHA256_SIZE];        /* the lambda's id: SHA-256 of the DSSE PAE */
    char signer[2 * TF_SHA256_SIZE + 1];   /* keyid: hex SHA-256 of the signer's SPKI */
};

/* Bytes of scratch that are enough for any bundle. */
enum { TF_BUNDLE_SCRATCH = 3 * TF_MANIFEST_MAX + TF_ENVELOPE_MAX };

/** Bytes of scratch that a bundle or an envelope of `size` bytes needs. */
size_t tf_bundle_scratch(size_t size);

/**
 * Checks a whole bundle: archive, envelope, signature, manifest, every file.
 *
 * @param bytes    untrusted, kept: `out` points into it.
 * @param domain   whose publishers may sign; NULL skips the signature: for who knows the
 *                 digest already, which is of what was signed, and for the self-check of
 *                 tfaas pack.
 * @param engine   "quickjs", ...; NULL skips the engine check.
 * @param scratch  caller's memory for the decoded manifest and the PAE, of
 *                 tf_bundle_scratch or TF_BUNDLE_SCRATCH bytes; not needed afterwards.
 * @return TF_OK, or the first TF_EBUNDLE_*, TF_EDSSE_*, TF_EMANIFEST_* in the order of
 *         err.h.
 */
TF_MUST_USE tf_err tf_bundle_check(const uint8_t *bytes, size_t size,
                                   const struct tf_descriptor *domain, const char *engine,
                                   uint8_t *scratch, struct tf_bundle *out);

/**
 * Checks the entry tfaas.dsse of a bundle alone: envelope, signature, manifest.
 *
 * @param text  untrusted, not kept.
 * @param out   without contents. Else as tf_bundle_check.
 */
TF_MUST_USE tf_err tf_bundle_introduce(const char *text, size_t size,
                                       const struct tf_descriptor *domain,
                                       const char *engine, uint8_t *scratch,
                                       struct tf_bundle *out);

/** Releases what the manifest owns. */
void tf_bundle_wipe(struct tf_bundle *bundle);

/* Writing, for the CLI and the tests. */

/** Bytes of a ustar header plus `size` content bytes padded to a block. */
size_t tf_ustar_entry_size(size_t size);

/**
 * Writes one 512-byte ustar header: mode 0644, owner 0, time 0, so that the same files
 * give the same bytes.
 * @return TF_OK, or TF_EBUNDLE_PATH.
 */
TF_MUST_USE tf_err tf_ustar_header_write(uint8_t header[static 512], const char *path,
                                         size_t size);
