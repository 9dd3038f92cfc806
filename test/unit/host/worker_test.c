/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's loop, run in a thread of this program, around an enclave that echoes. */
#include "host/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/fake/enclave.h"
#include "test/test.h"

enum { WAIT_MS = 5000 };

static struct {
    struct tf_worker_thread *thread;
    pthread_t runner;
    int link; /* tfaasd's end */
    tf_err result;
} worker;

static uint8_t body[TF_LINK_MAX];

static void *run(void *user)
{
    (void)user;
    worker.result = tf_worker_run(worker.thread, "{}", 2);
    return NULL;
}

/* Waits for a packet from the worker. */
static tf_err await(struct tf_link_head *head)
{
    struct pollfd ready = {.fd = worker.link, .events = POLLIN};
    int fd = -1;
    (void)poll(&ready, 1, WAIT_MS);
    return tf_link_receive(worker.link, head, body, &fd);
}

static void start(void)
{
    int ends[2];
    struct tf_enclave_options options = {.image_path = "/dev/null"};
    struct tf_enclave *enclave = NULL;
    struct tf_link_head head = {.type = 0};
    memset(tf_fake(), 0, sizeof(*tf_fake()));
    CHECK(tf_enclave_open(&options, &enclave) == TF_OK);
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    worker.link = ends[0];
    worker.thread = calloc(1, sizeof(*worker.thread));
    CHECK(worker.thread != NULL);
    CHECK(tf_worker_init(worker.thread, enclave, 0, ends[1]) == TF_OK);
    worker.thread->idle_seconds = 60;
    worker.thread->threads = 1;
    CHECK(pthread_create(&worker.runner, NULL, run, NULL) == 0);
    CHECK(await(&head) == TF_OK);
    CHECK(head.type == TF_LINK_READY && head.size == sizeof(struct tf_link_ready));
}

static void stop(tf_err want)
{
    int other = worker.thread->link;
    (void)close(worker.link);
    CHECK(pthread_join(worker.runner, NULL) == 0);
    CHECK(worker.result == want);
    tf_worker_wipe(worker.thread);
    (void)close(other);
    free(worker.thread);
}

/* A connection that the worker serves. @return the client's end. */
static int connect_client(void)
{
    int ends[2];
    struct tf_link_head head = {.type = TF_LINK_CONN};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    CHECK(tf_link_send(worker.link, &head, NULL, ends[1]) == TF_OK);
    (void)close(ends[1]);
    return ends[0];
}

/* Reads exactly `size` bytes, or what came until the end or the time-out. */
static size_t read_all(int fd, uint8_t *out, size_t size)
{
    size_t have = 0;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (have < size && poll(&ready, 1, WAIT_MS) == 1) {
        ssize_t got = read(fd, out + have, size - have);
        if (got <= 0) {
            break;
        }
        have += (size_t)got;
    }
    return have;
}

static bool is_at_end(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    uint8_t byte = 0;
    return poll(&ready, 1, WAIT_MS) == 1 && read(fd, &byte, 1) == 0;
}

/* A read-only file with `size` bytes. */
static int file_of(size_t size)
{
    static const uint8_t block[4096];
    int fd = memfd_create("test", MFD_CLOEXEC);
    for (size_t left = size; left > 0;) {
        size_t part = left < sizeof(block) ? left : sizeof(block);
        CHECK(write(fd, block, part) == (ssize_t)part);
        left -= part;
    }
    return fd;
}

static void echo_goes_both_ways(void)
{
    start();
    int client = connect_client();
    uint8_t got[8];
    for (int i = 0; i < 100; i++) {
        CHECK(write(client, "12345678", 8) == 8);
        CHECK(read_all(client, got, 8) == 8);
        CHECK(memcmp(got, "12345678", 8) == 0);
    }
    (void)close(client);
    stop(TF_OK);
    CHECK(tf_fake()->opened == 1);
    CHECK(tf_fake()->closed == 1);
}

