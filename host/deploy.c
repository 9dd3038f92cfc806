/* SPDX-License-Identifier: Apache-2.0 */
#include "host/deploy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/lend.h"
#include "host/log.h"
#include "host/registry.h"
#include "host/roll.h"
#include "host/supervise.h"
#include "host/verdict.h"
#include "lib/err_text.h"
#include "lib/json.h"

enum {
    START_MS = 60 * 1000,  /* for a worker to start */
    BUNDLE_MS = 60 * 1000, /* for the enclave to verify a bundle, and try its code */
    BUSY_MS = 10 * 1000,   /* for the enclave to have a place for that; */
    RETRY_MS = 100,        /* it is asked every so many */
    DROP_MS = 10 * 1000,
    OPERATIONS_MAX = 32, /* the one that runs and those that wait, count */
    ANSWER_MAX = 8 << 10,
    TEXT_MAX = TF_VERDICT_MAX + 128
};

struct tf_operation {
    struct tf_daemon *daemon;
    struct tf_admin_conn *conn; /* NULL once the client left */
    bool is_removal;
    bool is_waiting;         /* for the worker to serve */
    struct tf_lambda lambda; /* what the bundle says; for a removal, the name */
    tf_err peeked;           /* whether our own look at the bundle succeeded */
    uint8_t *body;           /* owned */
    size_t size;
    struct tf_worker *worker;
    uint64_t busy_until; /* loop's clock: so long it is asked again; 0: not yet asked */
    struct tf_timer timer;
    struct tf_operation *next;
};

static void begin(struct tf_operation *op);
static void on_retry(void *user);

/* Takes the first operation out of the queue. */
static void drop_first(struct tf_daemon *daemon)
{
    struct tf_operation *op = daemon->operations;
    daemon->operations = op->next;
    tf_loop_unset(&daemon->loop, &op->timer);
    free(op->body);
    free(op);
}

/* Ends the running operation and begins the next that somebody still waits for, unless
 * tfaasd is stopping. */
static void finish(struct tf_operation *op)
{
    struct tf_daemon *daemon = op->daemon;
    struct tf_worker *worker = op->worker;
    drop_first(daemon);
    if (worker != NULL) {
        tf_supervise_release(worker);
    }
    if (daemon->is_stopping) {
        return;
    }
    while (daemon->operations != NULL && daemon->operations->conn == NULL) {
        drop_first(daemon); /* its client left before it began */
    }
    if (daemon->operations != NULL) {
        begin(daemon->operations);
    }
}

static void refuse(struct tf_operation *op, int status, const char *error,
                   const char *text, const char *hint)
{
    tf_log("deploy-refused", "lambda=%s error=%s", op->lambda.name, error);
    tf_admin_refuse(op->conn, status, error, text, hint);
    finish(op);
}

static void fail(struct tf_operation *op, int status, tf_err err)
{
    refuse(op, status, tf_err_name(err), tf_err_text(err), tf_err_hint(err));
}

/* Store and enclave disagree: the enclave starts anew from the store. */
static void fail_inconsistent(struct tf_operation *op, tf_err err)
{
    tf_supervise_restart(op->worker);
    fail(op, 500, err);
}

/* Whether the enclave accepted the bundle that we looked at. */
static bool check_verdict(const struct tf_operation *op, const char *json, size_t size)
{
    json_t *document = NULL;
    if (op->peeked != TF_OK || tf_json_parse(json, size, &document) != TF_OK) {
        return false;
    }
    const char *name = json_string_value(json_object_get(document, "name"));
    const char *digest = json_string_value(json_object_get(document, "digest"));
    bool is_same = name != NULL && strcmp(name, op->lambda.name) == 0 && digest != NULL &&
                   strcmp(digest, op->lambda.digest) == 0;
    json_decref(document);
    return is_same;
}

/* The bundle is replaced in one step; meta.json never changes for a name in the same
 * place. A grant in force goes over to it: the enclave refuses a bundle that it does not
 * fit. */
