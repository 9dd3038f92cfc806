/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handshake.c - a client that opens one TLS 1.3 connection after the other to a server on
 * loopback, sends one request in each, reads the answer and closes: what `make bench`
 * measures handshakes and first answers with. Bounded by a number and a time.
 *
 *   handshake full|resumed PORT NAME COUNT SECONDS
 *   handshake wait PORT NAME 1 SECONDS
 *
 * full: each handshake a full one. resumed: with the ticket of the connection before; the
 * first one, which has none, is not counted. wait: tries until a server answers. Prints
 *
 *   connections N errors N resumed N p50 US p99 US max US at NS
 *
 * US: from the first byte of the ClientHello to the first of the answer. NS: when
 * (CLOCK_MONOTONIC) the last answer began. Certificates are not checked: time is measured
 * here, no trust.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { COUNT_MAX = 100000, ANSWER_MAX = 64 << 10, PATIENCE_SECONDS = 20, RETRY_US = 200 };

struct run {
    const char *name;
    struct sockaddr_in at;
    SSL_CTX *tls;
    SSL_SESSION *ticket; /* owned; NULL: a full handshake */
    bool is_resuming;
    size_t count;
    size_t errors;
    size_t resumed;
    uint64_t last_ns;
    double us[COUNT_MAX];
};

static uint64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* OpenSSL gives us its reference when this returns 1. */
static int keep_ticket(SSL *ssl, SSL_SESSION *ticket)
{
    struct run *r = SSL_get_app_data(ssl);

    if (!r->is_resuming) {
        return 0;
    }
    SSL_SESSION_free(r->ticket);
    r->ticket = ticket;
    return 1;
}

static int connect_to(const struct run *r)
{
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *)&r->at, sizeof(r->at)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* Reads an answer whose length its head tells; the time of its first byte goes to *first.
 */
static bool read_answer(SSL *ssl, uint64_t *first)
{
    static char text[ANSWER_MAX];
    size_t size = 0;

    while (size < sizeof(text) - 1) {
        int got = SSL_read(ssl, text + size, (int)(sizeof(text) - 1 - size));
        if (got <= 0) {
            return false;
        }
        if (size == 0) {
            *first = now_ns();
        }
        size += (size_t)got;
        text[size] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        const char *length = strcasestr(text, "\r\ncontent-length:");
        if (end != NULL && length != NULL && length < end &&
            size >= (size_t)(end + 4 - text) + strtoul(length + 17, NULL, 10)) {
            return strncmp(text, "HTTP/1.1 200", 12) == 0;
        }
    }
    return false;
}

/* One connection, one request. The times go to *start and *first. */
static bool ask(struct run *r, SSL *ssl, uint64_t *start, uint64_t *first)
{
    char request[512];
    int size = snprintf(request, sizeof(request),
                        "POST / HTTP/1.1\r\nhost: %s\r\ncontent-type: text/plain\r\n"
                        "content-length: 100\r\n\r\n%0100d",
                        r->name, 0);

    *start = now_ns();
    if (SSL_connect(ssl) != 1 || SSL_write(ssl, request, size) != size ||
        !read_answer(ssl, first)) {
        return false;
    }
    r->resumed += SSL_session_reused(ssl) ? 1 : 0;
    (void)SSL_shutdown(ssl);
    return true;
}

static bool connection(struct run *r, double *us)
{
    uint64_t start = 0;
    uint64_t first = 0;
    int fd = connect_to(r);

    if (fd < 0) {
        return false;
    }
    SSL *ssl = SSL_new(r->tls);
    if (ssl == NULL) {
        exit(1);
    }
    (void)SSL_set_app_data(ssl, r);
    (void)SSL_set_tlsext_host_name(ssl, r->name);
    (void)SSL_set_fd(ssl, fd);
    SSL_SESSION *copy = r->ticket != NULL ? SSL_SESSION_dup(r->ticket) : NULL;
    if (copy !=
        NULL) { /* OpenSSL would use one but once, and not each server sends more */
        (void)SSL_set_session(ssl, copy);
        SSL_SESSION_free(copy);
    }
    bool is_good = ask(r, ssl, &start, &first);
    if (is_good) {
        *us = (double)(first - start) / 1e3;
        r->last_ns = first;
    }
    SSL_free(ssl);
    (void)close(fd);
    return is_good;
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
    r->name = argv[3];
    r->is_resuming = strcmp(argv[1], "resumed") == 0;
    r->at = (struct sockaddr_in){.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10)),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    r->tls = SSL_CTX_new(TLS_client_method());
    if (r->tls == NULL || SSL_CTX_set_min_proto_version(r->tls, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(r->tls, "TLS_AES_128_GCM_SHA256") != 1 ||
        SSL_CTX_set1_groups_list(r->tls, "X25519") != 1) {
        return false;
    }
    (void)SSL_CTX_set_session_cache_mode(r->tls, SSL_SESS_CACHE_CLIENT |
                                                     SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(r->tls, keep_ticket);
    return true;
}

int main(int argc, char **argv)
{
    static struct run r;

    if (argc != 6 || !prepare(&r, argv)) {
        (void)fprintf(stderr,
                      "usage: handshake full|resumed|wait PORT NAME COUNT SECONDS\n");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    bool is_waiting = strcmp(argv[1], "wait") == 0;
    size_t count = strtoul(argv[4], NULL, 10);
    uint64_t end = now_ns() + (uint64_t)(strtod(argv[5], NULL) * 1e9);
    if (r.is_resuming) {
        (void)connection(&r, &r.us[0]); /* for the first ticket */
    }
    while (r.count < count && r.count < COUNT_MAX && now_ns() < end) {
        if (connection(&r, &r.us[r.count])) {
            r.count++;
        } else if (is_waiting) {
            (void)usleep(RETRY_US);
        } else {
            r.errors++;
        }
    }
    show(&r);
    return r.count > 0 && r.errors == 0 ? 0 : 1;
}
