/* SPDX-License-Identifier: Apache-2.0 */
/* What does not load does not replace what does; nor does a host gain by how it asks. */
#include "enclave/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enclave/instance.h"
#include "enclave/thread.h"
#include "lib/bytes.h"
#include "test/native/native.h"
#include "test/native/rig.h"
#include "test/test.h"

enum { OFFERED = 4711 };

static const char ask_hello[] = "GET / HTTP/1.1\r\nHost: hello.example\r\n\r\n";

static const char ask_short[] = "GET / HTTP/1.1\r\nHost: short.example\r\n\r\n";

/* Has a request lie in the thread's ring; enters nothing. */
static void post(struct rig *rig, struct rig_client *client, const char *request)
{
    uint8_t bytes[1024];

    CHECK(SSL_write(client->ssl, request, (int)strlen(request)) > 0);
    int size = BIO_read(client->from_client, bytes, sizeof(bytes));
    CHECK(size > 0 && rig_put(rig, 0, TF_MSG_DATA, client->id, bytes, (size_t)size));
}

/* Whether it was answered with this status by now; enters nothing. */
static bool has_answer(struct rig_client *client, const char *start)
{
    char text[1024] = "";

    return SSL_read(client->ssl, text, sizeof(text) - 1) > 0 &&
           strncmp(text, start, strlen(start)) == 0;
}

/* Version `number` of what rig_serve_hello has granted as version 7. */
static struct rig_lambda hello(uint64_t number, const char *code)
{
    return (struct rig_lambda){.name = "hello",
                               .version = number,
                               .code = code,
                               .domains = {"hello.example", "hallo.example"}};
}

/* The answer to the offer; its text is in `text`. -1: there is none yet. */
static int answer(const struct rig *rig, char text[static 512])
{
    const struct rig_frame *frame = rig_last(rig, TF_MSG_RESULT);
    struct tf_msg_result result;

    text[0] = '\0';
    if (frame == NULL || frame->id != OFFERED) {
        return -1;
    }
    memcpy(&result, frame->payload, sizeof(result));
    (void)snprintf(text, 512, "%.*s", (int)(frame->size - sizeof(result)),
                   (const char *)frame->payload + sizeof(result));
    return (int)result.err;
}

/* Whether that is the answer, once all is done. */
static bool answers(struct rig *rig, tf_err err, const char *text)
{
    char got[512];

    rig_settle(rig);
    return answer(rig, got) == (int)err && (text == NULL || strcmp(got, text) == 0);
}

static const struct tf_thread *thread_of(const struct rig *rig)
{
    const struct tf_thread_page *page = (const void *)rig->threads[0].page;

    return (const void *)(uintptr_t)(page->base + page->state);
}

static const struct tf_entry *entry_of(const char *name)
{
    return tf_instance_known(tf_instance_self(), name);
}

/* Whether `hello` answers on this connection, and how. */
static bool says(struct rig *rig, struct rig_client *client, const char *start)
{
    char *text = rig_ask(rig, client, ask_hello);
    bool is_so = strncmp(text, start, strlen(start)) == 0;

    free(text);
    return is_so;
}

/* All that a refused version must leave as it was. */
static bool is_untouched(struct rig *rig, const struct tf_entry *before,
                         struct rig_client *client)
{
    const struct tf_entry *now = entry_of("hello");

    return now->lambda == before->lambda && now->grant == before->grant &&
           now->version == before->version && now->changed == before->changed &&
           memcmp(now->digest, before->digest, sizeof(now->digest)) == 0 &&
           says(rig, client, "HTTP/1.1 200 ");
}

static void what_loads_is_in_the_table_and_has_left_nothing_else(void)
{
    struct rig *rig = rig_open();
    const struct rig_lambda good = hello(1, "count");

    CHECK(rig_load(rig, 0, &good) == TF_OK);
    const struct tf_entry *entry = entry_of("hello");
    CHECK(entry->lambda != NULL && entry->version == 1);
    CHECK(entry->lambda->bytes != NULL && entry->lambda->users == 0);
    CHECK(tf_view_have(thread_of(rig), entry) == NULL);
    CHECK(thread_of(rig)->view.held == 0);
    CHECK(rig_drop(rig, 0, "hello") == TF_OK);
    CHECK(rig_shared_count() == 0);
    rig_close(rig);
}