static void a_large_echo_survives_full_sockets_and_wrapping_rings(void)
{
    enum { TOTAL = 6 << 20 };
    start();
    int client = connect_client();
    uint8_t *sent = malloc(TOTAL);
    uint8_t *got = malloc(TOTAL);
    for (size_t i = 0; i < TOTAL; i++) {
        sent[i] = (uint8_t)(i * 2654435761U >> 13);
    }
    size_t out = 0;
    size_t in = 0;
    struct pollfd ready = {.fd = client};
    while (in < TOTAL) {
        ready.events = (short)(out < TOTAL ? POLLIN | POLLOUT : POLLIN);
        if (poll(&ready, 1, WAIT_MS) != 1) {
            break;
        }
        ssize_t n = 0;
        /* Writes first and reads seldom, so that the echo piles up in the worker. */
        if ((ready.revents & POLLOUT) != 0) {
            n = write(client, sent + out, TOTAL - out);
            out += n > 0 ? (size_t)n : 0;
        } else if ((ready.revents & POLLIN) != 0) {
            n = read(client, got + in, TOTAL - in);
            in += n > 0 ? (size_t)n : 0;
        }
    }
    CHECK(out == TOTAL && in == TOTAL);
    CHECK(memcmp(sent, got, TOTAL) == 0);
    free(sent);
    free(got);
    (void)close(client);
    stop(TF_OK);
}

static void an_answer_larger_than_the_ring_arrives_and_is_reported(void)
{
    enum { SIZE = 3 << 20 };
    start();
    tf_fake()->answer_size = SIZE;
    int client = connect_client();
    uint8_t *got = malloc(SIZE);
    CHECK(write(client, "go", 2) == 2);
    CHECK(read_all(client, got, SIZE) == SIZE);
    CHECK(got[0] == 'x' && got[SIZE - 1] == 'x');
    free(got);
    /* The report of the last bytes rides along with the next entry. */
    tf_fake()->answer_size = 1;
    CHECK(write(client, "go", 2) == 2);
    uint8_t byte = 0;
    CHECK(read_all(client, &byte, 1) == 1);
    (void)close(client);
    stop(TF_OK);
    CHECK(tf_fake()->sent >= SIZE);
}

static void close_by_the_enclave_comes_after_its_data(void)
{
    start();
    tf_fake()->answer_size = 500000;
    tf_fake()->is_closing = true;
    int client = connect_client();
    uint8_t *got = malloc(500000);
    CHECK(write(client, "go", 2) == 2);
    CHECK(read_all(client, got, 500000) == 500000);
    CHECK(is_at_end(client));
    free(got);
    (void)close(client);
    client = connect_client();
    tf_fake()->answer_size = 0;
    CHECK(write(client, "12345678", 8) == 8);
    uint8_t echo[8];
    CHECK(read_all(client, echo, 8) == 8);
    CHECK(is_at_end(client));
    (void)close(client);
    stop(TF_OK);
}

static void half_closed_clients_get_their_answer(void)
{
    start();
    int client = connect_client();
    CHECK(write(client, "12345678", 8) == 8);
    CHECK(shutdown(client, SHUT_WR) == 0);
    uint8_t echo[8];
    CHECK(read_all(client, echo, 8) == 8);
    CHECK(is_at_end(client));
    (void)close(client);
    stop(TF_OK);
}

static void a_full_table_refuses_and_recovers(void)
{
    static int clients[TF_CONNS_MAX];
    start();
    uint8_t echo[1];
    for (size_t i = 0; i < 400; i++) {
        clients[i] = connect_client();
        CHECK(write(clients[i], "x", 1) == 1);
        CHECK(read_all(clients[i], echo, 1) == 1);
    }
    for (size_t i = 0; i < 400; i++) {
        (void)close(clients[i]);
    }
    for (int i = 0; i < 1000; i++) {
        int client = connect_client();
        CHECK(write(client, "x", 1) == 1);
        CHECK(read_all(client, echo, 1) == 1);
        (void)close(client);
    }
    stop(TF_OK);
    CHECK(tf_fake()->opened == 1400);
}

