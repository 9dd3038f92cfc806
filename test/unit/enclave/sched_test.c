/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lambdas that compete for one thread: each gets a quantum an entry, whatever the others
 * do; an invocation that was interrupted goes on as if it had not been, or is given up
 * without a trace.
 */
#include <stdio.h>
#include <string.h>

#include "abi/limits.h"
#include "test/fake/js.h"
#include "test/native/native.h"
#include "test/native/rig.h"
#include "test/test.h"

/* So little memory that bringing in a heap is no work of several quanta. */
#define SMALL "{\"memory\":1048576}"

/* A client that has asked, and what it got so far. */
struct asker {
    struct rig_client *client;
    const char *field; /* of its requests, or NULL */
    char text[4096];
    size_t size;
};

static struct asker connect_to(struct rig *rig, const char *name)
{
    char dns[64];

    (void)snprintf(dns, sizeof(dns), "%s.example", name);
    return (struct asker){.client = rig_connect(rig, 0, dns)};
}

/* Puts a request in the ring; enters nothing. */
static void post(struct rig *rig, struct asker *asker)
{
    uint8_t bytes[4096];
    char request[128];

    (void)snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n%s\r\n",
                   SSL_get_servername(asker->client->ssl, TLSEXT_NAMETYPE_host_name),
                   asker->field == NULL ? "" : asker->field);
    asker->size = 0;
    (void)SSL_write(asker->client->ssl, request, (int)strlen(request));
    int size = BIO_read(asker->client->from_client, bytes, sizeof(bytes));
    CHECK(rig_put(rig, 0, TF_MSG_DATA, asker->client->id, bytes, (size_t)size));
}

/* Connects them, and puts a request of each in the ring. */
static void ask_all(struct rig *rig, const char *name, struct asker *askers, int count)
{
    for (int i = 0; i < count; i++) {
        askers[i] = connect_to(rig, name);
    }
    rig_settle(rig);
    for (int i = 0; i < count; i++) {
        post(rig, &askers[i]);
    }
}

/* Whether a whole answer is there, without entering. */
static bool has_answer(struct asker *asker)
{
    int size = SSL_read(asker->client->ssl, asker->text + asker->size,
                        (int)(sizeof(asker->text) - 1 - asker->size));
    asker->size += size > 0 ? (size_t)size : 0;
    asker->text[asker->size] = '\0';
    return strstr(asker->text, "\r\n\r\n") != NULL && asker->size != 0;
}

static bool says(const struct asker *asker, const char *body)
{
    const char *split = strstr(asker->text, "\r\n\r\n");
    return split != NULL && strcmp(split + 4, body) == 0;
}

/* How many entries it takes until this one is answered; 0: more than 1000. */
static unsigned entries_until(struct rig *rig, struct asker *asker)
{
    for (unsigned i = 1; i <= 1000; i++) {
        (void)rig_enter(rig, 0);
        if (has_answer(asker)) {
            return i;
        }
    }
    return 0;
}

/* The same when each takes `ns` by the host's clock. */
static unsigned entries_of(struct rig *rig, uint64_t ns, struct asker *asker)
{
    rig->entry_ns = ns;
    return entries_until(rig, asker);
}

static struct rig *serve(const char *const names[], const char *const codes[])
{
    struct rig *rig = rig_open();

    for (int i = 0; names[i] != NULL; i++) {
        CHECK(rig_serve(rig, names[i], codes[i], SMALL));
    }
    return rig;
}

static struct rig_lambda version_of(const char *name, uint64_t version, const char *code)
{
    static char dns[64];

    (void)snprintf(dns, sizeof(dns), "%s.example", name);
    return (struct rig_lambda){.name = name,
                               .version = version,
                               .code = code,
                               .domains = {dns},
                               .limits = SMALL};
}

/* The next version, of which no ClientHello knows: its top level runs with a request. */
static void renew(struct rig *rig, const char *name, const char *code)
{
    const struct rig_lambda next = version_of(name, 2, code);

    CHECK(rig_load(rig, 0, &next) == TF_OK);
}

static void what_takes_less_than_a_quantum_is_answered_at_once(void)
{
    struct rig *rig = serve((const char *[]){"a", NULL}, (const char *[]){"count", NULL});
    struct asker a = connect_to(rig, "a");

    rig_settle(rig);
    for (int i = 0; i < 3; i++) {
        post(rig, &a);
        CHECK(rig_enter(rig, 0).exit == TF_EXIT_IDLE);
        CHECK(has_answer(&a) && says(&a, "1"));
    }
    rig_close(rig);
}