static void what_does_not_load_changes_nothing(void)
{
    struct rig *rig = rig_open();
    struct rig_lambda bad = hello(8, "nosource");

    bad.env = "{\"A\":\"b\xc3\xa9\"}";
    rig_serve_hello(rig);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    CHECK(says(rig, client, "HTTP/1.1 200 "));
    const struct tf_entry before = *entry_of("hello");
    const size_t held = thread_of(rig)->view.held;
    rig_offer(rig, 0, OFFERED, &bad);
    CHECK(answers(rig, TF_ELAMBDA_SOURCE, "{\"message\":\"\\\"?[1m?A=b???\"}"));
    CHECK(is_untouched(rig, &before, client));
    CHECK(thread_of(rig)->view.held == held);
    const struct rig_lambda mended = hello(8, "status 204");
    CHECK(rig_load(rig, 0, &mended) == TF_OK); /* under the same number */
    CHECK(says(rig, client, "HTTP/1.1 204 "));
    rig_close(rig);
}

static void a_first_version_that_does_not_load_is_nobody_s(void)
{
    struct rig *rig = rig_open();
    const struct rig_lambda bad = hello(1, "nosource");

    CHECK(rig_load(rig, 0, &bad) == TF_ELAMBDA_SOURCE);
    CHECK(entry_of("hello")->lambda == NULL && entry_of("hello")->version == 0);
    CHECK(rig_shared_count() == 0);
    rig_close(rig);
}

/* Has `hello` serve with a secret. */
static void serve_with_secret(struct rig *rig)
{
    const struct rig_lambda good = hello(1, "env");
    const struct rig_grant grant = {
        .lambda = "hello", .names = {"hello.example"}, .secrets = {{"TOKEN", "hunter2"}}};

    CHECK(rig_load(rig, 0, &good) == TF_OK);
    struct rig_client *manager = rig_connect(rig, 0, "hello.manage.tfaas.internal");
    CHECK(rig_grant(rig, manager, &grant, NULL) == 200);
}

/* The top level sees what the grant in force brings. What it throws stays inside. */
static void a_message_that_may_hold_secrets_stays_inside(void)
{
    struct rig *rig = rig_open();
    const struct rig_lambda bad = hello(2, "nosource");

    serve_with_secret(rig);
    const struct tf_entry before = *entry_of("hello");
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    rig_offer(rig, 0, OFFERED, &bad);
    CHECK(answers(rig, TF_ELAMBDA_SOURCE, "{\"message\":\"\"}"));
    CHECK(is_untouched(rig, &before, client));
    rig_close(rig);
}

/* Nothing of the slots may keep what it has thrown or held. */
static void secrets_of_what_was_refused_are_wiped(void)
{
    struct rig *rig = rig_open();
    const struct rig_lambda bad = hello(2, "nosource");

    serve_with_secret(rig);
    CHECK(rig_load(rig, 0, &bad) == TF_ELAMBDA_SOURCE);
    const struct tf_thread *thread = thread_of(rig);
    for (size_t i = 0; i < thread->lane_count; i++) {
        const struct tf_slot *slot = &thread->lanes[i].slot;
        CHECK(memmem(slot->memory, slot->zeroed, "hunter2", 7) == NULL);
    }
    rig_close(rig);
}

static void the_same_again_changes_nothing(void)
{
    struct rig *rig = rig_open();
    const struct rig_lambda same = hello(7, "echo");

    rig_serve_hello(rig);
    const struct tf_entry before = *entry_of("hello");
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    rig_offer(rig, 0, OFFERED, &same);
    CHECK(answers(rig, TF_OK, NULL));
    CHECK(is_untouched(rig, &before, client));
    rig_close(rig);
}

static void the_earlier_version_answers_meanwhile(void)
{
    struct rig *rig = rig_open();
    const struct rig_lambda slow = hello(8, "slow 9");
    char text[512];

    rig_serve_hello(rig);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    rig_offer(rig, 0, OFFERED, &slow);
    CHECK(answer(rig, text) == -1); /* it computes, and others have their turn */
    post(rig, client, ask_hello);
    (void)rig_enter(rig, 0);
    CHECK(has_answer(client, "HTTP/1.1 200 "));
    CHECK(answer(rig, text) == -1);
    CHECK(entry_of("hello")->lambda->version == 7);
    CHECK(answers(rig, TF_OK, NULL));
    CHECK(entry_of("hello")->lambda->version == 8);
    rig_close(rig);
}

/* A host that has another bundle come meanwhile gets neither of them in untried. */
static void a_second_one_meanwhile_is_too_many(void)
{
    struct rig *rig = rig_open();
    const struct rig_lambda slow = hello(1, "slow 9");
    const struct rig_lambda other = hello(2, "nosource");

    rig_offer(rig, 0, OFFERED, &slow);
    rig_offer(rig, 0, OFFERED + 1, &other);
    const struct rig_frame *frame = rig_last(rig, TF_MSG_RESULT);
    CHECK(frame->id == OFFERED + 1 && frame->payload[0] == TF_EBUSY);
    CHECK(answers(rig, TF_OK, NULL));
    CHECK(entry_of("hello")->version == 1);
    rig_close(rig);
}

