/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cbor.h - just enough CBOR (RFC 8949) for RA-TLS evidence: definite lengths, in the
 * shortest form, no floats. Errors stick in the reader, as in bytes.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "verify/quote.h"

/** The major types that are read. */
typedef enum tf_cbor_kind {
    TF_CBOR_UNSIGNED = 0,
    TF_CBOR_BYTES = 2,
    TF_CBOR_TEXT = 3,
    TF_CBOR_ARRAY = 4,
    TF_CBOR_MAP = 5,
    TF_CBOR_TAG = 6
} tf_cbor_kind;

/** The number in a head of this kind: a value, a length, a count or a tag; 0 and bad
 *  otherwise. */
uint64_t tf_cbor_head(struct tf_reader *r, tf_cbor_kind kind);

/** A byte or text string, in place. */
struct tf_bytes tf_cbor_string(struct tf_reader *r, tf_cbor_kind kind);
