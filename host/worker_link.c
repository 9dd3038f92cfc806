/* SPDX-License-Identifier: Apache-2.0 */
/* worker_link.c - a worker's link to tfaasd: sockets, bundles, questions, answers. */
#include "host/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/log.h"
#include "host/worker_ring.h"
#include "lib/ustar.h"

enum { MESSAGES_PER_ROUND = 64, SEND_WAIT_MS = 1000, CHUNK = 32 << 10, OWN_MAX = 512 };

static uint64_t clock_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Sends, waiting a bounded time for tfaasd, which reads its links before all else. */
static void send_to_daemon(struct tf_worker_thread *t, struct tf_link_head head,
                           const void *body)
{
    tf_err err = tf_link_send(t->link, &head, body, -1);
    if (err == TF_AGAIN) {
        struct pollfd ready = {.fd = t->link, .events = POLLOUT};
        (void)poll(&ready, 1, SEND_WAIT_MS);
        err = tf_link_send(t->link, &head, body, -1);
    }
    if (err != TF_OK && !t->is_draining) {
        tf_log("link-send-failed", "type=%u error=%s thread=%u", head.type,
               tf_err_name(err), t->index);
    }
}

static void refuse(struct tf_worker_thread *t, uint64_t id, tf_err err)
{
    struct tf_msg_result result = {.err = (uint32_t)err};
    struct tf_link_head head = {.type = TF_LINK_RESULT, .size = sizeof(result), .id = id};
    send_to_daemon(t, head, &result);
}

void tf_worker_link_ready(struct tf_worker_thread *t)
{
    struct tf_link_ready ready = {.threads = t->threads,
                                  .is_simulated = tf_enclave_is_simulated(t->enclave)};
    tf_enclave_identity(t->enclave, ready.mrenclave, ready.mrsigner);
    struct tf_link_head head = {.type = TF_LINK_READY, .size = sizeof(ready)};
    send_to_daemon(t, head, &ready);
}

/* The file does not go in; closes it. Who wants a bundle must hear that there is none. */
static void refuse_transfer(struct tf_worker_thread *t, uint64_t id,
                            enum tf_blob_kind kind, int fd, tf_err err)
{
    const struct tf_msg_blob none = {.kind = TF_BLOB_WANTED};
    const struct tf_frame frame = {.type = TF_MSG_BLOB, .size = sizeof(none), .id = id};
    if (fd >= 0) {
        (void)close(fd);
    }
    if (kind != TF_BLOB_WANTED ||
        tf_worker_ring_put(&t->channel->in, frame, &none, sizeof(none), NULL) != TF_OK) {
        refuse(t, id, err);
    }
}

/* Queues a file for the enclave; takes the descriptor. */
static void queue(struct tf_worker_thread *t, uint64_t id, enum tf_blob_kind kind, int fd)
{
    static const off_t most[] = {[TF_BLOB_BUNDLE] = TF_BUNDLE_MAX,
                                 [TF_BLOB_GRANT] = TF_SEALED_MAX,
                                 [TF_BLOB_REVOCATIONS] = TF_REVOCATIONS_ENVELOPE_MAX,
                                 [TF_BLOB_WANTED] = TF_BUNDLE_MAX};
    tf_err err = TF_OK;
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END); /* fstat would let paths in */
    if (size < 0) {
        err = TF_EIO;
    } else if (size == 0 || size > most[kind] ||
               t->transfer_count == TF_WORKER_TRANSFERS_MAX) {
        err = TF_ELIMIT;
    }
    if (err != TF_OK) {
        refuse_transfer(t, id, kind, fd, err);
        return;
    }
    t->transfers[t->transfer_count] = (struct tf_transfer){
        .id = id, .kind = (uint32_t)kind, .fd = fd, .total = (uint64_t)size};
    t->transfer_count++;
}

/* Queues a bundle's first entry alone. */
static void queue_envelope(struct tf_worker_thread *t, const struct tf_link_head *head,
                           int fd)
{
    t->payload[head->size] = '\0';
    uint64_t size = strtoull((const char *)t->payload, NULL, 10);
    if (fd < 0 || size == 0 || size > TF_ENVELOPE_MAX ||
        t->transfer_count == TF_WORKER_TRANSFERS_MAX) {
        refuse_transfer(t, head->id, TF_BLOB_ENVELOPE, fd, TF_ELIMIT);
        return;
    }
    t->transfers[t->transfer_count] = (struct tf_transfer){.id = head->id,
                                                           .kind = TF_BLOB_ENVELOPE,
                                                           .fd = fd,
                                                           .base = TF_USTAR_BLOCK,
                                                           .total = size};
    t->transfer_count++;
}

static void pass_on(struct tf_worker_thread *t, enum tf_msg type,
                    const struct tf_link_head *head)
{
    struct tf_frame frame = {.type = (uint32_t)type, .size = head->size, .id = head->id};
    if (tf_worker_ring_put(&t->channel->in, frame, t->payload, head->size, NULL) !=
        TF_OK) {
        refuse(t, head->id, TF_AGAIN);
    }
}

