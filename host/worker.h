/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h - one thread of tfaas-worker: its TCS, channel, link to tfaasd, connections.
 * The threads share nothing but the enclave handle.
 *
 * A round of the loop gathers everything that is ready (sockets, link) as frames in the
 * `in` ring, enters the enclave once, and carries out the frames of the `out` ring. So
 * transitions are paid per batch. The rings are the only buffers on the way in; on the
 * way out a connection has a bounded buffer for what its socket does not take.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "abi/channel.h"
#include "abi/limits.h"
#include "host/enclave.h"
#include "host/link.h"
#include "host/log.h"
#include "host/quoter.h"
#include "host/worker_poll.h"
#include "lib/err.h"
#include "lib/map.h"

enum {
    TF_WORKER_READ_MAX = 32 << 10,     /* bytes of one DATA frame */
    TF_WORKER_RESERVE = 64 << 10,      /* of the in ring, kept for OPEN, CLOSE and SENT */
    TF_WORKER_REPORT_SENT = 128 << 10, /* written bytes that are worth a SENT, and an
                                          entry for it; half of what the enclave has
                                          under way at most */
    TF_WORKER_OUT_MAX = 4 << 20,   /* unwritten bytes of a connection; beyond: dropped */
    TF_WORKER_OUT_HIGH = 64 << 10, /* with more than this unwritten, nothing is read */
    TF_WORKER_TRANSFERS_MAX = 8 + TF_WANTS_MAX,
    TF_WORKER_HANDSHAKE_SECONDS = 15,
    TF_WORKER_LINGER_SECONDS = 2,
    TF_WORKER_DRAIN_MS = 1000, /* at the end: longest, */
    TF_WORKER_QUIET_MS = 200,  /* and no longer than this without traffic */
    TF_WORKER_SETTLE_MS = 8000 /* entered each second for so long after the last traffic:
                                  what has been put off may be done */
};

struct tf_conn {
    int fd; /* -1: the slot is free */
    uint32_t generation;
    uint32_t next_free;  /* slot, while free */
    uint32_t events;     /* what epoll watches */
    uint64_t unreported; /* bytes written since the last SENT */
    bool is_eof;         /* the peer sent everything, or is gone */
    bool is_ended;       /* the enclave said CLOSE */
    bool is_shut;        /* our side is shut down; what still comes is thrown away */
    bool has_sent;       /* bytes have gone to the peer */
    bool is_settled;     /* the peer answered them: taken as the end of the handshake */
    bool is_consumed;    /* the enclave has taken our CLOSE: nothing more comes from it */
    uint64_t opened;     /* seconds of the loop's clock */
    uint64_t active;     /* last byte either way */
    uint8_t *out;        /* what the socket did not take; owned; NULL if nothing */
    size_t out_at;
    size_t out_size;
    size_t out_cap;
};

/* A file on its way into the enclave. */
struct tf_transfer {
    uint64_t id;
    uint32_t kind; /* enum tf_blob_kind */
    int fd;
    uint64_t base; /* where in the file it begins */
    uint64_t total;
    uint64_t offset;
};

/* Loads of lambdas that were not at hand, from the question for the bundle to the end of
 * the top level: measured here, for the enclave has no clock. */
struct tf_loads {
    struct {
        uint64_t id; /* 0: free */
        uint64_t asked_us;
    } open[TF_WANTS_MAX];
    uint64_t counts[TF_LOAD_BUCKETS]; /* by duration (host/link.h) */
    uint64_t sum_us;
};

enum { TF_WORKER_NAME_BUCKETS = 1024 };

/* tfaasd's listening socket, while it is lent to this worker (host/lend.h). */
struct tf_listening {
    int fd; /* -1: tfaasd accepts itself */
    bool is_watched;
    int held; /* accepted, to be handed back as soon as the link has room; or -1 */
    uint64_t rest_ms;    /* not watched until then, monotonic */
    uint64_t accepted;   /* and kept */
    struct tf_map names; /* that tfaasd sent here: whoever asks for them may stay */
    struct tf_map_node *buckets[TF_WORKER_NAME_BUCKETS];
    size_t name_count;
};

struct tf_worker_thread {
    struct tf_enclave *enclave;
    unsigned index;
    int link;
    int epoll;
    struct tf_channel *channel;
    uint64_t idle_seconds;
    uint64_t memory; /* bytes that may be kept of lambdas, of the process; 0: any */
    struct tf_loads loads;
    struct tf_worker_poll poll; /* how it waits; its most_us is set before the run */
    uint64_t now_ms;            /* monotonic, of this round */
    uint64_t now;               /* the same in seconds */
    uint64_t active_ms;         /* last traffic of any connection, monotonic */
    bool has_more; /* the enclave left work, or frames in `out` wait for room in `in` */
    bool is_draining;  /* tfaasd is gone */
    uint64_t drain_ms; /* when, monotonic */
    uint64_t entries;  /* EENTERs of this thread so far */
    tf_err failed;     /* sticks: why the thread cannot go on */
    unsigned threads;  /* of this process, for READY */
    struct tf_listening listening;
    uint64_t stats_id; /* of the STATS that awaits its RESULT, or 0 */
    struct tf_conn conns[TF_CONNS_MAX];
    uint32_t first_free; /* slot, or TF_CONNS_MAX */
    uint32_t open_count;
    struct tf_log_limit log_limit;  /* of what peers cause */
    uint64_t leaving[TF_CONNS_MAX]; /* ids of those that got CLOSE since the last entry */
    size_t leaving_count;
    struct tf_transfer transfers[TF_WORKER_TRANSFERS_MAX]; /* a queue; [0] is running */
    size_t transfer_count;
    struct tf_quoter *quoter;      /* the process's */
    uint32_t target;               /* which of its targets the enclave knows */
    bool has_quotes;               /* it rang */
    uint8_t payload[TF_FRAME_MAX]; /* a frame's or packet's body while it is handled */
};

