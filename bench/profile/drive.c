/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drive.c - tfaasd and the clients for bench/profile/worker.c: has `echo` granted by a
 * core of its own (test/native), starts the worker, gives it the bundle and the sealed
 * grant, connects, and asks in rounds: each connection one request, all of a round sent
 * before the worker goes on.
 *
 *   drive BODY CONNECTIONS ROUNDS COMMAND...   the worker's command, descriptor appended
 *   drive full|resumed 1 ROUNDS COMMAND...     each round a connection: handshake,
 * request, end
 *   drive cold 1 ROUNDS COMMAND...             the same as full, to a lambda that was
 * only introduced: each round a new version, which the worker has to ask for
 *
 * Prints how many requests were answered while the worker was counting.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/profile/gate.h"
#include "host/link.h"
#include "lib/ustar.h"
#include "test/native/rig.h"

enum {
    VERSIONS_MAX = 128,
    CLIENTS_MAX = 256,
    WARM_ROUNDS = 8,
    ANSWER_MAX = 64 << 10,
    PATIENCE_MS = 60000
};

struct client {
    SSL *ssl;
    size_t received; /* of the answer that is coming */
    size_t expected; /* bytes of an answer; 0 until the first has come */
    char answer[ANSWER_MAX];
};

struct drive {
    int link;
    int gate;
    pid_t worker;
    char *request;
    size_t request_size;
    size_t body_size;
    struct client *clients;
    size_t count;

    /* For cold: versions of the bundle, and the one that is introduced. */
    int versions[VERSIONS_MAX];
    size_t envelope_sizes[VERSIONS_MAX];
    size_t version_count;
    size_t version;
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int keep(const char *directory, const char *name, const void *bytes, size_t size)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    int fd = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) {
        fail(path);
    }
    return fd;
}

/* --- what the worker is given ---------------------------------------------------- */

static char *read_echo(void)
{
    enum { CAP = 64 << 10 };
    char *code = calloc(1, CAP);
    FILE *file = fopen("examples/echo/main.js", "r");

    if (code == NULL || file == NULL || fread(code, 1, CAP - 1, file) == 0) {
        fail("examples/echo/main.js");
    }
    (void)fclose(file);
    return code;
}

/* The next versions of the bundle, each in a file that has no name any more. */
static void keep_versions(struct drive *drive, const struct rig *rig,
                          struct rig_lambda lambda)
{
    for (size_t i = 0; i < drive->version_count; i++) {
        struct tf_reader r;
        struct tf_ustar_entry envelope = {.size = 0};
        lambda.version = i + 2;
        struct fixture_bytes bytes = rig_bundle(rig, &lambda);
        int fd = memfd_create("bundle", MFD_CLOEXEC);
        tf_reader_init(&r, bytes.data, bytes.size);
        if (fd < 0 || write(fd, bytes.data, bytes.size) != (ssize_t)bytes.size ||
            tf_ustar_read(&r, &envelope) != TF_OK) {
            fail("a version");
        }
        drive->versions[i] = fd;
        drive->envelope_sizes[i] = envelope.size;
        free(bytes.data);
    }
}

/* Files `bundle`, `grant` and `domain`. */
static void prepare(struct drive *drive, const char *directory, int *bundle, int *grant)
{
    struct rig *rig = rig_open();
    char *code = read_echo();
    const struct rig_lambda lambda = {
        .name = "echo", .version = 1, .code = code, .domains = {"echo.example"}};

    rig->now = PROFILE_NOW;
    if (!rig_serve(rig, "echo", code, NULL)) {
        (void)fprintf(stderr, "drive: echo was not granted\n");
        exit(1);
    }
    const struct rig_frame *sealed = rig_last(rig, TF_MSG_SEALED);
    const struct tf_msg_sealed *head = (const void *)sealed->payload;
    size_t skip = sizeof(*head) + head->name_size;
    *grant = keep(directory, "grant", sealed->payload + skip, sealed->size - skip);
    struct fixture_bytes bytes = rig_bundle(rig, &lambda);
    *bundle = keep(directory, "bundle", bytes.data, bytes.size);
    keep_versions(drive, rig, lambda);
    (void)close(keep(directory, "domain", rig->domain, rig->domain_size));
    free(bytes.data);
    free(code);
    rig_close(rig);
}

