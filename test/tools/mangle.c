/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mangle.c - makes bad bundles out of a good one, each for one reason.
 *
 *   mangle list                        prints a line `KIND CODE TITLE` for each kind
 *   mangle KIND BUNDLE OUT KEY         writes the bad bundle to OUT
 *
 * CODE is the error with which it must be refused (lib/err.c). KEY is the publisher's PEM
 * key: it signs those that are bad in what is signed. The others are what somebody on the
 * way can make, who has no key.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "lib/ustar.h"
#include "test/fixture.h"

enum { ENTRIES_MAX = 16, PATH_CAP = 128, OVERSIZED = 70000, ENVELOPE_AT = 512 };

static const char BAD_KEYS[] = ",\"version\":1}";

/* The good bundle, apart. */
struct parts {
    struct fixture_bytes bundle;
    char paths[ENTRIES_MAX][PATH_CAP];
    struct fixture_entry entries[ENTRIES_MAX + 1]; /* 0 is the envelope */
    size_t count;
    uint8_t *manifest; /* owned */
    size_t manifest_size;
    struct fixture_key key;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "mangle: %s\n", what);
    exit(1);
}

static struct fixture_bytes read_file(const char *path)
{
    struct fixture_bytes out = {malloc(TF_BUNDLE_MAX), 0};
    FILE *file = fopen(path, "rb");

    if (file == NULL || out.data == NULL) {
        die(path);
    }
    out.size = fread(out.data, 1, TF_BUNDLE_MAX, file);
    (void)fclose(file);
    return out;
}

static void write_file(const char *path, const struct fixture_bytes *bytes)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL || fwrite(bytes->data, 1, bytes->size, file) != bytes->size ||
        fclose(file) != 0) {
        die(path);
    }
}

static void read_parts(const char *bundle, const char *key, struct parts *out)
{
    struct tf_reader r;
    struct tf_ustar_entry entry;
    struct tf_dsse dsse;
    const struct tf_dsse_rule rule = {.type = TF_DSSE_MANIFEST,
                                      .payload_max = TF_MANIFEST_MAX};
    FILE *file = fopen(key, "rb");

    out->key.key = file == NULL ? NULL : PEM_read_PrivateKey(file, NULL, NULL, NULL);
    if (out->key.key == NULL) {
        die(key);
    }
    (void)fclose(file);
    out->key = fixture_key_of(out->key.key);
    out->bundle = read_file(bundle);
    tf_reader_init(&r, out->bundle.data, out->bundle.size);
    while (out->count < ENTRIES_MAX && tf_ustar_read(&r, &entry) == TF_OK) {
        char *path = out->paths[out->count];
        memcpy(path, entry.path, entry.path_size);
        out->entries[out->count++] = (struct fixture_entry){
            .path = path, .contents = (const char *)entry.contents, .size = entry.size};
    }
    out->manifest = malloc(TF_BUNDLE_SCRATCH);
    if (out->count < 3 || tf_dsse_open(out->entries[0].contents, out->entries[0].size,
                                       &rule, out->manifest, &dsse)) {
        die("not a bundle of at least two files");
    }
    out->manifest_size = dsse.payload_size;
}

static struct fixture_bytes archive(const struct parts *p, size_t count)
{
    return fixture_archive(p->entries, count);
}

/* The same files under another manifest, signed by `key`. */
static struct fixture_bytes sign(const struct parts *p, const struct fixture_key *key,
                                 const uint8_t *manifest, size_t size)
{
    return fixture_bundle(key, manifest, size, p->entries + 1, p->count - 1);
}

static struct fixture_bytes flip(const struct parts *p, size_t at, uint8_t mask)
{
    p->bundle.data[at] ^= mask;
    return (struct fixture_bytes){p->bundle.data, p->bundle.size};
}

/* Changes the first letter of a string of the envelope: the case of base64, so that it is
 * base64 still. */
static struct fixture_bytes flip_string(const struct parts *p, const char *before,
                                        uint8_t mask)
{
    size_t envelope = p->entries[0].size;
    char *text = strndup(p->entries[0].contents, envelope);
    const char *at = text == NULL ? NULL : strstr(text, before);

    if (at == NULL) {
        die("the envelope has no such field");
    }
    at += strlen(before);
    while (mask == 0x20 && strchr("0123456789+/", *at) != NULL) {
        at++;
    }
    size_t offset = ENVELOPE_AT + (size_t)(at - text);
    free(text);
    return flip(p, offset, mask);
}

static struct fixture_bytes byte_header(struct parts *p)
{
    return flip(p, 0, 1);
}

static struct fixture_bytes byte_envelope(struct parts *p)
{
    return flip(p, ENVELOPE_AT, 1);
}

static struct fixture_bytes byte_type(struct parts *p)
{
    return flip_string(p, "\"payloadType\":\"", 1);
}

static struct fixture_bytes byte_manifest(struct parts *p)
{
    return flip_string(p, "\"payload\":\"", 0x20);
}

static struct fixture_bytes byte_keyid(struct parts *p)
{
    return flip_string(p, "\"keyid\":\"", 1);
}

static struct fixture_bytes byte_signature(struct parts *p)
{
    return flip_string(p, "\"sig\":\"", 0x20);
}

