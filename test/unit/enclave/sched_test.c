/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lambdas that compete for one thread: each gets a quantum an entry, whatever the others
 * do, and an invocation that was interrupted goes on as if it had not been.
 */
#include <string.h>

#include "abi/limits.h"
#include "test/native/asker.h"
#include "test/test.h"

/* How many entries until it is answered when each takes `ns` by the host's clock. */
static unsigned entries_of(struct rig *rig, uint64_t ns, struct asker *asker)
{
    rig->entry_ns = ns;
    return asker_entries(rig, asker);
}

static void what_takes_less_than_a_quantum_is_answered_at_once(void)
{
    struct rig *rig =
        asker_serve((const char *[]){"a", NULL}, (const char *[]){"count", NULL});
    struct asker a = asker_connect(rig, "a");

    rig_settle(rig);
    for (int i = 0; i < 3; i++) {
        asker_post(rig, &a);
        CHECK(rig_enter(rig, 0).exit == TF_EXIT_IDLE);
        CHECK(asker_has_answer(&a) && asker_says(&a, "1"));
    }
    rig_close(rig);
}

static void an_interrupted_invocation_goes_on_where_it_was(void)
{
    struct rig *rig =
        asker_serve((const char *[]){"a", NULL}, (const char *[]){"spin 5", NULL});
    struct asker a = asker_connect(rig, "a");

    rig_settle(rig);
    for (int i = 0; i < 3; i++) {
        asker_post(rig, &a);
        CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
        CHECK(!asker_has_answer(&a));
        rig->now++; /* it does not see that */
        CHECK(asker_entries(rig, &a) == 5 && asker_says(&a, "done"));
        CHECK(rig->threads[0].last.exit == TF_EXIT_IDLE);
    }
    rig_close(rig);
}

static void while_nobody_asks_entries_grow(void)
{
    struct rig *rig = asker_serve((const char *[]){"a", "b", NULL},
                                  (const char *[]){"spin 78", "count", NULL});
    struct asker a = asker_connect(rig, "a");
    struct asker b = asker_connect(rig, "b");

    rig_settle(rig);
    asker_post(rig, &a);
    CHECK(entries_of(rig, 50 * 1000, &a) == 15); /* of 1, 1, 2, 3... 8, 8 quanta */
    asker_post(rig, &a);
    CHECK(entries_of(rig, 300 * 1000, &a) == 79); /* two would take too long */
    asker_post(rig, &a);
    rig->entry_ns = 50 * 1000;
    for (int i = 0; i < 10; i++) {
        (void)rig_enter(rig, 0);
    }
    asker_post(rig, &b);
    CHECK(entries_of(rig, 50 * 1000, &b) == 1);
    CHECK(entries_of(rig, 50 * 1000, &a) > 5); /* they begin anew */
    rig_close(rig);
}

static void a_clock_that_goes_back_makes_entries_short(void)
{
    struct rig *rig =
        asker_serve((const char *[]){"a", NULL}, (const char *[]){"spin 40", NULL});
    struct asker a = asker_connect(rig, "a");

    rig_settle(rig);
    asker_post(rig, &a);
    CHECK(entries_of(rig, (uint64_t)-1000, &a) == 41);
    rig_close(rig);
}

static void a_neighbour_is_answered_while_a_lambda_spins(void)
{
    enum { QUANTA = 300 };
    struct rig *rig = asker_serve((const char *[]){"spinner", "neighbour", NULL},
                                  (const char *[]){"spin 300", "count", NULL});
    struct asker spinner = asker_connect(rig, "spinner");
    struct asker neighbour = asker_connect(rig, "neighbour");
    unsigned answered = 0;

    rig_settle(rig);
    asker_post(rig, &spinner);
    for (int i = 0; i < QUANTA; i++) {
        asker_post(rig, &neighbour);
        CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
        answered += asker_has_answer(&neighbour) && asker_says(&neighbour, "1");
    }
    CHECK(answered == QUANTA && !asker_has_answer(&spinner));
    /* Each answer leaves at once, but not twice in a row at the spinner's cost. */
    unsigned left = asker_entries(rig, &spinner);
    CHECK(left != 0 && left <= QUANTA / 2 + 1 && asker_says(&spinner, "done"));
    rig_close(rig);
}