static tf_err commit(struct tf_operation *op)
{
    struct tf_daemon *daemon = op->daemon;
    const struct tf_lambda *old = tf_registry_find(&daemon->registry, op->lambda.name);
    tf_err err = tf_store_put(&daemon->store, op->lambda.name, TF_STORE_BUNDLE, op->body,
                              op->size);
    if (err == TF_OK && old == NULL) {
        err = tf_lambda_save(&daemon->store, &op->lambda);
    }
    if (err != TF_OK) {
        return err;
    }
    if (old != NULL) {
        op->lambda.base = old->base;
        op->lambda.last = old->last;
    }
    op->lambda.seat = (struct tf_seat){.worker = op->worker,
                                       .is_granted = old != NULL && old->seat.is_granted,
                                       .is_offered = true};
    tf_lend_forget(daemon);
    return tf_registry_put(&daemon->registry, &op->lambda);
}

static void answer(struct tf_operation *op)
{
    char text[ANSWER_MAX];
    size_t size = 0;
    const struct tf_lambda *lambda = &op->lambda;
    struct tf_json_writer w;
    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "name", lambda->name);
    tf_json_put_integer(&w, "version", lambda->version);
    tf_json_put_string(&w, "digest", lambda->digest);
    tf_json_open_array(&w, "domains");
    for (size_t i = 0; i < lambda->dns_count; i++) {
        tf_json_put_string(&w, NULL, lambda->dns[i]);
    }
    tf_json_close_array(&w);
    tf_json_put_string(&w, "engine", lambda->engine);
    tf_json_put_string(&w, "domain", lambda->domain);
    tf_json_close_object(&w);
    if (tf_json_take(&w, &size) != TF_OK) {
        fail(op, 500, TF_EINTERNAL);
        return;
    }
    tf_log("deployed", "lambda=%s digest=%s engine=%s", lambda->name, lambda->digest,
           lambda->engine);
    tf_admin_reply(op->conn, 200, "application/json", text, size);
    finish(op);
}

/* The enclave refused the bundle: as it is, or after it has run its code. */
static void fail_verdict(struct tf_operation *op, tf_err err,
                         const struct tf_verdict *verdict)
{
    char text[TEXT_MAX];
    char hint[TEXT_MAX];
    if (!verdict->is_of_code) {
        fail(op, 422, err);
        return;
    }
    (void)snprintf(text, sizeof(text), "it does not load: %s", verdict->text);
    (void)snprintf(hint, sizeof(hint),
                   "%s What was deployed before goes on, and the version is free.",
                   verdict->hint);
    refuse(op, err == TF_EBUSY ? 503 : 422, tf_err_name(err), text, hint);
}

/* There was no place to try it in: it is brought again, for a while. */
static void wait_for_place(struct tf_operation *op)
{
    if (op->daemon->loop.now < op->busy_until) {
        op->timer.fire = on_retry;
        tf_loop_set(&op->daemon->loop, &op->timer, RETRY_MS);
        return;
    }
    refuse(op, 503, tf_err_name(TF_EBUSY),
           "the enclave had no place to try it for 10 s: requests have them all",
           "Nothing has changed: deploy it again when there are fewer.");
}

static void on_verdict(void *user, tf_err err, const char *json, size_t size)
{
    struct tf_operation *op = user;
    struct tf_verdict verdict;
    if (err == TF_EIO && size == 0) {
        refuse(op, 503, tf_err_name(TF_EIO),
               "the enclave ended while it loaded the bundle", "see the log of tfaasd");
        return;
    }
    if (err == TF_AGAIN && size == 0) {
        fail_inconsistent(op, TF_AGAIN);
        return;
    }
    if (err != TF_OK) {
        tf_verdict_read(op->worker->engine, &op->lambda, err, json, size, &verdict);
        if (err == TF_EBUSY && !verdict.is_of_code) {
            wait_for_place(op);
        } else {
            fail_verdict(op, err, &verdict);
        }
        return;
    }
    if (!check_verdict(op, json, size)) {
        fail_inconsistent(op, TF_EINTERNAL);
        return;
    }
    err = commit(op);
    if (err != TF_OK) {
        fail_inconsistent(op, err);
        return;
    }
    answer(op);
}

/* The bundle as a sealed file in memory: nothing refused ever reaches the disk. */
static int make_file(const uint8_t *bytes, size_t size)
{
    int fd = memfd_create("bundle", MFD_CLOEXEC);
    size_t done = 0;
    while (fd >= 0 && done < size) {
        ssize_t written = write(fd, bytes + done, size - done);
        if (written <= 0) {
            (void)close(fd);
            return -1;
        }
        done += (size_t)written;
    }
    return fd;
}

