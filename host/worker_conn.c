/* SPDX-License-Identifier: Apache-2.0 */
/* worker_conn.c - a worker's client connections: sockets and what they owe each other. */
#include "host/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/log.h"
#include "host/worker_ring.h"

static uint32_t slot_of(const struct tf_worker_thread *t, const struct tf_conn *conn)
{
    return (uint32_t)(conn - t->conns);
}

static uint64_t id_of(const struct tf_worker_thread *t, const struct tf_conn *conn)
{
    return (uint64_t)conn->generation << 32 | slot_of(t, conn);
}

void tf_conns_init(struct tf_worker_thread *t)
{
    for (uint32_t i = 0; i < TF_CONNS_MAX; i++) {
        t->conns[i].fd = -1;
        t->conns[i].next_free = i + 1;
    }
    t->first_free = 0;
}

/* Frames about connections always fit: whatever else is put leaves TF_WORKER_RESERVE. */
static void tell(struct tf_worker_thread *t, enum tf_msg type, uint64_t id,
                 const void *body, uint32_t size)
{
    struct tf_frame frame = {.type = (uint32_t)type, .size = size, .id = id};
    if (tf_worker_ring_put(&t->channel->in, frame, body, size, NULL) != TF_OK) {
        t->failed = TF_EINTERNAL;
    }
}

static void watch(struct tf_worker_thread *t, struct tf_conn *conn)
{
    uint32_t events = 0;
    if (conn->out_size > 0) {
        events |= EPOLLOUT;
    }
    bool is_slow =
        conn->out_size > TF_WORKER_OUT_HIGH; /* reads no answers: no more questions */
    if (!conn->is_eof && !is_slow && (!conn->is_ended || conn->is_shut)) {
        events |= EPOLLIN;
    }
    if (events == conn->events) {
        return;
    }
    struct epoll_event event = {.events = events, .data.u64 = id_of(t, conn)};
    if (epoll_ctl(t->epoll, EPOLL_CTL_MOD, conn->fd, &event) != 0) {
        t->failed = TF_EIO;
    }
    conn->events = events;
}

/* Closes the socket and frees the slot; the enclave is told unless it knows. */
static void drop(struct tf_worker_thread *t, struct tf_conn *conn)
{
    if (!conn->is_eof && !conn->is_ended) {
        tell(t, TF_MSG_CLOSE, id_of(t, conn), NULL, 0);
    }
    (void)close(conn->fd);
    free(conn->out);
    uint32_t generation = conn->generation + 1;
    memset(conn, 0, sizeof(*conn));
    conn->fd = -1;
    conn->generation = generation;
    conn->next_free = t->first_free;
    t->first_free = slot_of(t, conn);
    t->open_count--;
}

struct tf_conn *tf_conn_find(struct tf_worker_thread *t, uint64_t id)
{
    uint32_t slot = (uint32_t)id;
    if (slot >= TF_CONNS_MAX || t->conns[slot].fd < 0 ||
        t->conns[slot].generation != (uint32_t)(id >> 32)) {
        return NULL;
    }
    return &t->conns[slot];
}

/* Goes on with closing, once what the enclave gave is written. */
static void settle(struct tf_worker_thread *t, struct tf_conn *conn)
{
    if (conn->out_size > 0) {
        watch(t, conn);
        return;
    }
    if (conn->is_eof && (conn->is_ended || conn->is_consumed)) {
        drop(t, conn);
        return;
    }
    if (conn->is_ended && !conn->is_shut) {
        /* Closing with input unread would reset the connection and could take the last
         * response with it; so read on for a while (RFC 9112 9.6). */
        if (shutdown(conn->fd, SHUT_WR) != 0) {
            drop(t, conn); /* the peer has left already */
            return;
        }
        conn->is_shut = true;
        conn->active = t->now;
    }
    watch(t, conn);
}

/* Notes bytes that the socket took. Few are not worth a frame: the enclave lets a
 * connection have many more under way than are kept back here. */
static void note_written(struct tf_worker_thread *t, struct tf_conn *conn, size_t size)
{
    conn->unreported += size;
    conn->has_sent = true;
    conn->active = t->now;
    t->active_ms = t->now_ms;
    if (conn->unreported >= TF_WORKER_REPORT_SENT && !conn->is_eof && !conn->is_ended) {
        tell(t, TF_MSG_SENT, id_of(t, conn), &conn->unreported, sizeof(conn->unreported));
        conn->unreported = 0;
    }
}

