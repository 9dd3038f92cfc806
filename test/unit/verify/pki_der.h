/* SPDX-License-Identifier: Apache-2.0 */
/* pki_der.h - writes the few elements of DER (X.690) that pki.h needs. Trusts its
 * callers. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** Writes one element; `out` and `data` may overlap. @return its size. */
static inline size_t pki_der(uint8_t *out, uint8_t tag, const void *data, size_t size)
{
    size_t head = size < 0x80 ? 2 : size < 0x100 ? 3 : 4;

    memmove(out + head, data, size);
    out[0] = tag;
    out[1] = (uint8_t)(head == 2 ? size : head == 3 ? 0x81 : 0x82);
    if (head == 3) {
        out[2] = (uint8_t)size;
    }
    if (head == 4) {
        out[2] = (uint8_t)(size >> 8);
        out[3] = (uint8_t)size;
    }
    return head + size;
}

/** SEQUENCE { 1.2.840.113741.1.13.1 .path, value }: `value` is DER already. */
static inline size_t pki_field(uint8_t *out, const uint8_t *path, size_t path_size,
                               const uint8_t *value, size_t size)
{
    static const uint8_t oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 1, 0x0d, 1};
    uint8_t buffer[1024];
    uint8_t name[16];

    memcpy(name, oid, sizeof(oid));
    memcpy(name + sizeof(oid), path, path_size);
    size_t at = pki_der(buffer, 0x06, name, sizeof(oid) + path_size);
    memcpy(buffer + at, value, size);
    return pki_der(out, 0x30, buffer, at + size);
}
