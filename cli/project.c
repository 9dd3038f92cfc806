/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/project.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "lib/manifest.h"

enum { FOLDER_DEPTH_MAX = 8 };

static tf_err add(struct tf_project_files *out, const char *path)
{
    if (!tf_path_is_valid(path, strlen(path))) {
        (void)tf_report(TF_EBUNDLE_PATH, "%s", path);
        return TF_EBUNDLE_PATH;
    }
    if (out->count == TF_FILES_MAX) {
        (void)tf_report(TF_ELIMIT, "more than %d files", (int)TF_FILES_MAX);
        return TF_ELIMIT;
    }
    (void)snprintf(out->paths[out->count++], TF_PATH_MAX + 1, "%s", path);
    return TF_OK;
}

static bool is_left_out(const char *name)
{
    size_t size = strlen(name);

    return name[0] == '.' || strcmp(name, "tfaas.json") == 0 ||
           (size > 4 && strcmp(name + size - 4, ".tfb") == 0);
}

static tf_err walk(const char *folder, const char *prefix, int depth,
                   struct tf_project_files *out);

static tf_err visit(const char *folder, const char *prefix, const char *name, int depth,
                    struct tf_project_files *out)
{
    char path[PATH_MAX];
    char relative[TF_PATH_MAX + 2];
    struct stat st;

    if (snprintf(relative, sizeof(relative), "%s%s", prefix, name) > (int)TF_PATH_MAX ||
        snprintf(path, sizeof(path), "%s/%s", folder, relative) >= (int)sizeof(path)) {
        (void)tf_report(TF_EBUNDLE_PATH, "%s%s is too long", prefix, name);
        return TF_EBUNDLE_PATH;
    }
    if (lstat(path, &st) != 0) {
        (void)tf_report(TF_EIO, "%s: %s", path, strerror(errno));
        return TF_EIO;
    }
    if (S_ISDIR(st.st_mode)) {
        char deeper[TF_PATH_MAX + 3];
        (void)snprintf(deeper, sizeof(deeper), "%s/", relative);
        return walk(folder, deeper, depth + 1, out);
    }
    if (!S_ISREG(st.st_mode)) {
        (void)tf_report(TF_EBUNDLE_TYPE, "%s", path);
        return TF_EBUNDLE_TYPE;
    }
    return add(out, relative);
}

static tf_err walk(const char *folder, const char *prefix, int depth,
                   struct tf_project_files *out)
{
    char path[PATH_MAX];
    struct dirent **entries = NULL;
    tf_err err = TF_OK;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, prefix);
    int count = depth > FOLDER_DEPTH_MAX ? -1 : scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        (void)tf_report(TF_EIO, "%s: cannot be listed, or too deep", path);
        return TF_EIO;
    }
    for (int i = 0; i < count; i++) {
        if (err == TF_OK && !is_left_out(entries[i]->d_name)) {
            err = visit(folder, prefix, entries[i]->d_name, depth, out);
        }
        free(entries[i]);
    }
    free(entries);
    return err;
}

tf_err tf_project_list(const char *folder, const json_t *listed,
                       struct tf_project_files *out)
{
    out->count = 0;
    if (listed == NULL) {
        return walk(folder, "", 0, out);
    }
    for (size_t i = 0; i < json_array_size(listed); i++) {
        const char *path = json_string_value(json_array_get(listed, i));
        tf_err err = add(out, path == NULL ? "" : path);
        if (err != TF_OK) {
            return err;
        }
    }
    return TF_OK;
}
