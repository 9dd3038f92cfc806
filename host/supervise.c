/* SPDX-License-Identifier: Apache-2.0 */
#include "host/supervise.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/channel.h"
#include "host/deploy.h"
#include "host/gateway.h"
#include "host/lend.h"
#include "host/lists.h"
#include "host/log.h"
#include "host/metrics.h"
#include "host/roll.h"
#include "host/stock.h"
#include "lib/names.h"

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MAX_MS = 5000,
    STABLE_MS =
        10 * 1000, /* a worker that served this long starts over with the backoff */
    START_MS = 60 * 1000, /* for READY; as long as a deployment waits for it */
    END_MS = 5 * 1000,    /* to end after its links are closed; it drains for a second */
    PACKETS_PER_ROUND = 64,
    LOOK_MS = 50
};

const char *tf_worker_state_name(enum tf_worker_state state)
{
    static const char *const names[] = {
        [TF_WORKER_STOPPED] = "stopped",   [TF_WORKER_STARTING] = "starting",
        [TF_WORKER_LOADING] = "loading",   [TF_WORKER_SERVING] = "serving",
        [TF_WORKER_STOPPING] = "stopping", [TF_WORKER_BACKOFF] = "backoff"};
    return names[state];
}

bool tf_supervise_is_current(const struct tf_worker *worker)
{
    return worker->elder == NULL && !worker->is_retired;
}

/* A place for a new worker: that of one which ended for good, or the next. */
static struct tf_worker *take_place(struct tf_daemon *daemon)
{
    for (size_t i = 0; i < daemon->worker_count; i++) {
        struct tf_worker *worker = daemon->workers[i];
        if (worker->is_retired && worker->state == TF_WORKER_STOPPED) {
            return worker;
        }
    }
    struct tf_worker *worker =
        daemon->worker_count == TF_WORKERS_MAX ? NULL : malloc(sizeof(*worker));
    if (worker != NULL) {
        daemon->workers[daemon->worker_count] = worker;
        daemon->worker_count++;
    }
    return worker;
}

static struct tf_worker *make_worker(struct tf_daemon *daemon,
                                     const struct tf_engine *engine, const char *domain)
{
    struct tf_worker *worker = take_place(daemon);
    if (worker == NULL) {
        return NULL;
    }
    memset(worker, 0, sizeof(*worker));
    worker->daemon = daemon;
    worker->engine = engine;
    strncpy(worker->domain, domain, TF_STORE_HEX);
    worker->process.fd = -1;
    worker->link_count = daemon->options.threads;
    worker->backoff_ms = BACKOFF_FIRST_MS;
    return worker;
}

struct tf_worker *tf_supervise_worker(struct tf_daemon *daemon, const char *engine,
                                      const char *domain)
{
    const struct tf_engine *known = NULL;
    for (size_t i = 0; i < daemon->options.engine_count; i++) {
        if (strcmp(daemon->options.engines[i].name, engine) == 0) {
            known = &daemon->options.engines[i];
        }
    }
    for (size_t i = 0; i < daemon->worker_count; i++) {
        struct tf_worker *worker = daemon->workers[i];
        if (tf_supervise_is_current(worker) &&
            strcmp(worker->engine->name, engine) == 0 &&
            strcmp(worker->domain, domain) == 0) {
            return worker;
        }
    }
    return known == NULL ? NULL : make_worker(daemon, known, domain);
}

struct tf_worker *tf_supervise_heir(struct tf_worker *elder,
                                    const struct tf_engine *engine, const char *domain)
{
    struct tf_worker *worker = make_worker(elder->daemon, engine, domain);
    if (worker != NULL) {
        worker->elder = elder;
    }
    return worker;
}

static void close_links(struct tf_worker *worker)
{
    for (unsigned i = 0; i < worker->link_count; i++) {
        tf_loop_unwatch(&worker->daemon->loop, &worker->links[i].watch);
        if (worker->links[i].watch.fd >= 0) {
            (void)close(worker->links[i].watch.fd);
            worker->links[i].watch.fd = -1;
        }
    }
    worker->threads = 0;
    tf_lend_leave(worker);
}

static void on_look(void *user)
{
    tf_metrics_look(user);
}

