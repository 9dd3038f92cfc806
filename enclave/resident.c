/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/resident.h"

#include <stdlib.h>
#include <string.h>

#include "enclave/lease.h"
#include "enclave/thread.h"
#include "enclave/tls.h"

/* Of the thread's stack, for what is below a call. */
static const size_t stack_reserve = (size_t)64 << 10;

bool tf_grant_is_valid(const struct tf_grant *grant, uint64_t now)
{
    return grant->not_before <= now && now < grant->not_after && now < grant->leaf_end;
}

bool tf_resident_is_granted(const struct tf_thread *thread,
                            const struct tf_resident *resident)
{
    const struct tf_grant *grant = resident->grant;

    return grant != NULL && tf_grant_is_valid(grant, tf_anchor_now(thread)) &&
           (!grant->is_leased || tf_lease_until(thread, resident) != 0);
}

static void unload(struct tf_thread *thread, struct tf_resident *resident)
{
    if (resident->is_loaded) {
        if (resident->snapshot.bytes != NULL) {
            tf_arena_wipe(thread->heap, resident->snapshot.bytes); /* it has secrets */
        }
        tf_slot_drop(&thread->slot, thread->heap, &resident->snapshot);
        resident->snapshot = (struct tf_snapshot){0};
        resident->is_loaded = false;
    }
}

static void forget_bundle(struct tf_thread *thread, struct tf_resident *resident)
{
    unload(thread, resident);
    if (resident->bundle != NULL) {
        tf_bundle_wipe(resident->bundle);
        free(resident->bundle);
        resident->bundle = NULL;
    }
    free(resident->files);
    free(resident->vars);
    resident->files = NULL;
    resident->vars = NULL;
    if (resident->secrets != NULL) {
        tf_wipe(resident->secrets, sizeof(*resident->secrets));
        free(resident->secrets);
        resident->secrets = NULL;
    }
}

static bool is_same_name(const struct tf_lambda *a, const struct tf_lambda *b)
{
    return a != NULL && b != NULL && strcmp(a->name, b->name) == 0;
}

/* Whether the lambda would see other variables under the other grant. */
static bool has_other_secrets(const struct tf_grant *a, const struct tf_grant *b)
{
    static const struct tf_secrets none;

    return !tf_secrets_are_equal(a == NULL ? &none : &a->secrets,
                                 b == NULL ? &none : &b->secrets);
}

/* Takes what the table has now; `next` holds references, and gets those that it replaces.
 */
static void adopt(struct tf_thread *thread, struct tf_resident *resident,
                  struct tf_entry *next)
{
    if (resident->lambda != next->lambda) {
        forget_bundle(thread, resident);
        if (!is_same_name(resident->lambda, next->lambda)) {
            resident->stats = (struct tf_lambda_stats){0};
        }
    }
    if (resident->grant != next->grant) {
        if (has_other_secrets(resident->grant, next->grant)) {
            forget_bundle(thread, resident);
        }
        tf_tls_context_close(resident->context);
        resident->context = NULL;
    }
    struct tf_entry old = {.lambda = resident->lambda, .grant = resident->grant};
    resident->lambda = next->lambda;
    resident->grant = next->grant;
    resident->leased_until = next->leased_until;
    resident->lease = next->lease;
    *next = old;
}

void tf_view_sync(struct tf_thread *thread)
{
    struct tf_instance *instance = thread->instance;
    struct tf_view *view = &thread->view;

    if (tf_instance_epoch(instance) == view->epoch) {
        return;
    }
    struct tf_entry next[TF_LAMBDAS_MAX];
    tf_lock_take(&instance->lock);
    view->epoch = instance->epoch;
    view->anchor = instance->anchor;
    memcpy(next, instance->entries, sizeof(next));
    for (size_t i = 0; i < TF_LAMBDAS_MAX; i++) {
        if (next[i].lambda != NULL) {
            next[i].lambda->refs++;
        }
        if (next[i].grant != NULL) {
            next[i].grant->refs++;
        }
    }
    tf_lock_give(&instance->lock);
    for (size_t i = 0; i < TF_LAMBDAS_MAX; i++) {
        adopt(thread, &view->residents[i], &next[i]);
    }
    tf_lock_take(&instance->lock);
    for (size_t i = 0; i < TF_LAMBDAS_MAX; i++) {
        tf_lambda_release(next[i].lambda);
        tf_grant_release(next[i].grant);
    }
    tf_lock_give(&instance->lock);
}

