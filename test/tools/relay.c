/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay.c - the man in the middle of an attestation. It ends TLS towards the relying
 * party with a certificate of its own, opens TLS towards a genuine instance, and passes
 * requests and answers between the two; what it may do on the way is its MODE:
 *
 *   relay pass   LISTEN UPSTREAM          passes everything on
 *   relay replay LISTEN UPSTREAM          answers every later attestation with the first
 * one relay mix    LISTEN UPSTREAM OTHER    takes the claims from UPSTREAM and the
 * evidence from OTHER, a second instance
 *
 * Addresses are HOST:PORT. Prints "ready" when it listens, and each request's path.
 * Serves one connection at a time and ends by itself after two minutes, or when its
 * standard input ends.
 */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

enum { MESSAGE_MAX = 512 << 10, LIFE_SECONDS = 120, NAME_MAX_SIZE = 256 };

/* An HTTP message; NUL behind it. */
struct message {
    char bytes[MESSAGE_MAX + 1];
    size_t size;
};

static struct {
    const char *mode;
    const char *upstream;
    const char *other;
    SSL_CTX *server;
    SSL_CTX *client;
    struct message request;
    struct message answer;
    struct message first; /* what "replay" repeats */
    struct message second;
} relay;

/* --- messages ----------------------------------------------------------------------- */

/* The whole size of the message whose head is here; 0 if the head is not whole. */
static size_t whole_size(const struct message *m)
{
    const char *end = strstr(m->bytes, "\r\n\r\n");
    const char *field = strcasestr(m->bytes, "\r\ncontent-length:");

    if (end == NULL) {
        return 0;
    }
    size_t body = field != NULL && field < end ? strtoul(field + 17, NULL, 10) : 0;
    return (size_t)(end + 4 - m->bytes) + body;
}

static bool receive(SSL *ssl, struct message *m)
{
    m->size = 0;
    m->bytes[0] = '\0';
    for (;;) {
        size_t whole = whole_size(m);
        if (whole != 0 && m->size >= whole) {
            return true;
        }
        int n = SSL_read(ssl, m->bytes + m->size, (int)(MESSAGE_MAX - m->size));
        if (n <= 0) {
            return false;
        }
        m->size += (size_t)n;
        m->bytes[m->size] = '\0';
    }
}

static bool send_message(SSL *ssl, const struct message *m)
{
    return SSL_write(ssl, m->bytes, (int)m->size) == (int)m->size;
}

static bool is_for(const struct message *m, const char *path)
{
    size_t size = strlen(path);

    return strncmp(m->bytes, "POST ", 5) == 0 && strncmp(m->bytes + 5, path, size) == 0;
}

/* --- what the modes do -------------------------------------------------------------- */

/* Sends the request to an instance, on a connection of its own. */
static bool ask(const char *address, const char *name, const struct message *request,
                struct message *answer)
{
    SSL *ssl = NULL;
    BIO *bio = BIO_new_ssl_connect(relay.client);
    bool is_done = bio != NULL && BIO_get_ssl(bio, &ssl) == 1 &&
                   BIO_set_conn_hostname(bio, address) == 1 &&
                   SSL_set_tlsext_host_name(ssl, name) == 1 && BIO_do_connect(bio) == 1 &&
                   send_message(ssl, request) && receive(ssl, answer);

    BIO_free_all(bio);
    return is_done;
}

static json_t *body_of(const struct message *m)
{
    const char *body = strstr(m->bytes, "\r\n\r\n");

    return body == NULL ? NULL : json_loads(body + 4, 0, NULL);
}

/* Puts the evidence of `from` into the answer in `to`. */
static bool take_evidence(const struct message *from, struct message *to)
{
    json_t *theirs = body_of(from);
    json_t *ours = body_of(to);
    bool is_done =
        ours != NULL && theirs != NULL &&
        json_object_set(ours, "evidence", json_object_get(theirs, "evidence")) == 0;
    char *text = is_done ? json_dumps(ours, JSON_COMPACT) : NULL;

    if (text != NULL) {
        int n = snprintf(to->bytes, sizeof(to->bytes),
                         "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                         "content-length: %zu\r\n\r\n%s",
                         strlen(text), text);
        to->size = (size_t)n;
    }
    free(text);
    json_decref(ours);
    json_decref(theirs);
    return is_done && to->size < sizeof(to->bytes);
}

