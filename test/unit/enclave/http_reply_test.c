/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_reply_test.c - response heads: framing is ours whatever the lambda says, and
 * nothing that a lambda can say splits a response.
 */
#include "enclave/http.h"

#include <stdlib.h>
#include <string.h>

#include "test/test.h"

#define STR(text)                                                                        \
    {                                                                                    \
        text, sizeof(text) - 1                                                           \
    }

/* Writes into a block of exactly `cap` bytes. @return size. */
static size_t write_into(const struct tf_http_reply *reply, size_t cap, char *copy)
{
    char *out = malloc(cap + (cap == 0));
    if (out == NULL) {
        abort();
    }
    size_t size = tf_http_reply_write(reply, out, cap);
    CHECK(size <= cap);
    memcpy(copy, out, size);
    copy[size] = '\0';
    free(out);
    return size;
}

static void check_reply(const struct tf_http_reply *reply, const char *wanted)
{
    char text[1024];
    CHECK(write_into(reply, sizeof(text) - 1, text) == strlen(wanted));
    if (!CHECK(strcmp(text, wanted) == 0)) {
        (void)fprintf(stderr, "%s", text);
    }
}

static void a_lambda_does_not_speak_for_the_platform(void)
{
    const struct tf_js_header headers[] = {{STR("tfaas-receipt"), STR("forged")},
                                           {STR("Tfaas-Receipt"), STR("forged")},
                                           {STR("TFAAS-"), STR("forged")},
                                           {STR("tfaas"), STR("may")}};
    struct tf_http_reply reply = {
        .status = 200, .headers = headers, .header_count = 4, .keep_alive = true};
    check_reply(&reply, "HTTP/1.1 200 OK\r\ntfaas: may\r\ncontent-length: 0\r\n"
                        "connection: keep-alive\r\n\r\n");
    reply.receipt = (struct tf_str)STR("a.b");
    check_reply(&reply, "HTTP/1.1 200 OK\r\ntfaas: may\r\ncontent-length: 0\r\n"
                        "connection: keep-alive\r\ntfaas-receipt: a.b\r\n\r\n");
}

