/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/manifest.h"

#include <stdio.h>
#include <string.h>

#include "test/test.h"

#define SHA           "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define FILE_OF(path) "{\"path\":\"" path "\",\"size\":3,\"sha256\":\"" SHA "\"}"
#define NAME          "\"name\":\"hello\","
#define VERSION       "\"version\":7,"
#define ENTRY         "\"entry\":\"main.js\","
#define DOMAINS       "\"domains\":[\"hello.example\"],"
#define FILES         "\"files\":[" FILE_OF("main.js") "]"
#define WITH(extra)   "{" extra NAME VERSION ENTRY DOMAINS FILES "}"

static tf_err parse(const char *text)
{
    struct tf_manifest out = {.version = 77};
    tf_err err = tf_manifest_parse(text, strlen(text), &out);
    if (err != TF_OK) {
        CHECK(out.version == 77);
        return err;
    }
    tf_manifest_wipe(&out);
    return TF_OK;
}

static void test_small_manifest_gets_defaults(void)
{
    static const char text[] = WITH("");
    struct tf_manifest m;
    CHECK(tf_manifest_parse(text, strlen(text), &m) == TF_OK);
    CHECK(strcmp(m.name, "hello") == 0 && m.version == 7);
    CHECK(strcmp(m.entry, "main.js") == 0 && !m.is_module && !m.is_reused);
    CHECK(m.engine_count == 0 && m.env_count == 0);
    CHECK(m.domain_count == 1 && strcmp(m.domains[0], "hello.example") == 0);
    CHECK(m.file_count == 1 && strcmp(m.files[0].path, "main.js") == 0);
    CHECK(m.files[0].size == 3 && m.files[0].sha256[0] == 0xba);
    CHECK(m.steps == TF_STEPS_DEFAULT && m.memory == TF_MEMORY_DEFAULT &&
          m.body == TF_BODY_DEFAULT);
    tf_manifest_wipe(&m);
    CHECK(m.files == NULL && m.json == NULL);
    tf_manifest_wipe(&m); /* fine on a zeroed struct */
}

static void test_full_manifest(void)
{
    static const char text[] =
        "{" NAME "\"version\":9007199254740991," ENTRY "\"type\":\"module\","
        "\"engines\":[\"quickjs\",\"v8\"],\"reuse\":true,"
        "\"domains\":[\"a.example\",\"b.example\"],"
        "\"files\":[" FILE_OF("lib/a.js") "," FILE_OF(
            "main.js") "],"
                       "\"env\":{\"Z\":\"1\",\"A\":\"\"},"
                       "\"limits\":{\"steps\":1,\"memory\":1000000,\"body\":6291456}}";
    struct tf_manifest m;
    CHECK(tf_manifest_parse(text, strlen(text), &m) == TF_OK);
    CHECK(m.version == 9007199254740991u && m.is_module && m.is_reused);
    CHECK(m.engine_count == 2 && strcmp(m.engines[1], "v8") == 0);
    CHECK(m.domain_count == 2 && m.file_count == 2);
    CHECK(m.env_count == 2 && strcmp(m.env[0].name, "Z") == 0);
    CHECK(strcmp(m.env[0].value, "1") == 0 && m.env[1].value[0] == '\0');
    CHECK(m.steps == 1 && m.memory == 1000000 && m.body == TF_BODY_MAX);
    tf_manifest_wipe(&m);
}

static void test_optional_fields_one_by_one(void)
{
    CHECK(parse(WITH("\"type\":\"commonjs\",")) == TF_OK);
    CHECK(parse(WITH("\"reuse\":false,")) == TF_OK);
    CHECK(parse(WITH("\"env\":{},")) == TF_OK);
    CHECK(parse(WITH("\"limits\":{},")) == TF_OK);
    CHECK(parse(WITH("\"limits\":{\"steps\":2000000000},")) == TF_OK);
}

