/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/serve.h"

#include <string.h>

#include "enclave/conn.h"
#include "enclave/emit.h"
#include "enclave/http_text.h"
#include "enclave/invoke.h"
#include "enclave/js/env.h"
#include "enclave/manage.h"
#include "enclave/thread.h"
#include "lib/bytes.h"
#include "lib/crypto.h"

enum {
    FRAMING_MAX = 256, /* status line and our own fields */
    CHUNKS_MAX = 32,   /* what framing a body as one chunk adds */
    NOT_IMPLEMENTED = 501,
    MISDIRECTED = 421,
    UNAVAILABLE = 503,
    ERROR_ID_SIZE = 8
};

void tf_exchange_wipe(struct tf_exchange *exchange)
{
    tf_buffer_wipe(&exchange->plain);
    tf_buffer_wipe(&exchange->head_copy);
    tf_buffer_wipe(&exchange->content);
    tf_buffer_wipe(&exchange->receipt);
    tf_buffer_wipe(&exchange->out);
}

/* --- answers --------------------------------------------------------------------- */

static size_t head_cap(const struct tf_js_header *headers, size_t count)
{
    size_t cap = FRAMING_MAX;

    for (size_t i = 0; i < count; i++) {
        cap += headers[i].name.size + headers[i].value.size + 4; /* ": ", CR LF */
    }
    return cap;
}

/* A lambda that says so gets chunks, where the client takes them. */
static bool wants_chunks(const struct tf_js_header *headers, size_t count)
{
    bool is_wanted = false;

    for (size_t i = 0; i < count; i++) {
        is_wanted |= tf_http_is(headers[i].name, "transfer-encoding") &&
                     tf_http_is(headers[i].value, "chunked");
    }
    return is_wanted;
}

static void put(struct tf_buffer *out, const char *data, size_t size)
{
    memcpy(out->data + out->size, data, size);
    out->size += size;
}

/* One chunk and the last chunk (RFC 9112 7.1); an empty body is only the last one. */
static void put_chunked(struct tf_buffer *out, struct tf_str body)
{
    static const char digits[] = "0123456789abcdef";
    static const char last[] = "0\r\n\r\n";
    char line[2 * sizeof(size_t) + 2];
    size_t at = sizeof(line);

    if (body.size != 0) {
        line[--at] = '\n';
        line[--at] = '\r';
        for (size_t left = body.size; left != 0; left >>= 4) {
            line[--at] = digits[left & 15];
        }
        put(out, line + at, sizeof(line) - at);
        put(out, body.data, body.size);
        put(out, "\r\n", 2);
    }
    put(out, last, sizeof(last) - 1);
}

static void put_body(struct tf_buffer *out, struct tf_str body, bool is_chunked)
{
    if (is_chunked) {
        put_chunked(out, body);
    } else if (body.size != 0) {
        put(out, body.data, body.size);
    }
}

static struct tf_str text_of(const struct tf_buffer *buffer)
{
    return (struct tf_str){(const char *)buffer->data, buffer->size};
}

void tf_serve_answer(struct tf_conn *conn, unsigned status,
                     const struct tf_js_header *headers, size_t header_count,
                     struct tf_str body)
{
    struct tf_exchange *exchange = &conn->exchange;
    const struct tf_http_head *head = &exchange->head;
    bool has_head = exchange->has_head;
    struct tf_http_reply reply = {.status = status,
                                  .headers = headers,
                                  .header_count = header_count,
                                  .body_size = body.size,
                                  .keep_alive =
                                      has_head && head->keep_alive && !exchange->is_last,
                                  .is_chunked = has_head && head->takes_chunks &&
                                                wants_chunks(headers, header_count),
                                  .is_head = has_head && head->method.size == 4 &&
                                             memcmp(head->method.data, "HEAD", 4) == 0,
                                  .receipt = text_of(&exchange->receipt)};
    bool has_body = tf_http_reply_has_body(&reply);
    size_t cap = head_cap(headers, header_count) + reply.receipt.size;

