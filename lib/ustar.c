/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/ustar.h"

#include <stdbool.h>
#include <string.h>

#include "lib/bundle.h"
#include "lib/names.h"

/* Fields of a header, POSIX.1-1988 section 10.1.1. */
enum {
    NAME_AT = 0,
    NAME_SIZE = 100,
    MODE_AT = 100,
    UID_AT = 108,
    GID_AT = 116,
    SIZE_AT = 124,
    MTIME_AT = 136,
    CHECKSUM_AT = 148,
    CHECKSUM_SIZE = 8,
    TYPE_AT = 156,
    MAGIC_AT = 257,
    MAJOR_AT = 329,
    MINOR_AT = 337,
};

static const uint8_t magic[] = {'u', 's', 't', 'a', 'r', 0, '0', '0'}; /* and version */

enum { SIZE_DIGITS = 11, CHECKSUM_DIGITS = 6 };
static const uint64_t size_max = (UINT64_C(1) << (3 * SIZE_DIGITS)) - 1;

_Static_assert((int)TF_PATH_MAX == (int)NAME_SIZE, "a path fills the name field at most");

static void put_octal(uint8_t *out, uint64_t value, size_t digits)
{
    for (size_t i = digits; i > 0; i--) {
        out[i - 1] = (uint8_t)('0' + (value & 7));
        value >>= 3;
    }
}

/* The sum of all bytes, those of the checksum itself taken as spaces. */
static uint32_t checksum(const uint8_t *header)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < TF_USTAR_BLOCK; i++) {
        bool is_own = i >= CHECKSUM_AT && i < CHECKSUM_AT + CHECKSUM_SIZE;
        sum += is_own ? (uint8_t)' ' : header[i];
    }
    return sum;
}

static void put_checksum(uint8_t *header)
{
    put_octal(header + CHECKSUM_AT, checksum(header), CHECKSUM_DIGITS);
    header[CHECKSUM_AT + CHECKSUM_DIGITS] = 0;
    header[CHECKSUM_AT + CHECKSUM_DIGITS + 1] = ' ';
}

static bool is_entry_path(const char *path, size_t size)
{
    size_t reserved = strlen(TF_ENVELOPE_PATH);
    return tf_path_is_valid(path, size) ||
           (size == reserved && memcmp(path, TF_ENVELOPE_PATH, reserved) == 0);
}

/* Writes the one header that a valid path and a size have. */
static void put_header(uint8_t *header, const char *path, size_t path_size, uint64_t size)
{
    memset(header, 0, TF_USTAR_BLOCK);
    memcpy(header + NAME_AT, path, path_size);
    put_octal(header + MODE_AT, 0644, 7);
    put_octal(header + UID_AT, 0, 7);
    put_octal(header + GID_AT, 0, 7);
    put_octal(header + SIZE_AT, size, SIZE_DIGITS);
    put_octal(header + MTIME_AT, 0, 11);
    header[TYPE_AT] = '0';
    memcpy(header + MAGIC_AT, magic, sizeof(magic));
    put_octal(header + MAJOR_AT, 0, 7);
    put_octal(header + MINOR_AT, 0, 7);
    put_checksum(header);
}

size_t tf_ustar_entry_size(size_t size)
{
    return TF_USTAR_BLOCK + (size + TF_USTAR_BLOCK - 1) / TF_USTAR_BLOCK * TF_USTAR_BLOCK;
}

tf_err tf_ustar_header_write(uint8_t header[static 512], const char *path, size_t size)
{
    if (!is_entry_path(path, strlen(path))) {
        return TF_EBUNDLE_PATH;
    }
    if (size > size_max) {
        return TF_ELIMIT;
    }
    put_header(header, path, strlen(path), size);
    return TF_OK;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

static tf_err read_end(struct tf_reader *r)
{
    const uint8_t *second = tf_read_bytes(r, TF_USTAR_BLOCK);
    if (second == NULL || !is_zero(second, TF_USTAR_BLOCK) || tf_reader_left(r) != 0) {
        return TF_EBUNDLE_TAR;
    }
    return TF_ENOTFOUND;
}

/* Octal digits without a sign or spaces; what is no digit shows in the comparison later.
 */
static uint64_t octal(const uint8_t *text, size_t digits)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        value = value << 3 | (text[i] & 7u);
    }
    return value;
}

static tf_err check_header(const uint8_t *header, struct tf_ustar_entry *entry)
{
    uint8_t expected[TF_USTAR_BLOCK];
    memcpy(expected, header, sizeof(expected));
    put_checksum(expected);
    if (memcmp(expected, header, sizeof(expected)) != 0) {
        return TF_EBUNDLE_TAR;
    }
    if (header[TYPE_AT] != '0') {
        return TF_EBUNDLE_TYPE;
    }
    const uint8_t *end = memchr(header + NAME_AT, 0, NAME_SIZE);
    entry->path = (const char *)header + NAME_AT;
    entry->path_size = end == NULL ? NAME_SIZE : (size_t)(end - (header + NAME_AT));
    if (!is_entry_path(entry->path, entry->path_size)) {
        return TF_EBUNDLE_PATH;
    }
    uint64_t size = octal(header + SIZE_AT, SIZE_DIGITS);
    put_header(expected, entry->path, entry->path_size, size);
    if (memcmp(expected, header, sizeof(expected)) != 0) {
        return TF_EBUNDLE_TAR;
    }
    entry->size = (size_t)size;
    return TF_OK;
}

tf_err tf_ustar_read(struct tf_reader *r, struct tf_ustar_entry *out)
{
    const uint8_t *header = tf_read_bytes(r, TF_USTAR_BLOCK);
    if (header == NULL) {
        return TF_EBUNDLE_TAR;
    }
    if (is_zero(header, TF_USTAR_BLOCK)) {
        return read_end(r);
    }
    struct tf_ustar_entry entry = {0};
    tf_err err = check_header(header, &entry);
    if (err) {
        return err;
    }
    size_t padding = tf_ustar_entry_size(entry.size) - TF_USTAR_BLOCK - entry.size;
    entry.contents = tf_read_bytes(r, entry.size);
    const uint8_t *zeros = tf_read_bytes(r, padding);
    if (entry.contents == NULL || zeros == NULL || !is_zero(zeros, padding)) {
        return TF_EBUNDLE_TAR;
    }
    *out = entry;
    return TF_OK;
}