static void files_reach_the_enclave_whole(void)
{
    start();
    struct tf_link_head head = {.type = TF_LINK_BUNDLE, .id = 42};
    struct tf_link_head got = {.type = 0};
    struct tf_msg_result result;
    int fd = file_of(3 << 20);
    CHECK(tf_link_send(worker.link, &head, NULL, fd) == TF_OK);
    (void)close(fd);
    CHECK(await(&got) == TF_OK);
    memcpy(&result, body, sizeof(result));
    CHECK(got.type == TF_LINK_RESULT && got.id == 42 && result.err != TF_OK);
    CHECK(tf_fake()->blob_bytes == 3 << 20);
    head = (struct tf_link_head){.type = TF_LINK_GRANT, .id = 43};
    fd = file_of(1000);
    CHECK(tf_link_send(worker.link, &head, NULL, fd) == TF_OK);
    (void)close(fd);
    CHECK(await(&got) == TF_OK);
    memcpy(&result, body, sizeof(result));
    CHECK(got.id == 43 && result.err == TF_OK);
    fd = file_of(TF_SEALED_MAX + 1);
    CHECK(tf_link_send(worker.link, &head, NULL, fd) == TF_OK);
    (void)close(fd);
    CHECK(await(&got) == TF_OK);
    memcpy(&result, body, sizeof(result));
    CHECK(result.err == TF_ELIMIT);
    stop(TF_OK);
}

static void stats_carry_the_entries(void)
{
    static const char want[] = "{\"entries\":2,\"lambdas\":[]";
    start();
    struct tf_link_head head = {.type = TF_LINK_STATS, .id = 5};
    struct tf_link_head got = {.type = 0};
    CHECK(tf_link_send(worker.link, &head, NULL, -1) == TF_OK);
    CHECK(await(&got) == TF_OK);
    CHECK(got.id == 5 && got.size > 8 + sizeof(want));
    CHECK(memcmp(body + 8, want, sizeof(want) - 1) == 0);
    stop(TF_OK);
}

static void a_sealed_blob_is_handed_out(void)
{
    start();
    int client = connect_client();
    struct tf_link_head got = {.type = 0};
    CHECK(write(client, "SEAL hello", 10) == 10);
    CHECK(await(&got) == TF_OK);
    CHECK(got.type == TF_LINK_SEALED && got.size == 8 + 5 + 6);
    CHECK(memcmp(body + 8, "hellosealed", 11) == 0);
    (void)close(client);
    stop(TF_OK);
}

static void a_dead_enclave_ends_the_thread(void)
{
    start();
    int client = connect_client();
    tf_fake()->is_dying = true;
    CHECK(write(client, "x", 1) == 1);
    CHECK(pthread_join(worker.runner, NULL) == 0);
    CHECK(worker.result == TF_EHOST);
    int other = worker.thread->link;
    tf_worker_wipe(worker.thread);
    free(worker.thread);
    (void)close(other);
    (void)close(worker.link);
    (void)close(client);
}

int main(void)
{
    RUN(echo_goes_both_ways);
    RUN(a_large_echo_survives_full_sockets_and_wrapping_rings);
    RUN(an_answer_larger_than_the_ring_arrives_and_is_reported);
    RUN(close_by_the_enclave_comes_after_its_data);
    RUN(half_closed_clients_get_their_answer);
    RUN(a_full_table_refuses_and_recovers);
    RUN(files_reach_the_enclave_whole);
    RUN(stats_carry_the_entries);
    RUN(a_sealed_blob_is_handed_out);
    RUN(a_dead_enclave_ends_the_thread);
    return test_end();
}