static struct fixture_bytes byte_file(struct parts *p)
{
    return flip(p, (size_t)((const uint8_t *)p->entries[1].contents - p->bundle.data), 1);
}

static struct fixture_bytes byte_name(struct parts *p)
{
    size_t contents = (size_t)((const uint8_t *)p->entries[1].contents - p->bundle.data);

    return flip(p, contents - TF_USTAR_BLOCK, 1);
}

static struct fixture_bytes byte_padding(struct parts *p)
{
    size_t end = (size_t)((const uint8_t *)p->entries[1].contents - p->bundle.data) +
                 p->entries[1].size;

    if (p->entries[1].size % TF_USTAR_BLOCK == 0) {
        die("the first file has no padding");
    }
    return flip(p, end, 1);
}

static struct fixture_bytes byte_end(struct parts *p)
{
    return flip(p, p->bundle.size - 1, 1);
}

static struct fixture_bytes cut(struct parts *p)
{
    p->bundle.size--;
    return flip(p, 0, 0);
}

static struct fixture_bytes other_signer(struct parts *p)
{
    struct fixture_key stranger = fixture_key_open("ED25519");
    struct fixture_bytes out = sign(p, &stranger, p->manifest, p->manifest_size);

    fixture_key_close(&stranger);
    return out;
}

static struct fixture_bytes extra_file(struct parts *p)
{
    p->entries[p->count] = (struct fixture_entry){"extra.js", "1", 1, 0};
    return archive(p, p->count + 1);
}

static struct fixture_bytes missing_file(struct parts *p)
{
    return archive(p, p->count - 1);
}

static struct fixture_bytes path_escape(struct parts *p)
{
    p->entries[1].path = "../main.js";
    return archive(p, p->count);
}

static struct fixture_bytes symlink_entry(struct parts *p)
{
    p->entries[2].type = '2';
    p->entries[2].size = 0;
    return archive(p, p->count);
}

static struct fixture_bytes duplicate_path(struct parts *p)
{
    p->entries[p->count] = p->entries[1];
    return archive(p, p->count + 1);
}

static struct fixture_bytes oversized_manifest(struct parts *p)
{
    uint8_t *large = malloc(OVERSIZED);

    memset(large, ' ', OVERSIZED); /* white space behind a manifest is JSON still */
    memcpy(large, p->manifest, p->manifest_size);
    struct fixture_bytes out = sign(p, &p->key, large, OVERSIZED);
    free(large);
    return out;
}

static struct fixture_bytes duplicate_keys(struct parts *p)
{
    memcpy(p->manifest + p->manifest_size - 1, BAD_KEYS, sizeof(BAD_KEYS) - 1);
    return sign(p, &p->key, p->manifest, p->manifest_size + sizeof(BAD_KEYS) - 2);
}

static struct fixture_bytes no_json(struct parts *p)
{
    return sign(p, &p->key, p->manifest, p->manifest_size - 1);
}

static const struct {
    const char *name;
    const char *code;
    const char *title;
    struct fixture_bytes (*make)(struct parts *p);
} KINDS[] = {
    {"byte-header", "bundle-tar", "a byte of the envelope's header", byte_header},
    {"byte-envelope", "dsse-format", "a byte of the envelope", byte_envelope},
    {"byte-type", "dsse-type", "a byte of the payload type", byte_type},
    {"byte-manifest", "dsse-signature", "a byte of the manifest", byte_manifest},
    {"byte-keyid", "dsse-signer", "a byte of the key id", byte_keyid},
    {"byte-signature", "dsse-signature", "a byte of the signature", byte_signature},
    {"byte-name", "bundle-tar", "a byte of a file's name", byte_name},
    {"byte-file", "bundle-digest", "a byte of a file", byte_file},
    {"byte-padding", "bundle-tar", "a byte between two files", byte_padding},
    {"byte-end", "bundle-tar", "the last byte", byte_end},
    {"cut", "bundle-tar", "one byte less", cut},
    {"signer", "dsse-signer", "signed by a stranger", other_signer},
    {"extra", "bundle-extra", "an extra file", extra_file},
    {"missing", "bundle-missing", "a missing file", missing_file},
    {"escape", "bundle-path", "a ../ path", path_escape},
    {"symlink", "bundle-type", "a symbolic link", symlink_entry},
    {"duplicate", "bundle-duplicate", "a path twice", duplicate_path},
    {"oversized", "manifest-size", "an oversized manifest", oversized_manifest},
    {"keys", "manifest-keys", "a manifest with a key twice", duplicate_keys},
    {"no-json", "manifest-json", "a manifest that is no JSON", no_json},
};
enum { KIND_COUNT = sizeof(KINDS) / sizeof(KINDS[0]) };

static int list(void)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        (void)printf("%s %s %s\n", KINDS[i].name, KINDS[i].code, KINDS[i].title);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct parts parts;

    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        return list();
    }
    for (size_t i = 0; argc == 5 && i < KIND_COUNT; i++) {
        if (strcmp(argv[1], KINDS[i].name) == 0) {
            read_parts(argv[2], argv[4], &parts);
            struct fixture_bytes out = KINDS[i].make(&parts);
            write_file(argv[3], &out);
            return 0; /* what it owns ends with it */
        }
    }
    (void)fprintf(stderr, "usage: mangle list | mangle KIND BUNDLE OUT KEY\n");
    return 2;
}