/* A host that leaves the trial out has a lambda that answers nobody, as ever. */
static void a_host_that_introduces_it_has_one_that_does_not_load(void)
{
    struct rig *rig = rig_open();
    const struct rig_lambda bad = hello(8, "nosource");

    rig_serve_hello(rig);
    struct rig_client *client = rig_connect_untried(rig, 0, &bad);
    CHECK(says(rig, client, "HTTP/1.1 503 "));
    rig_close(rig);
}

/* Whatever changed while it was tried counts when it is done. */
static void what_was_revoked_meanwhile_does_not_get_in(void)
{
    struct rig *rig = rig_open();
    const struct rig_lambda slow = hello(8, "slow 9");
    struct tf_revocations list = {.serial = 1, .version_count = 1};

    rig_serve_hello(rig);
    (void)snprintf(list.versions[0].name, sizeof(list.versions[0].name), "hello");
    list.versions[0].below = 9;
    rig_offer(rig, 0, OFFERED, &slow);
    CHECK(rig_revoke(rig, &rig->publisher, &list) == TF_OK);
    rig_settle(rig);
    const struct tf_entry *entry = entry_of("hello");
    CHECK(entry->lambda == NULL && entry->version == 7);
    CHECK(rig_drop(rig, 0, "hello") == TF_ENOTFOUND);
    rig_close(rig);
}

static void a_host_that_removes_the_earlier_one_meanwhile_has_removed_its_grant(void)
{
    struct rig *rig = rig_open();
    const struct rig_lambda slow = hello(8, "slow 9");

    rig_serve_hello(rig);
    rig_offer(rig, 0, OFFERED, &slow);
    CHECK(rig_drop(rig, 0, "hello") == TF_OK);
    CHECK(answers(rig, TF_OK, NULL));
    CHECK(entry_of("hello")->lambda->version == 8 && entry_of("hello")->grant == NULL);
    CHECK(!rig_is_up(rig_connect(rig, 0, "hello.example")));
    rig_close(rig);
}

static void a_newer_one_that_came_meanwhile_stays(void)
{
    struct rig *rig = rig_open();
    const struct rig_lambda slow = hello(8, "slow 9");
    const struct rig_lambda newer = hello(9, "echo");

    rig_serve_hello(rig);
    rig_offer(rig, 0, OFFERED, &slow);
    CHECK(rig_introduce(rig, 0, &newer) == TF_OK);
    CHECK(answers(rig, TF_EVERSION_FLOOR, NULL));
    CHECK(entry_of("hello")->lambda->version == 9);
    rig_close(rig);
}

/* The host may end the wait, and a clock that goes back does. */
static void what_takes_too_long_is_given_up(void)
{
    static const int jumps[] = {TF_TRIAL_SECONDS + 1, -1};

    for (size_t i = 0; i < 2; i++) {
        struct rig *rig = rig_open();
        const struct rig_lambda slow = hello(8, "slow 99");
        rig_serve_hello(rig);
        const struct tf_entry before = *entry_of("hello");
        rig_offer(rig, 0, OFFERED, &slow);
        rig->now += (uint64_t)(int64_t)jumps[i];
        CHECK(answers(rig, TF_EBUSY, "{\"message\":\"\"}"));
        struct rig_client *client = rig_connect(rig, 0, "hello.example");
        CHECK(is_untouched(rig, &before, client));
        CHECK(rig_load(rig, 0, &slow) == TF_OK);
        rig_close(rig);
    }
}

/* Requests for as many lambdas as there are lanes, all of which compute. */
static void ask_all(struct rig *rig, struct rig_client *clients[RIG_SLOTS])
{
    static const char *const names[RIG_SLOTS] = {"one", "two", "three"};
    char text[128];
    char manage[64];

    for (size_t i = 0; i < RIG_SLOTS; i++) {
        struct rig_lambda lambda = {.name = names[i], .version = 1, .code = "spin 200"};
        struct rig_grant grant = {.lambda = names[i]};
        (void)snprintf(text, sizeof(text), "%s.example", names[i]);
        lambda.domains[0] = grant.names[0] = text;
        CHECK(rig_load(rig, 0, &lambda) == TF_OK);
        (void)snprintf(manage, sizeof(manage), "%s.manage.tfaas.internal", names[i]);
        CHECK(rig_grant(rig, rig_connect(rig, 0, manage), &grant, NULL) == 200);
        clients[i] = rig_connect(rig, 0, text);
    }
    for (size_t i = 0; i < RIG_SLOTS; i++) {
        (void)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s.example\r\n\r\n",
                       names[i]);
        post(rig, clients[i], text);
    }
}

