/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.c - the verbs `sign` and `verify`, and the writer that `pack` shares with them.
 */
#include "cli/bundle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "client/keys.h"
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

/* Writes an archive of a new envelope and what follows the old one, byte for byte. */
static tf_err write_with_tail(const char *out, const char *envelope, size_t envelope_size,
                              const uint8_t *tail, size_t tail_size)
{
    size_t at = 0;
    size_t size = tf_ustar_entry_size(envelope_size) + tail_size;

    if (size > TF_BUNDLE_MAX) {
        (void)tf_report(TF_ELIMIT, "the bundle would have %zu bytes, at most %d", size,
                        (int)TF_BUNDLE_MAX);
        return TF_ELIMIT;
    }
    uint8_t *archive = calloc(1, size);
    tf_err err = archive == NULL
                     ? TF_ENOMEM
                     : append(archive, &at, TF_ENVELOPE_PATH, envelope, envelope_size);
    if (err == TF_OK) {
        memcpy(archive + at, tail, tail_size);
        err = tf_file_write(out, archive, size, 0644);
    }
    free(archive);
    return err;
}

/* Whether the bundle is one but for its signature; nobody should sign what is none. */
static tf_err check_unsigned(const uint8_t *bytes, size_t size, uint8_t *scratch)
{
    struct tf_bundle *bundle = calloc(1, sizeof(*bundle));
    tf_err err = bundle == NULL
                     ? TF_ENOMEM
                     : tf_bundle_check(bytes, size, NULL, NULL, scratch, bundle);

    if (err == TF_OK) {
        tf_bundle_wipe(bundle);
    } else {
        (void)tf_report(err, "nothing was signed");
    }
    free(bundle);
    return err;
}

/* Signs the manifest of a sound bundle anew. */
static tf_err sign_manifest(const uint8_t *bytes, size_t size, EVP_PKEY *key,
                            uint8_t *scratch, const char *out)
{
    const struct tf_dsse_rule rule = {.type = TF_DSSE_MANIFEST,
                                      .payload_max = TF_MANIFEST_MAX,
                                      .too_large = TF_EMANIFEST_SIZE};
    struct tf_reader r;
    struct tf_ustar_entry entry;
    struct tf_dsse dsse;
    char *envelope = NULL;
    size_t envelope_size = 0;

    tf_reader_init(&r, bytes, size);
    tf_err err = tf_ustar_read(&r, &entry);
    if (err == TF_OK) {
        err =
            tf_dsse_open((const char *)entry.contents, entry.size, &rule, scratch, &dsse);
    }
    if (err == TF_OK) {
        err = tf_envelope_make(key, TF_DSSE_MANIFEST, dsse.payload, dsse.payload_size,
                               &envelope, &envelope_size);
    }
    if (err == TF_OK) {
        err = write_with_tail(out, envelope, envelope_size,
                              bytes + size - tf_reader_left(&r), tf_reader_left(&r));
    }
    free(envelope);
    return err;
}

static tf_err resign(const uint8_t *bytes, size_t size, EVP_PKEY *key, const char *out)
{
    uint8_t *scratch = malloc(TF_BUNDLE_SCRATCH);
    tf_err err = scratch == NULL ? TF_ENOMEM : check_unsigned(bytes, size, scratch);

    if (err == TF_OK) {
        err = sign_manifest(bytes, size, key, scratch, out);
    }
    free(scratch);
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
    if (key == NULL) {
        return TF_EXIT_USAGE;
    }
    tf_err err = tf_file_read(path, TF_BUNDLE_MAX, &bytes, &size);
    if (err == TF_OK) {
        err = resign(bytes, size, key, out == NULL ? path : out);
    }
    if (err == TF_OK) {
        (void)printf("signed %s\n", out == NULL ? path : out);
    }
    free(bytes);
    EVP_PKEY_free(key);
    return tf_exit(err);
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

/* Checks as the enclave does and says what it found. */
static tf_err check(const uint8_t *bytes, size_t size, const struct tf_descriptor *domain,
                    const char *engine, bool is_json)
{
    struct tf_bundle *bundle = calloc(1, sizeof(*bundle));
    uint8_t *scratch = malloc(TF_BUNDLE_SCRATCH);
    tf_err err = bundle == NULL || scratch == NULL
                     ? TF_ENOMEM
                     : tf_bundle_check(bytes, size, domain, engine, scratch, bundle);

    if (err == TF_OK) {
        print_bundle(bundle, is_json);
        tf_bundle_wipe(bundle);
    } else {
        (void)tf_report(err, "not a bundle for this domain");
    }
    free(scratch);
    free(bundle);
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
    struct tf_descriptor descriptor;
    uint8_t *bytes = NULL;
    size_t size = 0;

    if (!tf_options(argc, argv, options, &path, 1)) {
        return TF_EXIT_USAGE;
    }
    if (domain == NULL) {
        return tf_missing("verify", "domain");
    }
    tf_err err = tf_descriptor_load(domain, &descriptor);
    if (err == TF_OK) {
        err = tf_file_read(path, TF_BUNDLE_MAX, &bytes, &size);
    }
    if (err == TF_OK) {
        err = check(bytes, size, &descriptor, engine, is_json);
    }
    free(bytes);
    return tf_exit(err);
}
