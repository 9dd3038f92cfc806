/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.c - host/worker_*.c around bench/profile/place.c, one thread, to be run under
 * callgrind by bench/profile/drive.c. Its clock stands still, its randomness repeats, and
 * each round of its loop waits until the driver says that all requests of the round have
 * been sent: so the work of a round is the same each time.
 *
 *   worker DESCRIPTOR   the link to the driver is descriptor 3, the gate descriptor 4
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <valgrind/callgrind.h>

#include "bench/profile/gate.h"
#include "bench/profile/place.h"
#include "host/worker.h"

enum { LINK = 3, GATE = 4 };

static bool is_gated;

/** The linker puts these in place of the C library's (-Wl,--wrap). */
int __real_epoll_wait(int epoll, struct epoll_event *events, int count, int wait_ms);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int count, int wait_ms);
int __wrap_clock_gettime(int clock, struct timespec *out);

/* --- host/enclave.h -------------------------------------------------------------- */

struct tf_enclave {
    bool is_open; /* there is nothing to know of it */
};

void tf_enclave_enter(struct tf_enclave *enclave, unsigned thread,
                      struct tf_channel *channel, uint64_t now_ns,
                      struct tf_enclave_exit *out)
{
    uint32_t result[2];

    (void)enclave;
    (void)thread;
    profile_place_enter(channel, now_ns, result);
    *out = (struct tf_enclave_exit){(enum tf_exit)result[0], (tf_err)result[1]};
}

bool tf_enclave_is_simulated(const struct tf_enclave *enclave)
{
    (void)enclave;
    return true;
}

void tf_enclave_identity(const struct tf_enclave *enclave, uint8_t mrenclave[static 32],
                         uint8_t mrsigner[static 32])
{
    (void)enclave;
    memset(mrenclave, 0, 32);
    memset(mrsigner, 0, 32);
}

/* --- host/quoter.h: nobody quotes ------------------------------------------------ */

int tf_quoter_fd(const struct tf_quoter *quoter, unsigned thread)
{
    (void)quoter;
    (void)thread;
    return -1;
}

uint32_t tf_quoter_target(struct tf_quoter *quoter, struct sgx_target_info *out)
{
    (void)quoter;
    memset(out, 0, sizeof(*out));
    return 0;
}

bool tf_quoter_ask(struct tf_quoter *quoter, unsigned thread, uint64_t id, uint64_t peer,
                   uint32_t target, const struct sgx_report *report)
{
    (void)quoter;
    (void)thread;
    (void)id;
    (void)peer;
    (void)target;
    (void)report;
    return false;
}

bool tf_quoter_take(struct tf_quoter *quoter, unsigned thread,
                    struct tf_quote_answer *out)
{
    (void)quoter;
    (void)thread;
    (void)out;
    return false;
}

/* --- the gate -------------------------------------------------------------------- */

static void obey(char command)
{
    switch (command) {
    case PROFILE_START:
        CALLGRIND_START_INSTRUMENTATION;
        CALLGRIND_ZERO_STATS;
        return;
    case PROFILE_STOP:
        CALLGRIND_DUMP_STATS;
        exit(0);
    default:
        return;
    }
}

int __wrap_epoll_wait(int epoll, struct epoll_event *events, int count, int wait_ms)
{
    char command = PROFILE_WAITS;

    if (!is_gated) {
        is_gated = recv(GATE, &command, 1, MSG_DONTWAIT) == 1;
    }
    if (is_gated) {
        command = PROFILE_WAITS;
        if (send(GATE, &command, 1, MSG_NOSIGNAL) != 1 ||
            recv(GATE, &command, 1, 0) != 1) {
            exit(1);
        }
        obey(command);
    }
    return __real_epoll_wait(epoll, events, count, wait_ms);
}

int __wrap_clock_gettime(int clock, struct timespec *out)
{
    (void)clock;
    *out = (struct timespec){.tv_sec = PROFILE_NOW};
    return 0;
}

int main(int argc, char **argv)
{
    static struct tf_worker_thread thread;
    static char descriptor[TF_DESCRIPTOR_MAX];
    struct tf_enclave enclave = {.is_open = true};
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;

    if (file == NULL) {
        (void)fprintf(stderr, "usage: worker DESCRIPTOR, by bench/profile/drive\n");
        return 2;
    }
    size_t size = fread(descriptor, 1, sizeof(descriptor), file);
    (void)fclose(file);
    if (profile_place_open(descriptor, size) != 0 ||
        tf_worker_init(&thread, &enclave, 0, LINK) != TF_OK) {
        return 1;
    }
    thread.threads = 1;
    thread.idle_seconds = 3600;
    tf_err err = tf_worker_run(&thread, descriptor, size);
    tf_worker_wipe(&thread);
    return err == TF_OK ? 0 : 1;
}