    if (tf_buffer_reserve(&exchange->out,
                          cap + (has_body ? body.size + CHUNKS_MAX : 0)) != TF_OK) {
        exchange->is_last = true; /* no memory even to say so */
        return;
    }
    size_t size =
        tf_http_reply_write(&reply, (char *)exchange->out.data + exchange->out.size, cap);
    exchange->out.size += size;
    tf_buffer_cut(&exchange->receipt, exchange->receipt.size);
    if (size != 0 && has_body) {
        put_body(&exchange->out, body, reply.is_chunked);
    }
    if (size == 0 || !reply.keep_alive) {
        exchange->is_last = true;
    }
}

/* `extra` is one more field, or NULL. */
static uint64_t refuse(struct tf_conn *conn, unsigned status,
                       const struct tf_js_header *extra)
{
    static const char prefix[] = "error ";
    uint8_t id[ERROR_ID_SIZE];
    char hex[2 * ERROR_ID_SIZE + 1];
    char text[sizeof(prefix) + sizeof(hex)];

    tf_random(id, sizeof(id));
    tf_hex_write(id, sizeof(id), hex);
    memcpy(text, prefix, sizeof(prefix) - 1);
    memcpy(text + sizeof(prefix) - 1, hex, sizeof(hex) - 1);
    text[sizeof(prefix) - 1 + sizeof(hex) - 1] = '\n';
    const struct tf_js_header headers[] = {
        {{"content-type", 12}, {"text/plain", 10}},
        {{"x-tfaas-error-id", 16}, {hex, sizeof(hex) - 1}},
        extra != NULL ? *extra : (struct tf_js_header){{NULL, 0}, {NULL, 0}},
    };
    tf_serve_answer(conn, status, headers, extra != NULL ? 3 : 2,
                    (struct tf_str){text, sizeof(prefix) - 1 + sizeof(hex)});
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(id); i++) {
        value = value << 8 | id[i]; /* reads as the hex text does */
    }
    return value;
}

uint64_t tf_serve_refuse(struct tf_conn *conn, unsigned status)
{
    return refuse(conn, status, NULL);
}

uint64_t tf_serve_busy(struct tf_conn *conn)
{
    static const struct tf_js_header retry = {{"retry-after", 11}, {"1", 1}};
    return refuse(conn, UNAVAILABLE, &retry);
}

/* The connection cannot go on after this one: where the next request begins is unknown.
 */
static void refuse_and_close(struct tf_conn *conn, unsigned status)
{
    conn->exchange.is_last = true;
    (void)tf_serve_refuse(conn, status);
}

/* --- requests -------------------------------------------------------------------- */

/* The next request begins. A request to the management endpoint may have brought a key.
 */
static void finish_request(struct tf_conn *conn)
{
    struct tf_exchange *exchange = &conn->exchange;

    exchange->has_head = false;
    exchange->turns++;
    if (conn->is_management) {
        tf_buffer_wipe(&exchange->content);
        tf_wipe(exchange->plain.data, exchange->at);
    }
    tf_buffer_cut(&exchange->content, exchange->content.size);
    exchange->given = (struct tf_str){NULL, 0};
    tf_buffer_cut(&exchange->head_copy, exchange->head_copy.size);
    if (exchange->at == exchange->plain.size) {
        tf_buffer_cut(&exchange->plain, exchange->at);
        exchange->at = 0;
    }
}

static bool is_for_name(const struct tf_conn *conn)
{
    struct tf_str host = conn->exchange.head.host;
    return host.size == strlen(conn->sni) && memcmp(host.data, conn->sni, host.size) == 0;
}

/* Checks what the head says before any of the body is taken.
 * @return 0, or the status to refuse it with. */
static unsigned accept_head(struct tf_conn *conn)
{
    struct tf_exchange *exchange = &conn->exchange;
    uint64_t max = TF_REQUEST_JSON_MAX;

    if (!is_for_name(conn)) {
        return MISDIRECTED;
    }
    if (exchange->head.target.data[0] == '*') {
        return NOT_IMPLEMENTED; /* OPTIONS * asks the server, and no lambda is the server
                                 */
    }
    if (!conn->is_management) {
        unsigned status = tf_invoke_limit(conn, &max);
        if (status != 0) {
            return status;
        }
    }
    if (exchange->head.has_length && exchange->head.length > max) {
        return tf_http_status(TF_EHTTP_TOOLARGE);
    }
    tf_http_body_init(&exchange->body, &exchange->head, max);
    if (exchange->head.expects_continue && !exchange->body.is_done &&
        exchange->at == exchange->plain.size) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        if (tf_buffer_append(&exchange->out, go_on, sizeof(go_on) - 1) != TF_OK) {
            return tf_http_status(TF_ENOMEM);
        }
    }
    return 0;
}