/* Looks once for many that are granted in a row. */
static void look_soon(struct tf_worker *worker)
{
    if (worker->look.fire == NULL) {
        worker->look = (struct tf_timer){.fire = on_look, .user = worker};
    }
    if (!worker->look.is_set) {
        tf_loop_set(&worker->daemon->loop, &worker->look, LOOK_MS);
    }
}

static void note_event(struct tf_worker *worker, const uint8_t *body, size_t size)
{
    static const char *const names[] = {[TF_EVENT_LAMBDA_FAILED] = "lambda-failed",
                                        [TF_EVENT_GRANTED] = "granted",
                                        [TF_EVENT_HANDSHAKE] = "handshake-failed"};
    struct tf_msg_event event;
    char lambda[TF_NAME_MAX + 1] = "";
    if (size < sizeof(event)) {
        return;
    }
    memcpy(&event, body, sizeof(event));
    size -= sizeof(event);
    if (tf_name_is_valid((const char *)body + sizeof(event), size)) {
        memcpy(lambda, body + sizeof(event), size);
    }
    if (event.event == TF_EVENT_GRANTED) {
        look_soon(worker);
    }
    if (!tf_log_may(&worker->log_limit, worker->daemon->loop.now)) {
        return;
    }
    bool is_known = event.event > 0 && event.event < sizeof(names) / sizeof(names[0]);
    const char *code =
        event.err < TF_ERR_COUNT ? tf_err_name((tf_err)event.err) : "unknown";
    /* An error's id as the client got it; the TLS library's codes are negative. */
    bool is_id = event.event == TF_EVENT_LAMBDA_FAILED;
    tf_log(is_known ? names[event.event] : "enclave-event",
           is_id ? "engine=%s pid=%d%s%s error=%s id=%016" PRIx64
                 : "engine=%s pid=%d%s%s error=%s value=%" PRId64,
           worker->engine->name, (int)worker->pid,
           lambda[0] == '\0' ? "" : " lambda=", lambda, code, event.value);
}

static void take_ready(struct tf_worker *worker, const uint8_t *body, size_t size)
{
    struct tf_link_ready ready;
    if (size != sizeof(ready) || worker->state != TF_WORKER_STARTING) {
        return;
    }
    memcpy(&ready, body, sizeof(ready));
    worker->threads =
        ready.threads < worker->link_count ? ready.threads : worker->link_count;
    if (!ready.is_simulated) {
        worker->daemon->is_simulated = false;
    }
    tf_log("worker-ready", "engine=%s pid=%d threads=%u simulated=%s",
           worker->engine->name, (int)worker->pid, worker->threads,
           ready.is_simulated ? "true" : "false");
    tf_loop_unset(&worker->daemon->loop, &worker->overdue);
    worker->state = TF_WORKER_LOADING;
    tf_stock_begin(worker);
}

/* @return whether `fd` was taken over. */
static bool take(const struct tf_worker_link *link, const struct tf_link_head *head,
                 const uint8_t *body, int fd)
{
    struct tf_worker *worker = link->worker;
    switch (head->type) {
    case TF_LINK_READY:
        take_ready(worker, body, head->size);
        break;
    case TF_LINK_RESULT:
        tf_calls_answer(worker, head->id, body, head->size);
        break;
    case TF_LINK_SEALED:
        tf_stock_keep_sealed(worker, body, head->size);
        break;
    case TF_LINK_REVOKED:
        tf_lists_keep(worker, body, head->size);
        break;
    case TF_LINK_EVENT:
        note_event(worker, body, head->size);
        break;
    case TF_LINK_WANT:
        tf_stock_bring(worker, link->index, head->id, body, head->size);
        break;
    case TF_LINK_CONN:
        tf_lend_take(worker, fd);
        return true;
    default:
        if (tf_log_may(&worker->log_limit, worker->daemon->loop.now)) {
            tf_log("link-unknown-message", "type=%u", head->type);
        }
        break;
    }
    return false;
}