/* Neither may keep the other out: neighbours that compute, and what is deployed. */
static void it_has_its_share_beside_those_who_compute(void)
{
    struct rig *rig = rig_open();
    const struct rig_lambda slow = hello(1, "slow 20");
    struct rig_client *clients[RIG_SLOTS];
    char text[512];

    CHECK(rig_serve(rig, "short", "count", NULL));
    struct rig_client *asker = rig_connect(rig, 0, "short.example");
    ask_all(rig, clients);
    (void)rig_enter(rig, 0);
    rig_offer(rig, 0, OFFERED, &slow);
    for (int i = 0; i < 150 && answer(rig, text) == -1; i++) {
        post(rig, asker, ask_short);
        (void)rig_enter(rig, 0);
    }
    CHECK(answer(rig, text) == TF_OK); /* long before any of them is done */
    CHECK(has_answer(asker, "HTTP/1.1 200 "));
    for (size_t i = 0; i < RIG_SLOTS; i++) {
        CHECK(!has_answer(clients[i], ""));
    }
    rig_settle(rig);
    for (size_t i = 0; i < RIG_SLOTS; i++) {
        CHECK(has_answer(clients[i], "HTTP/1.1 200 "));
    }
    rig_close(rig);
}

/* The code of the answer to transfer `id`; -1: there is none. */
static int code_of(const struct rig *rig, uint64_t id)
{
    int code = -1;

    for (size_t i = 0; i < rig->log_count; i++) {
        if (rig->log[i].type == TF_MSG_RESULT && rig->log[i].id == id) {
            code = rig->log[i].payload[0];
        }
    }
    return code;
}

/* A host that has two threads try two bundles of one number gets in the one that is done
 * first. */
static void of_one_number_only_one_gets_in(void)
{
    struct rig *rig = rig_open();
    const struct rig_lambda slow = hello(1, "slow 99");
    const struct rig_lambda fast = hello(1, "slow 9");

    rig_thread_make(rig, 1);
    CHECK(rig_init(rig, 1).exit == TF_EXIT_IDLE);
    rig_offer(rig, 0, OFFERED, &slow);
    rig_offer(rig, 1, OFFERED + 1, &fast);
    CHECK(code_of(rig, OFFERED) == -1 && code_of(rig, OFFERED + 1) == -1);
    rig_settle(rig);
    CHECK(code_of(rig, OFFERED) == TF_EVERSION_REUSED);
    CHECK(code_of(rig, OFFERED + 1) == TF_OK);
    CHECK(entry_of("hello")->version == 1);
    CHECK(rig_drop(rig, 0, "hello") == TF_OK);
    CHECK(rig_shared_count() == 0);
    rig_close(rig);
}

/* Another publisher of a shared enclave tries a lambda of the same name. */
static void who_shares_the_enclave_gets_no_name_and_no_secret_by_it(void)
{
    struct rig *rig = rig_open_shared();
    const struct rig_lambda good = hello(1, "echo");
    struct rig_lambda thief = hello(2, "slow 9");
    const struct rig_grant grant = {
        .lambda = "hello", .names = {"hello.example"}, .secrets = {{"TOKEN", "hunter2"}}};

    thief.key = &rig->stranger;
    rig_offer(rig, 0, OFFERED, &thief);
    CHECK(rig_introduce(rig, 0, &good) == TF_OK); /* the name was free until now */
    CHECK(answers(rig, TF_ENAME_TAKEN, NULL));
    CHECK(rig_drop(rig, 0, "hello") == TF_OK);
    CHECK(rig_load(rig, 0, &good) == TF_OK);
    struct rig_client *manager = rig_connect(rig, 0, "hello.manage.tfaas.internal");
    CHECK(rig_grant(rig, manager, &grant, NULL) == 200);
    const struct tf_entry before = *entry_of("hello");
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    thief.code = "nosource";
    rig_offer(rig, 0, OFFERED, &thief); /* is not even tried */
    CHECK(answers(rig, TF_ENAME_TAKEN, "{}"));
    CHECK(is_untouched(rig, &before, client));
    CHECK(rig_drop(rig, 0, "hello") == TF_OK);
    rig_offer(rig, 0, OFFERED, &thief);
    CHECK(answers(rig, TF_ELAMBDA_SOURCE, "{\"message\":\"\\\"?[1m?\"}"));
    rig_close(rig);
}

