/* SPDX-License-Identifier: Apache-2.0 */
#include "host/loop.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

tf_err tf_loop_open(struct tf_loop *loop)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) {
        return TF_EIO;
    }
    *loop = (struct tf_loop){.epoll = epoll, .now = clock_ms()};
    return TF_OK;
}

void tf_loop_close(struct tf_loop *loop)
{
    (void)close(loop->epoll);
    loop->epoll = -1;
}

tf_err tf_loop_watch(struct tf_loop *loop, struct tf_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, watch->fd, &event) != 0) {
        return TF_EIO;
    }
    watch->is_watched = true;
    return TF_OK;
}

void tf_loop_change(struct tf_loop *loop, struct tf_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    (void)epoll_ctl(loop->epoll, EPOLL_CTL_MOD, watch->fd, &event);
}

void tf_loop_unwatch(struct tf_loop *loop, struct tf_watch *watch)
{
    if (watch->is_watched) {
        (void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
        watch->is_watched = false;
    }
}

void tf_loop_unset(struct tf_loop *loop, struct tf_timer *timer)
{
    for (struct tf_timer **at = &loop->timers; timer->is_set && *at != NULL;
         at = &(*at)->next) {
        if (*at == timer) {
            *at = timer->next;
            timer->is_set = false;
            return;
        }
    }
}

void tf_loop_set(struct tf_loop *loop, struct tf_timer *timer, uint64_t delay)
{
    tf_loop_unset(loop, timer);
    timer->at = loop->now + delay;
    timer->is_set = true;
    timer->next = loop->timers;
    loop->timers = timer;
}

static struct tf_timer *earliest(const struct tf_loop *loop)
{
    struct tf_timer *first = loop->timers;
    for (struct tf_timer *timer = first; timer != NULL; timer = timer->next) {
        if (timer->at < first->at) {
            first = timer;
        }
    }
    return first;
}

/* Fires what is due; the list may change under every call. */
static void fire_due(struct tf_loop *loop)
{
    struct tf_timer *timer = earliest(loop);
    while (timer != NULL && timer->at <= loop->now) {
        tf_loop_unset(loop, timer);
        timer->fire(timer->user);
        timer = earliest(loop);
    }
}

static int wait_ms(const struct tf_loop *loop)
{
    enum { LONGEST = 60 * 1000 };
    const struct tf_timer *timer = earliest(loop);
    if (timer == NULL) {
        return -1;
    }
    if (timer->at <= loop->now) {
        return 0;
    }
    return timer->at - loop->now < LONGEST ? (int)(timer->at - loop->now) : LONGEST;
}

tf_err tf_loop_run(struct tf_loop *loop)
{
    while (!loop->is_over) {
        /* One event at a time, so that a callback may free any other watch. */
        struct epoll_event event;
        loop->now = clock_ms();
        int count = epoll_wait(loop->epoll, &event, 1, wait_ms(loop));
        loop->now = clock_ms();
        if (count < 0 && errno != EINTR) {
            return TF_EIO;
        }
        if (count == 1) {
            struct tf_watch *watch = event.data.ptr;
            watch->ready(watch->user, event.events);
        }
        fire_due(loop);
    }
    return TF_OK;
}