/* Appends to the buffer of a connection. @return whether it fits. */
static bool keep(struct tf_conn *conn, const uint8_t *data, size_t size)
{
    if (size > TF_WORKER_OUT_MAX - conn->out_size) {
        return false;
    }
    if (conn->out_at + conn->out_size + size > conn->out_cap) {
        size_t cap = conn->out_size + size;
        cap = cap < 2 * conn->out_cap ? 2 * conn->out_cap : cap;
        uint8_t *more = malloc(cap);
        if (more == NULL) {
            return false;
        }
        if (conn->out_size > 0) {
            memcpy(more, conn->out + conn->out_at, conn->out_size);
        }
        free(conn->out);
        conn->out = more;
        conn->out_at = 0;
        conn->out_cap = cap;
    }
    memcpy(conn->out + conn->out_at + conn->out_size, data, size);
    conn->out_size += size;
    return true;
}

/* A piece or several; one alone costs the kernel less. */
static ssize_t send_once(int fd, struct iovec *pieces, int count)
{
    const int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
    return count == 1 ? send(fd, pieces->iov_base, pieces->iov_len, flags)
                      : sendmsg(fd, &message, flags);
}

static ssize_t receive_once(int fd, const struct iovec *pieces, int count)
{
    return count == 1 ? recv(fd, pieces->iov_base, pieces->iov_len, MSG_DONTWAIT)
                      : readv(fd, pieces, count);
}

/* One send. @return bytes taken, 0 if the socket is full, -1 if the peer is gone. */
static ssize_t send_pieces(const struct tf_conn *conn, struct iovec *pieces, int count)
{
    ssize_t sent = 0;
    do {
        sent = send_once(conn->fd, pieces, count);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
        return 0;
    }
    return sent;
}

/* Keeps what is behind the first `done` bytes of the pieces. @return whether it fits. */
static bool keep_rest(struct tf_conn *conn, const struct iovec *pieces, int count,
                      size_t done)
{
    for (int i = 0; i < count; i++) {
        size_t size = pieces[i].iov_len;
        size_t skip = done < size ? done : size;
        done -= skip;
        if (skip < size &&
            !keep(conn, (const uint8_t *)pieces[i].iov_base + skip, size - skip)) {
            return false;
        }
    }
    return true;
}

void tf_conn_write(struct tf_worker_thread *t, struct tf_conn *conn, struct iovec *pieces,
                   int count)
{
    ssize_t sent = 0;
    while (count > 1 && pieces[count - 1].iov_len == 0) {
        count--;
    }
    if (conn->out_size == 0) {
        sent = send_pieces(conn, pieces, count);
        if (sent < 0) {
            drop(t, conn);
            return;
        }
        note_written(t, conn, (size_t)sent);
    }
    if (keep_rest(conn, pieces, count, (size_t)sent)) {
        watch(t, conn);
        return;
    }
    if (tf_log_may(&t->log_limit, t->now_ms)) {
        tf_log("connection-dropped", "reason=slow-reader thread=%u", t->index);
    }
    drop(t, conn);
}

static void flush(struct tf_worker_thread *t, struct tf_conn *conn)
{
    struct iovec piece = {.iov_base = conn->out + conn->out_at,
                          .iov_len = conn->out_size};
    ssize_t sent = send_pieces(conn, &piece, 1);
    if (sent < 0) {
        drop(t, conn);
        return;
    }
    conn->out_at += (size_t)sent;
    conn->out_size -= (size_t)sent;
    note_written(t, conn, (size_t)sent);
    if (conn->out_size == 0) {
        free(conn->out);
        conn->out = NULL;
        conn->out_at = 0;
        conn->out_cap = 0;
    }
    settle(t, conn); /* watches for less, or closes */
}

static void end_of_input(struct tf_worker_thread *t, struct tf_conn *conn)
{
    if (!conn->is_ended) {
        if (t->leaving_count == TF_CONNS_MAX) {
            drop(t, conn);
            return;
        }
        tell(t, TF_MSG_CLOSE, id_of(t, conn), NULL, 0);
        t->leaving[t->leaving_count] = id_of(t, conn);
        t->leaving_count++;
    }
    conn->is_eof = true;
    settle(t, conn);
}

