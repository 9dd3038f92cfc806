/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.c - the verbs `sign` and `verify`, and the writer that `pack` shares with them.
 */
#include "cli/bundle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/keys.h"
#include "lib/bundle.h"
#include "lib/bytes.h"
#include "lib/dsse.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/ustar.h"

/* Appends one entry; the buffer is zeroed and large enough. */
static tf_err append(uint8_t *archive, size_t *at, const char *path, const void *data,
                     size_t size)
{
    tf_err err = tf_ustar_header_write(archive + *at, path, size);

    if (err != TF_OK) {
        (void)tf_report(err, "%s", path);
        return err;
    }
    memcpy(archive + *at + TF_USTAR_BLOCK, data, size);
    *at += tf_ustar_entry_size(size);
    return TF_OK;
}

static tf_err write_archive(const char *out, const char *envelope, size_t envelope_size,
                            const struct tf_bundle_file *files, size_t count)
{
    size_t size = tf_ustar_entry_size(envelope_size) + 2 * (size_t)TF_USTAR_BLOCK;
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        size += tf_ustar_entry_size(files[i].size);
    }
    if (size > TF_BUNDLE_MAX) {
        (void)tf_report(TF_ELIMIT, "the bundle would have %zu bytes, at most %d", size,
                        (int)TF_BUNDLE_MAX);
        return TF_ELIMIT;
    }
    uint8_t *archive = calloc(1, size);
    if (archive == NULL) {
        return TF_ENOMEM;
    }
    tf_err err = append(archive, &at, TF_ENVELOPE_PATH, envelope, envelope_size);
    for (size_t i = 0; err == TF_OK && i < count; i++) {
        err = append(archive, &at, files[i].path, files[i].data, files[i].size);
    }
    if (err == TF_OK) {
        err = tf_file_write(out, archive, size, 0644);
    }
    free(archive);
    return err;
}

tf_err tf_bundle_write(const char *out, EVP_PKEY *key, const char *manifest,
                       const struct tf_bundle_file *files, size_t count)
{
    char *envelope = NULL;
    size_t size = 0;
    tf_err err = tf_envelope_make(key, TF_DSSE_MANIFEST, manifest, strlen(manifest),
                                  &envelope, &size);

    if (err == TF_OK) {
        err = write_archive(out, envelope, size, files, count);
    }
    free(envelope);
    return err;
}

/* The envelope's payload, decoded and NUL-terminated; owned by the caller. */
static char *payload_of(const struct tf_ustar_entry *envelope)
{
    json_t *document = NULL;
    char *payload = NULL;
    size_t size = 0;

    if (tf_json_parse((const char *)envelope->contents, envelope->size, &document) !=
        TF_OK) {
        return NULL;
    }
    const char *text = json_string_value(json_object_get(document, "payload"));
    if (text != NULL && (payload = malloc(strlen(text) + 1)) != NULL) {
        if (tf_base64_parse(text, strlen(text), (uint8_t *)payload, strlen(text),
                            &size) != TF_OK) {
            free(payload);
            payload = NULL;
        } else {
            payload[size] = '\0';
        }
    }
    json_decref(document);
    return payload;
}

/* Replaces the first entry by a signed one; all others are kept byte for byte. */
static tf_err resign(const uint8_t *bytes, size_t size, EVP_PKEY *key, const char *out)
{
    struct tf_reader r;
    struct tf_ustar_entry entry;
    struct tf_bundle_file *files = calloc(TF_FILES_MAX, sizeof(*files));
    char(*paths)[TF_PATH_MAX + 1] = calloc(TF_FILES_MAX, sizeof(*paths));
    char *manifest = NULL;
    size_t count = 0;
    tf_err err = files == NULL || paths == NULL ? TF_ENOMEM : TF_OK;

    tf_reader_init(&r, bytes, size);
    if (err == TF_OK) {
        err = tf_ustar_read(&r, &entry);
        manifest = err == TF_OK ? payload_of(&entry) : NULL;
        err = err == TF_OK && manifest == NULL ? TF_EDSSE_FORMAT : err;
    }
    while (err == TF_OK && (err = tf_ustar_read(&r, &entry)) == TF_OK) {
        if (count == TF_FILES_MAX) {
            err = TF_EBUNDLE_EXTRA;
            break;
        }
        memcpy(paths[count], entry.path, entry.path_size);
        files[count] = (struct tf_bundle_file){
            .path = paths[count], .data = malloc(entry.size + 1), .size = entry.size};
        memcpy(files[count].data, entry.contents, entry.size);
        count++;
    }
    if (err == TF_ENOTFOUND) {
        err = tf_bundle_write(out, key, manifest, files, count);
    } else {
        (void)tf_report(err, "the bundle does not read");
    }
    for (size_t i = 0; i < count; i++) {
        free(files[i].data);
    }
    free(paths);
    free(files);
    free(manifest);
    return err;
}

