/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/bundle.h"

#include <stdio.h>

#include "test/fixture.h"
#include "test/test.h"

static const struct fixture_entry files[] = {{"main.js", "handler", 7, 0},
                                             {"lib/a.js", "", 0, 0}};
enum { FILE_COUNT = 2, TEXT_MAX = 4096 };

static uint8_t scratch[TF_BUNDLE_SCRATCH];
static struct fixture_key key;
static struct fixture_key stranger;
static struct tf_descriptor domain;

static tf_err check(const struct fixture_bytes *bundle)
{
    struct tf_bundle out = {.digest = {77}};
    tf_err err =
        tf_bundle_check(bundle->data, bundle->size, &domain, "quickjs", scratch, &out);
    if (err) {
        CHECK(out.digest[0] == 77);
        return err;
    }
    tf_bundle_wipe(&out);
    return TF_OK;
}

/* Checks the bundle of a manifest and entries; what is signed may be anything. */
static tf_err check_of(const char *manifest, const struct fixture_entry *entries,
                       size_t count)
{
    struct fixture_bytes bundle =
        fixture_bundle(&key, manifest, strlen(manifest), entries, count);
    tf_err err = check(&bundle);
    free(bundle.data);
    return err;
}

/* The manifest of `files`, with these entries in the archive. */
static tf_err check_entries(const struct fixture_entry *entries, size_t count)
{
    char manifest[TEXT_MAX];
    (void)fixture_manifest_write(manifest, sizeof(manifest), files, FILE_COUNT);
    return check_of(manifest, entries, count);
}

static struct fixture_bytes good_bundle(const struct fixture_key *by)
{
    char manifest[TEXT_MAX];
    size_t size = fixture_manifest_write(manifest, sizeof(manifest), files, FILE_COUNT);
    return fixture_bundle(by, manifest, size, files, FILE_COUNT);
}

static void test_good_bundle(void)
{
    struct tf_bundle out;
    struct fixture_bytes bundle = good_bundle(&key);
    CHECK(tf_bundle_check(bundle.data, bundle.size, &domain, "quickjs", scratch, &out) ==
          TF_OK);
    CHECK(strcmp(out.manifest.name, "hello") == 0 && out.manifest.file_count == 2);
    CHECK(memcmp(out.contents[0], "handler", 7) == 0 && out.manifest.files[0].size == 7);
    CHECK(out.contents[0] > bundle.data && out.contents[0] < bundle.data + bundle.size);
    CHECK(out.manifest.files[1].size == 0);
    CHECK(strcmp(out.signer, key.publisher.keyid) == 0);
    tf_bundle_wipe(&out);
    CHECK(out.manifest.files == NULL);
    free(bundle.data);
}

/* The digest is over what is signed, so the same files by another signer have the same.
 */
static void test_digest_is_of_the_manifest(void)
{
    struct tf_bundle first;
    struct tf_bundle second;
    struct fixture_bytes one = good_bundle(&key);
    struct fixture_bytes two = good_bundle(&stranger);
    CHECK(tf_bundle_check(one.data, one.size, NULL, NULL, scratch, &first) == TF_OK);
    CHECK(tf_bundle_check(two.data, two.size, NULL, NULL, scratch, &second) == TF_OK);
    CHECK(memcmp(first.digest, second.digest, sizeof(first.digest)) == 0);
    CHECK(first.signer[0] == '\0');
    tf_bundle_wipe(&first);
    tf_bundle_wipe(&second);
    free(one.data);
    free(two.data);
}

static void test_wrong_signer(void)
{
    struct fixture_bytes bundle = good_bundle(&stranger);
    CHECK(check(&bundle) == TF_EDSSE_SIGNER);
    free(bundle.data);
    struct fixture_key impostor = stranger;
    impostor.publisher = key.publisher;
    bundle = good_bundle(&impostor);
    CHECK(check(&bundle) == TF_EDSSE_SIGNATURE);
    free(bundle.data);
}

static void test_no_changed_byte_is_accepted(void)
{
    struct fixture_bytes bundle = good_bundle(&key);
    size_t accepted = 0;
    for (size_t i = 0; i < bundle.size; i++) {
        uint8_t original = bundle.data[i];
        static const uint8_t changes[] = {0x01, 0x20, 0x80, 0xff};
        for (size_t j = 0; j < sizeof(changes); j++) {
            bundle.data[i] = original ^ changes[j];
            accepted += check(&bundle) == TF_OK;
        }
        bundle.data[i] = original;
    }
    CHECK(accepted == 0);
    CHECK(check(&bundle) == TF_OK);
    free(bundle.data);
}