static void receive(struct tf_worker_thread *t, struct tf_conn *conn)
{
    struct iovec pieces[2] = {{.iov_base = t->payload, .iov_len = sizeof(t->payload)}};
    int count = 1;
    if (!conn->is_shut) {
        if (tf_worker_ring_free(&t->channel->in) <
            TF_WORKER_RESERVE + TF_WORKER_READ_MAX) {
            return; /* epoll is level-triggered: it comes back after the entry */
        }
        count = tf_worker_ring_reserve(&t->channel->in, TF_WORKER_READ_MAX, pieces);
    }
    ssize_t size = 0;
    do {
        size = receive_once(conn->fd, pieces, count);
    } while (size < 0 && errno == EINTR);
    if (size < 0 && errno == EAGAIN) {
        return;
    }
    if (size < 0) {
        drop(t, conn);
        return;
    }
    if (size == 0) {
        end_of_input(t, conn);
        return;
    }
    if (!conn->is_shut) {
        tf_worker_ring_commit(&t->channel->in, TF_MSG_DATA, id_of(t, conn), (size_t)size);
        conn->active = t->now;
        t->active_ms = t->now_ms;
        conn->is_settled = conn->is_settled || conn->has_sent;
    }
}

void tf_conn_open(struct tf_worker_thread *t, int fd)
{
    if (t->first_free == TF_CONNS_MAX) {
        if (tf_log_may(&t->log_limit, t->now_ms)) {
            tf_log("connection-refused", "reason=table-full thread=%u", t->index);
        }
        (void)close(fd);
        return;
    }
    struct tf_conn *conn = &t->conns[t->first_free];
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = id_of(t, conn)};
    if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        tf_log("connection-refused", "reason=epoll errno=%d thread=%u", errno, t->index);
        (void)close(fd);
        return;
    }
    t->first_free = conn->next_free;
    conn->fd = fd;
    conn->events = event.events;
    conn->opened = t->now;
    conn->active = t->now;
    t->open_count++;
    tf_worker_poll_restart(&t->poll);
    tell(t, TF_MSG_OPEN, id_of(t, conn), NULL, 0);
    receive(t, conn); /* tfaasd has seen the ClientHello: one entry takes both */
}

void tf_conn_event(struct tf_worker_thread *t, struct tf_conn *conn, uint32_t events)
{
    uint64_t id = id_of(t, conn);
    bool is_gone = (events & (EPOLLHUP | EPOLLERR)) != 0;
    if ((conn->events & EPOLLIN) != 0 && (is_gone || (events & EPOLLIN) != 0)) {
        receive(t, conn);
    } else if (is_gone) {
        drop(t, conn);
    }
    if (tf_conn_find(t, id) != NULL && conn->out_size > 0 && (events & EPOLLOUT) != 0) {
        flush(t, conn);
    }
}

void tf_conn_end(struct tf_worker_thread *t, struct tf_conn *conn)
{
    conn->is_ended = true;
    settle(t, conn);
}

void tf_conns_settle(struct tf_worker_thread *t)
{
    for (size_t i = 0; i < t->leaving_count; i++) {
        struct tf_conn *conn = tf_conn_find(t, t->leaving[i]);
        if (conn != NULL) {
            conn->is_consumed = true;
            settle(t, conn);
        }
    }
    t->leaving_count = 0;
}

void tf_conns_tick(struct tf_worker_thread *t)
{
    for (size_t i = 0; i < TF_CONNS_MAX && t->open_count > 0; i++) {
        struct tf_conn *conn = &t->conns[i];
        if (conn->fd < 0) {
            continue;
        }
        bool is_slow = !conn->is_settled && !conn->is_ended &&
                       t->now - conn->opened >= TF_WORKER_HANDSHAKE_SECONDS;
        bool is_lingering =
            conn->is_shut && t->now - conn->active >= TF_WORKER_LINGER_SECONDS;
        if (is_slow || is_lingering || t->now - conn->active >= t->idle_seconds) {
            drop(t, conn);
        }
    }
}

void tf_conns_wipe(struct tf_worker_thread *t)
{
    for (size_t i = 0; i < TF_CONNS_MAX; i++) {
        if (t->conns[i].fd >= 0) {
            (void)close(t->conns[i].fd);
            free(t->conns[i].out);
            t->conns[i].fd = -1;
        }
    }
    t->open_count = 0;
}