static void start(struct drive *drive, char **command)
{
    int link[2];
    int gate[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate) != 0) {
        fail("socketpair");
    }
    drive->worker = fork();
    if (drive->worker == 0) {
        int high = fcntl(gate[1], F_DUPFD, 10); /* out of the way of 3 */
        if (dup2(link[1], 3) != 3 || dup2(high, 4) != 4) {
            fail("dup2");
        }
        (void)close(high);
        (void)execvp(command[0], command);
        fail(command[0]);
    }
    (void)close(link[1]);
    (void)close(gate[1]);
    drive->link = link[0];
    drive->gate = gate[0];
}

static void await(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    if (poll(&ready, 1, PATIENCE_MS) != 1) {
        fail("the worker is silent");
    }
}

/* Waits for one message of this type; what comes before it is not of interest. */
static void expect(const struct drive *drive, uint32_t type, uint64_t id)
{
    static uint8_t body[TF_LINK_MAX];
    struct tf_link_head head = {0};
    int fd = -1;

    while (head.type != type || head.id != id) {
        await(drive->link);
        if (tf_link_receive(drive->link, &head, body, &fd) != TF_OK) {
            fail("the worker is gone");
        }
    }
    if (type == TF_LINK_RESULT &&
        ((const struct tf_msg_result *)(const void *)body)->err != TF_OK) {
        (void)fprintf(stderr, "drive: refused: %.*s\n",
                      (int)(head.size - sizeof(struct tf_msg_result)),
                      (const char *)body + sizeof(struct tf_msg_result));
        exit(1);
    }
}

static void give(const struct drive *drive, uint32_t type, uint64_t id, int fd)
{
    struct tf_link_head head = {.type = type, .id = id};

    if (tf_link_send(drive->link, &head, NULL, fd) != TF_OK) {
        fail("link");
    }
}

static void load(const struct drive *drive, uint32_t type, uint64_t id, int fd)
{
    give(drive, type, id, fd);
    expect(drive, TF_LINK_RESULT, id);
}

/* --- clients --------------------------------------------------------------------- */

static void connect_all(struct drive *drive)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    for (size_t i = 0; i < drive->count; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
            fail("socketpair");
        }
        give(drive, TF_LINK_CONN, 0, pair[1]);
        (void)close(pair[1]);
        SSL *ssl = SSL_new(context);
        (void)SSL_set_tlsext_host_name(ssl, "echo.example");
        if (SSL_set_fd(ssl, pair[0]) != 1 || SSL_connect(ssl) != 1) {
            fail("handshake");
        }
        (void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
        drive->clients[i].ssl = ssl;
    }
    SSL_CTX_free(context);
}

/* As wrk asks. */
static void make_request(struct drive *drive)
{
    size_t cap = drive->body_size + 256;
    drive->request = malloc(cap);
    int head = snprintf(drive->request, cap,
                        "POST / HTTP/1.1\r\nHost: echo.example\r\n"
                        "content-type: text/plain\r\nContent-Length: %zu\r\n\r\n",
                        drive->body_size);
    memset(drive->request + head, 'x', drive->body_size);
    drive->request_size = (size_t)head + drive->body_size;
}

/* Takes what has come. @return whether the answer is complete. */
static bool has_answer(const struct drive *drive, struct client *client)
{
    int size = 1;

    while (size > 0) {
        size = SSL_read(client->ssl, client->answer + client->received,
                        (int)(ANSWER_MAX - 1 - client->received));
        client->received += size > 0 ? (size_t)size : 0;
    }
    client->answer[client->received] = '\0';
    const char *end = strstr(client->answer, "\r\n\r\n");
    bool is_whole =
        end != NULL &&
        client->received == (size_t)(end + 4 - client->answer) + drive->body_size;
    if (is_whole && strncmp(client->answer, "HTTP/1.1 200", 12) != 0) {
        (void)fprintf(stderr, "drive: %s\n", client->answer);
        exit(1);
    }
    return is_whole;
}

