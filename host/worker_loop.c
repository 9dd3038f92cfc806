/* SPDX-License-Identifier: Apache-2.0 */
/* worker_loop.c - the round of a thread: gather, enter the enclave, carry out. */
#include "host/worker.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "host/log.h"
#include "host/worker_ring.h"
#include "lib/cpu_sgx.h"

enum {
    EVENTS_PER_ROUND = 256,
    GATHER_MAX = 16, /* DATA frames of one connection that go out with one system call */
    STEP_MS = 50     /* of waiting for what nothing reports */
};

uint64_t tf_worker_clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void set_clock(struct tf_worker_thread *t)
{
    t->now_ms = tf_worker_clock_ms();
    t->now = t->now_ms / 1000;
}

static uint64_t wall_clock_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

tf_err tf_worker_init(struct tf_worker_thread *t, struct tf_enclave *enclave,
                      unsigned index, int link)
{
    t->enclave = enclave;
    t->index = index;
    t->link = link;
    tf_conns_init(t);
    tf_worker_listen_init(t);
    void *memory = mmap(NULL, sizeof(struct tf_channel), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return TF_ENOMEM;
    }
    t->channel = memory;
    t->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = TF_WORKER_LINK_EVENT};
    if (t->epoll < 0 || epoll_ctl(t->epoll, EPOLL_CTL_ADD, link, &event) != 0) {
        tf_worker_wipe(t);
        return TF_EIO;
    }
    return TF_OK;
}

void tf_worker_wipe(struct tf_worker_thread *t)
{
    tf_conns_wipe(t);
    tf_worker_listen_wipe(t);
    for (size_t i = 0; i < t->transfer_count; i++) {
        (void)close(t->transfers[i].fd);
    }
    t->transfer_count = 0;
    if (t->epoll >= 0) {
        (void)close(t->epoll);
        t->epoll = -1;
    }
    if (t->channel != NULL) {
        (void)munmap(t->channel, sizeof(struct tf_channel));
        t->channel = NULL;
    }
}

/* Writes the run of DATA frames of one connection that starts at `at`.
 * @return the position after it. */
static tf_err write_run(struct tf_worker_thread *t, uint64_t *at)
{
    struct iovec pieces[2 * GATHER_MAX];
    struct tf_frame first;
    struct tf_frame frame;
    uint64_t next = 0;
    tf_err err = tf_worker_ring_look(&t->channel->out, *at, &first, pieces, &next);
    int count = 0;
    for (frame = first; err == TF_OK && count < GATHER_MAX; count++) {
        if (frame.type != TF_MSG_DATA || frame.id != first.id) {
            break;
        }
        *at = next;
        if (count + 1 < GATHER_MAX) {
            err = tf_worker_ring_look(&t->channel->out, *at, &frame,
                                      pieces + 2 * (size_t)(count + 1), &next);
        }
    }
    struct tf_conn *conn = tf_conn_find(t, first.id);
    if (conn != NULL && !conn->is_ended && (err == TF_OK || err == TF_AGAIN)) {
        tf_conn_write(t, conn, pieces, 2 * count);
    }
    return err == TF_AGAIN ? TF_OK : err;
}

/* Carries out a frame other than DATA; its payload is in t->payload. */
static tf_err obey(struct tf_worker_thread *t, const struct tf_frame *frame)
{
    struct tf_conn *conn = NULL;
    switch (frame->type) {
    case TF_MSG_CLOSE:
        conn = tf_conn_find(t, frame->id);
        if (conn != NULL) {
            tf_conn_end(t, conn);
        }
        return TF_OK;
    case TF_MSG_WANT:
        tf_worker_link_want(t, frame);
        return TF_OK;
    case TF_MSG_EVENT:
        if (tf_worker_link_loaded(t, frame)) {
            return TF_OK;
        }
        tf_worker_link_forward(t, frame, t->payload);
        return TF_OK;
    case TF_MSG_RESULT:
    case TF_MSG_SEALED:
    case TF_MSG_REVOKED:
        tf_worker_link_forward(t, frame, t->payload);
        return TF_OK;
    case TF_MSG_REPORT:
        return tf_worker_quote_ask(t, frame->id, frame->size);
    default:
        return TF_EFORMAT;
    }
}

/* Carries out what the enclave wrote, until `in` has no room for an answer. */
static tf_err drain(struct tf_worker_thread *t)
{
    struct tf_ring *out = &t->channel->out;
    while (tf_worker_ring_free(&t->channel->in) >= TF_WORKER_RESERVE) {
        struct tf_frame frame;
        struct iovec pieces[2];
        uint64_t next = 0;
        tf_err err = tf_worker_ring_look(out, out->tail, &frame, pieces, &next);
        if (err == TF_AGAIN) {
            return TF_OK;
        }
        if (err == TF_OK && frame.type == TF_MSG_DATA) {
            err = write_run(t, &out->tail);
        } else if (err == TF_OK) {
            memcpy(t->payload, pieces[0].iov_base, pieces[0].iov_len);
            memcpy(t->payload + pieces[0].iov_len, pieces[1].iov_base, pieces[1].iov_len);
            err = obey(t, &frame);
            out->tail = next;
        }
        if (err != TF_OK) {
            return err;
        }
    }
    return TF_OK;
}

