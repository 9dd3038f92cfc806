/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/manage.h"

#include <stdlib.h>
#include <string.h>

#include "enclave/cert.h"
#include "enclave/claims.h"
#include "enclave/conn.h"
#include "enclave/emit.h"
#include "enclave/enclu.h"
#include "enclave/failures.h"
#include "enclave/lease.h"
#include "enclave/manage_grant.h"
#include "enclave/receipt.h"
#include "enclave/revoke.h"
#include "enclave/thread.h"
#include "lib/bytes.h"
#include "lib/json.h"

enum {
    ANSWER_MAX = 16 << 10,
    REVOKED_MAX = 8 << 10, /* every lambda's name, and a bit */
    OK = 200,
    REFUSED = 400,
    NOT_FOUND = 404,
    UNAVAILABLE = 503
};

/* Of one connection. */
struct tf_manage {
    struct tf_csr csr;       /* the last one; its key is secret */
    struct tf_buffer claims; /* what the report that was asked for binds */
};

void tf_manage_close(struct tf_manage *manage)
{
    if (manage != NULL) {
        tf_cert_csr_wipe(&manage->csr);
        tf_buffer_wipe(&manage->claims);
        free(manage);
    }
}

static void answer_json(struct tf_conn *conn, unsigned status, struct tf_str text)
{
    const struct tf_js_header type = {{"content-type", 12}, {"application/json", 16}};
    tf_serve_answer(conn, status, &type, 1, text);
}

static void answer_failure(struct tf_conn *conn, tf_err err)
{
    const char *name = tf_err_name(err);
    char text[64];
    size_t size = tf_json_field("error", name, strlen(name), text, sizeof(text));
    bool is_ours =
        err == TF_ENOMEM || err == TF_EINTERNAL || err == TF_EHOST || err == TF_EQUOTE;
    unsigned status = err == TF_ENOTFOUND ? NOT_FOUND : is_ours ? UNAVAILABLE : REFUSED;
    answer_json(conn, status, (struct tf_str){text, size});
}

/* --- attest ---------------------------------------------------------------------- */

/* A question for evidence, decoded. */
struct question {
    uint8_t nonce[TF_NONCE_SIZE];
    struct tf_claims_names lambdas;
};

static void take_question(struct tf_json_fields *f, void *user)
{
    struct question *out = user;

    tf_json_bytes(f, "nonce", out->nonce, TF_NONCE_SIZE);
    if (tf_json_has(f, "lambdas")) {
        out->lambdas.count =
            tf_json_rows(f, "lambdas", 1, TF_NAMED_MAX, out->lambdas.text[0],
                         sizeof(out->lambdas.text[0]));
    }
}

/* Sends a REPORT over the claims; the answer goes out when the QUOTE is here. */
static tf_err attest(struct tf_conn *conn, struct tf_str body)
{
    struct tf_buffer *claims = &conn->manage->claims;
    struct question question = {.lambdas = {.count = 0}};
    uint8_t report_data[64] = {0};
    struct sgx_report report;

    tf_err err = tf_json_read(body.data, body.size, take_question, &question, TF_EFORMAT);
    if (err != TF_OK) {
        return err;
    }
    tf_buffer_wipe(claims);
    err = tf_claims_write(conn, question.nonce, &question.lambdas, claims);
    if (err != TF_OK) {
        return err;
    }
    tf_sha256(claims->data, claims->size, report_data);
    tf_ereport(&conn->thread->target, report_data, &report);
    if (!tf_emit_frame(conn->thread, TF_MSG_REPORT, conn->id,
                       tf_part(&report, sizeof(report)), tf_part(NULL, 0))) {
        return TF_EINTERNAL; /* there was room when the request was taken up */
    }
    conn->exchange.is_waiting = true;
    return TF_OK;
}

static bool is_json_object(struct tf_str text)
{
    json_t *document = NULL;

    if (tf_json_parse(text.data, text.size, &document) != TF_OK) {
        return false;
    }
    bool is_object = json_is_object(document);
    json_decref(document);
    return is_object;
}

/* The answer to attest: the host's evidence and what it binds. */
static tf_err write_evidence(const struct tf_buffer *claims, struct tf_str evidence,
                             struct tf_buffer *out)
{
    static const char before[] = "{\"evidence\":";
    static const char between[] = ",\"claims\":\"";
    static const char after[] = "\"}";
    size_t coded = tf_base64_size(claims->size);

