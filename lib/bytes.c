/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/bytes.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void tf_reader_init(struct tf_reader *r, const void *data, size_t size)
{
    *r = (struct tf_reader){.data = data, .size = size};
}

const uint8_t *tf_read_bytes(struct tf_reader *r, size_t size)
{
    if (r->bad || size > r->size - r->at) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *bytes = r->data + r->at;
    r->at += size;
    return bytes;
}

static uint64_t read_little(struct tf_reader *r, size_t size)
{
    const uint8_t *bytes = tf_read_bytes(r, size);
    if (bytes == NULL) {
        return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

uint16_t tf_read_u16(struct tf_reader *r)
{
    return (uint16_t)read_little(r, 2);
}

uint32_t tf_read_u32(struct tf_reader *r)
{
    return (uint32_t)read_little(r, 4);
}

uint64_t tf_read_u64(struct tf_reader *r)
{
    return read_little(r, 8);
}

size_t tf_reader_left(const struct tf_reader *r)
{
    return r->bad ? 0 : r->size - r->at;
}

static void store_little(uint8_t *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        out[i] = (uint8_t)(value >> (8 * i));
    }
}

size_t tf_decimal_write(uint64_t value, char out[static TF_DECIMAL_MAX])
{
    char digits[TF_DECIMAL_MAX];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    memcpy(out, digits + at, sizeof(digits) - at);
    return sizeof(digits) - at;
}

void tf_store_u16(uint8_t *out, uint16_t value)
{
    store_little(out, value, 2);
}

void tf_store_u32(uint8_t *out, uint32_t value)
{
    store_little(out, value, 4);
}

void tf_store_u64(uint8_t *out, uint64_t value)
{
    store_little(out, value, 8);
}

void tf_plain(char *text)
{
    for (char *c = text; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~') {
            *c = '?';
        }
    }
}

void tf_hex_write(const void *data, size_t size, char *out)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = hex_digits[bytes[i] >> 4];
        out[2 * i + 1] = hex_digits[bytes[i] & 15];
    }
    out[2 * size] = '\0';
}

/* The value of a lower-case hex digit, or -1. One value has one text, so that what is
 * compared as text and what is compared as bytes cannot differ. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

tf_err tf_hex_parse(const char *text, size_t text_size, uint8_t *out, size_t size)
{
    if (text_size / 2 != size || text_size % 2 != 0) {
        return TF_EFORMAT;
    }
    for (size_t i = 0; i < text_size; i++) {
        if (hex_value(text[i]) < 0) {
            return TF_EFORMAT;
        }
    }
    for (size_t i = 0; i < size; i++) {
        out[i] = (uint8_t)(hex_value(text[2 * i]) * 16 + hex_value(text[2 * i + 1]));
    }
    return TF_OK;
}

size_t tf_base64_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

void tf_base64_write(const void *data, size_t size, char *out)
{
    const uint8_t *bytes = data;
    size_t at = 0;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)bytes[i + 2] : 0;
        out[at++] = base64_digits[group >> 18];
        out[at++] = base64_digits[group >> 12 & 63];
        out[at++] = base64_digits[group >> 6 & 63];
        out[at++] = base64_digits[group & 63];
    }
    for (size_t i = size; i % 3 != 0; i++) {
        out[at - 3 + i % 3] = '=';
    }
    out[at] = '\0';
}

int tf_base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '+') {
        return 62;
    }
    return c == '/' ? 63 : -1;
}

/* Decodes `count` digits (2 to 4) of one group; the bits that no byte takes must be zero.
 */
static tf_err parse_group(const char *text, size_t count, uint8_t bytes[static 3])
{
    uint32_t group = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < count ? tf_base64_value(text[i]) : 0;
        if (value < 0) {
            return TF_EFORMAT;
        }
        group = group << 6 | (uint32_t)value;
    }
    uint32_t stray = count == 2 ? 0xffff : count == 3 ? 0xff : 0;
    if ((group & stray) != 0) {
        return TF_EFORMAT;
    }
    bytes[0] = (uint8_t)(group >> 16);
    bytes[1] = (uint8_t)(group >> 8);
    bytes[2] = (uint8_t)group;
    return TF_OK;
}

tf_err tf_base64_parse(const char *text, size_t text_size, uint8_t *out, size_t cap,
                       size_t *out_size)
{
    if (text_size % 4 != 0) {
        return TF_EFORMAT;
    }
    size_t padding = 0;
    if (text_size > 0 && text[text_size - 1] == '=') {
        padding = text[text_size - 2] == '=' ? 2 : 1;
    }
    size_t size = text_size / 4 * 3 - padding;
    if (size > cap) {
        return TF_ELIMIT;
    }
    for (size_t i = 0, at = 0; i < text_size; i += 4, at += 3) {
        size_t count = i + 4 == text_size ? 4 - padding : 4;
        uint8_t bytes[3];
        if (parse_group(text + i, count, bytes)) {
            return TF_EFORMAT;
        }
        memcpy(out + at, bytes, count - 1);
    }
    *out_size = size;
    return TF_OK;
}
