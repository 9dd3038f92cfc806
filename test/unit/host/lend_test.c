/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tfaasd's side of a loan: the gateway on a socket of its own, with workers that are
 * nothing but the other ends of their links. The test is those ends, and the clients.
 */
#include "host/lend.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/gateway.h"
#include "host/link.h"
#include "host/registry.h"
#include "host/supervise.h"
#include "test/hello.h"
#include "test/test.h"

enum { VOTES = 32, THREADS = 2, TURN_MS = 20, LOOKS_MS = 250 };

static struct tf_daemon daemon_;
static struct tf_worker workers[2];
static int ends[2][THREADS];
static uint8_t body[TF_LINK_MAX];
static const struct tf_engine lean = {.name = "quickjs"};
static const struct tf_engine native = {.name = "v8", .is_native = true};

static void over(void *user)
{
    struct tf_loop *loop = user;
    loop->is_over = true;
}

static void turn(uint64_t ms)
{
    struct tf_timer timer = {.fire = over, .user = &daemon_.loop};
    daemon_.loop.is_over = false;
    tf_loop_set(&daemon_.loop, &timer, ms);
    CHECK(tf_loop_run(&daemon_.loop) == TF_OK);
}

static void deploy(const char *name, struct tf_worker *worker)
{
    struct tf_lambda lambda = {.version = 1, .dns_count = 1, .seat = {.worker = worker}};
    (void)snprintf(lambda.name, sizeof(lambda.name), "%s", name);
    (void)snprintf(lambda.dns[0], sizeof(lambda.dns[0]), "%s.example", name);
    CHECK(tf_registry_put(&daemon_.registry, &lambda) == TF_OK);
}

static void begin(void)
{
    memset(&daemon_, 0, sizeof(daemon_));
    daemon_.options.listen = "127.0.0.1:0";
    CHECK(tf_loop_open(&daemon_.loop) == TF_OK);
    CHECK(tf_gateway_open(&daemon_) == TF_OK);
    for (size_t i = 0; i < 2; i++) {
        workers[i] = (struct tf_worker){.daemon = &daemon_,
                                        .engine = &lean,
                                        .state = TF_WORKER_SERVING,
                                        .link_count = THREADS,
                                        .threads = THREADS};
        for (size_t j = 0; j < THREADS; j++) {
            int pair[2];
            CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
            workers[i].links[j].watch.fd = pair[0];
            ends[i][j] = pair[1];
        }
        daemon_.workers[i] = &workers[i];
    }
    daemon_.worker_count = 2;
    deploy("a", &workers[0]);
    deploy("b", &workers[1]);
}

static void end(void)
{
    tf_gateway_close(daemon_.gateway);
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < THREADS; j++) {
            (void)close(ends[i][j]);
            (void)close(workers[i].links[j].watch.fd);
        }
    }
    tf_registry_wipe(&daemon_.registry);
    tf_loop_close(&daemon_.loop);
}

static int say(const void *bytes, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const char *port = strrchr(daemon_.address, ':');
    address.sin_port = htons((uint16_t)strtoul(port + 1, NULL, 10));
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(write(fd, bytes, size) == (ssize_t)size);
    return fd;
}

static int greet(const char *name)
{
    struct hello message = hello_for(name);
    struct hello hello = in_records(&message, 16384);
    return say(hello.bytes, hello.size);
}

/* What one thread of a worker was sent. */
struct received {
    unsigned connections;
    unsigned names; /* that came with them */
    unsigned loans;
    unsigned ends; /* of loans */
    int listener;  /* of the last loan: the test's; or -1 */
};

