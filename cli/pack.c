/* SPDX-License-Identifier: Apache-2.0 */
/* pack.c - the verb `pack`: a project folder becomes an unsigned bundle, of its files as
 * they are or of what its build step makes of them. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "abi/limits.h"
#include "cli/build.h"
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
    const char *target;
    bool is_bundled;
    bool is_minified;
};

/* What the build step makes. */
static const char BUILT_ENTRY[] = "main.js";
static const char DEFAULT_TARGET[] = "es2023";

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
    if (access(path, F_OK) != 0) {
        (void)tf_report_next(TF_EIO, "`tfaas init DIR` starts a project.", "%s: %s", path,
                             strerror(errno));
        return TF_EIO;
    }
    tf_err err = tf_file_read(path, TF_MANIFEST_MAX, &text, &size);
    if (err != TF_OK) {
        return err;
    }
    err = tf_project_parse(path, (const char *)text, size, &project);
    free(text);
    if (err != TF_OK) {
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

/* What the build step is to do, from "build" of the project and the options, which go
 * before it. The strings belong to both. @return TF_OK, or an error after a message. */
static tf_err plan_build(const struct options *o, json_t *project, struct tf_build *out)
{
    struct tf_build build = {.folder = o->folder, .target = DEFAULT_TARGET};
    json_t *asked = json_object_get(project, "build");
    const char *type = "commonjs";
    int is_minified = 0;
    json_error_t why;

    if (asked != NULL && json_unpack_ex(asked, &why, JSON_STRICT, "{s?s, s?b}", "target",
                                        &build.target, "minify", &is_minified) != 0) {
        (void)tf_report(TF_EMANIFEST_FIELD, "%s/tfaas.json, build: %s", o->folder,
                        why.text);
        return TF_EMANIFEST_FIELD;
    }
    if (json_unpack_ex(project, &why, 0, "{s:s, s?s}", "entry", &build.entry, "type",
                       &type) != 0 ||
        json_object_get(project, "files") != NULL) {
        (void)tf_report(TF_EMANIFEST_FIELD,
                        "%s/tfaas.json: what is built has an entry and no files",
                        o->folder);
        return TF_EMANIFEST_FIELD;
    }
    if (!tf_path_is_valid(build.entry, strlen(build.entry))) {
        (void)tf_report(TF_EBUNDLE_PATH, "%s", build.entry);
        return TF_EBUNDLE_PATH;
    }
    build.target = o->target == NULL ? build.target : o->target;
    build.is_minified = o->is_minified || is_minified != 0;
    build.is_module = strcmp(type, "module") == 0;
    *out = build;
    return TF_OK;
}

static bool is_built(const struct options *o, const json_t *project)
{
    return o->is_bundled || o->is_minified || o->target != NULL ||
           json_object_get(project, "build") != NULL;
}

/* Runs the build step. Afterwards the manifest speaks of its output alone: nothing of
 * what the build was is in the bundle. */
static tf_err build(const struct options *o, json_t *manifest,
                    struct tf_project_files *files, struct tf_bundle_file *entries)
{
    struct tf_build plan;
    tf_err err = plan_build(o, manifest, &plan);

    if (err == TF_OK) {
        err = tf_build_run(&plan, &entries[0].data, &entries[0].size);
    }
    if (err != TF_OK) {
        return err;
    }
    if (strcmp(plan.target, "es5") == 0) {
        (void)json_object_set_new(manifest, "type", json_string("commonjs"));
    }
    (void)json_object_set_new(manifest, "entry", json_string(BUILT_ENTRY));
    (void)json_object_del(manifest, "build"); /* the plan's strings go with it */
    (void)snprintf(files->paths[0], sizeof(files->paths[0]), "%s", BUILT_ENTRY);
    files->count = 1;
    return TF_OK;
}

/* The project's files as they are. */
static tf_err read_files(const struct options *o, const json_t *manifest,
                         struct tf_project_files *files, struct tf_bundle_file *entries)
{
    tf_err err = tf_project_list(o->folder, json_object_get(manifest, "files"), files);

    for (size_t i = 0; err == TF_OK && i < files->count; i++) {
        char path[PATH_MAX];
        (void)snprintf(path, sizeof(path), "%s/%s", o->folder, files->paths[i]);
        err = tf_file_read(path, TF_BUNDLE_MAX, &entries[i].data, &entries[i].size);
    }
    return err;
}

/* The files' rows of the manifest, and their names in the archive. */
static void add_rows(const struct tf_project_files *files, json_t *manifest,
                     struct tf_bundle_file *entries)
{
    json_t *rows = json_array();

    (void)json_object_set_new(manifest, "files", rows);
    for (size_t i = 0; i < files->count; i++) {
        uint8_t digest[TF_SHA256_SIZE];
        char hex[2 * TF_SHA256_SIZE + 1];
        entries[i].path = files->paths[i];
        tf_sha256(entries[i].data, entries[i].size, digest);
        tf_hex_write(digest, sizeof(digest), hex);
        (void)json_array_append_new(
            rows, json_pack("{s:s, s:I, s:s}", "path", files->paths[i], "size",
                            (json_int_t)entries[i].size, "sha256", hex));
    }
}

static tf_err check_and_write(const struct options *o, json_t *manifest,
                              const struct tf_bundle_file *entries, size_t count)
{
    struct tf_manifest checked;
    char *text = json_dumps(manifest, JSON_COMPACT | JSON_SORT_KEYS);

    if (text == NULL) {
        return TF_ENOMEM;
    }
    tf_err err = tf_manifest_parse(text, strlen(text), &checked);
    if (err != TF_OK) {
        tf_project_complain(o->folder, err, manifest);
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
        err = is_built(o, manifest) ? build(o, manifest, files, entries)
                                    : read_files(o, manifest, files, entries);
    }
    if (err == TF_OK) {
        add_rows(files, manifest, entries);
        err = check_and_write(o, manifest, entries, files->count);
    }
    json_decref(manifest);
    return err;
}

int tf_cmd_pack(int argc, char **argv)
{
    struct options o = {0};
    const struct tf_option options[] = {TF_TEXT("out", &o.out),
                                        TF_TEXT("name", &o.name),
                                        TF_NUMBER("version", &o.version),
                                        TF_LIST("domain", &o.domains),
                                        TF_LIST("engine", &o.engines),
                                        TF_FLAG("bundle", &o.is_bundled),
                                        TF_TEXT("target", &o.target),
                                        TF_FLAG("minify", &o.is_minified),
                                        {0}};

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
