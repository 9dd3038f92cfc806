/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/err_text.h"

#include <string.h>

#include "test/test.h"

static void test_every_code_has_a_name_and_a_text(void)
{
    for (int i = 0; i < TF_ERR_COUNT; i++) {
        CHECK(strcmp(tf_err_name((tf_err)i), "unknown") != 0);
        CHECK(tf_err_text((tf_err)i)[0] != '\0');
        CHECK(i == TF_OK || tf_err_hint((tf_err)i)[0] != '\0');
        CHECK(strspn(tf_err_name((tf_err)i), "abcdefghijklmnopqrstuvwxyz0123456789-") ==
              strlen(tf_err_name((tf_err)i)));
    }
}

static void test_no_name_or_text_twice(void)
{
    for (int i = 0; i < TF_ERR_COUNT; i++) {
        for (int j = 0; j < i; j++) {
            CHECK(strcmp(tf_err_name((tf_err)i), tf_err_name((tf_err)j)) != 0);
            CHECK(strcmp(tf_err_text((tf_err)i), tf_err_text((tf_err)j)) != 0);
        }
    }
}

static void test_names_are_stable(void)
{
    CHECK(strcmp(tf_err_name(TF_OK), "ok") == 0);
    CHECK(strcmp(tf_err_name(TF_EBUNDLE_DIGEST), "bundle-digest") == 0);
    CHECK(strcmp(tf_err_name(TF_EGRANT_DOMAIN), "grant-domain") == 0);
    CHECK(strcmp(tf_err_name(TF_EHTTP_METHOD), "http-method") == 0);
}

static void test_a_code_is_found_by_its_name(void)
{
    for (int i = 0; i < TF_ERR_COUNT; i++) {
        CHECK(tf_err_find(tf_err_name((tf_err)i)) == (tf_err)i);
    }
    CHECK(tf_err_find("of-another-version") == TF_ERR_COUNT);
    CHECK(tf_err_find("") == TF_ERR_COUNT);
}

static void test_foreign_numbers_are_unknown(void)
{
    CHECK(strcmp(tf_err_name(TF_ERR_COUNT), "unknown") == 0);
    CHECK(strcmp(tf_err_name((tf_err)4000000000u), "unknown") == 0);
    CHECK(tf_err_hint(TF_ERR_COUNT)[0] == '\0');
}

int main(void)
{
    RUN(test_every_code_has_a_name_and_a_text);
    RUN(test_no_name_or_text_twice);
    RUN(test_names_are_stable);
    RUN(test_a_code_is_found_by_its_name);
    RUN(test_foreign_numbers_are_unknown);
    return test_end();
}
