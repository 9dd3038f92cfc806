/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json.h"

#include <stdlib.h>
#include <string.h>

#include "test/test.h"

static tf_err parse(const char *text)
{
    json_t *document = NULL;
    tf_err err = tf_json_parse(text, strlen(text), &document);
    CHECK((document != NULL) == (err == TF_OK));
    json_decref(document);
    return err;
}

static void test_what_is_not_strict_json_is_refused(void)
{
    CHECK(parse("{}") == TF_OK);
    CHECK(parse(" [1, \"a\"] ") == TF_OK);
    CHECK(parse("") == TF_EFORMAT);
    CHECK(parse("1") == TF_EFORMAT);
    CHECK(parse("{} x") == TF_EFORMAT);
    CHECK(parse("{\"a\": 1,}") == TF_EFORMAT);
    CHECK(parse("{'a': 1}") == TF_EFORMAT);
    CHECK(parse("[\"\xff\"]") == TF_EFORMAT);
    CHECK(parse("[\"\\u0000\"]") == TF_EFORMAT);
    CHECK(parse("[99999999999999999999]") == TF_EFORMAT);
}

static void test_duplicate_keys_have_their_own_code(void)
{
    CHECK(parse("{\"a\": 1, \"b\": 2, \"a\": 1}") == TF_EMANIFEST_KEYS);
    CHECK(parse("[{\"x\": {\"a\": 1, \"a\": 2}}]") == TF_EMANIFEST_KEYS);
    CHECK(parse("{\"a\": 1, \"\\u0061\": 1}") == TF_EMANIFEST_KEYS);
}

static void test_depth_is_limited_outside_strings(void)
{
    CHECK(parse("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]") == TF_OK);
    CHECK(parse("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]") == TF_ELIMIT);
    CHECK(parse("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]") == TF_OK);
    CHECK(parse("[\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]") == TF_OK);
    CHECK(parse("[\"\\\\\", [[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]") == TF_ELIMIT);
    CHECK(parse("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]") == TF_OK);
}

static const char good[] =
    "{\"s\": \"text\", \"i\": 42, \"b\": true, \"h\": \"00ff\", \"64\": \"Zm9v\","
    " \"a\": [\"x\", 1], \"o\": {}}";

static void test_all_kinds_of_fields(void)
{
    json_t *document = NULL;
    struct tf_json_fields f;
    uint8_t hex[2] = {0};
    uint8_t decoded[3] = {0};
    char copy[5] = "";
    CHECK(tf_json_parse(good, strlen(good), &document) == TF_OK);
    tf_json_fields_init(&f, document);
    tf_json_copy(&f, "s", copy, sizeof(copy));
    CHECK(strcmp(copy, "text") == 0);
    CHECK(tf_json_integer(&f, "i", 42, 42) == 42);
    CHECK(tf_json_boolean(&f, "b"));
    tf_json_hex(&f, "h", hex, 2);
    CHECK(hex[0] == 0 && hex[1] == 0xff);
    CHECK(tf_json_base64(&f, "64", decoded, 3) == 3 && memcmp(decoded, "foo", 3) == 0);
    const json_t *array = tf_json_array(&f, "a", 2, 2);
    CHECK(strcmp(tf_json_string_at(array, 0, 1, 1), "x") == 0);
    CHECK(tf_json_string_at(array, 0, 2, 9) == NULL);
    CHECK(tf_json_string_at(array, 1, 0, 9) == NULL);
    CHECK(tf_json_string_at(array, 2, 0, 9) == NULL);
    CHECK(tf_json_has(&f, "o") && !tf_json_has(&f, "p"));
    CHECK(!tf_json_fields_end(&f)); /* "o" was not asked for */
    CHECK(tf_json_object(&f, "o") != NULL);
    CHECK(tf_json_integer_or(&f, "absent", 1, 9, 5) == 5);
    CHECK(tf_json_boolean_or(&f, "absent", true));
    CHECK(tf_json_fields_end(&f));
    json_decref(document);
}

static void ask_string(struct tf_json_fields *f)
{
    CHECK(tf_json_string(f, "x", 2, 3) == NULL);
}

static void ask_integer(struct tf_json_fields *f)
{
    CHECK(tf_json_integer(f, "x", 5, 10) == 5);
}

static void ask_integer_or(struct tf_json_fields *f)
{
    (void)tf_json_integer_or(f, "x", 5, 10, 7);
}

