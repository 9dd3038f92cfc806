/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_dcap.c - a world with DCAP (test/dcap/world.h) to talk to:
 *
 *     fake_dcap DIR [--sim SIM_DIR] [--socket PATH] [--port N] [--config FILE]
 *
 * --sim: AESM listens at PATH (DIR/aesm.sock) and quotes REPORTs of that simulated
 * machine (STATE/sim of a tfaasd). --port: a PCS listens on 127.0.0.1:N. It says "ready"
 * and then stays in the foreground until its standard input ends, SIGTERM, or two hours.
 * Several may share one DIR, one after the other, or at once for several machines: then
 * each has a socket of its own, and a FILE in place of DIR/world.json that gives it a
 * PPID.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "test/dcap/aesm.h"
#include "test/dcap/pcs.h"

enum {
    LIFE_SECONDS = 7200,
    CLIENTS_MAX = 64, /* at once */
    CLIENT_SECONDS = 30,
    HANG_SECONDS = 45, /* longer than anybody who asks waits */
    REQUEST_MAX = 8 << 10
};

static struct world world;
static int clients;

struct client {
    int fd;
    bool is_aesm;
};

static void pause_ms(unsigned ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    while (nanosleep(&t, &t) != 0 && errno == EINTR) {
    }
}

static void send_all(int fd, const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        ssize_t count = send(fd, at, size, MSG_NOSIGNAL);
        if (count <= 0) {
            return;
        }
        at += count;
        size -= (size_t)count;
    }
}

/* --- AESM ----------------------------------------------------------------------------
 */

static void serve_aesm(int fd)
{
    struct aesm_message in;
    struct aesm_message out;
    struct tf_reader r;

    if (recv(fd, in.bytes, 4, MSG_WAITALL) != 4) {
        return;
    }
    tf_reader_init(&r, in.bytes, 4);
    in.size = tf_read_u32(&r);
    if (in.size > AESM_FRAME_MAX ||
        recv(fd, in.bytes, in.size, MSG_WAITALL) != (ssize_t)in.size) {
        return;
    }
    (void)pthread_mutex_lock(&world.lock);
    bool is_good = world_refresh(&world);
    unsigned delay = world.delay_ms;
    bool hangs = strcmp(world.aesm, "hang") == 0;
    if (is_good) {
        aesm_answer(&world, &(struct tf_bytes){in.bytes, in.size}, &out);
    }
    (void)pthread_mutex_unlock(&world.lock);
    pause_ms(hangs ? HANG_SECONDS * 1000 : delay);
    if (is_good && !hangs) {
        send_all(fd, out.bytes, out.size);
    }
}

/* --- PCS -----------------------------------------------------------------------------
 */

/* Reads a request's head. @return its target, or NULL. */
static char *read_target(int fd, char text[static REQUEST_MAX])
{
    size_t size = 0;

    text[0] = '\0';
    while (strstr(text, "\r\n\r\n") == NULL) {
        ssize_t got = recv(fd, text + size, REQUEST_MAX - 1 - size, 0);
        if (got <= 0) {
            return NULL;
        }
        size += (size_t)got;
        text[size] = '\0';
    }
    char *end = strncmp(text, "GET ", 4) == 0 ? strchr(text + 4, ' ') : NULL;
    if (end != NULL) {
        *end = '\0';
    }
    return end != NULL ? text + 4 : NULL;
}

static void serve_pcs(int fd)
{
    char request[REQUEST_MAX];
    char answer[PCS_ANSWER_MAX];

    const char *target = read_target(fd, request);
    if (target == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&world.lock);
    size_t size = pcs_answer(&world, target, answer);
    bool hangs = strcmp(world.http, "hang") == 0;
    (void)pthread_mutex_unlock(&world.lock);
    if (hangs) {
        pause_ms(HANG_SECONDS * 1000);
    } else {
        send_all(fd, answer, size);
    }
}

/* --- listening -----------------------------------------------------------------------
 */

