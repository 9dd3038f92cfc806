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
#include "client/field.h"
#include "lib/bytes.h"
#include "lib/json.h"
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

tf_err tf_project_parse(const char *path, const char *text, size_t size, json_t **out)
{
    json_error_t where = {.text = ""};
    tf_err err = tf_json_parse(text, size, out);

    if (err == TF_OK) {
        return TF_OK;
    }
    err = err == TF_EMANIFEST_KEYS ? err : TF_EMANIFEST_JSON;
    json_decref(json_loadb(text, size, JSON_REJECT_DUPLICATES, &where));
    tf_plain(where.text);
    if (where.text[0] == '\0') {
        (void)tf_report(err, "%s", path);
    } else {
        (void)tf_report_next(err, "Mend it there.", "%s: line %d, column %d: %s", path,
                             where.line, where.column, where.text);
    }
    return err;
}

/* What the fields of tfaas.json are, for those who got one wrong. */
static const char *const fields[][2] = {
    {"name", "1 to 63 of a-z, 0-9 and -, which is neither first nor last"},
    {"version", "an integer from 1 on, without quotes"},
    {"entry", "the path of one of the files"},
    {"type", "\"commonjs\" or \"module\""},
    {"engines", "an array of up to 4 names of engines"},
    {"domains", "an array of 1 to 8 DNS names in lower case, without *"},
    {"files", "an array of paths below the folder"},
    {"env", "an object of up to 64 strings"},
    {"limits",
     "an object of integers: steps (at most 2000000000), memory (bytes, at most "
     "50331648), body (bytes, at most 6291456), concurrency (at most 4)"},
    {"reuse", "true or false"},
};

_Static_assert(TF_STEPS_MAX == 2000000000 && TF_MEMORY_MAX == 50331648 &&
                   TF_BODY_MAX == 6291456 && TF_SLOTS_MAX == 4,
               "as `fields` says");

static bool is_good_manifest(const char *text, size_t size)
{
    struct tf_manifest checked;

    if (tf_manifest_parse(text, size, &checked) != TF_OK) {
        return false;
    }
    tf_manifest_wipe(&checked);
    return true;
}

/* The row of the field that `what` names, first and in backticks; NULL: there is none. */
static const char *const *row_of(const char *what)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        size_t size = strlen(fields[i][0]);
        if (what[0] == '`' && strncmp(what + 1, fields[i][0], size) == 0 &&
            what[1 + size] == '`') {
            return fields[i];
        }
    }
    return NULL;
}

void tf_project_complain(const char *folder, tf_err err, json_t *manifest)
{
    const json_t *rows = json_object_get(manifest, "files");
    const json_t *path = json_object_get(json_array_get(rows, 0), "path");
    char what[TF_FIELD_TEXT_MAX] = "there are no files";

    if (err != TF_EMANIFEST_FIELD) {
        (void)tf_report(err, "%s", folder);
        return;
    }
    if (path != NULL) {
        json_t *sample = json_pack("{s:s, s:i, s:[s], s:O, s:O}", "name", "x", "version",
                                   1, "domains", "x.test", "entry", path, "files", rows);
        tf_field_find(manifest, sample, is_good_manifest, what);
        json_decref(sample);
    }
    const char *const *row = row_of(what);
    if (row == NULL) {
        (void)tf_report(err, "%s/tfaas.json: %s", folder, what);
        return;
    }
    bool is_missing = json_object_get(manifest, row[0]) == NULL;
    (void)tf_report(err, "%s/tfaas.json: `%s` %s: it is to be %s", folder, row[0],
                    is_missing ? "is missing" : "has a wrong value", row[1]);
}
