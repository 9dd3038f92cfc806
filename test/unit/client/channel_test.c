/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine that answers a byte now and then holds nobody up for long. The clock is the
 * test's: each byte that the machine sends takes a second of it.
 */
#include "client/channel.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "test/fixture.h"
#include "test/test.h"

static atomic_int seconds; /* that have gone by, beyond the true ones */

int __real_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
    int result = __real_clock_gettime(clock, out);

    out->tv_sec += atomic_load(&seconds);
    return result;
}

enum manner {
    AT_ONCE, /* the whole answer */
    SLOWLY,  /* a byte a second, and the last one to who waits for it */
    NO_HELLO /* the same with the handshake */
};

/* A machine with one connection. */
struct machine {
    enum manner manner;
    int listener;
    char address[32];
    pthread_t thread;
};

static const char answer[] =
    "HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{\"good\":true";

static void send_slowly(int fd, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        atomic_fetch_add(&seconds, 1);
        if (send(fd, bytes + i, 1, MSG_NOSIGNAL) != 1) {
            return;
        }
    }
}

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *cert = X509_new();

    (void)X509_set_pubkey(cert, key);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    (void)X509_sign(cert, key, EVP_sha256());
    return cert;
}

static SSL *accept_tls(SSL_CTX *ctx, int fd)
{
    struct fixture_key key = fixture_key_open("P-256");
    X509 *cert = make_certificate(key.key);

    (void)SSL_CTX_use_certificate(ctx, cert);
    (void)SSL_CTX_use_PrivateKey(ctx, key.key);
    X509_free(cert);
    fixture_key_close(&key);
    SSL *ssl = SSL_new(ctx);
    (void)SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    return ssl;
}

/* Takes a request and answers it. */
static void answer_one(const struct machine *m, SSL *ssl, int fd)
{
    char request[1024];
    uint8_t *record = NULL;

    if (SSL_read(ssl, request, sizeof(request)) <= 0) {
        return;
    }
    if (m->manner == AT_ONCE) {
        (void)SSL_write(ssl, answer, 20);
        (void)SSL_write(ssl, answer + 20, sizeof(answer) - 21);
        (void)SSL_write(ssl, "}", 1);
        return;
    }
    BIO *memory = BIO_new(BIO_s_mem());
    SSL_set0_wbio(ssl, memory);
    (void)SSL_write(ssl, answer, sizeof(answer) - 1);
    long size = BIO_get_mem_data(memory, &record);
    send_slowly(fd, record, (size_t)size - 1);
    const struct timeval patience = {.tv_sec = 10};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (recv(fd, request, sizeof(request), 0) < 0) { /* it has not left */
        (void)send(fd, record + size - 1, 1, MSG_NOSIGNAL);
    }
}

static void *run_machine(void *user)
{
    const struct machine *m = user;
    uint8_t half_hello[64] = {22, 3, 3, 1, 0};
    char rest[256];
    int fd = accept(m->listener, NULL, NULL);

    if (m->manner == NO_HELLO) {
        send_slowly(fd, half_hello, sizeof(half_hello));
    } else {
        SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
        SSL *ssl = accept_tls(ctx, fd);
        if (ssl != NULL) {
            answer_one(m, ssl, fd);
        }
        SSL_free(ssl);
        SSL_CTX_free(ctx);
    }
    while (recv(fd, rest, sizeof(rest), 0) > 0) { /* until the client leaves */
    }
    (void)close(fd);
    return NULL;
}

static struct machine *machine_start(enum manner manner)
{
    struct machine *m = calloc(1, sizeof(*m));
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    m->manner = manner;
    m->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(m->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(m->listener, 1) != 0 ||
        getsockname(m->listener, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&m->thread, NULL, run_machine, m) != 0) {
        abort();
    }
    (void)snprintf(m->address, sizeof(m->address), "127.0.0.1:%u",
                   ntohs(address.sin_port));
    return m;
}

static void machine_end(struct machine *m)
{
    (void)pthread_join(m->thread, NULL);
    (void)close(m->listener);
    free(m);
}

static tf_err ask(const struct machine *m)
{
    struct tf_channel_client *c = tf_channel_try(m->address, "shop");
    json_t *got = NULL;

    CHECK(c != NULL);
    ERR_raise(ERR_LIB_USER, 1); /* something else went wrong before */
    tf_err err = c == NULL ? TF_EINTERNAL : tf_channel_post(c, "/", "{}", 2, &got);
    CHECK((err == TF_OK) == json_is_true(json_object_get(got, "good")));
    json_decref(got);
    tf_channel_close(c);
    return err;
}

static void an_answer_in_pieces_arrives(void)
{
    struct machine *m = machine_start(AT_ONCE);

    CHECK(ask(m) == TF_OK);
    machine_end(m);
}

static void an_answer_that_trickles_is_given_up(void)
{
    struct machine *m = machine_start(SLOWLY);

    CHECK(ask(m) == TF_EIO);
    machine_end(m);
}

static void a_hello_that_trickles_is_given_up(void)
{
    struct machine *m = machine_start(NO_HELLO);

    CHECK(tf_channel_try(m->address, "shop") == NULL);
    machine_end(m);
}

static void who_shakes_hands_serves(void)
{
    struct machine *m = machine_start(AT_ONCE);

    CHECK(tf_channel_serves(m->address, "shop.test"));
    machine_end(m);
    m = machine_start(NO_HELLO);
    CHECK(!tf_channel_serves(m->address, "shop.test"));
    machine_end(m);
    CHECK(!tf_channel_serves("127.0.0.1:1", "shop.test"));
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as the programs do */
    RUN(an_answer_in_pieces_arrives);
    RUN(an_answer_that_trickles_is_given_up);
    RUN(a_hello_that_trickles_is_given_up);
    RUN(who_shakes_hands_serves);
    return test_end();
}