static void *serve(void *user)
{
    struct client *client = user;

    if (client->is_aesm) {
        serve_aesm(client->fd);
    } else {
        serve_pcs(client->fd);
    }
    (void)close(client->fd);
    free(client);
    (void)__atomic_sub_fetch(&clients, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void accept_client(int listener, bool is_aesm)
{
    const struct timeval limit = {.tv_sec = CLIENT_SECONDS};
    pthread_t thread;
    int fd = accept(listener, NULL, NULL);
    struct client *client = fd >= 0 ? malloc(sizeof(*client)) : NULL;

    if (client == NULL) {
        return;
    }
    *client = (struct client){.fd = fd, .is_aesm = is_aesm};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (__atomic_add_fetch(&clients, 1, __ATOMIC_RELAXED) <= CLIENTS_MAX &&
        pthread_create(&thread, NULL, serve, client) == 0) {
        (void)pthread_detach(thread);
        return;
    }
    (void)__atomic_sub_fetch(&clients, 1, __ATOMIC_RELAXED);
    (void)close(fd);
    free(client);
}

static int listen_aesm(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path)) {
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    (void)unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_good = fd >= 0 &&
                   bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
                   listen(fd, CLIENTS_MAX) == 0;
    return is_good ? fd : -1;
}

static int listen_pcs(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port)};
    const int one = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_good = fd >= 0 &&
                   setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
                   bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
                   listen(fd, CLIENTS_MAX) == 0;
    return is_good ? fd : -1;
}

/* Until standard input ends. @param fds  AESM, PCS, standard input; -1: not wanted. */
static int run(struct pollfd fds[static 3])
{
    char byte = 0;

    for (;;) {
        if (poll(fds, 3, -1) < 0 && errno != EINTR) {
            return 1;
        }
        for (int i = 0; i < 2; i++) {
            if ((fds[i].revents & POLLIN) != 0) {
                accept_client(fds[i].fd, i == 0);
            }
        }
        if (fds[2].revents != 0 && read(STDIN_FILENO, &byte, 1) <= 0) {
            return 0;
        }
    }
}

struct arguments {
    const char *dir;
    const char *sim;
    const char *config;
    char socket[WORLD_PATH + 32];
    unsigned port;
};

static bool parse(int argc, char **argv, struct arguments *out)
{
    if (argc < 2 || argc % 2 != 0) {
        return false;
    }
    out->dir = argv[1];
    (void)snprintf(out->socket, sizeof(out->socket), "%s/aesm.sock", argv[1]);
    for (int i = 2; i < argc; i += 2) {
        if (strcmp(argv[i], "--sim") == 0) {
            out->sim = argv[i + 1];
        } else if (strcmp(argv[i], "--config") == 0) {
            out->config = argv[i + 1];
        } else if (strcmp(argv[i], "--socket") == 0) {
            (void)snprintf(out->socket, sizeof(out->socket), "%s", argv[i + 1]);
        } else if (strcmp(argv[i], "--port") == 0) {
            out->port = (unsigned)strtoul(argv[i + 1], NULL, 10);
        } else {
            return false;
        }
    }
    return out->port <= UINT16_MAX;
}

int main(int argc, char **argv)
{
    struct arguments a = {.port = 0};
    struct pollfd fds[3] = {{-1, POLLIN, 0}, {-1, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};

    if (!parse(argc, argv, &a)) {
        (void)fputs("usage: fake_dcap DIR [--sim SIM_DIR] [--socket PATH]"
                    " [--port N] [--config FILE]\n",
                    stderr);
        return 2;
    }
    (void)alarm(LIFE_SECONDS);
    if (!world_open(&world, a.dir, a.sim, a.config)) {
        (void)fprintf(stderr, "fake_dcap: no world in %s\n", a.dir);
        return 1;
    }
    fds[0].fd = a.sim != NULL ? listen_aesm(a.socket) : -1;
    fds[1].fd = a.port != 0 ? listen_pcs(a.port) : -1;
    if ((a.sim != NULL && fds[0].fd < 0) || (a.port != 0 && fds[1].fd < 0)) {
        perror("fake_dcap: listen");
        return 1;
    }
    (void)puts("ready");
    (void)fflush(stdout);
    return run(fds);
}
