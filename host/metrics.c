/* SPDX-License-Identifier: Apache-2.0 */
#include "host/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/registry.h"
#include "host/supervise.h"
#include "lib/json.h"
#include "lib/version.h"

enum { ANSWER_MS = 1000 };

struct scrape {
    struct tf_daemon *daemon;
    void (*answer)(struct tf_daemon *daemon, struct tf_admin_conn *conn);
    struct tf_admin_conn *conn; /* NULL once the client left */
    size_t open_count;          /* questions under way, plus one while asking */
};

struct question {
    struct scrape *scrape;
    struct tf_worker *worker;
    unsigned thread; /* the first one is asked for the lambdas, page by page, too */
    uint64_t look;   /* which of the worker's looks this is */
    uint64_t from;   /* the place of the page's first lambda */
};

/* One metric of plain workers' or lambdas' counters: name, help, and how to read it. */
struct lambda_metric {
    const char *name;
    const char *help;
    size_t offset;     /* of a uint64_t in struct tf_counts */
    const char *label; /* further labels */
};

static uint64_t number(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));
    return value < 0 ? 0 : (uint64_t)value;
}

static void take_lambda(const struct question *q, const json_t *entry)
{
    const char *name = json_string_value(json_object_get(entry, "name"));
    struct tf_lambda *lambda =
        name == NULL ? NULL : tf_registry_find(&q->scrape->daemon->registry, name);
    struct tf_seat *seat = lambda == NULL ? NULL : tf_lambda_seat(lambda, q->worker);
    if (seat == NULL) {
        return;
    }
    seat->seen = q->look;
    seat->is_granted = json_is_true(json_object_get(entry, "granted"));
    if (seat == &lambda->seat) {
        lambda->last = (struct tf_counts){.ok = number(entry, "ok"),
                                          .failed = number(entry, "failed"),
                                          .steps = number(entry, "steps"),
                                          .peak = number(entry, "peak"),
                                          .bytes_in = number(entry, "bytes_in"),
                                          .bytes_out = number(entry, "bytes_out")};
    }
}

/* After the last page: what was in no list is not loaded. */
static void note_missing(const struct question *q)
{
    const struct tf_registry *registry = &q->scrape->daemon->registry;
    for (size_t i = 0; i < registry->count; i++) {
        struct tf_seat *seat = tf_lambda_seat(registry->lambdas[i], q->worker);
        if (seat != NULL && seat->seen < q->look) {
            seat->is_granted = false;
        }
    }
}

static void take_counts(const struct question *q, const json_t *document)
{
    struct tf_thread_counts *counts = &q->worker->last[q->thread];
    uint64_t accepted = number(document, "accepted");
    if (tf_supervise_is_current(q->worker) && accepted > counts->accepted) {
        q->scrape->daemon->direct += accepted - counts->accepted;
    }
    *counts = (struct tf_thread_counts){.handshakes = number(document, "handshakes"),
                                        .handshakes_failed =
                                            number(document, "handshakes_failed"),
                                        .connections = number(document, "connections"),
                                        .accepted = accepted,
                                        .entries = number(document, "entries"),
                                        .held = number(document, "held"),
                                        .evicted = number(document, "evicted"),
                                        .load_us = number(document, "load_us"),
                                        .poll_us = number(document, "poll_us")};
    const json_t *loads = json_object_get(document, "loads");
    for (size_t i = 0; i < TF_LOAD_BUCKETS; i++) {
        json_int_t value = json_integer_value(json_array_get(loads, i));
        counts->loads[i] = value < 0 ? 0 : (uint64_t)value;
    }
    if (counts->connections == 0) {
        q->worker->quiet |= 1u << q->thread;
    } else {
        q->worker->quiet &= ~(1u << q->thread);
    }
}

/* @return the place of the next page; 0: there is none. */
static uint64_t take_stats(const struct question *q, const char *json, size_t size)
{
    json_t *document = NULL;
    if (tf_json_parse(json, size, &document) != TF_OK) {
        return 0;
    }
    const json_t *entries = json_object_get(document, "lambdas");
    uint64_t next = number(document, "next");
    take_counts(q, document);
    for (size_t i = 0; i < json_array_size(entries); i++) {
        take_lambda(q, json_array_get(entries, i));
    }
    if (q->thread == 0 && next == 0) {
        note_missing(q);
    }
    json_decref(document);
    return next > q->from ? next : 0;
}

