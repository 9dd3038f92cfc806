/* SPDX-License-Identifier: Apache-2.0 */
/* Why an invocation failed is for the publisher of the lambda, and for nobody else. */
#include "enclave/failures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/dsse.h"
#include "test/native/rig.h"
#include "test/test.h"

static const char management[] = "hello.manage.tfaas.internal";

/* A signed question. NULL: the publisher's, of that connection. @return the status. */
static int ask(struct rig *rig, const char *lambda, const struct fixture_key *by,
               const struct rig_client *bound_to, char **answer)
{
    struct rig_client *client = rig_connect(rig, 0, management);
    uint8_t exporter[32];
    char text[256];
    struct tf_json_writer w;

    rig_exporter(bound_to != NULL ? bound_to : client, exporter);
    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "tfaas", "failures.v1");
    tf_json_put_string(&w, "lambda", lambda);
    tf_json_put_base64(&w, "exporter", exporter, sizeof(exporter));
    tf_json_close_object(&w);
    CHECK(tf_json_take(&w, NULL) == TF_OK);
    struct fixture_bytes envelope = fixture_envelope(
        by != NULL ? by : &rig->publisher, TF_DSSE_FAILURES, text, strlen(text));
    int status =
        rig_post(rig, client, "/v1/failures", (const char *)envelope.data, answer);
    free(envelope.data);
    rig_hang_up(rig, client);
    return status;
}

/* @return whether that is refused, with this code. */
static bool is_refused(struct rig *rig, const char *lambda, const struct fixture_key *by,
                       const struct rig_client *bound_to, const char *code)
{
    char wanted[64];
    char *answer = NULL;
    int status = ask(rig, lambda, by, bound_to, &answer);

    (void)snprintf(wanted, sizeof(wanted), "{\"error\":\"%s\"}", code);
    bool is_so = status >= 400 && strcmp(answer, wanted) == 0;
    if (!is_so) {
        (void)fprintf(stderr, "%d %s\n", status, answer);
    }
    free(answer);
    return is_so;
}

/* Has it fail `count` times over this body. @param id  of the last one: 17 bytes. */
static void fail(struct rig *rig, const char *name, int count, const char *body, char *id)
{
    static const char field[] = "x-tfaas-error-id: ";
    char sni[32];
    char request[256];

    (void)snprintf(sni, sizeof(sni), "%s.example", name);
    (void)snprintf(request, sizeof(request),
                   "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n\r\n%s", sni,
                   strlen(body), body);
    struct rig_client *client = rig_connect(rig, 0, sni);
    for (int i = 0; i < count; i++) {
        char *answer = rig_ask(rig, client, request);
        CHECK(strncmp(answer, "HTTP/1.1 500 ", 13) == 0);
        (void)snprintf(id, 17, "%s", strstr(answer, field) + sizeof(field) - 1);
        free(answer);
    }
    rig_hang_up(rig, client);
}

static unsigned count_in(const char *text, const char *word)
{
    unsigned count = 0;

    for (text = strstr(text, word); text != NULL; text = strstr(text + 1, word)) {
        count++;
    }
    return count;
}

/* How many failures it is told of that say `word`. */
static unsigned told(struct rig *rig, const char *lambda, const char *word)
{
    char *answer = NULL;

    CHECK(ask(rig, lambda, NULL, NULL, &answer) == 200);
    unsigned count = count_in(answer, word);
    free(answer);
    return count;
}

static void the_publisher_learns_what_the_engine_said(void)
{
    struct rig *rig = rig_open();
    char id[17] = "";
    char wanted[256];
    char *answer = NULL;

    CHECK(rig_serve(rig, "hello", "throw", NULL));
    CHECK(ask(rig, "hello", NULL, NULL, &answer) == 200);
    CHECK(strcmp(answer, "{\"failures\":[]}") == 0);
    free(answer);
    fail(rig, "hello", 1, "a \"secret\"\n", id);
    (void)snprintf(wanted, sizeof(wanted),
                   "\"version\":1,\"error\":\"exception\",\"message\":"
                   "\"Error:?a \\\"secret\\\"?\"}]}");
    CHECK(ask(rig, "hello", NULL, NULL, &answer) == 200);
    CHECK(strstr(answer, id) == answer + strlen("{\"failures\":[{\"id\":\""));
    CHECK(strstr(answer, wanted) != NULL);
    free(answer);
    rig_close(rig);
}

