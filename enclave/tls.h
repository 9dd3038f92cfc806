/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.h - TLS 1.3 over frames: the contexts, the choice of certificate by the name that
 * the client asks for, and moving bytes between wolfSSL and a connection. No I/O of its
 * own.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct WOLFSSL_CTX;
struct tf_conn;
struct tf_grant;
struct tf_thread;

enum {
    TF_EXPORTER_SIZE = 32,
    TF_RECORD_MAX = 16 << 10, /* a record's plain text: what is read or written at once */
    TF_SEALED_MAX = 16000     /* a record that is made for a frame of its own */
};

/** Prepares the thread's base context, with the management certificate.
 *  @return TF_OK or TF_EINTERNAL. */
TF_MUST_USE tf_err tf_tls_start(struct tf_thread *thread);

/**
 * Makes a context that serves a grant's chain with its key.
 * @return TF_OK; TF_EGRANT_FORMAT (chain), TF_EGRANT_KEY (no key of ours), TF_ENOMEM.
 * Close it with tf_tls_context_close.
 */
TF_MUST_USE tf_err tf_tls_context_open(const struct tf_grant *grant,
                                       struct WOLFSSL_CTX **out);

/** Whether the key is the leaf's: two multiplications on the curve, for each grant once.
 *  @return TF_OK, TF_EGRANT_KEY. */
TF_MUST_USE tf_err tf_tls_context_check(const struct WOLFSSL_CTX *context);

/** Lets go of a context; connections that use it keep it. NULL is fine. */
void tf_tls_context_close(struct WOLFSSL_CTX *context);

/** Starts TLS on a new connection. @return TF_OK or TF_ENOMEM. */
TF_MUST_USE tf_err tf_tls_open(struct tf_conn *conn);

/** Ends it without a word to the peer. */
void tf_tls_close(struct tf_conn *conn);

/**
 * Goes on with the handshake.
 * @return TF_OK when it is done; TF_AGAIN (for bytes, or for room to send); TF_EIO when
 * it failed: an alert was sent if there was room.
 */
TF_MUST_USE tf_err tf_tls_accept(struct tf_conn *conn, int *code);

/** Bytes at hand that a read can use: plain ones that are left of a record, else
 * encrypted ones. @return 0: it would find nothing. */
size_t tf_tls_input(const struct tf_conn *conn);

/** Reads decrypted bytes. @return TF_OK and their number, 0 at the peer's end; TF_AGAIN;
 *  TF_EIO. */
TF_MUST_USE tf_err tf_tls_read(struct tf_conn *conn, void *out, size_t cap, size_t *size);

/** Encrypts and sends. The byte behind the last one is used meanwhile.
 * @return TF_OK and how much was taken; TF_AGAIN: call again with the same bytes; TF_EIO.
 */
TF_MUST_USE tf_err tf_tls_write(struct tf_conn *conn, uint8_t *data, size_t size,
                                size_t *taken);

/** Sends close_notify. @return TF_OK, or TF_AGAIN: call again. */
TF_MUST_USE tf_err tf_tls_shutdown(struct tf_conn *conn);
