/* SPDX-License-Identifier: Apache-2.0 */
/* Who deploys hears whether the code loads; nobody's secrets, and at nobody's expense. */
#include "enclave/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enclave/instance.h"
#include "enclave/thread.h"
#include "test/native/rig.h"
#include "test/test.h"

enum { ASKED = 4711 };

static const struct rig_lambda fresh = {
    .name = "fresh", .version = 1, .code = "count", .domains = {"fresh.example"}};

static struct rig_lambda with_code(const char *code)
{
    struct rig_lambda lambda = fresh;
    lambda.code = code;
    return lambda;
}

static void question(struct rig *rig, const char *name)
{
    CHECK(rig_put(rig, 0, TF_MSG_TRY, ASKED, name, strlen(name)));
    (void)rig_enter(rig, 0);
}

/* The answer to the question; its text is in `text`. -1: there is none yet. */
static int answer(const struct rig *rig, char text[static 512])
{
    const struct rig_frame *frame = rig_last(rig, TF_MSG_RESULT);
    struct tf_msg_result result;

    text[0] = '\0';
    if (frame == NULL || frame->id != ASKED) {
        return -1;
    }
    memcpy(&result, frame->payload, sizeof(result));
    (void)snprintf(text, 512, "%.*s", (int)(frame->size - sizeof(result)),
                   (const char *)frame->payload + sizeof(result));
    return (int)result.err;
}

/* Whether the answer is this one, once all is done. */
static bool answers(struct rig *rig, tf_err err, const char *text)
{
    char got[512];

    rig_settle(rig);
    return answer(rig, got) == (int)err && strcmp(got, text) == 0;
}

static const struct tf_resident *resident_of(const struct rig *rig, const char *name)
{
    const struct tf_thread_page *page = (const void *)rig->threads[0].page;
    const struct tf_thread *thread = (const void *)(uintptr_t)(page->base + page->state);

    return tf_view_have(thread, tf_instance_find(tf_instance_self(), name));
}

static void what_loads_is_said_to_and_leaves_nothing(void)
{
    struct rig *rig = rig_open();

    CHECK(rig_load(rig, 0, &fresh) == TF_OK);
    question(rig, "fresh");
    CHECK(answers(rig, TF_OK, "{\"load\":\"ok\",\"message\":\"\"}"));
    CHECK(resident_of(rig, "fresh") == NULL);
    rig_close(rig);
}

static void what_does_not_load_is_told_in_plain_characters(void)
{
    struct rig *rig = rig_open();
    struct rig_lambda bad = with_code("nosource");

    bad.env = "{\"A\":\"b\xc3\xa9\"}";
    CHECK(rig_load(rig, 0, &bad) == TF_OK);
    question(rig, "fresh");
    CHECK(answers(rig, TF_OK,
                  "{\"load\":\"lambda-source\",\"message\":\"\\\"?[1m?A=b???\"}"));
    rig_close(rig);
}

/* A top level can throw what its grant brought. */
static void a_message_that_may_hold_secrets_stays_inside(void)
{
    struct rig *rig = rig_open();
    const struct rig_lambda bad = with_code("nosource");
    const struct rig_grant grant = {
        .lambda = "fresh", .names = {"fresh.example"}, .secrets = {{"TOKEN", "hunter2"}}};

    CHECK(rig_load(rig, 0, &bad) == TF_OK);
    struct rig_client *manager = rig_connect(rig, 0, "fresh.manage.tfaas.internal");
    CHECK(rig_grant(rig, manager, &grant, NULL) == 200);
    question(rig, "fresh");
    CHECK(answers(rig, TF_OK, "{\"load\":\"lambda-source\",\"message\":\"\"}"));
    rig_close(rig);
}

static void nobody_is_asked_about(void)
{
    struct rig *rig = rig_open();

    question(rig, "fresh");
    CHECK(answers(rig, TF_ENOTFOUND, "{}"));
    rig_log_clear(rig);
    question(rig, "Not a name");
    CHECK(answers(rig, TF_ENOTFOUND, "{}"));
    rig_close(rig);
}

static void a_question_without_a_number_ends_the_enclave(void)
{
    struct rig *rig = rig_open();

    CHECK(rig_put(rig, 0, TF_MSG_TRY, 0, "fresh", 5));
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_DEAD);
    CHECK(rig->threads[0].last.err == TF_EHOST);
    rig_close(rig);
}

