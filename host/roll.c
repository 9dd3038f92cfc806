/* SPDX-License-Identifier: Apache-2.0 */
#include "host/roll.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/engine.h"
#include "host/lend.h"
#include "host/lists.h"
#include "host/log.h"
#include "host/metrics.h"
#include "host/registry.h"
#include "host/supervise.h"
#include "host/tryout.h"
#include "lib/bytes.h"
#include "lib/json.h"

enum {
    POLL_MS = 200,
    DRAIN_MS = 30 * 1000, /* for the old one's connections to end */
    MINUTES_DEFAULT = 10,
    MINUTES_MAX = 7 * 24 * 60,
    MINUTE_MS = 60 * 1000,
    TRYOUT_MS = 60 * 1000, /* that a roll which goes on anyway waits for what is tried */
    ANSWER_BASE = 2048,
    ANSWER_PER_LAMBDA = 128
};

struct tf_roll {
    struct tf_daemon *daemon;
    struct tf_engine engine; /* what the heirs run; its paths are the next two */
    char image[PATH_MAX];
    char sigstruct[PATH_MAX];
    char from[TF_STORE_HEX + 1]; /* "": every trust domain on the engine, as it is */
    char to[TF_STORE_HEX + 1];
    uint64_t minutes;
    bool is_anyway; /* also if not all load on the heirs */
    bool is_running;
    const char *end; /* why it ended without being done, or NULL */
    struct tf_timer poll;
    uint64_t deadline;      /* loop's clock */
    uint64_t tried_until;   /* the same, for what goes on anyway */
    struct tf_roll *before; /* heirs of earlier ones use their engine */
};

/* --- routing -------------------------------------------------------------------------
 */

static bool has_dns(const struct tf_lambda *lambda, const char *sni)
{
    for (size_t i = 0; i < lambda->dns_count; i++) {
        if (strcmp(lambda->dns[i], sni) == 0) {
            return true;
        }
    }
    return false;
}

struct tf_worker *tf_roll_route(const struct tf_lambda *lambda, const char *sni)
{
    const struct tf_seat *next = &lambda->next;
    bool is_up = next->worker != NULL && next->worker->state == TF_WORKER_SERVING;
    bool is_next = is_up && (!has_dns(lambda, sni) ||
                             (next->is_granted && next->is_tried && !next->is_failing));
    return is_next ? next->worker : lambda->seat.worker;
}

bool tf_roll_holds(const struct tf_daemon *daemon, const char *engine, const char *domain)
{
    for (size_t i = 0; i < daemon->worker_count; i++) {
        const struct tf_worker *worker = daemon->workers[i];
        if (worker->elder != NULL && strcmp(worker->engine->name, engine) == 0 &&
            (strcmp(worker->domain, domain) == 0 ||
             strcmp(worker->elder->domain, domain) == 0)) {
            return true;
        }
    }
    return false;
}

/* --- the end of one heir's wait ------------------------------------------------------
 */

/* Notes what the elder serves. That it was so counts: it may die and come back, and its
 * leases end while the management name leads to the heir. */
static void note_granted(const struct tf_worker *heir)
{
    const struct tf_registry *registry = &heir->daemon->registry;
    for (size_t i = 0; i < registry->count; i++) {
        struct tf_lambda *lambda = registry->lambdas[i];
        if (lambda->next.worker == heir && lambda->seat.is_granted) {
            lambda->next.is_awaited = true;
        }
    }
}

static bool is_missing(const struct tf_lambda *lambda)
{
    return lambda->next.is_awaited && !lambda->next.is_granted;
}

/* Whether it is to be given up because of what does not load. */
static bool is_refused(const struct tf_roll *roll)
{
    return !roll->is_anyway && tf_tryout_why(roll->daemon) != NULL;
}

/* Whether what the heir has tried, or still has to, does not keep it from taking over. A
 * publisher's lambdas may take long to try; that must not be a way to keep an image. */
static bool is_tried(const struct tf_roll *roll, const struct tf_worker *heir)
{
    bool is_late = roll->daemon->loop.now >= roll->tried_until;
    return tf_tryout_is_over(heir) || (roll->is_anyway && is_late);
}