int tf_cmd_sign(int argc, char **argv)
{
    const char *path = NULL;
    const char *key_path = NULL;
    const char *out = NULL;
    const struct tf_option options[] = {
        TF_TEXT("key", &key_path), TF_TEXT("out", &out), {0}};
    uint8_t *bytes = NULL;
    size_t size = 0;

    if (!tf_options(argc, argv, options, &path, 1)) {
        return TF_EXIT_USAGE;
    }
    if (key_path == NULL) {
        return tf_missing("sign", "key");
    }
    EVP_PKEY *key = tf_key_load(key_path);
    if (key == NULL || tf_file_read(path, TF_BUNDLE_MAX, &bytes, &size) != TF_OK) {
        EVP_PKEY_free(key);
        return TF_EXIT_USAGE;
    }
    tf_err err = resign(bytes, size, key, out == NULL ? path : out);
    if (err == TF_OK) {
        (void)printf("signed %s\n", out == NULL ? path : out);
    }
    free(bytes);
    EVP_PKEY_free(key);
    return err == TF_OK ? TF_EXIT_OK : TF_EXIT_REFUSED;
}

static void print_bundle(const struct tf_bundle *b, bool is_json)
{
    char digest[2 * TF_SHA256_SIZE + 1];
    const struct tf_manifest *m = &b->manifest;

    tf_hex_write(b->digest, TF_SHA256_SIZE, digest);
    if (is_json) {
        (void)printf("{\"name\":\"%s\",\"version\":%" PRIu64
                     ",\"digest\":\"%s\",\"signer\":\"%s\",\"files\":%zu}\n",
                     m->name, m->version, digest, b->signer, m->file_count);
        return;
    }
    (void)printf("good     %s version %" PRIu64
                 ", %zu file(s)\ndigest   %s\nsigner   %s\n",
                 m->name, m->version, m->file_count, digest, b->signer);
}

static tf_err check(const uint8_t *bytes, size_t size, const char *domain_path,
                    const char *engine, bool is_json)
{
    uint8_t *text = NULL;
    size_t text_size = 0;
    struct tf_descriptor domain;
    struct tf_bundle *bundle = calloc(1, sizeof(*bundle));
    uint8_t *scratch = malloc(TF_BUNDLE_SCRATCH);
    tf_err err = tf_file_read(domain_path, TF_DESCRIPTOR_MAX, &text, &text_size);

    if (err == TF_OK) {
        err = tf_descriptor_parse((const char *)text, text_size, &domain);
        if (err == TF_OK) {
            err = tf_bundle_check(bytes, size, &domain, engine, scratch, bundle);
        }
        if (err == TF_OK) {
            print_bundle(bundle, is_json);
            tf_bundle_wipe(bundle);
        } else {
            (void)tf_report(err, "not a bundle for this domain");
        }
    }
    free(scratch);
    free(bundle);
    free(text);
    return err;
}

int tf_cmd_verify(int argc, char **argv)
{
    const char *path = NULL;
    const char *domain = NULL;
    const char *engine = NULL;
    bool is_json = false;
    const struct tf_option options[] = {TF_TEXT("domain", &domain),
                                        TF_TEXT("engine", &engine),
                                        TF_FLAG("json", &is_json),
                                        {0}};
    uint8_t *bytes = NULL;
    size_t size = 0;

    if (!tf_options(argc, argv, options, &path, 1)) {
        return TF_EXIT_USAGE;
    }
    if (domain == NULL) {
        return tf_missing("verify", "domain");
    }
    if (tf_file_read(path, TF_BUNDLE_MAX, &bytes, &size) != TF_OK) {
        return TF_EXIT_USAGE;
    }
    tf_err err = check(bytes, size, domain, engine, is_json);
    free(bytes);
    return err == TF_OK ? TF_EXIT_OK : TF_EXIT_REFUSED;
}
