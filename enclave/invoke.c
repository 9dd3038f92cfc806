/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/invoke.h"

#include <stdlib.h>
#include <string.h>

#include "enclave/conn.h"
#include "enclave/emit.h"
#include "enclave/lease.h"
#include "enclave/thread.h"

enum { MISDIRECTED = 421, UNAVAILABLE = 503 };

static const char scheme[] = "https://";

/* The lambda that may answer now: the grant may have ended since the handshake. */
static struct tf_resident *resident_of(struct tf_conn *conn)
{
    tf_view_sync(conn->thread);
    return tf_view_grant(conn->thread, conn->sni);
}

unsigned tf_invoke_limit(struct tf_conn *conn, uint64_t *max)
{
    struct tf_resident *resident = resident_of(conn);

    if (resident == NULL) {
        return MISDIRECTED;
    }
    if (tf_resident_open(conn->thread, resident) != TF_OK) {
        return UNAVAILABLE;
    }
    *max = resident->bundle->manifest.body;
    return 0;
}

/* https://HOST/PATH, in the heap; NULL if it is too long or there is no memory. */
static char *make_url(const struct tf_http_head *head, size_t *size)
{
    size_t at = sizeof(scheme) - 1;

    if (head->target.size > TF_URL_MAX) {
        return NULL;
    }
    *size = at + head->host.size + head->target.size;
    char *url = malloc(*size + 1);
    if (url == NULL) {
        return NULL;
    }
    memcpy(url, scheme, at);
    memcpy(url + at, head->host.data, head->host.size);
    at += head->host.size;
    memcpy(url + at, head->target.data, head->target.size);
    url[*size] = '\0';
    return url;
}

static void fail(struct tf_conn *conn, struct tf_resident *resident, unsigned status,
                 tf_err err)
{
    resident->stats.failed++;
    uint64_t id = tf_serve_refuse(conn, status);
    tf_emit_event(conn->thread, TF_EVENT_LAMBDA_FAILED, err, id);
}

static void call(struct tf_conn *conn, struct tf_resident *resident,
                 const struct tf_js_request *request)
{
    struct tf_thread *thread = conn->thread;
    struct tf_js_limits limits = tf_resident_limits(thread, resident);
    struct tf_js_response response = {0};
    struct tf_js_report report = {0};

    tf_err err = tf_slot_call(&thread->slot, &resident->snapshot, request, &limits,
                              &response, &report);
    resident->stats.steps += report.steps;
    if (err != TF_OK) {
        fail(conn, resident, tf_http_status(err), err);
        return;
    }
    resident->stats.ok++;
    resident->stats.bytes_out += response.body.size;
    tf_serve_answer(conn, response.status, response.headers, response.header_count,
                    response.body);
}

void tf_invoke_answer(struct tf_conn *conn, struct tf_str body)
{
    const struct tf_http_head *head = &conn->exchange.head;
    struct tf_resident *resident = resident_of(conn);

    if (resident == NULL || !tf_lease_use(conn->thread, resident)) {
        conn->exchange.is_last = true;
        (void)tf_serve_refuse(conn, MISDIRECTED);
        return;
    }
    resident->stats.bytes_in += body.size;
    tf_err err = tf_resident_load(conn->thread, resident);
    if (err != TF_OK) {
        fail(conn, resident, UNAVAILABLE, err);
        return;
    }
    size_t url_size = 0;
    char *url = make_url(head, &url_size);
    if (url == NULL) {
        fail(conn, resident, tf_http_status(TF_EHTTP_HEADERS), TF_EHTTP_HEADERS);
        return;
    }
    struct tf_js_request request = {.method = head->method,
                                    .url = {url, url_size},
                                    .headers = head->headers,
                                    .header_count = head->header_count,
                                    .body = body};
    call(conn, resident, &request);
    free(url);
}