static struct tf_grant *pinned; /* to another version, with secrets; borrowed */
static int gives_left;          /* of the lock, until another thread takes it */

static void take_pinned(void)
{
    struct tf_instance *instance = tf_instance_self();

    gives_left--;
    if (gives_left == 0) {
        pinned->refs++;
        tf_instance_put_grant(instance, tf_instance_find(instance, "hello"), pinned);
    }
}

/* Serves version 7 under a grant without secrets, after one that had some, for that
 * version alone. */
static struct rig *serve_pinned(void)
{
    struct rig *rig = rig_open();
    char hex[2 * TF_SHA256_SIZE + 1];
    const struct rig_grant first = {.digest = hex, .secrets = {{"TOKEN", "hunter2"}}};

    rig_serve_hello(rig);
    tf_hex_write(entry_of("hello")->digest, TF_SHA256_SIZE, hex);
    struct rig_client *manager = rig_connect(rig, 0, "hello.manage.tfaas.internal");
    CHECK(rig_grant(rig, manager, &first, NULL) == 200);
    pinned = entry_of("hello")->grant;
    pinned->refs++;
    manager = rig_connect(rig, 0, "hello.manage.tfaas.internal");
    CHECK(rig_grant(rig, manager, &(struct rig_grant){0}, NULL) == 200);
    return rig;
}

/* A host has the thread that takes the bundle stand still, and another take a grant whose
 * secrets are for the earlier version alone. With any that has secrets no message leaves:
 * who is told one had none. */
static void a_grant_that_comes_in_between_is_for_whom_it_is(void)
{
    const struct rig_lambda bad = hello(8, "nosource");
    unsigned refused = 0;

    for (int at = 1; at <= 12; at++) {
        struct rig *rig = serve_pinned();
        char text[512];
        gives_left = at;
        tf_native_meanwhile = take_pinned;
        rig_offer(rig, 0, OFFERED, &bad);
        tf_native_meanwhile = NULL;
        rig_settle(rig);
        int code = answer(rig, text);
        CHECK(code == TF_EGRANT_LAMBDA ||
              (code == TF_ELAMBDA_SOURCE && strstr(text, "[1m") != NULL));
        refused += code == TF_EGRANT_LAMBDA;
        tf_lock_take(&tf_instance_self()->lock);
        tf_grant_release(pinned);
        tf_lock_give(&tf_instance_self()->lock);
        rig_close(rig);
    }
    CHECK(refused > 0 && refused < 12);
}

/* A host that brings the same bundle again and again, and ends the wait of some. */
static void nothing_is_left_of_many_that_were_refused(void)
{
    struct rig *rig = rig_open();
    struct rig_lambda bad = hello(8, "nosource");
    const struct rig_lambda slow = hello(8, "slow 99");

    rig_serve_hello(rig);
    const size_t held = thread_of(rig)->view.held;
    const size_t shared = rig_shared_count();
    for (int i = 0; i < 60; i++) {
        bad.version++;
        CHECK(rig_load(rig, 0, &bad) == TF_ELAMBDA_SOURCE);
        rig_offer(rig, 0, OFFERED, &slow);
        rig->now += TF_TRIAL_SECONDS + 1;
        CHECK(answers(rig, TF_EBUSY, NULL));
        CHECK(thread_of(rig)->view.held == held && rig_shared_count() == shared);
    }
    rig_close(rig);
}

int main(void)
{
    RUN(what_loads_is_in_the_table_and_has_left_nothing_else);
    RUN(what_does_not_load_changes_nothing);
    RUN(a_first_version_that_does_not_load_is_nobody_s);
    RUN(a_message_that_may_hold_secrets_stays_inside);
    RUN(secrets_of_what_was_refused_are_wiped);
    RUN(the_same_again_changes_nothing);
    RUN(the_earlier_version_answers_meanwhile);
    RUN(a_second_one_meanwhile_is_too_many);
    RUN(a_host_that_introduces_it_has_one_that_does_not_load);
    RUN(what_was_revoked_meanwhile_does_not_get_in);
    RUN(a_host_that_removes_the_earlier_one_meanwhile_has_removed_its_grant);
    RUN(a_newer_one_that_came_meanwhile_stays);
    RUN(what_takes_too_long_is_given_up);
    RUN(it_has_its_share_beside_those_who_compute);
    RUN(of_one_number_only_one_gets_in);
    RUN(who_shares_the_enclave_gets_no_name_and_no_secret_by_it);
    RUN(a_grant_that_comes_in_between_is_for_whom_it_is);
    RUN(nothing_is_left_of_many_that_were_refused);
    return test_end();
}
