/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_fuzz.c - a request's head and body. Input: two bytes that say where to split, then
 * what a client sends. Invariants: nothing is read outside of the input or points outside
 * of it, no body is larger than what it came from, and the pieces give what the whole
 * gives.
 */
#include <stdlib.h>
#include <string.h>

#include "enclave/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BODY_MAX = 4096 };

struct outcome {
    tf_err head_err;
    tf_err body_err;
    struct tf_http_head head;
    size_t used;
    bool is_done;
    size_t body_used;
    size_t body_size;
    char *bytes; /* owned; the head points into it */
    char *body;  /* owned */
};

static void claim(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static char *allocate(size_t size)
{
    char *block = malloc(size + (size == 0));
    claim(block != NULL);
    return block;
}

static void decode(struct outcome *o, size_t size, size_t split)
{
    struct tf_http_body body;
    size_t left = size - o->used;
    char *in = o->bytes + o->used;
    o->body = allocate(left);
    tf_http_body_init(&body, &o->head, BODY_MAX);
    split = split < left ? split : left;
    for (int piece = 0; piece < 2 && o->body_err == TF_OK && !body.is_done; piece++) {
        size_t have = piece == 0 ? split : left - o->body_used;
        size_t used = 0;
        size_t made = 0;
        o->body_err = tf_http_body_feed(&body, in + o->body_used, have, &used,
                                        o->body + o->body_size, &made);
        claim(used <= have && made <= used);
        claim(o->body_err != TF_OK || body.is_done || used == have);
        o->body_used += used;
        o->body_size += made;
    }
    claim(o->body_err != TF_OK || (body.total == o->body_size && body.total <= BODY_MAX));
    o->is_done = body.is_done;
}

static void run(const char *data, size_t size, size_t head_split, size_t body_split,
                struct outcome *o)
{
    memset(o, 0, sizeof(*o));
    size_t first = head_split < size ? head_split : size;
    char *part = allocate(first);
    memcpy(part, data, first);
    o->head_err = tf_http_head_parse(part, first, 0, &o->head, &o->used);
    free(part);
    o->bytes = allocate(size);
    memcpy(o->bytes, data, size);
    size_t before = o->head_err == TF_AGAIN ? first : 0;
    if (o->head_err == TF_AGAIN || o->head_err == TF_OK) {
        o->head_err = tf_http_head_parse(o->bytes, size, before, &o->head, &o->used);
    }
    if (o->head_err == TF_OK) {
        decode(o, size, body_split);
    }
}

static void check_inside(const struct outcome *o, struct tf_str text)
{
    claim(text.size == 0 || (text.data >= o->bytes && text.size <= o->used &&
                             text.data + text.size <= o->bytes + o->used));
}

static void check_head(const struct outcome *o, size_t size)
{
    const struct tf_http_head *head = &o->head;
    claim(o->used <= size && o->used <= TF_HEAD_MAX);
    claim(head->method.size > 0 && head->target.size > 0);
    claim(head->header_count <= TF_HEADERS_MAX &&
          !(head->is_chunked && head->has_length));
    check_inside(o, head->method);
    check_inside(o, head->host);
    /* An absolute-form without a path becomes a constant. */
    if (!(head->target.size == 1 && head->target.data[0] == '/')) {
        check_inside(o, head->target);
    }
    for (size_t i = 0; i < head->header_count; i++) {
        claim(head->headers[i].name.size > 0);
        check_inside(o, head->headers[i].name);
        check_inside(o, head->headers[i].value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct outcome whole;
    static struct outcome split;
    if (size < 2) {
        return 0;
    }
    const char *raw = (const char *)data + 2;
    size -= 2;
    run(raw, size, size, size, &whole);
    run(raw, size, data[0], data[1], &split);
    claim(whole.head_err == split.head_err && whole.body_err == split.body_err);
    if (whole.head_err == TF_OK) {
        check_head(&whole, size);
        check_head(&split, size);
        claim(whole.used == split.used);
        claim(memcmp(whole.bytes, split.bytes, size) == 0);
        claim(whole.is_done == split.is_done);
        if (whole.body_err == TF_OK) {
            claim(whole.body_used == split.body_used &&
                  whole.body_size == split.body_size);
            claim(memcmp(whole.body, split.body, whole.body_size) == 0);
        }
    }
    free(whole.bytes);
    free(whole.body);
    free(split.bytes);
    free(split.body);
    return 0;
}
