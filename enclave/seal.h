/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal.h - secrets for the host's store that only this image, created for this trust
 * domain on this machine, can open again (doc/formats.md, "Sealed blob"). The host can
 * withhold a blob or bring an old one; what is inside must be safe against that.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

enum {
    TF_SEAL_HEAD_SIZE = 76, /* magic to nonce: the additional data */
    TF_SEAL_TAG_SIZE = 16,
    TF_SEAL_OVERHEAD = TF_SEAL_HEAD_SIZE + TF_SEAL_TAG_SIZE
};

/** Seals `size` secret bytes under a fresh key id and nonce.
 *  @param out  size + TF_SEAL_OVERHEAD bytes. @return TF_OK, TF_ESEAL_NONE (there is no
 *  key here: a native core in a guest), TF_EINTERNAL. */
TF_MUST_USE tf_err tf_seal(const void *plain, size_t size, uint8_t *out);

/**
 * Opens an untrusted blob.
 * @param plain  size - TF_SEAL_OVERHEAD bytes; the caller wipes them. Zeros on failure.
 * @return TF_OK and the size of the plaintext; TF_ESEAL.
 */
TF_MUST_USE tf_err tf_unseal(const uint8_t *blob, size_t size, uint8_t *plain,
                             size_t *plain_size);