static void an_interrupted_invocation_goes_on_where_it_was(void)
{
    struct rig *rig =
        serve((const char *[]){"a", NULL}, (const char *[]){"spin 5", NULL});
    struct asker a = connect_to(rig, "a");

    rig_settle(rig);
    for (int i = 0; i < 3; i++) {
        post(rig, &a);
        CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
        CHECK(!has_answer(&a));
        rig->now++; /* it does not see that */
        CHECK(entries_until(rig, &a) == 5 && says(&a, "done"));
        CHECK(rig->threads[0].last.exit == TF_EXIT_IDLE);
    }
    rig_close(rig);
}

static void while_nobody_asks_entries_grow(void)
{
    struct rig *rig = serve((const char *[]){"a", "b", NULL},
                            (const char *[]){"spin 78", "count", NULL});
    struct asker a = connect_to(rig, "a");
    struct asker b = connect_to(rig, "b");

    rig_settle(rig);
    post(rig, &a);
    CHECK(entries_of(rig, 50 * 1000, &a) == 15); /* of 1, 1, 2, 3... 8, 8 quanta */
    post(rig, &a);
    CHECK(entries_of(rig, 300 * 1000, &a) == 79); /* two would take too long */
    post(rig, &a);
    rig->entry_ns = 50 * 1000;
    for (int i = 0; i < 10; i++) {
        (void)rig_enter(rig, 0);
    }
    post(rig, &b);
    CHECK(entries_of(rig, 50 * 1000, &b) == 1);
    CHECK(entries_of(rig, 50 * 1000, &a) > 5); /* they begin anew */
    rig_close(rig);
}

static void a_clock_that_goes_back_makes_entries_short(void)
{
    struct rig *rig =
        serve((const char *[]){"a", NULL}, (const char *[]){"spin 40", NULL});
    struct asker a = connect_to(rig, "a");

    rig_settle(rig);
    post(rig, &a);
    CHECK(entries_of(rig, (uint64_t)-1000, &a) == 41);
    rig_close(rig);
}

static void a_neighbour_is_answered_while_a_lambda_spins(void)
{
    enum { QUANTA = 300 };
    struct rig *rig = serve((const char *[]){"spinner", "neighbour", NULL},
                            (const char *[]){"spin 300", "count", NULL});
    struct asker spinner = connect_to(rig, "spinner");
    struct asker neighbour = connect_to(rig, "neighbour");
    unsigned answered = 0;

    rig_settle(rig);
    post(rig, &spinner);
    for (int i = 0; i < QUANTA; i++) {
        post(rig, &neighbour);
        CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
        answered += has_answer(&neighbour) && says(&neighbour, "1");
    }
    CHECK(answered == QUANTA && !has_answer(&spinner));
    /* Each answer leaves at once, but not twice in a row at the spinner's cost. */
    unsigned left = entries_until(rig, &spinner);
    CHECK(left != 0 && left <= QUANTA / 2 + 1 && says(&spinner, "done"));
    rig_close(rig);
}

/* What others compute in an entry that has written an answer would delay it. */
static void an_answer_leaves_before_others_compute(void)
{
    struct rig *rig = serve((const char *[]){"spinner", "neighbour", NULL},
                            (const char *[]){"spin 8", "count", NULL});
    struct asker spinner = connect_to(rig, "spinner");
    struct asker neighbour = connect_to(rig, "neighbour");

    rig_settle(rig);
    for (unsigned asked = 0; asked <= 4; asked++) {
        post(rig, &spinner);
        (void)rig_enter(rig, 0);
        (void)rig_enter(rig, 0);
        for (unsigned i = 0; i < asked; i++) {
            post(rig, &neighbour);
            (void)rig_enter(rig, 0);
            CHECK(has_answer(&neighbour));
            (void)rig_enter(rig, 0); /* in which nobody asks */
        }
        /* So only in these the spinner went on: with the first two it needs nine. */
        CHECK(entries_until(rig, &spinner) == 7 - asked && says(&spinner, "done"));
    }
    rig_close(rig);
}

