/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/js/path.h"

#include <string.h>

#include "abi/limits.h"

/* Adds one step of a specifier to the path of `*size` bytes at `out`. */
static bool step(char *out, size_t *size, const char *name, size_t part)
{
    if (part == 0 || (part == 1 && name[0] == '.')) {
        return true;
    }
    if (part == 2 && name[0] == '.' && name[1] == '.') {
        bool can_leave = *size > 0;
        while (*size > 0 && out[--*size] != '/') {
        }
        return can_leave;
    }
    if (*size + 1 + part > TF_PATH_MAX) {
        return false;
    }
    if (*size > 0) {
        out[(*size)++] = '/';
    }
    memcpy(out + *size, name, part);
    *size += part;
    return true;
}

bool tf_path_join(const char *base, const char *name, char *out)
{
    const char *slash = strrchr(base, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - base); /* of the folder's path */

    if (size > TF_PATH_MAX ||
        (strncmp(name, "./", 2) != 0 && strncmp(name, "../", 3) != 0)) {
        return false;
    }
    memcpy(out, base, size);
    while (*name != '\0') {
        size_t part = strcspn(name, "/");
        if (!step(out, &size, name, part)) {
            return false;
        }
        name += part;
        name += *name == '/' ? 1 : 0;
    }
    out[size] = '\0';
    return size > 0;
}
