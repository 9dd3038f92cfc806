/* SPDX-License-Identifier: Apache-2.0 */
#include "host/gateway.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/lend.h"
#include "host/log.h"
#include "host/registry.h"
#include "host/roll.h"
#include "host/sni.h"
#include "host/supervise.h"

enum {
    BACKLOG = 1024,
    PENDING_MAX = 1024,
    DEFER_SECONDS = 1,    /* for the first bytes, until we hear of a connection */
    HELLO_MS = 10 * 1000, /* for the ClientHello, and for a worker that is starting */
    REST_MS = 100,        /* after the system ran out of descriptors */
    RETRY_MS = 20,        /* while all links of a worker are full */
    BIND_TRIES = 20,      /* for the address, */
    BIND_MS = 50,         /* with so long between two */
    ALERT_UNRECOGNIZED_NAME = 112
};

/* A connection whose name is not known yet, or whose worker does not serve yet. */
struct pending {
    struct tf_gateway *gateway;
    struct tf_watch watch;
    uint64_t since; /* loop's clock */
    bool is_routed; /* waits for its worker */
    struct pending *older;
    struct pending *newer;
};

struct tf_gateway {
    struct tf_daemon *daemon;
    struct tf_watch listener;
    struct tf_timer rest;   /* listens again */
    struct tf_timer expiry; /* of the oldest */
    struct tf_timer retry;
    struct tf_log_limit log_limit;
    struct pending *oldest;
    struct pending *newest;
    size_t count;
    struct tf_lend lend;
};

static void arm_expiry(struct tf_gateway *g)
{
    struct tf_loop *loop = &g->daemon->loop;
    if (g->oldest == NULL) {
        tf_loop_unset(loop, &g->expiry);
        return;
    }
    uint64_t at = g->oldest->since + HELLO_MS;
    tf_loop_set(loop, &g->expiry, at > loop->now ? at - loop->now : 0);
}

/* Forgets a pending connection and closes our descriptor of it. */
static void forget(struct tf_gateway *g, struct pending *p)
{
    tf_loop_unwatch(&g->daemon->loop, &p->watch);
    (void)close(p->watch.fd);
    bool was_oldest = g->oldest == p;
    if (was_oldest) {
        g->oldest = p->newer;
    } else {
        p->older->newer = p->newer;
    }
    if (g->newest == p) {
        g->newest = p->older;
    } else {
        p->newer->older = p->older;
    }
    g->count--;
    free(p);
    if (was_oldest) {
        arm_expiry(g);
    }
}

static void on_expiry(void *user)
{
    struct tf_gateway *g = user;
    uint64_t now = g->daemon->loop.now;
    while (g->oldest != NULL && now - g->oldest->since >= HELLO_MS) {
        g->daemon->refused++;
        forget(g, g->oldest);
    }
    arm_expiry(g);
}

/* Says in TLS that there is no such name here. What was peeked is read first: closing
 * with unread input resets the connection, and the alert would be lost. */
