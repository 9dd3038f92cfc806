/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsm.h - evidence of a confidential VM: Linux's configfs-tsm (6.7 and later;
 * Documentation/ABI/testing/configfs-tsm-report), which takes 64 bytes and gives a TDX
 * quote or an SEV-SNP report over them. What comes back is the hypervisor's as far as we
 * know: it is taken apart strictly, checked to be over our 64 bytes, and convinces only
 * who verifies it. Blocks for as long as the firmware takes: not for an event loop.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

enum {
    TF_TSM_DATA_SIZE = 64,
    TF_TSM_BLOB_MAX = 16 << 10, /* of outblob and auxblob; quotes have about 5000 bytes */
    TF_TSM_PEM_MAX = 12 << 10   /* three certificates */
};

/** An entry of the folder in which the kernel makes reports: ours. */
#define TF_TSM_PATH "/sys/kernel/config/tsm/report/tfaas"

/**
 * Evidence over 64 bytes, as JSON (doc/formats.md, "Evidence").
 *
 * @param path  the entry. Made, and removed again, unless it is there: an administrator
 *              may have made it for a service that is not root.
 * @param out   `cap` bytes (TF_EVIDENCE_MAX are enough); written on success only.
 * @return TF_OK and `size`; TF_ENOTFOUND without configfs-tsm; TF_AGAIN if another
 * process used the entry meanwhile; TF_EIO; TF_EQUOTE_KIND for a provider or a quote that
 *         we do not know; TF_EQUOTE_FORMAT if the blobs do not parse or are over other
 *         bytes; TF_ELIMIT.
 */
TF_MUST_USE tf_err tf_tsm_evidence(const char *path,
                                   const uint8_t data[static TF_TSM_DATA_SIZE], char *out,
                                   size_t cap, size_t *size);

/**
 * The certificates of auxblob (GHCB specification, 4.1.8.1): GUID, offset and length
 * each, until zeros, then DER. Entries of other GUIDs are passed over.
 *
 * @param bytes  untrusted.
 * @param pem    TF_TSM_PEM_MAX bytes: VCEK or VLEK, ASK or ASVK, ARK, NUL-terminated; ""
 * if not all three are there. Written on success only.
 * @return TF_OK; TF_EQUOTE_FORMAT for a table that ends early, points outside of itself
 * or into its head, names one twice, or holds what is not one DER SEQUENCE; TF_ELIMIT if
 * the PEM does not fit.
 */
TF_MUST_USE tf_err tf_tsm_certificates(const uint8_t *bytes, size_t size,
                                       char pem[static TF_TSM_PEM_MAX]);
