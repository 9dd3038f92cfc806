/* SPDX-License-Identifier: Apache-2.0 */
#include "host/admin.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/deploy.h"
#include "host/lists.h"
#include "host/metrics.h"
#include "host/registry.h"
#include "host/roll.h"
#include "host/sim_root.h"
#include "host/supervise.h"
#include "lib/bytes.h"
#include "lib/crypto.h"
#include "lib/descriptor.h"
#include "lib/err_text.h"
#include "lib/json.h"
#include "lib/version.h"

enum {
    LIST_BASE = 4096,
    LIST_PER_LAMBDA = 4096,
    ROOT_MAX = 4 * TF_SPKI_MAX,
    ROLL_MAX = 16 << 10
};

static const char media_type[] = "application/json";

void tf_admin_refuse(struct tf_admin_conn *conn, int status, const char *error,
                     const char *text, const char *hint)
{
    char body[1024];
    struct tf_json_writer w;

    tf_json_writer_init(&w, body, sizeof(body));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "error", error);
    tf_json_put_string(&w, "text", text);
    tf_json_put_string(&w, "hint", hint);
    tf_json_close_object(&w);
    size_t size = 0;
    if (tf_json_take(&w, &size) != TF_OK) {
        size = 0; /* not ours: ours fit */
    }
    tf_admin_reply(conn, status, media_type, body, size);
}

void tf_admin_fail(struct tf_admin_conn *conn, int status, tf_err err)
{
    tf_admin_refuse(conn, status, tf_err_name(err), tf_err_text(err), tf_err_hint(err));
}

/* The value of `key` in a query of plain words. @return false: absent, empty, too long.
 */
static bool query_value(const char *query, const char *key, char *out, size_t cap)
{
    size_t key_size = strlen(key);
    const char *at = query;
    while (strncmp(at, key, key_size) != 0 || at[key_size] != '=') {
        at = strchr(at, '&');
        if (at == NULL) {
            return false;
        }
        at++;
    }
    const char *value = at + key_size + 1;
    size_t size = strcspn(value, "&");
    if (size == 0 || size >= cap) {
        return false;
    }
    memcpy(out, value, size);
    out[size] = '\0';
    return true;
}

/* The end of the path, if it starts with `prefix`. */
static const char *after(const struct tf_admin_request *request, const char *prefix)
{
    size_t size = strlen(prefix);
    return strncmp(request->path, prefix, size) == 0 ? request->path + size : NULL;
}

/* HEX of /v1/domains/HEX/revocations. */
static bool is_lists(const struct tf_admin_request *request,
                     char hex[static TF_STORE_HEX + 1])
{
    const char *rest = after(request, "/v1/domains/");
    if (rest == NULL || strlen(rest) <= TF_STORE_HEX ||
        strcmp(rest + TF_STORE_HEX, "/revocations") != 0) {
        return false;
    }
    memcpy(hex, rest, TF_STORE_HEX);
    hex[TF_STORE_HEX] = '\0';
    return tf_store_hex_is_valid(hex);
}

static bool is_roll(const struct tf_admin_request *request, const char *method)
{
    return strcmp(request->method, method) == 0 && strcmp(request->path, "/v1/roll") == 0;
}

static void post_lambda(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                        struct tf_admin_request *request)
{
    char engine[TF_ENGINE_NAME_MAX];
    char domain[TF_STORE_HEX + 1];
    if (!query_value(request->query, "engine", engine, sizeof(engine)) ||
        !query_value(request->query, "domain", domain, sizeof(domain)) ||
        !tf_store_hex_is_valid(domain)) {
        tf_admin_refuse(conn, 400, tf_err_name(TF_EUSAGE),
                        "engine or domain is missing or bad",
                        "POST /v1/lambdas?engine=NAME&domain=SHA256");
        return;
    }
    bool is_known = false;
    for (size_t i = 0; i < daemon->options.engine_count; i++) {
        is_known = is_known || strcmp(daemon->options.engines[i].name, engine) == 0;
    }
    if (!is_known) {
        tf_admin_refuse(conn, 404, tf_err_name(TF_ENOTFOUND),
                        "this tfaasd has no such engine",
                        "list them with `tfaas info`; tfaasd --image adds one");
        return;
    }
    if (!tf_store_has_domain(&daemon->store, domain)) {
        tf_admin_refuse(conn, 404, tf_err_name(TF_ENOTFOUND),
                        "no such trust domain is stored",
                        "PUT /v1/domains/SHA256 with the descriptor first");
        return;
    }
    if (request->size == 0) {
        tf_admin_fail(conn, 422, TF_EBUNDLE_TAR);
        return;
    }
    size_t size = request->size;
    tf_deploy_bundle(daemon, conn, engine, domain, tf_admin_take_body(request), size);
}

