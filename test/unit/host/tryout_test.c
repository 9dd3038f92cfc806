/* SPDX-License-Identifier: Apache-2.0 */
/* An heir tries each of its lambdas once, and what it does not load is found and said. */
#include "host/tryout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/link.h"
#include "host/registry.h"
#include "host/supervise.h"
#include "test/test.h"

static const char *const names[] = {"first", "second", "third"};

static char folder[64];
static struct tf_daemon daemon_;
static const struct tf_engine engine = {.name = "quickjs"};
static struct tf_worker elder;
static struct tf_worker heir;
static int end_of_heir;
static uint64_t asked; /* the id of the last question */

static void begin(void)
{
    int pair[2];

    memset(&daemon_, 0, sizeof(daemon_));
    (void)snprintf(folder, sizeof(folder), "/tmp/tfaas-tryout-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    CHECK(tf_store_open(folder, &daemon_.store) == TF_OK);
    CHECK(tf_loop_open(&daemon_.loop) == TF_OK);
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) ==
          0);
    heir = (struct tf_worker){.daemon = &daemon_,
                              .engine = &engine,
                              .elder = &elder,
                              .state = TF_WORKER_SERVING,
                              .link_count = 1,
                              .threads = 1};
    heir.links[0].watch.fd = pair[0];
    end_of_heir = pair[1];
    for (size_t i = 0; i < 3; i++) {
        struct tf_lambda lambda = {.version = i + 1,
                                   .steps = 1000,
                                   .seat = {.worker = &elder},
                                   .next = {.worker = &heir}};
        (void)snprintf(lambda.name, sizeof(lambda.name), "%s", names[i]);
        memset(lambda.digest, '0' + (int)i, TF_STORE_HEX);
        CHECK(tf_registry_put(&daemon_.registry, &lambda) == TF_OK);
        CHECK(tf_store_put(&daemon_.store, names[i], TF_STORE_BUNDLE, names[i],
                           strlen(names[i])) == TF_OK);
    }
}

static void end(void)
{
    char command[128];

    heir.elder = NULL;
    tf_calls_fail(&heir);
    tf_tryout_wipe(&daemon_);
    (void)close(end_of_heir);
    (void)close(heir.links[0].watch.fd);
    tf_registry_wipe(&daemon_.registry);
    tf_loop_close(&daemon_.loop);
    tf_store_close(&daemon_.store);
    (void)snprintf(command, sizeof(command), "rm -r %s", folder);
    CHECK(system(command) == 0);
}

/* Whether the heir was asked this, with the bundle of that name ("": with nothing). */
static bool is_asked(enum tf_link_type type, const char *bundle)
{
    static uint8_t body[TF_LINK_MAX];
    struct tf_link_head head = {.type = 0};
    char got[16] = "";
    int fd = -1;

    if (tf_link_receive(end_of_heir, &head, body, &fd) != TF_OK) {
        return false;
    }
    asked = head.id;
    if (fd >= 0) {
        CHECK(pread(fd, got, sizeof(got) - 1, 0) >= 0);
        (void)close(fd);
    }
    return head.type == (uint32_t)type && strcmp(got, bundle) == 0;
}

static void answer(tf_err err, const char *json)
{
    uint8_t body[256] = {(uint8_t)err};

    memcpy(body + 8, json, strlen(json));
    tf_calls_answer(&heir, asked, body, 8 + strlen(json));
}

static char *said(void)
{
    static char text[4096];
    struct tf_json_writer w;
    size_t size = 0;

    CHECK(tf_tryout_size(&daemon_) < sizeof(text));
    tf_json_writer_init(&w, text, tf_tryout_size(&daemon_));
    tf_json_open_object(&w, NULL);
    tf_tryout_write(&daemon_, &w);
    tf_json_close_object(&w);
    CHECK(tf_json_take(&w, &size) == TF_OK);
    text[size] = '\0';
    return text;
}

static const struct tf_seat *seat_of(const char *name)
{
    return &tf_registry_find(&daemon_.registry, name)->next;
}

static void each_is_tried_once_one_after_the_other(void)
{
    begin();
    CHECK(!tf_tryout_is_over(&heir));
    for (size_t i = 0; i < 3; i++) {
        tf_tryout_continue(&heir);
        CHECK(is_asked(TF_LINK_BUNDLE, names[i]));
        tf_tryout_continue(&heir);
        CHECK(!is_asked(TF_LINK_BUNDLE, names[i + 1 < 3 ? i + 1 : 0]));
        CHECK(!tf_tryout_is_over(&heir));
        answer(TF_OK, "{}");
    }
    CHECK(tf_tryout_is_over(&heir) && tf_tryout_why(&daemon_) == NULL);
    CHECK(strcmp(said(), "{\"failing\":[]}") == 0);
    tf_tryout_continue(&heir);
    CHECK(!is_asked(TF_LINK_BUNDLE, "first"));
    end();
}