static struct received read_link(int link)
{
    struct received got = {.listener = -1};
    struct tf_link_head head;
    int fd = -1;
    while (tf_link_receive(link, &head, body, &fd) == TF_OK) {
        if (head.type == TF_LINK_CONN) {
            got.connections++;
            got.names += head.size > 0;
        } else if (head.type == TF_LINK_LISTEN) {
            got.loans += fd >= 0;
            got.ends += fd < 0;
        }
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    return got;
}

static struct received read_worker(size_t index)
{
    struct received sum = {.connections = 0};
    for (size_t j = 0; j < THREADS; j++) {
        struct received got = read_link(ends[index][j]);
        sum.connections += got.connections;
        sum.names += got.names;
        sum.loans += got.loans;
        sum.ends += got.ends;
    }
    return sum;
}

/* So many connections, as tfaasd accepts them itself. */
static void visit(const char *name, int count)
{
    for (int i = 0; i < count; i++) {
        int client = greet(name);
        turn(1);
        (void)close(client);
    }
}

/* As visit, but handed back by a worker. */
static void hand_back(const char *name)
{
    int pair[2];
    struct hello message = hello_for(name);
    struct hello hello = in_records(&message, 16384);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    CHECK(write(pair[1], hello.bytes, hello.size) == (ssize_t)hello.size);
    tf_lend_take(&workers[0], pair[0]);
    (void)close(pair[1]);
}

static void who_gets_most_connections_is_lent_the_socket(void)
{
    begin();
    visit("a.example", VOTES - 1);
    struct received got = read_worker(0);
    CHECK(got.connections == VOTES - 1 && got.loans == 0 && got.names == 0);
    visit("a.example", 1);
    got = read_worker(0);
    CHECK(got.connections == 1 && got.loans == THREADS);
    int client = greet("a.example"); /* no worker takes it: it is seen to all the same */
    turn(LOOKS_MS);
    got = read_worker(0);
    CHECK(got.connections == 1 && got.names == 1);
    CHECK(daemon_.connections == VOTES + 1);
    (void)close(client);
    end();
}

static void between_equals_nobody_gets_it(void)
{
    begin();
    for (int i = 0; i < VOTES; i++) {
        visit("a.example", 2);
        visit("b.example", 1);
    }
    CHECK(read_worker(0).loans == 0 && read_worker(1).loans == 0);
    end();
}

static void a_native_worker_never_gets_it(void)
{
    begin();
    workers[0].engine = &native;
    visit("a.example", 2 * VOTES);
    CHECK(read_worker(0).loans == 0);
    end();
}

static void strangers_end_the_loan(void)
{
    begin();
    visit("a.example", VOTES);
    (void)read_worker(0);
    for (int i = 0; i < 10; i++) {
        hand_back("b.example");
    }
    turn(LOOKS_MS);
    CHECK(read_worker(0).ends == 0);
    CHECK(read_worker(1).connections == 10);
    for (int i = 0; i < 20; i++) {
        hand_back("nobody.example");
    }
    CHECK(daemon_.refused == 20);
    CHECK(read_worker(0).ends == THREADS);
    visit("a.example", 1);
    CHECK(read_worker(0).connections == 1);
    end();
}

static void a_change_makes_the_holder_forget(void)
{
    begin();
    visit("a.example", VOTES);
    (void)read_worker(0);
    hand_back("a.example");
    CHECK(read_worker(0).names == 1);
    tf_lend_forget(&daemon_);
    CHECK(read_worker(0).loans == THREADS);
    struct tf_lambda *lambda = tf_registry_find(&daemon_.registry, "a");
    lambda->next.worker = &workers[1]; /* being rolled: not its own without a doubt */
    hand_back("a.example");
    hand_back("a.manage.tfaas.internal");
    struct received got = read_worker(1);
    CHECK(read_worker(0).connections + got.connections == 2);
    CHECK(got.names == 0);
    end();
}

static void a_holder_that_ends_is_forgotten(void)
{
    begin();
    visit("a.example", VOTES);
    (void)read_worker(0);
    workers[0].state = TF_WORKER_STOPPING;
    workers[0].threads = 0;
    tf_lend_leave(&workers[0]);
    CHECK(tf_gateway_lend(daemon_.gateway)->holder == NULL);
    visit("b.example", VOTES);
    CHECK(read_worker(1).loans == THREADS);
    end();
}

/* What could not be said at once is said later, and nobody else listens before. */
static void a_full_link_hears_of_the_end_later(void)
{
    const struct tf_link_head filler = {.type = TF_LINK_DROP, .size = 1000};
    begin();
    visit("a.example", VOTES);
    (void)read_worker(0);
    while (tf_link_send(workers[0].links[0].watch.fd, &filler, body, -1) == TF_OK) {
    }
    tf_lend_leave(&workers[0]);
    CHECK(read_link(ends[0][1]).ends == 1);
    visit("b.example", VOTES);
    CHECK(read_worker(1).loans == 0);
    CHECK(read_link(ends[0][0]).ends == 0);
    turn(LOOKS_MS);
    CHECK(read_link(ends[0][0]).ends == 1);
    visit("b.example", 1);
    CHECK(read_worker(1).loans == THREADS);
    end();
}

/* --- attacks: a worker is of the host, and may be broken ------------------------------
 */

static void what_is_no_connection_is_closed(void)
{
    int pipe_ends[2];
    begin();
    CHECK(pipe(pipe_ends) == 0);
    const int odd[] = {pipe_ends[0],
                       pipe_ends[1],
                       epoll_create1(EPOLL_CLOEXEC),
                       socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                       socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                       dup(daemon_.loop.epoll),
                       dup(ends[1][0]),
                       dup(STDERR_FILENO)};
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        tf_gateway_take(daemon_.gateway, odd[i]);
    }
    turn(TURN_MS);
    visit("a.example", 1);
    CHECK(read_worker(0).connections == 1);
    end();
}

