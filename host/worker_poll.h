/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker_poll.h - a thread of tfaas-worker waits for what its epoll reports. To sleep and
 * be woken costs the client tens of microseconds; so a thread whose waits were short of
 * late asks for a while before it sleeps (as KVM's halt_poll_ns does for a processor).
 * Whether it does is a rule over its last waits, with the time passed in: a thread that
 * waits long, gets several things at once (then a sleep gathers more for one entry), has
 * a new connection, or shares its core with others that want it, sleeps at once.
 * One that did sleep and is woken gives way once: a client on the same core that was
 * stopped in the midst of its sending then sends the rest, for the same entry.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

enum {
    TF_WORKER_POLL_ROUNDS = 8, /* waits in a row that have to be short before it asks */
    TF_WORKER_POLL_READY = 2,  /* things that may be ready at the end of a short wait */
    /* Between two questions: another thread had the core. It is left to that for REST,
     * and for twice as long as the last time if it is lost again within that time. */
    TF_WORKER_POLL_LOST_US = 500,
    TF_WORKER_POLL_REST_US = 100 * 1000,
    TF_WORKER_POLL_REST_MAX_US = 128 * TF_WORKER_POLL_REST_US,
    /* Giving way: after so many times in vain in a row only every so many wake-ups, and
     * none of so many after a new connection. Who lost the core for a slice, to one that
     * computes, does not for REST, then twice as long; half as long after a gain. */
    TF_WORKER_POLL_WAYS = 16,
    TF_WORKER_POLL_SLICE_US = 1500,
    TF_WORKER_POLL_WAYS_REST_US = 1000
};

/* In epoll's data; connections have their id, which is smaller. */
static const uint64_t TF_WORKER_LINK_EVENT = UINT64_MAX;
static const uint64_t TF_WORKER_QUOTE_EVENT = UINT64_MAX - 1;
static const uint64_t TF_WORKER_LISTEN_EVENT = UINT64_MAX - 2;

struct tf_worker_poll {
    uint64_t most_us; /* of asking before one sleep, and of a short wait; 0: never */
    uint64_t rest_until_us; /* monotonic: no asking before */
    uint64_t rest_us;       /* how long the last rest was; 0: there was none */
    uint64_t asked_us;      /* spent on it so far */
    unsigned short_waits;   /* in a row */
    unsigned ways_vain;     /* gave way for nothing, in a row; WAYS at most */
    unsigned ways_left;     /* wake-ups until it does again */
    uint64_t ways_rest_us;  /* after the last one that lost the core */
    uint64_t ways_from_us;  /* monotonic: when that ends */
};

/** Whether a thread with nothing to do asks before it sleeps. */
bool tf_worker_poll_may(const struct tf_worker_poll *p, uint64_t now_us);

/** Whether one that asks since `start_us`, last at `before_us`, asks again. */
bool tf_worker_poll_goes_on(struct tf_worker_poll *p, uint64_t start_us,
                            uint64_t before_us, uint64_t now_us);

/** Notes a wait, asking and sleeping together, and how many things it ended with. */
void tf_worker_poll_note(struct tf_worker_poll *p, uint64_t waited_us, int ready);

/** Whether a thread that slept and was woken for `ready` things gives way before it takes
 * them. Counts wake-ups: to be asked once for each. */
bool tf_worker_poll_gives_way(struct tf_worker_poll *p, int ready, uint64_t now_us);

/** Notes whether more was there afterwards, and since when others had the core. */
void tf_worker_poll_gave_way(struct tf_worker_poll *p, bool has_gained,
                             uint64_t before_us, uint64_t now_us);

/** A new connection: handshakes pause for the peer's computing, which is long. */
void tf_worker_poll_restart(struct tf_worker_poll *p);

/** As epoll_wait, by that rule. `p` is zeroed but for most_us at first. */
int tf_worker_poll_wait(struct tf_worker_poll *p, int epoll, struct epoll_event *events,
                        int cap, int timeout_ms);