static void many_requests_of_one_lambda_are_one_lambda(void)
{
    enum { SPINNERS = 40 };
    struct rig *rig = serve((const char *[]){"spinner", "neighbour", NULL},
                            (const char *[]){"spin 20", "count", NULL});
    struct asker spinners[SPINNERS];
    struct asker neighbour = connect_to(rig, "neighbour");
    unsigned done = 0;
    unsigned entries = 0;

    ask_all(rig, "spinner", spinners, SPINNERS);
    while (done < SPINNERS && entries < 2 * SPINNERS * 20) {
        entries++;
        post(rig, &neighbour);
        (void)rig_enter(rig, 0);
        CHECK(has_answer(&neighbour));
        for (int i = 0; i < SPINNERS; i++) {
            done += spinners[i].size == 0 && has_answer(&spinners[i]) &&
                    says(&spinners[i], "done");
        }
    }
    CHECK(done == SPINNERS);
    CHECK(entries >= SPINNERS * 20); /* a quantum an entry, all of them together */
    rig_close(rig);
}

static void lambdas_that_compute_get_the_same(void)
{
    struct rig *rig = serve((const char *[]){"a", "b", NULL},
                            (const char *[]){"spin 50", "spin 50", NULL});
    struct asker a[4];
    struct asker b = connect_to(rig, "b");

    ask_all(rig, "a", a, 4);
    post(rig, &b);
    /* Two lambdas, so half of the entries is for each, whatever they ask for. */
    unsigned entries = entries_until(rig, &b);
    CHECK(entries >= 99 && entries <= 103);
    unsigned done = 0;
    for (int i = 0; i < 4; i++) {
        done += has_answer(&a[i]);
    }
    CHECK(done <= 1);
    rig_close(rig);
}

/* A signature takes longer than most requests: whoever asks for many has them made while
 * nobody else wants the thread. */
static void receipts_are_made_at_their_lambda_s_cost(void)
{
    enum { MANY = 40 };
    struct rig *rig = serve((const char *[]){"a", "neighbour", NULL},
                            (const char *[]){"count", "count", NULL});
    struct asker a[MANY];
    struct asker neighbour = connect_to(rig, "neighbour");
    unsigned done = 0;

    for (int i = 0; i < MANY; i++) {
        a[i] = connect_to(rig, "a");
        a[i].field = "tfaas-receipt: 1\r\n";
    }
    rig_settle(rig);
    for (int i = 0; i < MANY; i++) {
        post(rig, &a[i]);
    }
    post(rig, &neighbour);
    CHECK(entries_until(rig, &neighbour) != 0);
    for (int i = 0; i < MANY; i++) {
        done += has_answer(&a[i]);
    }
    CHECK(done > 0 && done < MANY / 4);
    for (int i = 0; i < MANY; i++) {
        CHECK(has_answer(&a[i]) || entries_until(rig, &a[i]) != 0);
        CHECK(strstr(a[i].text, "tfaas-receipt: ") != NULL);
    }
    rig_close(rig);
}

static void a_top_level_is_interrupted_too(void)
{
    struct rig *rig = serve((const char *[]){"slow", "neighbour", NULL},
                            (const char *[]){"count", "count", NULL});
    struct asker slow = connect_to(rig, "slow");
    struct asker neighbour = connect_to(rig, "neighbour");

    rig_settle(rig);
    renew(rig, "slow", "slow 10");
    post(rig, &slow);
    post(rig, &neighbour);
    CHECK(entries_until(rig, &neighbour) == 1);
    CHECK(entries_until(rig, &slow) == 10 && says(&slow, "1"));
    post(rig, &slow); /* once */
    CHECK(entries_until(rig, &slow) == 1 && says(&slow, "1"));
    rig_close(rig);
}

/* More lambdas than slots: who asks for little is served, and all the others end too. */
static void when_all_slots_are_held_a_new_one_takes_one(void)
{
    enum { PACK = 6 };
    const char *names[] = {"a", "b", "c", "d", "e", "f", "neighbour", NULL};
    struct rig *rig =
        serve(names, (const char *[]){"spin 90", "spin 90", "spin 90", "spin 90",
                                      "spin 90", "spin 90", "count", NULL});
    struct asker askers[PACK];
    struct asker neighbour = connect_to(rig, "neighbour");
    unsigned entries = 0;
    unsigned done = 0;

    for (int i = 0; i < PACK; i++) {
        askers[i] = connect_to(rig, names[i]);
    }
    rig_settle(rig);
    for (int i = 0; i < PACK; i++) {
        post(rig, &askers[i]);
    }
    while (done < PACK && entries < 6 * PACK * 90) {
        entries++;
        post(rig, &neighbour);
        unsigned took = entries_until(rig, &neighbour);
        CHECK(took != 0 &&
              took <= (entries == 1 ? PACK + 1 : 3)); /* all are new at first */
        CHECK(says(&neighbour, "1"));
        for (int i = 0; i < PACK; i++) {
            done +=
                askers[i].size == 0 && has_answer(&askers[i]) && says(&askers[i], "done");
        }
    }
    CHECK(done == PACK);
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_IDLE);
    rig_close(rig);
}

