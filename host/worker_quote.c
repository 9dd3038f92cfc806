/* SPDX-License-Identifier: Apache-2.0 */
/* worker_quote.c - REPORTs that become evidence, and who quotes. */
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/log.h"
#include "host/worker.h"
#include "host/worker_ring.h"

tf_err tf_worker_quote_join(struct tf_worker_thread *t, struct tf_quoter *quoter)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = TF_WORKER_QUOTE_EVENT};

    t->quoter = quoter;
    int fd = tf_quoter_fd(quoter, t->index);
    return epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? TF_OK : TF_EIO;
}

static tf_err put_quote(struct tf_worker_thread *t, uint64_t id, const char *evidence,
                        size_t size)
{
    struct tf_frame frame = {.type = TF_MSG_QUOTE, .size = (uint32_t)size, .id = id};

    return tf_worker_ring_put(&t->channel->in, frame, evidence, size, NULL);
}

uint64_t tf_worker_quote_peer(const struct sockaddr_storage *address)
{
    struct in6_addr v6 = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    struct sockaddr_in v4;
    uint64_t network = 0;
    uint64_t rest = 0;

    if (address->ss_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        memcpy(v6.s6_addr + 12, &v4.sin_addr, sizeof(v4.sin_addr));
    } else if (address->ss_family == AF_INET6) {
        memcpy(&v6, (const uint8_t *)address + offsetof(struct sockaddr_in6, sin6_addr),
               sizeof(v6));
    } else {
        return 0;
    }
    memcpy(&network, v6.s6_addr, sizeof(network));
    memcpy(&rest, v6.s6_addr + sizeof(network), sizeof(rest));
    return network != 0 ? network : rest;
}

/* Who is at the other end of a connection, for tf_quoter_ask. @return false: nobody is
 * any more, who would have the places of others if nobody had no bound. */
static bool find_peer(struct tf_worker_thread *t, uint64_t id, uint64_t *out)
{
    const struct tf_conn *conn = tf_conn_find(t, id);
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof(address);

    *out = 0;
    if (id == TF_ID_IDENTITY) {
        return true;
    }
    if (conn == NULL || getpeername(conn->fd, (struct sockaddr *)&address, &size) != 0) {
        return false;
    }
    *out = tf_worker_quote_peer(&address);
    return true;
}

tf_err tf_worker_quote_ask(struct tf_worker_thread *t, uint64_t id, size_t size)
{
    struct sgx_report report;
    uint64_t peer;

    if (size != sizeof(report)) {
        return TF_EFORMAT;
    }
    memcpy(&report, t->payload, sizeof(report));
    if (find_peer(t, id, &peer) &&
        tf_quoter_ask(t->quoter, t->index, id, peer, t->target, &report)) {
        return TF_OK;
    }
    if (tf_log_may(&t->log_limit, t->now_ms)) {
        tf_log("quote-refused", "error=%s thread=%u", tf_err_name(TF_ELIMIT), t->index);
    }
    /* The loop keeps room for such a small answer before it takes a frame. */
    return put_quote(t, id, "", 0) == TF_OK ? TF_OK : TF_EINTERNAL;
}

/* Tells the enclave for whom it makes REPORTs from now on. */
static bool put_target(struct tf_worker_thread *t)
{
    struct sgx_target_info target;
    uint32_t number = tf_quoter_target(t->quoter, &target);
    struct tf_frame frame = {.type = TF_MSG_TARGET, .size = sizeof(target)};

    if (number == t->target) {
        return true;
    }
    if (tf_worker_ring_put(&t->channel->in, frame, &target, sizeof(target), NULL) !=
        TF_OK) {
        return false;
    }
    t->target = number;
    return true;
}

void tf_worker_quote_pump(struct tf_worker_thread *t)
{
    struct tf_quote_answer answer;
    uint64_t count = 0;

    if (!t->has_quotes) {
        return;
    }
    /* Cleared first: what comes from now on rings again. */
    ssize_t got = read(tf_quoter_fd(t->quoter, t->index), &count, sizeof(count));
    (void)got;
    while (tf_worker_ring_free(&t->channel->in) >=
           TF_WORKER_RESERVE + 2 * (size_t)TF_EVIDENCE_MAX) {
        if (!put_target(t) || !tf_quoter_take(t->quoter, t->index, &answer)) {
            t->has_quotes = false;
            return;
        }
        if (put_quote(t, answer.id, answer.evidence, answer.size) != TF_OK) {
            t->failed = TF_EINTERNAL;
        }
    }
}