/* Whether the heir is granted what its elder was, and loads all; unless it need not. */
static bool is_ready(const struct tf_roll *roll, const struct tf_worker *heir)
{
    const struct tf_registry *registry = &heir->daemon->registry;
    for (size_t i = 0; i < registry->count; i++) {
        const struct tf_lambda *lambda = registry->lambdas[i];
        bool is_short =
            is_missing(lambda) || (lambda->next.is_failing && !roll->is_anyway);
        if (lambda->next.worker == heir && is_short) {
            return false;
        }
    }
    return heir->state == TF_WORKER_SERVING && is_tried(roll, heir);
}

/* The lambda is the heir's now, on disk too. */
static void hand_over(struct tf_daemon *daemon, struct tf_lambda *lambda)
{
    const struct tf_worker *heir = lambda->next.worker;
    tf_err err = TF_OK;
    lambda->seat = lambda->next;
    lambda->seat.is_awaited = false;
    lambda->next = (struct tf_seat){.worker = NULL};
    if (strcmp(lambda->domain, heir->domain) != 0) {
        memcpy(lambda->domain, heir->domain, sizeof(lambda->domain));
        err = tf_lambda_save(&daemon->store, lambda);
    }
    if (err == TF_OK) {
        err = tf_store_promote(&daemon->store, lambda->name);
    }
    if (err != TF_OK) {
        tf_log("store-behind", "lambda=%s error=%s", lambda->name, tf_err_name(err));
    }
}

static void retire(struct tf_worker *worker)
{
    tf_lend_leave(worker);
    worker->is_retired = true;
    worker->quiet = 0;
    worker->drain_end = worker->daemon->loop.now + DRAIN_MS;
    if (worker->state != TF_WORKER_SERVING) {
        tf_supervise_stop(worker);
    }
}

static void take_over(struct tf_worker *heir)
{
    struct tf_daemon *daemon = heir->daemon;
    struct tf_worker *elder = heir->elder;
    tf_supervise_fold(elder);
    for (size_t i = 0; i < daemon->registry.count; i++) {
        if (daemon->registry.lambdas[i]->next.worker == heir) {
            hand_over(daemon, daemon->registry.lambdas[i]);
        }
    }
    heir->elder = NULL;
    heir->starts += elder->starts;
    heir->sealed += elder->sealed;
    heir->base.handshakes += elder->base.handshakes;
    heir->base.handshakes_failed += elder->base.handshakes_failed;
    heir->base.entries += elder->base.entries;
    tf_log("rolled", "engine=%s domain=%s pid=%d old_pid=%d", heir->engine->name,
           heir->domain, (int)heir->pid, (int)elder->pid);
    retire(elder);
}

static void give_up(struct tf_worker *heir)
{
    struct tf_daemon *daemon = heir->daemon;
    for (size_t i = 0; i < daemon->registry.count; i++) {
        struct tf_lambda *lambda = daemon->registry.lambdas[i];
        if (lambda->next.worker == heir) {
            lambda->next = (struct tf_seat){.worker = NULL};
            tf_store_forget_next(&daemon->store, lambda->name);
        }
    }
    heir->elder = NULL;
    retire(heir);
}

/* --- the roll ------------------------------------------------------------------------
 */

/* Nobody waits for it any more; what it did not finish stays as it was. */
static void end(struct tf_roll *roll, const char *why)
{
    struct tf_daemon *daemon = roll->daemon;
    for (size_t i = 0; i < daemon->worker_count; i++) {
        if (daemon->workers[i]->elder != NULL) {
            give_up(daemon->workers[i]);
        }
    }
    roll->is_running = false;
    roll->end = why;
    tf_log("roll-end", "engine=%s result=%s", roll->engine.name,
           why == NULL ? "done" : why);
}

/* From now on it is what new workers of the engine run. */
static void adopt_engine(const struct tf_roll *roll)
{
    struct tf_options *o = &roll->daemon->options;
    for (size_t i = 0; i < o->engine_count; i++) {
        if (strcmp(o->engines[i].name, roll->engine.name) == 0) {
            o->engines[i] = roll->engine;
        }
    }
}

static bool is_drained(const struct tf_worker *worker)
{
    return worker->quiet == (1u << worker->threads) - 1 ||
           worker->daemon->loop.now >= worker->drain_end;
}