static void on_link(void *user, uint32_t events)
{
    static uint8_t body[TF_LINK_MAX];
    struct tf_worker_link *link = user;
    struct tf_worker *worker = link->worker;
    tf_err err = TF_OK;
    for (int i = 0; i < PACKETS_PER_ROUND && link->watch.fd >= 0 && err != TF_AGAIN;
         i++) {
        struct tf_link_head head;
        int fd = -1;
        err = tf_link_receive(link->watch.fd, &head, body, &fd);
        if (err == TF_EIO) {
            /* The process ends; its pidfd tells when. */
            tf_loop_unwatch(&worker->daemon->loop, &link->watch);
            return;
        }
        bool is_taken = err == TF_OK && take(link, &head, body, fd);
        if (fd >= 0 && !is_taken) {
            (void)close(fd);
        }
    }
    (void)events;
}

static void fold_counts(struct tf_counts *base, struct tf_counts *last)
{
    base->ok += last->ok;
    base->failed += last->failed;
    base->steps += last->steps;
    if (base->peak < last->peak) {
        base->peak = last->peak;
    }
    base->bytes_in += last->bytes_in;
    base->bytes_out += last->bytes_out;
    *last = (struct tf_counts){0};
}

/* Prometheus' counters never go back. */
void tf_supervise_fold(struct tf_worker *worker)
{
    const struct tf_registry *registry = &worker->daemon->registry;
    for (size_t i = 0; i < TF_THREADS_MAX; i++) {
        worker->base.handshakes += worker->last[i].handshakes;
        worker->base.handshakes_failed += worker->last[i].handshakes_failed;
        worker->base.entries += worker->last[i].entries;
        worker->base.evicted += worker->last[i].evicted;
        worker->base.load_us += worker->last[i].load_us;
        worker->base.poll_us += worker->last[i].poll_us;
        for (size_t j = 0; j < TF_LOAD_BUCKETS; j++) {
            worker->base.loads[j] += worker->last[i].loads[j];
        }
    }
    memset(worker->last, 0, sizeof(worker->last));
    for (size_t i = 0; i < registry->count; i++) {
        struct tf_lambda *lambda = registry->lambdas[i];
        if (lambda->seat.worker == worker) {
            fold_counts(&lambda->base, &lambda->last);
        }
    }
}

static void forget_loaded(struct tf_worker *worker)
{
    const struct tf_registry *registry = &worker->daemon->registry;
    for (size_t i = 0; i < registry->count; i++) {
        struct tf_seat *seat = tf_lambda_seat(registry->lambdas[i], worker);
        if (seat != NULL) {
            seat->is_granted = false;
            seat->is_offered = false;
        }
    }
}

static bool is_used(const struct tf_worker *worker)
{
    const struct tf_registry *registry = &worker->daemon->registry;
    for (size_t i = 0; i < registry->count; i++) {
        if (tf_lambda_seat(registry->lambdas[i], worker) != NULL) {
            return true;
        }
    }
    return false;
}

static void on_restart(void *user)
{
    struct tf_worker *worker = user;
    worker->state = TF_WORKER_STOPPED;
    tf_supervise_start(worker);
}

static void back_off(struct tf_worker *worker)
{
    if (worker->serving_since != 0 &&
        worker->daemon->loop.now - worker->serving_since >= STABLE_MS) {
        worker->backoff_ms = BACKOFF_FIRST_MS;
    }
    worker->state = TF_WORKER_BACKOFF;
    worker->restart.fire = on_restart;
    worker->restart.user = worker;
    tf_loop_set(&worker->daemon->loop, &worker->restart, worker->backoff_ms);
    worker->backoff_ms =
        worker->backoff_ms * 2 < BACKOFF_MAX_MS ? worker->backoff_ms * 2 : BACKOFF_MAX_MS;
}

static void note_end(struct tf_worker *worker, const siginfo_t *info)
{
    bool is_exit = info->si_code == CLD_EXITED;
    int status = info->si_status;
    worker->last_error = TF_EIO;
    if (is_exit && status == TF_WORKER_USAGE) {
        worker->last_error = TF_EVERSION;
    } else if (is_exit && status > TF_WORKER_EXIT &&
               status < TF_WORKER_EXIT + (int)TF_ERR_COUNT) {
        worker->last_error = (tf_err)(status - TF_WORKER_EXIT);
    } else if (is_exit && status == 0) {
        worker->last_error = TF_OK;
    }
    tf_log("worker-end", "engine=%s pid=%d %s=%d error=%s", worker->engine->name,
           (int)worker->pid, is_exit ? "exit" : "signal", status,
           tf_err_name(worker->last_error));
}