static void a_second_question_meanwhile_is_too_many(void)
{
    struct rig *rig = rig_open();
    const struct rig_lambda slow = with_code("slow 9");
    char text[512];

    CHECK(rig_load(rig, 0, &slow) == TF_OK);
    question(rig, "fresh");
    CHECK(answer(rig, text) == -1); /* it computes, and others have their turn */
    question(rig, "fresh");
    CHECK(answer(rig, text) == TF_EBUSY);
    CHECK(answers(rig, TF_OK, "{\"load\":\"ok\",\"message\":\"\"}"));
    rig_close(rig);
}

static void the_lambda_goes_while_it_is_tried(void)
{
    struct rig *rig = rig_open();
    const struct rig_lambda slow = with_code("slow 9");

    CHECK(rig_load(rig, 0, &slow) == TF_OK);
    question(rig, "fresh");
    (void)rig_enter(rig, 0);
    CHECK(rig_drop(rig, 0, "fresh") == TF_OK);
    rig_settle(rig);
    CHECK(rig_shared_count() == 0);
    rig_close(rig);
}

/* Requests for as many lambdas as there are lanes. */
static void a_trial_gives_way_to_requests(void)
{
    static const char *const names[RIG_SLOTS] = {"one", "two", "three"};
    struct rig *rig = rig_open();
    const struct rig_lambda slow = with_code("slow 99");
    struct rig_client *clients[RIG_SLOTS];
    char text[128];

    for (size_t i = 0; i < RIG_SLOTS; i++) {
        struct rig_lambda lambda = {.name = names[i], .version = 1, .code = "spin 20"};
        struct rig_grant grant = {.lambda = names[i]};
        (void)snprintf(text, sizeof(text), "%s.example", names[i]);
        lambda.domains[0] = grant.names[0] = text;
        CHECK(rig_load(rig, 0, &lambda) == TF_OK);
        char manage[64];
        (void)snprintf(manage, sizeof(manage), "%s.manage.tfaas.internal", names[i]);
        struct rig_client *manager = rig_connect(rig, 0, manage);
        CHECK(rig_grant(rig, manager, &grant, NULL) == 200);
        clients[i] = rig_connect(rig, 0, text);
    }
    CHECK(rig_load(rig, 0, &slow) == TF_OK);
    question(rig, "fresh");
    (void)rig_enter(rig, 0); /* its top level has begun */
    for (size_t i = 0; i < RIG_SLOTS; i++) {
        int size = snprintf(text, sizeof(text),
                            "GET / HTTP/1.1\r\nHost: %s.example\r\n\r\n", names[i]);
        CHECK(SSL_write(clients[i]->ssl, text, size) == size); /* all in one entry */
    }
    CHECK(answers(rig, TF_EBUSY, "{}"));
    for (size_t i = 0; i < RIG_SLOTS; i++) {
        char got[1024] = "";
        (void)rig_recv(rig, clients[i], got, sizeof(got) - 1);
        CHECK(strncmp(got, "HTTP/1.1 200 ", 13) == 0);
    }
    rig_close(rig);
}

/* What a request has made is not taken from it. */
static void a_lambda_that_serves_is_known_and_stays(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    free(rig_ask(rig, client, "GET / HTTP/1.1\r\nHost: hello.example\r\n\r\n"));
    const struct tf_resident *before = resident_of(rig, "hello");
    question(rig, "hello");
    CHECK(answers(rig, TF_OK, "{\"load\":\"ok\",\"message\":\"\"}"));
    CHECK(before != NULL && resident_of(rig, "hello") == before);
    rig_close(rig);
}

int main(void)
{
    RUN(what_loads_is_said_to_and_leaves_nothing);
    RUN(what_does_not_load_is_told_in_plain_characters);
    RUN(a_message_that_may_hold_secrets_stays_inside);
    RUN(nobody_is_asked_about);
    RUN(a_question_without_a_number_ends_the_enclave);
    RUN(a_second_question_meanwhile_is_too_many);
    RUN(the_lambda_goes_while_it_is_tried);
    RUN(a_trial_gives_way_to_requests);
    RUN(a_lambda_that_serves_is_known_and_stays);
    return test_end();
}
