/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ends while a lambda computes: its client leaves, it is replaced or removed, its
 * grant expires. The invocation then goes on to its end, or is given up without a trace.
 */
#include <string.h>

#include "test/native/asker.h"
#include "test/native/native.h"
#include "test/test.h"

static void a_client_that_leaves_ends_its_invocation(void)
{
    struct rig *rig =
        asker_serve((const char *[]){"a", NULL}, (const char *[]){"spin 9", NULL});
    struct asker a[5];

    for (int round = 0; round < 3; round++) {
        asker_post_all(rig, "a", a, 5);
        CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
        CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
        rig_hang_up(rig, a[0].client); /* runs */
        rig_hang_up(rig, a[3].client); /* waits, between two that do */
        CHECK(asker_entries(rig, &a[4]) != 0 && asker_says(&a[4], "done"));
        CHECK(asker_has_answer(&a[1]) && asker_has_answer(&a[2]));
        CHECK(rig->threads[0].last.exit == TF_EXIT_IDLE);
        rig_hang_up(rig, a[1].client);
        rig_hang_up(rig, a[2].client);
        rig_hang_up(rig, a[4].client);
    }
    rig_close(rig);
}

static void a_client_that_leaves_during_the_top_level_spoils_nothing(void)
{
    struct rig *rig =
        asker_serve((const char *[]){"a", NULL}, (const char *[]){"count", NULL});
    struct asker a = asker_connect(rig, "a");
    struct asker b = asker_connect(rig, "a");

    rig_settle(rig);
    asker_renew(rig, "a", "slow 9");
    asker_post(rig, &b);
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
    rig_hang_up(rig, b.client);
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_IDLE);
    asker_post(rig, &a);
    CHECK(asker_entries(rig, &a) == 10 && asker_says(&a, "1")); /* from its start */
    rig_close(rig);
}

/* What began ends with the code that it began with; what waited gets the new one. */
static void a_new_version_waits_for_nobody(void)
{
    struct rig *rig =
        asker_serve((const char *[]){"a", NULL}, (const char *[]){"spin 9", NULL});
    size_t shared = tf_native_shared_count;
    struct asker a[4];

    a[3] = asker_connect(rig, "a");
    asker_post_all(rig, "a", a, 3);
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
    const struct rig_lambda next = asker_version("a", 2, "count");
    CHECK(rig_load(rig, 0, &next) == TF_OK);
    asker_post(rig, &a[3]);
    CHECK(asker_entries(rig, &a[3]) == 1 && asker_says(&a[3], "1"));
    CHECK(asker_entries(rig, &a[2]) <= 2 && asker_says(&a[2], "1"));
    CHECK(tf_native_shared_count > shared); /* the old one is still there */
    CHECK(asker_entries(rig, &a[1]) != 0 && asker_says(&a[1], "done"));
    CHECK(asker_has_answer(&a[0]) && asker_says(&a[0], "done"));
    CHECK(rig->threads[0].last.exit == TF_EXIT_IDLE);
    CHECK(tf_native_shared_count == shared);
    rig_close(rig);
}

static void a_lambda_that_is_removed_may_finish(void)
{
    struct rig *rig = asker_serve((const char *[]){"a", "b", NULL},
                                  (const char *[]){"spin 9", "count", NULL});
    size_t shared = tf_native_shared_count;
    struct asker a[3];
    struct asker b = asker_connect(rig, "b");

    asker_post_all(rig, "a", a, 3);
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
    CHECK(rig_drop(rig, 0, "a") == TF_OK);
    asker_post(rig, &b); /* so that the thread sees the change */
    CHECK(asker_entries(rig, &b) == 1);
    CHECK(asker_has_answer(&a[2]) && strncmp(a[2].text, "HTTP/1.1 421 ", 13) == 0);
    CHECK(asker_entries(rig, &a[1]) != 0 && asker_says(&a[1], "done"));
    CHECK(asker_has_answer(&a[0]) && asker_says(&a[0], "done"));
    CHECK(tf_native_shared_count < shared);
    asker_post(rig, &a[0]);
    (void)rig_enter(rig, 0);
    CHECK(asker_has_answer(&a[0]) && strncmp(a[0].text, "HTTP/1.1 421 ", 13) == 0);
    rig_close(rig);
}

static void a_grant_that_expires_meanwhile_ends_no_request(void)
{
    struct rig *rig =
        asker_serve((const char *[]){"a", NULL}, (const char *[]){"spin 3", NULL});
    struct asker a;

    asker_post_all(rig, "a", &a, 1);
    (void)rig_enter(rig, 0);
    rig->now += 7200;
    CHECK(asker_entries(rig, &a) != 0 && asker_says(&a, "done"));
    asker_post(rig, &a);
    (void)rig_enter(rig, 0);
    CHECK(asker_has_answer(&a) && strncmp(a.text, "HTTP/1.1 421 ", 13) == 0);
    rig_close(rig);
}

/* Evidence is for who waits for evidence. */
static void evidence_for_a_request_that_runs_ends_the_enclave(void)
{
    struct rig *rig =
        asker_serve((const char *[]){"a", NULL}, (const char *[]){"spin 3", NULL});
    struct asker a;

    asker_post_all(rig, "a", &a, 1);
    (void)rig_enter(rig, 0);
    CHECK(rig_put(rig, 0, TF_MSG_QUOTE, a.client->id, "{}", 2));
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_DEAD);
    CHECK(rig->threads[0].last.err == TF_EHOST);
    rig_close(rig);
}

int main(void)
{
    RUN(a_client_that_leaves_ends_its_invocation);
    RUN(a_client_that_leaves_during_the_top_level_spoils_nothing);
    RUN(a_new_version_waits_for_nobody);
    RUN(a_lambda_that_is_removed_may_finish);
    RUN(a_grant_that_expires_meanwhile_ends_no_request);
    RUN(evidence_for_a_request_that_runs_ends_the_enclave);
    return test_end();
}
