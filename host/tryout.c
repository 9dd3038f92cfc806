/* SPDX-License-Identifier: Apache-2.0 */
#include "host/tryout.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/log.h"
#include "host/registry.h"
#include "host/supervise.h"
#include "host/verdict.h"
#include "lib/bytes.h"

enum {
    BUNDLE_MS = 60 * 1000, /* as for a deployment */
    DROP_MS = 10 * 1000,
    ANSWER_BASE = 256,
    ESCAPED = 6 /* bytes of JSON that a byte of text may become */
};

/* A lambda that does not load; in the order in which that was found. */
struct tf_failure {
    char name[TF_NAME_MAX + 1];
    uint64_t version;
    tf_err err;
    char text[TF_VERDICT_MAX];
    struct tf_failure *next;
};

/* --- what was found ------------------------------------------------------------------
 */

static void note(struct tf_lambda *lambda, tf_err err, const char *text)
{
    struct tf_daemon *daemon = lambda->next.worker->daemon;
    struct tf_failure **at = &daemon->failures;
    struct tf_failure *failure = calloc(1, sizeof(*failure));

    lambda->next.is_failing = true;
    tf_log("roll-not-loaded", "lambda=%s version=%" PRIu64 " error=%s", lambda->name,
           lambda->version, tf_err_name(err));
    if (failure == NULL) {
        return; /* the log has it */
    }
    memcpy(failure->name, lambda->name, sizeof(failure->name));
    failure->version = lambda->version;
    failure->err = err;
    (void)snprintf(failure->text, sizeof(failure->text), "%s", text);
    tf_plain(failure->text); /* the worker may be taken over */
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = failure;
}

const char *tf_tryout_why(const struct tf_daemon *daemon)
{
    return daemon->failures == NULL ? NULL : tf_err_name(daemon->failures->err);
}

void tf_tryout_write(const struct tf_daemon *daemon, struct tf_json_writer *w)
{
    tf_json_open_array(w, "failing");
    for (const struct tf_failure *f = daemon->failures; f != NULL; f = f->next) {
        tf_json_open_object(w, NULL);
        tf_json_put_string(w, "name", f->name);
        tf_json_put_integer(w, "version", f->version);
        tf_json_put_string(w, "error", tf_err_name(f->err));
        tf_json_put_string(w, "text", f->text);
        tf_json_close_object(w);
    }
    tf_json_close_array(w);
}

size_t tf_tryout_size(const struct tf_daemon *daemon)
{
    size_t size = ANSWER_BASE;

    for (const struct tf_failure *f = daemon->failures; f != NULL; f = f->next) {
        size += ANSWER_BASE + ESCAPED * strlen(f->text);
    }
    return size;
}

void tf_tryout_wipe(struct tf_daemon *daemon)
{
    while (daemon->failures != NULL) {
        struct tf_failure *next = daemon->failures->next;
        free(daemon->failures);
        daemon->failures = next;
    }
}

/* --- trying --------------------------------------------------------------------------
 */

static struct tf_lambda *next_untried(const struct tf_worker *heir)
{
    const struct tf_registry *registry = &heir->daemon->registry;

    for (size_t i = 0; i < registry->count; i++) {
        struct tf_lambda *lambda = registry->lambdas[i];
        if (lambda->next.worker == heir && !lambda->next.is_tried) {
            return lambda;
        }
    }
    return NULL;
}

bool tf_tryout_is_over(const struct tf_worker *heir)
{
    return heir->trying[0] == '\0' && next_untried(heir) == NULL;
}

/* An answer in words; without JSON it is none of the enclave's (struct tf_call). */
static void read_answer(const struct tf_lambda *lambda, tf_err err, const char *json,
                        size_t size, struct tf_verdict *out)
{
    if (size != 0) {
        tf_verdict_read(lambda->next.worker->engine, lambda, err, json, size, out);
        return;
    }
    out->is_of_code = true;
    (void)snprintf(out->text, sizeof(out->text), "%s",
                   err == TF_AGAIN ? "the enclave did not answer while it ran it"
                                   : "the enclave ended while it ran it");
}

static void on_dropped(void *user, tf_err err, const char *json, size_t size)
{
    (void)user;
    (void)err;
    (void)json;
    (void)size;
}

/* The lambda was removed while it was tried: it may have come back by that. */
static void drop(struct tf_worker *heir, const char *name)
{
    const struct tf_call call = {.type = TF_LINK_DROP,
                                 .fd = -1,
                                 .text = name,
                                 .timeout_ms = DROP_MS,
                                 .done = on_dropped};
    tf_supervise_call(heir, &call);
}

/* The lambda under way has this answer. @return false: it is to be asked again later. */
static bool settle(struct tf_worker *heir, tf_err err, const char *json, size_t size)
{
    struct tf_lambda *lambda = tf_registry_find(&heir->daemon->registry, heir->trying);
    struct tf_verdict verdict;
    char name[TF_NAME_MAX + 1];

    memcpy(name, heir->trying, sizeof(name));
    heir->trying[0] = '\0';
    if (lambda == NULL || lambda->next.worker != heir) {
        drop(heir, name);
        return true;
    }
    read_answer(lambda, err, json, size, &verdict);
    if (err == TF_EBUSY && !verdict.is_of_code) {
        return false; /* there was no place for it */
    }
    lambda->next.is_tried = true;
    if (err != TF_OK && err != TF_EREVOKED) { /* that is refused where it is now, too */
        note(lambda, err == TF_AGAIN ? TF_EBUSY : err, verdict.text);
    }
    return true;
}

static void on_verdict(void *user, tf_err err, const char *json, size_t size)
{
    struct tf_worker *heir = user;

    if (heir->elder == NULL || heir->daemon->is_stopping) {
        heir->trying[0] = '\0'; /* it was given up */
    } else if (settle(heir, err, json, size)) {
        tf_tryout_continue(heir);
    }
}

void tf_tryout_continue(struct tf_worker *heir)
{
    struct tf_lambda *lambda = next_untried(heir);
    struct tf_call call = {.type = TF_LINK_BUNDLE,
                           .fd = -1,
                           .timeout_ms = BUNDLE_MS,
                           .done = on_verdict,
                           .user = heir};

    if (lambda == NULL || heir->trying[0] != '\0' || heir->state != TF_WORKER_SERVING) {
        return;
    }
    memcpy(heir->trying, lambda->name, sizeof(heir->trying));
    tf_err err =
        tf_store_get(&heir->daemon->store, lambda->name, TF_STORE_BUNDLE, &call.fd);
    if (err == TF_OK) {
        tf_supervise_call(heir, &call);
    } else {
        (void)settle(heir, err, "{}", strlen("{}"));
    }
}
