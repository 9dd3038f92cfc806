/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.h - an HTTP service on a loopback port of its own, in a thread, with a table of
 * answers: what a PCS, PCCS or KDS is to those who ask it. A test fills the table, asks,
 * and looks how often each was asked for. Trusts its callers.
 */
#pragma once

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SERVICE_ANSWERS = 8, SERVICE_HEAD_MAX = 4096 };

/** What is answered to a request whose target begins so. */
struct service_answer {
    const char *target; /* the first that fits; NULL ends the table */
    int status;         /* 0: 200 */
    const char *header; /* whole lines, or NULL */
    const void *body;
    size_t size;
    atomic_uint asked;
};

struct service {
    int listener;
    unsigned port;
    pthread_t thread;
    struct service_answer answers[SERVICE_ANSWERS];
    char url[64];
};

static inline void service_send(int fd, const void *data, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t n = send(fd, (const char *)data + sent, size - sent, MSG_NOSIGNAL);
        if (n <= 0) {
            return;
        }
        sent += (size_t)n;
    }
}

static inline struct service_answer *service_find(struct service *s, const char *request)
{
    const char *target = strncmp(request, "GET ", 4) == 0 ? request + 4 : "";

    for (size_t i = 0; i < SERVICE_ANSWERS && s->answers[i].target != NULL; i++) {
        if (strncmp(s->answers[i].target, target, strlen(s->answers[i].target)) == 0) {
            return &s->answers[i];
        }
    }
    return NULL;
}

static inline void service_answer(struct service *s, int fd)
{
    char head[SERVICE_HEAD_MAX] = "";
    size_t size = 0;

    while (strstr(head, "\r\n\r\n") == NULL && size < sizeof(head) - 1) {
        ssize_t n = recv(fd, head + size, sizeof(head) - 1 - size, 0);
        if (n <= 0) {
            return;
        }
        size += (size_t)n;
        head[size] = '\0';
    }
    struct service_answer *a = service_find(s, head);
    char line[128];
    int status = a == NULL ? 404 : a->status == 0 ? 200 : a->status;
    int n =
        snprintf(line, sizeof(line), "HTTP/1.1 %d x\r\nConnection: close\r\n", status);
    service_send(fd, line, (size_t)n);
    if (a != NULL) {
        atomic_fetch_add(&a->asked, 1);
    }
    if (a != NULL && a->header != NULL) {
        service_send(fd, a->header, strlen(a->header));
    }
    n = snprintf(line, sizeof(line), "Content-Length: %zu\r\n\r\n",
                 a == NULL ? 0 : a->size);
    service_send(fd, line, (size_t)n);
    if (a != NULL) {
        service_send(fd, a->body, a->size);
    }
}

static inline void *service_run(void *user)
{
    struct service *s = user;

    for (;;) {
        int fd = accept(s->listener, NULL, NULL);
        if (fd < 0) {
            return NULL;
        }
        service_answer(s, fd);
        (void)close(fd);
    }
}

/** Starts it; the table may be changed between questions. End with service_close. */
static inline struct service *service_open(void)
{
    struct service *s = calloc(1, sizeof(*s));
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);

    if (s == NULL) {
        abort();
    }
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->listener, (struct sockaddr *)&at, size) != 0 ||
        listen(s->listener, 8) != 0 ||
        getsockname(s->listener, (struct sockaddr *)&at, &size) != 0) {
        abort();
    }
    (void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u", ntohs(at.sin_port));
    if (pthread_create(&s->thread, NULL, service_run, s) != 0) {
        abort();
    }
    return s;
}

/** Takes no more questions. */
static inline void service_stop(struct service *s)
{
    if (s->listener >= 0) {
        (void)shutdown(s->listener, SHUT_RDWR);
        (void)pthread_join(s->thread, NULL);
        (void)close(s->listener);
        s->listener = -1;
    }
}

static inline void service_close(struct service *s)
{
    service_stop(s);
    free(s);
}