/* Ends the old ones that are done. @return whether one is not. */
static bool drain(struct tf_daemon *daemon)
{
    bool is_waiting = false;
    for (size_t i = 0; i < daemon->worker_count; i++) {
        struct tf_worker *worker = daemon->workers[i];
        if (!worker->is_retired || worker->state != TF_WORKER_SERVING) {
            continue;
        }
        is_waiting = true;
        if (is_drained(worker)) {
            tf_supervise_stop(worker);
        }
    }
    return is_waiting;
}

/* Whether all heirs serve and have tried what they have: until then management
 * connections still reach the old ones, and nobody knows whether all load. */
static bool is_up(const struct tf_daemon *daemon)
{
    for (size_t i = 0; i < daemon->worker_count; i++) {
        const struct tf_worker *worker = daemon->workers[i];
        bool is_good = worker->state == TF_WORKER_SERVING && tf_tryout_is_over(worker);
        if (worker->elder != NULL && !is_good) {
            return false;
        }
    }
    return true;
}

/* Moves on what can move on. @return whether something is left to wait for. */
static bool move_on(struct tf_roll *roll)
{
    struct tf_daemon *daemon = roll->daemon;
    bool has_heir = false;
    if (roll->is_running && is_refused(roll) && is_up(daemon)) {
        end(roll, tf_tryout_why(daemon));
    }
    for (size_t i = 0; i < daemon->worker_count; i++) {
        struct tf_worker *worker = daemon->workers[i];
        if (worker->elder != NULL) {
            note_granted(worker);
            tf_tryout_continue(worker);
        }
        if (worker->elder != NULL && is_ready(roll, worker)) {
            take_over(worker);
        }
        has_heir = has_heir || worker->elder != NULL;
    }
    if (roll->is_running && !has_heir) {
        adopt_engine(roll);
        end(roll, NULL);
    }
    if (roll->is_running && daemon->loop.now >= roll->deadline) {
        end(roll, "deadline");
    }
    return drain(daemon) || roll->is_running;
}

/* Asks the enclaves how they are: heirs and their elders, and who drains. */
static void look(const struct tf_roll *roll)
{
    const struct tf_daemon *daemon = roll->daemon;
    for (size_t i = 0; i < daemon->worker_count; i++) {
        struct tf_worker *worker = daemon->workers[i];
        if (worker->state == TF_WORKER_SERVING &&
            (worker->is_retired || worker->elder != NULL)) {
            tf_metrics_look(worker);
        }
        if (worker->elder != NULL && worker->elder->state == TF_WORKER_SERVING) {
            tf_metrics_look(worker->elder);
        }
    }
}

static void on_poll(void *user)
{
    struct tf_roll *roll = user;
    if (move_on(roll)) {
        look(roll);
        tf_loop_set(&roll->daemon->loop, &roll->poll, POLL_MS);
    }
}

void tf_roll_worker_changed(struct tf_worker *worker)
{
    struct tf_roll *roll = worker->daemon->roll;
    bool is_over = worker->daemon->is_stopping || roll == NULL || worker->elder == NULL;
    /* Later it starts again, as every worker does; what never served need not be tried
     * again. */
    if (is_over || worker->state == TF_WORKER_SERVING || worker->serving_since != 0) {
        return;
    }
    end(roll, tf_err_name(worker->last_error == TF_OK ? TF_EIO : worker->last_error));
}

/* --- the beginning -------------------------------------------------------------------
 */

static bool copy_optional(struct tf_json_fields *f, const char *key, char *out,
                          size_t cap)
{
    if (tf_json_has(f, key)) {
        tf_json_copy(f, key, out, cap);
        return out[0] != '\0';
    }
    return true;
}

/* What is asked for; paths are absolute. */
static bool parse(const struct tf_admin_request *request, struct tf_roll *out)
{
    json_t *document = NULL;
    struct tf_json_fields f;
    if (tf_json_parse((const char *)request->body, request->size, &document) != TF_OK) {
        return false;
    }
    tf_json_fields_init(&f, document);
    tf_json_copy(&f, "engine", out->engine.name, sizeof(out->engine.name));
    bool is_good =
        copy_optional(&f, "image", out->image, sizeof(out->image)) &&
        copy_optional(&f, "sigstruct", out->sigstruct, sizeof(out->sigstruct)) &&
        copy_optional(&f, "from", out->from, sizeof(out->from)) &&
        copy_optional(&f, "to", out->to, sizeof(out->to));
    out->is_anyway = tf_json_boolean_or(&f, "anyway", false);
    out->minutes = tf_json_integer_or(&f, "minutes", 1, MINUTES_MAX, MINUTES_DEFAULT);
    is_good = tf_json_fields_end(&f) && is_good;
    json_decref(document);
    bool has_none = out->from[0] == '\0' && out->to[0] == '\0';
    bool has_both = tf_store_hex_is_valid(out->from) && tf_store_hex_is_valid(out->to) &&
                    strcmp(out->from, out->to) != 0;
    return is_good && (has_none || has_both) &&
           (out->image[0] == '\0' || out->image[0] == '/') &&
           (out->sigstruct[0] == '\0' || out->sigstruct[0] == '/');
}

