/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native_evidence.c - asks the guest's firmware for evidence from outside of the sandbox:
 * a process of our own, forked before node's threads do anything, that knows one question
 * (64 bytes of REPORTDATA) and opens files for nothing else.
 */
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "abi/limits.h"
#include "host/helper.h"
#include "host/native.h"
#include "host/tsm.h"

struct answer {
    uint32_t err; /* tf_err */
    uint32_t size;
    char json[TF_EVIDENCE_MAX];
};

static void serve(int fd, const char *path)
{
    static struct answer answer;
    uint8_t data[TF_TSM_DATA_SIZE];

    while (recv(fd, data, sizeof(data), 0) == (ssize_t)sizeof(data)) {
        size_t size = 0;
        tf_err err = tf_tsm_evidence(path, data, answer.json, sizeof(answer.json), &size);
        answer.err = (uint32_t)err;
        answer.size = (uint32_t)size;
        if (send(fd, &answer, offsetof(struct answer, json) + size, MSG_NOSIGNAL) < 0) {
            return;
        }
    }
}

tf_err tf_native_evidence_open(const char *path, int *fd)
{
    return tf_helper_open(serve, path, fd);
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