/* What others compute in an entry that has written an answer would delay it. */
static void an_answer_leaves_before_others_compute(void)
{
    struct rig *rig = asker_serve((const char *[]){"spinner", "neighbour", NULL},
                                  (const char *[]){"spin 8", "count", NULL});
    struct asker spinner = asker_connect(rig, "spinner");
    struct asker neighbour = asker_connect(rig, "neighbour");

    rig_settle(rig);
    for (unsigned asked = 0; asked <= 4; asked++) {
        asker_post(rig, &spinner);
        (void)rig_enter(rig, 0);
        (void)rig_enter(rig, 0);
        for (unsigned i = 0; i < asked; i++) {
            asker_post(rig, &neighbour);
            (void)rig_enter(rig, 0);
            CHECK(asker_has_answer(&neighbour));
            (void)rig_enter(rig, 0); /* in which nobody asks */
        }
        /* So only in these the spinner went on: with the first two it needs nine. */
        CHECK(asker_entries(rig, &spinner) == 7 - asked && asker_says(&spinner, "done"));
    }
    rig_close(rig);
}

static void many_requests_of_one_lambda_are_one_lambda(void)
{
    enum { SPINNERS = 40 };
    struct rig *rig = asker_serve((const char *[]){"spinner", "neighbour", NULL},
                                  (const char *[]){"spin 20", "count", NULL});
    struct asker spinners[SPINNERS];
    struct asker neighbour = asker_connect(rig, "neighbour");
    unsigned done = 0;
    unsigned entries = 0;

    asker_post_all(rig, "spinner", spinners, SPINNERS);
    while (done < SPINNERS && entries < 2 * SPINNERS * 20) {
        entries++;
        asker_post(rig, &neighbour);
        (void)rig_enter(rig, 0);
        CHECK(asker_has_answer(&neighbour));
        for (int i = 0; i < SPINNERS; i++) {
            done += spinners[i].size == 0 && asker_has_answer(&spinners[i]) &&
                    asker_says(&spinners[i], "done");
        }
    }
    CHECK(done == SPINNERS);
    CHECK(entries >= SPINNERS * 20); /* a quantum an entry, all of them together */
    rig_close(rig);
}

static void lambdas_that_compute_get_the_same(void)
{
    struct rig *rig = asker_serve((const char *[]){"a", "b", NULL},
                                  (const char *[]){"spin 50", "spin 50", NULL});
    struct asker a[4];
    struct asker b = asker_connect(rig, "b");

    asker_post_all(rig, "a", a, 4);
    asker_post(rig, &b);
    /* Two lambdas, so half of the entries is for each, whatever they ask for. */
    unsigned entries = asker_entries(rig, &b);
    CHECK(entries >= 99 && entries <= 103);
    unsigned done = 0;
    for (int i = 0; i < 4; i++) {
        done += asker_has_answer(&a[i]);
    }
    CHECK(done <= 1);
    rig_close(rig);
}

/* A signature takes longer than most requests: whoever asks for many has them made while
 * nobody else wants the thread. */
static void receipts_are_made_at_their_lambda_s_cost(void)
{
    enum { MANY = 40 };
    struct rig *rig = asker_serve((const char *[]){"a", "neighbour", NULL},
                                  (const char *[]){"count", "count", NULL});
    struct asker a[MANY];
    struct asker neighbour = asker_connect(rig, "neighbour");
    unsigned done = 0;

    for (int i = 0; i < MANY; i++) {
        a[i] = asker_connect(rig, "a");
        a[i].field = "tfaas-receipt: 1\r\n";
    }
    rig_settle(rig);
    for (int i = 0; i < MANY; i++) {
        asker_post(rig, &a[i]);
    }
    asker_post(rig, &neighbour);
    CHECK(asker_entries(rig, &neighbour) != 0);
    for (int i = 0; i < MANY; i++) {
        done += asker_has_answer(&a[i]);
    }
    CHECK(done > 0 && done < MANY / 4);
    for (int i = 0; i < MANY; i++) {
        CHECK(asker_has_answer(&a[i]) || asker_entries(rig, &a[i]) != 0);
        CHECK(strstr(a[i].text, "tfaas-receipt: ") != NULL);
    }
    rig_close(rig);
}

