/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/claims.h"

#include <string.h>

#include "test/test.h"
#include "test/unit/verify/scene.h"

static tf_err parse(const struct scene *s, struct tf_claims *out)
{
    return tf_claims_parse(s->claims, s->input.claims_size, "hello", out);
}

/* The claims with the first `from` replaced by `to`: refused, and nothing is written. */
static void refuse(const char *from, const char *to)
{
    struct scene *s = scene_open();
    struct tf_claims out = {.engine = "untouched"};
    static char rest[SCENE_CLAIMS_CAP];
    char *at = strstr(s->claims, from);

    if (CHECK(at != NULL)) {
        (void)snprintf(rest, sizeof(rest), "%s", at + strlen(from));
        (void)snprintf(at, sizeof(s->claims) - (size_t)(at - s->claims), "%s%s", to,
                       rest);
        s->input.claims_size = strlen(s->claims);
        if (!CHECK(parse(s, &out) == TF_EEVIDENCE_FORMAT)) {
            (void)fprintf(stderr, "  with %s\n", to);
        }
        CHECK(tf_claims_parse(s->claims, s->input.claims_size, "other", &out) ==
              TF_EEVIDENCE_FORMAT);
        CHECK(strcmp(out.engine, "untouched") == 0);
    }
    scene_close(s);
}

static void test_good_claims(void)
{
    struct scene *s = scene_open();
    struct tf_claims out;

    CHECK(parse(s, &out) == TF_OK);
    CHECK(memcmp(out.nonce, s->input.nonce, sizeof(out.nonce)) == 0);
    CHECK(memcmp(out.exporter, s->input.exporter, sizeof(out.exporter)) == 0);
    CHECK(memcmp(out.spki, s->input.spki, sizeof(out.spki)) == 0);
    CHECK(out.domain[0] == 0xd0 && out.instance[15] == 15);
    CHECK(out.has_lambda && out.lambda.version == 7);
    CHECK(tf_claims_parse(s->claims, s->input.claims_size, "other", &out) == TF_OK);
    CHECK(!out.has_lambda);
    scene_close(s);
}

