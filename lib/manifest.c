/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/json.h"

enum {
    ENGINES_MAX = sizeof(((struct tf_manifest *)0)->engines) /
                  sizeof(((struct tf_manifest *)0)->engines[0]),
    ENGINE_SIZE = sizeof(((struct tf_manifest *)0)->engines[0]),
};

static tf_err parse_file(const json_t *json, struct tf_manifest_file *out)
{
    struct tf_json_fields f;
    tf_json_fields_init(&f, json);
    const char *path = tf_json_string(&f, "path", 0, SIZE_MAX);
    out->size = tf_json_integer(&f, "size", 0, TF_BUNDLE_MAX);
    tf_json_hex(&f, "sha256", out->sha256, sizeof(out->sha256));
    if (!tf_json_fields_end(&f)) {
        return TF_EMANIFEST_FIELD;
    }
    if (!tf_path_is_valid(path, strlen(path))) {
        return TF_EBUNDLE_PATH;
    }
    memcpy(out->path, path, strlen(path) + 1);
    return TF_OK;
}

static bool has_file(const struct tf_manifest *manifest, const char *path)
{
    for (size_t i = 0; i < manifest->file_count; i++) {
        if (strcmp(manifest->files[i].path, path) == 0) {
            return true;
        }
    }
    return false;
}

static tf_err parse_files(const json_t *array, struct tf_manifest *out)
{
    size_t count = json_array_size(array);
    out->files = calloc(count, sizeof(*out->files));
    if (out->files == NULL) {
        return TF_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        tf_err err = parse_file(json_array_get(array, i), &out->files[i]);
        if (err) {
            return err;
        }
        if (has_file(out, out->files[i].path)) {
            return TF_EBUNDLE_DUPLICATE;
        }
        out->file_count = i + 1;
    }
    return has_file(out, out->entry) ? TF_OK : TF_EMANIFEST_FIELD;
}

static tf_err parse_env(const json_t *object, struct tf_manifest *out)
{
    size_t count = json_object_size(object);
    if (count == 0) {
        return TF_OK;
    }
    if (count > TF_ENV_MAX) {
        return TF_EMANIFEST_FIELD;
    }
    out->env = calloc(count, sizeof(*out->env));
    if (out->env == NULL) {
        return TF_ENOMEM;
    }
    json_t *env =
        json_object_get(out->json, "env"); /* the same; iterating is not const */
    for (void *at = json_object_iter(env); at; at = json_object_iter_next(env, at)) {
        const char *name = json_object_iter_key(at);
        const char *value = json_string_value(json_object_iter_value(at));
        if (name[0] == '\0' || value == NULL) {
            return TF_EMANIFEST_FIELD;
        }
        out->env[out->env_count++] = (struct tf_manifest_var){name, value};
    }
    return TF_OK;
}

/* Whether it is a DNS name and none of the `count` before it. */
static bool is_domain_good(const struct tf_manifest *manifest, size_t count)
{
    const char *name = manifest->domains[count];

    for (size_t i = 0; i < count; i++) {
        if (strcmp(manifest->domains[i], name) == 0) {
            return false;
        }
    }
    return tf_dns_is_valid(name, strlen(name));
}

static bool are_domains_good(const struct tf_manifest *manifest)
{
    for (size_t i = 0; i < manifest->domain_count; i++) {
        if (!is_domain_good(manifest, i)) {
            return false;
        }
    }
    return true;
}

static bool are_engines_good(const struct tf_manifest *manifest)
{
    for (size_t i = 0; i < manifest->engine_count; i++) {
        if (!tf_name_is_valid(manifest->engines[i], strlen(manifest->engines[i]))) {
            return false;
        }
    }
    return true;
}

