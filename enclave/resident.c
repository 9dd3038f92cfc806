/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/resident.h"

#include <stdlib.h>
#include <string.h>

#include "enclave/lambda.h"
#include "enclave/lease.h"
#include "enclave/sched.h"
#include "enclave/shelf.h"
#include "enclave/thread.h"
#include "enclave/tls.h"
#include "enclave/want.h"

/* What a context and a parsed bundle take of the heap, about. */
enum { CONTEXT_SIZE = 8 << 10, BUNDLE_SIZE = 8 << 10 };

enum { PLACE_SIZE = sizeof(struct tf_resident *) }; /* in a view */

/* Of a slot's stack, for what is below a call. */
static const size_t stack_reserve = (size_t)64 << 10;

bool tf_grant_is_valid(const struct tf_grant *grant, uint64_t now)
{
    return grant->not_before <= now && now < grant->not_after && now < grant->leaf_end;
}

bool tf_tenure_is_granted(const struct tf_thread *thread, const struct tf_tenure *tenure)
{
    const struct tf_grant *grant = tenure->grant;

    return grant != NULL &&
           tf_grant_is_valid(grant, tf_anchor_now(thread, grant->member)) &&
           (!grant->is_leased || tf_lease_until(thread, tenure) != 0);
}

/* --- what a resident holds ------------------------------------------------------- */

static void hold(struct tf_thread *thread, struct tf_resident *resident, size_t size)
{
    resident->held += size;
    thread->view.held += size;
}

static void let_go(struct tf_thread *thread, struct tf_resident *resident, size_t size)
{
    resident->held -= size;
    thread->view.held -= size;
}

static void drop(struct tf_thread *thread, struct tf_resident *resident, size_t slot)
{
    let_go(thread, resident, tf_slot_held(&resident->snapshots[slot]));
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
        let_go(thread, resident, BUNDLE_SIZE + resident->now.lambda->size);
        tf_bundle_wipe(resident->bundle);
        free(resident->bundle);
        resident->bundle = NULL;
        tf_lock_take(&thread->instance->lock);
        tf_shelf_give(&thread->instance->shelf, resident->now.lambda, resident->is_guess);
        tf_lock_give(&thread->instance->lock);
    }
    tf_program_wipe(&resident->program);
}

static void forget_context(struct tf_thread *thread, struct tf_resident *resident)
{
    if (resident->context != NULL) {
        let_go(thread, resident, CONTEXT_SIZE);
        tf_tls_context_close(resident->context);
        resident->context = NULL;
    }
}

struct WOLFSSL_CTX *tf_resident_context(struct tf_thread *thread,
                                        struct tf_resident *resident)
{
    if (resident->context == NULL &&
        tf_tls_context_open(resident->now.grant, &resident->context) == TF_OK) {
        hold(thread, resident, CONTEXT_SIZE);
    }
    return resident->context;
}

/* --- by use ---------------------------------------------------------------------- */

/* Takes it out of the view. */
static void take_out(struct tf_view *view, struct tf_resident *resident)
{
    tf_list_remove(&view->uses, &resident->use);
    view->places[resident->entry->index] = NULL;
}

static void destroy(struct tf_thread *thread, struct tf_resident *resident)
{
    forget_bundle(thread, resident);
    forget_context(thread, resident);
    thread->view.guess_count -= resident->is_guess;
    tf_instance_leave(thread->instance, &resident->now);
    let_go(thread, resident, sizeof(*resident));
    free(resident);
}

static bool is_needed(const struct tf_resident *resident)
{
    return resident->runs != 0 || resident->queue.count != 0 || resident->is_wanted;
}

/* Drops the resident that was used longest ago of those that nothing needs.
 * @return whether there was one. */
static bool drop_oldest(struct tf_thread *thread, const struct tf_resident *keep)
{
    struct tf_resident *oldest = tf_list_first(&thread->view.uses);

    while (oldest != NULL && (oldest == keep || is_needed(oldest))) {
        oldest = tf_list_next(&oldest->use);
    }
    if (oldest == NULL) {
        return false;
    }
    take_out(&thread->view, oldest);
    destroy(thread, oldest);
    thread->view.evicted++;
    return true;
}

