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

static void who_was_woken_for_few_gives_way(void)
{
    struct tf_worker_poll p = {.most_us = MOST_US};
    CHECK(tf_worker_poll_gives_way(&p, 1, 0));
    CHECK(tf_worker_poll_gives_way(&p, TF_WORKER_POLL_READY, 0));
    CHECK(!tf_worker_poll_gives_way(&p, TF_WORKER_POLL_READY + 1, 0));
    CHECK(!tf_worker_poll_gives_way(&p, 0, 0));
    CHECK(!tf_worker_poll_gives_way(&p, -1, 0));
}

/* How many wake-ups there are until one gives way, with that one. */
static int wakes_until_it_gives_way(struct tf_worker_poll *p)
{
    int wakes = 1;
    while (wakes < 1000 && !tf_worker_poll_gives_way(p, 1, 0)) {
        wakes++;
    }
    return wakes;
}

static void in_vain_it_gives_way_seldom(void)
{
    struct tf_worker_poll p = {.most_us = MOST_US};
    for (int i = 0; i < TF_WORKER_POLL_WAYS; i++) {
        CHECK(wakes_until_it_gives_way(&p) == 1);
        tf_worker_poll_gave_way(&p, false, 0, 1);
    }
    for (int i = 0; i < 10; i++) {
        CHECK(wakes_until_it_gives_way(&p) == TF_WORKER_POLL_WAYS);
        tf_worker_poll_gave_way(&p, false, 0, 1);
    }
    CHECK(wakes_until_it_gives_way(&p) == TF_WORKER_POLL_WAYS);
    tf_worker_poll_gave_way(&p, true, 0, 1);
    CHECK(wakes_until_it_gives_way(&p) == 1);
}

static void handshakes_give_no_way(void)
{
    struct tf_worker_poll p = {.most_us = MOST_US};
    tf_worker_poll_restart(&p);
    CHECK(wakes_until_it_gives_way(&p) == TF_WORKER_POLL_WAYS + 1);
}

/* Gives way at `now`, and has the core back after a slice. @return its rest. */
static uint64_t lose_a_slice_at(struct tf_worker_poll *p, uint64_t now, bool has_gained)
{
    uint64_t back = now + TF_WORKER_POLL_SLICE_US;
    tf_worker_poll_gave_way(p, has_gained, now, back);
    CHECK(!tf_worker_poll_gives_way(p, 1, p->ways_from_us - 1));
    return p->ways_from_us - back;
}

static void who_computes_on_its_core_is_given_way_seldom(void)
{
    struct tf_worker_poll p = {.most_us = MOST_US};
    uint64_t rest = TF_WORKER_POLL_WAYS_REST_US;
    for (int i = 0; i < 10; i++) {
        CHECK(lose_a_slice_at(&p, 0, true) == rest);
        tf_worker_poll_gave_way(&p, false, 0, 1); /* says nothing: nobody was there */
        rest = 2 * rest + TF_WORKER_POLL_WAYS_REST_US;
    }
    for (int i = 0; i < 10; i++) {
        rest = lose_a_slice_at(&p, 0, false);
    }
    CHECK(rest == TF_WORKER_POLL_REST_MAX_US);
    for (int i = 0; i < 64; i++) {
        tf_worker_poll_gave_way(&p, true, 0, TF_WORKER_POLL_SLICE_US - 1);
    }
    CHECK(lose_a_slice_at(&p, 0, true) == TF_WORKER_POLL_WAYS_REST_US);
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

/* @return whether a wait that finds this ready gives way. */
static bool gives_way_for(uint64_t data)
{
    struct waiting w = wait_for_a_bell();
    struct epoll_event got = {.events = EPOLLIN, .data.u64 = data};
    uint64_t one = 1;
    CHECK(epoll_ctl(w.epoll, EPOLL_CTL_MOD, w.bell, &got) == 0);
    CHECK(write(w.bell, &one, sizeof(one)) == sizeof(one));
    w.poll = (struct tf_worker_poll){.most_us = 0};
    CHECK(tf_worker_poll_wait(&w.poll, w.epoll, &got, 1, -1) == 1);
    CHECK(got.data.u64 == data);
    end(&w);
    return w.poll.ways_vain > 0;
}

static void only_requests_wait_for_others(void)
{
    CHECK(gives_way_for(7));
    CHECK(!gives_way_for(TF_WORKER_LISTEN_EVENT));
    CHECK(!gives_way_for(TF_WORKER_QUOTE_EVENT));
    CHECK(!gives_way_for(TF_WORKER_LINK_EVENT));
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
    RUN(who_was_woken_for_few_gives_way);
    RUN(in_vain_it_gives_way_seldom);
    RUN(handshakes_give_no_way);
    RUN(who_computes_on_its_core_is_given_way_seldom);
    RUN(what_is_ready_comes_by_either_way);
    RUN(who_finds_nothing_sleeps_until_the_time_out);
    RUN(only_requests_wait_for_others);
    RUN(who_must_not_wait_only_looks);
    return test_end();
}