/* Two requests of one lambda may run at a time, but not so that no slot is left. */
static void a_lambda_leaves_a_slot_to_others(void)
{
    struct rig *rig = serve((const char *[]){"a", "b", NULL},
                            (const char *[]){"spin 40", "count", NULL});
    struct asker a[RIG_SLOTS];
    struct asker b = connect_to(rig, "b");

    ask_all(rig, "a", a, RIG_SLOTS);
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
    post(rig, &b);
    CHECK(entries_until(rig, &b) == 1);
    CHECK(entries_until(rig, &a[2]) != 0 && has_answer(&a[0]) && has_answer(&a[1]));
    rig_close(rig);
}

static void too_many_that_wait_are_told_when_to_come_again(void)
{
    enum { MANY = TF_WAITING_MAX + 2 };
    static struct asker askers[MANY];
    struct rig *rig = serve((const char *[]){"a", "b", NULL},
                            (const char *[]){"spin 1000", "count", NULL});
    struct asker spinners[2] = {connect_to(rig, "a"), connect_to(rig, "a")};
    struct asker b = connect_to(rig, "b");

    for (int i = 0; i < MANY; i++) {
        askers[i] = connect_to(rig, "a");
    }
    rig_settle(rig);
    post(rig, &spinners[0]);
    post(rig, &spinners[1]);
    (void)rig_enter(rig, 0);
    unsigned refused = 0;
    for (int i = 0; i < MANY; i++) {
        post(rig, &askers[i]);
        (void)rig_enter(rig, 0);
        if (has_answer(&askers[i])) {
            CHECK(strncmp(askers[i].text, "HTTP/1.1 503 ", 13) == 0);
            CHECK(strstr(askers[i].text, "\r\nretry-after: 1\r\n") != NULL);
            refused++;
        }
    }
    CHECK(refused == MANY - TF_WAITING_MAX);
    const struct tf_msg_event *event = (const void *)rig_last(rig, TF_MSG_EVENT)->payload;
    CHECK(event->event == TF_EVENT_LAMBDA_FAILED && event->err == TF_EBUSY);
    post(rig, &b);
    CHECK(entries_until(rig, &b) == 1);
    rig_close(rig);
}

/* --- ends ----------------------------------------------------------------------------
 */

static void a_client_that_leaves_ends_its_invocation(void)
{
    struct rig *rig =
        serve((const char *[]){"a", NULL}, (const char *[]){"spin 9", NULL});
    struct asker a[5];

    for (int round = 0; round < 3; round++) {
        ask_all(rig, "a", a, 5);
        CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
        CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
        rig_hang_up(rig, a[0].client); /* runs */
        rig_hang_up(rig, a[3].client); /* waits, between two that do */
        CHECK(entries_until(rig, &a[4]) != 0 && says(&a[4], "done"));
        CHECK(has_answer(&a[1]) && has_answer(&a[2]));
        CHECK(rig->threads[0].last.exit == TF_EXIT_IDLE);
        rig_hang_up(rig, a[1].client);
        rig_hang_up(rig, a[2].client);
        rig_hang_up(rig, a[4].client);
    }
    rig_close(rig);
}

static void a_client_that_leaves_during_the_top_level_spoils_nothing(void)
{
    struct rig *rig = serve((const char *[]){"a", NULL}, (const char *[]){"count", NULL});
    struct asker a = connect_to(rig, "a");
    struct asker b = connect_to(rig, "a");

    rig_settle(rig);
    renew(rig, "a", "slow 9");
    post(rig, &b);
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
    rig_hang_up(rig, b.client);
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_IDLE);
    post(rig, &a);
    CHECK(entries_until(rig, &a) == 10 && says(&a, "1")); /* from its start */
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
    struct rig *rig = serve((const char *[]){"a", "b", "c", NULL},
                            (const char *[]){"spin 300", "count", "count", NULL});
    struct asker a = connect_to(rig, "a");
    struct asker b = connect_to(rig, "b");
    struct asker c = connect_to(rig, "c");

    rig_settle(rig);
    post(rig, &a);
    CHECK(entries_until(rig, &a) != 0);
    renew(rig, "c", "slow 99");
    say_hello(rig, &c, "c.example");
    (void)rig_enter(rig, 0);
    (void)rig_enter(rig, 0); /* its top level has begun */
    post(rig, &c);
    (void)rig_enter(rig, 0); /* this waits for it */
    post(rig, &b);
    CHECK(entries_until(rig, &b) <= 2);
    CHECK(!has_answer(&c) && entries_until(rig, &c) != 0);
    rig_close(rig);
}

