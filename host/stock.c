/* SPDX-License-Identifier: Apache-2.0 */
#include "host/stock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/lists.h"
#include "host/log.h"
#include "host/registry.h"
#include "host/store.h"
#include "host/supervise.h"
#include "lib/bytes.h"

enum { LOAD_MS = 60 * 1000 };

static void load_next(struct tf_worker *worker);

static struct tf_seat *seat_of(const struct tf_worker *worker, const char *name)
{
    struct tf_lambda *lambda = tf_registry_find(&worker->daemon->registry, name);
    return lambda == NULL ? NULL : tf_lambda_seat(lambda, worker);
}

void tf_stock_keep_sealed(struct tf_worker *worker, const uint8_t *body, size_t size)
{
    uint32_t name_size = 0;
    char name[TF_NAME_MAX + 1] = {0};
    struct tf_seat *seat = NULL;
    if (size >= 2 * sizeof(name_size)) {
        memcpy(&name_size, body, sizeof(name_size));
        body += 2 * sizeof(name_size);
        size -= 2 * sizeof(name_size);
        if (name_size <= TF_NAME_MAX && name_size <= size) {
            memcpy(name, body, name_size);
            seat = seat_of(worker, name);
        }
    }
    if (seat == NULL || size - name_size > TF_SEALED_MAX) {
        tf_log("sealed-refused", "pid=%d", (int)worker->pid);
        return;
    }
    enum tf_store_file file = worker->elder != NULL ? TF_STORE_NEXT : TF_STORE_GRANT;
    tf_err err = tf_store_put(&worker->daemon->store, name, file, body + name_size,
                              size - name_size);
    tf_log(err == TF_OK ? "sealed-kept" : "sealed-lost", "lambda=%s error=%s", name,
           tf_err_name(err));
    seat->is_granted = true;
    worker->sealed++;
}

/* --- bundles and grants ---------------------------------------------------------- */

static struct tf_lambda *next_unloaded(const struct tf_worker *worker)
{
    const struct tf_registry *registry = &worker->daemon->registry;
    for (size_t i = 0; i < registry->count; i++) {
        const struct tf_seat *seat = tf_lambda_seat(registry->lambdas[i], worker);
        if (seat != NULL && !seat->is_offered) {
            return registry->lambdas[i];
        }
    }
    return NULL;
}

static void offer_grant(struct tf_worker *worker, enum tf_store_file file);

static void note_granted(struct tf_worker *worker)
{
    struct tf_seat *seat = seat_of(worker, worker->offered);
    if (seat != NULL) {
        seat->is_granted = true;
    }
}

/* The second one was kept while the enclave was rolled, and tfaasd ended before that did.
 */
static void on_offered_next(void *user, tf_err err, const char *json, size_t size)
{
    struct tf_worker *worker = user;
    (void)json;
    (void)size;
    if (err == TF_OK) {
        note_granted(worker);
        if (worker->elder == NULL &&
            tf_store_promote(&worker->daemon->store, worker->offered) != TF_OK) {
            tf_log("sealed-lost", "lambda=%s", worker->offered);
        }
    } else {
        tf_log("grant-not-restored", "lambda=%s error=%s", worker->offered,
               tf_err_name(err));
    }
    load_next(worker);
}

static void on_offered_grant(void *user, tf_err err, const char *json, size_t size)
{
    struct tf_worker *worker = user;
    (void)json;
    (void)size;
    if (err == TF_OK) {
        note_granted(worker);
        load_next(worker);
        return;
    }
    tf_log("grant-not-restored", "lambda=%s error=%s", worker->offered, tf_err_name(err));
    offer_grant(worker, TF_STORE_NEXT);
}

static void on_offered_bundle(void *user, tf_err err, const char *json, size_t size)
{
    struct tf_worker *worker = user;
    (void)json;
    (void)size;
    if (err == TF_OK) {
        offer_grant(worker, TF_STORE_GRANT);
        return;
    }
    tf_log("bundle-not-restored", "lambda=%s error=%s", worker->offered,
           tf_err_name(err));
    load_next(worker);
}

/* Sends a stored file of the lambda `offered`, which may be removed meanwhile. */
static tf_err offer_file(struct tf_worker *worker, enum tf_store_file file,
                         struct tf_call call)
{
    call.fd = -1;
    call.timeout_ms = LOAD_MS;
    call.user = worker;
    tf_err err = tf_store_get(&worker->daemon->store, worker->offered, file, &call.fd);
    if (err == TF_OK) {
        tf_supervise_call(worker, &call);
    } else if (file == TF_STORE_BUNDLE || err != TF_ENOTFOUND) {
        tf_log("store-unreadable", "lambda=%s error=%s", worker->offered,
               tf_err_name(err));
    }
    return err;
}

/* Its envelope: the enclave asks for the rest when it needs it. */
static void offer_bundle(struct tf_worker *worker, const struct tf_lambda *lambda)
{
    char size[24];
    (void)snprintf(size, sizeof(size), "%" PRIu64, lambda->envelope_size);
    const struct tf_call call = {
        .type = TF_LINK_INTRODUCE, .text = size, .done = on_offered_bundle};
    if (offer_file(worker, TF_STORE_BUNDLE, call) != TF_OK) {
        load_next(worker);
    }
}

