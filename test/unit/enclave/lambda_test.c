/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles from an untrusted store: which get into the table, and what replaces what. */
#include "test/native/rig.h"
#include "test/test.h"

static const struct rig_lambda hello = {.name = "hello",
                                        .version = 7,
                                        .code = "echo",
                                        .domains = {"hello.example", "hallo.example"}};

static struct rig_lambda version(uint64_t number, const char *code)
{
    struct rig_lambda lambda = hello;
    lambda.version = number;
    lambda.code = code;
    return lambda;
}

static void a_result_tells_what_was_loaded(void)
{
    struct rig *rig = rig_open();

    CHECK(rig_load(rig, 0, &hello) == TF_OK);
    char *text = rig_result(rig);
    CHECK(strstr(text, "{\"name\":\"hello\",\"version\":7,\"digest\":\"") == text);
    CHECK(strstr(text, rig->publisher.publisher.keyid) != NULL);
    CHECK(strstr(text, "\"domains\":[\"hello.example\",\"hallo.example\"],\"engine\":") !=
          NULL);
    free(text);
    rig_close(rig);
}

static void an_older_version_is_refused(void)
{
    struct rig *rig = rig_open();
    struct rig_lambda older = version(6, "echo");
    struct rig_lambda other = version(7, "count");

    CHECK(rig_load(rig, 0, &hello) == TF_OK);
    CHECK(rig_load(rig, 0, &older) == TF_EVERSION_FLOOR);
    CHECK(rig_load(rig, 0, &other) == TF_EVERSION_REUSED);
    CHECK(rig_load(rig, 0, &hello) == TF_OK); /* the same again */
    struct rig_lambda newer = version(8, "echo");
    CHECK(rig_load(rig, 0, &newer) == TF_OK);
    CHECK(rig_load(rig, 0, &hello) == TF_EVERSION_FLOOR);
    rig_close(rig);
}

static void removing_does_not_lower_the_floor(void)
{
    struct rig *rig = rig_open();
    struct rig_lambda older = version(6, "echo");

    CHECK(rig_load(rig, 0, &hello) == TF_OK);
    CHECK(rig_drop(rig, 0, "hello") == TF_OK);
    CHECK(rig_drop(rig, 0, "hello") == TF_ENOTFOUND);
    CHECK(rig_drop(rig, 0, "No such name") == TF_EFORMAT);
    CHECK(rig_shared_count() == 0);
    CHECK(rig_load(rig, 0, &older) == TF_EVERSION_FLOOR);
    CHECK(rig_load(rig, 0, &hello) == TF_OK);
    rig_close(rig);
}

static void a_stranger_s_bundle_is_refused(void)
{
    struct rig *rig = rig_open();
    struct rig_lambda lambda = hello;

    lambda.key = &rig->stranger;
    CHECK(rig_load(rig, 0, &lambda) == TF_EDSSE_SIGNER);
    struct fixture_bytes bundle = rig_bundle(rig, &hello);
    bundle.data[bundle.size - 1100] ^= 1; /* in the last file */
    CHECK(rig_blob(rig, 0, TF_BLOB_BUNDLE, bundle.data, bundle.size) != TF_OK);
    free(bundle.data);
    CHECK(rig_shared_count() == 0);
    rig_close(rig);
}

static void a_bundle_that_is_too_large_is_counted_and_dropped(void)
{
    enum { SIZE = TF_BUNDLE_MAX + 1 };
    struct rig *rig = rig_open();
    uint8_t *bytes = calloc(1, SIZE);

    CHECK(rig_blob(rig, 0, TF_BLOB_BUNDLE, bytes, SIZE) == TF_ELIMIT);
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, bytes, 64 << 10) == TF_ELIMIT);
    CHECK(rig_blob(rig, 0, TF_BLOB_BUNDLE, bytes, 2000) == TF_EBUNDLE_TAR);
    free(bytes);
    rig_close(rig);
}

