/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker_rig.h - a worker's loop in a thread of the test, around the enclave that echoes
 * (test/fake/enclave.h); the test plays tfaasd at the other end of its link.
 */
#pragma once

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/worker.h"
#include "test/fake/enclave.h"
#include "test/test.h"

static struct {
    struct tf_worker_thread *thread;
    pthread_t runner;
    int link;   /* tfaasd's end */
    int passed; /* with the last packet: the test's; or -1 */
    tf_err result;
    struct tf_quoter *quoter;
} worker;

static uint8_t body[TF_LINK_MAX];

static inline void *run(void *user)
{
    (void)user;
    worker.result = tf_worker_run(worker.thread, "{}", 2);
    return NULL;
}

/* Waits for a packet from the worker. */
static inline tf_err await(struct tf_link_head *head)
{
    struct pollfd ready = {.fd = worker.link, .events = POLLIN};
    worker.passed = -1;
    (void)poll(&ready, 1, WAIT_MS);
    return tf_link_receive(worker.link, head, body, &worker.passed);
}

static inline void start_as_set(void)
{
    int ends[2];
    struct tf_enclave_options options = {.image_path = "/dev/null"};
    struct tf_enclave *enclave = NULL;
    struct tf_link_head head = {.type = 0};
    CHECK(tf_enclave_open(&options, &enclave) == TF_OK);
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    worker.link = ends[0];
    worker.thread = calloc(1, sizeof(*worker.thread));
    CHECK(worker.thread != NULL);
    CHECK(tf_worker_init(worker.thread, enclave, 0, ends[1]) == TF_OK);
    CHECK(tf_quoter_open(enclave, 1, &worker.quoter) == TF_OK);
    CHECK(tf_worker_quote_join(worker.thread, worker.quoter) == TF_OK);
    worker.thread->idle_seconds = 60;
    worker.thread->threads = 1;
    CHECK(pthread_create(&worker.runner, NULL, run, NULL) == 0);
    CHECK(await(&head) == TF_OK);
    CHECK(head.type == TF_LINK_READY && head.size == sizeof(struct tf_link_ready));
}

static inline void start(void)
{
    memset(tf_fake(), 0, sizeof(*tf_fake()));
    start_as_set();
}

static inline void stop(tf_err want)
{
    int other = worker.thread->link;
    (void)close(worker.link);
    CHECK(pthread_join(worker.runner, NULL) == 0);
    CHECK(worker.result == want);
    tf_worker_wipe(worker.thread);
    tf_quoter_close(worker.quoter);
    (void)close(other);
    free(worker.thread);
}

/* Reads exactly `size` bytes, or what came until the end or the time-out. */
static inline size_t read_all(int fd, uint8_t *out, size_t size)
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
