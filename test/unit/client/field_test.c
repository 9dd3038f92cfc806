/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a document that a strict parser refuses. */
#include "client/field.h"

#include <string.h>

#include "client/policy.h"
#include "lib/json.h"
#include "test/test.h"

#define HASH "\"0000000000000000000000000000000000000000000000000000000000000000\""

static bool is_policy(const char *text, size_t size)
{
    struct tf_policy policy;

    return tf_policy_parse(text, size, &policy) == TF_OK;
}

/* Whether `said` is said of the document. */
static bool says(const char *text, const char *said)
{
    static const char good[] =
        "{\"measurements\":[" HASH "],\"domain\":" HASH ",\"publishers\":[" HASH "]}";
    char what[TF_FIELD_TEXT_MAX];
    json_t *document = NULL;
    json_t *sample = NULL;

    CHECK(tf_json_parse(good, strlen(good), &sample) == TF_OK);
    (void)!tf_json_parse(text, strlen(text), &document);
    tf_field_find(document, sample, is_policy, what);
    json_decref(document);
    json_decref(sample);
    return strcmp(what, said) == 0;
}

static void the_field_is_named(void)
{
    CHECK(says("{\"measurements\":[" HASH "],\"domian\":" HASH "}",
               "`domian` is unknown, or its value is wrong"));
    CHECK(says("{\"measurements\":[" HASH "],\"domain\":" HASH ",\"max_vmpl\":4}",
               "`max_vmpl` is unknown, or its value is wrong"));
    CHECK(says("{\"measurements\":[" HASH "],\"domain\":" HASH "}",
               "`publishers` is missing"));
    CHECK(says("{}", "`measurements` is missing"));
}

static void what_is_no_object_is_said_to_be_none(void)
{
    CHECK(says("", "it is no JSON object, or has a key twice"));
    CHECK(says("[1]", "it is no JSON object, or has a key twice"));
    CHECK(
        says("{\"domain\":1,\"domain\":2}", "it is no JSON object, or has a key twice"));
}

/* A name is the user's, and may be long. */
static void a_long_name_is_cut(void)
{
    char text[256] = "{\"";
    char said[TF_FIELD_TEXT_MAX] = "`";

    memset(text + 2, 'k', 200);
    (void)strcpy(text + 202, "\":1}");
    memset(said + 1, 'k', 80);
    (void)strcpy(said + 81, "` is unknown, or its value is wrong");
    CHECK(says(text, said));
}

static void a_good_policy_is_taken(void)
{
    static const char good[] =
        "{\"guests\":[\"0000000000000000000000000000000000000000000000000000000000000000"
        "00000000000000000000000000000000\"],\"domain\":" HASH ",\"publishers\":[" HASH
        "]}";
    struct tf_policy policy;

    CHECK(tf_policy_take("here", good, strlen(good), &policy) == TF_OK);
    CHECK(policy.guest_count == 1);
    CHECK(tf_policy_take("here", good, 5, &policy) == TF_EPOLICY_FORMAT);
    CHECK(tf_policy_take("here", good, TF_POLICY_MAX + 1, &policy) == TF_EPOLICY_FORMAT);
}

int main(void)
{
    RUN(the_field_is_named);
    RUN(what_is_no_object_is_said_to_be_none);
    RUN(a_long_name_is_cut);
    RUN(a_good_policy_is_taken);
    return test_end();
}
