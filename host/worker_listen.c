/* SPDX-License-Identifier: Apache-2.0 */
#include "host/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/log.h"
#include "host/sni.h"
#include "host/worker_ring.h"

enum {
    NAMES_MAX = 16 << 10,
    REST_MS = 100 /* after the system ran out of descriptors */
};

struct name {
    struct tf_map_node node;
    char text[]; /* NUL-terminated */
};

static void forget_names(struct tf_listening *l)
{
    for (size_t i = 0; i < TF_WORKER_NAME_BUCKETS; i++) {
        struct tf_map_node *node = l->buckets[i];
        l->buckets[i] = NULL;
        while (node != NULL) {
            struct tf_map_node *next = node->next;
            free((char *)node - offsetof(struct name, node));
            node = next;
        }
    }
    l->name_count = 0;
}

static bool knows(const struct tf_listening *l, const char *text, uint32_t hash)
{
    const struct tf_map_node *node = tf_map_first(&l->names, hash);
    for (; node != NULL; node = tf_map_next(node)) {
        const struct name *name =
            (const void *)((const char *)node - offsetof(struct name, node));
        if (strcmp(name->text, text) == 0) {
            return true;
        }
    }
    return false;
}

void tf_worker_listen_learn(struct tf_worker_thread *t, const char *text, size_t size)
{
    struct tf_listening *l = &t->listening;
    char copy[TF_DNS_MAX + 1] = {0};
    if (size == 0 || size > TF_DNS_MAX || l->name_count == NAMES_MAX) {
        return;
    }
    memcpy(copy, text, size);
    uint32_t hash = tf_map_hash(&l->names, copy);
    struct name *name = knows(l, copy, hash) ? NULL : malloc(sizeof(*name) + size + 1);
    if (name != NULL) {
        memcpy(name->text, copy, size + 1);
        tf_map_put(&l->names, &name->node, hash);
        l->name_count++;
    }
}

/* EPOLLEXCLUSIVE wakes one thread for a connection, the first that waits. */
static void watch(struct tf_worker_thread *t, bool is_wanted)
{
    struct tf_listening *l = &t->listening;
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE,
                                .data.u64 = TF_WORKER_LISTEN_EVENT};
    if (l->is_watched != is_wanted &&
        epoll_ctl(t->epoll, is_wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, l->fd, &event) ==
            0) {
        l->is_watched = is_wanted;
    }
}

void tf_worker_listen_init(struct tf_worker_thread *t)
{
    struct tf_listening *l = &t->listening;
    uint64_t key = 0;
    if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
        tf_log("no-randomness", "names may be made to collide");
    }
    l->fd = -1;
    l->held = -1;
    tf_map_init(&l->names, l->buckets, TF_WORKER_NAME_BUCKETS, key);
}

void tf_worker_listen_set(struct tf_worker_thread *t, int fd)
{
    struct tf_listening *l = &t->listening;
    watch(t, false);
    forget_names(l);
    if (l->fd >= 0) {
        (void)close(l->fd);
    }
    l->fd = fd;
}

void tf_worker_listen_wipe(struct tf_worker_thread *t)
{
    tf_worker_listen_set(t, -1);
    if (t->listening.held >= 0) {
        (void)close(t->listening.held);
        t->listening.held = -1;
    }
}

/* Whether the ClientHello is there, whole, and names a lambda of ours. */
static bool is_own(struct tf_worker_thread *t, int fd)
{
    char name[TF_DNS_MAX + 1];
    ssize_t size = recv(fd, t->payload, TF_SNI_PEEK_MAX, MSG_PEEK | MSG_DONTWAIT);
    return size > 0 && tf_sni_parse(t->payload, (size_t)size, name) == TF_OK &&
           knows(&t->listening, name, tf_map_hash(&t->listening.names, name));
}

/* @return whether tfaasd has it, or is gone. */
static bool hand_back(struct tf_worker_thread *t, int fd)
{
    const struct tf_link_head head = {.type = TF_LINK_CONN};
    if (tf_link_send(t->link, &head, NULL, fd) == TF_AGAIN) {
        return false;
    }
    (void)close(fd);
    return true;
}

static bool is_full(const struct tf_worker_thread *t)
{
    return t->first_free == TF_CONNS_MAX;
}

/* Nothing was accepted. Most often nothing is there: another thread was faster. */
static void note_failure(struct tf_worker_thread *t, int error)
{
    struct tf_listening *l = &t->listening;
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
        tf_log("accept-failed", "errno=%d thread=%u", error, t->index);
        l->rest_ms = t->now_ms + REST_MS;
    } else if (error == EINVAL) {
        tf_worker_listen_set(t, -1); /* tfaasd has shut it down: it would ring for ever */
    }
}

/* @return whether there may be more. */
static bool take_one(struct tf_worker_thread *t)
{
    struct tf_listening *l = &t->listening;
    if (is_full(t) ||
        tf_worker_ring_free(&t->channel->in) < TF_WORKER_RESERVE + TF_WORKER_READ_MAX) {
        return false; /* epoll is level-triggered: it comes back after the entry */
    }
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        note_failure(t, errno);
        return false;
    }
    if (is_own(t, fd)) {
        l->accepted++;
        tf_conn_open(t, fd);
        return true;
    }
    if (!hand_back(t, fd)) {
        l->held = fd;
    }
    return l->held < 0;
}

void tf_worker_listen_ready(struct tf_worker_thread *t, int most)
{
    for (int i = 0; i < most && t->listening.is_watched && take_one(t); i++) {
    }
    if (t->threads > 1) {
        watch(t, false); /* the others first: this one comes behind them again */
    }
}

bool tf_worker_listen_rests(const struct tf_worker_thread *t)
{
    const struct tf_listening *l = &t->listening;
    return l->held >= 0 || t->now_ms < l->rest_ms;
}

void tf_worker_listen_pump(struct tf_worker_thread *t)
{
    struct tf_listening *l = &t->listening;
    if (l->held >= 0 && hand_back(t, l->held)) {
        l->held = -1;
    }
    if (l->fd >= 0) {
        watch(t, !tf_worker_listen_rests(t) && !is_full(t));
    }
}