/* Each row changes one thing about the claims themselves. */
static void test_refused(void)
{
    static const struct {
        const char *from;
        const char *to;
    } rows[] = {
        {"{\"tfaas\"", "[\"tfaas\""},
        {"claims.v1", "claims.v2"},
        {"claims.v1", "grant.v1"},
        {"\"tfaas\":\"claims.v1\",", ""},
        {"\"nonce\":\"AQ", "\"nonce\":\"AQ=="},
        {"\"nonce\":\"AQEB", "\"nonce\":\""},
        {"\"nonce\":\"", "\"nonce\":\"\\u0000"},
        {"\"nonce\"", "\"Nonce\""},
        {"\"exporter\":\"", "\"exporter\":\"AAAA"},
        {"\"exporter\"", "\"nonce\":\"\",\"exporter\""},
        {"\"spki\":\"03", "\"spki\":\"0"},
        {"\"spki\":\"03", "\"spki\":\"0G"},
        {"\"domain\":\"d0", "\"domain\":\"D0"},
        {"\"instance\":\"00", "\"instance\":\""},
        {"\"receipts\":\"00", "\"receipts\":\""},
        {"\"receipts\"", "\"receipt\""},
        {"\"engine\":\"quickjs\"", "\"engine\":7"},
        {"\"engine\":\"quickjs\"", "\"engine\":\"\""},
        {"\"engine\":\"quickjs\"", "\"engine\":\"quickjs-of-16-or\""},
        {"\"engine\":\"quickjs\"", "\"engine\":\"\\u001b[2J\""}, /* it is printed */
        {"\"engine\":\"quickjs\"", "\"engine\":\"quickjs\",\"engine\":\"quickjs\""},
        {"\"engine\"", "\"extra\":null,\"engine\""},
        {"\"lambdas\":[", "\"lambdas\":[["},
        {"\"lambdas\":[", "\"lambdas\":[null,"},
        {"\"lambdas\":[{", "\"lambdas\":{\"a\":{"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        refuse(rows[i].from, rows[i].to);
    }
}

/* And about a lambda, also when another one is asked for: all are read strictly. */
static void test_refused_lambdas(void)
{
    static const struct {
        const char *from;
        const char *to;
    } rows[] = {
        {"\"name\":\"hello\",", ""},
        {"\"name\":\"hello\"", "\"name\":\"Hello\""},
        {"\"name\":\"hello\"", "\"name\":\"\""},
        {"\"version\":7", "\"version\":0"},
        {"\"version\":7", "\"version\":9007199254740992"},
        {"\"version\":7", "\"version\":7.0"},
        {"\"version\":7", "\"version\":-7"},
        {"\"digest\":\"", "\"digest\":\"0"},
        {"\"signer\":\"00", "\"signer\":\"0x"},
        {"\"signer\":\"00", "\"signer\":\""},
        {"[\"hello.example\"]", "[]"},
        {"[\"hello.example\"]", "\"hello.example\""},
        {"[\"hello.example\"]", "[\"hello\"]"},
        {"[\"hello.example\"]", "[\"Hello.example\"]"},
        {"[\"hello.example\"]", "[\"hello.example\\u0000\"]"},
        {"[\"hello.example\"]", "[7]"},
        {"[\"hello.example\"]", "[\"a.b\",\"a.b\",\"a.b\",\"a.b\",\"a.b\",\"a.b\","
                                "\"a.b\",\"a.b\",\"a.b\"]"},
        {"\"granted\":false", "\"granted\":0"},
        {"\"granted\":false", "\"granted\":false,\"granted\":true"},
        {"\"granted\":false", "\"granted\":false,\"more\":1"},
        {",\"granted\":false", ""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        refuse(rows[i].from, rows[i].to);
    }
}

static void fill_lambdas(struct scene *s, size_t count)
{
    char name[24];
    char one[SCENE_LAMBDA_CAP];
    char *at = strstr(s->claims, "\"lambdas\":[") + strlen("\"lambdas\":[");
    const char *end = s->claims + sizeof(s->claims);

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof(name), "l%zu", i);
        scene_lambda(one, name, SCENE_SIGNER);
        at += snprintf(at, (size_t)(end - at), "%s%s", i == 0 ? "" : ",", one);
    }
    (void)snprintf(at, (size_t)(end - at), "]}");
    s->input.claims_size = strlen(s->claims);
}

static void test_as_many_lambdas_as_an_instance_has(void)
{
    struct scene *s = scene_open();
    struct tf_claims out;

    fill_lambdas(s, TF_NAMED_MAX);
    CHECK(tf_claims_parse(s->claims, s->input.claims_size, "l63", &out) == TF_OK);
    CHECK(out.has_lambda);
    fill_lambdas(s, TF_NAMED_MAX + 1);
    CHECK(tf_claims_parse(s->claims, s->input.claims_size, "l63", &out) ==
          TF_EEVIDENCE_FORMAT);
    scene_close(s);
}

static void test_size(void)
{
    struct scene *s = scene_open();
    struct tf_claims out;

    memset(s->claims + s->input.claims_size, ' ',
           sizeof(s->claims) - s->input.claims_size);
    CHECK(tf_claims_parse(s->claims, TF_CLAIMS_MAX, "hello", &out) == TF_OK);
    CHECK(tf_claims_parse(s->claims, TF_CLAIMS_MAX + 1, "hello", &out) ==
          TF_EEVIDENCE_FORMAT);
    scene_close(s);
}

static void test_cut_short(void)
{
    struct scene *s = scene_open();
    struct tf_claims out;

    for (size_t size = 0; size < s->input.claims_size; size++) {
        char *cut = malloc(size + (size == 0)); /* its end is a trap */
        memcpy(cut, s->claims, size);
        CHECK(tf_claims_parse(cut, size, "hello", &out) == TF_EEVIDENCE_FORMAT);
        free(cut);
    }
    scene_close(s);
}

int main(void)
{
    RUN(test_good_claims);
    RUN(test_refused);
    RUN(test_refused_lambdas);
    RUN(test_as_many_lambdas_as_an_instance_has);
    RUN(test_size);
    RUN(test_cut_short);
    return test_end();
}