static void test_no_shorter_bundle_is_accepted(void)
{
    struct fixture_bytes bundle = good_bundle(&key);
    for (size_t size = 0; size < bundle.size; size++) {
        uint8_t *cut = malloc(size + 1);
        memcpy(cut, bundle.data, size);
        const struct fixture_bytes shorter = {cut, size};
        CHECK(check(&shorter) == TF_EBUNDLE_TAR);
        free(cut);
    }
    free(bundle.data);
}

static void test_too_large_a_bundle(void)
{
    struct fixture_bytes bundle = {calloc(1, TF_BUNDLE_MAX + 1), TF_BUNDLE_MAX + 1};
    CHECK(check(&bundle) == TF_ELIMIT);
    bundle.size--;
    CHECK(check(&bundle) == TF_EBUNDLE_TAR);
    free(bundle.data);
}

static void test_extra_file(void)
{
    const struct fixture_entry entries[] = {files[0], files[1], {"more.js", "x", 1, 0}};
    CHECK(check_entries(entries, 3) == TF_EBUNDLE_EXTRA);
}

static void test_missing_file(void)
{
    CHECK(check_entries(files, 1) == TF_EBUNDLE_MISSING);
    CHECK(check_entries(files + 1, 1) == TF_EBUNDLE_MISSING);
    CHECK(check_entries(files, 0) == TF_EBUNDLE_MISSING);
}

static void test_other_order(void)
{
    const struct fixture_entry entries[] = {files[1], files[0]};
    CHECK(check_entries(entries, 2) == TF_EBUNDLE_TAR);
}

static void test_path_escape(void)
{
    const struct fixture_entry entries[] = {files[0], files[1], {"../up.js", "x", 1, 0}};
    CHECK(check_entries(entries, 3) == TF_EBUNDLE_PATH);
    char manifest[TEXT_MAX];
    (void)fixture_manifest_write(manifest, sizeof(manifest), entries, 3);
    CHECK(check_of(manifest, entries, 3) == TF_EBUNDLE_PATH);
    CHECK(check_of(manifest, entries, 2) == TF_EBUNDLE_PATH); /* in the manifest only */
}

static void test_symlink(void)
{
    const struct fixture_entry entries[] = {files[0], {"lib/a.js", "", 0, '2'}};
    CHECK(check_entries(entries, 2) == TF_EBUNDLE_TYPE);
}

static void test_duplicate_path(void)
{
    const struct fixture_entry entries[] = {files[0], files[1], files[0]};
    const struct fixture_entry envelope[] = {files[0], {TF_ENVELOPE_PATH, "{}", 2, 0}};
    CHECK(check_entries(entries, 3) == TF_EBUNDLE_DUPLICATE);
    CHECK(check_entries(envelope, 2) == TF_EBUNDLE_DUPLICATE);
    char manifest[TEXT_MAX];
    (void)fixture_manifest_write(manifest, sizeof(manifest), entries, 3);
    CHECK(check_of(manifest, files, 2) == TF_EBUNDLE_DUPLICATE);
}

static void test_changed_contents(void)
{
    const struct fixture_entry same_size[] = {{"main.js", "handlER", 7, 0}, files[1]};
    const struct fixture_entry other_size[] = {{"main.js", "handlers", 8, 0}, files[1]};
    CHECK(check_entries(same_size, 2) == TF_EBUNDLE_DIGEST);
    CHECK(check_entries(other_size, 2) == TF_EBUNDLE_DIGEST);
}

static void test_envelope_must_be_first_and_there(void)
{
    struct fixture_bytes none = fixture_archive(files, FILE_COUNT);
    struct fixture_bytes empty = fixture_archive(files, 0);
    CHECK(check(&none) == TF_EBUNDLE_TAR);
    CHECK(check(&empty) == TF_EBUNDLE_TAR);
    free(none.data);
    free(empty.data);
}