/* The question in the enclave's terms: a number, not text. */
static void ask_stats(struct tf_worker_thread *t, const struct tf_link_head *head)
{
    struct tf_link_head question = *head;
    if (head->size != 0) {
        t->payload[head->size] = '\0';
        uint64_t from = strtoull((const char *)t->payload, NULL, 10);
        memcpy(t->payload, &from, sizeof(from));
        question.size = sizeof(from);
    }
    t->stats_id = head->id;
    pass_on(t, TF_MSG_STATS, &question);
}

static void handle(struct tf_worker_thread *t, const struct tf_link_head *head, int fd)
{
    switch (head->type) {
    case TF_LINK_CONN:
        tf_worker_listen_learn(t, (const char *)t->payload, head->size);
        if (fd >= 0) {
            tf_conn_open(t, fd);
        }
        return;
    case TF_LINK_LISTEN:
        tf_worker_listen_set(t, fd);
        return;
    case TF_LINK_BUNDLE:
        queue(t, head->id, TF_BLOB_BUNDLE, fd);
        return;
    case TF_LINK_GRANT:
        queue(t, head->id, TF_BLOB_GRANT, fd);
        return;
    case TF_LINK_REVOCATIONS:
        queue(t, head->id, TF_BLOB_REVOCATIONS, fd);
        return;
    case TF_LINK_WANTED:
        queue(t, head->id, TF_BLOB_WANTED, fd);
        return;
    case TF_LINK_INTRODUCE:
        queue_envelope(t, head, fd);
        return;
    case TF_LINK_DROP:
        pass_on(t, TF_MSG_DROP, head);
        break;
    case TF_LINK_STATS:
        ask_stats(t, head);
        break;
    default:
        tf_log("link-unknown-message", "type=%u", head->type);
        break;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

tf_err tf_worker_link_read(struct tf_worker_thread *t)
{
    for (int i = 0; i < MESSAGES_PER_ROUND; i++) {
        if (tf_worker_ring_free(&t->channel->in) < TF_WORKER_RESERVE + TF_LINK_MAX) {
            return TF_OK; /* level-triggered: it comes back after the entry */
        }
        struct tf_link_head head;
        int fd = -1;
        tf_err err = tf_link_receive(t->link, &head, t->payload, &fd);
        if (err == TF_AGAIN) {
            return TF_OK;
        }
        if (err == TF_EIO) {
            return TF_EIO;
        }
        if (err == TF_OK) {
            handle(t, &head, fd);
        }
    }
    return TF_OK;
}

/* A file that ended before its end, or does not let itself be read: the enclave will only
 * say that what it got is bad. */
static void tell_cut(struct tf_worker_thread *t, const struct tf_transfer *x, int cause)
{
    static const char *const names[] = {[TF_BLOB_BUNDLE] = "bundle",
                                        [TF_BLOB_GRANT] = "grant",
                                        [TF_BLOB_REVOCATIONS] = "revocations",
                                        [TF_BLOB_ENVELOPE] = "bundle",
                                        [TF_BLOB_WANTED] = "bundle"};
    if (tf_log_may(&t->log_limit, t->now_ms)) {
        tf_log("store-file-cut", "file=%s read=%" PRIu64 " of=%" PRIu64 " errno=%d",
               names[x->kind], x->base + x->offset, x->base + x->total, cause);
    }
}

/* Puts the next chunk of the running transfer. @return TF_AGAIN if there is no room. */
static tf_err put_chunk(struct tf_worker_thread *t, struct tf_transfer *x)
{
    if (tf_worker_ring_free(&t->channel->in) < TF_WORKER_RESERVE + 2 * CHUNK) {
        return TF_AGAIN;
    }
    uint64_t left = x->total - x->offset;
    size_t want = left < CHUNK ? (size_t)left : CHUNK;
    ssize_t got = 0;
    do {
        got = pread(x->fd, t->payload, want, (off_t)(x->base + x->offset));
    } while (got < 0 && errno == EINTR);
    if (got <= 0) { /* what has begun must end: the enclave will find it damaged */
        tell_cut(t, x, got < 0 ? errno : 0);
        memset(t->payload, 0, want);
        got = (ssize_t)want;
    }
    struct tf_msg_blob blob = {.kind = x->kind, .total = x->total, .offset = x->offset};
    struct tf_frame frame = {
        .type = TF_MSG_BLOB, .size = (uint32_t)(sizeof(blob) + (size_t)got), .id = x->id};
    x->offset += (uint64_t)got;
    return tf_worker_ring_put(&t->channel->in, frame, &blob, sizeof(blob), t->payload);
}

void tf_worker_link_pump(struct tf_worker_thread *t)
{
    while (t->transfer_count > 0) {
        struct tf_transfer *x = &t->transfers[0];
        tf_err err = TF_OK;
        while (err == TF_OK && x->offset < x->total) {
            err = put_chunk(t, x);
        }
        if (err == TF_AGAIN) {
            return;
        }
        if (err != TF_OK) {
            refuse(t, x->id, err);
        }
        (void)close(x->fd);
        t->transfer_count--;
        memmove(x, x + 1, t->transfer_count * sizeof(*x));
    }
}

void tf_worker_link_want(struct tf_worker_thread *t, const struct tf_frame *frame)
{
    struct tf_link_head head = {
        .type = TF_LINK_WANT, .size = frame->size, .id = frame->id};
    size_t oldest = 0; /* or a free place; the load of the oldest one never ended */
    for (size_t i = 1; i < TF_WANTS_MAX; i++) {
        if (t->loads.open[i].asked_us < t->loads.open[oldest].asked_us) {
            oldest = i;
        }
    }
    t->loads.open[oldest].id = frame->id;
    t->loads.open[oldest].asked_us = clock_us();
    send_to_daemon(t, head, t->payload);
}

static void count_load(struct tf_loads *loads, uint64_t took_us)
{
    size_t at = 0;
    while (at + 1 < TF_LOAD_BUCKETS && took_us > TF_LOAD_BOUNDS_US[at]) {
        at++;
    }
    loads->counts[at]++;
    loads->sum_us += took_us;
}

bool tf_worker_link_loaded(struct tf_worker_thread *t, const struct tf_frame *frame)
{
    struct tf_msg_event event;
    if (frame->size != sizeof(event)) {
        return false;
    }
    memcpy(&event, t->payload, sizeof(event));
    if (event.event != TF_EVENT_LOADED) {
        return false;
    }
    for (size_t i = 0; i < TF_WANTS_MAX; i++) {
        if (t->loads.open[i].id == event.value && event.value != 0) {
            count_load(&t->loads, clock_us() - t->loads.open[i].asked_us);
            t->loads.open[i].id = 0;
            t->loads.open[i].asked_us = 0;
        }
    }
    return true;
}

/* What only this side counts, as the first fields of a JSON object. @return bytes. */
static size_t write_own(const struct tf_worker_thread *t, char out[static OWN_MAX])
{
    int at = snprintf(
        out, OWN_MAX,
        "{\"entries\":%llu,\"accepted\":%llu,\"poll_us\":%llu,\"load_us\":%llu,\"loads\":"
        "[",
        (unsigned long long)t->entries, (unsigned long long)t->listening.accepted,
        (unsigned long long)t->poll.asked_us, (unsigned long long)t->loads.sum_us);
    for (size_t i = 0; i < TF_LOAD_BUCKETS; i++) {
        at += snprintf(out + at, OWN_MAX - (size_t)at, "%s%llu", i == 0 ? "" : ",",
                       (unsigned long long)t->loads.counts[i]);
    }
    at += snprintf(out + at, OWN_MAX - (size_t)at, "],");
    return (size_t)at;
}

/* A STATS answer with that in front. */
static void forward_stats(struct tf_worker_thread *t, const struct tf_link_head *head,
                          const uint8_t *body)
{
    uint8_t out[TF_LINK_MAX];
    char own[OWN_MAX];
    const size_t fixed = sizeof(struct tf_msg_result);
    const size_t own_size = write_own(t, own);
    size_t rest = head->size - fixed - 1; /* without the brace */
    struct tf_link_head longer = *head;
    longer.size = (uint32_t)(fixed + own_size + rest);
    if (longer.size > sizeof(out) - sizeof(*head)) {
        send_to_daemon(t, *head, body);
        return;
    }
    memcpy(out, body, fixed);
    memcpy(out + fixed, own, own_size);
    memcpy(out + fixed + own_size, body + fixed + 1, rest);
    send_to_daemon(t, longer, out);
}

void tf_worker_link_forward(struct tf_worker_thread *t, const struct tf_frame *frame,
                            const uint8_t *body)
{
    struct tf_link_head head = {.size = frame->size, .id = frame->id};
    if (frame->type == TF_MSG_RESULT) {
        head.type = TF_LINK_RESULT;
        bool is_stats = frame->id == t->stats_id && t->stats_id != 0;
        if (is_stats) {
            t->stats_id = 0;
        }
        /* "{" and a first field: there is something to put the counts in front of. */
        if (is_stats && frame->size > sizeof(struct tf_msg_result) + 2 &&
            body[sizeof(struct tf_msg_result)] == '{') {
            forward_stats(t, &head, body);
            return;
        }
    } else if (frame->type == TF_MSG_REVOKED) {
        head.type = TF_LINK_REVOKED;
    } else {
        head.type = frame->type == TF_MSG_SEALED ? TF_LINK_SEALED : TF_LINK_EVENT;
    }
    send_to_daemon(t, head, body);
}
