/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/names.h"

#include <string.h>

#include "abi/limits.h"

enum { LABEL_MAX = 63 }; /* RFC 1035 section 2.3.4 */

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_path_byte(char c)
{
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
           c == '-';
}

/* Bytes before the first `separator`, or all. */
static size_t part_size(const char *text, size_t size, char separator)
{
    const char *end = memchr(text, separator, size);
    return end == NULL ? size : (size_t)(end - text);
}

static bool is_path_part(const char *part, size_t size)
{
    if (size == 0 || (size == 1 && part[0] == '.') ||
        (size == 2 && part[0] == '.' && part[1] == '.')) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!is_path_byte(part[i])) {
            return false;
        }
    }
    return true;
}

bool tf_path_is_valid(const char *path, size_t size)
{
    if (size == 0 || size > TF_PATH_MAX || path[size - 1] == '/') {
        return false;
    }
    for (size_t at = 0; at < size;) {
        size_t part = part_size(path + at, size - at, '/');
        if (!is_path_part(path + at, part)) {
            return false;
        }
        at += part + 1;
    }
    size_t reserved = strlen(TF_ENVELOPE_PATH);
    return size != reserved || memcmp(path, TF_ENVELOPE_PATH, reserved) != 0;
}

bool tf_name_is_valid(const char *name, size_t size)
{
    if (size == 0 || size > LABEL_MAX || name[0] == '-' || name[size - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!is_lower_or_digit(name[i]) && name[i] != '-') {
            return false;
        }
    }
    return true;
}

bool tf_dns_is_valid(const char *name, size_t size)
{
    if (size == 0 || size > TF_DNS_MAX || name[size - 1] == '.') {
        return false;
    }
    size_t labels = 0;
    for (size_t at = 0; at < size; labels++) {
        size_t label = part_size(name + at, size - at, '.');
        if (!tf_name_is_valid(name + at, label)) {
            return false;
        }
        at += label + 1;
    }
    return labels >= 2;
}
