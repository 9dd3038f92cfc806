/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/http_text.h"

#include <string.h>

static const uint64_t ones = UINT64_C(0x0101010101010101);
static const uint64_t tops = UINT64_C(0x8080808080808080);

const uint32_t tf_http_tchars[4] = {
    0, 0x03ff6cfa, /* ! # $ % & ' * + - . 0-9 */
    0xc7fffffe,    /* A-Z ^ _ */
    0x57ffffff,    /* ` a-z | ~ */
};

bool tf_http_is_token(struct tf_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!tf_http_is_tchar(text.data[i])) {
            return false;
        }
    }
    return text.size > 0;
}

/* The top bit of each byte below `limit`, at most 0x80. A borrow may set bits above one
 * that is set rightly, so the lowest tells the truth. */
static uint64_t bytes_below(uint64_t word, uint8_t limit)
{
    return (word - ones * limit) & ~word & tops;
}

/* Eight bytes at a time. */
size_t tf_http_plain(const char *bytes, size_t size)
{
    size_t at = 0;

    for (; size - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof(word));
        uint64_t others = bytes_below(word, ' ') | bytes_below(word ^ (ones * 0x7f), 1);
        if (others != 0) {
            return at + (size_t)__builtin_ctzll(others) / 8;
        }
    }
    while (at < size && tf_http_is_plain(bytes[at])) {
        at++;
    }
    return at;
}

bool tf_http_is_value(struct tf_str text)
{
    size_t at = 0;

    while (at < text.size) {
        at += tf_http_plain(text.data + at, text.size - at);
        if (at < text.size && text.data[at] != '\t') {
            return false;
        }
        at++;
    }
    return true;
}

bool tf_http_is_same(struct tf_str text, const char *lower)
{
    for (size_t i = 0; i < text.size; i++) {
        if (tf_http_lower(text.data[i]) != lower[i]) {
            return false;
        }
    }
    return true;
}
