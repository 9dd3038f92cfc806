/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handshake.c - a client that opens TLS 1.3 connections to a server on loopback, sends
 * one request in each, reads the answer and closes: what `make bench` measures handshakes
 * and first answers with. Bounded by a number and a time.
 *
 *   handshake full|resumed PORT NAME COUNT SECONDS CONNECTIONS
 *   handshake wait PORT NAME 1 SECONDS 1
 *
 * CONNECTIONS: that many at a time. full: each handshake a full one. resumed: with the
 * ticket of the connection before at the same place; the first ones, which have none, are
 * not counted. wait: tries until a server answers. Prints
 *
 *   connections N errors N resumed N p50 US p99 US max US at NS
 *
 * US: from the first byte of the ClientHello to the first of the answer. NS: when
 * (CLOCK_MONOTONIC) the last answer began.
 *
 * To keep a server busy with one core it does less than an honest client: it verifies no
 * certificate and no signature, and its key share is the same in all connections
 * (deps/patches/wolfssl-client). Servers do not look, and time is measured here, no
 * trust.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/ssl.h>

enum {
    COUNT_MAX = 100000,
    CONNECTIONS_MAX = 64,
    BUFFER_MAX = 17 << 10, /* a record and more */
    PATIENCE_MS = 20000,
    RETRY_US = 200,
};

struct connection {
    int fd;
    WOLFSSL *ssl;
    WOLFSSL_SESSION *ticket; /* owned; NULL: a full handshake */
    bool has_new_ticket;     /* not each server sends one to who resumes */
    bool is_open;            /* the handshake is over, the request sent */
    size_t in_at, in_end;    /* what was received and wolfSSL has not read yet */
    size_t size;             /* of the answer so far */
    uint64_t start, first;
    char in[BUFFER_MAX];
    char answer[BUFFER_MAX];
};

enum progress { WAITING, DONE, FAILED };

struct run {
    const char *name;
    struct sockaddr_in at;
    WOLFSSL_CTX *tls;
    bool is_resuming;
    char request[512];
    int request_size;
    int poll;
    size_t most;    /* connections to make */
    uint64_t until; /* CLOCK_MONOTONIC, ns */
    size_t begun;
    size_t count; /* answered */
    size_t errors;
    size_t resumed;
    uint64_t last_ns;
    double us[COUNT_MAX];
    struct connection connections[CONNECTIONS_MAX];
};

static uint64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* wolfSSL reads a record's header and its content by two calls; the socket is asked once.
 */
static int receive(WOLFSSL *ssl, char *to, int size, void *context)
{
    struct connection *c = context;

    (void)ssl;
    if (c->in_at == c->in_end) {
        ssize_t got = recv(c->fd, c->in, sizeof(c->in), MSG_DONTWAIT);
        if (got == 0) {
            return WOLFSSL_CBIO_ERR_CONN_CLOSE;
        }
        if (got < 0) {
            return errno == EAGAIN ? WOLFSSL_CBIO_ERR_WANT_READ
                                   : WOLFSSL_CBIO_ERR_GENERAL;
        }
        c->in_at = 0;
        c->in_end = (size_t)got;
    }
    size_t left = c->in_end - c->in_at;
    size_t take = (size_t)size < left ? (size_t)size : left;
    memcpy(to, c->in + c->in_at, take);
    c->in_at += take;
    return (int)take;
}

static int transmit(WOLFSSL *ssl, char *from, int size, void *context)
{
    const struct connection *c = context;
    ssize_t sent = send(c->fd, from, (size_t)size, MSG_NOSIGNAL);

    (void)ssl;
    return sent > 0 ? (int)sent : WOLFSSL_CBIO_ERR_GENERAL;
}

static int believe(WOLFSSL *ssl, const unsigned char *signature,
                   unsigned int signature_size, const unsigned char *hash,
                   unsigned int hash_size, const unsigned char *key,
                   unsigned int key_size, int *is_good, void *context)
{
    (void)ssl, (void)signature, (void)signature_size, (void)hash, (void)hash_size;
    (void)key, (void)key_size, (void)context;
    *is_good = 1;
    return 0;
}

static int note_ticket(WOLFSSL *ssl, const unsigned char *ticket, int size, void *context)
{
    struct connection *c = context;

    (void)ssl, (void)ticket, (void)size;
    c->has_new_ticket = true;
    return 0;
}