static void a_top_level_is_interrupted_too(void)
{
    struct rig *rig = asker_serve((const char *[]){"slow", "neighbour", NULL},
                                  (const char *[]){"count", "count", NULL});
    struct asker slow = asker_connect(rig, "slow");
    struct asker neighbour = asker_connect(rig, "neighbour");

    rig_settle(rig);
    asker_renew(rig, "slow", "slow 10");
    asker_post(rig, &slow);
    asker_post(rig, &neighbour);
    CHECK(asker_entries(rig, &neighbour) == 1);
    CHECK(asker_entries(rig, &slow) == 10 && asker_says(&slow, "1"));
    asker_post(rig, &slow); /* once */
    CHECK(asker_entries(rig, &slow) == 1 && asker_says(&slow, "1"));
    rig_close(rig);
}

/* More lambdas than slots: who asks for little is served, and all the others end too. */
static void when_all_slots_are_held_a_new_one_takes_one(void)
{
    enum { PACK = 6 };
    const char *names[] = {"a", "b", "c", "d", "e", "f", "neighbour", NULL};
    struct rig *rig =
        asker_serve(names, (const char *[]){"spin 90", "spin 90", "spin 90", "spin 90",
                                            "spin 90", "spin 90", "count", NULL});
    struct asker askers[PACK];
    struct asker neighbour = asker_connect(rig, "neighbour");
    unsigned entries = 0;
    unsigned done = 0;

    for (int i = 0; i < PACK; i++) {
        askers[i] = asker_connect(rig, names[i]);
    }
    rig_settle(rig);
    for (int i = 0; i < PACK; i++) {
        asker_post(rig, &askers[i]);
    }
    while (done < PACK && entries < 6 * PACK * 90) {
        entries++;
        asker_post(rig, &neighbour);
        unsigned took = asker_entries(rig, &neighbour);
        CHECK(took != 0 &&
              took <= (entries == 1 ? PACK + 1 : 3)); /* all are new at first */
        CHECK(asker_says(&neighbour, "1"));
        for (int i = 0; i < PACK; i++) {
            done += askers[i].size == 0 && asker_has_answer(&askers[i]) &&
                    asker_says(&askers[i], "done");
        }
    }
    CHECK(done == PACK);
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_IDLE);
    rig_close(rig);
}

/* Two requests of one lambda may run at a time, but not so that no slot is left. */
static void a_lambda_leaves_a_slot_to_others(void)
{
    struct rig *rig = asker_serve((const char *[]){"a", "b", NULL},
                                  (const char *[]){"spin 40", "count", NULL});
    struct asker a[RIG_SLOTS];
    struct asker b = asker_connect(rig, "b");

    asker_post_all(rig, "a", a, RIG_SLOTS);
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
    asker_post(rig, &b);
    CHECK(asker_entries(rig, &b) == 1);
    CHECK(asker_entries(rig, &a[2]) != 0 && asker_has_answer(&a[0]) &&
          asker_has_answer(&a[1]));
    rig_close(rig);
}