/* Drops the oldest guess but `keep`, if there are too many. */
static void limit_guesses(struct tf_thread *thread, const struct tf_resident *keep)
{
    struct tf_resident *oldest = tf_list_first(&thread->view.uses);

    if (thread->view.guess_count <= TF_GUESSES_MAX) {
        return;
    }
    while (oldest != NULL && (oldest == keep || !oldest->is_guess || is_needed(oldest))) {
        oldest = tf_list_next(&oldest->use);
    }
    if (oldest != NULL) {
        take_out(&thread->view, oldest);
        destroy(thread, oldest);
    }
}

/* A slot whose snapshot of the lambda no lane runs; TF_SLOTS_MAX: there is none. */
static size_t idle_slot(const struct tf_thread *thread, const struct tf_resident *at)
{
    for (size_t i = 0; i < thread->lane_count; i++) {
        if (at->snapshots[i].bytes != NULL && thread->lanes[i].resident != at) {
            return i;
        }
    }
    return TF_SLOTS_MAX;
}

/* Drops one such snapshot, of a lambda that others do need.
 * @return whether there was one. */
static bool drop_idle(struct tf_thread *thread)
{
    for (struct tf_resident *at = tf_list_first(&thread->view.uses); at != NULL;
         at = tf_list_next(&at->use)) {
        size_t slot = idle_slot(thread, at);
        if (slot != TF_SLOTS_MAX) {
            drop(thread, at, slot);
            return true;
        }
    }
    return false;
}

void tf_view_trim(struct tf_thread *thread, const struct tf_resident *keep)
{
    while (thread->view.held > thread->view.budget && drop_oldest(thread, keep)) {
    }
}

/* --- the view -------------------------------------------------------------------- */

/* Whether the lambda would see other variables under the other grant. */
static bool has_other_secrets(const struct tf_grant *a, const struct tf_grant *b)
{
    static const struct tf_secrets none;

    return !tf_secrets_are_equal(a == NULL ? &none : &a->secrets,
                                 b == NULL ? &none : &b->secrets);
}

/* Has the resident leave the view: at once, or with the last of its invocations, which
 * end with what they began with; those that have not begun are given out anew. */
static void retire(struct tf_thread *thread, struct tf_resident *resident)
{
    tf_sched_reassign(thread, &resident->queue);
    take_out(&thread->view, resident);
    forget_context(thread, resident);
    if (resident->runs == 0) {
        destroy(thread, resident);
        tf_lanes_wipe(thread);
    } else {
        resident->is_retired = true;
    }
}

/* Takes what the entry has now. */
static void refresh(struct tf_thread *thread, struct tf_resident *resident)
{
    struct tf_tenure next = tf_instance_read(thread->instance, resident->entry);
    struct tf_tenure old = resident->now;

    if (next.lambda != old.lambda || has_other_secrets(next.grant, old.grant)) {
        tf_instance_leave(thread->instance, &next);
        retire(thread, resident);
        return;
    }
    if (next.grant != old.grant) {
        forget_context(thread, resident);
    }
    resident->now = next;
    tf_instance_leave(thread->instance, &old);
}

void tf_view_sync(struct tf_thread *thread)
{
    struct tf_instance *instance = thread->instance;
    struct tf_view *view = &thread->view;
    struct tf_resident *stale = NULL;

    if (tf_instance_epoch(instance) == view->epoch) {
        return;
    }
    tf_lock_take(&instance->lock);
    for (const struct tf_entry *entry = tf_list_first(&instance->changes);
         entry != NULL && entry->changed > view->epoch;
         entry = tf_list_next(&entry->change)) {
        struct tf_resident *resident = tf_view_have(thread, entry);
        if (resident != NULL) {
            resident->next = stale;
            stale = resident;
        }
    }
    view->epoch = instance->epoch;
    memcpy(view->anchors, instance->anchors, sizeof(view->anchors));
    tf_lock_give(&instance->lock);
    while (stale != NULL) {
        struct tf_resident *resident = stale;
        stale = resident->next;
        refresh(thread, resident);
    }
}

/* Has room for an entry's resident. */
static bool make_room(struct tf_view *view, size_t index)
{
    if (index < view->cap) {
        return true;
    }
    size_t cap = (index + 64) / 64 * 64 + view->cap / 2;
    struct tf_resident **grown = realloc(view->places, cap * PLACE_SIZE);
    if (grown == NULL) {
        return false;
    }
    memset(grown + view->cap, 0, (cap - view->cap) * PLACE_SIZE);
    view->places = grown;
    view->cap = cap;
    return true;
}

