/* SPDX-License-Identifier: Apache-2.0 */
/* A worker that was lent the listening socket: what it takes, and what it hands back. */
#include "host/worker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include "test/hello.h"
#include "test/unit/host/worker_rig.h"

static const char own[] = "hello.example";

static int listener = -1;
static struct sockaddr_in address;
static bool is_over; /* for the other thread */

static void open_listener(void)
{
    socklen_t size = sizeof(address);
    address = (struct sockaddr_in){.sin_family = AF_INET,
                                   .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int defer = 1; /* so that it comes with its ClientHello, as at tfaasd */
    CHECK(setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer, sizeof(defer)) ==
          0);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(listen(listener, 64) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
}

static void lend(int fd)
{
    const struct tf_link_head head = {.type = TF_LINK_LISTEN};
    CHECK(tf_link_send(worker.link, &head, NULL, fd) == TF_OK);
}

/* Passes a connection of this name on, as tfaasd does, and waits until it is served. */
static void teach(const char *name)
{
    int ends[2];
    uint8_t back = 0;
    const struct tf_link_head head = {.type = TF_LINK_CONN,
                                      .size = (uint32_t)strlen(name)};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    CHECK(tf_link_send(worker.link, &head, name, ends[1]) == TF_OK);
    CHECK(write(ends[0], "x", 1) == 1);
    CHECK(read_all(ends[0], &back, 1) == 1 && back == 'x');
    (void)close(ends[1]);
    (void)close(ends[0]);
}

static void begin(void)
{
    start();
    open_listener();
    lend(listener);
    teach(own);
}

static void end(void)
{
    stop(TF_OK);
    (void)close(listener);
}

/* A client that says `size` bytes. */
static int say(const void *bytes, size_t size)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(size == 0 || write(fd, bytes, size) == (ssize_t)size);
    return fd;
}

static struct hello whole_hello(const char *name)
{
    struct hello message = hello_for(name);
    return in_records(&message, 16384);
}

static int greet(const char *name)
{
    struct hello hello = whole_hello(name);
    return say(hello.bytes, hello.size);
}

static bool is_answered(int client, const char *name)
{
    struct hello hello = whole_hello(name);
    uint8_t back[1024];
    return read_all(client, back, hello.size) == hello.size &&
           memcmp(back, hello.bytes, hello.size) == 0;
}

/* Whether a connection comes back, with all that its client said still in it. */
static bool comes_back(const void *bytes, size_t size)
{
    struct tf_link_head head = {.type = 0};
    uint8_t got[1024];
    bool is_back = await(&head) == TF_OK && head.type == TF_LINK_CONN && head.size == 0 &&
                   worker.passed >= 0 &&
                   (size == 0 || (read_all(worker.passed, got, size) == size &&
                                  memcmp(got, bytes, size) == 0));
    (void)close(worker.passed);
    return is_back;
}

static bool is_left_in_the_queue(void)
{
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    bool is_there = poll(&ready, 1, WAIT_MS) == 1;
    int fd = accept(listener, NULL, NULL);
    (void)close(fd);
    return is_there && fd >= 0;
}

static void its_own_are_served(void)
{
    begin();
    for (int i = 0; i < 3; i++) {
        int client = greet(own);
        CHECK(is_answered(client, own));
        (void)close(client);
    }
    CHECK(worker.thread->listening.accepted == 3);
    end();
}

static void others_go_back_unread(void)
{
    struct hello other = whole_hello("other.example");
    struct hello half = whole_hello(own);
    half.size /= 2;
    begin();
    const struct {
        const void *bytes;
        size_t size;
    } said[] = {
        {other.bytes, other.size}, {half.bytes, half.size}, {"GET / ", 6}, {"", 0}};
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        int client = say(said[i].bytes, said[i].size);
        CHECK(comes_back(said[i].bytes, said[i].size));
        (void)close(client);
    }
    CHECK(worker.thread->listening.accepted == 0);
    end();
}

static void names_are_forgotten_with_the_next_loan(void)
{
    struct hello hello = whole_hello(own);
    begin();
    lend(listener);
    int client = greet(own);
    CHECK(comes_back(hello.bytes, hello.size));
    (void)close(client);
    teach(own);
    client = greet(own);
    CHECK(is_answered(client, own));
    (void)close(client);
    end();
}

static void names_too_long_are_not_learned(void)
{
    char name[TF_DNS_MAX + 2] = {0};
    memset(name, 'a', TF_DNS_MAX + 1);
    begin();
    teach(name);
    name[TF_DNS_MAX] = '\0';
    teach(name);
    int client = greet(own);
    CHECK(is_answered(client, own));
    CHECK(worker.thread->listening.name_count == 2);
    (void)close(client);
    end();
}

