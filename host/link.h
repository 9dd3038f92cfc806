/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.h - messages between tfaasd and one thread of a tfaas-worker, over a
 * SOCK_SEQPACKET socket pair. One message is one packet, at most TF_LINK_MAX bytes, with
 * at most one file descriptor. Both ends are the operator's; neither is trusted by the
 * enclave.
 *
 * D>W: tfaasd to worker. W>D: worker to tfaasd. Bundles, grants and lists go as
 * descriptors of read-only files. Thread 0's link carries the deployments; every link
 * carries connections.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "lib/err.h"

enum {
    TF_LINK_MAX = 64 << 10
}; /* with the head: what a frame of the channel can carry */

/* Exit statuses of a worker. */
enum {
    TF_WORKER_USAGE = 2,  /* it does not know how it was started: is of another version */
    TF_WORKER_EXIT = 100, /* it failed: this plus its tf_err */
    TF_SEALED_MAX = TF_GRANT_MAX + 256 /* a grant with what sealing adds to it */
};

/* Buckets of the histogram of loads. */
enum { TF_LOAD_BUCKETS = 11 };

/* Their upper bounds, microseconds; the last bucket is for the rest. */
static const uint64_t TF_LOAD_BOUNDS_US[TF_LOAD_BUCKETS - 1] = {
    100, 250, 500, 1000, 2500, 5000, 10000, 25000, 100000, 1000000};

enum tf_link_type {
    TF_LINK_READY = 1, /* W>D struct tf_link_ready: the enclave is up (thread 0 only) */
    TF_LINK_CONN = 2, /* + fd: an accepted TCP socket, nothing read yet. D>W text: whoever
                         asks for this server name is for this worker, until the next
                         LISTEN; or nothing: not always. W>D: is for another one */
    TF_LINK_BUNDLE = 3, /* D>W + fd: deploy this file if its code loads; RESULT */
    TF_LINK_GRANT = 4,  /* D>W + fd: a sealed grant; answered by RESULT */
    TF_LINK_DROP = 5,   /* D>W text: a lambda's name; answered by RESULT */
    TF_LINK_STATS = 6,  /* D>W text: the place from which lambdas are listed, in decimal;
                           or nothing: none are; answered by RESULT with JSON */
    TF_LINK_RESULT = 7, /* W>D u32 err, u32 zero, then JSON */
    TF_LINK_SEALED = 8, /* W>D u32 name size, u32 zero, name, blob: keep it */
    TF_LINK_EVENT = 9,  /* W>D struct tf_msg_event of the enclave, name */
    TF_LINK_REVOCATIONS = 10, /* D>W + fd: a revocation list; answered by RESULT */
    TF_LINK_REVOKED = 11,     /* W>D u32 answer size, u32 zero, answer, list: keep it */
    TF_LINK_INTRODUCE = 12,   /* D>W text + fd: of this bundle so many bytes, in decimal,
                                 after the first block are the envelope; RESULT */
    TF_LINK_WANT = 13,        /* W>D digest: the enclave wants this bundle, */
    TF_LINK_WANTED = 14, /* D>W + fd, same id: here it is; no fd: there is none; RESULT */
    TF_LINK_LISTEN = 15  /* D>W + fd: the listening socket is lent; no fd: it is not, any
                            more. Either way no name is known any more */
};

struct tf_link_head {
    uint32_t type; /* enum tf_link_type */
    uint32_t size; /* bytes that follow */
    uint64_t id;   /* chosen by tfaasd, or the enclave's of a WANT; repeated in RESULT */
};

struct tf_link_ready {
    uint8_t mrenclave[32];
    uint8_t mrsigner[32];
    uint32_t threads;
    uint32_t is_simulated;
};

/**
 * Sends one packet: `head`, then head->size bytes of `body`. `fd` is -1 or a descriptor
 * to pass (the caller keeps its own).
 * @return TF_OK, TF_AGAIN (socket full), TF_ELIMIT, TF_EIO.
 */
TF_MUST_USE tf_err tf_link_send(int link, const struct tf_link_head *head,
                                const void *body, int fd);

/**
 * Receives one packet into `body` (TF_LINK_MAX bytes). `fd` gets the passed descriptor
 * (close-on-exec, the caller's) or -1.
 * @return TF_OK, TF_AGAIN, TF_EIO (peer gone), TF_EFORMAT.
 */
TF_MUST_USE tf_err tf_link_receive(int link, struct tf_link_head *head, void *body,
                                   int *fd);