static void offer_grant(struct tf_worker *worker, enum tf_store_file file)
{
    struct tf_call call = {.type = TF_LINK_GRANT, .done = on_offered_grant};
    if (file == TF_STORE_GRANT && offer_file(worker, file, call) == TF_OK) {
        return;
    }
    call.done = on_offered_next;
    if (offer_file(worker, TF_STORE_NEXT, call) != TF_OK) {
        load_next(worker);
    }
}

/* --- bundles that are wanted ----------------------------------------------------- */

static void on_brought(void *user, tf_err err, const char *json, size_t size)
{
    struct tf_worker *worker = user;
    (void)json;
    (void)size;
    worker->wants--;
    if (err != TF_OK && tf_log_may(&worker->log_limit, worker->daemon->loop.now)) {
        tf_log("bundle-not-loaded", "engine=%s error=%s", worker->engine->name,
               tf_err_name(err));
    }
}

static void note_missing(struct tf_worker *worker, const char *digest, tf_err err)
{
    if (tf_log_may(&worker->log_limit, worker->daemon->loop.now)) {
        tf_log("bundle-not-found", "digest=%s error=%s", digest, tf_err_name(err));
    }
}

/* An enclave waits for so many and no more; a worker that lies would have the files stay
 * open until tfaasd has no descriptors left. */
void tf_stock_bring(struct tf_worker *worker, unsigned thread, uint64_t id,
                    const uint8_t *body, size_t size)
{
    struct tf_call call = {.type = TF_LINK_WANTED,
                           .id = id,
                           .thread = thread,
                           .fd = -1,
                           .timeout_ms = LOAD_MS,
                           .done = on_brought,
                           .user = worker};
    char digest[TF_STORE_HEX + 1] = "";
    if (worker->wants == worker->threads * TF_WANTS_MAX) {
        note_missing(worker, digest, TF_EBUSY);
        return;
    }
    worker->wants++;
    if (size == TF_STORE_HEX / 2 && id != 0) {
        tf_hex_write(body, size, digest);
    }
    struct tf_lambda *lambda = tf_registry_digest(&worker->daemon->registry, digest);
    tf_err err = lambda == NULL || tf_lambda_seat(lambda, worker) == NULL
                     ? TF_ENOTFOUND
                     : tf_store_get(&worker->daemon->store, lambda->name, TF_STORE_BUNDLE,
                                    &call.fd);
    if (err != TF_OK) {
        note_missing(worker, digest, err);
    }
    tf_supervise_call(worker, &call);
}

/* --- revocation lists ------------------------------------------------------------ */

static void on_offered_list(void *user, tf_err err, const char *json, size_t size)
{
    struct tf_worker *worker = user;
    (void)json;
    (void)size;
    if (err != TF_OK) {
        tf_log("revocations-not-restored", "signer=%s error=%s",
               worker->lists[worker->list_count], tf_err_name(err));
    }
    load_next(worker);
}

/* Sends the next list that is stored. @return whether there was one. */
static bool offer_list(struct tf_worker *worker)
{
    struct tf_call call = {.type = TF_LINK_REVOCATIONS,
                           .fd = -1,
                           .timeout_ms = LOAD_MS,
                           .done = on_offered_list,
                           .user = worker};
    while (worker->list_count > 0) {
        worker->list_count--;
        const char *signer = worker->lists[worker->list_count];
        tf_err err =
            tf_store_get_list(&worker->daemon->store, worker->domain, signer, &call.fd);
        if (err == TF_OK) {
            tf_supervise_call(worker, &call);
            return true;
        }
        if (err != TF_ENOTFOUND) {
            tf_log("store-unreadable", "signer=%s error=%s", signer, tf_err_name(err));
        }
    }
    return false;
}

/* Whose lists may be stored. The last publisher's goes first: who may revoke a key speaks
 * after it, and does not keep it from repeating what it said before. */
static void find_signers(struct tf_worker *worker)
{
    struct tf_descriptor domain;
    worker->list_count = 0;
    tf_err err = tf_lists_domain(worker->daemon, worker->domain, &domain);
    if (err != TF_OK) {
        tf_log("store-unreadable", "domain=%s error=%s", worker->domain,
               tf_err_name(err));
        return;
    }
    for (size_t i = 0; i < domain.publisher_count; i++) {
        memcpy(worker->lists[i], domain.publishers[i].keyid, sizeof(worker->lists[0]));
    }
    worker->list_count = domain.publisher_count;
}

/* Sends what is next; with nothing left, the worker serves. */
static void load_next(struct tf_worker *worker)
{
    if (worker->state != TF_WORKER_LOADING || offer_list(worker)) {
        return; /* it died meanwhile, or the answer comes later */
    }
    struct tf_lambda *lambda = next_unloaded(worker);
    if (lambda == NULL) {
        tf_supervise_serve(worker);
        return;
    }
    tf_lambda_seat(lambda, worker)->is_offered = true;
    memcpy(worker->offered, lambda->name, sizeof(worker->offered));
    offer_bundle(worker, lambda);
}

void tf_stock_begin(struct tf_worker *worker)
{
    find_signers(worker);
    load_next(worker);
}
