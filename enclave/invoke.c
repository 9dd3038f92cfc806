/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/invoke.h"

#include "enclave/conn.h"
#include "enclave/emit.h"
#include "enclave/lease.h"
#include "enclave/logs.h"
#include "enclave/receipt.h"
#include "enclave/thread.h"
#include "enclave/want.h"

enum { MISDIRECTED = 421, UNAVAILABLE = 503 };

/* What a receipt's signature takes, in steps, about. */
static const uint64_t RECEIPT_STEPS = TF_QUANTUM / 3;

/* Whether the grant has the name for which the connection is: it may be another one than
 * at the handshake. */
static bool has_name(const struct tf_resident *resident, const struct tf_conn *conn)
{
    const struct tf_grant *grant = resident->now.grant;

    return grant != NULL && (grant->ordinal == conn->grant_ordinal ||
                             tf_names_have(&grant->names, conn->sni));
}

/* The lambda that may answer now: the grant may have ended since the handshake. */
static struct tf_resident *resident_of(struct tf_conn *conn)
{
    struct tf_thread *thread = conn->thread;

    tf_view_sync(thread);
    struct tf_resident *resident = tf_view_entry(thread, conn->entry);
    if (resident != NULL && has_name(resident, conn)) {
        return tf_tenure_is_granted(thread, &resident->now) ? resident : NULL;
    }
    resident = tf_view_grant(thread, conn->sni); /* another lambda may have it now */
    if (resident != NULL) {
        conn->entry = resident->entry;
    }
    return resident;
}

unsigned tf_invoke_limit(struct tf_conn *conn, uint64_t *max)
{
    struct tf_resident *resident = resident_of(conn);

    if (resident == NULL) {
        return MISDIRECTED;
    }
    *max = resident->now.lambda->body;
    return 0;
}

/* Counts it. Who asks for receipts has them made in his lambda's share of the thread. */
static void note(struct tf_conn *conn, struct tf_resident *resident,
                 const struct tf_invocation *done)
{
    if (tf_receipt_note(conn->thread, conn, resident->now.lambda, done)) {
        resident->used_up += RECEIPT_STEPS;
        conn->thread->sched.spent += RECEIPT_STEPS;
    }
}

static void fail(struct tf_conn *conn, struct tf_resident *resident, tf_err err,
                 struct tf_invocation done, const char *message)
{
    const struct tf_lambda *lambda = resident->now.lambda;

    done.bytes_in = conn->exchange.given.size;
    note(conn, resident, &done);
    bool may_try_again = err == TF_EBUSY || err == TF_EBUNDLE_LATE;
    uint64_t id =
        may_try_again ? tf_serve_busy(conn) : tf_serve_refuse(conn, done.status);
    tf_emit_event(conn->thread, TF_EVENT_LAMBDA_FAILED, err, id, lambda->name);
    if (!may_try_again) {
        tf_logs_failure(conn, lambda, id, err, message);
    }
}

void tf_invoke_fail(struct tf_conn *conn, struct tf_resident *resident, tf_err err)
{
    fail(conn, resident, err, (struct tf_invocation){.status = tf_http_status(err)}, "");
}

void tf_invoke_unavailable(struct tf_conn *conn, struct tf_resident *resident, tf_err err)
{
    fail(conn, resident, err, (struct tf_invocation){.status = UNAVAILABLE}, "");
}

void tf_invoke_end(struct tf_lane *lane)
{
    const struct tf_js_response *response = &lane->response;
    struct tf_invocation done = {.steps = lane->report.steps, .peak = lane->report.peak};

    if (lane->err != TF_OK) {
        const struct tf_snapshot *loaded = &lane->resident->snapshots[lane->index];
        done.status = lane->is_loaded ? tf_http_status(lane->err) : UNAVAILABLE;
        fail(lane->conn, lane->resident, lane->err, done,
             lane->is_loaded ? lane->report.message : loaded->report.message);
        return;
    }
    done.is_ok = true;
    done.status = response->status;
    done.bytes_in = lane->request.body.size;
    done.bytes_out = response->body.size;
    note(lane->conn, lane->resident, &done);
    tf_serve_answer(lane->conn, response->status, response->headers,
                    response->header_count, response->body);
}

void tf_invoke_lost(struct tf_lane *lane)
{
    const struct tf_invocation done = {.steps = lane->pauses * TF_QUANTUM,
                                       .bytes_in = lane->request.body.size};

    (void)tf_receipt_note(lane->thread, NULL, lane->resident->now.lambda, &done);
}

void tf_invoke_answer(struct tf_conn *conn)
{
    struct tf_resident *resident = resident_of(conn);

    if (resident == NULL || !tf_lease_use(conn->thread, &resident->now)) {
        conn->exchange.is_last = true;
        (void)tf_serve_refuse(conn, MISDIRECTED);
        return;
    }
    tf_resident_use(conn->thread, resident);
    tf_err err = tf_resident_open(conn->thread, resident);
    if (err == TF_AGAIN) {
        err = tf_want_ask(conn->thread, resident, TF_WANTS_MAX);
    }
    err = err == TF_OK || err == TF_AGAIN ? resident->failure : err;
    if (err != TF_OK) {
        tf_invoke_unavailable(conn, resident, err);
        return;
    }
    tf_sched_submit(conn, resident);
}