static void send_bundle(struct tf_operation *op)
{
    struct tf_call call = {.type = TF_LINK_BUNDLE,
                           .fd = make_file(op->body, op->size),
                           .timeout_ms = BUNDLE_MS,
                           .done = on_verdict,
                           .user = op};
    if (op->busy_until == 0) {
        op->busy_until = op->daemon->loop.now + BUSY_MS;
    }
    tf_loop_unset(&op->daemon->loop, &op->timer);
    if (call.fd < 0) {
        fail(op, 500, TF_EIO);
        return;
    }
    tf_supervise_call(op->worker, &call);
}

static void on_timeout(void *user)
{
    struct tf_operation *op = user;
    refuse(op, 504, tf_err_name(TF_AGAIN), "the worker did not start in time",
           "see GET /v1/workers and the log of tfaasd");
}

/* Sends the bundle, or waits for the worker to serve. */
static void proceed(struct tf_operation *op)
{
    tf_supervise_start(op->worker);
    op->is_waiting = op->worker->state != TF_WORKER_SERVING;
    if (op->is_waiting) {
        op->timer.fire = on_timeout;
        tf_loop_set(&op->daemon->loop, &op->timer, START_MS);
    } else {
        send_bundle(op);
    }
}

static void on_retry(void *user)
{
    proceed(user);
}

static void begin_deployment(struct tf_operation *op)
{
    struct tf_daemon *daemon = op->daemon;
    struct tf_lambda *lambda = &op->lambda;
    const char *other = "";
    if (op->peeked == TF_OK && !tf_registry_is_free(&daemon->registry, lambda, &other)) {
        refuse(op, 409, "conflict",
               strcmp(other, lambda->name) == 0
                   ? "a lambda of this name is deployed on another engine or trust domain"
                   : "a DNS name of this lambda belongs to another lambda",
               "remove the other lambda first, or choose another name");
        return;
    }
    if (tf_roll_holds(daemon, lambda->engine, lambda->domain)) {
        refuse(op, 409, "conflict", "the enclave is being rolled",
               "wait until it is done, or give it up: tfaas roll --abort");
        return;
    }
    bool is_full = daemon->registry.count == TF_REGISTRY_MAX &&
                   tf_registry_find(&daemon->registry, lambda->name) == NULL;
    if (!is_full) { /* otherwise the store would keep what the registry cannot */
        op->worker = tf_supervise_worker(daemon, lambda->engine, lambda->domain);
    }
    if (op->worker == NULL) {
        fail(op, 503, TF_ELIMIT);
        return;
    }
    proceed(op);
}

static void answer_removal(struct tf_operation *op)
{
    char text[128];
    size_t size = 0;
    struct tf_json_writer w;
    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "removed", op->lambda.name);
    tf_json_close_object(&w);
    if (tf_json_take(&w, &size) == TF_OK) {
        tf_log("removed", "lambda=%s", op->lambda.name);
        tf_admin_reply(op->conn, 200, "application/json", text, size);
    }
    finish(op);
}

static void on_dropped(void *user, tf_err err, const char *json, size_t size)
{
    struct tf_operation *op = user;
    (void)json;
    (void)size;
    if (err != TF_OK && err != TF_ENOTFOUND) {
        /* It must not go on serving what is removed. */
        tf_supervise_restart(op->worker);
    }
    answer_removal(op);
}

static void on_dropped_too(void *user, tf_err err, const char *json, size_t size)
{
    struct tf_worker *heir = user;
    (void)json;
    (void)size;
    if (err != TF_OK && err != TF_ENOTFOUND && !heir->daemon->is_stopping) {
        tf_supervise_restart(heir);
    }
}

/* While the enclave is rolled, the lambda may be in the new one already. */
static void drop_too(const struct tf_lambda *lambda)
{
    struct tf_worker *heir = lambda->next.worker;
    const struct tf_call call = {.type = TF_LINK_DROP,
                                 .fd = -1,
                                 .text = lambda->name,
                                 .timeout_ms = DROP_MS,
                                 .done = on_dropped_too,
                                 .user = heir};
    if (heir != NULL &&
        (heir->state == TF_WORKER_SERVING || heir->state == TF_WORKER_LOADING)) {
        tf_supervise_call(heir, &call);
    }
}