/* Limits, all optional, down to the object itself: NULL gives the defaults. */
static bool parse_limits(const json_t *object, struct tf_manifest *out)
{
    out->steps = TF_STEPS_DEFAULT;
    out->memory = TF_MEMORY_DEFAULT;
    out->body = TF_BODY_DEFAULT;
    out->concurrency = TF_RUNS_DEFAULT;
    if (object == NULL) {
        return true;
    }
    struct tf_json_fields f;
    tf_json_fields_init(&f, object);
    out->steps = tf_json_integer_or(&f, "steps", 1, TF_STEPS_MAX, out->steps);
    out->memory = tf_json_integer_or(&f, "memory", 1, TF_MEMORY_MAX, out->memory);
    out->body = tf_json_integer_or(&f, "body", 1, TF_BODY_MAX, out->body);
    out->concurrency =
        tf_json_integer_or(&f, "concurrency", 1, TF_SLOTS_MAX, out->concurrency);
    return tf_json_fields_end(&f);
}

static bool parse_type(struct tf_json_fields *f, struct tf_manifest *out)
{
    if (!tf_json_has(f, "type")) {
        return true;
    }
    const char *type = tf_json_string(f, "type", 1, TF_NAME_MAX);
    if (type == NULL) {
        return false;
    }
    out->is_module = strcmp(type, "module") == 0;
    return out->is_module || strcmp(type, "commonjs") == 0;
}

/* Fields that need no memory, and the arrays and objects for the rest. */
struct parts {
    const json_t *files;
    const json_t *env; /* these two are NULL if absent */
    const json_t *limits;
};

static bool parse_fields(struct tf_manifest *out, struct parts *parts)
{
    struct tf_json_fields f;
    tf_json_fields_init(&f, out->json);
    tf_json_copy(&f, "name", out->name, sizeof(out->name));
    out->version = tf_json_integer(&f, "version", 1, TF_JSON_INTEGER_MAX);
    tf_json_copy(&f, "entry", out->entry, sizeof(out->entry));
    out->is_reused = tf_json_boolean_or(&f, "reuse", false);
    out->domain_count = tf_json_rows(&f, "domains", 1, TF_DOMAINS_MAX, out->domains[0],
                                     sizeof(out->domains[0]));
    parts->files = tf_json_array(&f, "files", 1, TF_FILES_MAX);
    if (tf_json_has(&f, "engines")) {
        out->engine_count =
            tf_json_rows(&f, "engines", 1, ENGINES_MAX, out->engines[0], ENGINE_SIZE);
    }
    parts->env = tf_json_has(&f, "env") ? tf_json_object(&f, "env") : NULL;
    parts->limits = tf_json_has(&f, "limits") ? tf_json_object(&f, "limits") : NULL;
    return parse_type(&f, out) && tf_json_fields_end(&f) &&
           tf_name_is_valid(out->name, strlen(out->name));
}

static tf_err parse_document(struct tf_manifest *out)
{
    struct parts parts;
    if (!parse_fields(out, &parts) || !are_domains_good(out) || !are_engines_good(out) ||
        !parse_limits(parts.limits, out)) {
        return TF_EMANIFEST_FIELD;
    }
    tf_err err = parse_files(parts.files, out);
    return err ? err : parse_env(parts.env, out);
}

static tf_err parse_text(const char *text, size_t size, struct tf_manifest *out)
{
    json_t *document = NULL;
    tf_err err = tf_json_parse(text, size, &document);
    if (err == TF_EFORMAT || err == TF_ELIMIT) {
        return TF_EMANIFEST_JSON;
    }
    if (err) {
        return err;
    }
    out->json = document;
    return parse_document(out);
}

tf_err tf_manifest_parse(const char *text, size_t size, struct tf_manifest *out)
{
    if (size > TF_MANIFEST_MAX) {
        return TF_EMANIFEST_SIZE;
    }
    struct tf_manifest manifest = {0};
    tf_err err = parse_text(text, size, &manifest);
    if (err) {
        tf_manifest_wipe(&manifest);
        return err;
    }
    *out = manifest;
    return TF_OK;
}

void tf_manifest_wipe(struct tf_manifest *manifest)
{
    free(manifest->files);
    free(manifest->env);
    json_decref(manifest->json);
    *manifest = (struct tf_manifest){0};
}
