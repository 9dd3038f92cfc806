/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/manage.h"

#include <stdlib.h>
#include <string.h>

#include "enclave/cert.h"
#include "enclave/claims.h"
#include "enclave/conn.h"
#include "enclave/emit.h"
#include "enclave/enclu.h"
#include "enclave/lease.h"
#include "enclave/logs.h"
#include "enclave/manage_grant.h"
#include "enclave/receipt.h"
#include "enclave/revoke.h"
#include "enclave/thread.h"
#include "lib/bytes.h"
#include "lib/json.h"

enum {
    ANSWER_MAX = 16 << 10, /* lines of a log; TF_NAMED_MAX names; a CSR */
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
static tf_err attest(struct tf_conn *conn, struct tf_str body,
                     struct tf_json_writer *answer)
{
    struct tf_buffer *claims = &conn->manage->claims;
    struct question question = {.lambdas = {.count = 0}};
    uint8_t report_data[64] = {0};
    struct sgx_report report;

    (void)answer; /* tf_manage_evidence has another */
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

static tf_err csr(struct tf_conn *conn, struct tf_str body, struct tf_json_writer *answer)
{
    struct tf_csr *csr = &conn->manage->csr;
    struct wish wish = {0};

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
    tf_json_open_object(answer, NULL);
    tf_json_put_string(answer, "csr", csr->pem);
    tf_json_close_object(answer);
    return TF_OK;
}

/* --- grant ----------------------------------------------------------------------- */

static tf_err grant(struct tf_conn *conn, struct tf_str body,
                    struct tf_json_writer *answer)
{
    const char *key = conn->manage->csr.key_pem; /* "" if there was no CSR */
    return tf_manage_grant(conn, (struct tf_str){key, strlen(key)}, body, answer);
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

static tf_err revocations(struct tf_conn *conn, struct tf_str body,
                          struct tf_json_writer *answer)
{
    struct tf_str text = {answer->out, 0};
    bool is_new = false;

    tf_err err = tf_revoke_take(conn->thread->instance, body, answer, &is_new);
    if (err == TF_OK) {
        err = tf_json_take(answer, &text.size);
    }
    return err == TF_OK && is_new ? send_list(conn->thread, text, body) : err;
}

/* --- usage ----------------------------------------------------------------------- */

static void take_lambda(struct tf_json_fields *f, void *name)
{
    tf_json_copy(f, "lambda", name, TF_NAME_MAX + 1);
}

static tf_err usage(struct tf_conn *conn, struct tf_str body,
                    struct tf_json_writer *answer)
{
    char name[TF_NAME_MAX + 1];
    char statement[TF_RECEIPT_MAX];
    size_t size = 0;

    tf_err err = tf_json_read(body.data, body.size, take_lambda, name, TF_EFORMAT);
    if (err == TF_OK) {
        err = tf_receipt_usage(conn->thread, name, statement, &size);
    }
    if (err != TF_OK) {
        return err;
    }
    tf_json_open_object(answer, NULL);
    tf_json_put_text(answer, "usage", statement, size);
    tf_json_close_object(answer);
    return TF_OK;
}

/* --- routes ---------------------------------------------------------------------- */

static bool is_text(struct tf_str text, const char *expected)
{
    return text.size == strlen(expected) && memcmp(text.data, expected, text.size) == 0;
}

/* What is asked with POST. Each writes its answer, or has the connection wait for it. */
static const struct {
    const char *target;
    tf_err (*take)(struct tf_conn *conn, struct tf_str body,
                   struct tf_json_writer *answer);
} routes[] = {{"/v1/attest", attest},
              {"/v1/csr", csr},
              {"/v1/grant", grant},
              {"/v1/lease", tf_lease_take},
              {"/v1/revocations", revocations},
              {"/v1/usage", usage},
              {"/v1/logs", tf_logs_answer}};

static tf_err route(struct tf_conn *conn, struct tf_str body,
                    struct tf_json_writer *answer)
{
    const struct tf_http_head *head = &conn->exchange.head;
    bool is_post = is_text(head->method, "POST");

    for (size_t i = 0; is_post && i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (is_text(head->target, routes[i].target)) {
            return routes[i].take(conn, body, answer);
        }
    }
    return TF_ENOTFOUND;
}

void tf_manage_answer(struct tf_conn *conn, struct tf_str body)
{
    char *text = malloc(ANSWER_MAX);
    struct tf_str answer = {text, 0};
    struct tf_json_writer w;
    tf_err err = TF_ENOMEM;

    if (conn->manage == NULL) {
        conn->manage = calloc(1, sizeof(*conn->manage));
    }
    if (text != NULL && conn->manage != NULL) {
        tf_json_writer_init(&w, text, ANSWER_MAX);
        err = route(conn, body, &w);
    }
    if (err == TF_OK && !conn->exchange.is_waiting) {
        err = tf_json_take(&w, &answer.size);
    }
    if (err != TF_OK) {
        answer_failure(conn, err);
    } else if (!conn->exchange.is_waiting) {
        answer_json(conn, OK, answer);
    }
    free(text);
}