static struct tf_resident *make(struct tf_thread *thread, struct tf_entry *entry)
{
    struct tf_resident *resident =
        make_room(&thread->view, entry->index) ? calloc(1, sizeof(*resident)) : NULL;

    if (resident == NULL) {
        return NULL;
    }
    resident->entry = entry;
    resident->queue.resident = resident;
    resident->now = tf_instance_read(thread->instance, entry);
    if (resident->now.lambda == NULL) {
        free(resident);
        return NULL;
    }
    hold(thread, resident, sizeof(*resident));
    resident->is_guess = true;
    thread->view.guess_count++;
    thread->view.places[entry->index] = resident;
    tf_list_add_last(&thread->view.uses, &resident->use, resident);
    limit_guesses(thread, resident);
    return resident;
}

struct tf_resident *tf_resident_beside(struct tf_thread *thread, struct tf_lambda *lambda,
                                       uint8_t *bytes, size_t size)
{
    struct tf_instance *instance = thread->instance;
    struct tf_resident *resident = calloc(1, sizeof(*resident));

    if (resident == NULL) {
        return NULL;
    }
    resident->entry = lambda->entry;
    resident->is_retired = true;
    resident->now = tf_instance_read(instance, lambda->entry);
    tf_lock_take(&instance->lock);
    tf_lambda_release(resident->now.lambda);
    lambda->refs++;
    resident->now.lambda = lambda;
    tf_shelf_put(&instance->shelf, lambda, bytes, size);
    (void)tf_shelf_take(&instance->shelf, lambda);
    tf_lock_give(&instance->lock);
    hold(thread, resident, sizeof(*resident));
    return resident;
}

struct tf_resident *tf_view_have(const struct tf_thread *thread,
                                 const struct tf_entry *entry)
{
    return entry->index < thread->view.cap ? thread->view.places[entry->index] : NULL;
}

struct tf_resident *tf_view_entry(struct tf_thread *thread, struct tf_entry *entry)
{
    struct tf_view *view = &thread->view;
    struct tf_resident *resident = tf_view_have(thread, entry);

    if (resident == NULL) {
        return make(thread, entry);
    }
    if (resident->use.next != NULL) {
        tf_list_remove(&view->uses, &resident->use);
        tf_list_add_last(&view->uses, &resident->use, resident);
    }
    return resident;
}

struct tf_resident *tf_view_grant(struct tf_thread *thread, const char *name)
{
    struct tf_instance *instance = thread->instance;

    tf_lock_take(&instance->lock);
    struct tf_entry *entry = tf_instance_served(instance, name);
    tf_lock_give(&instance->lock);
    struct tf_resident *resident = entry == NULL ? NULL : tf_view_entry(thread, entry);
    return resident != NULL && tf_tenure_is_granted(thread, &resident->now) ? resident
                                                                            : NULL;
}

/* --- its program ----------------------------------------------------------------- */

tf_err tf_resident_adopt(struct tf_thread *thread, struct tf_resident *resident,
                         struct tf_bundle *bundle)
{
    const struct tf_grant *grant = resident->now.grant;

    resident->bundle = bundle;
    hold(thread, resident, BUNDLE_SIZE + resident->now.lambda->size);
    tf_err err = tf_program_make(bundle, grant == NULL ? NULL : &grant->secrets,
                                 &resident->program);
    if (err != TF_OK) {
        forget_bundle(thread, resident);
    }
    return err;
}

static bool take_bytes(struct tf_thread *thread, struct tf_resident *resident)
{
    struct tf_instance *instance = thread->instance;

    tf_lock_take(&instance->lock);
    bool is_there = tf_shelf_take(&instance->shelf, resident->now.lambda);
    tf_lock_give(&instance->lock);
    return is_there;
}

tf_err tf_resident_open(struct tf_thread *thread, struct tf_resident *resident)
{
    struct tf_instance *instance = thread->instance;

    if (resident->bundle != NULL) {
        return TF_OK;
    }
    if (!take_bytes(thread, resident)) {
        return TF_AGAIN;
    }
    const struct tf_lambda *lambda = resident->now.lambda;
    struct tf_bundle *bundle = NULL;
    tf_err err = tf_lambda_open(lambda, lambda->bytes, lambda->size, &bundle);
    if (err == TF_OK) {
        return tf_resident_adopt(thread, resident, bundle);
    }
    tf_lock_take(&instance->lock);
    tf_shelf_give(&instance->shelf, resident->now.lambda, false);
    tf_lock_give(&instance->lock);
    /* It was checked when it came in: what fails now is memory. */
    return err == TF_ENOMEM ? err : TF_EINTERNAL;
}