static void framing_is_written(void)
{
    struct tf_http_reply reply = {.status = 200, .body_size = 1234, .keep_alive = true};
    check_reply(&reply, "HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n"
                        "connection: keep-alive\r\n\r\n");
    reply.is_head = true;
    check_reply(&reply, "HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n"
                        "connection: keep-alive\r\n\r\n");
    reply = (struct tf_http_reply){.status = 404, .is_chunked = true};
    check_reply(&reply, "HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n"
                        "connection: close\r\n\r\n");
    reply = (struct tf_http_reply){.status = 299};
    check_reply(&reply,
                "HTTP/1.1 299 \r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reply = (struct tf_http_reply){.status = 431, .body_size = SIZE_MAX};
    check_reply(&reply,
                "HTTP/1.1 431 Request Header Fields Too Large\r\n"
                "content-length: 18446744073709551615\r\nconnection: close\r\n\r\n");
}

static void some_statuses_have_no_body(void)
{
    struct tf_http_reply reply = {.status = 204, .body_size = 5, .keep_alive = true};
    check_reply(&reply, "HTTP/1.1 204 No Content\r\nconnection: keep-alive\r\n\r\n");
    CHECK(!tf_http_reply_has_body(&reply));
    reply.status = 304;
    check_reply(&reply, "HTTP/1.1 304 Not Modified\r\nconnection: keep-alive\r\n\r\n");
    CHECK(!tf_http_reply_has_body(&reply));
    reply.status = 205;
    check_reply(&reply, "HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n"
                        "connection: keep-alive\r\n\r\n");
    CHECK(!tf_http_reply_has_body(&reply));
    reply.status = 100;
    check_reply(&reply, "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK(!tf_http_reply_has_body(&reply));
    reply.status = 200;
    CHECK(tf_http_reply_has_body(&reply));
    reply.is_head = true;
    CHECK(!tf_http_reply_has_body(&reply));
}

static void a_lambda_does_not_frame(void)
{
    static const struct tf_js_header headers[] = {
        {STR("Content-Type"), STR("text/plain")},
        {STR("Content-Length"), STR("1")},
        {STR("TRANSFER-ENCODING"), STR("gzip")},
        {STR("connection"), STR("upgrade")},
        {STR("Keep-Alive"), STR("timeout=5")},
        {STR("upgrade"), STR("h2c")},
        {STR("te"), STR("trailers")},
        {STR("Trailer"), STR("X")},
        {STR("Proxy-Connection"), STR("close")},
        {STR("proxy-authenticate"), STR("Basic")},
        {STR("proxy"), STR("kept")},
        {STR("x-te"), STR("")},
        {STR("Set-Cookie"), STR("a=b")},
        {STR("Set-Cookie"), STR("c=\xc3\xa4")},
    };
    struct tf_http_reply reply = {.status = 200,
                                  .headers = headers,
                                  .header_count = sizeof(headers) / sizeof(headers[0]),
                                  .keep_alive = true};
    check_reply(&reply, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nproxy: kept\r\n"
                        "x-te: \r\nSet-Cookie: a=b\r\nSet-Cookie: c=\xc3\xa4\r\n"
                        "content-length: 0\r\nconnection: keep-alive\r\n\r\n");
}

static void a_lambda_does_not_split(void)
{
    static const struct tf_js_header headers[] = {
        {STR("X"), STR("a\r\nSet-Cookie: b")},
        {STR("X"), STR("a\nb")},
        {STR("X"), STR("a\rb")},
        {STR("X"), STR("a\0b")},
        {STR("X"), STR("a\x7f")},
        {STR("X: y\r\nZ"), STR("a")},
        {STR("X\0"), STR("a")},
        {STR(""), STR("a")},
        {STR("X Y"), STR("a")},
        {STR("X:"), STR("a")},
        {STR("\xc3\xa4"), STR("a")},
        {STR("Content-Length "), STR("1")},
        {STR("Good"), STR("kept\t.")},
    };
    struct tf_http_reply reply = {.status = 200,
                                  .headers = headers,
                                  .header_count = sizeof(headers) / sizeof(headers[0])};
    check_reply(&reply, "HTTP/1.1 200 OK\r\nGood: kept\t.\r\ncontent-length: 0\r\n"
                        "connection: close\r\n\r\n");
}

static void a_short_buffer_is_refused_at_every_size(void)
{
    static const struct tf_js_header headers[] = {{STR("A"), STR("b")}};
    struct tf_http_reply reply = {.status = 200, .headers = headers, .header_count = 1};
    char text[256];
    size_t whole = write_into(&reply, sizeof(text) - 1, text);
    CHECK(whole > 0);
    for (size_t cap = 0; cap < whole; cap++) {
        CHECK(write_into(&reply, cap, text) == 0);
    }
    CHECK(write_into(&reply, whole, text) == whole);
}

static void every_error_has_a_status(void)
{
    CHECK(tf_http_status(TF_EHTTP_SYNTAX) == 400);
    CHECK(tf_http_status(TF_EHTTP_TOOLARGE) == 413);
    CHECK(tf_http_status(TF_EHTTP_HEADERS) == 431);
    CHECK(tf_http_status(TF_EHTTP_METHOD) == 501);
    CHECK(tf_http_status(TF_EHTTP_VERSION) == 505);
    CHECK(tf_http_status(TF_ESTEPS) == 503);
    CHECK(tf_http_status(TF_EMEMORY) == 503);
    CHECK(tf_http_status(TF_EPENDING) == 504);
    CHECK(tf_http_status(TF_EEXCEPTION) == 500);
    CHECK(tf_http_status(TF_ERESPONSE) == 500);
    for (int err = 0; err < TF_ERR_COUNT; err++) {
        unsigned status = tf_http_status((tf_err)err);
        CHECK(status >= 400 && status < 600);
    }
}

int main(void)
{
    RUN(a_lambda_does_not_speak_for_the_platform);
    RUN(framing_is_written);
    RUN(some_statuses_have_no_body);
    RUN(a_lambda_does_not_frame);
    RUN(a_lambda_does_not_split);
    RUN(a_short_buffer_is_refused_at_every_size);
    RUN(every_error_has_a_status);
    return test_end();
}
