/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/cbor.h"

enum { ONE_BYTE = 24, TWO_BYTES = 25, FOUR_BYTES = 26, EIGHT_BYTES = 27 };

/* RFC 8949, section 3: the argument, big-endian after the initial byte. */
static uint64_t read_argument(struct tf_reader *r, uint8_t info)
{
    uint64_t value = 0;
    size_t size = (size_t)1 << (info - ONE_BYTE);
    const uint8_t *bytes = tf_read_bytes(r, size);

    for (size_t i = 0; bytes != NULL && i < size; i++) {
        value = value << 8 | bytes[i];
    }
    /* 4.2.1: what fits into fewer bytes is not written in more. */
    uint64_t least = info == ONE_BYTE ? ONE_BYTE : UINT64_C(1) << (4 * size);
    if (value < least) {
        r->bad = true;
    }
    return value;
}

uint64_t tf_cbor_head(struct tf_reader *r, tf_cbor_kind kind)
{
    const uint8_t *first = tf_read_bytes(r, 1);

    if (first == NULL || *first >> 5 != (uint8_t)kind) {
        r->bad = true;
        return 0;
    }
    uint8_t info = *first & 31;
    if (info < ONE_BYTE) {
        return info;
    }
    if (info > EIGHT_BYTES) {
        r->bad = true;
        return 0;
    }
    uint64_t value = read_argument(r, info);
    return r->bad ? 0 : value;
}

struct tf_bytes tf_cbor_string(struct tf_reader *r, tf_cbor_kind kind)
{
    uint64_t size = tf_cbor_head(r, kind);

    if (size > tf_reader_left(r)) {
        r->bad = true;
        size = 0;
    }
    const uint8_t *data = tf_read_bytes(r, (size_t)size);
    return (struct tf_bytes){data, data == NULL ? 0 : (size_t)size};
}
