/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lend.h - tfaasd lends its listening socket to the worker that most connections are for,
 * which then accepts them itself: they never pass through tfaasd. What the worker does
 * not know to be its own it hands back (TF_LINK_CONN), and the gateway routes it as ever.
 * Who accepts changes nothing for trust: both are the host. doc/adr/0015 says why.
 */
#pragma once

#include <stdbool.h>

#include "host/daemon.h"

struct tf_lend {
    struct tf_daemon *daemon;
    struct tf_watch *listener;  /* borrowed: of the gateway */
    bool (*accept)(void *user); /* the gateway takes one; whether there was one */
    void *user;                 /* its */
    struct tf_worker *holder;   /* lent to, or not yet told that it is over; or NULL */
    bool is_lent;               /* the holder accepts */
    const struct tf_worker *candidate; /* for whom most of the last connections were */
    unsigned votes;
    unsigned strangers; /* handed back, for another, since the last look */
    struct tf_timer look;
};

/** Nothing is lent yet. All is kept.
 *  @param accept  takes one connection itself; returns whether there was one. */
void tf_lend_init(struct tf_lend *lend, struct tf_daemon *daemon,
                  struct tf_watch *listener, bool (*accept)(void *user), void *user);

/** Whether connections with its name that are passed to this worker are its own. */
bool tf_lend_is_holder(const struct tf_lend *lend, const struct tf_worker *worker);

/** A connection was passed to this worker; NULL: was refused. */
void tf_lend_note(struct tf_lend *lend, struct tf_worker *worker);

/** Takes the connection that the worker has handed back; -1: it was lost. From one that
 * was never lent the socket it is none of ours, and closed: a native one must not come to
 * more of us than its own lambdas. */
void tf_lend_take(const struct tf_worker *worker, int fd);

/** A name may lead elsewhere now, or nowhere. */
void tf_lend_forget(struct tf_daemon *daemon);

/** The worker ends, or nothing leads to it any more. */
void tf_lend_leave(struct tf_worker *worker);
