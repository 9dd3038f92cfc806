/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/names.h"

#include <string.h>

#include "abi/limits.h"
#include "test/test.h"

static bool is_path(const char *path)
{
    return tf_path_is_valid(path, strlen(path));
}

static bool is_dns(const char *name)
{
    return tf_dns_is_valid(name, strlen(name));
}

static bool is_name(const char *name)
{
    return tf_name_is_valid(name, strlen(name));
}

static void test_relative_paths_are_valid(void)
{
    CHECK(is_path("a"));
    CHECK(is_path("main.js"));
    CHECK(is_path("lib/deep/er/x-1_Y.mjs"));
    CHECK(is_path(".hidden"));
    CHECK(is_path("...") && is_path("a..b"));
    CHECK(is_path("sub/tfaas.dsse"));
}

static void test_escaping_and_odd_paths_are_not(void)
{
    static const char *const bad[] = {
        "",      "/",     "/etc/passwd", "..",    "../x",     "a/../b",    "a/..", ".",
        "./a",   "a/./b", "a//b",        "a/",    "a\\b",     "a b",       "a\nb", "C:x",
        "a\x80", "~",     "a*",          "a%2fb", "\xc3\xa4", "tfaas.dsse"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!is_path(bad[i]));
    }
    CHECK(!tf_path_is_valid("a\0b", 3));
}

static void test_path_length_is_limited(void)
{
    char path[TF_PATH_MAX + 1];
    memset(path, 'a', sizeof(path));
    CHECK(tf_path_is_valid(path, TF_PATH_MAX));
    CHECK(!tf_path_is_valid(path, TF_PATH_MAX + 1));
}

static void test_dns_names(void)
{
    CHECK(is_dns("a.b") && is_dns("hello.example") && is_dns("x1-2.3y.example"));
    static const char *const bad[] = {"",      "localhost", ".a.b",  "a.b.",  "a..b",
                                      "-a.b",  "a-.b",      "*.a.b", "A.b",   "a_b.c",
                                      "a b.c", ".",         "a.b/c", "a.b:80"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!is_dns(bad[i]));
    }
}

static void test_dns_lengths_are_limited(void)
{
    char name[TF_DNS_MAX + 2];
    memset(name, 'a', sizeof(name));
    CHECK(!tf_dns_is_valid(name, 66)); /* one label */
    name[63] = '.';
    CHECK(tf_dns_is_valid(name, 127)); /* 63 . 63 */
    CHECK(!tf_dns_is_valid(name, 128));
    name[127] = '.';
    name[191] = '.';
    CHECK(tf_dns_is_valid(name, 253));
    name[252] = '.';
    CHECK(!tf_dns_is_valid(name, 254));
}

static void test_names_are_one_label(void)
{
    CHECK(is_name("a") && is_name("hello-2") && is_name("0"));
    CHECK(!is_name("") && !is_name("-a") && !is_name("a-") && !is_name("a.b"));
    CHECK(!is_name("Hello") && !is_name("a_b") && !is_name("a b"));
    char name[64];
    memset(name, 'a', sizeof(name));
    CHECK(tf_name_is_valid(name, 63) && !tf_name_is_valid(name, 64));
}

int main(void)
{
    RUN(test_relative_paths_are_valid);
    RUN(test_escaping_and_odd_paths_are_not);
    RUN(test_path_length_is_limited);
    RUN(test_dns_names);
    RUN(test_dns_lengths_are_limited);
    RUN(test_names_are_one_label);
    return test_end();
}
