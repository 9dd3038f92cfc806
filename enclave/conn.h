/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn.h - one connection of a thread: TLS, then HTTP. Its bytes come and go as frames.
 * All of a connection lies in the thread's heap.
 *
 * A connection runs until it needs bytes of the peer, room in the ring, credit (the host
 * has not yet written out what it got), evidence, its lambda, or until it had its turn.
 * Input that it cannot use meanwhile is kept, up to a bound: the host should stop reading
 * from the socket of a peer that does not read its answers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "enclave/buffer.h"
#include "enclave/sched.h"
#include "enclave/serve.h"
#include "enclave/tls.h"

struct WOLFSSL;
struct tf_entry;
struct tf_lane;
struct tf_manage;
struct tf_thread;

enum {
    TF_CONN_CREDIT = 256 << 10,  /* bytes sent to the host and not yet in the socket */
    TF_CONN_KEPT_MAX = 256 << 10 /* input that could not be used yet */
};

enum tf_conn_state {
    TF_CONN_HANDSHAKE,
    TF_CONN_OPEN,
    TF_CONN_CLOSING, /* close_notify is still to be sent */
    TF_CONN_DONE     /* the CLOSE frame is still to be sent */
};

struct tf_conn {
    struct tf_thread *thread;
    struct WOLFSSL *ssl; /* owned */
    uint64_t id;         /* as in frames */
    enum tf_conn_state state;
    bool is_ready;            /* wants to run without new input */
    bool is_management;       /* the name is the management endpoint's */
    char sni[TF_DNS_MAX + 1]; /* lower case; "" until the ClientHello was seen */
    struct tf_entry *entry;   /* of the lambda that has the name; NULL: not known yet */
    uint64_t grant_ordinal;   /* of the grant that the certificate came from */
    uint8_t exporter[TF_EXPORTER_SIZE]; /* management only */
    uint64_t leases_seen; /* how many the instance had taken when this one began */

    const uint8_t *input; /* the rest of the frame being worked on, borrowed */
    size_t input_size;
    struct tf_buffer kept; /* what is left of earlier frames */
    size_t kept_at;
    uint64_t unacked; /* bytes that use up credit */
    bool is_choked;   /* there was none left for what it had to send */

    struct tf_exchange exchange;
    struct tf_waiting waiting; /* where its request waits to begin, */
    struct tf_lane *lane;      /* or runs; or NULL */
    unsigned put_back;         /* how often its request was */
    struct tf_manage *manage;  /* owned; NULL until needed */
};

/** TF_MSG_OPEN. @return TF_OK; TF_EHOST for an id that cannot be. */
TF_MUST_USE tf_err tf_conn_open(struct tf_thread *thread, uint64_t id);

/** TF_MSG_DATA. Bytes of a connection that is gone are dropped.
 *  @return TF_OK; TF_EHOST for an id that cannot be. */
TF_MUST_USE tf_err tf_conn_data(struct tf_thread *thread, uint64_t id,
                                const uint8_t *data, size_t size);

/** TF_MSG_SENT. @return TF_OK; TF_EHOST if the host acknowledges what it never got. */
TF_MUST_USE tf_err tf_conn_sent(struct tf_thread *thread, uint64_t id, uint64_t bytes);

/** TF_MSG_CLOSE: the peer is gone. @return TF_OK; TF_EHOST for an id that cannot be. */
TF_MUST_USE tf_err tf_conn_gone(struct tf_thread *thread, uint64_t id);

/** TF_MSG_QUOTE: `data` is JSON, untrusted. @return TF_OK, TF_EHOST. */
TF_MUST_USE tf_err tf_conn_quote(struct tf_thread *thread, uint64_t id,
                                 const uint8_t *data, size_t size);

/** Goes on with a connection, as far as that goes; it may be gone afterwards. */
void tf_conn_run(struct tf_conn *conn);

/** Gives every connection that is ready one turn. */
void tf_conn_run_ready(struct tf_thread *thread);

/** Has the connection run again before the thread leaves for good. */
void tf_conn_set_ready(struct tf_conn *conn);

/** For tls.c: moves input to `out`. @return bytes moved; 0: there is none. */
size_t tf_conn_take_input(struct tf_conn *conn, void *out, size_t cap);

/** For tls.c: whether `size` bytes can be sent at once. */
bool tf_conn_has_room(struct tf_conn *conn, size_t size);

/** For tls.c: sends what credit and room allow. @return bytes taken; 0: later. */
size_t tf_conn_put_output(struct tf_conn *conn, const void *data, size_t size);
