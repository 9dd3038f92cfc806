/* SPDX-License-Identifier: Apache-2.0 */
#include "host/lend.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "host/gateway.h"
#include "host/roll.h"
#include "host/supervise.h"

enum {
    VOTES = 32,         /* for a worker to be lent the socket: */
    VOTES_LOST = 4,     /* by a connection for another, so it needs four fifths of them */
    STRANGERS_MAX = 16, /* handed back between two looks: not worth it */
    OVERLOOKED_MAX = 64,
    LOOK_MS = 100
};

bool tf_lend_is_holder(const struct tf_lend *lend, const struct tf_worker *worker)
{
    return lend->is_lent && lend->holder == worker;
}

/* Tells the holder how things are; later again if its links are full. */
static void tell(struct tf_lend *lend)
{
    int fd = lend->is_lent ? lend->listener->fd : -1;
    if (tf_supervise_lend(lend->holder, fd) == TF_OK && !lend->is_lent) {
        lend->holder = NULL;
    }
}

static void end(struct tf_lend *lend)
{
    lend->is_lent = false;
    lend->holder->told = 0;
    tf_loop_change(&lend->daemon->loop, lend->listener, EPOLLIN);
    tell(lend);
}

/* The holder may hang, or rest, and others wait behind it. */
static void take_overlooked(const struct tf_lend *lend)
{
    for (int i = 0; i < OVERLOOKED_MAX && lend->accept(lend->user); i++) {
    }
}

static void on_look(void *user)
{
    struct tf_lend *lend = user;
    lend->strangers = 0;
    if (lend->holder != NULL) {
        tell(lend);
    }
    if (lend->is_lent) {
        take_overlooked(lend);
    }
    if (lend->holder != NULL) {
        tf_loop_set(&lend->daemon->loop, &lend->look, LOOK_MS);
    }
}

static void begin(struct tf_lend *lend, struct tf_worker *worker)
{
    lend->holder = worker;
    lend->is_lent = true;
    lend->strangers = 0;
    worker->told = 0;
    worker->was_lent = true;
    tf_loop_change(&lend->daemon->loop, lend->listener, 0);
    tf_loop_set(&lend->daemon->loop, &lend->look, LOOK_MS);
    tell(lend);
}

void tf_lend_init(struct tf_lend *lend, struct tf_daemon *daemon,
                  struct tf_watch *listener, bool (*accept)(void *user), void *user)
{
    *lend = (struct tf_lend){.daemon = daemon,
                             .listener = listener,
                             .accept = accept,
                             .user = user,
                             .look = {.fire = on_look, .user = lend}};
}

/* V8's sandbox knows no accept; one that is rolled does not know its names. */
static bool may_have(const struct tf_worker *worker)
{
    return worker->state == TF_WORKER_SERVING && !worker->engine->is_native &&
           tf_supervise_is_current(worker) &&
           !tf_roll_holds(worker->daemon, worker->engine->name, worker->domain);
}

static void vote(struct tf_lend *lend, struct tf_worker *worker)
{
    if (worker == NULL || worker != lend->candidate) {
        bool is_out = lend->votes <= VOTES_LOST;
        lend->candidate = is_out ? worker : lend->candidate;
        lend->votes = is_out ? 1 : lend->votes - VOTES_LOST;
        return;
    }
    if (lend->votes < VOTES) {
        lend->votes++;
    }
    if (lend->votes == VOTES && lend->holder == NULL && may_have(worker)) {
        begin(lend, worker);
    }
}

void tf_lend_note(struct tf_lend *lend, struct tf_worker *worker)
{
    vote(lend, worker);
    if (lend->is_lent && worker != lend->holder) {
        lend->strangers++;
        if (lend->strangers > STRANGERS_MAX) {
            end(lend);
        }
    }
}

void tf_lend_take(const struct tf_worker *worker, int fd)
{
    if (fd >= 0 && worker->was_lent) {
        tf_gateway_take(worker->daemon->gateway, fd);
    } else if (fd >= 0) {
        (void)close(fd);
    }
}

void tf_lend_forget(struct tf_daemon *daemon)
{
    struct tf_lend *lend = tf_gateway_lend(daemon->gateway);
    if (lend != NULL && lend->holder != NULL) {
        lend->holder->told = 0;
        tell(lend);
    }
}

void tf_lend_leave(struct tf_worker *worker)
{
    struct tf_lend *lend = tf_gateway_lend(worker->daemon->gateway);
    if (lend != NULL && lend->holder == worker) {
        lend->votes = 0;
        end(lend);
    }
}