static void test_envelope_that_is_none(void)
{
    const struct fixture_entry entry = {TF_ENVELOPE_PATH, "{}", 2, 0};
    struct fixture_bytes bundle = fixture_archive(&entry, 1);
    CHECK(check(&bundle) == TF_EDSSE_FORMAT);
    free(bundle.data);
    struct fixture_bytes grant = fixture_envelope(&key, TF_DSSE_GRANT, "{}", 2);
    const struct fixture_entry other = {TF_ENVELOPE_PATH, (char *)grant.data, grant.size,
                                        0};
    bundle = fixture_archive(&other, 1);
    CHECK(check(&bundle) == TF_EDSSE_TYPE);
    free(bundle.data);
    free(grant.data);
}

/* A good manifest, padded with white space. */
static tf_err check_padded(size_t size)
{
    char *manifest = malloc(size + 1);
    size_t used = fixture_manifest_write(manifest, size, files, FILE_COUNT);
    memset(manifest + used, ' ', size - used);
    manifest[size] = '\0';
    tf_err err = check_of(manifest, files, FILE_COUNT);
    free(manifest);
    return err;
}

static void test_oversized_manifest(void)
{
    CHECK(check_padded(TF_MANIFEST_MAX) == TF_OK);
    CHECK(check_padded(TF_MANIFEST_MAX + 1) == TF_EMANIFEST_SIZE);
    CHECK(check_padded(70000) == TF_EMANIFEST_SIZE);
    CHECK(check_padded(200000) == TF_EMANIFEST_SIZE); /* envelope over TF_ENVELOPE_MAX */
}

static void test_bad_manifests(void)
{
    CHECK(check_of("{", files, FILE_COUNT) == TF_EMANIFEST_JSON);
    CHECK(check_of("{\"name\":\"a\",\"name\":\"a\"}", files, FILE_COUNT) ==
          TF_EMANIFEST_KEYS);
    CHECK(check_of("{}", files, FILE_COUNT) == TF_EMANIFEST_FIELD);
}

static void test_engine(void)
{
    static const char tail[] = ",\"engines\":[\"duktape\"]}";
    char manifest[TEXT_MAX];
    size_t size = fixture_manifest_write(manifest, sizeof(manifest), files, FILE_COUNT);
    memcpy(manifest + size - 1, tail, sizeof(tail));
    CHECK(check_of(manifest, files, FILE_COUNT) == TF_EMANIFEST_ENGINE);
    memcpy(manifest + size - 1, ",\"engines\":[\"v8\",\"quickjs\"]}", 29);
    CHECK(check_of(manifest, files, FILE_COUNT) == TF_OK);
}

/* As many files as a manifest may list, and one more. */
static void test_most_files(void)
{
    static struct fixture_entry many[TF_FILES_MAX + 1];
    static char paths[TF_FILES_MAX + 1][16];
    static char manifest[TF_MANIFEST_MAX];
    for (size_t i = 0; i <= TF_FILES_MAX; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "f%u.js", (unsigned)i);
        many[i] = (struct fixture_entry){paths[i], "abc", 3, 0};
    }
    (void)fixture_manifest_write(manifest, sizeof(manifest), many, TF_FILES_MAX);
    CHECK(check_of(manifest, many, TF_FILES_MAX) == TF_OK);
    CHECK(check_of(manifest, many, TF_FILES_MAX + 1) == TF_EBUNDLE_EXTRA);
}

int main(void)
{
    key = fixture_key_open("ED25519");
    stranger = fixture_key_open("P-256");
    domain.publisher_count = 1;
    domain.publishers[0] = key.publisher;
    RUN(test_good_bundle);
    RUN(test_digest_is_of_the_manifest);
    RUN(test_wrong_signer);
    RUN(test_no_changed_byte_is_accepted);
    RUN(test_no_shorter_bundle_is_accepted);
    RUN(test_too_large_a_bundle);
    RUN(test_extra_file);
    RUN(test_missing_file);
    RUN(test_other_order);
    RUN(test_path_escape);
    RUN(test_symlink);
    RUN(test_duplicate_path);
    RUN(test_changed_contents);
    RUN(test_envelope_must_be_first_and_there);
    RUN(test_envelope_that_is_none);
    RUN(test_oversized_manifest);
    RUN(test_bad_manifests);
    RUN(test_engine);
    RUN(test_most_files);
    fixture_key_close(&key);
    fixture_key_close(&stranger);
    return test_end();
}
