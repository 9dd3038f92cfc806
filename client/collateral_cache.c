/* SPDX-License-Identifier: Apache-2.0 */
#include "client/collateral_cache.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/file.h"
#include "client/report.h"

const char *tf_cache_folder(void)
{
    static char path[PATH_MAX];
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    bool has_cache = cache != NULL && cache[0] == '/';

    if (!has_cache && (home == NULL || home[0] != '/')) {
        return NULL;
    }
    int size = snprintf(path, sizeof(path), "%s%s/tfaas/collateral",
                        has_cache ? cache : home, has_cache ? "" : "/.cache");
    return size < (int)sizeof(path) ? path : NULL;
}

static bool make_path(const char *folder, const char *name, char path[static PATH_MAX])
{
    return folder != NULL && snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

bool tf_cache_load(const char *folder, const char *name, size_t max, uint8_t **data,
                   size_t *size, int64_t *fetched)
{
    char path[PATH_MAX];
    struct stat st;

    if (!make_path(folder, name, path) || stat(path, &st) != 0) {
        return false;
    }
    *fetched = (int64_t)st.st_mtime;
    return tf_file_read(path, max, data, size) == TF_OK;
}

/* Every folder on the way, as `mkdir -p` does. */
static bool make_folders(const char *folder)
{
    char path[PATH_MAX];
    size_t size = strlen(folder);

    if (size >= sizeof(path)) {
        return false;
    }
    for (size_t i = 1; i <= size; i++) {
        if (folder[i] != '/' && folder[i] != '\0') {
            continue;
        }
        memcpy(path, folder, i);
        path[i] = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            return false;
        }
    }
    return true;
}

void tf_cache_store(const char *folder, const char *name, const void *data, size_t size)
{
    char path[PATH_MAX];

    if (folder == NULL) {
        return;
    }
    if (!make_folders(folder) || !make_path(folder, name, path)) {
        (void)tf_report(TF_EIO, "%s: no such folder, and it cannot be made", folder);
        return;
    }
    (void)!tf_file_write(path, data, size, 0644);
}