static void put_domain(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                       struct tf_admin_request *request, const char *hex)
{
    struct tf_descriptor descriptor;
    char actual[2 * TF_SHA256_SIZE + 1];
    tf_err err =
        tf_descriptor_parse((const char *)request->body, request->size, &descriptor);
    if (err != TF_OK) {
        tf_admin_fail(conn, 400, err);
        return;
    }
    tf_hex_write(descriptor.sha256, sizeof(descriptor.sha256), actual);
    if (strcmp(actual, hex) != 0) {
        tf_admin_fail(conn, 400, TF_EDOMAIN_MISMATCH);
        return;
    }
    err = tf_store_put_domain(&daemon->store, hex, request->body, request->size);
    if (err != TF_OK) {
        tf_admin_fail(conn, 500, err);
        return;
    }
    char text[128];
    int size = snprintf(text, sizeof(text), "{\"domain\":\"%s\"}", hex);
    tf_admin_reply(conn, 200, media_type, text, (size_t)size);
}

void tf_admin_reply_json(struct tf_admin_conn *conn, struct tf_json_writer *w,
                         const char *text)
{
    size_t size = 0;
    tf_json_close_object(w);
    if (tf_json_take(w, &size) == TF_OK) {
        tf_admin_reply(conn, 200, media_type, text, size);
    } else {
        tf_admin_fail(conn, 500, TF_ELIMIT);
    }
}

/* Replies with what `write` puts into a buffer of `cap` bytes. */
static void reply_with(struct tf_daemon *daemon, struct tf_admin_conn *conn, size_t cap,
                       void (*write_json)(struct tf_json_writer *w,
                                          struct tf_daemon *daemon))
{
    char *text = malloc(cap);
    struct tf_json_writer w;
    if (text == NULL) {
        tf_admin_fail(conn, 503, TF_ENOMEM);
        return;
    }
    tf_json_writer_init(&w, text, cap);
    tf_json_open_object(&w, NULL);
    write_json(&w, daemon);
    tf_admin_reply_json(conn, &w, text);
    free(text);
}

static void write_lambdas(struct tf_json_writer *w, struct tf_daemon *daemon)
{
    tf_json_open_array(w, "lambdas");
    for (size_t i = 0; i < daemon->registry.count; i++) {
        const struct tf_lambda *lambda = daemon->registry.lambdas[i];
        tf_json_open_object(w, NULL);
        tf_json_put_string(w, "name", lambda->name);
        tf_json_put_integer(w, "version", lambda->version);
        tf_json_put_string(w, "digest", lambda->digest);
        tf_json_put_string(w, "engine", lambda->engine);
        tf_json_put_string(w, "domain", lambda->domain);
        tf_json_open_array(w, "domains");
        for (size_t j = 0; j < lambda->dns_count; j++) {
            tf_json_put_string(w, NULL, lambda->dns[j]);
        }
        tf_json_close_array(w);
        tf_json_put_boolean(w, "granted", lambda->seat.is_granted);
        tf_json_put_integer(w, "size", lambda->size);
        tf_json_close_object(w);
    }
    tf_json_close_array(w);
    tf_json_put_boolean(w, "simulated", daemon->is_simulated);
}

static void list_lambdas(struct tf_daemon *daemon, struct tf_admin_conn *conn)
{
    reply_with(daemon, conn, LIST_BASE + LIST_PER_LAMBDA * daemon->registry.count,
               write_lambdas);
}

static void write_workers(struct tf_json_writer *w, struct tf_daemon *daemon)
{
    tf_json_open_array(w, "workers");
    for (size_t i = 0; i < daemon->worker_count; i++) {
        const struct tf_worker *worker = daemon->workers[i];
        bool is_up = worker->state != TF_WORKER_STOPPED;
        if (worker->is_retired && !is_up) {
            continue;
        }
        tf_json_open_object(w, NULL);
        tf_json_put_string(w, "engine", worker->engine->name);
        tf_json_put_string(w, "domain", worker->domain);
        tf_json_put_integer(w, "pid", worker->process.fd < 0 ? 0 : (uint64_t)worker->pid);
        tf_json_put_integer(w, "starts", worker->starts);
        tf_json_put_string(w, "state",
                           worker->is_retired ? "retired"
                                              : tf_worker_state_name(worker->state));
        tf_json_put_hex(w, "mrenclave", worker->engine->mrenclave,
                        sizeof(worker->engine->mrenclave));
        tf_json_close_object(w);
    }
    tf_json_close_array(w);
}

