/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - HTTP/1.1 (RFC 9112) for a server: bytes in, requests out; no I/O and no
 * allocation.
 *
 * Strict where leniency lets two parsers disagree (request smuggling): Transfer-Encoding
 * with Content-Length, two Content-Length or Host fields, a bare CR or LF, obs-fold,
 * space before the colon, control characters and odd chunk sizes are all refused: answer
 * and close. Input is untrusted. HTTP/1.0 is served without keep-alive by default.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "enclave/js/js.h"
#include "lib/err.h"

/** In a request it asks for a receipt, in a response it has one (doc/formats.md). */
#define TF_RECEIPT_FIELD "tfaas-receipt"

struct tf_http_head {
    struct tf_str method;
    /** Origin-form: /path?query (absolute-form is reduced to it); with OPTIONS also *. */
    struct tf_str target;
    /** Lower-cased in place, the port cut off; empty only in HTTP/1.0. */
    struct tf_str host;
    /** Names lower-cased in place, values without white space around them. */
    struct tf_js_header headers[TF_HEADERS_MAX];
    size_t header_count;
    bool keep_alive;
    bool is_chunked;
    bool has_length;
    bool expects_continue; /* and there is a body to wait for */
    bool takes_chunks;     /* HTTP/1.1: a response may be chunked */
    uint64_t length;       /* Content-Length */
};

/**
 * Parses a request's head.
 *
 * @param bytes   the connection's input, `size` bytes so far; names are
 *                lower-cased in place on success, and `out` points into it.
 * @param before  bytes that were already there at the last TF_AGAIN; 0 at first.
 * @param used    bytes of the head on success.
 * @return TF_OK; TF_AGAIN: more bytes needed; TF_EHTTP_SYNTAX (400), TF_EHTTP_HEADERS
 *         (431, also when TF_HEAD_MAX is reached), TF_EHTTP_VERSION (505),
 *         TF_EHTTP_METHOD (501).
 */
TF_MUST_USE tf_err tf_http_head_parse(char *bytes, size_t size, size_t before,
                                      struct tf_http_head *out, size_t *used);

/** A request body being taken off the input. */
struct tf_http_body {
    bool is_chunked;
    bool is_done;
    uint64_t left;  /* of the length, or of the chunk */
    uint64_t total; /* decoded so far */
    uint64_t max;
    uint32_t state;   /* of the chunk decoder */
    uint32_t trailer; /* bytes of chunk extensions, then of the trailer: bounded */
};

/** Prepares for the body that `head` announces. @param max  the most that it may have. */
void tf_http_body_init(struct tf_http_body *body, const struct tf_http_head *head,
                       uint64_t max);

/**
 * A body of known length, of which nothing has been decoded yet and all has come: it need
 * not be decoded.
 *
 * @param in_size  bytes there are.
 * @return its size, and body->is_done; 0: it is another kind of body, feed it.
 */
size_t tf_http_body_take(struct tf_http_body *body, size_t in_size);

/**
 * Decodes body bytes.
 *
 * @param in     untrusted; `used` says how many were consumed.
 * @param out    decoded bytes, at most `in_size`; may be `in` itself.
 * @return TF_OK (body->is_done tells whether the body is complete), TF_EHTTP_SYNTAX,
 *         TF_EHTTP_TOOLARGE as soon as the body must exceed `max` (for a Content-Length
 *         also with `in_size` 0, so it is known before a 100 Continue is sent),
 *         TF_EHTTP_HEADERS for a trailer without end. After an error the connection's
 *         input means nothing any more.
 */
TF_MUST_USE tf_err tf_http_body_feed(struct tf_http_body *body, const char *in,
                                     size_t in_size, size_t *used, char *out,
                                     size_t *out_size);

/** What the server adds to a response. */
struct tf_http_reply {
    unsigned status;
    const struct tf_js_header *headers; /* framing fields in it are dropped */
    size_t header_count;
    size_t body_size;
    bool keep_alive;
    bool is_chunked;       /* Transfer-Encoding: chunked instead of Content-Length */
    bool is_head;          /* answer to HEAD: length without body */
    struct tf_str receipt; /* value of TF_RECEIPT_FIELD; size 0: none */
};

/**
 * Writes a response's head. Fields of the lambda that would break it or frame the message
 * (bad bytes, content-length, transfer-encoding, connection, ...) are left out. Status
 * 100 writes an interim response.
 * @return its size, or 0 if it does not fit `cap`.
 */
size_t tf_http_reply_write(const struct tf_http_reply *reply, char *out, size_t cap);

/** @return whether body bytes follow that head: not for HEAD, 1xx, 204, 205 and 304. */
bool tf_http_reply_has_body(const struct tf_http_reply *reply);

/** Status for an error that the platform answers itself: 400, 413, 431, 500, 501, 503,
 *  504, 505; never tells more than the class. */
unsigned tf_http_status(tf_err err);