static void what_was_lent_is_given_back(void)
{
    begin();
    lend(-1);
    teach("x.example"); /* served: so the worker has heard */
    int client = greet(own);
    CHECK(is_left_in_the_queue());
    (void)close(client);
    end();
}

/* tfaasd ends, and its worker still has something to answer: it does not spin meanwhile.
 */
static void a_socket_that_was_shut_down_is_let_go(void)
{
    begin();
    int client = greet(own);
    CHECK(is_answered(client, own));
    CHECK(worker.thread->listening.is_watched);
    CHECK(shutdown(listener, SHUT_RDWR) == 0);
    teach("x.example"); /* served: so there was a round since */
    teach("y.example");
    CHECK(!worker.thread->listening.is_watched && worker.thread->listening.fd < 0);
    (void)close(client);
    end();
}

static void nothing_is_accepted_once_tfaasd_is_gone(void)
{
    begin();
    int client = greet(own);
    CHECK(is_answered(client, own));
    CHECK(shutdown(worker.link, SHUT_RDWR) == 0);
    CHECK(write(client, "x", 1) == 1); /* the last round has begun with the link's end */
    uint8_t back = 0;
    CHECK(read_all(client, &back, 1) == 1);
    int late = greet(own);
    CHECK(is_left_in_the_queue());
    (void)close(late);
    (void)close(client);
    end();
}

/* Another thread that listens, and closes what it accepts. */
static void *run_other(void *user)
{
    unsigned *accepted = user;
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) == 0);
    while (!__atomic_load_n(&is_over, __ATOMIC_ACQUIRE)) {
        int fd =
            epoll_wait(epoll, &event, 1, 10) == 1 ? accept(listener, NULL, NULL) : -1;
        if (fd >= 0) {
            (void)close(fd);
            __atomic_add_fetch(accepted, 1, __ATOMIC_RELEASE);
        }
    }
    (void)close(epoll);
    return NULL;
}

/* On a busy machine one of the two may not get the core for a while. */
static void threads_take_turns(void)
{
    enum { COUNT = 40, COUNT_MAX = 4000 };
    unsigned others = 0;
    unsigned own_count = 0;
    unsigned asked = 0;
    pthread_t other;
    start();
    open_listener();
    worker.thread->threads = 2;
    lend(listener);
    teach(own); /* it listens: the other one comes behind it */
    CHECK(pthread_create(&other, NULL, run_other, &others) == 0);
    do {
        int client = greet(own);
        own_count += is_answered(client, own);
        (void)close(client);
        asked++;
    } while (asked < COUNT ||
             (asked < COUNT_MAX &&
              (own_count == 0 || __atomic_load_n(&others, __ATOMIC_ACQUIRE) == 0)));
    __atomic_store_n(&is_over, true, __ATOMIC_RELEASE);
    CHECK(pthread_join(other, NULL) == 0);
    CHECK(others > 0 && own_count > 0 && others + own_count == asked);
    end();
}

/* tfaasd is slow: nothing is lost, and what the worker has goes on. */
static void what_finds_no_room_in_the_link_is_kept(void)
{
    enum { COUNT = 24 };
    struct hello other = whole_hello("other.example");
    int clients[COUNT];
    int least = 1;
    begin();
    int mine = greet(own);
    CHECK(is_answered(mine, own));
    CHECK(setsockopt(worker.thread->link, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)) ==
          0);
    for (int i = 0; i < COUNT; i++) {
        clients[i] = say(other.bytes, other.size);
    }
    for (int i = 0; i < 100; i++) {
        uint8_t back = 0;
        CHECK(write(mine, "x", 1) == 1);
        CHECK(read_all(mine, &back, 1) == 1 && back == 'x');
    }
    for (int i = 0; i < COUNT; i++) {
        CHECK(comes_back(other.bytes, other.size));
        (void)close(clients[i]);
    }
    (void)close(mine);
    end();
}

int main(void)
{
    RUN(its_own_are_served);
    RUN(others_go_back_unread);
    RUN(names_are_forgotten_with_the_next_loan);
    RUN(names_too_long_are_not_learned);
    RUN(what_was_lent_is_given_back);
    RUN(a_socket_that_was_shut_down_is_let_go);
    RUN(nothing_is_accepted_once_tfaasd_is_gone);
    RUN(threads_take_turns);
    RUN(what_finds_no_room_in_the_link_is_kept);
    return test_end();
}
