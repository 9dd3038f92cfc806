/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/http_text.h"

enum { BLOCK = 16 };

typedef unsigned char block
    __attribute__((vector_size(BLOCK), may_alias, aligned(1))); /* anywhere */
typedef char mask __attribute__((vector_size(BLOCK)));

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

size_t tf_http_plain(const char *bytes, size_t size)
{
    size_t at = 0;

    for (; size - at >= BLOCK; at += BLOCK) {
        block text = *(const block *)(const void *)(bytes + at);
        mask is_other = (mask)((text < ' ') | (text == 0x7f));
        unsigned others = (unsigned)__builtin_ia32_pmovmskb128(is_other);
        if (others != 0) {
            return at + (size_t)__builtin_ctz(others);
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
