/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot.c - enclave/js/slot.h for an engine whose instances stay where they are
 * (enclave/js/isolate.h): a resident lambda is an instance of its own, and the slot's
 * memory is scratch. What a snapshot does for the others, a new context does here.
 */
#include "enclave/js/slot.h"

#include "enclave/js/isolate.h"
#include "enclave/native/slot.h"

/* What an isolate with a context takes of the process, about (enclave/js/v8.cc). */
enum { ISOLATE_SIZE = 1 << 20, ISOLATES_SIZE = 64 * ISOLATE_SIZE };

/* The instance that this thread called last, if the next call needs it fresh. */
static __thread struct {
    struct tf_js *js;
    struct tf_js_limits limits;
} stale;

bool tf_slot_is_stale(void)
{
    return stale.js != NULL;
}

void tf_slot_freshen(void)
{
    struct tf_js_report report;

    (void)!tf_js_renew(stale.js, &stale.limits, &report);
    stale.js = NULL;
}

void tf_slot_init(struct tf_slot *slot, void *memory, size_t size, tf_fresh_fn fresh)
{
    *slot = (struct tf_slot){.memory = memory, .size = size, .fresh = fresh};
}

static struct tf_arena *scratch_of(struct tf_slot *slot)
{
    if (slot->zeroed == 0) {
        slot->zeroed = slot->size; /* mapped as zeros */
        return tf_arena_init(slot->memory, slot->size);
    }
    return (void *)slot->memory;
}

tf_err tf_slot_load(struct tf_slot *slot, struct tf_arena *heap,
                    const struct tf_js_program *program, size_t memory,
                    const struct tf_js_limits *limits, struct tf_snapshot *out)
{
    struct tf_js_limits with_memory = *limits;
    struct tf_snapshot made = {0};
    struct tf_arena *scratch = scratch_of(slot);

    (void)heap;
    *out = made;
    made.js = scratch == NULL ? NULL : tf_js_open(scratch, NULL);
    if (made.js == NULL) {
        return TF_ENOMEM;
    }
    with_memory.memory = memory;
    made.err = tf_js_load(made.js, program, &with_memory, &made.report);
    if (made.err != TF_OK) {
        tf_js_close(made.js);
        made.js = NULL;
        *out = made;
        return TF_OK;
    }
    *out = made;
    return TF_OK;
}

/* Nothing is copied, so nothing can fail for lack of room. */
tf_err tf_slot_keep(struct tf_slot *slot, struct tf_arena *heap, struct tf_snapshot *out)
{
    (void)slot;
    (void)heap;
    (void)out;
    return TF_OK;
}

tf_err tf_slot_call(struct tf_slot *slot, struct tf_snapshot *snapshot,
                    const struct tf_js_request *request,
                    const struct tf_js_limits *limits, struct tf_js_response *response,
                    struct tf_js_report *report)
{
    tf_err err = snapshot->err;

    (void)slot;
    if (err != TF_OK) {
        *report = snapshot->report;
        report->steps = 0;
        report->peak = 0;
        return err;
    }
    enum tf_js_state state = tf_js_state(snapshot->js);
    if (state == TF_JS_SPENT || (state == TF_JS_USED && !snapshot->is_reused)) {
        err = tf_js_renew(snapshot->js, limits, report);
    }
    if (err == TF_OK) {
        tf_js_tidy(snapshot->js);
        err = tf_js_call(snapshot->js, request, limits, response, report);
        stale.js = snapshot->is_reused ? NULL : snapshot->js;
        stale.limits = *limits;
    }
    return err;
}

/* No load or call stops in the middle here, so there is nothing to give up. */
void tf_slot_abandon(struct tf_slot *slot)
{
    (void)slot;
}

/* Isolates are not in that heap. */
uint64_t tf_slot_room(uint64_t heap_size)
{
    (void)heap_size;
    return ISOLATES_SIZE;
}

/* An isolate is one lambda's and goes with it. */
void tf_slot_wipe(struct tf_slot *slot)
{
    (void)slot;
}

size_t tf_slot_held(const struct tf_snapshot *snapshot)
{
    return snapshot->js == NULL ? 0 : ISOLATE_SIZE;
}

void tf_slot_drop(struct tf_slot *slot, struct tf_arena *heap,
                  struct tf_snapshot *snapshot)
{
    (void)slot;
    (void)heap;
    if (stale.js == snapshot->js) {
        stale.js = NULL;
    }
    tf_js_close(snapshot->js);
    *snapshot = (struct tf_snapshot){0};
}
