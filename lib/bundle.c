/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/bundle.h"

#include <stdbool.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/dsse.h"
#include "lib/names.h"
#include "lib/ustar.h"

/* One entry, small because a whole archive's are on the stack. */
struct item {
    uint32_t header; /* offset in the archive; the path is at its start */
    uint32_t path_size;
    uint32_t size; /* of the contents, one block after the header */
};

struct archive {
    const uint8_t *bytes;
    struct item items[TF_FILES_MAX + 1]; /* 0 is the envelope */
    size_t count;
};

static bool has_path(const struct archive *archive, size_t i, const char *path,
                     size_t size)
{
    const struct item *item = &archive->items[i];
    return item->path_size == size &&
           memcmp(archive->bytes + item->header, path, size) == 0;
}

static const uint8_t *contents_of(const struct archive *archive, size_t i)
{
    return archive->bytes + archive->items[i].header + TF_USTAR_BLOCK;
}

static tf_err add_item(struct archive *archive, const struct tf_ustar_entry *entry)
{
    bool is_envelope = entry->path_size == strlen(TF_ENVELOPE_PATH) &&
                       memcmp(entry->path, TF_ENVELOPE_PATH, entry->path_size) == 0;
    if (archive->count == 0 && !is_envelope) {
        return TF_EBUNDLE_TAR;
    }
    for (size_t i = 0; i < archive->count; i++) {
        if (has_path(archive, i, entry->path, entry->path_size)) {
            return TF_EBUNDLE_DUPLICATE;
        }
    }
    if (archive->count > TF_FILES_MAX) {
        return TF_EBUNDLE_EXTRA; /* more than any manifest lists */
    }
    archive->items[archive->count++] = (struct item){
        .header = (uint32_t)(entry->contents - archive->bytes - TF_USTAR_BLOCK),
        .path_size = (uint32_t)entry->path_size,
        .size = (uint32_t)entry->size,
    };
    return TF_OK;
}

/* Walks through the archive to its end. */
static tf_err read_archive(const uint8_t *bytes, size_t size, struct archive *out)
{
    struct tf_reader r;
    struct tf_ustar_entry entry;
    tf_reader_init(&r, bytes, size);
    out->bytes = bytes;
    out->count = 0;
    tf_err err = tf_ustar_read(&r, &entry);
    while (err == TF_OK) {
        err = add_item(out, &entry);
        if (err) {
            return err;
        }
        err = tf_ustar_read(&r, &entry);
    }
    if (err != TF_ENOTFOUND) {
        return err;
    }
    return out->count == 0 ? TF_EBUNDLE_TAR : TF_OK;
}

/* A payload is shorter than its envelope. See lib/dsse.h. */
size_t tf_bundle_scratch(size_t size)
{
    return 2 * (size < TF_MANIFEST_MAX ? size : (size_t)TF_MANIFEST_MAX) + 256;
}

static tf_err open_envelope(const char *text, size_t size,
                            const struct tf_descriptor *domain, uint8_t *scratch,
                            struct tf_bundle *out)
{
    const struct tf_dsse_rule rule = {
        .type = TF_DSSE_MANIFEST,
        .payload_max = size < TF_MANIFEST_MAX ? size : (size_t)TF_MANIFEST_MAX,
        .too_large = TF_EMANIFEST_SIZE,
        .domain = domain,
    };
    struct tf_dsse dsse;
    if (size > TF_ENVELOPE_MAX) {
        return TF_EMANIFEST_SIZE;
    }
    tf_err err = tf_dsse_open(text, size, &rule, scratch, &dsse);
    if (err) {
        return err;
    }
    err =
        tf_manifest_parse((const char *)dsse.payload, dsse.payload_size, &out->manifest);
    if (err) {
        return err;
    }
    memcpy(out->digest, dsse.digest, sizeof(out->digest));
    memcpy(out->signer, dsse.signer, sizeof(out->signer));
    return TF_OK;
}

static tf_err check_engine(const struct tf_manifest *manifest, const char *engine)
{
    if (engine == NULL || manifest->engine_count == 0) {
        return TF_OK;
    }
    for (size_t i = 0; i < manifest->engine_count; i++) {
        if (strcmp(manifest->engines[i], engine) == 0) {
            return TF_OK;
        }
    }
    return TF_EMANIFEST_ENGINE;
}