/* Connects; the ClientHello follows with the first step(). */
static bool begin(struct run *r, struct connection *c)
{
    int yes = 1;

    c->is_open = c->has_new_ticket = false;
    c->in_at = c->in_end = c->size = 0;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (connect(c->fd, (const struct sockaddr *)&r->at, sizeof(r->at)) != 0) {
        (void)close(c->fd);
        return false;
    }
    c->ssl = wolfSSL_new(r->tls);
    if (c->ssl == NULL ||
        wolfSSL_UseSNI(c->ssl, WOLFSSL_SNI_HOST_NAME, r->name,
                       (unsigned short)strlen(r->name)) != WOLFSSL_SUCCESS ||
        wolfSSL_UseKeyShare(c->ssl, WOLFSSL_ECC_X25519) != WOLFSSL_SUCCESS ||
        wolfSSL_set_SessionTicket_cb(c->ssl, note_ticket, c) != WOLFSSL_SUCCESS ||
        (c->ticket != NULL &&
         wolfSSL_set_session(c->ssl, c->ticket) != WOLFSSL_SUCCESS)) {
        (void)fprintf(stderr, "handshake: wolfSSL makes no connection\n");
        exit(1);
    }
    wolfSSL_SetIOReadCtx(c->ssl, c);
    wolfSSL_SetIOWriteCtx(c->ssl, c);
    c->start = now_ns();
    return true;
}

/* Of a connection that was answered the ticket is kept for the next one at its place. */
static void end(const struct run *r, struct connection *c, bool is_good)
{
    if (r->is_resuming && is_good && c->has_new_ticket) {
        wolfSSL_SESSION_free(c->ticket);
        c->ticket = wolfSSL_get1_session(c->ssl);
    }
    (void)wolfSSL_shutdown(c->ssl);
    wolfSSL_free(c->ssl);
    (void)close(c->fd);
}

/* What a call of wolfSSL's that gave `result` makes of a connection. */
static enum progress failure(const struct connection *c, int result)
{
    return wolfSSL_get_error(c->ssl, result) == WOLFSSL_ERROR_WANT_READ ? WAITING
                                                                        : FAILED;
}

/* An answer is whole when it has the length that its head tells. */
static bool is_whole(const struct connection *c)
{
    const char *body = strstr(c->answer, "\r\n\r\n");
    const char *length = strcasestr(c->answer, "\r\ncontent-length:");

    return body != NULL && length != NULL && length < body &&
           c->size >= (size_t)(body + 4 - c->answer) + strtoul(length + 17, NULL, 10);
}

static enum progress read_answer(struct connection *c)
{
    while (c->size < sizeof(c->answer) - 1) {
        int got = wolfSSL_read(c->ssl, c->answer + c->size,
                               (int)(sizeof(c->answer) - 1 - c->size));
        if (got <= 0) {
            return failure(c, got);
        }
        if (c->size == 0) {
            c->first = now_ns();
        }
        c->size += (size_t)got;
        c->answer[c->size] = '\0';
        if (is_whole(c)) {
            return strncmp(c->answer, "HTTP/1.1 200", 12) == 0 ? DONE : FAILED;
        }
    }
    return FAILED;
}

/* Goes on as far as what was received allows. */
static enum progress step(const struct run *r, struct connection *c)
{
    if (!c->is_open) {
        int result = wolfSSL_connect(c->ssl);
        if (result != WOLFSSL_SUCCESS) {
            return failure(c, result);
        }
        if (wolfSSL_write(c->ssl, r->request, r->request_size) != r->request_size) {
            return FAILED;
        }
        c->is_open = true;
    }
    return read_answer(c);
}

static void count(struct run *r, const struct connection *c, enum progress how)
{
    if (how == FAILED) {
        r->errors++;
        return;
    }
    r->us[r->count] = (double)(c->first - c->start) / 1e3;
    r->count++;
    r->resumed += wolfSSL_session_reused(c->ssl) ? 1 : 0;
    r->last_ns = c->first;
}

/* Begins the next connection at a place. False: enough, or it cannot. */
static bool begin_next(struct run *r, struct connection *c)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

    if (r->errors > 0 || r->begun == r->most || now_ns() >= r->until) {
        return false;
    }
    if (!begin(r, c) || epoll_ctl(r->poll, EPOLL_CTL_ADD, c->fd, &event) != 0) {
        r->errors++;
        return false;
    }
    r->begun++;
    return true;
}

/* Goes on at a place, with one connection after the other, until it has to wait. False:
 * there is no other.
 */
static bool advance(struct run *r, struct connection *c)
{
    for (;;) {
        enum progress how = step(r, c);
        if (how == WAITING) {
            return true;
        }
        count(r, c, how);
        end(r, c, how == DONE);
        if (!begin_next(r, c)) {
            return false;
        }
    }
}