/* @return TF_OK once there is a head, TF_AGAIN, or TF_EIO after it was refused. */
static tf_err take_head(struct tf_conn *conn)
{
    struct tf_exchange *exchange = &conn->exchange;
    size_t left = exchange->plain.size - exchange->at;
    size_t used = 0;

    if (exchange->has_head) {
        return TF_OK;
    }
    if (left == 0) {
        return TF_AGAIN;
    }
    tf_err err = tf_http_head_parse((char *)exchange->plain.data + exchange->at, left,
                                    exchange->seen, &exchange->head, &used);
    if (err == TF_AGAIN) {
        exchange->seen = left;
        return TF_AGAIN;
    }
    exchange->seen = 0;
    if (err != TF_OK) {
        refuse_and_close(conn, tf_http_status(err));
        return TF_EIO;
    }
    exchange->has_head = true;
    exchange->head_at = exchange->at;
    exchange->at += used;
    unsigned status = accept_head(conn);
    if (status != 0) {
        refuse_and_close(conn, status);
        return TF_EIO;
    }
    return TF_OK;
}

/* A body that is all there, as most are, stays where it is: `plain` does not move before
 * the request is answered. @return whether it is such a one. */
static bool take_whole(struct tf_exchange *exchange)
{
    size_t left = exchange->plain.size - exchange->at;
    size_t size = tf_http_body_take(&exchange->body, left);

    if (size == 0) {
        return false;
    }
    exchange->given =
        (struct tf_str){(const char *)exchange->plain.data + exchange->at, size};
    exchange->at += size;
    return true;
}

/* @return as take_head. */
static tf_err take_body(struct tf_conn *conn)
{
    struct tf_exchange *exchange = &conn->exchange;
    size_t left = exchange->plain.size - exchange->at;
    size_t used = 0;
    size_t size = 0;

    if (exchange->body.is_done || take_whole(exchange)) {
        return TF_OK;
    }
    if (left == 0) {
        return TF_AGAIN;
    }
    tf_err err = tf_buffer_reserve(&exchange->content, left);
    if (err == TF_OK) {
        err = tf_http_body_feed(
            &exchange->body, (const char *)exchange->plain.data + exchange->at, left,
            &used, (char *)exchange->content.data + exchange->content.size, &size);
    }
    if (err != TF_OK) {
        refuse_and_close(conn, tf_http_status(err));
        return TF_EIO;
    }
    exchange->at += used;
    exchange->content.size += size;
    exchange->given = text_of(&exchange->content);
    return exchange->body.is_done ? TF_OK : TF_AGAIN;
}

/* Answers the next whole request. @return TF_OK, or TF_AGAIN if there is none. */
static tf_err serve_next(struct tf_conn *conn)
{
    struct tf_exchange *exchange = &conn->exchange;

    tf_err err = take_head(conn);
    if (err == TF_OK) {
        err = take_body(conn);
    }
    if (err != TF_OK) {
        return err == TF_AGAIN ? TF_AGAIN : TF_OK;
    }
    if (conn->is_management) {
        tf_manage_answer(conn, exchange->given);
    } else {
        tf_invoke_answer(conn);
    }
    if (!exchange->is_waiting) {
        finish_request(conn);
    }
    return TF_OK;
}

void tf_serve_resume(struct tf_conn *conn)
{
    conn->exchange.is_waiting = false;
    finish_request(conn);
}

/* --- bytes ----------------------------------------------------------------------- */

/* Sends `out`. @return TF_OK when all is sent, TF_AGAIN, TF_EIO. */
static tf_err flush(struct tf_conn *conn)
{
    struct tf_exchange *exchange = &conn->exchange;

    if (exchange->out.size != 0 && tf_buffer_reserve(&exchange->out, 1) != TF_OK) {
        return TF_EIO; /* the byte that tf_tls_write wants */
    }
    while (exchange->out_at < exchange->out.size) {
        size_t taken = 0;
        tf_err err = tf_tls_write(conn, exchange->out.data + exchange->out_at,
                                  exchange->out.size - exchange->out_at, &taken);
        if (err != TF_OK) {
            return err;
        }
        exchange->out_at += taken;
    }
    tf_buffer_cut(&exchange->out, exchange->out.size);
    exchange->out_at = 0;
    return TF_OK;
}