/* The engine as it is to be: what is not named stays where it is, and is read anew. */
static tf_err find_engine(struct tf_roll *roll)
{
    const struct tf_options *o = &roll->daemon->options;
    for (size_t i = 0; i < o->engine_count; i++) {
        if (strcmp(o->engines[i].name, roll->engine.name) != 0) {
            continue;
        }
        roll->engine = o->engines[i];
        if (roll->image[0] != '\0') {
            roll->engine.image_path = roll->image;
        }
        if (roll->sigstruct[0] != '\0') {
            roll->engine.sigstruct_path = roll->sigstruct;
        }
        return tf_engine_identify(&roll->engine);
    }
    return TF_ENOTFOUND;
}

static bool has_lambdas(const struct tf_worker *worker)
{
    const struct tf_registry *registry = &worker->daemon->registry;
    for (size_t i = 0; i < registry->count; i++) {
        if (registry->lambdas[i]->seat.worker == worker) {
            return true;
        }
    }
    return false;
}

static bool is_meant(const struct tf_roll *roll, const struct tf_worker *worker)
{
    return tf_supervise_is_current(worker) && has_lambdas(worker) &&
           strcmp(worker->engine->name, roll->engine.name) == 0 &&
           (roll->from[0] == '\0' || strcmp(worker->domain, roll->from) == 0);
}

/* Whether something is deployed where the roll would lead. */
static bool is_occupied(const struct tf_roll *roll)
{
    const struct tf_registry *registry = &roll->daemon->registry;
    for (size_t i = 0; i < registry->count; i++) {
        if (strcmp(registry->lambdas[i]->engine, roll->engine.name) == 0 &&
            strcmp(registry->lambdas[i]->domain, roll->to) == 0) {
            return true;
        }
    }
    return false;
}

static tf_err start_heir(struct tf_roll *roll, struct tf_worker *elder)
{
    struct tf_registry *registry = &roll->daemon->registry;
    const char *domain = roll->to[0] != '\0' ? roll->to : elder->domain;
    struct tf_worker *heir = tf_supervise_heir(elder, &roll->engine, domain);
    if (heir == NULL) {
        return TF_ELIMIT;
    }
    for (size_t i = 0; i < registry->count; i++) {
        if (registry->lambdas[i]->seat.worker == elder) {
            registry->lambdas[i]->next = (struct tf_seat){.worker = heir};
        }
    }
    note_granted(heir);
    tf_lend_forget(roll->daemon);
    tf_supervise_start(heir);
    return TF_OK;
}

/* @return how many it began with; the first failure is in *err. */
static size_t start_heirs(struct tf_roll *roll, tf_err *err)
{
    struct tf_daemon *daemon = roll->daemon;
    struct tf_worker *elders[TF_WORKERS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < daemon->worker_count; i++) {
        if (is_meant(roll, daemon->workers[i])) {
            elders[count++] = daemon->workers[i];
        }
    }
    for (size_t i = 0; i < count && *err == TF_OK; i++) {
        *err = start_heir(roll, elders[i]);
    }
    return count;
}

static void refuse(struct tf_roll *roll, struct tf_admin_conn *conn, int status,
                   tf_err err)
{
    free(roll);
    tf_admin_fail(conn, status, err);
}

