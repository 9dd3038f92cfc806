/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/bytes.h"

#include <string.h>

#include "test/test.h"

static void test_reader_reads_little_endian_in_order(void)
{
    static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct tf_reader r;
    tf_reader_init(&r, data, sizeof(data));
    CHECK(tf_read_u16(&r) == 0x0201);
    CHECK(tf_read_u32(&r) == 0x06050403);
    CHECK(tf_read_u64(&r) == UINT64_C(0x0e0d0c0b0a090807));
    CHECK(tf_reader_left(&r) == 1);
    CHECK(tf_read_bytes(&r, 1) == data + 14 && !r.bad);
    CHECK(tf_read_bytes(&r, 0) != NULL && !r.bad);
}

static void test_reader_past_the_end_sticks(void)
{
    static const uint8_t data[] = {1, 2, 3};
    struct tf_reader r;
    tf_reader_init(&r, data, sizeof(data));
    CHECK(tf_read_u32(&r) == 0 && r.bad);
    CHECK(tf_read_u16(&r) == 0 && tf_reader_left(&r) == 0);
    tf_reader_init(&r, data, sizeof(data));
    CHECK(tf_read_u16(&r) == 0x0201);
    CHECK(tf_read_bytes(&r, SIZE_MAX) == NULL && r.bad);
}

static void test_store_then_read_is_the_same(void)
{
    uint8_t data[14];
    struct tf_reader r;
    tf_store_u16(data, 0xfedc);
    tf_store_u32(data + 2, 0xba987654);
    tf_store_u64(data + 6, UINT64_C(0x0123456789abcdef));
    tf_reader_init(&r, data, sizeof(data));
    CHECK(tf_read_u16(&r) == 0xfedc);
    CHECK(tf_read_u32(&r) == 0xba987654);
    CHECK(tf_read_u64(&r) == UINT64_C(0x0123456789abcdef));
}

static void test_hex_both_ways(void)
{
    static const uint8_t data[] = {0x00, 0x9a, 0xbf, 0xff};
    char text[9];
    uint8_t back[4] = {0};
    tf_hex_write(data, 4, text);
    CHECK(strcmp(text, "009abfff") == 0);
    CHECK(tf_hex_parse(text, 8, back, 4) == TF_OK);
    CHECK(memcmp(back, data, 4) == 0);
}

static void test_bad_hex_is_refused_and_writes_nothing(void)
{
    uint8_t out[2] = {1, 2};
    CHECK(tf_hex_parse("0g00", 4, out, 2) == TF_EFORMAT);
    CHECK(tf_hex_parse("00AB", 4, out, 2) == TF_EFORMAT); /* lower case only */
    CHECK(tf_hex_parse("000", 3, out, 2) == TF_EFORMAT);
    CHECK(tf_hex_parse("00000", 5, out, 2) == TF_EFORMAT);
    CHECK(tf_hex_parse("000000", 6, out, 2) == TF_EFORMAT);
    CHECK(out[0] == 1 && out[1] == 2);
}

/* RFC 4648 section 10. */
static const struct {
    const char *plain;
    const char *text;
} vectors[] = {{"", ""},
               {"f", "Zg=="},
               {"fo", "Zm8="},
               {"foo", "Zm9v"},
               {"foob", "Zm9vYg=="},
               {"fooba", "Zm9vYmE="},
               {"foobar", "Zm9vYmFy"}};

static void test_base64_vectors_both_ways(void)
{
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        char text[16];
        uint8_t back[8];
        size_t size = strlen(vectors[i].plain);
        size_t back_size = 99;
        CHECK(tf_base64_size(size) == strlen(vectors[i].text));
        tf_base64_write(vectors[i].plain, size, text);
        CHECK(strcmp(text, vectors[i].text) == 0);
        CHECK(tf_base64_parse(text, strlen(text), back, size, &back_size) == TF_OK);
        CHECK(back_size == size && memcmp(back, vectors[i].plain, size) == 0);
    }
}

static void test_base64_of_every_byte_pair(void)
{
    for (unsigned i = 0; i < 65536; i++) {
        const uint8_t data[2] = {(uint8_t)i, (uint8_t)(i >> 8)};
        char text[5];
        uint8_t back[2];
        size_t size = 0;
        tf_base64_write(data, 2, text);
        CHECK(tf_base64_parse(text, 4, back, 2, &size) == TF_OK);
        CHECK(size == 2 && memcmp(back, data, 2) == 0);
    }
}

static void test_loose_base64_is_refused(void)
{
    static const char *const bad[] = {
        "Zg",   "Zg=",      "Zh==", "Zm9=", "====", "=Zg=",
        "Z===", "Zg==Zg==", "Zg= ", "Z-_/", "Zm 9", "Zm9v\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t out[16];
        size_t size = 99;
        CHECK(tf_base64_parse(bad[i], strlen(bad[i]), out, sizeof(out), &size) ==
              TF_EFORMAT);
        CHECK(size == 99);
    }
}

static void test_base64_over_the_cap_is_a_limit(void)
{
    uint8_t out[4] = {0, 0, 9, 9};
    size_t size = 99;
    CHECK(tf_base64_parse("Zm9v", 4, out, 2, &size) == TF_ELIMIT);
    CHECK(tf_base64_parse("Zm8=", 4, out, 2, &size) == TF_OK);
    CHECK(size == 2 && out[2] == 9);
}

static void test_decimals_have_no_leading_zero(void)
{
    static const struct {
        uint64_t value;
        const char *text;
    } cases[] = {{0, "0"}, {9, "9"}, {10, "10"}, {UINT64_MAX, "18446744073709551615"}};
    char out[TF_DECIMAL_MAX];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t size = tf_decimal_write(cases[i].value, out);
        CHECK(size == strlen(cases[i].text) && memcmp(out, cases[i].text, size) == 0);
    }
}

int main(void)
{
    RUN(test_reader_reads_little_endian_in_order);
    RUN(test_reader_past_the_end_sticks);
    RUN(test_store_then_read_is_the_same);
    RUN(test_hex_both_ways);
    RUN(test_bad_hex_is_refused_and_writes_nothing);
    RUN(test_base64_vectors_both_ways);
    RUN(test_base64_of_every_byte_pair);
    RUN(test_loose_base64_is_refused);
    RUN(test_base64_over_the_cap_is_a_limit);
    RUN(test_decimals_have_no_leading_zero);
    return test_end();
}
