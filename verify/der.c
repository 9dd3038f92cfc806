/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/der.h"

#include <string.h>

static uint8_t read_byte(struct tf_reader *r)
{
    const uint8_t *byte = tf_read_bytes(r, 1);

    return byte == NULL ? 0 : *byte;
}

/* X.690, section 8.1.3, in the shortest form (10.1), up to two bytes. */
static size_t read_length(struct tf_reader *r)
{
    size_t first = read_byte(r);

    if (first < 0x80) {
        return first;
    }
    size_t size = read_byte(r);
    if (first == 0x82) {
        size = size << 8 | read_byte(r);
    }
    r->bad = r->bad || (first == 0x81 && size < 0x80) ||
             (first == 0x82 && size < 0x100) || first == 0x80 || first > 0x82;
    return size;
}

bool tf_der_open(struct tf_reader *r, uint8_t tag, struct tf_reader *contents)
{
    r->bad = read_byte(r) != tag || r->bad;
    size_t size = read_length(r);
    const uint8_t *data = tf_read_bytes(r, size);

    if (r->bad) {
        return false;
    }
    tf_reader_init(contents, data, size);
    return true;
}

bool tf_der_integer(struct tf_reader *r, uint8_t tag, uint32_t max, uint32_t *out)
{
    struct tf_reader in;
    uint64_t value = 0;

    if (!tf_der_open(r, tag, &in)) {
        return false;
    }
    size_t size = in.size;
    for (size_t i = 0; i < size && size <= 5; i++) {
        value = value << 8 | read_byte(&in);
    }
    bool is_negative = size > 0 && (in.data[0] & 0x80) != 0;
    bool is_long = size > 1 && in.data[0] == 0 && (in.data[1] & 0x80) == 0;
    if (size == 0 || size > 5 || is_negative || is_long || value > max) {
        r->bad = true;
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

bool tf_der_octets(struct tf_reader *r, uint8_t *out, size_t size)
{
    struct tf_reader in;

    if (!tf_der_open(r, TF_DER_OCTETS, &in) || in.size != size) {
        r->bad = true;
        return false;
    }
    memcpy(out, in.data, size);
    return true;
}

bool tf_der_boolean(struct tf_reader *r, bool *out)
{
    struct tf_reader in;

    if (!tf_der_open(r, TF_DER_BOOLEAN, &in) || in.size != 1 ||
        (in.data[0] != 0 && in.data[0] != 0xff)) {
        r->bad = true;
        return false;
    }
    *out = in.data[0] != 0;
    return true;
}
