/* SPDX-License-Identifier: Apache-2.0 */
#include "host/worker_poll.h"

#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "test/test.h"

enum { MOST_US = 100 };

/* A thread that has had `rounds` waits of 20 us, each for one thing. */
static struct tf_worker_poll after(int rounds)
{
    struct tf_worker_poll p = {.most_us = MOST_US};
    for (int i = 0; i < rounds; i++) {
        tf_worker_poll_note(&p, 20, 1);
    }
    return p;
}

static void only_short_waits_in_a_row_make_it_ask(void)
{
    struct tf_worker_poll p = after(TF_WORKER_POLL_ROUNDS - 1);
    CHECK(!tf_worker_poll_may(&p, 0));
    tf_worker_poll_note(&p, MOST_US, TF_WORKER_POLL_READY);
    CHECK(tf_worker_poll_may(&p, 0));
    for (int i = 0; i < 1000; i++) {
        tf_worker_poll_note(&p, 20, 1);
    }
    CHECK(tf_worker_poll_may(&p, 0));
}

static void one_long_wait_ends_it(void)
{
    struct tf_worker_poll p = after(100);
    tf_worker_poll_note(&p, MOST_US + 1, 1);
    CHECK(!tf_worker_poll_may(&p, 0));
    for (int i = 0; i < TF_WORKER_POLL_ROUNDS - 1; i++) {
        tf_worker_poll_note(&p, 20, 1);
        CHECK(!tf_worker_poll_may(&p, 0));
    }
    tf_worker_poll_note(&p, 20, 1);
    CHECK(tf_worker_poll_may(&p, 0));
}

/* A request each millisecond: it has never asked, so it has cost nothing. */
static void a_slow_service_never_asks(void)
{
    struct tf_worker_poll p = {.most_us = MOST_US};
    for (uint64_t now = 0; now < 1000000; now += 1000) {
        CHECK(!tf_worker_poll_may(&p, now));
        tf_worker_poll_note(&p, 980, 1);
    }
}

static void several_things_at_once_end_it(void)
{
    struct tf_worker_poll p = after(100);
    tf_worker_poll_note(&p, 20, TF_WORKER_POLL_READY + 1);
    CHECK(!tf_worker_poll_may(&p, 0));
}

/* Nothing came within the time-out, or a signal did. */
static void a_wait_for_nothing_ends_it(void)
{
    struct tf_worker_poll p = after(100);
    tf_worker_poll_note(&p, 20, 0);
    CHECK(!tf_worker_poll_may(&p, 0));
    p = after(100);
    tf_worker_poll_note(&p, 20, -1);
    CHECK(!tf_worker_poll_may(&p, 0));
}

static void a_new_connection_ends_it(void)
{
    struct tf_worker_poll p = after(100);
    tf_worker_poll_restart(&p);
    CHECK(!tf_worker_poll_may(&p, 0));
}

static void zero_switches_it_off(void)
{
    struct tf_worker_poll p = {.most_us = 0};
    for (int i = 0; i < 100; i++) {
        tf_worker_poll_note(&p, 0, 1);
        CHECK(!tf_worker_poll_may(&p, 0));
    }
}

static void it_asks_for_so_long_and_no_longer(void)
{
    struct tf_worker_poll p = after(100);
    CHECK(tf_worker_poll_goes_on(&p, 1000, 1000, 1001));
    CHECK(tf_worker_poll_goes_on(&p, 1000, 1098, 1000 + MOST_US - 1));
    CHECK(!tf_worker_poll_goes_on(&p, 1000, 1099, 1000 + MOST_US));
    CHECK(tf_worker_poll_may(&p, 1000 + MOST_US));
}

static void who_lost_the_core_leaves_it_to_others(void)
{
    struct tf_worker_poll p = after(100);
    uint64_t back = 1010 + TF_WORKER_POLL_LOST_US;
    CHECK(!tf_worker_poll_goes_on(&p, 1000, 1010, back));
    CHECK(!tf_worker_poll_may(&p, back));
    CHECK(!tf_worker_poll_may(&p, back + TF_WORKER_POLL_REST_US - 1));
    CHECK(tf_worker_poll_may(&p, back + TF_WORKER_POLL_REST_US));
}

