/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/test.h"

#define ID    "000102030405060708090a0b0c0d0e0f"
#define KEYID "0000000000000000000000000000000000000000000000000000000000000001"

static const char good[] =
    "{\"tfaas\":\"lease.v1\",\"instance\":\"" ID
    "\",\"exporter\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"time\":100,"
    "\"until\":200,\"requests\":9,\"lambdas\":[{\"lambda\":\"hello\",\"serial\":5,"
    "\"version_floor\":7}],\"revocations\":[{\"signer\":\"" KEYID "\",\"serial\":3}]}";

static tf_err parse(const char *text)
{
    struct tf_lease_statement out = {.requests = 77};
    tf_err err = tf_lease_parse(text, strlen(text), &out);

    CHECK(err == TF_OK || out.requests == 77);
    return err;
}

static void test_good_lease(void)
{
    struct tf_lease_statement out;
    char text[sizeof(good)];
    size_t size = 0;

    CHECK(tf_lease_parse(good, strlen(good), &out) == TF_OK);
    CHECK(out.instance[15] == 15 && out.time == 100 && out.until == 200);
    CHECK(out.requests == 9 && out.lambda_count == 1 && out.revocation_count == 1);
    CHECK(strcmp(out.lambdas[0].name, "hello") == 0);
    CHECK(out.lambdas[0].serial == 5 && out.lambdas[0].version_floor == 7);
    CHECK(strcmp(out.revocations[0].signer, KEYID) == 0 &&
          out.revocations[0].serial == 3);
    CHECK(tf_lease_write(&out, text, sizeof(text), &size) == TF_OK);
    CHECK(size == strlen(good) && memcmp(text, good, size) == 0);
    CHECK(tf_lease_write(&out, text, sizeof(text) - 1, &size) == TF_ELIMIT);
}

/* Each row changes one thing. */
static void test_refused(void)
{
    static const struct {
        const char *from;
        const char *to;
    } rows[] = {
        {"lease.v1", "lease.v2"},
        {"lease.v1", "grant.v1"},
        {"\"tfaas\":\"lease.v1\",", ""},
        {"{\"tfaas\"", "{\"extra\":0,\"tfaas\""},
        {"\"instance\":\"00", "\"instance\":\""},
        {"\"exporter\":\"AAAA", "\"exporter\":\""},
        {"\"time\":100", "\"time\":0"},
        {"\"time\":100", "\"time\":8589934593"},
        {"\"until\":200", "\"until\":99"},
        {"\"until\":200", "\"until\":604901"}, /* 7 days and a second */
        {"\"requests\":9", "\"requests\":-1"},
        {"\"requests\":9,", ""},
        {"\"lambdas\":[", "\"lambdas\":[null,"},
        {"\"hello\"", "\"Hello\""},
        {"\"hello\"", "\"\""},
        {"\"serial\":5", "\"serial\":0"},
        {"\"serial\":5,", ""},
        {"\"version_floor\":7", "\"version_floor\":1.5"},
        {"\"version_floor\":7}", "\"version_floor\":7,\"more\":1}"},
        {"}],\"revocations\"", "},{\"lambda\":\"hello\",\"serial\":6,"
                               "\"version_floor\":0}],\"revocations\""},
        {"\"revocations\":[", "\"revocations\":[{},"},
        {"\"signer\":\"00", "\"signer\":\"0G"},
        {"\"serial\":3", "\"serial\":0"},
    };
    char text[2 * sizeof(good)];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *at = strstr(good, rows[i].from);
        if (CHECK(at != NULL)) {
            (void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good,
                           rows[i].to, at + strlen(rows[i].from));
            if (!CHECK(parse(text) == TF_ELEASE_FORMAT)) {
                (void)fprintf(stderr, "  with %s\n", rows[i].to);
            }
        }
    }
    CHECK(parse("") == TF_ELEASE_FORMAT && parse("[]") == TF_ELEASE_FORMAT);
}

static void test_as_many_lambdas_as_an_instance_has(void)
{
    static struct tf_lease_statement lease = {.time = 1, .until = 2};
    static struct tf_lease_statement out;
    static char text[2 * TF_LEASE_MAX];
    size_t size = 0;

    for (size_t i = 0; i < TF_NAMED_MAX; i++) {
        (void)snprintf(
            lease.lambdas[i].name, sizeof(lease.lambdas[i].name),
            "a-lambda-with-the-longest-name-that-there-may-be-in-bundles-%02zu", i);
        lease.lambdas[i].serial = UINT64_C(9007199254740991);
        lease.lambdas[i].version_floor = UINT64_C(9007199254740991);
    }
    lease.lambda_count = TF_NAMED_MAX;
    for (size_t i = 0; i < TF_LEASE_SIGNERS_MAX; i++) {
        memcpy(lease.revocations[i].signer, KEYID, sizeof(KEYID));
        lease.revocations[i].serial = UINT64_C(9007199254740991);
    }
    lease.revocation_count = TF_LEASE_SIGNERS_MAX;
    CHECK(tf_lease_write(&lease, text, sizeof(text), &size) == TF_OK);
    CHECK(size <= TF_LEASE_MAX && tf_lease_parse(text, size, &out) == TF_OK);
    CHECK(out.lambda_count == TF_NAMED_MAX);
    memset(text + size, ' ', sizeof(text) - size);
    CHECK(tf_lease_parse(text, TF_LEASE_MAX, &out) == TF_OK);
    CHECK(tf_lease_parse(text, TF_LEASE_MAX + 1, &out) == TF_ELEASE_FORMAT);
}

static void test_cut_short(void)
{
    for (size_t size = 0; size < strlen(good); size++) {
        struct tf_lease_statement out;
        char *cut = malloc(size + (size == 0)); /* its end is a trap */
        memcpy(cut, good, size);
        CHECK(tf_lease_parse(cut, size, &out) == TF_ELEASE_FORMAT);
        free(cut);
    }
}

int main(void)
{
    RUN(test_good_lease);
    RUN(test_refused);
    RUN(test_as_many_lambdas_as_an_instance_has);
    RUN(test_cut_short);
    return test_end();
}
