/* SPDX-License-Identifier: Apache-2.0 */
/* calls.c - questions to workers that wait for an answer, of supervise.h. */
#include "host/supervise.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RETRY_MS = 20 };

struct tf_pending_call {
    struct tf_call call;
    char text[TF_NAME_MAX + 1];
    uint64_t id;
    uint64_t deadline; /* loop's clock */
    bool is_sent;
    struct tf_pending_call *next;
};

static void arm(struct tf_worker *worker)
{
    struct tf_loop *loop = &worker->daemon->loop;
    uint64_t at = UINT64_MAX;
    for (const struct tf_pending_call *c = worker->calls; c != NULL; c = c->next) {
        uint64_t next = c->is_sent ? c->deadline : loop->now + RETRY_MS;
        at = next < at ? next : at;
    }
    if (at == UINT64_MAX) {
        tf_loop_unset(loop, &worker->call_timer);
    } else {
        tf_loop_set(loop, &worker->call_timer, at > loop->now ? at - loop->now : 0);
    }
}

/* Takes a call off the list and tells its owner. */
static void finish(struct tf_worker *worker, struct tf_pending_call *c, tf_err err,
                   const char *json, size_t size)
{
    struct tf_pending_call **at = &worker->calls;
    while (*at != c) {
        at = &(*at)->next;
    }
    *at = c->next;
    if (c->call.fd >= 0) {
        (void)close(c->call.fd);
    }
    c->call.done(c->call.user, err, json, size);
    free(c);
}

/* A send that fails for good is left to the watch on the process, or to the deadline. */
static void send_call(struct tf_worker *worker, struct tf_pending_call *c)
{
    struct tf_link_head head = {
        .type = (uint32_t)c->call.type, .size = (uint32_t)strlen(c->text), .id = c->id};
    int link = worker->links[c->call.thread].watch.fd;
    if (tf_link_send(link, &head, c->text, c->call.fd) == TF_AGAIN) {
        return;
    }
    c->is_sent = true;
    if (c->call.fd >= 0) {
        (void)close(c->call.fd);
        c->call.fd = -1;
    }
}

static void on_timer(void *user)
{
    struct tf_worker *worker = user;
    uint64_t now = worker->daemon->loop.now;
    struct tf_pending_call *c = worker->calls;
    while (c != NULL) {
        if (c->deadline <= now) {
            finish(worker, c, TF_AGAIN, "", 0);
            c = worker->calls; /* the owner may have changed the list */
            continue;
        }
        if (!c->is_sent) {
            send_call(worker, c);
        }
        c = c->next;
    }
    arm(worker);
}

void tf_supervise_call(struct tf_worker *worker, const struct tf_call *call)
{
    struct tf_pending_call *c = calloc(1, sizeof(*c));
    bool is_up = worker->state == TF_WORKER_LOADING || worker->state == TF_WORKER_SERVING;
    if (c == NULL || !is_up || call->thread >= worker->threads) {
        free(c);
        if (call->fd >= 0) {
            (void)close(call->fd);
        }
        call->done(call->user, TF_EIO, "", 0);
        return;
    }
    c->call = *call;
    c->call.text = NULL;
    if (call->text != NULL) {
        strncpy(c->text, call->text, sizeof(c->text) - 1);
    }
    c->id = call->id;
    if (c->id == 0) {
        worker->last_id++;
        c->id = worker->last_id;
    }
    c->deadline = worker->daemon->loop.now + call->timeout_ms;
    c->next = worker->calls;
    worker->calls = c;
    worker->call_timer.fire = on_timer;
    worker->call_timer.user = worker;
    send_call(worker, c);
    arm(worker);
}

void tf_calls_answer(struct tf_worker *worker, uint64_t id, const uint8_t *body,
                     size_t size)
{
    uint32_t code = 0;
    if (size < 2 * sizeof(code)) {
        return;
    }
    memcpy(&code, body, sizeof(code));
    for (struct tf_pending_call *c = worker->calls; c != NULL; c = c->next) {
        if (c->id == id) {
            tf_err err = code < TF_ERR_COUNT ? (tf_err)code : TF_EINTERNAL;
            finish(worker, c, err, (const char *)body + 2 * sizeof(code),
                   size - 2 * sizeof(code));
            arm(worker);
            return;
        }
    }
}

void tf_calls_fail(struct tf_worker *worker)
{
    while (worker->calls != NULL) {
        finish(worker, worker->calls, TF_EIO, "", 0);
    }
    arm(worker);
}
