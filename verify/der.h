/* SPDX-License-Identifier: Apache-2.0 */
/*
 * der.h - just enough DER (X.690) to read what vendors put into certificate extensions:
 * one element after the other, one-byte tags, definite and shortest lengths.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"

enum {
    TF_DER_BOOLEAN = 0x01,
    TF_DER_INTEGER = 0x02,
    TF_DER_OCTETS = 0x04,
    TF_DER_OID = 0x06,
    TF_DER_ENUMERATED = 0x0a,
    TF_DER_IA5 = 0x16,
    TF_DER_SEQUENCE = 0x30
};

/** Takes the next element, which must have this tag; `contents` then reads inside it.
 *  @return false, and `r` is bad, if it is none. */
bool tf_der_open(struct tf_reader *r, uint8_t tag, struct tf_reader *contents);

/** A non-negative INTEGER (or ENUMERATED, by `tag`) of at most `max`. */
bool tf_der_integer(struct tf_reader *r, uint8_t tag, uint32_t max, uint32_t *out);

/** An OCTET STRING of exactly `size` bytes. */
bool tf_der_octets(struct tf_reader *r, uint8_t *out, size_t size);

/** A BOOLEAN. */
bool tf_der_boolean(struct tf_reader *r, bool *out);