static void too_many_that_wait_are_told_when_to_come_again(void)
{
    enum { MANY = TF_WAITING_MAX + 2 };
    static struct asker askers[MANY];
    struct rig *rig = asker_serve((const char *[]){"a", "b", NULL},
                                  (const char *[]){"spin 1000", "count", NULL});
    struct asker spinners[2] = {asker_connect(rig, "a"), asker_connect(rig, "a")};
    struct asker b = asker_connect(rig, "b");

    for (int i = 0; i < MANY; i++) {
        askers[i] = asker_connect(rig, "a");
    }
    rig_settle(rig);
    asker_post(rig, &spinners[0]);
    asker_post(rig, &spinners[1]);
    (void)rig_enter(rig, 0);
    unsigned refused = 0;
    for (int i = 0; i < MANY; i++) {
        asker_post(rig, &askers[i]);
        (void)rig_enter(rig, 0);
        if (asker_has_answer(&askers[i])) {
            CHECK(strncmp(askers[i].text, "HTTP/1.1 503 ", 13) == 0);
            CHECK(strstr(askers[i].text, "\r\nretry-after: 1\r\n") != NULL);
            refused++;
        }
    }
    CHECK(refused == MANY - TF_WAITING_MAX);
    const struct tf_msg_event *event = (const void *)rig_last(rig, TF_MSG_EVENT)->payload;
    CHECK(event->event == TF_EVENT_LAMBDA_FAILED && event->err == TF_EBUSY);
    asker_post(rig, &b);
    CHECK(asker_entries(rig, &b) == 1);
    rig_close(rig);
}

/* Puts a ClientHello for `name` in the ring, of a client of which nothing more comes. */
static void say_hello(struct rig *rig, const struct asker *like, const char *name)
{
    const uint64_t id = 60 | UINT64_C(1) << 40;
    uint8_t bytes[4096];
    SSL *ssl = SSL_new(SSL_get_SSL_CTX(like->client->ssl));
    BIO *out = BIO_new(BIO_s_mem());

    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    (void)SSL_set_tlsext_host_name(ssl, name);
    (void)SSL_connect(ssl);
    int size = BIO_read(out, bytes, sizeof(bytes));
    CHECK(rig_put(rig, 0, TF_MSG_OPEN, id, NULL, 0));
    CHECK(size > 0 && rig_put(rig, 0, TF_MSG_DATA, id, bytes, (size_t)size));
    SSL_free(ssl);
}

/* However little it has used, for it was not there while the others did. */
static void what_is_made_ready_has_no_more_claim_than_others(void)
{
    struct rig *rig = asker_serve((const char *[]){"a", "b", "c", NULL},
                                  (const char *[]){"spin 300", "count", "count", NULL});
    struct asker a = asker_connect(rig, "a");
    struct asker b = asker_connect(rig, "b");
    struct asker c = asker_connect(rig, "c");

    rig_settle(rig);
    asker_post(rig, &a);
    CHECK(asker_entries(rig, &a) != 0);
    asker_renew(rig, "c", "slow 99");
    say_hello(rig, &c, "c.example");
    (void)rig_enter(rig, 0);
    (void)rig_enter(rig, 0); /* its top level has begun */
    asker_post(rig, &c);
    (void)rig_enter(rig, 0); /* this waits for it */
    asker_post(rig, &b);
    CHECK(asker_entries(rig, &b) <= 2);
    CHECK(!asker_has_answer(&c) && asker_entries(rig, &c) != 0);
    rig_close(rig);
}

int main(void)
{
    RUN(what_takes_less_than_a_quantum_is_answered_at_once);
    RUN(an_interrupted_invocation_goes_on_where_it_was);
    RUN(while_nobody_asks_entries_grow);
    RUN(a_clock_that_goes_back_makes_entries_short);
    RUN(a_neighbour_is_answered_while_a_lambda_spins);
    RUN(an_answer_leaves_before_others_compute);
    RUN(many_requests_of_one_lambda_are_one_lambda);
    RUN(lambdas_that_compute_get_the_same);
    RUN(receipts_are_made_at_their_lambda_s_cost);
    RUN(a_top_level_is_interrupted_too);
    RUN(when_all_slots_are_held_a_new_one_takes_one);
    RUN(a_lambda_leaves_a_slot_to_others);
    RUN(too_many_that_wait_are_told_when_to_come_again);
    RUN(what_is_made_ready_has_no_more_claim_than_others);
    return test_end();
}