/* One entry and what follows from it. */
static tf_err enter(struct tf_worker_thread *t)
{
    struct tf_enclave_exit result = {.exit = TF_EXIT_DEAD, .err = TF_EINTERNAL};
    t->entries++;
    tf_enclave_enter(t->enclave, t->index, t->channel, wall_clock_ns(), &result);
    bool is_idle = result.exit == TF_EXIT_IDLE;
    if (!is_idle && result.exit != TF_EXIT_MORE) {
        tf_log("enclave-dead", "error=%s thread=%u", tf_err_name(result.err), t->index);
        return result.err == TF_OK ? TF_EINTERNAL : result.err;
    }
    if (is_idle && !tf_worker_ring_is_empty(&t->channel->in)) {
        tf_log("enclave-left-input", "thread=%u", t->index);
        return TF_EFORMAT;
    }
    tf_err err = drain(t);
    if (err != TF_OK) {
        tf_log("enclave-bad-output", "error=%s thread=%u", tf_err_name(err), t->index);
        return err;
    }
    bool has_rest = !tf_worker_ring_is_empty(&t->channel->out);
    if (tf_worker_ring_is_empty(&t->channel->in) && !has_rest) {
        tf_conns_settle(t); /* also with MORE: lambdas may compute for a long time */
    }
    t->has_more = !is_idle || has_rest;
    return t->failed;
}

/* Whether the enclave has had the time for what it puts off while there is traffic. */
static bool is_settled(const struct tf_worker_thread *t)
{
    return t->now_ms - t->active_ms >= TF_WORKER_SETTLE_MS;
}

static int wait_ms(const struct tf_worker_thread *t)
{
    if (t->has_more || t->transfer_count > 0 ||
        !tf_worker_ring_is_empty(&t->channel->in)) {
        return 0;
    }
    if (t->is_draining || tf_worker_listen_rests(t)) {
        return STEP_MS;
    }
    return t->open_count > 0 || !is_settled(t) ? 1000 : -1;
}

static void lose_link(struct tf_worker_thread *t)
{
    (void)epoll_ctl(t->epoll, EPOLL_CTL_DEL, t->link, NULL);
    tf_worker_listen_set(t, -1);
    t->is_draining = true;
    t->drain_ms = tf_worker_clock_ms();
}

/* One of `count` events. */
static void handle(struct tf_worker_thread *t, const struct epoll_event *event, int count)
{
    if (event->data.u64 == TF_WORKER_LINK_EVENT) {
        if (tf_worker_link_read(t) != TF_OK) {
            lose_link(t);
        }
        return;
    }
    if (event->data.u64 == TF_WORKER_LISTEN_EVENT) {
        tf_worker_listen_ready(t, count);
        return;
    }
    if (event->data.u64 == TF_WORKER_QUOTE_EVENT) {
        t->has_quotes = true;
        return;
    }
    struct tf_conn *conn = tf_conn_find(t, event->data.u64);
    if (conn != NULL) {
        tf_conn_event(t, conn, event->events);
    }
}

/* Waits, then turns what is ready into frames. */
static tf_err gather(struct tf_worker_thread *t)
{
    struct epoll_event events[EVENTS_PER_ROUND];
    int count =
        tf_worker_poll_wait(&t->poll, t->epoll, events, EVENTS_PER_ROUND, wait_ms(t));
    if (count < 0) {
        return errno == EINTR ? TF_OK : TF_EIO;
    }
    uint64_t before = t->now;
    set_clock(t);
    for (int i = 0; i < count; i++) {
        handle(t, &events[i], count);
    }
    if (t->now != before) {
        tf_conns_tick(t);
        t->has_more = t->has_more || !is_settled(t);
    }
    tf_worker_link_pump(t);
    tf_worker_quote_pump(t);
    tf_worker_listen_pump(t);
    return t->failed;
}

/* Whether a thread that lost its link has answered what it can. */
static bool is_over(const struct tf_worker_thread *t)
{
    if (!t->is_draining) {
        return false;
    }
    uint64_t now = tf_worker_clock_ms();
    return t->open_count == 0 || now - t->drain_ms >= TF_WORKER_DRAIN_MS ||
           now - t->active_ms >= TF_WORKER_QUIET_MS;
}

static tf_err put_init(struct tf_worker_thread *t, const char *descriptor, size_t size)
{
    struct tf_msg_init init = {.thread = t->index,
                               .descriptor_size = (uint32_t)size,
                               .memory = t->memory / 4 * 3 / t->threads,
                               .shelf = t->memory / 4,
                               .insecure_processor =
                                   tf_cpu_processor(tf_cpuid_own, NULL)};
    struct sgx_target_info target;
    t->target = tf_quoter_target(t->quoter, &target);
    memcpy(init.target_info, &target, sizeof(init.target_info));
    struct tf_frame frame = {.type = TF_MSG_INIT,
                             .size = (uint32_t)(sizeof(init) + size)};
    return tf_worker_ring_put(&t->channel->in, frame, &init, sizeof(init), descriptor);
}

tf_err tf_worker_run(struct tf_worker_thread *t, const char *descriptor,
                     size_t descriptor_size)
{
    tf_err err = put_init(t, descriptor, descriptor_size);
    if (err == TF_OK) {
        set_clock(t);
        err = enter(t);
    }
    if (err == TF_OK && t->index == 0) {
        tf_worker_link_ready(t);
    }
    while (err == TF_OK && !is_over(t)) {
        err = gather(t);
        if (err == TF_OK && (t->has_more || !tf_worker_ring_is_empty(&t->channel->in))) {
            err = enter(t);
        }
    }
    return err;
}