static void nobody_else_does(void)
{
    struct rig *rig = rig_open();
    char id[17] = "";

    CHECK(rig_serve(rig, "hello", "throw", NULL));
    fail(rig, "hello", 1, "secret", id);
    CHECK(is_refused(rig, "hello", &rig->attester, NULL, "dsse-signer"));
    CHECK(is_refused(rig, "hello", &rig->stranger, NULL, "dsse-signer"));
    CHECK(is_refused(rig, "other", NULL, NULL, "not-found"));
    struct rig_client *other = rig_connect(rig, 0, management);
    CHECK(is_refused(rig, "hello", NULL, other, "grant-channel"));
    char *answer = NULL;
    CHECK(rig_post(rig, other, "/v1/failures", "{\"lambda\":\"hello\"}", &answer) == 400);
    free(answer);
    rig_close(rig);
}

static void a_revoked_publisher_does_not(void)
{
    struct rig *rig = rig_open_pair();
    struct tf_revocations list = {.serial = 1, .signer_count = 1};
    char id[17] = "";
    char *answer = NULL;

    CHECK(rig_serve(rig, "hello", "throw", NULL));
    fail(rig, "hello", 1, "secret", id);
    CHECK(ask(rig, "hello", &rig->stranger, NULL, &answer) == 200);
    free(answer);
    memcpy(list.signers[0], rig->stranger.publisher.keyid, sizeof(list.signers[0]));
    CHECK(rig_revoke(rig, &rig->publisher, &list) == TF_OK);
    CHECK(is_refused(rig, "hello", &rig->stranger, NULL, "revoked"));
    rig_close(rig);
}

static void who_shares_the_enclave_does_not(void)
{
    struct rig *rig = rig_open_shared();
    char id[17] = "";

    CHECK(rig_serve(rig, "hello", "throw", NULL));
    fail(rig, "hello", 1, "secret", id);
    CHECK(told(rig, "hello", "secret") == 1);
    CHECK(is_refused(rig, "hello", &rig->stranger, NULL, "not-found"));
    rig_close(rig);
}

static void the_last_ones_are_kept(void)
{
    struct rig *rig = rig_open();
    char id[17] = "";

    CHECK(rig_serve(rig, "hello", "throw", NULL) && rig_serve(rig, "b", "throw", NULL));
    fail(rig, "hello", 10, "first", id);
    fail(rig, "b", 100, "other", id);
    CHECK(told(rig, "hello", "first") == 10 && told(rig, "hello", "other") == 0);
    fail(rig, "hello", TF_FAILURES_TOLD - 1, "second", id);
    CHECK(told(rig, "hello", "first") == 1); /* what fits, and the latest first */
    CHECK(told(rig, "hello", "second") == TF_FAILURES_TOLD - 1);
    fail(rig, "b", TF_FAILURES_KEPT, "other", id);
    CHECK(told(rig, "hello", "id") == 0);
    rig_close(rig);
}

static void nothing_is_left_of_a_lambda_that_went(void)
{
    struct rig *rig = rig_open();
    struct rig_lambda next = {
        .name = "hello", .version = 2, .code = "throw", .domains = {"hello.example"}};
    char id[17] = "";

    CHECK(rig_serve(rig, "hello", "throw", NULL));
    fail(rig, "hello", 2, "secret", id);
    CHECK(rig_load(rig, 0, &next) == TF_OK); /* a new version */
    CHECK(told(rig, "hello", "id") == 0);
    fail(rig, "hello", 1, "secret", id);
    CHECK(told(rig, "hello", "id") == 1);
    CHECK(rig_drop(rig, 0, "hello") == TF_OK);
    CHECK(rig_load(rig, 0, &next) == TF_OK);
    CHECK(told(rig, "hello", "id") == 0);
    rig_close(rig);
}

int main(void)
{
    RUN(the_publisher_learns_what_the_engine_said);
    RUN(nobody_else_does);
    RUN(a_revoked_publisher_does_not);
    RUN(who_shares_the_enclave_does_not);
    RUN(the_last_ones_are_kept);
    RUN(nothing_is_left_of_a_lambda_that_went);
    return test_end();
}
