/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel.h - layout of the shared memory between one worker thread and its TCS.
 *
 * Two byte rings in host memory, one a direction. The writer of a ring owns `head`, the
 * reader owns `tail`; both are running byte counts, reduced modulo TF_RING_SIZE to index
 * `data`. An honest host leaves the channel alone while the enclave works: when that
 * enters and finds what it wrote taken, and when it leaves and has taken what the host
 * wrote, it sets both indexes of that ring to 0, so that the same bytes are used again
 * and stay in the caches. A ring carries frames: a 16-byte header, `size` bytes of
 * payload, padding with zeros to the next multiple of 8. Nothing in here is trusted by
 * the enclave: it keeps its own copies of the indexes, reads a shared word once, and
 * checks the copy.
 *
 * One EENTER (the only ecall): RDI = address of the struct tf_channel, RSI = the host's
 * time in ns since the epoch (a hint). It comes back with RDI = enum tf_exit and
 * RSI = tf_err when RDI is TF_EXIT_DEAD. There are no ocalls.
 */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TF_RING_SIZE = 1 << 20, /* power of two */
    TF_FRAME_MAX = 64 << 10 /* header and payload of one frame */
};

/* What a frame is. H>E: written by the host. E>H: written by the enclave. */
enum tf_msg {
    TF_MSG_INIT = 1,  /* H>E struct tf_msg_init, then the descriptor; first on a thread */
    TF_MSG_OPEN = 2,  /* H>E a connection `id` was accepted */
    TF_MSG_DATA = 3,  /* H>E, E>H bytes of connection `id` (TLS records) */
    TF_MSG_CLOSE = 4, /* H>E peer gone; E>H close when all DATA is written */
    TF_MSG_SENT = 5,  /* H>E u64: bytes of `id` that went to the socket; many at a time */
    TF_MSG_BLOB = 6,  /* H>E struct tf_msg_blob, then a chunk; `id` names the transfer */
    TF_MSG_RESULT = 7, /* E>H struct tf_msg_result, JSON: to BLOB, DROP, STATS */
    TF_MSG_SEALED = 8, /* E>H struct tf_msg_sealed, then a blob for the host's store */
    TF_MSG_REPORT = 9, /* E>H struct sgx_report (432 bytes) to be turned into evidence */
    TF_MSG_QUOTE = 10, /* H>E evidence, JSON; empty: there is none; `id` as in REPORT */
    TF_MSG_STATS = 11, /* H>E empty, or u64: lambdas from this place on; RESULT */
    TF_MSG_DROP = 12,  /* H>E a lambda's name: unload it and forget its grant */
    TF_MSG_EVENT = 13, /* E>H struct tf_msg_event, then a name or nothing: for the log */
    TF_MSG_REVOKED = 14, /* E>H struct tf_msg_revoked: a list for the host's store */
    TF_MSG_TARGET = 15,  /* H>E TARGETINFO (512 bytes): whom REPORTs are for now */
    TF_MSG_WANT = 16     /* E>H digest (32 bytes): bring it as BLOB with this `id` */
};

/* The id of the REPORT about the instance's own key, which is no connection's. */
#define TF_ID_IDENTITY UINT64_MAX

enum tf_blob_kind {
    TF_BLOB_BUNDLE = 1,      /* a .tfb: RESULT when its code has loaded, or does not */
    TF_BLOB_GRANT = 2,       /* what an earlier TF_MSG_SEALED carried */
    TF_BLOB_REVOCATIONS = 3, /* a publisher's signed list; before the bundles at start */
    TF_BLOB_ENVELOPE = 4,    /* tfaas.dsse of a bundle: introduces a lambda without it */
    TF_BLOB_WANTED = 5       /* the .tfb of a WANT; total 0 and no chunk: there is none */
};

enum tf_exit {
    TF_EXIT_IDLE = 0, /* all input consumed; enter again when there is more */
    TF_EXIT_MORE = 1, /* work left (out ring full, or fairness): drain and enter again */
    TF_EXIT_DEAD = 2  /* the enclave refuses to go on; rebuild it */
};

enum tf_event {
    TF_EVENT_LAMBDA_FAILED = 1, /* `err` says how an invocation ended; value = error id */
    TF_EVENT_GRANTED = 2,       /* a grant took effect */
    TF_EVENT_HANDSHAKE = 3,     /* a handshake failed; value = the TLS library's code */
    TF_EVENT_LOADED = 4         /* a wanted lambda has run its top level, or failed with
                                   `err`; value = the WANT's id */
};

/* Starts every frame; 8-byte aligned. `size` counts the payload without the padding. */
struct tf_frame {
    uint32_t type; /* enum tf_msg */
    uint32_t size;
    uint64_t id; /* connection: slot, generation in the high 32 bits; or transfer */
};

/* What the processor has and not every one with SGX has. A hint of the host, since CPUID
 * is illegal inside: it chooses between codes that compute the same, and nothing else. */
enum tf_processor {
    TF_PROCESSOR_SHA = 1, /* the SHA extensions */
    TF_PROCESSOR_VAES = 2 /* AES and carry-less products in vectors of 256 bits */
};

struct tf_msg_init {
    uint32_t thread;             /* index of this thread, for the counters' labels */
    uint32_t descriptor_size;    /* bytes that follow */
    uint64_t memory;             /* bytes that this thread should keep of lambdas, and */
    uint64_t shelf;              /* all of them of bundles; 0: as much as is sensible */
    uint32_t insecure_processor; /* enum tf_processor, or'ed; unknown bits mean nothing */
    uint32_t spare;
    uint8_t target_info[512]; /* of the quoting enclave (SDM 38.16); zeros: none yet */
};

struct tf_msg_blob {
    uint32_t kind; /* enum tf_blob_kind */
    uint32_t spare;
    uint64_t total;  /* bytes of the whole blob */
    uint64_t offset; /* of this chunk; chunks come in order, without gaps */
};

struct tf_msg_result {
    uint32_t err; /* tf_err */
    uint32_t spare;
};

struct tf_msg_sealed {
    uint32_t name_size; /* bytes of the lambda's name, which follows; then the blob */
    uint32_t spare;
};

struct tf_msg_event { /* the lambda's name follows, where it is about one */
    uint32_t event;   /* enum tf_event */
    uint32_t err;     /* tf_err */
    uint64_t value;
};

struct tf_msg_revoked {
    uint32_t answer_size; /* bytes of JSON that follow (doc/formats.md); then the list */
    uint32_t spare;
};

struct tf_ring {
    uint64_t head;
    uint8_t spare0[56]; /* head and tail on their own cache lines */
    uint64_t tail;
    uint8_t spare1[56];
    uint8_t data[TF_RING_SIZE];
};

struct tf_channel {
    struct tf_ring in;  /* host to enclave */
    struct tf_ring out; /* enclave to host */
};

static_assert(sizeof(struct tf_frame) == 16, "frame layout is ABI");
static_assert(sizeof(struct tf_msg_init) == 544, "message layout is ABI");
static_assert(sizeof(struct tf_msg_blob) == 24, "message layout is ABI");
static_assert(sizeof(struct tf_msg_event) == 16, "message layout is ABI");
static_assert(offsetof(struct tf_ring, tail) == 64, "ring layout is ABI");
static_assert(offsetof(struct tf_ring, data) == 128, "ring layout is ABI");
static_assert(offsetof(struct tf_channel, out) == 128 + TF_RING_SIZE,
              "ring layout is ABI");