/* worker_loop.c */

/** Readies a thread's state; `t` is zeroed. `link` stays the caller's, as does `enclave`.
 *  @return TF_OK, TF_EIO, TF_ENOMEM. */
TF_MUST_USE tf_err tf_worker_init(struct tf_worker_thread *t, struct tf_enclave *enclave,
                                  unsigned index, int link);

/** Closes every connection and gives memory back. */
void tf_worker_wipe(struct tf_worker_thread *t);

/**
 * Runs until tfaasd closes the link (TF_OK) or the enclave stops (any other code).
 * @param descriptor  the trust domain, for INIT.
 */
TF_MUST_USE tf_err tf_worker_run(struct tf_worker_thread *t, const char *descriptor,
                                 size_t descriptor_size);

/** Milliseconds of the monotonic clock. */
uint64_t tf_worker_clock_ms(void);

/* worker_conn.c */

/** Frees all slots. */
void tf_conns_init(struct tf_worker_thread *t);

/** Takes over an accepted socket and tells the enclave; closes `fd` when the table is
 * full. */
void tf_conn_open(struct tf_worker_thread *t, int fd);

/** The open connection of a frame's or event's id, or NULL. */
struct tf_conn *tf_conn_find(struct tf_worker_thread *t, uint64_t id);

/** What epoll reported. */
void tf_conn_event(struct tf_worker_thread *t, struct tf_conn *conn, uint32_t events);

/** Writes pieces to the peer as far as its socket takes them, and keeps the rest. */
void tf_conn_write(struct tf_worker_thread *t, struct tf_conn *conn, struct iovec *pieces,
                   int count);

/** The enclave is done with it: close once all is written. */
void tf_conn_end(struct tf_worker_thread *t, struct tf_conn *conn);

/** After the enclave consumed all: closes what the peer closed. */
void tf_conns_settle(struct tf_worker_thread *t);

/** Once a second: time-outs. */
void tf_conns_tick(struct tf_worker_thread *t);

/** Closes all. */
void tf_conns_wipe(struct tf_worker_thread *t);

/* worker_listen.c */

/** Nothing is lent yet. */
void tf_worker_listen_init(struct tf_worker_thread *t);

/** Listens on tfaasd's socket `fd`, which is taken over, or with -1 no more. Names that
 * were learned are forgotten. */
void tf_worker_listen_set(struct tf_worker_thread *t, int fd);

/** Connections that ask for this name are for this worker. */
void tf_worker_listen_learn(struct tf_worker_thread *t, const char *text, size_t size);

/** Accepts up to `most` connections, keeps those with a name it knows and hands the
 * others back to tfaasd, nothing read from them. */
void tf_worker_listen_ready(struct tf_worker_thread *t, int most);

/** Whether there is something to try again in a moment. */
bool tf_worker_listen_rests(const struct tf_worker_thread *t);

/** Each round: tries again what could not be done, and listens. */
void tf_worker_listen_pump(struct tf_worker_thread *t);

/** Closes all. */
void tf_worker_listen_wipe(struct tf_worker_thread *t);

/* worker_quote.c */

/** Has the loop listen to the process's quoter, which is kept. @return TF_OK, TF_EIO. */
TF_MUST_USE tf_err tf_worker_quote_join(struct tf_worker_thread *t,
                                        struct tf_quoter *quoter);

/** A REPORT came out of the enclave, `size` bytes in t->payload, for the connection `id`.
 *  Its QUOTE goes in when there is one; empty, at once, if too many wait, of all or of
 *  this peer.
 *  @return TF_OK; TF_EFORMAT if it is none. */
TF_MUST_USE tf_err tf_worker_quote_ask(struct tf_worker_thread *t, uint64_t id,
                                       size_t size);

/**
 * Who counts as one when quotes are asked for (tf_quoter_ask's peer): an address of IPv4,
 * mapped into IPv6 or not; of IPv6 a /64, whose owner has all the addresses in it, but in
 * the lowest, where ::1 is, each for itself.
 * @return 0 for an address of another family.
 */
uint64_t tf_worker_quote_peer(const struct sockaddr_storage *address);

/** Moves answers into the ring as far as there is room. */
void tf_worker_quote_pump(struct tf_worker_thread *t);

/* worker_link.c */

/** Takes what tfaasd sent. @return TF_OK, or TF_EIO when tfaasd is gone. */
TF_MUST_USE tf_err tf_worker_link_read(struct tf_worker_thread *t);

/** Moves files into the ring as far as there is room. */
void tf_worker_link_pump(struct tf_worker_thread *t);

/** Passes RESULT, SEALED, REVOKED, EVENT on to tfaasd; `body` is the frame's payload. */
void tf_worker_link_forward(struct tf_worker_thread *t, const struct tf_frame *frame,
                            const uint8_t *body);

/** The enclave wants a bundle, whose digest is in t->payload: passes that on. */
void tf_worker_link_want(struct tf_worker_thread *t, const struct tf_frame *frame);

/** A wanted lambda is loaded, or was not: counts how long that took.
 *  @return whether the event in t->payload was of that kind. */
bool tf_worker_link_loaded(struct tf_worker_thread *t, const struct tf_frame *frame);

/** Tells tfaasd that the enclave is up. */
void tf_worker_link_ready(struct tf_worker_thread *t);