static uint64_t lose_at(struct tf_worker_poll *p, uint64_t now)
{
    CHECK(!tf_worker_poll_goes_on(p, now - 1000, now - 1000, now));
    return p->rest_until_us - now;
}

static void a_core_that_others_want_is_left_for_longer_each_time(void)
{
    struct tf_worker_poll p = after(100);
    uint64_t now = 5000000;
    uint64_t rest = TF_WORKER_POLL_REST_US;
    for (int i = 0; i < 20; i++) {
        CHECK(lose_at(&p, now) == rest);
        now += rest + 1000;
        rest = rest < TF_WORKER_POLL_REST_MAX_US ? 2 * rest : rest;
    }
    /* It had the core to itself for as long as it had rested: that is forgotten. */
    now += TF_WORKER_POLL_REST_MAX_US;
    CHECK(lose_at(&p, now) == TF_WORKER_POLL_REST_US);
}

/* The kernel's epoll in place of the pure rule. */
struct waiting {
    struct tf_worker_poll poll;
    int epoll;
    int bell;
};

static struct waiting wait_for_a_bell(void)
{
    struct waiting w = {.poll = after(100), .epoll = epoll_create1(EPOLL_CLOEXEC)};
    w.bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 7};
    CHECK(epoll_ctl(w.epoll, EPOLL_CTL_ADD, w.bell, &event) == 0);
    return w;
}

static void end(const struct waiting *w)
{
    (void)close(w->epoll);
    (void)close(w->bell);
}

static void what_is_ready_comes_by_either_way(void)
{
    for (uint64_t most = 0; most <= 1000; most += 1000) {
        struct waiting w = wait_for_a_bell();
        struct epoll_event got = {.events = 0};
        uint64_t one = 1;
        w.poll.most_us = most;
        CHECK(write(w.bell, &one, sizeof(one)) == sizeof(one));
        CHECK(tf_worker_poll_wait(&w.poll, w.epoll, &got, 1, -1) == 1);
        CHECK(got.data.u64 == 7);
        end(&w);
    }
}

static void who_finds_nothing_sleeps_until_the_time_out(void)
{
    struct waiting w = wait_for_a_bell();
    struct epoll_event got = {.events = 0};
    CHECK(tf_worker_poll_wait(&w.poll, w.epoll, &got, 1, 10) == 0);
    CHECK(w.poll.asked_us > 0); /* it did ask, */
    uint64_t asked_us = w.poll.asked_us;
    CHECK(tf_worker_poll_wait(&w.poll, w.epoll, &got, 1, 10) == 0);
    CHECK(w.poll.asked_us == asked_us); /* and does no more */
    end(&w);
}

static void who_must_not_wait_only_looks(void)
{
    struct waiting w = wait_for_a_bell();
    struct epoll_event got = {.events = 0};
    CHECK(tf_worker_poll_wait(&w.poll, w.epoll, &got, 1, 0) == 0);
    CHECK(w.poll.asked_us == 0);
    CHECK(tf_worker_poll_may(&w.poll, 0)); /* nor was that a wait */
    end(&w);
}

int main(void)
{
    RUN(only_short_waits_in_a_row_make_it_ask);
    RUN(one_long_wait_ends_it);
    RUN(a_slow_service_never_asks);
    RUN(several_things_at_once_end_it);
    RUN(a_wait_for_nothing_ends_it);
    RUN(a_new_connection_ends_it);
    RUN(zero_switches_it_off);
    RUN(it_asks_for_so_long_and_no_longer);
    RUN(who_lost_the_core_leaves_it_to_others);
    RUN(a_core_that_others_want_is_left_for_longer_each_time);
    RUN(what_is_ready_comes_by_either_way);
    RUN(who_finds_nothing_sleeps_until_the_time_out);
    RUN(who_must_not_wait_only_looks);
    return test_end();
}