struct tf_resident *tf_view_lambda(struct tf_thread *thread, const char *name)
{
    for (size_t i = 0; i < TF_LAMBDAS_MAX; i++) {
        struct tf_resident *resident = &thread->view.residents[i];
        if (resident->lambda != NULL && strcmp(resident->lambda->name, name) == 0) {
            return resident;
        }
    }
    return NULL;
}

struct tf_resident *tf_view_grant(struct tf_thread *thread, const char *name)
{
    for (size_t i = 0; i < TF_LAMBDAS_MAX; i++) {
        struct tf_resident *resident = &thread->view.residents[i];
        if (resident->grant != NULL && tf_names_have(&resident->grant->names, name)) {
            return tf_resident_is_granted(thread, resident) ? resident : NULL;
        }
    }
    return NULL;
}

bool tf_resident_drop_oldest(struct tf_thread *thread, const struct tf_resident *except)
{
    struct tf_resident *oldest = NULL;

    for (size_t i = 0; i < TF_LAMBDAS_MAX; i++) {
        struct tf_resident *resident = &thread->view.residents[i];
        /* A remembered failure holds no memory. */
        if (resident != except && resident->is_loaded &&
            resident->snapshot.bytes != NULL &&
            (oldest == NULL || resident->used < oldest->used)) {
            oldest = resident;
        }
    }
    if (oldest == NULL) {
        return false;
    }
    unload(thread, oldest);
    return true;
}

/* A copy, for the grant may be replaced by one with the same secrets. */
static tf_err copy_secrets(struct tf_resident *resident)
{
    const struct tf_grant *grant = resident->grant;

    if (grant == NULL || grant->secrets.count == 0) {
        return TF_OK;
    }
    resident->secrets = malloc(sizeof(*resident->secrets));
    if (resident->secrets == NULL) {
        return TF_ENOMEM;
    }
    *resident->secrets = grant->secrets;
    return TF_OK;
}

static void put_var(struct tf_resident *resident, size_t *count, const char *name,
                    const char *value)
{
    size_t at = 0;

    while (at < *count && strcmp(resident->vars[at].name, name) != 0) {
        at++;
    }
    resident->vars[at] = (struct tf_js_var){name, value};
    *count += at == *count;
}

/* The manifest's variables, and the grant's over them. @return TF_OK or TF_ENOMEM. */
static tf_err describe_vars(struct tf_resident *resident, size_t *count)
{
    const struct tf_manifest *manifest = &resident->bundle->manifest;
    struct tf_secret one = {0};

    tf_err err = copy_secrets(resident);
    size_t secret_count = resident->secrets == NULL ? 0 : resident->secrets->count;
    resident->vars =
        calloc(manifest->env_count + secret_count + 1, sizeof(*resident->vars));
    if (err != TF_OK || resident->vars == NULL) {
        return TF_ENOMEM;
    }
    *count = 0;
    for (size_t i = 0; i < manifest->env_count; i++) {
        put_var(resident, count, manifest->env[i].name, manifest->env[i].value);
    }
    for (size_t i = 0; i < secret_count; i++) {
        one = tf_secrets_next(resident->secrets, one);
        put_var(resident, count, one.name, one.value);
    }
    return TF_OK;
}

