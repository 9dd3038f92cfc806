/* SPDX-License-Identifier: Apache-2.0 */
#include "host/number.h"

#include <errno.h>
#include <stdlib.h>

bool tf_number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text == '-' || value < min ||
        value > max) {
        return false;
    }
    *out = value;
    return true;
}