/* The head in hand points into `plain`, which is about to move: keep its bytes elsewhere.
 */
static tf_err keep_head(struct tf_exchange *exchange)
{
    size_t size = exchange->at - exchange->head_at;
    size_t used = 0;

    if (!exchange->has_head || exchange->head_copy.size != 0) {
        return TF_OK;
    }
    tf_err err = tf_buffer_append(&exchange->head_copy,
                                  exchange->plain.data + exchange->head_at, size);
    if (err != TF_OK) {
        return err;
    }
    /* Parsing what parsed before gives the same, with pointers into the copy. */
    return tf_http_head_parse((char *)exchange->head_copy.data, size, 0, &exchange->head,
                              &used);
}

/* Makes room in `plain` for what the bytes at hand can hold, and for no more: a
 * connection holds what it got and not what a record could have. */
static tf_err make_room(struct tf_conn *conn, size_t size)
{
    struct tf_exchange *exchange = &conn->exchange;
    tf_err err = keep_head(exchange);

    if (err != TF_OK) {
        return err;
    }
    tf_buffer_cut(&exchange->plain, exchange->at);
    exchange->at = 0;
    return tf_buffer_reserve(&exchange->plain, size);
}

/* @return TF_OK when there is more plain text; TF_AGAIN; TF_EIO, also at the peer's end.
 */
static tf_err read_more(struct tf_conn *conn, bool *is_end)
{
    struct tf_buffer *plain = &conn->exchange.plain;
    size_t most = tf_tls_input(conn);
    size_t size = 0;

    if (most == 0) {
        return TF_AGAIN;
    }
    most = most < TF_RECORD_MAX ? most : TF_RECORD_MAX;
    if (make_room(conn, most) != TF_OK) {
        return TF_EIO;
    }
    tf_err err = tf_tls_read(conn, plain->data + plain->size, most, &size);
    if (err == TF_OK) {
        plain->size += size;
        *is_end = size == 0;
    } else if (plain->size == 0) {
        tf_buffer_wipe(plain); /* an idle connection holds no buffer */
    }
    return err;
}

static enum tf_serve step_input(struct tf_conn *conn)
{
    bool is_end = false;
    tf_err err = read_more(conn, &is_end);

    if (err == TF_AGAIN) {
        return TF_SERVE_WAIT;
    }
    if (err != TF_OK) {
        return TF_SERVE_BROKEN;
    }
    return is_end ? TF_SERVE_CLOSE : TF_SERVE_MORE;
}

/* Whether the connection may have a request answered now. */
static bool has_turn(struct tf_conn *conn)
{
    struct tf_exchange *exchange = &conn->exchange;

    if (conn->is_management && !tf_emit_is_ready(conn->thread)) {
        return false; /* what it causes may be as large as an answer to the host */
    }
    if (exchange->entry != conn->thread->entries) {
        exchange->entry = conn->thread->entries;
        exchange->turns = 0;
    }
    return exchange->turns < TF_PIPELINE_MAX;
}

enum tf_serve tf_serve_step(struct tf_conn *conn)
{
    struct tf_exchange *exchange = &conn->exchange;
    bool is_stopped = exchange->is_last || exchange->is_waiting;
    bool can_serve = !is_stopped && exchange->out.size < TF_RECORD_MAX;

    bool is_turn_over = can_serve && !has_turn(conn);

    if (can_serve && !is_turn_over && serve_next(conn) == TF_OK) {
        return TF_SERVE_MORE;
    }
    tf_err err = flush(conn);
    if (err != TF_OK) {
        return err == TF_AGAIN ? TF_SERVE_WAIT : TF_SERVE_BROKEN;
    }
    if (exchange->is_last) {
        return TF_SERVE_CLOSE;
    }
    if (is_turn_over) {
        tf_conn_set_ready(conn);
    }
    if (is_turn_over || exchange->is_waiting) {
        return TF_SERVE_WAIT;
    }
    return can_serve ? step_input(conn) : TF_SERVE_MORE;
}