/* The program in the engine's terms; points into the bundle and the secrets. */
static tf_err describe(struct tf_resident *resident)
{
    const struct tf_bundle *bundle = resident->bundle;
    const struct tf_manifest *manifest = &bundle->manifest;
    size_t env_count = 0;

    resident->files = calloc(manifest->file_count, sizeof(*resident->files));
    if (resident->files == NULL || describe_vars(resident, &env_count) != TF_OK) {
        return TF_ENOMEM;
    }
    for (size_t i = 0; i < manifest->file_count; i++) {
        resident->files[i] =
            (struct tf_js_file){manifest->files[i].path, bundle->contents[i],
                                (size_t)manifest->files[i].size};
    }
    resident->program = (struct tf_js_program){.files = resident->files,
                                               .file_count = manifest->file_count,
                                               .entry = manifest->entry,
                                               .is_module = manifest->is_module,
                                               .env = resident->vars,
                                               .env_count = env_count,
                                               .name = manifest->name};
    return TF_OK;
}

tf_err tf_resident_open(struct tf_thread *thread, struct tf_resident *resident)
{
    if (resident->bundle != NULL) {
        return TF_OK;
    }
    uint8_t *scratch = malloc(TF_BUNDLE_SCRATCH);
    struct tf_bundle *bundle = calloc(1, sizeof(*bundle));
    tf_err err = TF_ENOMEM;

    if (scratch != NULL && bundle != NULL) {
        /* It was checked when it came in; what failed now would be memory. */
        err = tf_bundle_check(resident->lambda->bytes, resident->lambda->size,
                              &thread->instance->domain, tf_js_engine(), scratch, bundle);
        err = err == TF_OK || err == TF_ENOMEM ? err : TF_EINTERNAL;
    }
    free(scratch);
    if (err != TF_OK) {
        free(bundle);
        return err;
    }
    resident->bundle = bundle;
    err = describe(resident);
    if (err != TF_OK) {
        forget_bundle(thread, resident);
    }
    return err;
}

struct tf_js_limits tf_resident_limits(const struct tf_thread *thread,
                                       const struct tf_resident *resident)
{
    const struct tf_manifest *manifest = &resident->bundle->manifest;
    size_t stack = thread->page->stack_size > 2 * stack_reserve
                       ? (size_t)thread->page->stack_size - stack_reserve
                       : stack_reserve;

    return (struct tf_js_limits){.steps = manifest->steps,
                                 .body = (size_t)manifest->body,
                                 .stack = stack,
                                 .memory = (size_t)manifest->memory};
}

/* Runs the top level once, then drops what was used longest ago until the snapshot fits.
 * One that would take most of the heap never does: that is remembered like any failure of
 * the lambda, and costs the others nothing. */
static tf_err load(struct tf_thread *thread, struct tf_resident *resident)
{
    struct tf_js_limits limits = tf_resident_limits(thread, resident);
    size_t memory = (size_t)resident->bundle->manifest.memory;
    struct tf_snapshot *snapshot = &resident->snapshot;

    tf_err err = tf_slot_load(&thread->slot, thread->heap, &resident->program, memory,
                              &limits, snapshot);
    if (err == TF_ENOMEM && snapshot->size > thread->page->heap_size / 4 * 3) {
        *snapshot = (struct tf_snapshot){.err = TF_EMEMORY};
        return TF_OK;
    }
    while (err == TF_ENOMEM && snapshot->size != 0 &&
           tf_resident_drop_oldest(thread, resident)) {
        err = tf_slot_keep(&thread->slot, thread->heap, snapshot);
    }
    return err;
}

tf_err tf_resident_load(struct tf_thread *thread, struct tf_resident *resident)
{
    resident->used = ++thread->view.uses;
    if (resident->is_loaded) {
        return resident->snapshot.err;
    }
    tf_err err = tf_resident_open(thread, resident);
    if (err != TF_OK) {
        return err;
    }
    err = load(thread, resident);
    if (err != TF_OK) {
        return err;
    }
    resident->snapshot.is_reused = resident->bundle->manifest.is_reused;
    resident->is_loaded = true;
    return resident->snapshot.err;
}