static void on_process(void *user, uint32_t events)
{
    struct tf_worker *worker = user;
    siginfo_t info = {.si_pid = 0};
    (void)events;
    if (waitid(P_PIDFD, (id_t)worker->process.fd, &info, WEXITED | WNOHANG) != 0 ||
        info.si_pid == 0) {
        return;
    }
    tf_loop_unwatch(&worker->daemon->loop, &worker->process);
    (void)close(worker->process.fd);
    worker->process.fd = -1;
    tf_loop_unset(&worker->daemon->loop, &worker->overdue);
    tf_loop_unset(&worker->daemon->loop, &worker->look);
    bool was_stopping = worker->state == TF_WORKER_STOPPING;
    note_end(worker, &info);
    close_links(worker);
    tf_supervise_fold(worker);
    forget_loaded(worker);
    worker->state = TF_WORKER_STOPPED;
    tf_calls_fail(worker);
    if (was_stopping && worker->is_wanted) {
        tf_supervise_start(worker);
    }
    tf_deploy_worker_changed(worker->daemon, worker);
    tf_roll_worker_changed(worker);
    /* Somebody may have started or given up on it just now. */
    if (!was_stopping && !worker->daemon->is_stopping &&
        worker->state == TF_WORKER_STOPPED && is_used(worker)) {
        back_off(worker);
    }
    worker->serving_since = 0;
}

static void on_overdue(void *user)
{
    struct tf_worker *worker = user;
    tf_log("worker-overdue", "engine=%s pid=%d state=%s", worker->engine->name,
           (int)worker->pid, tf_worker_state_name(worker->state));
    tf_supervise_restart(worker);
}

/* A worker that hangs holds its place, and what waits for it; it is killed instead. */
static void expect_within(struct tf_worker *worker, uint64_t ms)
{
    worker->overdue.fire = on_overdue;
    worker->overdue.user = worker;
    tf_loop_set(&worker->daemon->loop, &worker->overdue, ms);
}

void tf_supervise_start(struct tf_worker *worker)
{
    int pidfd = -1;
    worker->is_wanted = worker->state == TF_WORKER_STOPPING;
    if (worker->state != TF_WORKER_STOPPED || worker->daemon->is_stopping) {
        return;
    }
    worker->starts++;
    worker->was_lent = false;
    if (tf_worker_spawn(worker, &pidfd) != TF_OK) {
        tf_log("worker-start-failed", "engine=%s", worker->engine->name);
        worker->last_error = TF_EIO;
        back_off(worker);
        tf_deploy_worker_changed(worker->daemon, worker);
        return;
    }
    worker->state = TF_WORKER_STARTING;
    expect_within(worker, START_MS);
    worker->process = (struct tf_watch){.fd = pidfd, .ready = on_process, .user = worker};
    tf_err err = tf_loop_watch(&worker->daemon->loop, &worker->process, EPOLLIN);
    for (unsigned i = 0; i < worker->link_count && err == TF_OK; i++) {
        struct tf_worker_link *link = &worker->links[i];
        link->worker = worker;
        link->index = i;
        link->watch.ready = on_link;
        link->watch.user = link;
        err = tf_loop_watch(&worker->daemon->loop, &link->watch, EPOLLIN);
    }
    tf_log("worker-start", "engine=%s domain=%s pid=%d start=%" PRIu64,
           worker->engine->name, worker->domain, (int)worker->pid, worker->starts);
    if (err != TF_OK) {
        tf_supervise_restart(worker);
    }
}

void tf_supervise_start_all(struct tf_daemon *daemon)
{
    struct tf_registry *registry = &daemon->registry;
    for (size_t i = 0; i < registry->count; i++) {
        struct tf_lambda *lambda = registry->lambdas[i];
        struct tf_worker *worker =
            tf_supervise_worker(daemon, lambda->engine, lambda->domain);
        lambda->seat.worker = worker;
        if (worker == NULL) {
            tf_log("lambda-without-engine", "lambda=%s engine=%s", lambda->name,
                   lambda->engine);
            continue;
        }
        tf_supervise_start(worker);
    }
}

