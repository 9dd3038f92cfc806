/* SPDX-License-Identifier: Apache-2.0 */
#include "host/worker_poll.h"

#include <sched.h>
#include <time.h>

bool tf_worker_poll_may(const struct tf_worker_poll *p, uint64_t now_us)
{
    return p->most_us != 0 && p->short_waits >= TF_WORKER_POLL_ROUNDS &&
           now_us >= p->rest_until_us;
}

/* Another thread had the core, and will want it again. */
static void rest(struct tf_worker_poll *p, uint64_t now_us)
{
    bool was_short = now_us - p->rest_until_us < p->rest_us;

    if (!was_short) {
        p->rest_us = TF_WORKER_POLL_REST_US;
    } else if (p->rest_us < TF_WORKER_POLL_REST_MAX_US) {
        p->rest_us *= 2;
    }
    p->rest_until_us = now_us + p->rest_us;
}

bool tf_worker_poll_goes_on(struct tf_worker_poll *p, uint64_t start_us,
                            uint64_t before_us, uint64_t now_us)
{
    if (now_us - before_us >= TF_WORKER_POLL_LOST_US) {
        rest(p, now_us);
        return false;
    }
    return now_us - start_us < p->most_us;
}

void tf_worker_poll_note(struct tf_worker_poll *p, uint64_t waited_us, int ready)
{
    bool is_short = waited_us <= p->most_us && ready > 0 && ready <= TF_WORKER_POLL_READY;
    unsigned next = p->short_waits + (p->short_waits < TF_WORKER_POLL_ROUNDS);

    p->short_waits = is_short ? next : 0;
}

bool tf_worker_poll_gives_way(struct tf_worker_poll *p, int ready, uint64_t now_us)
{
    if (ready <= 0 || ready > TF_WORKER_POLL_READY || now_us < p->ways_from_us) {
        return false;
    }
    if (p->ways_left > 0) {
        p->ways_left--;
        return false;
    }
    return true;
}

void tf_worker_poll_gave_way(struct tf_worker_poll *p, bool has_gained,
                             uint64_t before_us, uint64_t now_us)
{
    p->ways_vain = has_gained ? 0 : p->ways_vain + 1;
    if (p->ways_vain >= TF_WORKER_POLL_WAYS) {
        p->ways_vain = TF_WORKER_POLL_WAYS;
        p->ways_left = TF_WORKER_POLL_WAYS - 1;
    }
    if (now_us - before_us < TF_WORKER_POLL_SLICE_US) {
        p->ways_rest_us /= has_gained ? 2 : 1; /* in vain: perhaps nobody was there */
        return;
    }
    p->ways_rest_us = 2 * p->ways_rest_us + TF_WORKER_POLL_WAYS_REST_US;
    if (p->ways_rest_us > TF_WORKER_POLL_REST_MAX_US) {
        p->ways_rest_us = TF_WORKER_POLL_REST_MAX_US;
    }
    p->ways_from_us = now_us + p->ways_rest_us;
}

void tf_worker_poll_restart(struct tf_worker_poll *p)
{
    p->short_waits = 0;
    p->ways_left = TF_WORKER_POLL_WAYS;
}

static uint64_t clock_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* @return what epoll_wait said last: 0 when it is time to sleep. */
static int ask(struct tf_worker_poll *p, int epoll, struct epoll_event *events, int cap,
               uint64_t start_us)
{
    uint64_t before_us = start_us;
    uint64_t now_us = start_us;
    int count = 0;
    do {
        before_us = now_us;
        count = epoll_wait(epoll, events, cap, 0);
        if (count == 0) {
            (void)sched_yield(); /* whoever else wants the core goes first */
        }
        now_us = clock_us();
    } while (count == 0 && tf_worker_poll_goes_on(p, start_us, before_us, now_us));
    p->asked_us += now_us - start_us;
    return count;
}

/* New connections and messages are taken at once: of several threads the one that gives
 * way would come out with none. */
static bool are_requests(const struct epoll_event *events, int ready)
{
    for (int i = 0; i < ready; i++) {
        if (events[i].data.u64 >= TF_WORKER_LISTEN_EVENT) {
            return false;
        }
    }
    return true;
}

/* It slept, and `ready` things woke it. @return how many there are after giving way. */
static int give_way(struct tf_worker_poll *p, int epoll, struct epoll_event *events,
                    int cap, int ready)
{
    uint64_t before_us = clock_us();
    if (!are_requests(events, ready) || !tf_worker_poll_gives_way(p, ready, before_us)) {
        return ready;
    }
    (void)sched_yield();
    int count = epoll_wait(epoll, events, cap, 0);
    tf_worker_poll_gave_way(p, count > ready, before_us, clock_us());
    return count;
}

int tf_worker_poll_wait(struct tf_worker_poll *p, int epoll, struct epoll_event *events,
                        int cap, int timeout_ms)
{
    if (timeout_ms == 0) {
        return epoll_wait(epoll, events, cap, timeout_ms);
    }
    uint64_t start_us = clock_us();
    int count =
        tf_worker_poll_may(p, start_us) ? ask(p, epoll, events, cap, start_us) : 0;
    if (count == 0) {
        count = epoll_wait(epoll, events, cap, timeout_ms);
        count = give_way(p, epoll, events, cap, count);
    }
    tf_worker_poll_note(p, clock_us() - start_us, count);
    return count;
}