    if (tf_buffer_append(out, before, sizeof(before) - 1) != TF_OK ||
        tf_buffer_append(out, evidence.data, evidence.size) != TF_OK ||
        tf_buffer_append(out, between, sizeof(between) - 1) != TF_OK ||
        tf_buffer_reserve(out, coded + sizeof(after)) != TF_OK) {
        return TF_ENOMEM;
    }
    tf_base64_write(claims->data, claims->size, (char *)out->data + out->size);
    out->size += coded;
    memcpy(out->data + out->size, after, sizeof(after) - 1);
    out->size += sizeof(after) - 1;
    return TF_OK;
}

void tf_manage_evidence(struct tf_conn *conn, struct tf_str evidence)
{
    struct tf_buffer *claims = &conn->manage->claims;
    struct tf_buffer text = {0};
    tf_err err = evidence.size == 0 ? TF_EQUOTE : TF_EHOST; /* empty: it has none */

    if (evidence.size <= TF_EVIDENCE_MAX && is_json_object(evidence)) {
        err = write_evidence(claims, evidence, &text);
    }
    if (err == TF_OK) {
        answer_json(conn, OK, (struct tf_str){(const char *)text.data, text.size});
    } else {
        answer_failure(conn, err);
    }
    tf_buffer_wipe(&text);
    tf_buffer_wipe(claims);
}

/* --- csr ------------------------------------------------------------------------- */

/* A request for a certificate, decoded. */
struct wish {
    char lambda[TF_NAME_MAX + 1];
    struct tf_names names; /* in `rows` */
    char rows[TF_DOMAINS_MAX][TF_DNS_MAX + 1];
};

static void take_wish(struct tf_json_fields *f, void *user)
{
    struct wish *out = user;

    tf_json_copy(f, "lambda", out->lambda, sizeof(out->lambda));
    out->names.text = out->rows;
    out->names.count =
        tf_json_rows(f, "names", 1, TF_DOMAINS_MAX, out->rows[0], sizeof(out->rows[0]));
}

static tf_err check_wish(struct tf_thread *thread, const struct wish *wish)
{
    struct tf_instance *instance = thread->instance;
    tf_err err = TF_OK;

    tf_lock_take(&instance->lock);
    const struct tf_entry *entry = tf_instance_find(instance, wish->lambda);
    if (entry == NULL) {
        err = TF_EGRANT_LAMBDA;
    }
    for (size_t i = 0; i < wish->names.count && err == TF_OK; i++) {
        if (!tf_names_have(&entry->lambda->domains, wish->names.text[i])) {
            err = TF_EGRANT_DOMAIN;
        }
    }
    tf_lock_give(&instance->lock);
    return err;
}

static tf_err csr(struct tf_conn *conn, struct tf_str body)
{
    struct tf_csr *csr = &conn->manage->csr;
    struct wish wish = {0};
    char text[TF_CSR_PEM_MAX + 512];

    tf_err err = tf_json_read(body.data, body.size, take_wish, &wish, TF_EFORMAT);
    if (err == TF_OK) {
        err = check_wish(conn->thread, &wish);
    }
    if (err != TF_OK) {
        return err;
    }
    tf_cert_csr_wipe(csr);
    err = tf_cert_csr_make(&wish.names, csr);
    if (err != TF_OK) {
        return err;
    }
    size_t size = tf_json_field("csr", csr->pem, strlen(csr->pem), text, sizeof(text));
    if (size == 0) {
        return TF_ELIMIT;
    }
    answer_json(conn, OK, (struct tf_str){text, size});
    return TF_OK;
}

/* --- grant ----------------------------------------------------------------------- */

static tf_err grant(struct tf_conn *conn, struct tf_str body)
{
    const char *key = conn->manage->csr.key_pem; /* "" if there was no CSR */
    char text[TF_MANAGE_GRANT_MAX];
    struct tf_str answer = {text, 0};

    tf_err err = tf_manage_grant(conn, (struct tf_str){key, strlen(key)}, body, text,
                                 &answer.size);
    if (err == TF_OK) {
        answer_json(conn, OK, answer);
    }
    return err;
}

/* --- signed statements that are answered with a text ------------------------------ */

typedef tf_err take_statement(struct tf_conn *conn, struct tf_str body, char *answer,
                              size_t *answer_size);

