/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claims.h - what evidence is about: this connection, this key, this domain, these
 * lambdas (doc/formats.md, "Management endpoint"). Its SHA-256 is the REPORT's data.
 */
#pragma once

#include <stdint.h>

#include "enclave/buffer.h"
#include "lib/err.h"

struct tf_conn;

enum { TF_NONCE_SIZE = 32 };

/** Writes the claims of now for a management connection into `out`, an empty buffer.
 *  @return TF_OK or TF_ENOMEM. */
TF_MUST_USE tf_err tf_claims_write(struct tf_conn *conn,
                                   const uint8_t nonce[static TF_NONCE_SIZE],
                                   struct tf_buffer *out);