static void refuse(struct pending *p, const char *reason)
{
    static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, ALERT_UNRECOGNIZED_NAME};
    uint8_t bytes[TF_SNI_PEEK_MAX];
    struct tf_gateway *g = p->gateway;
    g->daemon->refused++;
    tf_lend_note(&g->lend, NULL);
    if (tf_log_may(&g->log_limit, g->daemon->loop.now)) {
        tf_log("connection-refused", "reason=%s", reason);
    }
    if (recv(p->watch.fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0 &&
        send(p->watch.fd, alert, sizeof(alert), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
        (void)shutdown(p->watch.fd, SHUT_WR);
    }
    forget(p->gateway, p);
}

static void on_retry(void *user)
{
    tf_gateway_retry(user);
}

/* Passes the connection to the worker of `name`. @return whether it still waits. */
static bool route(struct pending *p, const char *name)
{
    struct tf_gateway *g = p->gateway;
    const struct tf_lambda *lambda = tf_registry_route(&g->daemon->registry, name);
    struct tf_worker *worker = lambda == NULL ? NULL : tf_roll_route(lambda, name);
    if (worker == NULL) {
        refuse(p, "unknown-name");
        return false;
    }
    bool is_its_own = tf_lend_is_holder(&g->lend, worker) && lambda->next.worker == NULL;
    if (tf_supervise_pass(worker, p->watch.fd, is_its_own ? name : "") == TF_OK) {
        tf_lend_note(&g->lend, worker);
        forget(p->gateway, p);
        return false;
    }
    p->is_routed = true;
    if (worker->state == TF_WORKER_SERVING && !g->retry.is_set) {
        tf_loop_set(&g->daemon->loop, &g->retry, RETRY_MS);
    }
    return true;
}

/* Looks at what has come. @return whether the connection still waits. */
static bool look(struct pending *p)
{
    uint8_t bytes[TF_SNI_PEEK_MAX];
    char name[TF_DNS_MAX + 1];
    ssize_t size = recv(p->watch.fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    if (size <= 0) {
        forget(p->gateway, p);
        return false;
    }
    tf_err err = tf_sni_parse(bytes, (size_t)size, name);
    if (err == TF_OK) {
        return route(p, name);
    }
    if (err != TF_AGAIN) {
        refuse(p, err == TF_ENOTFOUND ? "no-name" : "no-client-hello");
    }
    return err == TF_AGAIN;
}

static void on_bytes(void *user, uint32_t events)
{
    struct pending *p = user;
    bool is_over = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (look(p) && is_over && !p->is_routed) { /* half of a ClientHello, and its end */
        p->gateway->daemon->refused++;
        forget(p->gateway, p);
    }
}

void tf_gateway_retry(struct tf_gateway *g)
{
    if (g == NULL) {
        return;
    }
    struct pending *p = g->oldest;
    while (p != NULL) {
        struct pending *newer = p->newer;
        if (p->is_routed) {
            p->is_routed = false;
            (void)look(p);
        }
        p = newer;
    }
}

static void append(struct tf_gateway *g, struct pending *p)
{
    p->older = g->newest;
    if (g->newest == NULL) {
        g->oldest = p;
    } else {
        g->newest->newer = p;
    }
    g->newest = p;
    g->count++;
    if (g->count == 1) {
        arm_expiry(g);
    }
}

static void admit(struct tf_gateway *g, int fd)
{
    if (g->count == PENDING_MAX) {
        g->daemon->refused++;
        forget(g, g->oldest); /* who has been silent longest gives way */
    }
    struct pending *p = calloc(1, sizeof(*p));
    if (p == NULL) {
        (void)close(fd);
        return;
    }
    p->gateway = g;
    p->since = g->daemon->loop.now;
    p->watch = (struct tf_watch){.fd = fd, .ready = on_bytes, .user = p};
    append(g, p);
    g->daemon->connections++;
    /* Its ClientHello is there as a rule. Edge-triggered: peeked bytes stay in the socket
     * and would be reported for ever. */
    if (look(p) && tf_loop_watch(&g->daemon->loop, &p->watch,
                                 EPOLLIN | EPOLLRDHUP | EPOLLET) != TF_OK) {
        forget(g, p);
    }
}

void tf_gateway_take(struct tf_gateway *g, int fd)
{
    if (g == NULL) {
        (void)close(fd);
        return;
    }
    admit(g, fd);
}

static void on_rest(void *user)
{
    struct tf_gateway *g = user;
    if (!g->lend.is_lent) {
        tf_loop_change(&g->daemon->loop, &g->listener, EPOLLIN);
    }
}

/* @return whether there was one. */
static bool accept_one(void *user)
{
    struct tf_gateway *g = user;
    int fd = accept4(g->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        admit(g, fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
               errno == ENOMEM) {
        /* Nothing would change by trying at once: listen again in a moment. */
        tf_log("accept-failed", "errno=%d", errno);
        tf_loop_change(&g->daemon->loop, &g->listener, 0);
        tf_loop_set(&g->daemon->loop, &g->rest, REST_MS);
    }
    return fd >= 0;
}

/* One at a time: the loop comes back while there are more. */
static void on_accept(void *user, uint32_t events)
{
    (void)events;
    (void)accept_one(user);
}

/* Splits ADDR:PORT. */
static bool split(const char *listen, char *host, size_t host_cap, const char **port)
{
    const char *colon = strrchr(listen, ':');
    if (colon == NULL) {
        return false;
    }
    size_t size = (size_t)(colon - listen);
    if (size >= 2 && listen[0] == '[' && colon[-1] == ']') {
        listen++;
        size -= 2;
    }
    if (size == 0 || size >= host_cap) {
        return false;
    }
    memcpy(host, listen, size);
    host[size] = '\0';
    *port = colon + 1;
    return true;
}

static int listen_on(const struct addrinfo *address)
{
    int one = 1;
    int defer = DEFER_SECONDS;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    /* Connections inherit the one, and are reported with their first bytes by the other.
     */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer, sizeof(defer));
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 ||
        listen(fd, BACKLOG) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* The address with the port that was really taken. */
static void note_address(struct tf_daemon *daemon, int fd)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof(address);
    char host[64];
    char port[8];
    if (getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
        getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
        bool is_six = address.ss_family == AF_INET6;
        (void)snprintf(daemon->address, sizeof(daemon->address), "%s%s%s:%s",
                       is_six ? "[" : "", host, is_six ? "]" : "", port);
    }
}

static tf_err open_listener(const char *text, int *out)
{
    char host[256];
    const char *port = NULL;
    struct addrinfo *address = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    if (!split(text, host, sizeof(host), &port) ||
        getaddrinfo(host, port, &hints, &address) != 0) {
        return TF_EUSAGE;
    }
    int fd = listen_on(address);
    /* The workers of a tfaasd that was killed close its socket when they hear of it. */
    for (int i = 0; fd < 0 && errno == EADDRINUSE && i < BIND_TRIES; i++) {
        (void)usleep(BIND_MS * 1000);
        fd = listen_on(address);
    }
    freeaddrinfo(address);
    if (fd < 0) {
        return TF_EIO;
    }
    *out = fd;
    return TF_OK;
}

tf_err tf_gateway_open(struct tf_daemon *daemon)
{
    int fd = -1;
    tf_err err = open_listener(daemon->options.listen, &fd);
    if (err != TF_OK) {
        return err;
    }
    struct tf_gateway *g = calloc(1, sizeof(*g));
    if (g == NULL) {
        (void)close(fd);
        return TF_ENOMEM;
    }
    g->daemon = daemon;
    g->listener = (struct tf_watch){.fd = fd, .ready = on_accept, .user = g};
    g->rest = (struct tf_timer){.fire = on_rest, .user = g};
    g->expiry = (struct tf_timer){.fire = on_expiry, .user = g};
    g->retry = (struct tf_timer){.fire = on_retry, .user = g};
    tf_lend_init(&g->lend, daemon, &g->listener, accept_one, g);
    daemon->gateway = g;
    note_address(daemon, fd);
    return tf_loop_watch(&daemon->loop, &g->listener, EPOLLIN);
}

struct tf_lend *tf_gateway_lend(struct tf_gateway *g)
{
    return g == NULL ? NULL : &g->lend;
}

void tf_gateway_close(struct tf_gateway *g)
{
    if (g == NULL) {
        return;
    }
    while (g->oldest != NULL) {
        forget(g, g->oldest);
    }
    tf_loop_unset(&g->daemon->loop, &g->rest);
    tf_loop_unset(&g->daemon->loop, &g->expiry);
    tf_loop_unset(&g->daemon->loop, &g->retry);
    tf_loop_unset(&g->daemon->loop, &g->lend.look);
    tf_loop_unwatch(&g->daemon->loop, &g->listener);
    (void)shutdown(g->listener.fd, SHUT_RDWR); /* a worker may have it too */
    (void)close(g->listener.fd);
    g->daemon->gateway = NULL;
    free(g);
}
