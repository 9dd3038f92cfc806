/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/conn.h"

#include <stdlib.h>
#include <string.h>

#include "enclave/emit.h"
#include "enclave/manage.h"
#include "enclave/thread.h"

enum { ID_SLOT_BITS = 32 };

static uint64_t slot_of(uint64_t id)
{
    return id & UINT32_MAX;
}

static uint32_t generation_of(uint64_t id)
{
    return (uint32_t)(id >> ID_SLOT_BITS);
}

/* The connection, or NULL with TF_OK if it is gone: the host may not know yet. */
static tf_err find(struct tf_thread *thread, uint64_t id, struct tf_conn **out)
{
    uint64_t slot = slot_of(id);

    if (slot >= TF_CONNS_MAX) {
        return TF_EHOST;
    }
    struct tf_conn *conn = thread->conns[slot];
    *out = conn != NULL && conn->id == id ? conn : NULL;
    return TF_OK;
}

static void destroy(struct tf_conn *conn)
{
    struct tf_thread *thread = conn->thread;

    thread->conns[slot_of(conn->id)] = NULL;
    thread->ready_count -= conn->is_ready;
    thread->stats.connections--;
    tf_sched_cancel(conn);
    if (conn->ssl != NULL) {
        tf_tls_close(conn);
    }
    tf_exchange_wipe(&conn->exchange);
    tf_manage_close(conn->manage);
    tf_buffer_wipe(&conn->kept);
    free(conn);
}

void tf_conn_set_ready(struct tf_conn *conn)
{
    conn->thread->ready_count += !conn->is_ready;
    conn->is_ready = true;
}

size_t tf_conn_take_input(struct tf_conn *conn, void *out, size_t cap)
{
    size_t kept = conn->kept.size - conn->kept_at;

    if (kept != 0) {
        size_t size = kept < cap ? kept : cap;
        memcpy(out, conn->kept.data + conn->kept_at, size);
        conn->kept_at += size;
        if (size == kept) {
            tf_buffer_cut(&conn->kept, conn->kept.size);
            conn->kept_at = 0;
        }
        return size;
    }
    size_t size = conn->input_size < cap ? conn->input_size : cap;
    if (size != 0) {
        memcpy(out, conn->input, size);
        conn->input += size;
        conn->input_size -= size;
    }
    return size;
}

bool tf_conn_has_room(struct tf_conn *conn, size_t size)
{
    return TF_CONN_CREDIT - conn->unacked >= size && tf_emit_has_room(conn->thread, size);
}

size_t tf_conn_put_output(struct tf_conn *conn, const void *data, size_t size)
{
    uint64_t credit = TF_CONN_CREDIT - conn->unacked;

    if (credit == 0) {
        conn->is_choked = true; /* until TF_MSG_SENT */
        return 0;
    }
    size = size < credit ? size : (size_t)credit;
    size_t sent = tf_emit_data(conn->thread, conn->id, data, size);
    if (sent == 0) {
        tf_conn_set_ready(conn);
    }
    conn->unacked += sent;
    return sent;
}

/* Each step returns whether the connection can go on at once. */
static bool step_handshake(struct tf_conn *conn)
{
    int code = 0;
    tf_err err = tf_tls_accept(conn, &code);

    if (err == TF_AGAIN) {
        return false;
    }
    if (err != TF_OK) {
        conn->thread->stats.handshakes_failed++;
        tf_emit_event(conn->thread, TF_EVENT_HANDSHAKE, TF_EIO, (uint64_t)(int64_t)code,
                      "");
        conn->state = TF_CONN_DONE;
        return true;
    }
    conn->thread->stats.handshakes++;
    conn->state = TF_CONN_OPEN;
    return true;
}

static bool step_open(struct tf_conn *conn)
{
    switch (tf_serve_step(conn)) {
    case TF_SERVE_MORE:
        return true;
    case TF_SERVE_WAIT:
        return false;
    case TF_SERVE_CLOSE:
        conn->state = TF_CONN_CLOSING;
        return true;
    case TF_SERVE_BROKEN:
        conn->state = TF_CONN_DONE;
        return true;
    }
    return false;
}

static bool step_closing(struct tf_conn *conn)
{
    if (tf_tls_shutdown(conn) == TF_AGAIN) {
        return false;
    }
    conn->state = TF_CONN_DONE;
    return true;
}

static bool emit_close(struct tf_thread *thread, uint64_t id)
{
    return tf_emit_frame(thread, TF_MSG_CLOSE, id, tf_part(NULL, 0), tf_part(NULL, 0));
}