static bool answer_one(const char *name)
{
    bool is_attest = is_for(&relay.request, "/v1/attest ");

    if (strcmp(relay.mode, "replay") == 0 && is_attest && relay.first.size != 0) {
        relay.answer = relay.first;
        return true;
    }
    if (!ask(relay.upstream, name, &relay.request, &relay.answer)) {
        return false;
    }
    if (is_attest && relay.first.size == 0) {
        relay.first = relay.answer;
    }
    if (strcmp(relay.mode, "mix") == 0 && is_attest) {
        return ask(relay.other, name, &relay.request, &relay.second) &&
               take_evidence(&relay.second, &relay.answer);
    }
    return true;
}

static void serve(SSL *ssl)
{
    char name[NAME_MAX_SIZE];

    if (SSL_accept(ssl) != 1) {
        return;
    }
    const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)snprintf(name, sizeof(name), "%s", sni == NULL ? "" : sni);
    while (receive(ssl, &relay.request)) {
        (void)printf("%.40s\n", relay.request.bytes);
        (void)fflush(stdout);
        if (!answer_one(name) || !send_message(ssl, &relay.answer)) {
            return;
        }
    }
}

/* --- start -------------------------------------------------------------------------- */

/* A certificate as the management endpoint shows one: self-signed, P-256. */
static bool make_identity(SSL_CTX *ctx)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    bool is_made =
        key != NULL && cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1 &&
        ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(cert), -60) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(cert), 3600) != NULL &&
        X509_set_pubkey(cert, key) == 1 && X509_sign(cert, key, EVP_sha256()) > 0 &&
        SSL_CTX_use_certificate(ctx, cert) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1;

    X509_free(cert);
    EVP_PKEY_free(key);
    return is_made;
}

static bool start(BIO **listener, const char *address)
{
    relay.server = SSL_CTX_new(TLS_server_method());
    relay.client = SSL_CTX_new(TLS_client_method());
    *listener = BIO_new_accept(address);
    if (relay.server == NULL || relay.client == NULL || *listener == NULL ||
        !make_identity(relay.server)) {
        return false;
    }
    SSL_CTX_set_mode(relay.client, SSL_MODE_AUTO_RETRY);
    (void)BIO_set_bind_mode(*listener, BIO_BIND_REUSEADDR);
    return BIO_do_accept(*listener) == 1;
}

/* Waits for a connection. False when standard input ended. */
static bool wait_for(BIO *listener)
{
    struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.events = POLLIN}};
    char byte = 0;

    if (BIO_get_fd(listener, &fds[1].fd) < 0 || poll(fds, 2, -1) < 0) {
        return false;
    }
    return fds[0].revents == 0 || read(STDIN_FILENO, &byte, 1) == 1;
}

int main(int argc, char **argv)
{
    BIO *listener = NULL;

    if (argc < 4 || (strcmp(argv[1], "mix") == 0) != (argc == 5)) {
        (void)fprintf(stderr, "usage: relay pass|replay|mix LISTEN UPSTREAM [OTHER]\n");
        return 2;
    }
    relay.mode = argv[1];
    relay.upstream = argv[3];
    relay.other = argv[4];
    (void)signal(SIGPIPE, SIG_IGN);
    (void)alarm(LIFE_SECONDS);
    if (!start(&listener, argv[2])) {
        ERR_print_errors_fp(stderr);
        return 1;
    }
    (void)printf("ready\n");
    (void)fflush(stdout);
    while (wait_for(listener) && BIO_do_accept(listener) == 1) {
        BIO *one = BIO_pop(listener);
        SSL *ssl = SSL_new(relay.server);
        SSL_set_bio(ssl, one, one);
        serve(ssl);
        SSL_free(ssl);
    }
    return 0;
}