static tf_err statement(struct tf_conn *conn, struct tf_str body, take_statement *take,
                        size_t answer_max)
{
    char *text = malloc(answer_max);
    struct tf_str answer = {text, 0};

    if (text == NULL) {
        return TF_ENOMEM;
    }
    tf_err err = take(conn, body, text, &answer.size);
    if (err == TF_OK) {
        answer_json(conn, OK, answer);
    }
    free(text);
    return err;
}

/* --- revocations ----------------------------------------------------------------- */

/* Hands a list to the host's store, so that a restart needs nobody. */
static tf_err send_list(struct tf_thread *thread, struct tf_str answer,
                        struct tf_str list)
{
    struct tf_msg_revoked message = {(uint32_t)answer.size, 0};
    size_t head_size = sizeof(message) + answer.size;
    uint8_t *head = malloc(head_size);

    if (head == NULL) {
        return TF_ENOMEM;
    }
    memcpy(head, &message, sizeof(message));
    memcpy(head + sizeof(message), answer.data, answer.size);
    bool is_sent = tf_emit_frame(thread, TF_MSG_REVOKED, 0, tf_part(head, head_size),
                                 tf_part(list.data, list.size));
    free(head);
    return is_sent ? TF_OK : TF_EINTERNAL;
}

static tf_err revocations(struct tf_conn *conn, struct tf_str body)
{
    struct tf_revoked *revoked = malloc(sizeof(*revoked));
    char *text = malloc(REVOKED_MAX);
    struct tf_str answer = {text, 0};
    tf_err err = TF_ENOMEM;

    if (revoked != NULL && text != NULL) {
        err = tf_revoke_take(conn->thread->instance, body.data, body.size, revoked);
    }
    if (err == TF_OK) {
        err = tf_revoke_answer_write(revoked, text, REVOKED_MAX, &answer.size);
    }
    if (err == TF_OK && revoked->is_new) {
        err = send_list(conn->thread, answer, body);
    }
    if (err == TF_OK) {
        answer_json(conn, OK, answer);
    }
    free(text);
    free(revoked);
    return err;
}

/* --- usage ----------------------------------------------------------------------- */

static void take_lambda(struct tf_json_fields *f, void *name)
{
    tf_json_copy(f, "lambda", name, TF_NAME_MAX + 1);
}

static tf_err usage(struct tf_conn *conn, struct tf_str body)
{
    char name[TF_NAME_MAX + 1];
    char statement[TF_RECEIPT_MAX];
    char text[TF_RECEIPT_MAX + 32];
    size_t size = 0;

    tf_err err = tf_json_read(body.data, body.size, take_lambda, name, TF_EFORMAT);
    if (err == TF_OK) {
        err = tf_receipt_usage(conn->thread, name, statement, &size);
    }
    if (err != TF_OK) {
        return err;
    }
    size = tf_json_field("usage", statement, size, text, sizeof(text));
    answer_json(conn, OK, (struct tf_str){text, size});
    return TF_OK;
}

/* --- routes ---------------------------------------------------------------------- */

static bool is_text(struct tf_str text, const char *expected)
{
    return text.size == strlen(expected) && memcmp(text.data, expected, text.size) == 0;
}

static tf_err route(struct tf_conn *conn, struct tf_str body)
{
    const struct tf_http_head *head = &conn->exchange.head;

    if (!is_text(head->method, "POST")) {
        return TF_ENOTFOUND;
    }
    if (is_text(head->target, "/v1/attest")) {
        return attest(conn, body);
    }
    if (is_text(head->target, "/v1/csr")) {
        return csr(conn, body);
    }
    if (is_text(head->target, "/v1/grant")) {
        return grant(conn, body);
    }
    if (is_text(head->target, "/v1/lease")) {
        return statement(conn, body, tf_lease_take, TF_LEASE_ANSWER_MAX);
    }
    if (is_text(head->target, "/v1/revocations")) {
        return revocations(conn, body);
    }
    if (is_text(head->target, "/v1/usage")) {
        return usage(conn, body);
    }
    if (is_text(head->target, "/v1/failures")) {
        return statement(conn, body, tf_failures_answer, TF_FAILURES_ANSWER_MAX);
    }
    return TF_ENOTFOUND;
}

void tf_manage_answer(struct tf_conn *conn, struct tf_str body)
{
    tf_err err = TF_ENOMEM;

    if (conn->manage == NULL) {
        conn->manage = calloc(1, sizeof(*conn->manage));
    }
    if (conn->manage != NULL) {
        err = route(conn, body);
    }
    if (err != TF_OK) {
        answer_failure(conn, err);
    }
}
