/* SPDX-License-Identifier: Apache-2.0 */
/* pack.c - the verb `pack`: a project folder becomes an unsigned bundle. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "abi/limits.h"
#include "cli/bundle.h"
#include "cli/cli.h"
#include "cli/project.h"
#include "lib/bytes.h"
#include "lib/crypto.h"
#include "lib/json.h"
#include "lib/manifest.h"

struct options {
    const char *folder;
    const char *out;
    const char *name;
    uint64_t version;
    struct tf_list domains;
    struct tf_list engines;
};

static bool set_list(json_t *object, const char *key, const struct tf_list *list)
{
    bool is_good = true;

    if (list->count == 0) {
        return true;
    }
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++) {
        is_good =
            json_array_append_new(array, json_string(list->items[i])) == 0 && is_good;
    }
    return json_object_set_new(object, key, array) == 0 && is_good;
}

/* Options go before the project file. False if it is no object or text is no UTF-8. */
static bool apply_options(const struct options *o, json_t *project)
{
    bool is_good = json_is_object(project);

    if (is_good && o->name != NULL) {
        is_good = json_object_set_new(project, "name", json_string(o->name)) == 0;
    }
    if (is_good && o->version != 0) {
        is_good = json_object_set_new(project, "version",
                                      json_integer((json_int_t)o->version)) == 0;
    }
    return is_good && set_list(project, "domains", &o->domains) &&
           set_list(project, "engines", &o->engines);
}

/* @param out  owned by the caller. @return TF_OK, or an error after a message. */
static tf_err read_project(const struct options *o, json_t **out)
{
    char path[PATH_MAX];
    uint8_t *text = NULL;
    size_t size = 0;
    json_t *project = NULL;

    (void)snprintf(path, sizeof(path), "%s/tfaas.json", o->folder);
    tf_err err = tf_file_read(path, TF_MANIFEST_MAX, &text, &size);
    if (err != TF_OK) {
        return err;
    }
    err = tf_json_parse((const char *)text, size, &project);
    free(text);
    if (err != TF_OK) {
        err = err == TF_EMANIFEST_KEYS ? err : TF_EMANIFEST_JSON;
        (void)tf_report(err, "%s", path);
        return err;
    }
    if (!apply_options(o, project)) {
        (void)tf_report(TF_EMANIFEST_FIELD, "%s is no object, or an option is not UTF-8",
                        path);
        json_decref(project);
        return TF_EMANIFEST_FIELD;
    }
    *out = project;
    return TF_OK;
}

/* Reads the files into the archive's entries and their rows into the manifest. */
static tf_err add_files(const struct options *o, const struct tf_project_files *files,
                        json_t *manifest, struct tf_bundle_file *entries)
{
    json_t *rows = json_array();

    (void)json_object_set_new(manifest, "files", rows);
    for (size_t i = 0; i < files->count; i++) {
        char path[PATH_MAX];
        uint8_t digest[TF_SHA256_SIZE];
        char hex[2 * TF_SHA256_SIZE + 1];
        (void)snprintf(path, sizeof(path), "%s/%s", o->folder, files->paths[i]);
        entries[i].path = files->paths[i];
        tf_err err =
            tf_file_read(path, TF_BUNDLE_MAX, &entries[i].data, &entries[i].size);
        if (err != TF_OK) {
            return err;
        }
        tf_sha256(entries[i].data, entries[i].size, digest);
        tf_hex_write(digest, sizeof(digest), hex);
        (void)json_array_append_new(
            rows, json_pack("{s:s, s:I, s:s}", "path", files->paths[i], "size",
                            (json_int_t)entries[i].size, "sha256", hex));
    }
    return TF_OK;
}

static tf_err check_and_write(const struct options *o, const json_t *manifest,
                              const struct tf_bundle_file *entries, size_t count)
{
    struct tf_manifest checked;
    char *text = json_dumps(manifest, JSON_COMPACT | JSON_SORT_KEYS);

    if (text == NULL) {
        return TF_ENOMEM;
    }
    tf_err err = tf_manifest_parse(text, strlen(text), &checked);
    if (err != TF_OK) {
        (void)tf_report(err, "%s/tfaas.json (fields: doc/formats.md, Project file)",
                        o->folder);
    } else {
        err = tf_bundle_write(o->out, NULL, text, entries, count);
        if (err == TF_OK) {
            (void)printf("packed %s version %" PRIu64 ", %zu file(s): %s\n", checked.name,
                         checked.version, count, o->out);
        }
        tf_manifest_wipe(&checked);
    }
    free(text);
    return err;
}

static tf_err pack(const struct options *o, struct tf_project_files *files,
                   struct tf_bundle_file *entries)
{
    json_t *manifest = NULL;
    tf_err err = read_project(o, &manifest);

    if (err == TF_OK) {
        err = tf_project_list(o->folder, json_object_get(manifest, "files"), files);
    }
    if (err == TF_OK) {
        err = add_files(o, files, manifest, entries);
    }
    if (err == TF_OK) {
        err = check_and_write(o, manifest, entries, files->count);
    }
    json_decref(manifest);
    return err;
}

int tf_cmd_pack(int argc, char **argv)
{
    struct options o = {0};
    const struct tf_option options[] = {
        TF_TEXT("out", &o.out),           TF_TEXT("name", &o.name),
        TF_NUMBER("version", &o.version), TF_LIST("domain", &o.domains),
        TF_LIST("engine", &o.engines),    {0}};

    if (!tf_options(argc, argv, options, &o.folder, 1)) {
        return TF_EXIT_USAGE;
    }
    if (o.out == NULL) {
        return tf_missing("pack", "out");
    }
    struct tf_project_files *files = calloc(1, sizeof(*files));
    struct tf_bundle_file *entries = calloc(TF_FILES_MAX, sizeof(*entries));
    tf_err err = files == NULL || entries == NULL ? TF_ENOMEM : pack(&o, files, entries);
    for (size_t i = 0; entries != NULL && i < TF_FILES_MAX; i++) {
        free(entries[i].data);
    }
    free(entries);
    free(files);
    return tf_exit(err);
}