static const char *const bad_fields[] = {
    "[]",
    "{}",
    "{" VERSION ENTRY DOMAINS FILES "}",
    "{" NAME ENTRY DOMAINS FILES "}",
    "{" NAME VERSION DOMAINS FILES "}",
    "{" NAME VERSION ENTRY FILES "}",
    "{" NAME VERSION ENTRY "\"domains\":[\"hello.example\"]}",
    "{\"name\":\"Hello\"," VERSION ENTRY DOMAINS FILES "}",
    "{\"name\":\"\"," VERSION ENTRY DOMAINS FILES "}",
    "{" NAME "\"version\":0," ENTRY DOMAINS FILES "}",
    "{" NAME "\"version\":-1," ENTRY DOMAINS FILES "}",
    "{" NAME "\"version\":1.5," ENTRY DOMAINS FILES "}",
    "{" NAME "\"version\":\"1\"," ENTRY DOMAINS FILES "}",
    "{" NAME "\"version\":9007199254740992," ENTRY DOMAINS FILES "}",
    "{" NAME VERSION "\"entry\":\"other.js\"," DOMAINS FILES "}",
    "{" NAME VERSION ENTRY "\"domains\":[]," FILES "}",
    "{" NAME VERSION ENTRY "\"domains\":[\"localhost\"]," FILES "}",
    "{" NAME VERSION ENTRY "\"domains\":[\"*.example.org\"]," FILES "}",
    "{" NAME VERSION ENTRY "\"domains\":[\"A.example\"]," FILES "}",
    "{" NAME VERSION ENTRY "\"domains\":[\"a.b\",\"a.b\"]," FILES "}",
    "{" NAME VERSION ENTRY "\"domains\":[7]," FILES "}",
    "{" NAME VERSION ENTRY "\"domains\":[\"a.b\",\"b.b\",\"c.b\",\"d.b\",\"e.b\",\"f.b\","
    "\"g.b\",\"h.b\",\"i.b\"]," FILES "}",
    "{" NAME VERSION ENTRY DOMAINS "\"files\":[]}",
    "{" NAME VERSION ENTRY DOMAINS "\"files\":[{\"path\":\"main.js\",\"size\":3}]}",
    "{" NAME VERSION ENTRY DOMAINS "\"files\":[{\"path\":\"main.js\",\"size\":-3,"
    "\"sha256\":\"" SHA "\"}]}",
    "{" NAME VERSION ENTRY DOMAINS "\"files\":[{\"path\":\"main.js\",\"size\":99999999,"
    "\"sha256\":\"" SHA "\"}]}",
    "{" NAME VERSION ENTRY DOMAINS "\"files\":[{\"path\":\"main.js\",\"size\":3,"
    "\"sha256\":\"" SHA "00\"}]}",
    "{" NAME VERSION ENTRY DOMAINS "\"files\":[{\"path\":\"main.js\",\"size\":3,"
    "\"sha256\":\"" SHA "\",\"mode\":7}]}",
    WITH("\"unknown\":1,"),
    WITH("\"type\":\"script\","),
    WITH("\"type\":1,"),
    WITH("\"reuse\":1,"),
    WITH("\"reuse\":null,"),
    WITH("\"engines\":[],"),
    WITH("\"engines\":[\"\"],"),
    WITH("\"engines\":[\"a\",\"b\",\"c\",\"d\",\"e\"],"),
    WITH("\"engines\":[\"sixteen-letters-\"],"),
    WITH("\"env\":[],"),
    WITH("\"env\":{\"A\":1},"),
    WITH("\"env\":{\"\":\"x\"},"),
    WITH("\"limits\":{\"steps\":0},"),
    WITH("\"limits\":{\"steps\":2000000001},"),
    WITH("\"limits\":{\"memory\":50331649},"),
    WITH("\"limits\":{\"body\":6291457},"),
    WITH("\"limits\":{\"cpu\":1},"),
    WITH("\"limits\":[],"),
};

static void test_bad_fields(void)
{
    for (size_t i = 0; i < sizeof(bad_fields) / sizeof(bad_fields[0]); i++) {
        if (!CHECK(parse(bad_fields[i]) == TF_EMANIFEST_FIELD)) {
            (void)fprintf(stderr, "  in %s: %s\n", bad_fields[i],
                          tf_err_name(parse(bad_fields[i])));
        }
    }
}