static bool is_listed(const struct archive *archive, size_t item,
                      const struct tf_manifest *manifest)
{
    for (size_t i = 0; i < manifest->file_count; i++) {
        if (has_path(archive, item, manifest->files[i].path,
                     strlen(manifest->files[i].path))) {
            return true;
        }
    }
    return false;
}

static bool is_there(const struct archive *archive, const char *path)
{
    for (size_t i = 1; i < archive->count; i++) {
        if (has_path(archive, i, path, strlen(path))) {
            return true;
        }
    }
    return false;
}

/* Whether archive and manifest name the same files in the same order. */
static tf_err check_names(const struct archive *archive,
                          const struct tf_manifest *manifest)
{
    for (size_t i = 1; i < archive->count; i++) {
        if (!is_listed(archive, i, manifest)) {
            return TF_EBUNDLE_EXTRA;
        }
    }
    for (size_t i = 0; i < manifest->file_count; i++) {
        if (!is_there(archive, manifest->files[i].path)) {
            return TF_EBUNDLE_MISSING;
        }
    }
    for (size_t i = 0; i < manifest->file_count; i++) {
        const char *path = manifest->files[i].path;
        if (!has_path(archive, i + 1, path, strlen(path))) {
            return TF_EBUNDLE_TAR; /* another order */
        }
    }
    return TF_OK;
}

static tf_err check_contents(const struct archive *archive, struct tf_bundle *bundle)
{
    for (size_t i = 0; i < bundle->manifest.file_count; i++) {
        const struct tf_manifest_file *file = &bundle->manifest.files[i];
        if (file->size != archive->items[i + 1].size) {
            return TF_EBUNDLE_DIGEST;
        }
        uint8_t digest[TF_SHA256_SIZE];
        bundle->contents[i] = contents_of(archive, i + 1);
        tf_sha256(bundle->contents[i], file->size, digest);
        if (memcmp(digest, file->sha256, sizeof(digest)) != 0) {
            return TF_EBUNDLE_DIGEST;
        }
    }
    return TF_OK;
}

/* The checks after the manifest; `bundle` has it. */
static tf_err check_files(const struct archive *archive, const char *engine,
                          struct tf_bundle *bundle)
{
    tf_err err = check_engine(&bundle->manifest, engine);
    if (err) {
        return err;
    }
    err = check_names(archive, &bundle->manifest);
    if (err) {
        return err;
    }
    return check_contents(archive, bundle);
}

tf_err tf_bundle_check(const uint8_t *bytes, size_t size,
                       const struct tf_descriptor *domain, const char *engine,
                       uint8_t *scratch, struct tf_bundle *out)
{
    if (size > TF_BUNDLE_MAX) {
        return TF_ELIMIT;
    }
    struct archive archive;
    struct tf_bundle bundle = {0};
    tf_err err = read_archive(bytes, size, &archive);
    if (err) {
        return err;
    }
    err = open_envelope((const char *)contents_of(&archive, 0), archive.items[0].size,
                        domain, scratch, &bundle);
    if (err) {
        return err;
    }
    err = check_files(&archive, engine, &bundle);
    if (err) {
        tf_manifest_wipe(&bundle.manifest);
        return err;
    }
    *out = bundle;
    return TF_OK;
}

tf_err tf_bundle_introduce(const char *text, size_t size,
                           const struct tf_descriptor *domain, const char *engine,
                           uint8_t *scratch, struct tf_bundle *out)
{
    struct tf_bundle bundle = {0};
    tf_err err = open_envelope(text, size, domain, scratch, &bundle);
    if (err) {
        return err;
    }
    err = check_engine(&bundle.manifest, engine);
    if (err) {
        tf_manifest_wipe(&bundle.manifest);
        return err;
    }
    *out = bundle;
    return TF_OK;
}

void tf_bundle_wipe(struct tf_bundle *bundle)
{
    tf_manifest_wipe(&bundle->manifest);
    *bundle = (struct tf_bundle){0};
}
