/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rawtls.c - sends a file's bytes over TLS 1.3, as they are, and prints what comes back:
 * for requests that no HTTP client would send.
 *
 *   rawtls [-s SIZE[,SIZE...]] [-p MS] [-q MS] PORT SNI CAFILE FILE
 *
 * Connects to 127.0.0.1:PORT and verifies the certificate for SNI against CAFILE. -s:
 * sends in pieces of these sizes, the last one repeated; each piece is a TLS record of
 * its own. -p: rests that long after each piece. -q: gives up when that long (2000)
 * nothing came. Reads while it sends. Exit status: 0 the server closed properly; 1 it
 * could not be reached or TLS failed; 2 usage; 3 it stayed silent with the connection
 * open; 4 it reset the connection or closed without close_notify.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SIZES_MAX = 64, FILE_MAX = 64 << 20, HANDSHAKE_MS = 5000 };

enum {
    EXIT_CLOSED = 0,
    EXIT_FAILED = 1,
    EXIT_BAD_USAGE = 2,
    EXIT_SILENT = 3,
    EXIT_RESET = 4
};

struct session {
    const char *port;
    const char *name;
    const char *ca;
    char *data; /* owned */
    size_t size;
    size_t sent;
    size_t sizes[SIZES_MAX]; /* of pieces */
    size_t size_count;
    size_t piece; /* the one being sent */
    long pause_ms;
    long quiet_ms;
    long next_ms;  /* when the next piece may go */
    long heard_ms; /* when something happened last */
    int fd;
    SSL_CTX *ctx;
    SSL *ssl;
};

static long now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool read_file(struct session *s, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    s->data = malloc(FILE_MAX);
    if (s->data != NULL) {
        s->size = fread(s->data, 1, FILE_MAX, file);
    }
    bool is_whole = s->data != NULL && !ferror(file) && s->size < FILE_MAX;
    (void)fclose(file);
    return is_whole;
}

static bool read_sizes(struct session *s, const char *text)
{
    while (s->size_count < SIZES_MAX) {
        char *end = NULL;
        unsigned long size = strtoul(text, &end, 10);
        if (end == text || size == 0) {
            return false;
        }
        s->sizes[s->size_count++] = size;
        if (*end == '\0') {
            return true;
        }
        if (*end != ',') {
            return false;
        }
        text = end + 1;
    }
    return false;
}

static bool read_option(struct session *s, int option)
{
    switch (option) {
    case 's':
        return read_sizes(s, optarg);
    case 'p':
        s->pause_ms = strtol(optarg, NULL, 10);
        return true;
    case 'q':
        s->quiet_ms = strtol(optarg, NULL, 10);
        return true;
    default:
        return false;
    }
}

static bool read_arguments(struct session *s, int argc, char **argv)
{
    int option = 0;
    s->quiet_ms = 2000;
    while ((option = getopt(argc, argv, "s:p:q:")) != -1) {
        if (!read_option(s, option)) {
            return false;
        }
    }
    if (argc - optind != 4 || !read_file(s, argv[optind + 3])) {
        return false;
    }
    s->port = argv[optind];
    s->name = argv[optind + 1];
    s->ca = argv[optind + 2];
    return true;
}

static bool connect_tcp(struct session *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)strtoul(s->port, NULL, 10));
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = HANDSHAKE_MS / 1000};
    return s->fd >= 0 &&
           setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
           connect(s->fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool connect_tls(struct session *s)
{
    s->ctx = SSL_CTX_new(TLS_client_method());
    if (s->ctx == NULL || SSL_CTX_set_min_proto_version(s->ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_load_verify_locations(s->ctx, s->ca, NULL) != 1) {
        return false;
    }
    SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER, NULL);
    s->ssl = SSL_new(s->ctx);
    if (s->ssl == NULL || SSL_set_tlsext_host_name(s->ssl, s->name) != 1 ||
        SSL_set1_host(s->ssl, s->name) != 1 || SSL_set_fd(s->ssl, s->fd) != 1 ||
        SSL_connect(s->ssl) != 1) {
        return false;
    }
    SSL_set_mode(s->ssl,
                 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return fcntl(s->fd, F_SETFL, O_NONBLOCK) == 0;
}

/* Bytes of the piece that starts or goes on at `sent`. */
static size_t piece_left(const struct session *s)
{
    size_t left = s->size - s->sent;
    if (s->size_count == 0) {
        return left;
    }
    size_t size = s->sizes[s->piece < s->size_count ? s->piece : s->size_count - 1];
    return size < left ? size : left;
}

/* @return -1 to go on, or an exit status. */
static int status_of(struct session *s, int result)
{
    int error = SSL_get_error(s->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        return -1;
    }
    return error == SSL_ERROR_ZERO_RETURN ? EXIT_CLOSED : EXIT_RESET;
}

static void send_piece(struct session *s)
{
    if (s->sent == s->size || now_ms() < s->next_ms) {
        return;
    }
    int sent = SSL_write(s->ssl, s->data + s->sent, (int)piece_left(s));
    if (sent > 0) {
        s->sent += (size_t)sent;
        s->piece++;
        s->heard_ms = now_ms();
        s->next_ms = s->heard_ms + s->pause_ms;
    } else if (status_of(s, sent) != -1) {
        /* The server closed: what it said before is still to be read. */
        ERR_clear_error();
        s->sent = s->size;
    }
}

static int receive_all(struct session *s)
{
    char block[16384];
    for (;;) {
        int size = SSL_read(s->ssl, block, sizeof(block));
        if (size <= 0) {
            return status_of(s, size);
        }
        (void)fwrite(block, 1, (size_t)size, stdout);
        s->heard_ms = now_ms();
    }
}

static int talk(struct session *s)
{
    s->heard_ms = now_ms();
    while (now_ms() - s->heard_ms < s->quiet_ms) {
        send_piece(s);
        int status = receive_all(s);
        if (status >= 0) {
            return status;
        }
        bool can_send = s->sent < s->size && now_ms() >= s->next_ms;
        struct pollfd poll_fd = {.fd = s->fd, .events = POLLIN};
        poll_fd.events |= can_send ? POLLOUT : 0;
        (void)poll(&poll_fd, 1, s->sent < s->size ? 5 : 50);
    }
    return EXIT_SILENT;
}

int main(int argc, char **argv)
{
    struct session session = {.fd = -1};
    int status = EXIT_FAILED;
    (void)signal(SIGPIPE, SIG_IGN);
    if (!read_arguments(&session, argc, argv)) {
        (void)fprintf(stderr, "usage: rawtls [-s SIZE[,SIZE...]] [-p MS] [-q MS] PORT SNI"
                              " CAFILE FILE\n");
        status = EXIT_BAD_USAGE;
    } else if (connect_tcp(&session) && connect_tls(&session)) {
        status = talk(&session);
    } else {
        (void)fprintf(stderr, "rawtls: no connection: %s\n", strerror(errno));
        ERR_print_errors_fp(stderr);
    }
    (void)fflush(stdout);
    SSL_free(session.ssl);
    SSL_CTX_free(session.ctx);
    free(session.data);
    if (session.fd >= 0) {
        (void)close(session.fd);
    }
    return status;
}