static void say(const struct drive *drive, char command)
{
    if (write(drive->gate, &command, 1) != 1) {
        fail("gate");
    }
}

static void hear(const struct drive *drive)
{
    char answer = 0;

    await(drive->gate);
    if (read(drive->gate, &answer, 1) != 1 || answer != PROFILE_WAITS) {
        fail("gate");
    }
}

/* The worker waits; one request of each connection; it waits again. */
static void run_round(struct drive *drive, char command)
{
    for (size_t i = 0; i < drive->count; i++) {
        struct client *client = &drive->clients[i];
        client->received = 0;
        if (SSL_write(client->ssl, drive->request, (int)drive->request_size) <= 0) {
            fail("send");
        }
    }
    for (bool is_done = false; !is_done; command = PROFILE_GO) {
        say(drive, command);
        hear(drive);
        is_done = true;
        for (size_t i = 0; i < drive->count; i++) {
            is_done = has_answer(drive, &drive->clients[i]) && is_done;
        }
    }
}

/* --- a connection a request ------------------------------------------------------ */

static SSL_SESSION *session; /* the newest */

static int keep_session(SSL *ssl, SSL_SESSION *made)
{
    (void)ssl;
    SSL_SESSION_free(session);
    session = made;
    return 1;
}

/* Brings the bundle that the worker has asked for, if it has. */
static void answer_wants(const struct drive *drive)
{
    static uint8_t body[TF_LINK_MAX];
    struct tf_link_head head = {0};
    struct pollfd ready = {.fd = drive->link, .events = POLLIN};
    int fd = -1;

    while (drive->version_count != 0 && poll(&ready, 1, 0) == 1) {
        if (tf_link_receive(drive->link, &head, body, &fd) != TF_OK) {
            fail("the worker is gone");
        }
        if (head.type == TF_LINK_WANT) {
            give(drive, TF_LINK_WANTED, head.id, drive->versions[drive->version]);
        }
    }
}

static void turn(const struct drive *drive, char *command)
{
    say(drive, *command);
    hear(drive);
    *command = PROFILE_GO;
    answer_wants(drive);
}

/* Has the next version take the place of the last one, of which nothing is left. */
static void introduce_next(struct drive *drive, char *command)
{
    char text[24];
    struct tf_link_head head = {.type = TF_LINK_INTRODUCE, .id = 100};

    drive->version++;
    (void)snprintf(text, sizeof(text), "%zu", drive->envelope_sizes[drive->version]);
    head.size = (uint32_t)strlen(text);
    if (tf_link_send(drive->link, &head, text, drive->versions[drive->version]) !=
        TF_OK) {
        fail("link");
    }
    turn(drive, command);
}

/* The worker has waited before, and does so again. */
static void run_connection(struct drive *drive, SSL_CTX *context, char command)
{
    struct client *client = &drive->clients[0];
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        fail("socketpair");
    }
    give(drive, TF_LINK_CONN, 0, pair[1]);
    (void)close(pair[1]);
    client->ssl = SSL_new(context);
    client->received = 0;
    (void)SSL_set_tlsext_host_name(client->ssl, "echo.example");
    if (SSL_set_fd(client->ssl, pair[0]) != 1 ||
        (session != NULL && SSL_set_session(client->ssl, session) != 1)) {
        fail("connection");
    }
    for (int rc = 0; (rc = SSL_connect(client->ssl)) != 1;) {
        if (SSL_get_error(client->ssl, rc) != SSL_ERROR_WANT_READ) {
            fail("handshake");
        }
        turn(drive, &command);
    }
    if (SSL_session_reused(client->ssl) != (session != NULL) ||
        SSL_write(client->ssl, drive->request, (int)drive->request_size) <= 0) {
        fail("send");
    }
    while (!has_answer(drive, client)) {
        turn(drive, &command);
    }
    (void)SSL_shutdown(client->ssl);
    SSL_free(client->ssl);
    client->ssl = NULL;
    (void)close(pair[0]);
    turn(drive, &command);
}

