/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_text.h - which bytes HTTP allows where (RFC 9110 section 5.5 and 5.6). Used by the
 * request parser on what a client sent and by the reply writer on what a lambda answered:
 * both are untrusted. Nothing here depends on a locale.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enclave/js/js.h"

/** RFC 9110 5.6.2: bit c % 32 of word c / 32 says that ASCII c may be in a token. */
extern const uint32_t tf_http_tchars[4];

/** @return whether `c` may be in a token: a method or a field name. */
static inline bool tf_http_is_tchar(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte < 128 && ((tf_http_tchars[byte / 32] >> (byte % 32)) & 1) != 0;
}

/** @return whether `text` is a token: one tchar or more. */
bool tf_http_is_token(struct tf_str text);

/** @return whether `c` is one that tf_http_plain counts. */
static inline bool tf_http_is_plain(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte >= ' ' && byte != 0x7f;
}

/** @return how many of the first bytes are no control characters, HTAB among these. */
size_t tf_http_plain(const char *bytes, size_t size);

/** @return whether `c` may be in a field's value: no control character but HTAB. */
static inline bool tf_http_is_text(char c)
{
    return tf_http_is_plain(c) || c == '\t';
}

/** @return whether `text`, any size, is only what tf_http_is_text allows. */
bool tf_http_is_value(struct tf_str text);

/** @return `c`, in lower case if it is an ASCII letter. */
static inline char tf_http_lower(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (char)(c - 'A' + 'a');
    }
    return c;
}

/** @return whether `text` is the text of as many bytes at `lower` but for the case of
 * ASCII letters. */
bool tf_http_is_same(struct tf_str text, const char *lower);

/** @return whether `text` is `lower` but for the case of ASCII letters. Most that are
 * compared are not as long, which costs nothing to see. */
static inline bool tf_http_is(struct tf_str text, const char *lower)
{
    return text.size == __builtin_strlen(lower) && tf_http_is_same(text, lower);
}
