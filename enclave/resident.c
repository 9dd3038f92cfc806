/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/resident.h"

#include <stdlib.h>
#include <string.h>

#include "enclave/lease.h"
#include "enclave/sched.h"
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

    return grant != NULL &&
           tf_grant_is_valid(grant, tf_anchor_now(thread, grant->member)) &&
           (!grant->is_leased || tf_lease_until(thread, resident) != 0);
}

void tf_view_init(struct tf_view *view)
{
    for (unsigned i = 0; i < TF_LAMBDAS_MAX; i++) {
        view->residents[i] = &view->pool[i];
        view->pool[i].home = i;
    }
}

static void drop(struct tf_thread *thread, struct tf_resident *resident, size_t slot)
{
    tf_slot_drop(&thread->lanes[slot].slot, thread->heap, &resident->snapshots[slot]);
    resident->is_loaded[slot] = false;
}

static void forget_bundle(struct tf_thread *thread, struct tf_resident *resident)
{
    for (size_t i = 0; i < thread->lane_count; i++) {
        drop(thread, resident, i);
    }
    resident->failure = TF_OK;
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

static bool is_same_lambda(const struct tf_lambda *a, const struct tf_lambda *b)
{
    return a != NULL && b != NULL && a->member == b->member &&
           strcmp(a->name, b->name) == 0;
}

/* Whether the lambda would see other variables under the other grant. */
static bool has_other_secrets(const struct tf_grant *a, const struct tf_grant *b)
{
    static const struct tf_secrets none;

    return !tf_secrets_are_equal(a == NULL ? &none : &a->secrets,
                                 b == NULL ? &none : &b->secrets);
}

/* One that nothing uses. There is one for each entry of the table and each invocation. */
static struct tf_resident *find_unused(struct tf_view *view)
{
    bool is_used[TF_LAMBDAS_MAX + TF_SLOTS_MAX] = {false};
    size_t at = 0;

    for (size_t i = 0; i < TF_LAMBDAS_MAX; i++) {
        is_used[view->residents[i] - view->pool] = true;
    }
    while (is_used[at] || view->pool[at].is_retired) {
        at++;
    }
    return &view->pool[at];
}

/* Makes place for another lambda, version or secrets at this index. Invocations that have
 * begun end with what they began with; those that have not are given out anew. */
static struct tf_resident *succeed(struct tf_thread *thread, size_t at)
{
    struct tf_resident *old = thread->view.residents[at];

    tf_sched_reassign(thread, &old->queue);
    if (old->runs == 0) {
        forget_bundle(thread, old);
        return old;
    }
    struct tf_resident *resident = find_unused(&thread->view);
    *resident = (struct tf_resident){.home = old->home,
                                     .context = old->context,
                                     .stats = old->stats,
                                     .used_up = old->used_up};
    old->context = NULL;
    old->is_retired = true;
    thread->view.residents[at] = resident;
    return resident;
}

/* Takes what the table has now; `next` holds references, and gets those that it replaces.
 */
static void adopt(struct tf_thread *thread, size_t at, struct tf_entry *next)
{
    struct tf_resident *resident = thread->view.residents[at];
    bool is_same = is_same_lambda(resident->lambda, next->lambda);

    if (resident->grant != next->grant) {
        tf_tls_context_close(resident->context);
        resident->context = NULL;
    }
    if (resident->lambda != next->lambda ||
        has_other_secrets(resident->grant, next->grant)) {
        resident = succeed(thread, at);
    }
    if (!is_same) {
        resident->stats = (struct tf_lambda_stats){0};
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
    memcpy(view->anchors, instance->anchors, sizeof(view->anchors));
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
        adopt(thread, i, &next[i]);
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
        struct tf_resident *resident = thread->view.residents[i];
        if (resident->lambda != NULL && strcmp(resident->lambda->name, name) == 0) {
            return resident;
        }
    }
    return NULL;
}

struct tf_resident *tf_view_grant(struct tf_thread *thread, const char *name)
{
    for (size_t i = 0; i < TF_LAMBDAS_MAX; i++) {
        struct tf_resident *resident = thread->view.residents[i];
        if (resident->grant != NULL && tf_names_have(&resident->grant->names, name)) {
            return tf_resident_is_granted(thread, resident) ? resident : NULL;
        }
    }
    return NULL;
}

/* Drops the snapshot that was used longest ago, unless its slot runs it.
 * @return whether there was one. */
static bool drop_oldest(struct tf_thread *thread)
{
    struct tf_resident *oldest = NULL;
    size_t slot = 0;

    for (size_t i = 0; i < TF_LAMBDAS_MAX * thread->lane_count; i++) {
        struct tf_resident *resident = thread->view.residents[i / thread->lane_count];
        size_t at = i % thread->lane_count;
        if (resident->snapshots[at].bytes != NULL &&
            thread->lanes[at].resident != resident &&
            (oldest == NULL || resident->used[at] < oldest->used[slot])) {
            oldest = resident;
            slot = at;
        }
    }
    if (oldest == NULL) {
        return false;
    }
    drop(thread, oldest, slot);
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
static tf_err load(struct tf_thread *thread, struct tf_resident *resident, size_t at,
                   const struct tf_js_limits *limits)
{
    size_t memory = (size_t)resident->bundle->manifest.memory;
    struct tf_slot *slot = &thread->lanes[at].slot;
    struct tf_snapshot *snapshot = &resident->snapshots[at];

    tf_err err =
        tf_slot_load(slot, thread->heap, &resident->program, memory, limits, snapshot);
    if (err == TF_ENOMEM && snapshot->size > thread->page->heap_size / 4 * 3) {
        snapshot->err = TF_EMEMORY;
        return TF_OK;
    }
    while (err == TF_ENOMEM && snapshot->size != 0 && drop_oldest(thread)) {
        err = tf_slot_keep(slot, thread->heap, snapshot);
    }
    return err;
}

tf_err tf_resident_load(struct tf_thread *thread, struct tf_resident *resident,
                        size_t slot, const struct tf_js_limits *limits)
{
    struct tf_snapshot *snapshot = &resident->snapshots[slot];

    resident->used[slot] = ++thread->view.uses;
    if (resident->failure != TF_OK || resident->is_loaded[slot]) {
        return resident->failure;
    }
    tf_err err = load(thread, resident, slot, limits);
    if (err != TF_OK) {
        return err;
    }
    resident->failure = snapshot->err;
    resident->is_loaded[slot] = snapshot->err == TF_OK;
    snapshot->is_reused = resident->bundle->manifest.is_reused;
    return resident->failure;
}

void tf_resident_enter(struct tf_resident *resident)
{
    resident->runs++;
}

void tf_resident_leave(struct tf_thread *thread, struct tf_resident *resident)
{
    struct tf_instance *instance = thread->instance;

    if (--resident->runs != 0 || !resident->is_retired) {
        return;
    }
    forget_bundle(thread, resident);
    tf_lock_take(&instance->lock);
    tf_lambda_release(resident->lambda);
    tf_grant_release(resident->grant);
    tf_lock_give(&instance->lock);
    *resident = (struct tf_resident){0};
}

struct tf_lambda_stats *tf_resident_stats(struct tf_thread *thread,
                                          struct tf_resident *resident)
{
    struct tf_resident *next =
        resident->is_retired ? tf_view_lambda(thread, resident->lambda->name) : NULL;

    return next != NULL ? &next->stats : &resident->stats;
}