void tf_roll_begin(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                   const struct tf_admin_request *request)
{
    if (daemon->operations != NULL ||
        (daemon->roll != NULL && daemon->roll->is_running)) {
        tf_admin_refuse(conn, 409, "conflict",
                        "a deployment or another roll is under way",
                        "try again when it is done");
        return;
    }
    struct tf_roll *roll = calloc(1, sizeof(*roll));
    if (roll == NULL) {
        tf_admin_fail(conn, 503, TF_ENOMEM);
        return;
    }
    roll->daemon = daemon;
    if (!parse(request, roll)) {
        refuse(roll, conn, 400, TF_EUSAGE);
        return;
    }
    tf_err err = find_engine(roll);
    if (err == TF_ENOTFOUND) {
        free(roll);
        tf_admin_refuse(conn, 404, tf_err_name(TF_ENOTFOUND),
                        "this tfaasd has no such engine", "list them with `tfaas info`");
        return;
    }
    if (err == TF_OK && roll->to[0] != '\0') {
        err =
            is_occupied(roll) ? TF_EUSAGE : tf_lists_carry(daemon, roll->from, roll->to);
    }
    if (err != TF_OK) {
        refuse(roll, conn, err == TF_ENOTFOUND ? 404 : 422, err);
        return;
    }
    if (daemon->roll != NULL) {
        tf_loop_unset(&daemon->loop, &daemon->roll->poll);
    }
    tf_tryout_wipe(daemon);
    roll->before = daemon->roll;
    daemon->roll = roll;
    roll->is_running = true;
    roll->deadline = daemon->loop.now + roll->minutes * MINUTE_MS;
    roll->tried_until = daemon->loop.now + TRYOUT_MS;
    roll->poll = (struct tf_timer){.fire = on_poll, .user = roll};
    size_t count = start_heirs(roll, &err);
    if (err != TF_OK) {
        end(roll, tf_err_name(err));
    }
    tf_log("roll", "engine=%s workers=%zu", roll->engine.name, count);
    tf_loop_set(&daemon->loop, &roll->poll, POLL_MS);
    tf_roll_status(daemon, conn);
}

/* --- what is said about it -----------------------------------------------------------
 */

static void write_lambdas(struct tf_json_writer *w, const struct tf_registry *registry)
{
    tf_json_open_array(w, "waiting");
    for (size_t i = 0; i < registry->count; i++) {
        if (is_missing(registry->lambdas[i])) {
            tf_json_put_string(w, NULL, registry->lambdas[i]->name);
        }
    }
    tf_json_close_array(w);
}

void tf_roll_status(struct tf_daemon *daemon, struct tf_admin_conn *conn)
{
    const struct tf_roll *roll = daemon->roll;
    size_t cap =
        ANSWER_BASE + ANSWER_PER_LAMBDA * daemon->registry.count + tf_tryout_size(daemon);
    char *text = malloc(cap);
    struct tf_json_writer w;
    if (text == NULL) {
        tf_admin_fail(conn, 503, TF_ENOMEM);
        return;
    }
    tf_json_writer_init(&w, text, cap);
    tf_json_open_object(&w, NULL);
    const char *state = roll == NULL ? "none" : roll->is_running ? "running" : "done";
    state = roll != NULL && roll->end != NULL ? "aborted" : state;
    tf_json_put_string(&w, "state", state);
    tf_json_put_boolean(&w, "ready",
                        roll != NULL && roll->is_running && is_up(daemon) &&
                            !is_refused(roll));
    if (roll != NULL) {
        tf_json_put_string(&w, "engine", roll->engine.name);
        tf_json_put_hex(&w, "mrenclave", roll->engine.mrenclave,
                        sizeof(roll->engine.mrenclave));
        tf_json_put_string(&w, "why", roll->end == NULL ? "" : roll->end);
        write_lambdas(&w, &daemon->registry);
        tf_tryout_write(daemon, &w);
    }
    tf_admin_reply_json(conn, &w, text);
    free(text);
}

void tf_roll_abort(struct tf_daemon *daemon, struct tf_admin_conn *conn)
{
    if (daemon->roll == NULL || !daemon->roll->is_running) {
        tf_admin_refuse(conn, 404, tf_err_name(TF_ENOTFOUND), "no roll is under way",
                        "`tfaas roll` says how the last one ended");
        return;
    }
    end(daemon->roll, "asked to");
    tf_roll_status(daemon, conn);
}

void tf_roll_stop(struct tf_daemon *daemon)
{
    if (daemon->roll != NULL) {
        tf_loop_unset(&daemon->loop, &daemon->roll->poll);
    }
}

void tf_roll_wipe(struct tf_daemon *daemon)
{
    tf_tryout_wipe(daemon);
    while (daemon->roll != NULL) {
        struct tf_roll *before = daemon->roll->before;
        free(daemon->roll);
        daemon->roll = before;
    }
}
