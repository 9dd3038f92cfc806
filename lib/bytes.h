/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes.h - cursors for reading and writing little-endian fields, and the text encodings.
 * The only place where parsers move through input.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/** A read cursor over the caller's bytes. `bad` sticks once anything ran past the end. */
struct tf_reader {
    const uint8_t *data;
    size_t size;
    size_t at;
    bool bad;
};

void tf_reader_init(struct tf_reader *r, const void *data, size_t size);
uint16_t tf_read_u16(struct tf_reader *r); /* 0 and bad past the end; likewise below */
uint32_t tf_read_u32(struct tf_reader *r);
uint64_t tf_read_u64(struct tf_reader *r);
/** @return the next `size` bytes in place and moves on, or NULL and bad. */
const uint8_t *tf_read_bytes(struct tf_reader *r, size_t size);
size_t tf_reader_left(const struct tf_reader *r);

/** Stores little-endian. */
void tf_store_u16(uint8_t *out, uint16_t value);
void tf_store_u32(uint8_t *out, uint32_t value);
void tf_store_u64(uint8_t *out, uint64_t value);

enum { TF_DECIMAL_MAX = 20 };

/** Writes a number in decimal, without a NUL. @return bytes written. */
size_t tf_decimal_write(uint64_t value, char out[static TF_DECIMAL_MAX]);

/** Lower-case hex of `data`, NUL-terminated: 2 * size + 1 bytes. */
void tf_hex_write(const void *data, size_t size, char *out);
/** Reads exactly 2 * size lower-case hex digits. @return TF_OK or TF_EFORMAT. */
TF_MUST_USE tf_err tf_hex_parse(const char *text, size_t text_size, uint8_t *out,
                                size_t size);

/** Replaces in a NUL-terminated text what is not printable ASCII: nothing in it is then a
 * command to a terminal, or half of a character. */
void tf_plain(char *text);

/** A base64 digit's value, or -1 for anything else, `=` included. */
int tf_base64_value(char c);
/** Bytes that base64 of `size` bytes takes, without a NUL. */
size_t tf_base64_size(size_t size);
/** RFC 4648 section 4 with padding, NUL-terminated: tf_base64_size(size) + 1 bytes. */
void tf_base64_write(const void *data, size_t size, char *out);
/** Strict: padding required, no white space, no stray bits.
 *  @param cap  bytes at `out`, which may be partly written on failure.
 *  @return TF_OK, TF_EFORMAT, or TF_ELIMIT. */
TF_MUST_USE tf_err tf_base64_parse(const char *text, size_t text_size, uint8_t *out,
                                   size_t cap, size_t *out_size);
