/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor.c - the least that an HTTPS server costs on this machine: OpenSSL's TLS 1.3,
 * epoll, one thread, just enough HTTP/1.1 to send a request's body back, and no lambda.
 * What the others take beyond it is the price of their platform. For `make bench`: on
 * loopback, asked by its own load generators alone; it is no server for anybody else.
 *
 *   floor PORT CERTIFICATE KEY
 *
 * AES-128-GCM or what else the client prefers, X25519, one ticket a handshake.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_MAX = 256, BUFFER_MAX = 64 << 10, EVENTS_MAX = 64, BACKLOG = 512 };

struct connection {
    SSL *ssl;
    int fd;
    bool is_open;    /* the handshake is over */
    size_t in_size;  /* received and not yet answered */
    size_t out_size; /* to be sent; 0: nothing is on its way */
    char in[BUFFER_MAX];
    char out[HEAD_MAX + BUFFER_MAX];
};

static void release(struct connection *c)
{
    (void)SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    (void)close(c->fd); /* which also leaves the epoll */
    free(c);
}

/* True if the call is to be made again when the socket is ready. */
static bool is_waiting(const struct connection *c, int result)
{
    int reason = SSL_get_error(c->ssl, result);

    return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE;
}

/* The size of the first request in the buffer, and where its body begins; 0: it is not
 * whole.
 */
static size_t parse(const struct connection *c, size_t *body)
{
    static const char field[] = "\r\ncontent-length:";
    const char *end = memmem(c->in, c->in_size, "\r\n\r\n", 4);

    if (end == NULL) {
        return 0;
    }
    size_t head = (size_t)(end - c->in);
    size_t length = 0;
    for (const char *at = c->in; (at = memchr(at, '\r', (size_t)(end - at))) != NULL;
         at++) {
        if (strncasecmp(at, field, sizeof(field) - 1) == 0) {
            length = strtoul(at + sizeof(field) - 1, NULL, 10);
            break;
        }
    }
    *body = head + 4;
    return length <= c->in_size - *body ? *body + length : 0;
}

/* Puts the answer to the first request in the buffer into `out`; false: it is not whole.
 */
static bool answer(struct connection *c)
{
    size_t body = 0;
    size_t size = parse(c, &body);

    if (size == 0) {
        return false;
    }
    int head = snprintf(c->out, HEAD_MAX,
                        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"
                        "content-length: %zu\r\n\r\n",
                        size - body);
    memcpy(c->out + head, c->in + body, size - body);
    c->out_size = (size_t)head + size - body;
    c->in_size -= size;
    memmove(c->in, c->in + size, c->in_size);
    return true;
}

/* Goes on with a connection as far as its socket allows; false: it is over. */
static bool proceed(struct connection *c)
{
    if (!c->is_open) {
        int result = SSL_accept(c->ssl);
        if (result != 1) {
            return is_waiting(c, result);
        }
        c->is_open = true;
    }
    for (;;) {
        if (c->out_size != 0) {
            int sent = SSL_write(c->ssl, c->out, (int)c->out_size);
            if (sent <= 0) {
                return is_waiting(c, sent);
            }
            c->out_size = 0; /* no partial writes: all or nothing */
        }
        if (answer(c)) {
            continue;
        }
        if (c->in_size == BUFFER_MAX - 1) {
            return false; /* larger than what is sent here */
        }
        int got =
            SSL_read(c->ssl, c->in + c->in_size, (int)(BUFFER_MAX - 1 - c->in_size));
        if (got <= 0) {
            return is_waiting(c, got);
        }
        c->in_size += (size_t)got;
        c->in[c->in_size] = '\0'; /* strtoul stops here */
    }
}

static void welcome(int epoll, int listener, SSL_CTX *tls)
{
    int yes = 1;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0) {
        return;
    }
    struct connection *c = malloc(sizeof(*c));
    SSL *ssl = SSL_new(tls);
    if (c == NULL || ssl == NULL) {
        exit(1);
    }
    c->ssl = ssl;
    c->fd = fd;
    c->is_open = false;
    c->in_size = 0;
    c->out_size = 0;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    (void)SSL_set_fd(ssl, fd);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        release(c);
    }
}

static int listen_at(const char *port)
{
    int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
        listen(fd, BACKLOG) != 0) {
        perror("floor: cannot listen");
        exit(1);
    }
    return fd;
}

static SSL_CTX *tls_with(const char *certificate, const char *key)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

    if (tls == NULL || SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set1_groups_list(tls, "X25519") != 1 ||
        SSL_CTX_set_num_tickets(tls, 1) != 1 ||
        SSL_CTX_use_certificate_chain_file(tls, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1) {
        (void)fprintf(stderr, "floor: cannot use %s and %s\n", certificate, key);
        exit(1);
    }
    (void)SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    return tls;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        (void)fprintf(stderr, "usage: floor PORT CERTIFICATE KEY\n");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    SSL_CTX *tls = tls_with(argv[2], argv[3]);
    int listener = listen_at(argv[1]);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0) {
        return 1;
    }
    for (;;) {
        struct epoll_event ready[EVENTS_MAX];
        int count = epoll_wait(epoll, ready, EVENTS_MAX, -1);
        if (count < 0 && errno != EINTR) {
            return 1;
        }
        for (int i = 0; i < count; i++) {
            struct connection *c = ready[i].data.ptr;
            if (c == NULL) {
                welcome(epoll, listener, tls);
            } else if (!proceed(c)) {
                release(c);
            }
        }
    }
}