static void begin_removal(struct tf_operation *op)
{
    struct tf_daemon *daemon = op->daemon;
    const struct tf_lambda *lambda = tf_registry_find(&daemon->registry, op->lambda.name);
    if (lambda == NULL) {
        fail(op, 404, TF_ENOTFOUND);
        return;
    }
    tf_err err = tf_store_remove(&daemon->store, lambda->name);
    if (err != TF_OK) {
        fail(op, 500, err);
        return;
    }
    op->worker = lambda->seat.worker;
    drop_too(lambda);
    tf_registry_remove(&daemon->registry, op->lambda.name);
    tf_lend_forget(daemon);
    bool is_up = op->worker != NULL && (op->worker->state == TF_WORKER_SERVING ||
                                        op->worker->state == TF_WORKER_LOADING);
    if (!is_up) {
        answer_removal(op);
        return;
    }
    struct tf_call call = {.type = TF_LINK_DROP,
                           .fd = -1,
                           .text = op->lambda.name,
                           .timeout_ms = DROP_MS,
                           .done = on_dropped,
                           .user = op};
    tf_supervise_call(op->worker, &call);
}

static void begin(struct tf_operation *op)
{
    if (op->is_removal) {
        begin_removal(op);
    } else {
        begin_deployment(op);
    }
}

/* Appends an operation; it begins at once if none runs. */
static void enqueue(struct tf_daemon *daemon, struct tf_operation *op,
                    struct tf_admin_conn *conn)
{
    struct tf_operation **at = &daemon->operations;
    size_t count = 0;
    for (; *at != NULL; count++) {
        at = &(*at)->next;
    }
    if (count == OPERATIONS_MAX) {
        tf_admin_refuse(conn, 503, tf_err_name(TF_EBUSY), "too many deployments wait",
                        "try again in a moment");
        free(op->body);
        free(op);
        return;
    }
    op->daemon = daemon;
    op->timer.user = op;
    tf_admin_hold(conn, &op->conn);
    *at = op;
    if (daemon->operations == op) {
        begin(op);
    }
}

void tf_deploy_bundle(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                      const char *engine, const char *domain, uint8_t *body, size_t size)
{
    struct tf_operation *op = calloc(1, sizeof(*op));
    if (op == NULL) {
        free(body);
        tf_admin_fail(conn, 503, TF_ENOMEM);
        return;
    }
    op->body = body;
    op->size = size;
    /* What does not parse here goes on to the enclave, whose verdict is the one that
     * counts; should it accept what we could not read, check_verdict refuses. */
    op->peeked = tf_lambda_peek(body, size, &op->lambda);
    strncpy(op->lambda.engine, engine, sizeof(op->lambda.engine) - 1);
    strncpy(op->lambda.domain, domain, sizeof(op->lambda.domain) - 1);
    enqueue(daemon, op, conn);
}

void tf_deploy_remove(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                      const char *name)
{
    struct tf_operation *op = calloc(1, sizeof(*op));
    if (op == NULL) {
        tf_admin_fail(conn, 503, TF_ENOMEM);
        return;
    }
    op->is_removal = true;
    strncpy(op->lambda.name, name, sizeof(op->lambda.name) - 1);
    enqueue(daemon, op, conn);
}

void tf_deploy_worker_changed(struct tf_daemon *daemon, struct tf_worker *worker)
{
    struct tf_operation *op = daemon->operations;
    if (op == NULL || !op->is_waiting || op->worker != worker) {
        return;
    }
    if (worker->state == TF_WORKER_SERVING) {
        proceed(op);
    } else if (worker->state == TF_WORKER_STOPPED || worker->state == TF_WORKER_BACKOFF) {
        tf_err err = worker->last_error == TF_OK ? TF_EIO : worker->last_error;
        fail(op, 503, err);
    }
}

void tf_deploy_wipe(struct tf_daemon *daemon)
{
    while (daemon->operations != NULL) {
        drop_first(daemon);
    }
}
