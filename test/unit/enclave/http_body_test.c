/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_body_test.c - request bodies: what decodes to what, what is refused, and that the
 * answer is the same wherever the bytes are split, decoded apart or in place.
 */
#include "enclave/http.h"

#include <stdlib.h>
#include <string.h>

#include "test/test.h"

#define RAW(text) text, sizeof(text) - 1

enum { MAX = 64, TRAILER_ROOM = 4 << 10 };

struct chunk_case {
    const char *raw;
    size_t size;
    tf_err err;
    const char *text; /* decoded */
};

static const struct chunk_case cases[] = {
    {RAW("0\r\n\r\n"), TF_OK, ""},
    {RAW("5\r\nhello\r\n0\r\n\r\n"), TF_OK, "hello"},
    {RAW("1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"), TF_OK, "abc"},
    {RAW("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"), TF_OK,
     "01234567890123456789"},
    {RAW("00000002\r\n\r\n\r\n00000000\r\n\r\n"), TF_OK, "\r\n"},
    {RAW("3;a\r\nabc\r\n0;b=c\r\n\r\n"), TF_OK, "abc"},
    {RAW("3;a=\"x ; y\";b\t= c\r\nabc\r\n0\r\n\r\n"), TF_OK, "abc"},
    {RAW("1\r\na\r\n0\r\nX: y\r\nZ:\r\n\r\n"), TF_OK, "a"},
    {RAW("1\r\na\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\n\r\n"), TF_OK, "a"},
    {RAW("40\r\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
         "\r\n0\r\n\r\n"),
     TF_OK, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},

    /* Sizes. */
    {RAW("\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("g\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("0x5\r\nhello\r\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("+5\r\nhello\r\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("-5\r\nhello\r\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW(" 5\r\nhello\r\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("5 \r\nhello\r\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("5\t;a\r\nhello\r\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("5_0\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("000000005\r\nhello\r\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("5\0\r\nhello\r\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("\xef\xbc\x95\r\nhello\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("ffffffffffffffff\r\n"), TF_EHTTP_TOOLARGE, NULL},
    {RAW("41\r\n"), TF_EHTTP_TOOLARGE, NULL},
    {RAW("3f\r\n012345678901234567890123456789012345678901234567890123456789012\r\n2\r"
         "\n"),
     TF_EHTTP_TOOLARGE, NULL},

    /* Line ends. */
    {RAW("5\nhello\r\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("5\r\rhello\r\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("5\r\nhello\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("5\r\nhello0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("5\r\nhello!\r\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("5\r\nhello\r\r0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("5\r\nhello\r\n\r\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("0\r\n\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("0\n\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("0\r\n\rX"), TF_EHTTP_SYNTAX, NULL},

    /* Extensions. */
    {RAW("5;\r\nhello\r\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("5; a\r\nhello\r\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("5;a\nhello\r\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("5;a\rb\r\nhello\r\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("5;a\0\r\nhello\r\n0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},

    /* Trailer. */
    {RAW("0\r\n: a\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("0\r\nX : a\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("0\r\nX\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("0\r\nX: a\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("0\r\nX: a\r\n b\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("0\r\nX: a\0\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
    {RAW("0\r\nGET / HTTP/1.1\r\n\r\n"), TF_EHTTP_SYNTAX, NULL},
};

struct decoded {
    tf_err err;
    bool is_done;
    size_t used;
    size_t size;
    char text[512];
};

/* Feeds pieces: `first` bytes, then `step` each; in place or into another block. */
static struct decoded decode(const struct tf_http_head *head, const char *raw,
                             size_t size, size_t first, size_t step, bool in_place)
{
    struct decoded result = {.err = TF_OK};
    struct tf_http_body body;
    tf_http_body_init(&body, head, MAX);
    size_t piece = first;
    while (result.err == TF_OK && !body.is_done && result.used < size) {
        piece = piece < size - result.used ? piece : size - result.used;
        char *in = malloc(piece + 1);
        char *out = malloc(piece + 1);
        size_t used = 0;
        size_t made = 0;
        if (in == NULL || out == NULL) {
            abort();
        }
        memcpy(in, raw + result.used, piece);
        result.err =
            tf_http_body_feed(&body, in, piece, &used, in_place ? in : out, &made);
        memcpy(result.text + result.size, in_place ? in : out, made);
        CHECK(used <= piece && made <= used);
        CHECK(result.err != TF_OK || body.is_done || used == piece);
        result.size += made;
        result.used += used;
        free(in);
        free(out);
        piece = step;
    }
    CHECK(result.err != TF_OK || body.total == result.size);
    result.is_done = body.is_done;
    return result;
}

static void check_case(const struct chunk_case *c, const struct decoded *got,
                       size_t split)
{
    bool is_right = got->err == c->err;
    if (c->err == TF_OK) {
        is_right = is_right && got->is_done && got->used == c->size &&
                   got->size == strlen(c->text) &&
                   memcmp(got->text, c->text, got->size) == 0;
    }
    if (!CHECK(is_right)) {
        (void)fprintf(stderr, "  %s split at %zu: %s\n", c->raw, split,
                      tf_err_name(got->err));
    }
}

static const struct tf_http_head chunked = {.is_chunked = true};

static void chunks_decode_at_any_split(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct chunk_case *c = &cases[i];
        for (size_t at = 0; at <= c->size; at++) {
            struct decoded apart = decode(&chunked, c->raw, c->size, at, c->size, false);
            check_case(c, &apart, at);
            struct decoded in_place =
                decode(&chunked, c->raw, c->size, at, c->size, true);
            check_case(c, &in_place, at);
        }
        struct decoded bytewise = decode(&chunked, c->raw, c->size, 1, 1, true);
        check_case(c, &bytewise, 1);
    }
}

static void what_follows_chunks_is_left(void)
{
    struct decoded got =
        decode(&chunked, RAW("1\r\na\r\n0\r\n\r\nGET / HT"), 99, 1, false);
    CHECK(got.err == TF_OK && got.is_done);
    CHECK(got.used == strlen("1\r\na\r\n0\r\n\r\n") && got.size == 1);
}

static void incomplete_chunks_wait(void)
{
    const char raw[] = "3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n";
    for (size_t size = 0; size < sizeof(raw) - 1; size++) {
        struct decoded got = decode(&chunked, raw, size, size, 1, false);
        CHECK(got.err == TF_OK && !got.is_done);
    }
}

static void lengths_are_exact(void)
{
    struct tf_http_head head = {.has_length = true, .length = 5};
    for (size_t first = 1; first <= 7; first++) {
        struct decoded got = decode(&head, RAW("helloGET"), first, 8, first % 2 == 0);
        CHECK(got.err == TF_OK && got.is_done && got.used == 5 && got.size == 5);
        CHECK(memcmp(got.text, "hello", 5) == 0);
    }
    struct decoded part = decode(&head, RAW("hell"), 4, 1, false);
    CHECK(part.err == TF_OK && !part.is_done && part.size == 4);
}

static void no_length_is_no_body(void)
{
    struct tf_http_head head = {.has_length = false};
    struct tf_http_body body;
    tf_http_body_init(&body, &head, MAX);
    CHECK(body.is_done);
    head.has_length = true;
    tf_http_body_init(&body, &head, MAX);
    CHECK(body.is_done);
}

static void too_long_is_known_before_the_first_byte(void)
{
    struct tf_http_head head = {.has_length = true, .length = MAX};
    struct tf_http_body body;
    char none[1] = {0};
    size_t used = 7;
    size_t made = 7;
    tf_http_body_init(&body, &head, MAX);
    CHECK(tf_http_body_feed(&body, none, 0, &used, none, &made) == TF_OK);
    CHECK(used == 0 && made == 0);
    head.length = MAX + 1;
    used = 7;
    tf_http_body_init(&body, &head, MAX);
    CHECK(tf_http_body_feed(&body, none, 0, &used, none, &made) == TF_EHTTP_TOOLARGE);
    CHECK(used == 7);
    head.length = UINT64_MAX;
    tf_http_body_init(&body, &head, MAX);
    CHECK(tf_http_body_feed(&body, none, 0, &used, none, &made) == TF_EHTTP_TOOLARGE);
}

/* Feeds `text` `count` times after `start`. */
static tf_err feed_many(const char *start, const char *text, size_t count)
{
    struct tf_http_body body;
    char out[64];
    size_t used = 0;
    size_t made = 0;
    tf_http_body_init(&body, &chunked, 1 << 20);
    tf_err err = tf_http_body_feed(&body, start, strlen(start), &used, out, &made);
    for (size_t i = 0; i < count && err == TF_OK; i++) {
        err = tf_http_body_feed(&body, text, strlen(text), &used, out, &made);
    }
    return err;
}

static void extensions_and_trailers_are_bounded(void)
{
    CHECK(feed_many("1;", "a", 256) == TF_OK);
    CHECK(feed_many("1;", "a", 257) == TF_EHTTP_SYNTAX);
    /* Also when they are spread over many chunks. */
    CHECK(feed_many("", "1;abcd\r\na\r\n", 64) == TF_OK);
    CHECK(feed_many("", "1;abcd\r\na\r\n", 65) == TF_EHTTP_SYNTAX);
    CHECK(feed_many("0\r\nX:", "a", TRAILER_ROOM - 2) == TF_OK);
    CHECK(feed_many("0\r\nX:", "a", TRAILER_ROOM - 1) == TF_EHTTP_HEADERS);
    CHECK(feed_many("0\r\n", "X: y\r\n", 4000) == TF_EHTTP_HEADERS);
    /* Small chunks alone are no offence. */
    CHECK(feed_many("", "1\r\na\r\n", 5000) == TF_OK);
}

int main(void)
{
    RUN(chunks_decode_at_any_split);
    RUN(what_follows_chunks_is_left);
    RUN(incomplete_chunks_wait);
    RUN(lengths_are_exact);
    RUN(no_length_is_no_body);
    RUN(too_long_is_known_before_the_first_byte);
    RUN(extensions_and_trailers_are_bounded);
    return test_end();
}