/* What began ends with the code that it began with; what waited gets the new one. */
static void a_new_version_waits_for_nobody(void)
{
    struct rig *rig =
        serve((const char *[]){"a", NULL}, (const char *[]){"spin 9", NULL});
    size_t shared = tf_native_shared_count;
    struct asker a[4];

    a[3] = connect_to(rig, "a");
    ask_all(rig, "a", a, 3);
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
    const struct rig_lambda next = version_of("a", 2, "count");
    CHECK(rig_load(rig, 0, &next) == TF_OK);
    post(rig, &a[3]);
    CHECK(entries_until(rig, &a[3]) == 1 && says(&a[3], "1"));
    CHECK(entries_until(rig, &a[2]) <= 2 && says(&a[2], "1"));
    CHECK(tf_native_shared_count > shared); /* the old one is still there */
    CHECK(entries_until(rig, &a[1]) != 0 && says(&a[1], "done"));
    CHECK(has_answer(&a[0]) && says(&a[0], "done"));
    CHECK(rig->threads[0].last.exit == TF_EXIT_IDLE);
    CHECK(tf_native_shared_count == shared);
    rig_close(rig);
}

static void a_lambda_that_is_removed_may_finish(void)
{
    struct rig *rig = serve((const char *[]){"a", "b", NULL},
                            (const char *[]){"spin 9", "count", NULL});
    size_t shared = tf_native_shared_count;
    struct asker a[3];
    struct asker b = connect_to(rig, "b");

    ask_all(rig, "a", a, 3);
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_MORE);
    CHECK(rig_drop(rig, 0, "a") == TF_OK);
    post(rig, &b); /* so that the thread sees the change */
    CHECK(entries_until(rig, &b) == 1);
    CHECK(has_answer(&a[2]) && strncmp(a[2].text, "HTTP/1.1 421 ", 13) == 0);
    CHECK(entries_until(rig, &a[1]) != 0 && says(&a[1], "done"));
    CHECK(has_answer(&a[0]) && says(&a[0], "done"));
    CHECK(tf_native_shared_count < shared);
    post(rig, &a[0]);
    (void)rig_enter(rig, 0);
    CHECK(has_answer(&a[0]) && strncmp(a[0].text, "HTTP/1.1 421 ", 13) == 0);
    rig_close(rig);
}

static void a_grant_that_expires_meanwhile_ends_no_request(void)
{
    struct rig *rig =
        serve((const char *[]){"a", NULL}, (const char *[]){"spin 3", NULL});
    struct asker a;

    ask_all(rig, "a", &a, 1);
    (void)rig_enter(rig, 0);
    rig->now += 7200;
    CHECK(entries_until(rig, &a) != 0 && says(&a, "done"));
    post(rig, &a);
    (void)rig_enter(rig, 0);
    CHECK(has_answer(&a) && strncmp(a.text, "HTTP/1.1 421 ", 13) == 0);
    rig_close(rig);
}

/* Evidence is for who waits for evidence. */
static void evidence_for_a_request_that_runs_ends_the_enclave(void)
{
    struct rig *rig =
        serve((const char *[]){"a", NULL}, (const char *[]){"spin 3", NULL});
    struct asker a;

    ask_all(rig, "a", &a, 1);
    (void)rig_enter(rig, 0);
    CHECK(rig_put(rig, 0, TF_MSG_QUOTE, a.client->id, "{}", 2));
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_DEAD);
    CHECK(rig->threads[0].last.err == TF_EHOST);
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
    RUN(a_client_that_leaves_ends_its_invocation);
    RUN(a_client_that_leaves_during_the_top_level_spoils_nothing);
    RUN(what_is_made_ready_has_no_more_claim_than_others);
    RUN(a_new_version_waits_for_nobody);
    RUN(a_lambda_that_is_removed_may_finish);
    RUN(a_grant_that_expires_meanwhile_ends_no_request);
    RUN(evidence_for_a_request_that_runs_ends_the_enclave);
    return test_end();
}