void tf_supervise_serve(struct tf_worker *worker)
{
    worker->state = TF_WORKER_SERVING;
    worker->serving_since = worker->daemon->loop.now;
    tf_log("worker-serving", "engine=%s pid=%d", worker->engine->name, (int)worker->pid);
    tf_deploy_worker_changed(worker->daemon, worker);
    tf_roll_worker_changed(worker);
    tf_gateway_retry(worker->daemon->gateway);
}

void tf_supervise_stop(struct tf_worker *worker)
{
    if (worker->state == TF_WORKER_BACKOFF) {
        tf_loop_unset(&worker->daemon->loop, &worker->restart);
        worker->state = TF_WORKER_STOPPED;
    }
    worker->is_wanted = false;
    if (worker->state == TF_WORKER_STOPPED || worker->state == TF_WORKER_STOPPING) {
        return;
    }
    worker->state = TF_WORKER_STOPPING;
    expect_within(worker, END_MS);
    close_links(worker);
    tf_calls_fail(worker);
}

void tf_supervise_release(struct tf_worker *worker)
{
    if (!is_used(worker)) {
        tf_supervise_stop(worker);
    }
}

void tf_supervise_restart(struct tf_worker *worker)
{
    if (worker->process.fd >= 0) {
        tf_log("worker-restart", "engine=%s pid=%d", worker->engine->name,
               (int)worker->pid);
        (void)kill(worker->pid, SIGKILL); /* our own child, not yet waited for */
    }
}

tf_err tf_supervise_pass(struct tf_worker *worker, int fd, const char *name)
{
    if (worker->state != TF_WORKER_SERVING) {
        return TF_AGAIN;
    }
    for (unsigned i = 0; i < worker->threads; i++) {
        unsigned thread = worker->next_thread % worker->threads;
        worker->next_thread = thread + 1;
        bool has_heard = (worker->told & 1u << thread) != 0;
        const struct tf_link_head head = {.type = TF_LINK_CONN,
                                          .size = has_heard ? (uint32_t)strlen(name) : 0};
        if (tf_link_send(worker->links[thread].watch.fd, &head, name, fd) == TF_OK) {
            return TF_OK;
        }
    }
    return TF_AGAIN;
}

tf_err tf_supervise_lend(struct tf_worker *worker, int fd)
{
    const struct tf_link_head head = {.type = TF_LINK_LISTEN};
    for (unsigned i = 0; i < worker->threads; i++) {
        bool has_heard = (worker->told & 1u << i) != 0;
        if (!has_heard &&
            tf_link_send(worker->links[i].watch.fd, &head, NULL, fd) == TF_OK) {
            worker->told |= 1u << i;
        }
    }
    return worker->told == (1u << worker->threads) - 1 ? TF_OK : TF_AGAIN;
}

void tf_supervise_stop_all(struct tf_daemon *daemon)
{
    for (size_t i = 0; i < daemon->worker_count; i++) {
        tf_supervise_stop(daemon->workers[i]);
    }
}

bool tf_supervise_is_quiet(const struct tf_daemon *daemon)
{
    for (size_t i = 0; i < daemon->worker_count; i++) {
        if (daemon->workers[i]->process.fd >= 0) {
            return false;
        }
    }
    return true;
}

void tf_supervise_wipe(struct tf_daemon *daemon)
{
    for (size_t i = 0; i < daemon->worker_count; i++) {
        struct tf_worker *worker = daemon->workers[i];
        tf_supervise_stop(worker);
        tf_loop_unset(&daemon->loop, &worker->overdue);
        tf_loop_unset(&daemon->loop, &worker->look);
        if (worker->process.fd >= 0) {
            (void)kill(worker->pid, SIGKILL);
            (void)waitid(P_PIDFD, (id_t)worker->process.fd, &(siginfo_t){0}, WEXITED);
            (void)close(worker->process.fd);
        }
        free(worker);
    }
    daemon->worker_count = 0;
}