static bool step(struct tf_conn *conn)
{
    switch (conn->state) {
    case TF_CONN_HANDSHAKE:
        return step_handshake(conn);
    case TF_CONN_OPEN:
        return step_open(conn);
    case TF_CONN_CLOSING:
        return step_closing(conn);
    case TF_CONN_DONE:
        break;
    }
    return false;
}

/* @return whether the connection is still there. */
static bool run(struct tf_conn *conn)
{
    struct tf_thread *thread = conn->thread;

    thread->ready_count -= conn->is_ready;
    conn->is_ready = false;
    while (thread->err == TF_OK && step(conn)) {
    }
    if (conn->state != TF_CONN_DONE || thread->err != TF_OK) {
        return true;
    }
    if (!emit_close(thread, conn->id)) {
        tf_conn_set_ready(conn);
        return true;
    }
    destroy(conn);
    return false;
}

void tf_conn_run(struct tf_conn *conn)
{
    (void)run(conn);
}

tf_err tf_conn_open(struct tf_thread *thread, uint64_t id)
{
    uint64_t slot = slot_of(id);

    if (slot >= TF_CONNS_MAX || thread->conns[slot] != NULL ||
        generation_of(id) < thread->generations[slot]) {
        return TF_EHOST;
    }
    thread->generations[slot] = (uint64_t)generation_of(id) + 1;
    struct tf_conn *conn = calloc(1, sizeof(*conn));
    if (conn == NULL) {
        (void)emit_close(thread, id);
        return TF_OK;
    }
    conn->thread = thread;
    conn->id = id;
    conn->leases_seen = __atomic_load_n(&thread->instance->lease_count, __ATOMIC_ACQUIRE);
    thread->conns[slot] = conn;
    thread->stats.connections++;
    if (tf_tls_open(conn) != TF_OK) {
        conn->state = TF_CONN_DONE;
        (void)run(conn);
    }
    return TF_OK;
}

tf_err tf_conn_data(struct tf_thread *thread, uint64_t id, const uint8_t *data,
                    size_t size)
{
    struct tf_conn *conn = NULL;
    tf_err err = find(thread, id, &conn);

    if (err != TF_OK || conn == NULL) {
        return err;
    }
    conn->input = data;
    conn->input_size = size;
    if (!run(conn)) {
        return TF_OK;
    }
    tf_buffer_cut(&conn->kept, conn->kept_at);
    conn->kept_at = 0;
    if (conn->kept.size + conn->input_size > TF_CONN_KEPT_MAX ||
        tf_buffer_append(&conn->kept, conn->input, conn->input_size) != TF_OK) {
        conn->state = TF_CONN_DONE;
        conn->input_size = 0;
        (void)run(conn);
        return TF_OK;
    }
    conn->input = NULL;
    conn->input_size = 0;
    return TF_OK;
}

tf_err tf_conn_sent(struct tf_thread *thread, uint64_t id, uint64_t bytes)
{
    struct tf_conn *conn = NULL;
    tf_err err = find(thread, id, &conn);

    if (err != TF_OK || conn == NULL) {
        return err;
    }
    if (bytes > conn->unacked) {
        return TF_EHOST;
    }
    conn->unacked -= bytes;
    if (conn->is_choked) {
        conn->is_choked = false;
        (void)run(conn);
    }
    return TF_OK;
}

tf_err tf_conn_gone(struct tf_thread *thread, uint64_t id)
{
    struct tf_conn *conn = NULL;
    tf_err err = find(thread, id, &conn);

    if (err == TF_OK && conn != NULL) {
        destroy(conn);
    }
    return err;
}

tf_err tf_conn_quote(struct tf_thread *thread, uint64_t id, const uint8_t *data,
                     size_t size)
{
    struct tf_conn *conn = NULL;
    tf_err err = find(thread, id, &conn);

    if (err != TF_OK || conn == NULL) {
        return err;
    }
    if (!conn->exchange.is_waiting || !conn->is_management) {
        return TF_EHOST;
    }
    tf_manage_evidence(conn, (struct tf_str){(const char *)data, size});
    tf_serve_resume(conn);
    (void)run(conn);
    return TF_OK;
}

void tf_conn_run_ready(struct tf_thread *thread)
{
    /* From another one each time, so that no connection always finds the ring full. */
    uint32_t first = thread->turn++;

    for (uint32_t i = 0; i < TF_CONNS_MAX && thread->ready_count != 0; i++) {
        struct tf_conn *conn = thread->conns[(first + i) % TF_CONNS_MAX];
        if (conn != NULL && conn->is_ready) {
            (void)run(conn);
        }
    }
}
