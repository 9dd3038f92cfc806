/* SPDX-License-Identifier: Apache-2.0 */
#include "host/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/registry.h"
#include "host/supervise.h"
#include "lib/json.h"

enum { ANSWER_MS = 1000 };

struct scrape {
    struct tf_daemon *daemon;
    struct tf_admin_conn *conn; /* NULL once the client left */
    size_t open_count;          /* questions under way, plus one while asking */
};

struct question {
    struct scrape *scrape;
    struct tf_worker *worker;
    unsigned thread;
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
    if (lambda != NULL && lambda->seat.worker == q->worker) {
        lambda->last[q->thread] =
            (struct tf_counts){.ok = number(entry, "ok"),
                               .failed = number(entry, "failed"),
                               .steps = number(entry, "steps"),
                               .bytes_in = number(entry, "bytes_in"),
                               .bytes_out = number(entry, "bytes_out")};
    }
}

static void take_stats(const struct question *q, const char *json, size_t size)
{
    json_t *document = NULL;
    if (tf_json_parse(json, size, &document) != TF_OK) {
        return;
    }
    q->worker->last[q->thread] = (struct tf_thread_counts){
        .handshakes = number(document, "handshakes"),
        .handshakes_failed = number(document, "handshakes_failed"),
        .connections = number(document, "connections"),
        .entries = number(document, "entries")};
    const json_t *lambdas = json_object_get(document, "lambdas");
    for (size_t i = 0; i < json_array_size(lambdas); i++) {
        take_lambda(q, json_array_get(lambdas, i));
    }
    json_decref(document);
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
    uint64_t sum = read_count(&lambda->base, offset);
    for (size_t i = 0; i < TF_THREADS_MAX; i++) {
        sum += read_count(&lambda->last[i], offset);
    }
    return sum;
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
        for (size_t j = 0; j < registry->count; j++) {
            const struct tf_lambda *lambda = registry->lambdas[j];
            (void)fprintf(out, "%s{function=\"%s\"%s} %" PRIu64 "\n", metric->name,
                          lambda->name, metric->label,
                          lambda_sum(lambda, metric->offset));
        }
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

static void write_workers(FILE *out, const struct tf_daemon *d)
{
    head(out, "tfaas_enclave_entries_total", "counter", "EENTERs.");
    for (size_t i = 0; i < d->worker_count; i++) {
        worker_line(out, "tfaas_enclave_entries_total", d->workers[i], "",
                    worker_sum(d->workers[i]).entries);
    }
    head(out, "tfaas_tls_handshakes_total", "counter", "TLS handshakes in the enclave.");
    for (size_t i = 0; i < d->worker_count; i++) {
        struct tf_thread_counts sum = worker_sum(d->workers[i]);
        worker_line(out, "tfaas_tls_handshakes_total", d->workers[i], ",result=\"ok\"",
                    sum.handshakes);
        worker_line(out, "tfaas_tls_handshakes_total", d->workers[i],
                    ",result=\"failed\"", sum.handshakes_failed);
    }
    head(out, "tfaas_connections_open", "gauge", "Connections that the enclave serves.");
    for (size_t i = 0; i < d->worker_count; i++) {
        worker_line(out, "tfaas_connections_open", d->workers[i], "",
                    worker_sum(d->workers[i]).connections);
    }
    head(out, "tfaas_worker_starts_total", "counter", "Starts of worker processes.");
    for (size_t i = 0; i < d->worker_count; i++) {
        worker_line(out, "tfaas_worker_starts_total", d->workers[i], "",
                    d->workers[i]->starts);
    }
    head(out, "tfaas_worker_up", "gauge", "Whether the worker serves.");
    for (size_t i = 0; i < d->worker_count; i++) {
        worker_line(out, "tfaas_worker_up", d->workers[i], "",
                    d->workers[i]->state == TF_WORKER_SERVING);
    }
    head(out, "tfaas_sealed_total", "counter", "Sealed blobs taken into the store.");
    for (size_t i = 0; i < d->worker_count; i++) {
        worker_line(out, "tfaas_sealed_total", d->workers[i], "", d->workers[i]->sealed);
    }
}

static void answer(struct scrape *scrape)
{
    const struct tf_daemon *d = scrape->daemon;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        tf_admin_fail(scrape->conn, 503, TF_ENOMEM);
        return;
    }
    head(out, "tfaas_info", "gauge",
         "The program; simulated=\"1\" is no protection at all.");
    (void)fprintf(out, "tfaas_info{version=\"%s\",simulated=\"%d\"} 1\n", TF_VERSION,
                  d->is_simulated);
    plain(out, "tfaas_connections_total", "counter", "TCP connections accepted.",
          d->connections);
    plain(out, "tfaas_connections_refused_total", "counter",
          "TCP connections without a server name that is served here.", d->refused);
    plain(out, "tfaas_functions", "gauge", "Lambdas deployed.", d->registry.count);
    write_lambdas(out, &d->registry);
    write_workers(out, d);
    if (fclose(out) == 0) {
        tf_admin_reply(scrape->conn, 200, "text/plain; version=0.0.4; charset=utf-8",
                       text, size);
    } else {
        tf_admin_fail(scrape->conn, 503, TF_ENOMEM);
    }
    free(text);
}

static void one_less(struct scrape *scrape)
{
    scrape->open_count--;
    if (scrape->open_count == 0) {
        answer(scrape);
        free(scrape);
    }
}

static void on_stats(void *user, tf_err err, const char *json, size_t size)
{
    struct question *q = user;
    if (err == TF_OK) {
        take_stats(q, json, size);
    }
    one_less(q->scrape);
    free(q);
}

static void ask(struct scrape *scrape, struct tf_worker *worker)
{
    for (unsigned i = 0; i < worker->threads; i++) {
        struct question *q = calloc(1, sizeof(*q));
        if (q == NULL) {
            return;
        }
        *q = (struct question){.scrape = scrape, .worker = worker, .thread = i};
        struct tf_call call = {.type = TF_LINK_STATS,
                               .thread = i,
                               .fd = -1,
                               .timeout_ms = ANSWER_MS,
                               .done = on_stats,
                               .user = q};
        scrape->open_count++;
        tf_supervise_call(worker, &call);
    }
}

void tf_metrics_scrape(struct tf_daemon *daemon, struct tf_admin_conn *conn)
{
    struct scrape *scrape = calloc(1, sizeof(*scrape));
    if (scrape == NULL) {
        tf_admin_fail(conn, 503, TF_ENOMEM);
        return;
    }
    scrape->daemon = daemon;
    scrape->open_count = 1;
    tf_admin_hold(conn, &scrape->conn);
    for (size_t i = 0; i < daemon->worker_count; i++) {
        if (daemon->workers[i]->state == TF_WORKER_SERVING) {
            ask(scrape, daemon->workers[i]);
        }
    }
    one_less(scrape);
}