/* The first connection of a place that resumes. */
static void fetch_ticket(struct run *r, struct connection *c)
{
    uint64_t until = now_ns() + (uint64_t)PATIENCE_MS * 1000000;
    enum progress how = WAITING;

    if (!begin(r, c)) {
        return;
    }
    while (how == WAITING && now_ns() < until) {
        how = step(r, c);
        (void)usleep(RETRY_US);
    }
    end(r, c, how == DONE);
}

/* Keeps `together` connections going until as many as wanted were answered, or the time
 * is over.
 */
static void run_all(struct run *r, size_t together)
{
    struct epoll_event events[CONNECTIONS_MAX];
    size_t open = 0;

    for (size_t i = 0; i < together; i++) {
        open +=
            begin_next(r, &r->connections[i]) && advance(r, &r->connections[i]) ? 1 : 0;
    }
    while (open > 0) {
        int ready = epoll_wait(r->poll, events, CONNECTIONS_MAX, PATIENCE_MS);
        if (ready <= 0) {
            r->errors += open;
            return;
        }
        for (int i = 0; i < ready; i++) {
            open -= advance(r, events[i].data.ptr) ? 0 : 1;
        }
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static void show(struct run *r)
{
    double p50 = 0;
    double p99 = 0;
    double max = 0;

    if (r->count > 0) {
        qsort(r->us, r->count, sizeof(r->us[0]), compare);
        p50 = r->us[r->count / 2];
        p99 = r->us[r->count * 99 / 100];
        max = r->us[r->count - 1];
    }
    (void)printf(
        "connections %zu errors %zu resumed %zu p50 %.1f p99 %.1f max %.1f at %llu\n",
        r->count, r->errors, r->resumed, p50, p99, max, (unsigned long long)r->last_ns);
}

static bool prepare(struct run *r, char **argv)
{
    int groups[] = {WOLFSSL_ECC_X25519};

    r->name = argv[3];
    r->at = (struct sockaddr_in){.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10)),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    r->request_size =
        snprintf(r->request, sizeof(r->request),
                 "POST / HTTP/1.1\r\nhost: %s\r\n"
                 "content-type: text/plain\r\ncontent-length: 100\r\n\r\n%0100d",
                 r->name, 0);
    r->poll = epoll_create1(EPOLL_CLOEXEC);
    r->tls = wolfSSL_CTX_new(wolfTLSv1_3_client_method());
    if (r->poll < 0 || r->tls == NULL || r->request_size >= (int)sizeof(r->request) ||
        wolfSSL_CTX_set_cipher_list(r->tls, "TLS13-AES128-GCM-SHA256") !=
            WOLFSSL_SUCCESS ||
        wolfSSL_CTX_set_groups(r->tls, groups, 1) != WOLFSSL_SUCCESS) {
        return false;
    }
    wolfSSL_CTX_set_verify(r->tls, WOLFSSL_VERIFY_NONE, NULL);
    wolfSSL_CTX_SetEccVerifyCb(r->tls, believe);
    wolfSSL_CTX_SetIORecv(r->tls, receive);
    wolfSSL_CTX_SetIOSend(r->tls, transmit);
    return true;
}

/* A number of the command line, of 1 to max; 0: it is none. */
static size_t number(const char *text, size_t max)
{
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);

    return *end == '\0' && value <= max ? value : 0;
}

int main(int argc, char **argv)
{
    static struct run r;
    size_t most = argc == 7 ? number(argv[4], COUNT_MAX) : 0;
    size_t together = argc == 7 ? number(argv[6], CONNECTIONS_MAX) : 0;

    if (most == 0 || together == 0 || !prepare(&r, argv)) {
        (void)fprintf(stderr,
                      "usage: handshake full|resumed|wait PORT NAME COUNT SECONDS "
                      "CONNECTIONS\n");
        return 2;
    }
    r.most = most;
    r.is_resuming = strcmp(argv[1], "resumed") == 0;
    for (size_t i = 0; r.is_resuming && i < together; i++) {
        fetch_ticket(&r, &r.connections[i]);
    }
    r.until = now_ns() + (uint64_t)(strtod(argv[5], NULL) * 1e9);
    run_all(&r, together);
    while (strcmp(argv[1], "wait") == 0 && r.count == 0 && now_ns() < r.until) {
        (void)usleep(RETRY_US);
        r.begun = r.errors = 0;
        run_all(&r, 1);
    }
    show(&r);
    return r.count > 0 && r.errors == 0 ? 0 : 1;
}
