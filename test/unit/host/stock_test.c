/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles that a worker wants: its own lambdas', and not without end. */
#include "host/stock.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "abi/limits.h"
#include "host/link.h"
#include "host/registry.h"
#include "host/supervise.h"
#include "lib/bytes.h"
#include "test/test.h"

static char folder[64];
static struct tf_daemon daemon_;
static const struct tf_engine engine = {.name = "v8", .is_native = true};
static struct tf_worker workers[2];
static int ends[2];
static uint8_t digests[2][TF_STORE_HEX / 2] = {{1}, {2}};

static void begin(void)
{
    static const char *const names[] = {"first", "second"};

    memset(&daemon_, 0, sizeof(daemon_));
    (void)snprintf(folder, sizeof(folder), "/tmp/tfaas-stock-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    CHECK(tf_store_open(folder, &daemon_.store) == TF_OK);
    CHECK(tf_loop_open(&daemon_.loop) == TF_OK);
    for (int i = 0; i < 2; i++) {
        int pair[2];
        struct tf_lambda lambda = {.version = 1, .seat = {.worker = &workers[i]}};
        workers[i] = (struct tf_worker){.daemon = &daemon_,
                                        .engine = &engine,
                                        .state = TF_WORKER_SERVING,
                                        .link_count = 1,
                                        .threads = 1};
        CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
        workers[i].links[0].watch.fd = pair[0];
        ends[i] = pair[1];
        (void)snprintf(lambda.name, sizeof(lambda.name), "%s", names[i]);
        tf_hex_write(digests[i], sizeof(digests[i]), lambda.digest);
        CHECK(tf_registry_put(&daemon_.registry, &lambda) == TF_OK);
        CHECK(tf_store_put(&daemon_.store, names[i], TF_STORE_BUNDLE, "x", 1) == TF_OK);
    }
}

static void end(void)
{
    char command[128];

    for (int i = 0; i < 2; i++) {
        tf_calls_fail(&workers[i]);
        CHECK(workers[i].wants == 0);
        (void)close(ends[i]);
        (void)close(workers[i].links[0].watch.fd);
    }
    tf_registry_wipe(&daemon_.registry);
    tf_loop_close(&daemon_.loop);
    tf_store_close(&daemon_.store);
    (void)snprintf(command, sizeof(command), "rm -r %s", folder);
    CHECK(system(command) == 0);
}

/* The next packet to the first worker. @return whether a file came with it. */
static bool gets_file(uint64_t id)
{
    static uint8_t body[TF_LINK_MAX];
    struct tf_link_head head;
    int fd = -1;

    CHECK(tf_link_receive(ends[0], &head, body, &fd) == TF_OK);
    CHECK(head.type == TF_LINK_WANTED && head.id == id);
    return fd >= 0 && close(fd) == 0;
}

static void a_worker_gets_its_own_and_nobody_elses(void)
{
    begin();
    tf_stock_bring(&workers[0], 0, 5, digests[0], sizeof(digests[0]));
    CHECK(gets_file(5));
    tf_stock_bring(&workers[0], 0, 6, digests[1], sizeof(digests[1]));
    CHECK(!gets_file(6));
    tf_stock_bring(&workers[0], 0, 7, digests[0], 3);
    CHECK(!gets_file(7));
    end();
}

static unsigned count_descriptors(void)
{
    DIR *all = opendir("/proc/self/fd");
    unsigned count = 0;

    CHECK(all != NULL);
    while (readdir(all) != NULL) {
        count++;
    }
    (void)closedir(all);
    return count;
}

/* It does not read its link, either. */
static void a_worker_that_wants_without_end_leaves_descriptors_for_others(void)
{
    static const uint8_t body[1000];
    const struct tf_link_head filler = {.type = TF_LINK_DROP, .size = sizeof(body)};
    begin();
    while (tf_link_send(workers[0].links[0].watch.fd, &filler, body, -1) == TF_OK) {
    }
    unsigned before = count_descriptors();
    for (uint64_t id = 1; id < 20 * TF_WANTS_MAX; id++) {
        tf_stock_bring(&workers[0], 0, id, digests[0], sizeof(digests[0]));
    }
    CHECK(count_descriptors() == before + TF_WANTS_MAX);
    CHECK(workers[0].wants == TF_WANTS_MAX);
    end();
}

int main(void)
{
    RUN(a_worker_gets_its_own_and_nobody_elses);
    RUN(a_worker_that_wants_without_end_leaves_descriptors_for_others);
    return test_end();
}