/* Base64 of the simulator's public root, made on first use; "" if that fails,
 * or if there is no simulator. */
static void read_sim_root(const struct tf_daemon *daemon, char out[static ROOT_MAX])
{
    char directory[PATH_MAX];
    uint8_t spki[TF_SPKI_MAX];
    size_t size = 0;

    out[0] = '\0';
    if (daemon->options.is_sgx || daemon->options.is_guest) {
        return;
    }
    (void)snprintf(directory, sizeof(directory), "%s/sim", daemon->options.state);
    if (tf_sim_root(directory, spki, &size) == TF_OK) {
        tf_base64_write(spki, size, out);
    }
}

static void write_info(struct tf_json_writer *w, struct tf_daemon *daemon)
{
    char root[ROOT_MAX];
    read_sim_root(daemon, root);
    tf_json_put_string(w, "version", TF_VERSION);
    tf_json_put_boolean(w, "simulated", daemon->is_simulated);
    tf_json_put_string(w, "listen", daemon->address);
    tf_json_put_string(w, "sim_root", root);
    tf_json_open_object(w, "engines");
    for (size_t i = 0; i < daemon->options.engine_count; i++) {
        const struct tf_engine *engine = &daemon->options.engines[i];
        tf_json_open_object(w, engine->name);
        tf_json_put_hex(w, "mrenclave", engine->mrenclave, sizeof(engine->mrenclave));
        tf_json_put_boolean(w, "native", engine->is_native);
        tf_json_put_hex(w, "mrsigner", engine->mrsigner, sizeof(engine->mrsigner));
        tf_json_close_object(w);
    }
    tf_json_close_object(w);
}

size_t tf_admin_body_max(const struct tf_admin_request *request)
{
    if (strcmp(request->method, "POST") == 0 &&
        strcmp(request->path, "/v1/lambdas") == 0) {
        return TF_BUNDLE_MAX;
    }
    if (is_roll(request, "POST")) {
        return ROLL_MAX;
    }
    char hex[TF_STORE_HEX + 1];
    if (strcmp(request->method, "PUT") == 0 && after(request, "/v1/domains/") != NULL) {
        return is_lists(request, hex) ? TF_REVOCATIONS_ENVELOPE_MAX : TF_DESCRIPTOR_MAX;
    }
    return 0;
}

static void dispatch_get(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                         const struct tf_admin_request *request)
{
    char hex[TF_STORE_HEX + 1];
    if (strcmp(request->path, "/v1/lambdas") == 0) {
        tf_metrics_then(daemon, conn, list_lambdas);
    } else if (strcmp(request->path, "/v1/info") == 0) {
        reply_with(daemon, conn, LIST_BASE, write_info);
    } else if (strcmp(request->path, "/v1/workers") == 0) {
        reply_with(daemon, conn, LIST_BASE + 512 * daemon->worker_count, write_workers);
    } else if (is_roll(request, "GET")) {
        tf_roll_status(daemon, conn);
    } else if (is_lists(request, hex)) {
        tf_lists_get(daemon, conn, hex);
    } else if (strcmp(request->path, "/metrics") == 0) {
        tf_metrics_scrape(daemon, conn);
    } else {
        tf_admin_fail(conn, 404, TF_ENOTFOUND);
    }
}

void tf_admin_dispatch(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                       struct tf_admin_request *request)
{
    char hex[TF_STORE_HEX + 1];
    const char *rest = NULL;
    if (strcmp(request->method, "GET") == 0) {
        dispatch_get(daemon, conn, request);
    } else if (tf_admin_body_max(request) == TF_BUNDLE_MAX) {
        post_lambda(daemon, conn, request);
    } else if (is_roll(request, "POST")) {
        tf_roll_begin(daemon, conn, request);
    } else if (is_roll(request, "DELETE")) {
        tf_roll_abort(daemon, conn);
    } else if (strcmp(request->method, "PUT") == 0 && is_lists(request, hex)) {
        tf_lists_put(daemon, conn, hex, request);
    } else if (strcmp(request->method, "PUT") == 0 &&
               (rest = after(request, "/v1/domains/")) != NULL) {
        put_domain(daemon, conn, request, rest);
    } else if (strcmp(request->method, "DELETE") == 0 &&
               (rest = after(request, "/v1/lambdas/")) != NULL &&
               tf_store_name_is_valid(rest)) {
        tf_deploy_remove(daemon, conn, rest);
    } else {
        tf_admin_fail(conn, 404, TF_ENOTFOUND);
    }
}