static void head(FILE *out, const char *name, const char *type, const char *help)
{
    (void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void plain(FILE *out, const char *name, const char *type, const char *help,
                  uint64_t value)
{
    head(out, name, type, help);
    (void)fprintf(out, "%s %" PRIu64 "\n", name, value);
}

static uint64_t read_count(const struct tf_counts *counts, size_t offset)
{
    uint64_t value = 0;
    memcpy(&value, (const char *)counts + offset, sizeof(value));
    return value;
}

static uint64_t lambda_sum(const struct tf_lambda *lambda, size_t offset)
{
    return read_count(&lambda->base, offset) + read_count(&lambda->last, offset);
}

/* One that nobody ever called has no series: of thousands that are deployed, few are in
 * use on a machine. */
static bool has_series(const struct tf_lambda *lambda)
{
    return lambda_sum(lambda, offsetof(struct tf_counts, ok)) != 0 ||
           lambda_sum(lambda, offsetof(struct tf_counts, failed)) != 0;
}

static void write_peaks(FILE *out, const struct tf_registry *registry)
{
    head(out, "tfaas_heap_peak_bytes", "gauge",
         "The most that one invocation's JavaScript heap had.");
    for (size_t i = 0; i < registry->count; i++) {
        const struct tf_lambda *lambda = registry->lambdas[i];
        uint64_t peak =
            lambda->base.peak > lambda->last.peak ? lambda->base.peak : lambda->last.peak;
        if (has_series(lambda)) {
            (void)fprintf(out, "tfaas_heap_peak_bytes{function=\"%s\"} %" PRIu64 "\n",
                          lambda->name, peak);
        }
    }
}

static void lambda_lines(FILE *out, const struct tf_registry *registry,
                         const struct lambda_metric *metric)
{
    for (size_t i = 0; i < registry->count; i++) {
        const struct tf_lambda *lambda = registry->lambdas[i];
        if (has_series(lambda)) {
            (void)fprintf(out, "%s{function=\"%s\"%s} %" PRIu64 "\n", metric->name,
                          lambda->name, metric->label,
                          lambda_sum(lambda, metric->offset));
        }
    }
}

static void write_lambdas(FILE *out, const struct tf_registry *registry)
{
    static const struct lambda_metric metrics[] = {
        {"tfaas_invocations_total", "Invocations by outcome.",
         offsetof(struct tf_counts, ok), ",code=\"ok\""},
        {"tfaas_invocations_total", NULL, offsetof(struct tf_counts, failed),
         ",code=\"failed\""},
        {"tfaas_steps_total", "Steps of the engine that invocations took.",
         offsetof(struct tf_counts, steps), ""},
        {"tfaas_request_bytes_total", "Bytes of request bodies.",
         offsetof(struct tf_counts, bytes_in), ""},
        {"tfaas_response_bytes_total", "Bytes of response bodies.",
         offsetof(struct tf_counts, bytes_out), ""}};
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        const struct lambda_metric *metric = &metrics[i];
        if (metric->help != NULL) {
            head(out, metric->name, "counter", metric->help);
        }
        lambda_lines(out, registry, metric);
    }
}

static struct tf_thread_counts worker_sum(const struct tf_worker *worker)
{
    struct tf_thread_counts sum = worker->base;
    for (size_t i = 0; i < TF_THREADS_MAX; i++) {
        sum.handshakes += worker->last[i].handshakes;
        sum.handshakes_failed += worker->last[i].handshakes_failed;
        sum.connections += worker->last[i].connections;
        sum.entries += worker->last[i].entries;
        sum.held += worker->last[i].held;
        sum.evicted += worker->last[i].evicted;
        sum.load_us += worker->last[i].load_us;
        sum.poll_us += worker->last[i].poll_us;
        for (size_t j = 0; j < TF_LOAD_BUCKETS; j++) {
            sum.loads[j] += worker->last[i].loads[j];
        }
    }
    return sum;
}

/* One line of a metric about a worker, with its labels. */
static void worker_line(FILE *out, const char *name, const struct tf_worker *worker,
                        const char *label, uint64_t value)
{
    (void)fprintf(out, "%s{engine=\"%s\",domain=\"%.16s\"%s} %" PRIu64 "\n", name,
                  worker->engine->name, worker->domain, label, value);
}

/* A metric in seconds about a worker. */
static void seconds_line(FILE *out, const char *name, const struct tf_worker *worker,
                         uint64_t us)
{
    (void)fprintf(out, "%s{engine=\"%s\",domain=\"%.16s\"} %.6f\n", name,
                  worker->engine->name, worker->domain, (double)us / 1e6);
}

/* A histogram, as Prometheus counts: each bucket has those before it. */
static void load_lines(FILE *out, const struct tf_worker *worker)
{
    const struct tf_thread_counts sum = worker_sum(worker);
    uint64_t seen = 0;
    char label[40];
    for (size_t i = 0; i < TF_LOAD_BUCKETS; i++) {
        bool is_last = i + 1 == TF_LOAD_BUCKETS;
        seen += sum.loads[i];
        (void)snprintf(label, sizeof(label), ",le=\"%g\"",
                       (double)TF_LOAD_BOUNDS_US[is_last ? 0 : i] / 1e6);
        worker_line(out, "tfaas_load_seconds_bucket", worker,
                    is_last ? ",le=\"+Inf\"" : label, seen);
    }
    worker_line(out, "tfaas_load_seconds_count", worker, "", seen);
    seconds_line(out, "tfaas_load_seconds_sum", worker, sum.load_us);
}

static void write_kept(FILE *out, struct tf_worker *const workers[], size_t count)
{
    head(out, "tfaas_kept_bytes", "gauge",
         "What the threads of the enclave keep of lambdas, about: they are given up for "
         "others.");
    for (size_t i = 0; i < count; i++) {
        worker_line(out, "tfaas_kept_bytes", workers[i], "", worker_sum(workers[i]).held);
    }
    head(out, "tfaas_evictions_total", "counter",
         "Times that a thread gave up what it kept of a lambda, for others.");
    for (size_t i = 0; i < count; i++) {
        worker_line(out, "tfaas_evictions_total", workers[i], "",
                    worker_sum(workers[i]).evicted);
    }
    head(out, "tfaas_load_seconds", "histogram",
         "Loads of lambdas that were not at hand: from the enclave's question for the "
         "bundle to the end of the top level.");
    for (size_t i = 0; i < count; i++) {
        load_lines(out, workers[i]);
    }
}

/* How the threads come to work. */
static void write_rounds(FILE *out, struct tf_worker *const workers[], size_t count)
{
    head(out, "tfaas_enclave_entries_total", "counter", "EENTERs.");
    for (size_t i = 0; i < count; i++) {
        worker_line(out, "tfaas_enclave_entries_total", workers[i], "",
                    worker_sum(workers[i]).entries);
    }
    head(out, "tfaas_poll_seconds_total", "counter",
         "Time that threads asked for work before they slept (--poll-us).");
    for (size_t i = 0; i < count; i++) {
        seconds_line(out, "tfaas_poll_seconds_total", workers[i],
                     worker_sum(workers[i]).poll_us);
    }
}

static void write_workers(FILE *out, const struct tf_daemon *d)
{
    struct tf_worker *workers[TF_WORKERS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < d->worker_count; i++) {
        if (tf_supervise_is_current(d->workers[i])) { /* two have the same labels */
            workers[count++] = d->workers[i];
        }
    }
    write_rounds(out, workers, count);
    head(out, "tfaas_tls_handshakes_total", "counter", "TLS handshakes in the enclave.");
    for (size_t i = 0; i < count; i++) {
        struct tf_thread_counts sum = worker_sum(workers[i]);
        worker_line(out, "tfaas_tls_handshakes_total", workers[i], ",result=\"ok\"",
                    sum.handshakes);
        worker_line(out, "tfaas_tls_handshakes_total", workers[i], ",result=\"failed\"",
                    sum.handshakes_failed);
    }
    head(out, "tfaas_connections_open", "gauge", "Connections that the enclave serves.");
    for (size_t i = 0; i < count; i++) {
        worker_line(out, "tfaas_connections_open", workers[i], "",
                    worker_sum(workers[i]).connections);
    }
    write_kept(out, workers, count);
    head(out, "tfaas_worker_starts_total", "counter", "Starts of worker processes.");
    for (size_t i = 0; i < count; i++) {
        worker_line(out, "tfaas_worker_starts_total", workers[i], "", workers[i]->starts);
    }
    head(out, "tfaas_worker_up", "gauge", "Whether the worker serves.");
    for (size_t i = 0; i < count; i++) {
        worker_line(out, "tfaas_worker_up", workers[i], "",
                    workers[i]->state == TF_WORKER_SERVING);
    }
    head(out, "tfaas_sealed_total", "counter", "Sealed blobs taken into the store.");
    for (size_t i = 0; i < count; i++) {
        worker_line(out, "tfaas_sealed_total", workers[i], "", workers[i]->sealed);
    }
}

static void answer(struct tf_daemon *d, struct tf_admin_conn *conn)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        tf_admin_fail(conn, 503, TF_ENOMEM);
        return;
    }
    head(out, "tfaas_info", "gauge",
         "The program; simulated=\"1\" is no protection at all.");
    (void)fprintf(out, "tfaas_info{version=\"%s\",simulated=\"%d\"} 1\n", TF_VERSION,
                  d->is_simulated);
    plain(out, "tfaas_connections_total", "counter", "TCP connections accepted.",
          d->connections + d->direct);
    plain(out, "tfaas_connections_direct_total", "counter",
          "Of them, accepted by the worker that serves them.", d->direct);
    plain(out, "tfaas_connections_refused_total", "counter",
          "TCP connections without a server name that is served here.", d->refused);
    plain(out, "tfaas_functions", "gauge", "Lambdas deployed.", d->registry.count);
    write_lambdas(out, &d->registry);
    write_peaks(out, &d->registry);
    write_workers(out, d);
    if (fclose(out) == 0) {
        tf_admin_reply(conn, 200, "text/plain; version=0.0.4; charset=utf-8", text, size);
    } else {
        tf_admin_fail(conn, 503, TF_ENOMEM);
    }
    free(text);
}

