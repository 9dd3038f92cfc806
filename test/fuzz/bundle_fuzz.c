/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile bundle. Checksums of headers are set right first, so that the fuzzer gets
 * past them. Input that begins with '{' is a manifest, a zero byte and the entries after
 * the envelope, which is made here: so that manifest and files are reached. Checked under
 * a trust domain and without; accepted contents lie inside the bundle and have their
 * digest.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/bundle.h"
#include "test/fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENVELOPE_CAP = 16 << 10 };

static const struct fixture_signature nobody = {
    .keyid = "0000000000000000000000000000000000000000000000000000000000000000"};

/* An archive with an envelope over the manifest; its signature is empty. */
static struct fixture_bytes wrap(const uint8_t *data, size_t size)
{
    static char envelope[ENVELOPE_CAP];
    struct tf_json_writer w;
    struct fixture_entry entry = {TF_ENVELOPE_PATH, envelope, 0, 0};
    const uint8_t *zero = memchr(data, 0, size);
    size_t manifest_size = zero == NULL ? size : (size_t)(zero - data);
    size_t rest = zero == NULL ? 0 : size - manifest_size - 1;
    tf_json_writer_init(&w, envelope, sizeof(envelope));
    fixture_put_envelope(&w, TF_DSSE_MANIFEST, data, manifest_size, &nobody);
    if (tf_json_take(&w, &entry.size)) {
        return (struct fixture_bytes){calloc(1, 1), 0};
    }
    struct fixture_bytes out = fixture_archive(&entry, 1);
    size_t head = out.size - 1024;
    out.size = head + rest;
    out.data = realloc(out.data, out.size);
    if (rest > 0) {
        memcpy(out.data + head, zero + 1, rest);
    }
    return out;
}

/* A copy of exactly its size, so that AddressSanitizer sees what is read beyond it. */
static struct fixture_bytes copy(const uint8_t *data, size_t size)
{
    struct fixture_bytes out = {malloc(size + (size == 0)), size};
    memcpy(out.data, data, size);
    return out;
}

static void fix_checksums(struct fixture_bytes *bundle)
{
    for (size_t at = 0; at + 512 <= bundle->size;) {
        uint8_t *header = bundle->data + at;
        if (header[0] == 0) {
            return;
        }
        fixture_checksum(header);
        at += tf_ustar_entry_size(strtoul((char *)header + 125, NULL, 8) % TF_BUNDLE_MAX);
    }
}

static void check(const struct fixture_bytes *in, const struct tf_descriptor *domain)
{
    uint8_t *scratch = malloc(tf_bundle_scratch(in->size)); /* no byte more */
    struct tf_bundle bundle;
    tf_err err = tf_bundle_check(in->data, in->size, domain, "quickjs", scratch, &bundle);
    free(scratch);
    if (err) {
        return;
    }
    for (size_t i = 0; i < bundle.manifest.file_count; i++) {
        const struct tf_manifest_file *file = &bundle.manifest.files[i];
        uint8_t digest[TF_SHA256_SIZE];
        tf_sha256(bundle.contents[i], file->size, digest);
        if (bundle.contents[i] < in->data || memcmp(digest, file->sha256, 32) != 0) {
            __builtin_trap();
        }
    }
    tf_bundle_wipe(&bundle);
}

/* The envelope alone, as a host introduces a lambda. */
static void introduce(const uint8_t *data, size_t size,
                      const struct tf_descriptor *domain)
{
    struct fixture_bytes in = copy(data, size);
    uint8_t *scratch = malloc(tf_bundle_scratch(size));
    struct tf_bundle bundle;
    if (!tf_bundle_introduce((const char *)in.data, size, domain, "quickjs", scratch,
                             &bundle)) {
        tf_bundle_wipe(&bundle);
    }
    free(scratch);
    free(in.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tf_descriptor domain;
    if (tf_descriptor_parse(FIXTURE_DOMAIN, strlen(FIXTURE_DOMAIN), &domain)) {
        __builtin_trap();
    }
    struct fixture_bytes bundle =
        size > 0 && data[0] == '{' ? wrap(data, size) : copy(data, size);
    introduce(data, size, &domain);
    introduce(data, size, NULL);
    check(&bundle, &domain);
    fix_checksums(&bundle);
    check(&bundle, NULL);
    free(bundle.data);
    return 0;
}
