/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/http_text.h"

#include <stddef.h>
#include <string.h>

/* RFC 9110 5.6.2: bit c % 32 of word c / 32 says that ASCII c is a tchar. */
static const uint32_t tchars[4] = {
    0, 0x03ff6cfa, /* ! # $ % & ' * + - . 0-9 */
    0xc7fffffe,    /* A-Z ^ _ */
    0x57ffffff,    /* ` a-z | ~ */
};

bool tf_http_is_tchar(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte < 128 && ((tchars[byte / 32] >> (byte % 32)) & 1) != 0;
}

bool tf_http_is_token(struct tf_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!tf_http_is_tchar(text.data[i])) {
            return false;
        }
    }
    return text.size > 0;
}

bool tf_http_is_text(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

bool tf_http_is_value(struct tf_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!tf_http_is_text(text.data[i])) {
            return false;
        }
    }
    return true;
}

char tf_http_lower(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (char)(c - 'A' + 'a');
    }
    return c;
}

bool tf_http_is(struct tf_str text, const char *lower)
{
    if (text.size != strlen(lower)) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (tf_http_lower(text.data[i]) != lower[i]) {
            return false;
        }
    }
    return true;
}
