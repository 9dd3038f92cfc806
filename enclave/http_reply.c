/* SPDX-License-Identifier: Apache-2.0 */
/* http_reply.c - the answer's part of http.h: status line, fields, framing. */
#include <string.h>

#include "enclave/http.h"
#include "enclave/http_text.h"
#include "lib/bytes.h"

struct reason {
    unsigned status;
    char text[32]; /* in place: the image has no relocations in read-only data */
};

/* RFC 9110 section 15, and RFC 6585. */
static const struct reason reasons[] = {
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

/* Text being written; `is_full` sticks. */
struct writer {
    char *out;
    size_t cap;
    size_t at;
    bool is_full;
};

static void put(struct writer *writer, const char *data, size_t size)
{
    if (writer->is_full || size > writer->cap - writer->at) {
        writer->is_full = true;
        return;
    }
    memcpy(writer->out + writer->at, data, size);
    writer->at += size;
}

static inline void put_text(struct writer *writer, const char *text)
{
    put(writer, text, __builtin_strlen(text));
}

static void put_number(struct writer *writer, uint64_t value)
{
    char digits[TF_DECIMAL_MAX];
    put(writer, digits, tf_decimal_write(value, digits));
}

static const char *reason_of(unsigned status)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status) {
            return reasons[i].text;
        }
    }
    return ""; /* RFC 9112 section 4: the reason may be empty */
}

static bool has_prefix(struct tf_str name, const char *lower, size_t size)
{
    return name.size >= size && tf_http_is_same((struct tf_str){name.data, size}, lower);
}

/* Fields by which a lambda would frame the message, or speak for the connection or for
 * the platform. */
static bool is_ours(struct tf_str name)
{
    static const char proxy[] = "proxy-";
    static const char platform[] = "tfaas-";

    return tf_http_is(name, "content-length") || tf_http_is(name, "transfer-encoding") ||
           tf_http_is(name, "connection") || tf_http_is(name, "keep-alive") ||
           tf_http_is(name, "upgrade") || tf_http_is(name, "te") ||
           tf_http_is(name, "trailer") || has_prefix(name, proxy, sizeof(proxy) - 1) ||
           has_prefix(name, platform, sizeof(platform) - 1);
}

/* The engine's file has checked names and values; this is the last place where a CR or LF
 * could split the response, so it looks again and leaves out what is not clean. */
static void put_field(struct writer *writer, const struct tf_js_header *field)
{
    if (!tf_http_is_token(field->name) || !tf_http_is_value(field->value) ||
        is_ours(field->name)) {
        return;
    }
    put(writer, field->name.data, field->name.size);
    put(writer, ": ", 2);
    put(writer, field->value.data, field->value.size);
    put(writer, "\r\n", 2);
}

static bool is_interim(unsigned status)
{
    return status < 200;
}

bool tf_http_reply_has_body(const struct tf_http_reply *reply)
{
    return !reply->is_head && !is_interim(reply->status) && reply->status != 204 &&
           reply->status != 205 && reply->status != 304;
}

static void put_framing(struct writer *writer, const struct tf_http_reply *reply)
{
    /* RFC 9110 8.6 and 15.3.6: 204 has no length and 205 has length 0. 304's length would
     * be that of the 200 it stands for, which nobody knows. */
    if (reply->status == 205) {
        put_text(writer, "content-length: 0\r\n");
    } else if (reply->status != 204 && reply->status != 304) {
        if (reply->is_chunked) {
            put_text(writer, "transfer-encoding: chunked\r\n");
        } else {
            put_text(writer, "content-length: ");
            put_number(writer, reply->body_size);
            put_text(writer, "\r\n");
        }
    }
    put_text(writer,
             reply->keep_alive ? "connection: keep-alive\r\n" : "connection: close\r\n");
}

size_t tf_http_reply_write(const struct tf_http_reply *reply, char *out, size_t cap)
{
    struct writer writer = {.cap = cap};

    writer.out = out;
    put_text(&writer, "HTTP/1.1 ");
    put_number(&writer, reply->status);
    put_text(&writer, " ");
    put_text(&writer, reason_of(reply->status));
    put_text(&writer, "\r\n");
    for (size_t i = 0; i < reply->header_count; i++) {
        put_field(&writer, &reply->headers[i]);
    }
    if (!is_interim(reply->status)) {
        put_framing(&writer, reply);
    }
    if (reply->receipt.size != 0) {
        put_text(&writer, TF_RECEIPT_FIELD ": ");
        put(&writer, reply->receipt.data, reply->receipt.size);
        put_text(&writer, "\r\n");
    }
    put_text(&writer, "\r\n");
    return writer.is_full ? 0 : writer.at;
}

/* Every other code is a bug of the lambda or of ours, and is 500. */
static const struct {
    tf_err err;
    unsigned status;
} statuses[] = {
    {TF_EHTTP_SYNTAX, 400}, {TF_EHTTP_TOOLARGE, 413}, {TF_EHTTP_HEADERS, 431},
    {TF_EHTTP_METHOD, 501}, {TF_EHTTP_VERSION, 505},  {TF_ESTEPS, 503},
    {TF_EMEMORY, 503},      {TF_ESTACK, 503},         {TF_ENOMEM, 503},
    {TF_ENOTFOUND, 503},    {TF_EPENDING, 504},
};

unsigned tf_http_status(tf_err err)
{
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (statuses[i].err == err) {
            return statuses[i].status;
        }
    }
    return 500;
}
