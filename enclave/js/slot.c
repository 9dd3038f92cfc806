/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/js/slot.h"

#include <string.h>

enum { OPEN_MAX = 1 << 20 }; /* an engine with the prelude and no lambda stays below */

void tf_slot_init(struct tf_slot *slot, void *memory, size_t size)
{
    *slot = (struct tf_slot){.memory = memory, .size = size};
}

static struct tf_arena *arena_of(const struct tf_slot *slot)
{
    return (void *)slot->memory;
}

/* The slot's memory is unmeasured: what was there at first, the host chose. */
static void zero_first(struct tf_slot *slot, size_t size)
{
    size = size < slot->size ? size : slot->size;
    if (size > slot->zeroed) {
        memset(slot->memory + slot->zeroed, 0, size - slot->zeroed);
        slot->zeroed = size;
    }
}

static void note_dirty(struct tf_slot *slot)
{
    size_t used = tf_arena_used(arena_of(slot));
    slot->dirty = used > slot->dirty ? used : slot->dirty;
}

/* Zeroes from `kept` on what was used. */
static void wipe(struct tf_slot *slot, size_t kept)
{
    if (slot->dirty > kept) {
        memset(slot->memory + kept, 0, slot->dirty - kept);
    }
    slot->dirty = kept;
}

tf_err tf_slot_load(struct tf_slot *slot, struct tf_arena *heap,
                    const struct tf_js_program *program, size_t memory,
                    const struct tf_js_limits *limits, struct tf_snapshot *out)
{
    struct tf_snapshot made = {0};
    struct tf_arena *arena;

    *out = made;
    slot->in = NULL;
    slot->is_clean = false;
    wipe(slot, 0);
    zero_first(slot, memory > OPEN_MAX ? memory : OPEN_MAX);
    arena = tf_arena_init(slot->memory, slot->size);
    if (arena == NULL) {
        return TF_ENOMEM;
    }
    made.js = tf_js_open(arena);
    note_dirty(slot);
    if (made.js == NULL) {
        return TF_ENOMEM;
    }
    /* The cap holds for the lambda's code; the engine is not built to start without room.
     */
    tf_arena_cap(arena, memory);
    made.err = tf_js_load(made.js, program, limits, &made.report);
    note_dirty(slot);
    if (made.err != TF_OK) {
        made.js = NULL;
        wipe(slot, 0);
        *out = made;
        return TF_OK;
    }
    made.size = tf_arena_used(arena);
    *out = made;
    return tf_slot_keep(slot, heap, out);
}

tf_err tf_slot_keep(struct tf_slot *slot, struct tf_arena *heap, struct tf_snapshot *out)
{
    out->bytes = tf_arena_alloc(heap, out->size);
    if (out->bytes == NULL) {
        return TF_ENOMEM;
    }
    memcpy(out->bytes, slot->memory, out->size);
    slot->in = out;
    slot->is_clean = true;
    return TF_OK;
}

static void restore(struct tf_slot *slot, const struct tf_snapshot *snapshot)
{
    memcpy(slot->memory, snapshot->bytes, snapshot->size);
    if (slot->dirty < snapshot->size) {
        slot->dirty = snapshot->size;
    }
    wipe(slot, snapshot->size);
    slot->in = snapshot;
}

tf_err tf_slot_call(struct tf_slot *slot, struct tf_snapshot *snapshot,
                    const struct tf_js_request *request,
                    const struct tf_js_limits *limits, struct tf_js_response *response,
                    struct tf_js_report *report)
{
    tf_err err;

    if (snapshot->err != TF_OK) {
        *report = snapshot->report;
        report->steps = 0;
        return snapshot->err;
    }
    if (slot->in != snapshot || (!slot->is_clean && !snapshot->is_reused)) {
        restore(slot, snapshot);
    }
    slot->is_clean = false;
    err = tf_js_call(snapshot->js, request, limits, response, report);
    note_dirty(slot);
    if (err != TF_OK) {
        slot->in = NULL; /* whatever state it is in, it is not used again */
    }
    return err;
}

void tf_slot_drop(struct tf_slot *slot, struct tf_arena *heap,
                  struct tf_snapshot *snapshot)
{
    if (slot->in == snapshot) {
        slot->in = NULL;
    }
    tf_arena_free(heap, snapshot->bytes);
    *snapshot = (struct tf_snapshot){0};
}