static void all_that_do_not_load_are_listed_as_deploy_would_say_it(void)
{
    begin();
    tf_tryout_continue(&heir);
    CHECK(is_asked(TF_LINK_BUNDLE, "first"));
    answer(TF_ELAMBDA_SOURCE, "{\"message\":\"Error: \\\"x\\\"\"}");
    CHECK(is_asked(TF_LINK_BUNDLE, "second"));
    answer(TF_OK, "{}");
    CHECK(is_asked(TF_LINK_BUNDLE, "third"));
    answer(TF_ESTEPS, "{\"message\":\"steps\"}");
    CHECK(tf_tryout_is_over(&heir));
    CHECK(strcmp(tf_tryout_why(&daemon_), "lambda-source") == 0);
    CHECK(
        strstr(said(), "{\"name\":\"first\",\"version\":1,\"error\":\"lambda-source\"") !=
        NULL);
    CHECK(strstr(said(), "top level: Error: \\\"x\\\"\"}") != NULL);
    CHECK(strstr(said(), "\"second\"") == NULL);
    CHECK(strstr(said(),
                 "{\"name\":\"third\",\"version\":3,\"error\":\"steps\",\"text\":\""
                 "its top level took all of limits.steps, 1000\"}") != NULL);
    CHECK(seat_of("first")->is_failing && !seat_of("second")->is_failing);
    end();
}

/* Else no answer that lists it would be shown. */
static void what_a_worker_says_commands_no_terminal(void)
{
    begin();
    tf_tryout_continue(&heir);
    CHECK(is_asked(TF_LINK_BUNDLE, "first"));
    answer(TF_ELAMBDA_SOURCE, "{\"message\":\"\\u001b[31mred\\u00e9\"}");
    CHECK(strstr(said(), "top level: ?[31mred??\"}") != NULL);
    end();
}

/* Nothing is said of what had no place yet; and what is revoked need not load. */
static void who_has_no_place_waits_and_who_is_revoked_is_fine(void)
{
    begin();
    tf_tryout_continue(&heir);
    CHECK(is_asked(TF_LINK_BUNDLE, "first"));
    answer(TF_EBUSY, "{}");
    CHECK(!is_asked(TF_LINK_BUNDLE, "second"));
    tf_tryout_continue(&heir);
    CHECK(is_asked(TF_LINK_BUNDLE, "first"));
    answer(TF_EREVOKED, "{}");
    CHECK(is_asked(TF_LINK_BUNDLE, "second"));
    answer(TF_EBUSY, "{\"message\":\"\"}"); /* it had its time */
    CHECK(!seat_of("first")->is_failing && seat_of("second")->is_failing);
    CHECK(strcmp(tf_tryout_why(&daemon_), "busy") == 0);
    end();
}

static void an_heir_that_ends_by_one_is_not_asked_for_that_again(void)
{
    begin();
    tf_tryout_continue(&heir);
    CHECK(is_asked(TF_LINK_BUNDLE, "first"));
    heir.state = TF_WORKER_BACKOFF;
    tf_calls_fail(&heir);
    CHECK(seat_of("first")->is_failing && strcmp(tf_tryout_why(&daemon_), "io") == 0);
    CHECK(!is_asked(TF_LINK_BUNDLE, "second"));
    heir.state = TF_WORKER_SERVING; /* again */
    tf_tryout_continue(&heir);
    CHECK(is_asked(TF_LINK_BUNDLE, "second"));
    end();
}

static void what_the_store_has_lost_does_not_load(void)
{
    begin();
    CHECK(tf_store_remove(&daemon_.store, "first") == TF_OK);
    tf_tryout_continue(&heir);
    CHECK(seat_of("first")->is_failing && !is_asked(TF_LINK_BUNDLE, "second"));
    tf_tryout_continue(&heir);
    CHECK(is_asked(TF_LINK_BUNDLE, "second"));
    end();
}

/* By its being tried it would come back. */
static void what_is_removed_meanwhile_is_removed_again(void)
{
    begin();
    tf_tryout_continue(&heir);
    CHECK(is_asked(TF_LINK_BUNDLE, "first"));
    tf_registry_remove(&daemon_.registry, "first");
    answer(TF_OK, "{}");
    CHECK(is_asked(TF_LINK_DROP, ""));
    CHECK(heir.trying[0] != '\0' && strcmp(heir.trying, "first") != 0);
    end();
}

static void who_is_given_up_is_asked_no_more(void)
{
    begin();
    tf_tryout_continue(&heir);
    CHECK(is_asked(TF_LINK_BUNDLE, "first"));
    heir.elder = NULL;
    answer(TF_ELAMBDA_SOURCE, "{\"message\":\"x\"}");
    CHECK(tf_tryout_why(&daemon_) == NULL && !is_asked(TF_LINK_BUNDLE, "second"));
    end();
}

int main(void)
{
    RUN(each_is_tried_once_one_after_the_other);
    RUN(all_that_do_not_load_are_listed_as_deploy_would_say_it);
    RUN(what_a_worker_says_commands_no_terminal);
    RUN(who_has_no_place_waits_and_who_is_revoked_is_fine);
    RUN(an_heir_that_ends_by_one_is_not_asked_for_that_again);
    RUN(what_the_store_has_lost_does_not_load);
    RUN(what_is_removed_meanwhile_is_removed_again);
    RUN(who_is_given_up_is_asked_no_more);
    return test_end();
}