static void one_less(struct scrape *scrape)
{
    scrape->open_count--;
    if (scrape->open_count == 0) {
        scrape->answer(scrape->daemon, scrape->conn);
        free(scrape);
    }
}

static void send_question(struct question *q);

static void on_stats(void *user, tf_err err, const char *json, size_t size)
{
    struct question *q = user;
    uint64_t next = err == TF_OK ? take_stats(q, json, size) : 0;
    if (next != 0) {
        q->from = next;
        send_question(q);
        return;
    }
    one_less(q->scrape);
    free(q);
}

static void send_question(struct question *q)
{
    char from[24] = "";
    if (q->thread == 0) {
        (void)snprintf(from, sizeof(from), "%" PRIu64, q->from);
    }
    struct tf_call call = {.type = TF_LINK_STATS,
                           .thread = q->thread,
                           .fd = -1,
                           .text = from,
                           .timeout_ms = ANSWER_MS,
                           .done = on_stats,
                           .user = q};
    tf_supervise_call(q->worker, &call);
}

/* Asks the first `threads` threads of a worker. */
static void ask(struct scrape *scrape, struct tf_worker *worker, unsigned threads)
{
    worker->looks++;
    for (unsigned i = 0; i < worker->threads && i < threads; i++) {
        struct question *q = calloc(1, sizeof(*q));
        if (q == NULL) {
            return;
        }
        *q = (struct question){
            .scrape = scrape, .worker = worker, .thread = i, .look = worker->looks};
        scrape->open_count++;
        send_question(q);
    }
}

