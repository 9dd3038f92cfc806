/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zipf.c - visitors of many lambdas, a few of which are popular: which lambda comes next
 * is drawn by Zipf's law. Each visit is a new connection with a full TLS 1.3 handshake
 * and one to four requests, each answer must be 200 with the lambda's name as its body.
 *
 *   zipf [-t SECONDS] [-c CLIENTS] [-s EXPONENT] PORT CAFILE NAMES
 *
 * NAMES has a lambda a line, the most popular first; its domain is NAME.test. Connects to
 * 127.0.0.1:PORT. Prints one JSON line: visits, requests, errors, how many lambdas were
 * visited, and times from the ClientHello to the answer's first byte, in microseconds: of
 * the first visit to each lambda, and of all others. Exit status: 0 no error, 1 errors, 2
 * usage.
 */
#include <arpa/inet.h>
#include <math.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { NAMES_MAX = 8192, CLIENTS_MAX = 64, SAMPLES_MAX = 1 << 20, TIMEOUT_SECONDS = 30 };

struct samples {
    unsigned *us; /* owned */
    size_t count;
};

static struct {
    char names[NAMES_MAX][64];
    double reach[NAMES_MAX]; /* chance of this one or one before */
    bool is_visited[NAMES_MAX];
    size_t count;
    SSL_CTX *ctx;
    unsigned short port;
    double end; /* of the monotonic clock */
    pthread_mutex_t lock;
    size_t visits;
    size_t requests;
    size_t errors;
    struct samples first;
    struct samples other;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

static double now(void)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* xorshift64*, so that each run asks the same. */
static double draw(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)((*state * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

static size_t choose(uint64_t *state)
{
    double at = draw(state);
    size_t low = 0;
    size_t high = all.count - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (all.reach[middle] < at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(all.port)};
    const struct timeval patience = {.tv_sec = TIMEOUT_SECONDS};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 &&
        (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
         connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* One request and its answer. @return whether it was right; `first` is when its first
 * byte came. */
static bool ask(SSL *ssl, const char *name, double *first)
{
    char text[2048];
    int size =
        snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s.test\r\n\r\n", name);
    size_t got = 0;
    if (SSL_write(ssl, text, size) != size) {
        return false;
    }
    for (;;) {
        int some = SSL_read(ssl, text + got, (int)(sizeof(text) - 1 - got));
        if (some <= 0) {
            return false;
        }
        *first = got == 0 ? now() : *first;
        got += (size_t)some;
        text[got] = '\0';
        const char *body = strstr(text, "\r\n\r\n");
        if (body != NULL && strlen(body + 4) >= strlen(name)) {
            return strncmp(text, "HTTP/1.1 200 ", 13) == 0 && strcmp(body + 4, name) == 0;
        }
    }
}

static void note(size_t lambda, double took, size_t requests, bool is_good)
{
    (void)pthread_mutex_lock(&all.lock);
    struct samples *to = all.is_visited[lambda] ? &all.other : &all.first;
    all.is_visited[lambda] = true;
    all.visits++;
    all.requests += requests;
    all.errors += !is_good;
    if (is_good && to->count < SAMPLES_MAX) {
        to->us[to->count++] = (unsigned)(took * 1e6);
    }
    (void)pthread_mutex_unlock(&all.lock);
}

static void visit(size_t lambda, size_t wanted)
{
    char host[72];
    size_t requests = 0;
    double first = 0;
    double later = 0;
    int fd = dial();
    SSL *ssl = fd < 0 ? NULL : SSL_new(all.ctx);
    (void)snprintf(host, sizeof(host), "%s.test", all.names[lambda]);
    double began = now();
    bool is_good = ssl != NULL && SSL_set_fd(ssl, fd) == 1 &&
                   SSL_set_tlsext_host_name(ssl, host) == 1 &&
                   SSL_set1_host(ssl, host) == 1 && SSL_connect(ssl) == 1;
    while (is_good && requests < wanted) {
        is_good = ask(ssl, all.names[lambda], requests == 0 ? &first : &later);
        requests++;
    }
    note(lambda, first - began, requests, is_good);
    if (ssl != NULL) {
        (void)SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    if (fd >= 0) {
        (void)close(fd);
    }
}

static void *client(void *user)
{
    uint64_t state = 88172645463325252u + (uint64_t)(uintptr_t)user * 977;
    while (now() < all.end) {
        size_t lambda = choose(&state);
        visit(lambda, 1 + (size_t)(draw(&state) * 4));
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a;
    unsigned y = *(const unsigned *)b;
    return (x > y) - (x < y);
}

static void print(const char *name, struct samples *samples)
{
    qsort(samples->us, samples->count, sizeof(samples->us[0]), compare);
    size_t last = samples->count == 0 ? 0 : samples->count - 1;
    (void)printf(",\"%s\":{\"count\":%zu,\"p50_us\":%u,\"p99_us\":%u}", name,
                 samples->count, samples->us[last / 2], samples->us[last * 99 / 100]);
}

static bool read_names(const char *path, double exponent)
{
    FILE *file = fopen(path, "r");
    double sum = 0;
    while (file != NULL && all.count < NAMES_MAX &&
           fscanf(file, "%63s", all.names[all.count]) == 1) {
        all.count++;
        sum += pow((double)all.count, -exponent);
        all.reach[all.count - 1] = sum;
    }
    for (size_t i = 0; i < all.count; i++) {
        all.reach[i] /= sum;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return all.count != 0;
}

static bool open_tls(const char *ca)
{
    all.ctx = SSL_CTX_new(TLS_client_method());
    if (all.ctx == NULL || SSL_CTX_set_min_proto_version(all.ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_load_verify_locations(all.ctx, ca, NULL) != 1) {
        return false;
    }
    SSL_CTX_set_verify(all.ctx, SSL_VERIFY_PEER, NULL);
    all.first.us = calloc(SAMPLES_MAX, sizeof(unsigned));
    all.other.us = calloc(SAMPLES_MAX, sizeof(unsigned));
    return all.first.us != NULL && all.other.us != NULL;
}

int main(int argc, char **argv)
{
    double seconds = 3;
    double exponent = 1;
    int clients = 4;
    int option = 0;
    while ((option = getopt(argc, argv, "t:c:s:")) != -1) {
        seconds = option == 't' ? atof(optarg) : seconds;
        clients = option == 'c' ? atoi(optarg) : clients;
        exponent = option == 's' ? atof(optarg) : exponent;
        if (option == '?') {
            return 2;
        }
    }
    if (argc - optind != 3 || clients < 1 || clients > CLIENTS_MAX ||
        !read_names(argv[optind + 2], exponent) || !open_tls(argv[optind + 1])) {
        (void)fputs(
            "usage: zipf [-t SECONDS] [-c CLIENTS] [-s EXPONENT] PORT CAFILE NAMES\n",
            stderr);
        return 2;
    }
    pthread_t threads[CLIENTS_MAX];
    (void)signal(SIGPIPE, SIG_IGN);
    all.port = (unsigned short)atoi(argv[optind]);
    all.end = now() + seconds;
    for (int i = 0; i < clients; i++) {
        if (pthread_create(&threads[i], NULL, client, (void *)(uintptr_t)i) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < clients; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    (void)printf("{\"visits\":%zu,\"requests\":%zu,\"errors\":%zu,\"lambdas\":%zu",
                 all.visits, all.requests, all.errors, all.first.count);
    print("first", &all.first);
    print("other", &all.other);
    (void)puts("}");
    return all.errors == 0 ? 0 : 1;
}