/* Connections of their own, one after the other. */
static void run_connections(struct drive *drive, size_t rounds, bool is_resumed)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    make_request(drive);
    say(drive, PROFILE_CLOSE);
    give(drive, TF_LINK_STATS, 9, -1);
    hear(drive);
    run_connection(drive, context, PROFILE_GO);
    if (is_resumed) {
        (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT);
        SSL_CTX_sess_set_new_cb(context, keep_session);
    }
    for (size_t i = 0; i < WARM_ROUNDS; i++) {
        run_connection(drive, context, PROFILE_GO);
    }
    for (size_t i = 0; i < rounds; i++) {
        char command = i == 0 ? PROFILE_START : PROFILE_GO;
        if (drive->version_count != 0) {
            introduce_next(drive, &command);
        }
        run_connection(drive, context, command);
    }
    say(drive, PROFILE_STOP);
    SSL_SESSION_free(session);
    SSL_CTX_free(context);
}

static void run(struct drive *drive, size_t rounds)
{
    connect_all(drive);
    make_request(drive);
    say(drive, PROFILE_CLOSE);
    give(drive, TF_LINK_STATS, 9, -1); /* wakes it; nobody reads the answer */
    hear(drive);
    for (size_t i = 0; i < WARM_ROUNDS; i++) {
        run_round(drive, PROFILE_GO);
    }
    for (size_t i = 0; i < rounds; i++) {
        run_round(drive, i == 0 ? PROFILE_START : PROFILE_GO);
    }
    say(drive, PROFILE_STOP);
}

int main(int argc, char **argv)
{
    enum { ARGS = 4 };
    char directory[] = "/tmp/tfaas-profile.XXXXXX";
    char domain[64];
    char *command[32] = {0};
    struct drive drive = {0};
    int bundle = -1;
    int grant = -1;
    int status = 1;

    if (argc <= ARGS || argc > 28 || mkdtemp(directory) == NULL) {
        (void)fprintf(stderr, "usage: drive BODY CONNECTIONS ROUNDS COMMAND...\n");
        return 2;
    }
    bool is_resumed = strcmp(argv[1], "resumed") == 0;
    bool is_cold = strcmp(argv[1], "cold") == 0;
    bool has_connections = is_resumed || is_cold || strcmp(argv[1], "full") == 0;
    drive.body_size = has_connections ? 100 : (size_t)strtoul(argv[1], NULL, 10);
    drive.count = (size_t)strtoul(argv[2], NULL, 10);
    size_t rounds = (size_t)strtoul(argv[3], NULL, 10);
    drive.clients = calloc(CLIENTS_MAX, sizeof(*drive.clients));
    if (drive.count == 0 || drive.count > CLIENTS_MAX ||
        drive.body_size > ANSWER_MAX / 2 || rounds >= VERSIONS_MAX) {
        return 2;
    }
    drive.version_count = is_cold ? rounds + 1 : 0;
    prepare(&drive, directory, &bundle, &grant);
    (void)snprintf(domain, sizeof(domain), "%s/domain", directory);
    memcpy(command, argv + ARGS, (size_t)(argc - ARGS) * sizeof(*command));
    command[argc - ARGS] = domain;
    start(&drive, command);
    expect(&drive, TF_LINK_READY, 0);
    load(&drive, TF_LINK_BUNDLE, 1, bundle);
    load(&drive, TF_LINK_GRANT, 2, grant);
    if (has_connections) {
        run_connections(&drive, rounds, is_resumed);
    } else {
        run(&drive, rounds);
    }
    for (const char *const *name =
             (const char *const[]){"domain", "bundle", "grant", NULL};
         *name != NULL; name++) {
        (void)snprintf(domain, sizeof(domain), "%s/%s", directory, *name);
        (void)unlink(domain);
    }
    (void)rmdir(directory);
    for (size_t i = 0; i < drive.count; i++) {
        SSL_free(drive.clients[i].ssl);
    }
    free(drive.clients);
    free(drive.request);
    (void)printf("%zu\n", drive.count * rounds);
    return waitpid(drive.worker, &status, 0) == drive.worker && status == 0 ? 0 : 1;
}