static struct scrape *make_scrape(struct tf_daemon *daemon)
{
    struct scrape *scrape = calloc(1, sizeof(*scrape));
    if (scrape != NULL) {
        scrape->daemon = daemon;
        scrape->open_count = 1;
    }
    return scrape;
}

/* Asks all workers, then answers. */
static void ask_all(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                    struct scrape *scrape, unsigned threads)
{
    if (scrape == NULL) {
        tf_admin_fail(conn, 503, TF_ENOMEM);
        return;
    }
    tf_admin_hold(conn, &scrape->conn);
    for (size_t i = 0; i < daemon->worker_count; i++) {
        if (daemon->workers[i]->state == TF_WORKER_SERVING) {
            ask(scrape, daemon->workers[i], threads);
        }
    }
    one_less(scrape);
}

void tf_metrics_scrape(struct tf_daemon *daemon, struct tf_admin_conn *conn)
{
    struct scrape *scrape = make_scrape(daemon);
    if (scrape != NULL) {
        scrape->answer = answer;
    }
    ask_all(daemon, conn, scrape, TF_THREADS_MAX);
}

void tf_metrics_then(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                     void (*fn)(struct tf_daemon *daemon, struct tf_admin_conn *conn))
{
    struct scrape *scrape = make_scrape(daemon);
    if (scrape != NULL) {
        scrape->answer = fn;
    }
    ask_all(daemon, conn, scrape, 1);
}

static void say_nothing(struct tf_daemon *daemon, struct tf_admin_conn *conn)
{
    (void)daemon;
    (void)conn;
}

void tf_metrics_look(struct tf_worker *worker)
{
    struct scrape *scrape = make_scrape(worker->daemon);
    if (scrape != NULL) {
        scrape->answer = say_nothing;
        ask(scrape, worker, TF_THREADS_MAX);
        one_less(scrape);
    }
}
