/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.h - tfaasd's single-threaded event loop over epoll: descriptors and timers that
 * call back. Watches and timers are embedded in their owner's struct and found back by
 * `user`. A callback may remove and free any watch or timer, its own included.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

struct tf_watch {
    int fd;
    void (*ready)(void *user, uint32_t events); /* EPOLLIN, ... */
    void *user;
    bool is_watched; /* the loop's */
};

struct tf_timer {
    uint64_t at; /* milliseconds of the loop's clock */
    bool is_set;
    void (*fire)(void *user);
    void *user;
    struct tf_timer *next;
};

struct tf_loop {
    int epoll;
    uint64_t now; /* milliseconds, monotonic, of this round */
    bool is_over;
    struct tf_timer *timers; /* those that are set, in no order: there are few */
};

/** @return TF_OK or TF_EIO. */
TF_MUST_USE tf_err tf_loop_open(struct tf_loop *loop);
void tf_loop_close(struct tf_loop *loop);

/** Watches watch->fd for `events` (epoll's; HUP and ERR always come). The descriptor
 * stays the caller's; remove the watch before closing it. */
TF_MUST_USE tf_err tf_loop_watch(struct tf_loop *loop, struct tf_watch *watch,
                                 uint32_t events);

/** Changes the events of a watch. */
void tf_loop_change(struct tf_loop *loop, struct tf_watch *watch, uint32_t events);

/** Stops watching; fine if it is not watched. */
void tf_loop_unwatch(struct tf_loop *loop, struct tf_watch *watch);

/** Sets or moves a timer to fire once, `delay` milliseconds from now. */
void tf_loop_set(struct tf_loop *loop, struct tf_timer *timer, uint64_t delay);

/** Unsets a timer; fine if it is not set. */
void tf_loop_unset(struct tf_loop *loop, struct tf_timer *timer);

/** Runs until is_over. @return TF_OK, or TF_EIO if epoll fails. */
TF_MUST_USE tf_err tf_loop_run(struct tf_loop *loop);