static bool is_at_hand(struct tf_thread *thread, const struct tf_resident *resident)
{
    tf_lock_take(&thread->instance->lock);
    bool is_there = resident->now.lambda->bytes != NULL;
    tf_lock_give(&thread->instance->lock);
    return is_there;
}

void tf_resident_guess(struct tf_thread *thread, struct tf_resident *resident)
{
    if (resident->bundle != NULL || resident->failure != TF_OK ||
        thread->view.guess_count > TF_GUESSES_MAX) {
        return;
    }
    if (is_at_hand(thread, resident)) {
        (void)tf_sched_warm(thread, resident);
    } else {
        (void)!tf_want_ask(thread, resident, TF_GUESSES_MAX); /* a request asks again */
    }
}

void tf_resident_use(struct tf_thread *thread, struct tf_resident *resident)
{
    thread->view.guess_count -= resident->is_guess;
    resident->is_guess = false;
}

struct tf_js_limits tf_resident_limits(const struct tf_thread *thread,
                                       const struct tf_resident *resident)
{
    const struct tf_lambda *lambda = resident->now.lambda;
    size_t stack = thread->page->slot_stack > 2 * stack_reserve
                       ? (size_t)thread->page->slot_stack - stack_reserve
                       : stack_reserve;

    return (struct tf_js_limits){.steps = lambda->steps,
                                 .body = (size_t)lambda->body,
                                 .stack = stack,
                                 .memory = (size_t)lambda->memory};
}

/* Runs the top level once, then drops what was used longest ago until the snapshot fits.
 * One that would take most of the heap never does: that is remembered like any failure of
 * the lambda, and costs the others nothing. */
static tf_err load(struct tf_thread *thread, struct tf_resident *resident, size_t at,
                   const struct tf_js_limits *limits)
{
    size_t memory = (size_t)resident->now.lambda->memory;
    struct tf_slot *slot = &thread->lanes[at].slot;
    struct tf_snapshot *snapshot = &resident->snapshots[at];

    tf_err err =
        tf_slot_load(slot, thread->heap, &resident->program.js, memory, limits, snapshot);
    if (err == TF_ENOMEM && snapshot->size > thread->page->heap_size / 4 * 3) {
        snapshot->err = TF_EMEMORY;
        return TF_OK;
    }
    while (err == TF_ENOMEM && snapshot->size != 0 &&
           (drop_oldest(thread, resident) || drop_idle(thread))) {
        err = tf_slot_keep(slot, thread->heap, snapshot);
    }
    return err;
}

tf_err tf_resident_load(struct tf_thread *thread, struct tf_resident *resident,
                        size_t slot, const struct tf_js_limits *limits)
{
    struct tf_snapshot *snapshot = &resident->snapshots[slot];

    if (resident->failure != TF_OK || resident->is_loaded[slot]) {
        return resident->failure;
    }
    tf_err err = load(thread, resident, slot, limits);
    if (err != TF_OK) {
        return err;
    }
    hold(thread, resident, tf_slot_held(snapshot));
    resident->failure = snapshot->err;
    resident->is_loaded[slot] = snapshot->err == TF_OK;
    snapshot->is_reused = resident->now.lambda->is_reused;
    tf_view_trim(thread, resident);
    return resident->failure;
}

bool tf_resident_is_settled(const struct tf_resident *resident)
{
    bool is_loaded = false;

    for (size_t i = 0; i < TF_SLOTS_MAX; i++) {
        is_loaded |= resident->is_loaded[i];
    }
    return is_loaded || resident->failure != TF_OK;
}

void tf_resident_enter(struct tf_resident *resident)
{
    resident->runs++;
}

void tf_resident_leave(struct tf_thread *thread, struct tf_resident *resident)
{
    if (--resident->runs == 0 && resident->is_retired) {
        destroy(thread, resident);
        tf_lanes_wipe(thread);
    }
}
