/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claims.h - what evidence is about: this connection, this key, this domain, these
 * lambdas (doc/formats.md, "Management endpoint"). Its SHA-256 is the REPORT's data.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "enclave/buffer.h"
#include "lib/err.h"

struct tf_conn;

enum { TF_NONCE_SIZE = 32 };

/** Names of lambdas, untrusted. */
struct tf_claims_names {
    size_t count;
    char text[TF_NAMED_MAX][TF_NAME_MAX + 1];
};

/** Writes the claims of now for a management connection into `out`, an empty buffer.
 *  @param wanted  what they should say of lambdas: of these, as far as they are loaded;
 *  with none in it, of all.
 *  @return TF_OK; TF_ELIMIT: all are more than TF_NAMED_MAX; TF_ENOMEM. */
TF_MUST_USE tf_err tf_claims_write(struct tf_conn *conn,
                                   const uint8_t nonce[static TF_NONCE_SIZE],
                                   const struct tf_claims_names *wanted,
                                   struct tf_buffer *out);
