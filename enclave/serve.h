/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.h - HTTP on a connection whose handshake is done: takes requests off the
 * decrypted bytes, has them answered by the lambda or by the management endpoint, sends
 * the answers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enclave/buffer.h"
#include "enclave/http.h"

struct tf_conn;

/** The requests and answers of one connection. A zeroed struct is a new one. */
struct tf_exchange {
    struct tf_buffer plain; /* decrypted; [at, size) is not yet used */
    size_t at;
    size_t seen; /* of it, what was no whole head the last time */
    bool has_head;
    struct tf_http_head head; /* points into `plain`, or into `head_copy` */
    size_t head_at;           /* where in `plain` it began */
    struct tf_buffer head_copy;
    struct tf_http_body body;
    struct tf_buffer content; /* the decoded body so far, if it did not come whole */
    struct tf_str given;      /* the whole body: in `content`, or in `plain` */
    struct tf_buffer receipt; /* for the next answer; empty: none */
    struct tf_buffer out;     /* answers; [out_at, size) is not yet sent */
    size_t out_at;
    bool is_last;    /* close when `out` is sent */
    bool is_waiting; /* for evidence or a lambda; nothing else is done meanwhile */
    uint64_t entry;  /* the thread's entry in which `turns` were counted */
    unsigned turns;  /* requests answered in it */
};

enum tf_serve {
    TF_SERVE_MORE,  /* call again */
    TF_SERVE_WAIT,  /* for bytes, room, credit, evidence, a lambda, or the next turn */
    TF_SERVE_CLOSE, /* all is sent and there will be no more */
    TF_SERVE_BROKEN /* TLS failed: drop the connection */
};

/** Does the next piece of work. */
enum tf_serve tf_serve_step(struct tf_conn *conn);

/**
 * Answers the request being worked on.
 *
 * @param headers  beside the framing, which is added; not kept.
 * @param body     copied.
 */
void tf_serve_answer(struct tf_conn *conn, unsigned status,
                     const struct tf_js_header *headers, size_t header_count,
                     struct tf_str body);

/** Answers with a status and an error id, which is returned. Tells nothing else. */
uint64_t tf_serve_refuse(struct tf_conn *conn, unsigned status);

/** Answers 503: too many wait, come again in a second. @return the error id. */
uint64_t tf_serve_busy(struct tf_conn *conn);

/** The request for which the connection waited has been answered: go on. */
void tf_serve_resume(struct tf_conn *conn);

/** Frees what it holds. */
void tf_exchange_wipe(struct tf_exchange *exchange);