static void test_text_that_is_no_json(void)
{
    CHECK(parse("") == TF_EMANIFEST_JSON);
    CHECK(parse("{") == TF_EMANIFEST_JSON);
    CHECK(parse(WITH("") "x") == TF_EMANIFEST_JSON);
    CHECK(parse("[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]") == TF_EMANIFEST_JSON);
}

static void test_duplicate_keys(void)
{
    CHECK(parse(WITH(NAME)) == TF_EMANIFEST_KEYS);
    CHECK(parse(WITH("\"env\":{\"A\":\"1\",\"A\":\"2\"},")) == TF_EMANIFEST_KEYS);
}

static void test_paths_have_their_own_code(void)
{
    CHECK(parse("{" NAME VERSION ENTRY DOMAINS
                "\"files\":[" FILE_OF("../main.js") "]}") == TF_EBUNDLE_PATH);
    CHECK(parse("{" NAME VERSION ENTRY DOMAINS
                "\"files\":[" FILE_OF("tfaas.dsse") "]}") == TF_EBUNDLE_PATH);
    CHECK(parse("{" NAME VERSION ENTRY DOMAINS "\"files\":[" FILE_OF(
              "main.js") "," FILE_OF("main.js") "]}") == TF_EBUNDLE_DUPLICATE);
}

/* A manifest padded with white space to `size` bytes. */
static tf_err parse_padded(size_t size)
{
    static char text[TF_MANIFEST_MAX + 1];
    static const char good[] = WITH("");
    struct tf_manifest out;
    memset(text, ' ', sizeof(text));
    memcpy(text, good, strlen(good));
    tf_err err = tf_manifest_parse(text, size, &out);
    if (err == TF_OK) {
        tf_manifest_wipe(&out);
    }
    return err;
}

static void test_size_is_limited(void)
{
    CHECK(parse_padded(TF_MANIFEST_MAX) == TF_OK);
    CHECK(parse_padded(TF_MANIFEST_MAX + 1) == TF_EMANIFEST_SIZE);
}

/* `count` files or variables: `item` with its "###" replaced by a number each. */
static tf_err parse_many(const char *head, const char *item, const char *tail, int count)
{
    static char text[TF_MANIFEST_MAX];
    size_t at = (size_t)snprintf(text, sizeof(text), "%s", head);
    for (int i = 0; i < count; i++) {
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? "," : "", item);
        char *number = strstr(text, "###");
        number[0] = (char)('0' + i / 100);
        number[1] = (char)('0' + i / 10 % 10);
        number[2] = (char)('0' + i % 10);
    }
    (void)snprintf(text + at, sizeof(text) - at, "%s", tail);
    return parse(text);
}

static void test_counts_are_limited(void)
{
    static const char files[] =
        "{" NAME VERSION "\"entry\":\"000\"," DOMAINS "\"files\":[";
    CHECK(parse_many(files, FILE_OF("###"), "]}", TF_FILES_MAX) == TF_OK);
    CHECK(parse_many(files, FILE_OF("###"), "]}", TF_FILES_MAX + 1) ==
          TF_EMANIFEST_FIELD);
    static const char env[] = "{" NAME VERSION ENTRY DOMAINS FILES ",\"env\":{";
    CHECK(parse_many(env, "\"###\":\"x\"", "}}", TF_ENV_MAX) == TF_OK);
    CHECK(parse_many(env, "\"###\":\"x\"", "}}", TF_ENV_MAX + 1) == TF_EMANIFEST_FIELD);
}

int main(void)
{
    RUN(test_small_manifest_gets_defaults);
    RUN(test_full_manifest);
    RUN(test_optional_fields_one_by_one);
    RUN(test_bad_fields);
    RUN(test_text_that_is_no_json);
    RUN(test_duplicate_keys);
    RUN(test_paths_have_their_own_code);
    RUN(test_size_is_limited);
    RUN(test_counts_are_limited);
    return test_end();
}