static void ask_boolean(struct tf_json_fields *f)
{
    CHECK(!tf_json_boolean(f, "x"));
}

static void ask_hex(struct tf_json_fields *f)
{
    uint8_t out[2] = {7, 7};
    tf_json_hex(f, "x", out, 2);
    CHECK(out[0] == 7 && out[1] == 7);
}

static void ask_base64(struct tf_json_fields *f)
{
    uint8_t out[2];
    CHECK(tf_json_base64(f, "x", out, 2) == 0);
}

static void ask_array(struct tf_json_fields *f)
{
    CHECK(tf_json_array(f, "x", 1, 2) == NULL);
}

static void ask_object(struct tf_json_fields *f)
{
    CHECK(tf_json_object(f, "x") == NULL);
}

static void test_wrong_fields_make_it_bad(void)
{
    static const struct {
        const char *text;
        void (*ask)(struct tf_json_fields *f);
    } cases[] = {
        {"{}", ask_string},
        {"{\"x\": \"a\"}", ask_string},
        {"{\"x\": \"abcd\"}", ask_string},
        {"{\"x\": 12}", ask_string},
        {"[]", ask_string},
        {"{\"x\": 4}", ask_integer},
        {"{\"x\": 11}", ask_integer},
        {"{\"x\": -6}", ask_integer},
        {"{\"x\": 6.0}", ask_integer},
        {"{\"x\": \"6\"}", ask_integer},
        {"{\"x\": null}", ask_integer_or},
        {"{\"x\": 1}", ask_boolean},
        {"{\"x\": \"00f\"}", ask_hex},
        {"{\"x\": \"00fg\"}", ask_hex},
        {"{\"x\": \"00fff\"}", ask_hex},
        {"{\"x\": \"Zm9v\"}", ask_base64},
        {"{\"x\": \"Zm9\"}", ask_base64},
        {"{\"x\": []}", ask_array},
        {"{\"x\": [1, 2, 3]}", ask_array},
        {"{\"x\": {}}", ask_array},
        {"{\"x\": []}", ask_object},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *document = NULL;
        struct tf_json_fields f;
        CHECK(tf_json_parse(cases[i].text, strlen(cases[i].text), &document) == TF_OK);
        tf_json_fields_init(&f, document);
        cases[i].ask(&f);
        CHECK(f.bad && !tf_json_fields_end(&f));
        json_decref(document);
    }
}

static void write_sample(struct tf_json_writer *w)
{
    tf_json_open_object(w, NULL);
    tf_json_put_string(w, "s", "a\"b\\c\n\x01\xc3\xa4");
    tf_json_put_integer(w, "zero", 0);
    tf_json_put_integer(w, "max", UINT64_MAX);
    tf_json_open_array(w, "list");
    tf_json_put_text(w, NULL, "xyz", 2);
    tf_json_open_object(w, NULL);
    tf_json_close_object(w);
    tf_json_close_array(w);
    tf_json_put_boolean(w, "yes", true);
    tf_json_put_boolean(w, "no", false);
    tf_json_put_hex(w, "h", "\x01\xfe", 2);
    tf_json_put_base64(w, "b", "foob", 4);
    tf_json_close_object(w);
}

static const char sample[] =
    "{\"s\":\"a\\\"b\\\\c\\n\\u0001\xc3\xa4\",\"zero\":0,\"max\":18446744073709551615,"
    "\"list\":[\"xy\",{}],\"yes\":true,\"no\":false,\"h\":\"01fe\",\"b\":\"Zm9vYg=="
    "\"}";

static void test_writer_writes_compact_json(void)
{
    char text[300];
    size_t size = 0;
    struct tf_json_writer w;
    tf_json_writer_init(&w, text, sizeof(text));
    write_sample(&w);
    CHECK(tf_json_take(&w, &size) == TF_OK);
    CHECK(size == strlen(sample) && strcmp(text, sample) == 0);
}

static void test_writer_never_passes_its_buffer(void)
{
    for (size_t cap = 0; cap <= sizeof(sample); cap++) {
        char text[sizeof(sample) + 8];
        struct tf_json_writer w;
        memset(text, '#', sizeof(text));
        tf_json_writer_init(&w, text, cap);
        write_sample(&w);
        CHECK(tf_json_take(&w, NULL) == (cap == sizeof(sample) ? TF_OK : TF_ELIMIT));
        CHECK(text[cap] == '#');
    }
}

