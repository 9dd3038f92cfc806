/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native_evidence.c - asks the guest's firmware for evidence from outside of the sandbox:
 * a process of our own, forked before node's threads do anything, that knows one question
 * (64 bytes of REPORTDATA) and opens files for nothing else.
 */
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/limits.h"
#include "host/native.h"
#include "host/tsm.h"

struct answer {
    uint32_t err; /* tf_err */
    uint32_t size;
    char json[TF_EVIDENCE_MAX];
};

/* The links to tfaasd above all: it takes their end for the worker's. */
static void close_others(int fd)
{
    (void)syscall(SYS_close_range, 3, (unsigned)fd - 1, 0);
    (void)syscall(SYS_close_range, (unsigned)fd + 1, ~0U, 0);
}

static _Noreturn void serve(int fd, const char *path)
{
    static struct answer answer;
    uint8_t data[TF_TSM_DATA_SIZE];

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    close_others(fd);
    while (recv(fd, data, sizeof(data), 0) == (ssize_t)sizeof(data)) {
        size_t size = 0;
        tf_err err = tf_tsm_evidence(path, data, answer.json, sizeof(answer.json), &size);
        answer.err = (uint32_t)err;
        answer.size = (uint32_t)size;
        if (send(fd, &answer, offsetof(struct answer, json) + size, MSG_NOSIGNAL) < 0) {
            break;
        }
    }
    _exit(0);
}

tf_err tf_native_evidence_open(const char *path, int *fd)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return TF_EIO;
    }
    pid_t pid = fork();
    if (pid == 0) {
        serve(ends[1], path);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return TF_EIO;
    }
    *fd = ends[0];
    return TF_OK;
}

tf_err tf_native_evidence_ask(int fd, const uint8_t data[static TF_TSM_DATA_SIZE],
                              char *out, size_t *size)
{
    struct answer answer;
    const size_t head = offsetof(struct answer, json);

    if (send(fd, data, TF_TSM_DATA_SIZE, MSG_NOSIGNAL) != TF_TSM_DATA_SIZE) {
        return TF_EIO;
    }
    ssize_t got = recv(fd, &answer, sizeof(answer), 0);
    if (got < (ssize_t)head || (size_t)got - head != answer.size ||
        answer.err >= TF_ERR_COUNT) {
        return TF_EIO;
    }
    if (answer.err != TF_OK) {
        return (tf_err)answer.err;
    }
    memcpy(out, answer.json, answer.size);
    *size = answer.size;
    return TF_OK;
}