static void the_grant_must_admit_a_new_bundle(void)
{
    struct rig *rig = rig_open();
    struct rig_lambda lambda = version(8, "count");
    char hex[65];

    CHECK(rig_load(rig, 0, &hello) == TF_OK);
    char *text = rig_result(rig);
    memcpy(hex, strstr(text, "\"digest\":\"") + 10, 64);
    hex[64] = '\0';
    free(text);
    struct rig_client *client = rig_connect(rig, 0, "hello.manage.tfaas.internal");
    CHECK(rig_grant(rig, client, &(struct rig_grant){.digest = hex, .floor = 7}, NULL) ==
          200);
    CHECK(rig_load(rig, 0, &lambda) == TF_EGRANT_LAMBDA); /* pinned */
    CHECK(rig_grant(rig, client, &(struct rig_grant){.floor = 7}, NULL) == 200);
    lambda.domains[0] = "hullo.example";
    CHECK(rig_load(rig, 0, &lambda) == TF_EGRANT_DOMAIN);
    lambda.domains[0] = "hello.example";
    CHECK(rig_load(rig, 0, &lambda) == TF_OK);
    rig_close(rig);
}

static void requests_see_the_new_version_on_all_threads(void)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: hello.example\r\n\r\n";
    struct rig *rig = rig_open();
    struct rig_lambda newer = version(8, "status 204");
    struct rig_client *clients[2];

    rig_thread_make(rig, 1);
    (void)rig_init(rig, 1);
    rig_serve_hello(rig);
    for (int i = 0; i < 2; i++) {
        clients[i] = rig_connect(rig, i, "hello.example");
        char *text = rig_ask(rig, clients[i], request);
        CHECK(strncmp(text, "HTTP/1.1 200 OK\r\n", 17) == 0);
        free(text);
    }
    CHECK(rig_load(rig, 1, &newer) == TF_OK);
    for (int i = 0; i < 2; i++) {
        char *text = rig_ask(rig, clients[i], request);
        CHECK(strncmp(text, "HTTP/1.1 204 ", 13) == 0);
        free(text);
    }
    /* Without its lambda the name is nobody's: neither on a connection that is open, nor
     * on a new one. */
    CHECK(rig_drop(rig, 0, "hello") == TF_OK);
    char *text = rig_ask(rig, clients[1], request);
    CHECK(strncmp(text, "HTTP/1.1 421 ", 13) == 0);
    CHECK(clients[1]->is_closed);
    free(text);
    struct rig_client *late = rig_connect(rig, 0, "hello.example");
    CHECK(!rig_is_up(late) && late->alert == 112);
    CHECK(rig_shared_count() == 0);
    rig_close(rig);
}

static void a_lambda_that_does_not_load_is_503(void)
{
    struct rig *rig = rig_open();
    struct rig_lambda broken = version(8, "nosource");

    rig_serve_hello(rig);
    struct rig_client *client = rig_connect_untried(rig, 0, &broken);
    for (int i = 0; i < 2; i++) {
        char *text =
            rig_ask(rig, client, "GET / HTTP/1.1\r\nHost: hello.example\r\n\r\n");
        CHECK(strncmp(text, "HTTP/1.1 503 ", 13) == 0);
        CHECK(strstr(text, "x-tfaas-error-id: ") != NULL);
        free(text);
    }
    const struct tf_msg_event *event = (const void *)rig_last(rig, TF_MSG_EVENT)->payload;
    CHECK(event->event == TF_EVENT_LAMBDA_FAILED && event->err == TF_ELAMBDA_SOURCE);
    rig_close(rig);
}

int main(void)
{
    RUN(a_result_tells_what_was_loaded);
    RUN(an_older_version_is_refused);
    RUN(removing_does_not_lower_the_floor);
    RUN(a_stranger_s_bundle_is_refused);
    RUN(a_bundle_that_is_too_large_is_counted_and_dropped);
    RUN(the_grant_must_admit_a_new_bundle);
    RUN(requests_see_the_new_version_on_all_threads);
    RUN(a_lambda_that_does_not_load_is_503);
    return test_end();
}
