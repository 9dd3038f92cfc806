/* SPDX-License-Identifier: Apache-2.0 */
/* Who deploys what does not load is told which limit applied, and what to do next. */
#include "host/verdict.h"

#include <string.h>

#include "host/registry.h"
#include "test/test.h"

static const struct tf_engine quickjs = {.name = "quickjs"};
static const struct tf_engine duktape = {.name = "duktape"};
static const struct tf_engine v8 = {.name = "v8", .is_native = true};
static const struct tf_lambda lambda = {.steps = 250000000, .memory = 16777216};

static bool is_said(const struct tf_engine *engine, tf_err err, const char *json,
                    const char *text, const char *hint)
{
    struct tf_verdict verdict;

    tf_verdict_read(engine, &lambda, err, json, strlen(json), &verdict);
    return verdict.is_of_code && strstr(verdict.text, text) != NULL &&
           strstr(verdict.hint, hint) != NULL;
}

static void a_limit_is_named_with_its_value(void)
{
    CHECK(is_said(&quickjs, TF_ESTEPS, "{\"message\":\"steps\"}",
                  "limits.steps, 250000000", "limits.steps in tfaas.json"));
    CHECK(!is_said(&quickjs, TF_ESTEPS, "{\"message\":\"steps\"}", "processor", ""));
    CHECK(is_said(&quickjs, TF_EMEMORY, "{\"message\":\"memory\"}",
                  "limits.memory, 16777216 bytes", "at most 48 MiB"));
    CHECK(is_said(&quickjs, TF_ESTACK, "{\"message\":\"stack\"}", "recursed too deep",
                  "Use a loop"));
}

static void where_steps_are_time_it_is_in_seconds(void)
{
    CHECK(is_said(&v8, TF_ESTEPS, "{\"message\":\"\"}",
                  "limits.steps, 250000000: 2.5 s of the processor's time on v8",
                  "2000"));
}

static void what_has_its_time_and_no_end_is_no_lack_of_place(void)
{
    struct tf_verdict verdict;

    CHECK(is_said(&quickjs, TF_EBUSY, "{\"message\":\"\"}",
                  "not ended after 45 s, all that a deployment gives it; limits.steps, "
                  "250000000, was not reached",
                  "less to do"));
    tf_verdict_read(&quickjs, &lambda, TF_EBUSY, "{}", 2, &verdict);
    CHECK(!verdict.is_of_code);
}

static void what_the_engine_says_is_passed_on(void)
{
    CHECK(is_said(&quickjs, TF_ELAMBDA_SOURCE,
                  "{\"message\":\"Error: boom at main.js:1\"}",
                  "top level: Error: boom at main.js:1", "Fix what the engine says"));
    CHECK(is_said(&quickjs, TF_ELAMBDA_SOURCE, "{\"message\":\"SyntaxError: x\"}",
                  "SyntaxError: x", "\"type\": \"module\""));
    CHECK(is_said(&duktape, TF_ELAMBDA_SOURCE, "{\"message\":\"SyntaxError: x\"}",
                  "SyntaxError: x", "--target es5"));
    CHECK(is_said(&v8, TF_ELAMBDA_SOURCE, "{\"message\":\"pending\"}", "awaits",
                  "Await only"));
}

static void with_secrets_it_is_said_why_no_more_is(void)
{
    CHECK(is_said(&quickjs, TF_ELAMBDA_SOURCE, "{\"message\":\"\"}", "brings secrets",
                  "Fix"));
}

/* The worker may send what it likes. */
static void an_answer_that_does_not_parse_is_of_no_code(void)
{
    static const char *const odd[] = {"", "{", "[]", "{\"message\":7}"};
    struct tf_verdict verdict;

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        tf_verdict_read(&quickjs, &lambda, TF_EREVOKED, odd[i], strlen(odd[i]), &verdict);
        CHECK(!verdict.is_of_code && strstr(verdict.text, "revoked") != NULL);
    }
}

int main(void)
{
    RUN(a_limit_is_named_with_its_value);
    RUN(where_steps_are_time_it_is_in_seconds);
    RUN(what_has_its_time_and_no_end_is_no_lack_of_place);
    RUN(what_the_engine_says_is_passed_on);
    RUN(with_secrets_it_is_said_why_no_more_is);
    RUN(an_answer_that_does_not_parse_is_of_no_code);
    return test_end();
}
