/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/ustar.h"

#include "test/fixture.h"
#include "test/test.h"

/* What the reader says of an archive of one entry and an end. */
static tf_err read_one(const struct fixture_bytes *archive, struct tf_ustar_entry *entry)
{
    struct tf_reader r;
    tf_reader_init(&r, archive->data, archive->size);
    tf_err err = tf_ustar_read(&r, entry);
    if (err) {
        return err;
    }
    struct tf_ustar_entry next;
    err = tf_ustar_read(&r, &next);
    return err == TF_ENOTFOUND ? TF_OK : err;
}

static tf_err read_path(const char *path, char type)
{
    const struct fixture_entry entry = {path, "abc", 3, type};
    struct tf_ustar_entry out;
    struct fixture_bytes archive = fixture_archive(&entry, 1);
    tf_err err = read_one(&archive, &out);
    free(archive.data);
    return err;
}

static void test_sizes_are_whole_blocks(void)
{
    CHECK(tf_ustar_entry_size(0) == 512);
    CHECK(tf_ustar_entry_size(1) == 1024);
    CHECK(tf_ustar_entry_size(512) == 1024);
    CHECK(tf_ustar_entry_size(513) == 1536);
}

static void test_written_header_reads_back(void)
{
    static const size_t sizes[] = {0, 1, 511, 512, 513, 100000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct tf_ustar_entry out;
        struct fixture_bytes archive = {NULL, tf_ustar_entry_size(sizes[i]) + 1024};
        archive.data = calloc(1, archive.size);
        CHECK(tf_ustar_header_write(archive.data, "lib/x.js", sizes[i]) == TF_OK);
        CHECK(read_one(&archive, &out) == TF_OK);
        CHECK(out.size == sizes[i] && out.contents == archive.data + 512);
        CHECK(out.path_size == 8 && memcmp(out.path, "lib/x.js", 8) == 0);
        free(archive.data);
    }
}

/* The SHA-256 of what GNU tar 1.34 writes for `printf abc > main.js; tar --format=ustar
 * --mode=0644 --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - main.js | head -c
 * 512`. */
static void test_header_is_the_one_of_gnu_tar(void)
{
    uint8_t header[512];
    uint8_t digest[TF_SHA256_SIZE];
    char text[2 * TF_SHA256_SIZE + 1];
    CHECK(tf_ustar_header_write(header, "main.js", 3) == TF_OK);
    tf_sha256(header, sizeof(header), digest);
    tf_hex_write(digest, sizeof(digest), text);
    CHECK(strcmp(text,
                 "7f0c2cdae512367d2a56000dcca563c66e8ef3cb7f030b7c9399c7180a5647a9") ==
          0);
}

static void test_writer_refuses_bad_paths_and_sizes(void)
{
    uint8_t header[512];
    CHECK(tf_ustar_header_write(header, "../x", 3) == TF_EBUNDLE_PATH);
    CHECK(tf_ustar_header_write(header, "", 3) == TF_EBUNDLE_PATH);
    CHECK(tf_ustar_header_write(header, TF_ENVELOPE_PATH, 3) == TF_OK);
    CHECK(tf_ustar_header_write(header, "x", (size_t)1 << 33) == TF_ELIMIT);
}

static void test_longest_path_has_no_nul(void)
{
    char path[TF_PATH_MAX + 1] = {0};
    memset(path, 'p', TF_PATH_MAX);
    CHECK(read_path(path, 0) == TF_OK);
}

static void test_types_and_paths_have_their_codes(void)
{
    static const char types[] = "1234567xgLKSV";
    CHECK(read_path("main.js", '0') == TF_OK);
    for (const char *type = types; *type != '\0'; type++) {
        CHECK(read_path("main.js", *type) == TF_EBUNDLE_TYPE);
    }
    CHECK(read_path("../main.js", 0) == TF_EBUNDLE_PATH);
    CHECK(read_path("/main.js", 0) == TF_EBUNDLE_PATH);
    CHECK(read_path("a/./b", 0) == TF_EBUNDLE_PATH);
    CHECK(read_path("", 0) == TF_EBUNDLE_PATH);
}

/* With a good checksum too, a header that differs from the canonical one is refused. */
static void test_every_byte_of_the_header_counts(void)
{
    const struct fixture_entry entry = {"main.js", "abc", 3, 0};
    struct fixture_bytes archive = fixture_archive(&entry, 1);
    for (size_t i = 0; i < 512; i++) {
        struct tf_ustar_entry out;
        uint8_t saved[512];
        memcpy(saved, archive.data, 512);
        archive.data[i] ^= 0x80;
        CHECK(read_one(&archive, &out) == TF_EBUNDLE_TAR);
        fixture_checksum(archive.data);
        bool is_checksum = i >= 148 && i < 156; /* set right again */
        CHECK((read_one(&archive, &out) == TF_OK) == is_checksum);
        memcpy(archive.data, saved, 512);
    }
    free(archive.data);
}

static void test_padding_and_end_are_zero(void)
{
    const struct fixture_entry entry = {"main.js", "abc", 3, 0};
    struct fixture_bytes archive = fixture_archive(&entry, 1);
    struct tf_ustar_entry out;
    CHECK(archive.size == 2048);
    for (size_t i = 512 + 3; i < archive.size; i++) {
        archive.data[i] = 1;
        CHECK(read_one(&archive, &out) == TF_EBUNDLE_TAR);
        archive.data[i] = 0;
    }
    CHECK(read_one(&archive, &out) == TF_OK);
    free(archive.data);
}

static void test_every_other_length_is_refused(void)
{
    const struct fixture_entry entry = {"main.js", "abc", 3, 0};
    struct fixture_bytes archive = fixture_archive(&entry, 1);
    struct tf_ustar_entry out;
    size_t good = archive.size;
    for (size_t size = 0; size < good; size++) {
        uint8_t *cut = malloc(size + 1);
        memcpy(cut, archive.data, size);
        const struct fixture_bytes shorter = {cut, size};
        CHECK(read_one(&shorter, &out) == TF_EBUNDLE_TAR);
        free(cut);
    }
    for (size_t extra = 1; extra <= 512; extra += 511) {
        struct fixture_bytes longer = {calloc(1, good + extra), good + extra};
        memcpy(longer.data, archive.data, good);
        CHECK(read_one(&longer, &out) == TF_EBUNDLE_TAR);
        free(longer.data);
    }
    free(archive.data);
}

static void test_size_beyond_the_archive_is_refused(void)
{
    static const char *const sizes[] = {"00000003001", "77777777777", "00000002777"};
    const struct fixture_entry entry = {"main.js", "abc", 3, 0};
    for (size_t i = 0; i < 3; i++) {
        struct tf_ustar_entry out;
        struct fixture_bytes archive = fixture_archive(&entry, 1);
        memcpy(archive.data + 124, sizes[i], 11);
        fixture_checksum(archive.data);
        CHECK(read_one(&archive, &out) == TF_EBUNDLE_TAR);
        free(archive.data);
    }
}

int main(void)
{
    RUN(test_sizes_are_whole_blocks);
    RUN(test_written_header_reads_back);
    RUN(test_header_is_the_one_of_gnu_tar);
    RUN(test_writer_refuses_bad_paths_and_sizes);
    RUN(test_longest_path_has_no_nul);
    RUN(test_types_and_paths_have_their_codes);
    RUN(test_every_byte_of_the_header_counts);
    RUN(test_padding_and_end_are_zero);
    RUN(test_every_other_length_is_refused);
    RUN(test_size_beyond_the_archive_is_refused);
    return test_end();
}