/* A native worker's connections for others' lambdas, or so many that those of others
 * have to go. */
static void who_was_never_lent_the_socket_hands_nothing_back(void)
{
    begin();
    hand_back("a.example");
    hand_back("b.example");
    turn(TURN_MS);
    CHECK(read_worker(0).connections + read_worker(1).connections == 0);
    CHECK(daemon_.connections == 0);
    visit("a.example", VOTES);
    for (int i = 0; i < 20; i++) {
        hand_back("nobody.example");
    }
    /* The loan is over: what was accepted before comes back. */
    CHECK(!tf_lend_is_holder(tf_gateway_lend(daemon_.gateway), &workers[0]));
    hand_back("b.example");
    CHECK(read_worker(1).connections == 1);
    end();
}

static void a_flood_of_silent_ones_is_bounded(void)
{
    enum { PENDING = 1024, MORE = 100 };
    struct rlimit limit;
    int pair[2];
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    begin();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    for (int i = 0; i < PENDING + MORE; i++) {
        int silent = dup(pair[0]);
        CHECK(silent >= 0);
        tf_gateway_take(daemon_.gateway, silent);
    }
    CHECK(daemon_.refused == MORE);
    turn(TURN_MS);
    visit("a.example", 1);
    CHECK(read_worker(0).connections == 1);
    (void)close(pair[0]);
    (void)close(pair[1]);
    end();
}

/* Half of a ClientHello waits for the other half, but not once there can be none. */
static void half_a_hello_that_ends_is_closed(void)
{
    struct hello message = hello_for("a.example");
    struct hello hello = in_records(&message, 16384);
    size_t half = hello.size / 2;
    uint8_t byte = 0;
    int pairs[2][2];
    begin();
    for (size_t i = 0; i < 2; i++) {
        CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[i]) == 0);
        CHECK(write(pairs[i][1], hello.bytes, half) == (ssize_t)half);
        tf_gateway_take(daemon_.gateway, pairs[i][0]);
    }
    CHECK(shutdown(pairs[0][1], SHUT_WR) == 0);
    turn(TURN_MS);
    CHECK(recv(pairs[0][1], &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET);
    CHECK(daemon_.refused == 1);
    CHECK(write(pairs[1][1], hello.bytes + half, hello.size - half) > 0);
    turn(TURN_MS);
    CHECK(read_worker(0).connections == 1);
    (void)close(pairs[0][1]);
    (void)close(pairs[1][1]);
    end();
}

static void after_the_end_connections_are_closed(void)
{
    int pair[2];
    uint8_t byte = 0;
    begin();
    struct tf_gateway *gateway = daemon_.gateway;
    tf_gateway_close(gateway);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    tf_gateway_take(daemon_.gateway, pair[0]);
    CHECK(read(pair[1], &byte, 1) == 0);
    CHECK(tf_gateway_lend(daemon_.gateway) == NULL);
    tf_lend_forget(&daemon_);
    tf_lend_leave(&workers[0]);
    (void)close(pair[1]);
    end();
}

int main(void)
{
    RUN(who_gets_most_connections_is_lent_the_socket);
    RUN(between_equals_nobody_gets_it);
    RUN(a_native_worker_never_gets_it);
    RUN(strangers_end_the_loan);
    RUN(a_change_makes_the_holder_forget);
    RUN(a_holder_that_ends_is_forgotten);
    RUN(a_full_link_hears_of_the_end_later);
    RUN(what_is_no_connection_is_closed);
    RUN(who_was_never_lent_the_socket_hands_nothing_back);
    RUN(a_flood_of_silent_ones_is_bounded);
    RUN(half_a_hello_that_ends_is_closed);
    RUN(after_the_end_connections_are_closed);
    return test_end();
}