static void test_one_field_is_an_object(void)
{
    char text[16];

    CHECK(tf_json_field("a", "b\"cd", 3, text, sizeof(text)) == 12);
    CHECK(strcmp(text, "{\"a\":\"b\\\"c\"}") == 0);
    CHECK(tf_json_field("a", "b\"cd", 3, text, 12) == 0);
}

struct read {
    char names[3][4];
    size_t count;
    uint8_t bytes[3];
};

static void take(struct tf_json_fields *f, void *user)
{
    struct read *out = user;
    tf_json_constant(f, "tfaas", "x.v1");
    out->count = tf_json_rows(f, "names", 1, 3, out->names[0], sizeof(out->names[0]));
    tf_json_bytes(f, "bytes", out->bytes, sizeof(out->bytes));
}

static tf_err read_text(const char *text, struct read *out)
{
    return tf_json_read(text, strlen(text), take, out, TF_ELEASE_FORMAT);
}

static void test_an_object_is_read_in_one_go(void)
{
    static const char *const bad[] = {
        "{",
        "[]",
        "{\"tfaas\": \"x.v2\", \"names\": [\"a\"], \"bytes\": \"Zm9v\"}",
        "{\"tfaas\": 1, \"names\": [\"a\"], \"bytes\": \"Zm9v\"}",
        "{\"tfaas\": \"x.v1\", \"names\": [], \"bytes\": \"Zm9v\"}",
        "{\"tfaas\": \"x.v1\", \"names\": [\"\"], \"bytes\": \"Zm9v\"}",
        "{\"tfaas\": \"x.v1\", \"names\": [\"four\"], \"bytes\": \"Zm9v\"}",
        "{\"tfaas\": \"x.v1\", \"names\": [1], \"bytes\": \"Zm9v\"}",
        "{\"tfaas\": \"x.v1\", \"names\": [\"a\", \"b\", \"c\", \"d\"], \"bytes\": "
        "\"Zm9v\"}",
        "{\"tfaas\": \"x.v1\", \"names\": [\"a\"], \"bytes\": \"Zm8=\"}",
        "{\"tfaas\": \"x.v1\", \"names\": [\"a\"]}",
        "{\"tfaas\": \"x.v1\", \"names\": [\"a\"], \"bytes\": \"Zm9v\", \"more\": 1}",
    };
    struct read out = {.count = 0};

    CHECK(read_text("{\"tfaas\": \"x.v1\", \"names\": [\"a\", \"abc\"], \"bytes\": "
                    "\"Zm9v\"}",
                    &out) == TF_OK);
    CHECK(out.count == 2 && strcmp(out.names[0], "a") == 0);
    CHECK(strcmp(out.names[1], "abc") == 0 && memcmp(out.bytes, "foo", 3) == 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(read_text(bad[i], &out) == TF_ELEASE_FORMAT);
    }
}

static long allocations_left;

static void *take_some(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

/* At whichever allocation memory ends: no document, and no code that blames the keys. */
static void lack_of_memory_is_an_error(void)
{
    static const char text[] = "{\"a\":[1,{\"b\":\"c\"}],\"d\":null}";
    json_t *document = NULL;
    tf_err err = TF_ENOMEM;
    long count = 0;

    json_set_alloc_funcs(take_some, free);
    for (; err != TF_OK && count < 100; count++) {
        allocations_left = count;
        err = tf_json_parse(text, sizeof(text) - 1, &document);
        CHECK(err == TF_OK || err == TF_ENOMEM || err == TF_EFORMAT);
        CHECK(count != 0 || err == TF_ENOMEM);
    }
    json_set_alloc_funcs(malloc, free);
    CHECK(count > 5 && err == TF_OK);
    json_decref(document);
}

int main(void)
{
    RUN(test_what_is_not_strict_json_is_refused);
    RUN(test_duplicate_keys_have_their_own_code);
    RUN(test_depth_is_limited_outside_strings);
    RUN(test_all_kinds_of_fields);
    RUN(test_wrong_fields_make_it_bad);
    RUN(test_writer_writes_compact_json);
    RUN(test_writer_never_passes_its_buffer);
    RUN(test_one_field_is_an_object);
    RUN(test_an_object_is_read_in_one_go);
    RUN(lack_of_memory_is_an_error);
    return test_end();
}
