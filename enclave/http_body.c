/* SPDX-License-Identifier: Apache-2.0 */
/* http_body.c - the body's part of http.h: chunked or by its length. */
#include <string.h>

#include "enclave/http.h"
#include "enclave/http_text.h"

enum {
    CHUNK_DIGITS_MAX = 8,
    EXTENSIONS_MAX =
        256, /* bytes, over a whole body: nobody needs them, see CVE-2023-39326 */
    TRAILER_MAX = 4 << 10 /* bytes, dropped */
};

/* Where the chunk decoder is (RFC 9112 section 7.1). 0 to CHUNK_DIGITS_MAX: in a chunk's
 * size, that many digits seen. */
enum {
    AT_EXTENSION_NAME = CHUNK_DIGITS_MAX + 1, /* after the ';' */
    AT_EXTENSION,
    AT_SIZE_LF,
    AT_DATA,
    AT_DATA_CR,
    AT_DATA_LF,
    AT_TRAILER, /* at the start of a trailer line */
    AT_TRAILER_NAME,
    AT_TRAILER_VALUE,
    AT_TRAILER_LF,
    AT_END_LF
};

void tf_http_body_init(struct tf_http_body *body, const struct tf_http_head *head,
                       uint64_t max)
{
    *body = (struct tf_http_body){0};
    body->is_chunked = head->is_chunked;
    body->max = max;
    if (!head->is_chunked) {
        body->left = head->has_length ? head->length : 0;
        body->is_done = body->left == 0;
        body->state = AT_DATA;
    }
}

/* -1 if `c` is no hexadecimal digit. */
static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = tf_http_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static tf_err expect(struct tf_http_body *body, char found, char wanted, uint32_t next)
{
    if (found != wanted) {
        return TF_EHTTP_SYNTAX;
    }
    body->state = next;
    return TF_OK;
}

/* A byte of a chunk's size, or the first one after it. White space is refused there: only
 * old versions of the protocol allowed it, and parsers disagree on it. */
static tf_err step_size(struct tf_http_body *body, char c)
{
    int digit = digit_value(c);
    if (digit >= 0) {
        if (body->state == CHUNK_DIGITS_MAX) {
            return TF_EHTTP_SYNTAX;
        }
        body->state++;
        body->left = body->left * 16 + (uint64_t)digit;
        return body->left > body->max - body->total ? TF_EHTTP_TOOLARGE : TF_OK;
    }
    if (body->state == 0) {
        return TF_EHTTP_SYNTAX;
    }
    if (c == ';') {
        body->state = AT_EXTENSION_NAME;
        return TF_OK;
    }
    return expect(body, c, '\r', AT_SIZE_LF);
}

/* Extensions are ignored, as RFC 9112 7.1.1 asks, but only printable ones and few. */
static tf_err step_extension(struct tf_http_body *body, char c)
{
    if (body->state == AT_EXTENSION_NAME) {
        if (!tf_http_is_tchar(c)) {
            return TF_EHTTP_SYNTAX;
        }
        body->state = AT_EXTENSION;
    } else if (c == '\r') {
        body->state = AT_SIZE_LF;
        return TF_OK;
    }
    body->trailer++;
    return tf_http_is_text(c) && body->trailer <= EXTENSIONS_MAX ? TF_OK
                                                                 : TF_EHTTP_SYNTAX;
}

/* Trailer fields are checked and dropped: merging them into the header would let a client
 * say late what was decided early. */
static tf_err step_trailer(struct tf_http_body *body, char c)
{
    if (++body->trailer > TRAILER_MAX) {
        return TF_EHTTP_HEADERS;
    }
    if (body->state == AT_TRAILER_VALUE) {
        if (c == '\r') {
            body->state = AT_TRAILER_LF;
            return TF_OK;
        }
        return tf_http_is_text(c) ? TF_OK : TF_EHTTP_SYNTAX;
    }
    if (body->state == AT_TRAILER && c == '\r') {
        body->state = AT_END_LF;
        return TF_OK;
    }
    if (tf_http_is_tchar(c)) {
        body->state = AT_TRAILER_NAME;
        return TF_OK;
    }
    if (body->state == AT_TRAILER) {
        return TF_EHTTP_SYNTAX; /* a name has one byte at least */
    }
    return expect(body, c, ':', AT_TRAILER_VALUE);
}

/* One byte outside of chunk data. */
static tf_err step(struct tf_http_body *body, char c)
{
    switch (body->state) {
    case AT_EXTENSION_NAME:
    case AT_EXTENSION:
        return step_extension(body, c);
    case AT_SIZE_LF:
        if (body->left > 0) {
            return expect(body, c, '\n', AT_DATA);
        }
        body->trailer = 0;
        return expect(body, c, '\n', AT_TRAILER);
    case AT_DATA_CR:
        return expect(body, c, '\r', AT_DATA_LF);
    case AT_DATA_LF:
        return expect(body, c, '\n', 0);
    case AT_TRAILER:
    case AT_TRAILER_NAME:
    case AT_TRAILER_VALUE:
        return step_trailer(body, c);
    case AT_TRAILER_LF:
        return expect(body, c, '\n', AT_TRAILER);
    case AT_END_LF:
        body->is_done = c == '\n';
        return expect(body, c, '\n', AT_END_LF);
    default:
        return step_size(body, c);
    }
}

/* Hands on what is there of the chunk, or of the whole body. @return bytes moved. */
static size_t move_data(struct tf_http_body *body, const char *in, size_t in_size,
                        char *out)
{
    size_t size = body->left < in_size ? (size_t)body->left : in_size;
    memmove(out, in, size);
    body->left -= size;
    body->total += size;
    if (body->left == 0) {
        body->is_done = !body->is_chunked;
        body->state = AT_DATA_CR;
    }
    return size;
}

size_t tf_http_body_take(struct tf_http_body *body, size_t in_size)
{
    if (body->is_chunked || body->is_done || body->total != 0 || body->left > in_size ||
        body->left > body->max) {
        return 0;
    }
    size_t size = (size_t)body->left;
    body->total = size;
    body->left = 0;
    body->is_done = true;
    return size;
}

tf_err tf_http_body_feed(struct tf_http_body *body, const char *in, size_t in_size,
                         size_t *used, char *out, size_t *out_size)
{
    /* A Content-Length says at once that the body is too large. */
    if (body->left > body->max - body->total) {
        return TF_EHTTP_TOOLARGE;
    }
    size_t at = 0;
    size_t made = 0;
    while (at < in_size && !body->is_done) {
        if (body->state == AT_DATA) {
            size_t moved = move_data(body, in + at, in_size - at, out + made);
            at += moved;
            made += moved;
            continue;
        }
        tf_err err = step(body, in[at++]);
        if (err != TF_OK) {
            return err;
        }
    }
    *used = at;
    *out_size = made;
    return TF_OK;
}
