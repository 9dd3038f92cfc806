/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/js/slot.h"

#include <string.h>

enum {
    OPEN_MAX = 1 << 20, /* an engine with the prelude and no lambda stays below */
    CHUNK = 1 << 20     /* bytes copied or zeroed before others get their turn */
};

void tf_slot_init(struct tf_slot *slot, void *memory, size_t size)
{
    *slot = (struct tf_slot){.memory = memory, .size = size};
}

static struct tf_arena *arena_of(const struct tf_slot *slot)
{
    return (void *)slot->memory;
}

/* How much of `left` bytes is done next. */
static size_t chunk_of(size_t left)
{
    return left < CHUNK ? left : CHUNK;
}

/* Before the next chunk. The call may end here for good, so between two chunks the slot
 * says the truth about itself. */
static void pause(const struct tf_js_limits *limits)
{
    if (limits->pause != NULL) {
        limits->pause(limits->user);
    }
}

/* The slot's memory is unmeasured: what was there at first, the host chose. */
static void zero_first(struct tf_slot *slot, size_t size,
                       const struct tf_js_limits *limits)
{
    size = size < slot->size ? size : slot->size;
    while (slot->zeroed < size) {
        size_t chunk = chunk_of(size - slot->zeroed);
        memset(slot->memory + slot->zeroed, 0, chunk);
        slot->zeroed += chunk;
        if (slot->zeroed < size) {
            pause(limits);
        }
    }
}

/* What the arena says of itself is the engine's, so it is not believed beyond the slot.
 */
static void note_dirty(struct tf_slot *slot)
{
    size_t used = slot->has_arena ? tf_arena_used(arena_of(slot)) : 0;
    used = used < slot->size ? used : slot->size;
    slot->dirty = used > slot->dirty ? used : slot->dirty;
}

/* Zeroes from `kept` on what was used, from its end: the arena's head goes last. */
static void wipe(struct tf_slot *slot, size_t kept, const struct tf_js_limits *limits)
{
    while (slot->dirty > kept) {
        size_t chunk = chunk_of(slot->dirty - kept);
        memset(slot->memory + slot->dirty - chunk, 0, chunk);
        slot->dirty -= chunk;
        if (slot->dirty > kept) {
            pause(limits);
        }
    }
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
    wipe(slot, 0, limits);
    slot->has_arena = false;
    zero_first(slot, memory > OPEN_MAX ? memory : OPEN_MAX, limits);
    arena = tf_arena_init(slot->memory, slot->size);
    if (arena == NULL) {
        return TF_ENOMEM;
    }
    slot->has_arena = true;
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
        wipe(slot, 0, limits);
        slot->has_arena = false;
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

static void restore(struct tf_slot *slot, const struct tf_snapshot *snapshot,
                    const struct tf_js_limits *limits)
{
    slot->in = NULL;
    if (slot->dirty < snapshot->size) {
        slot->dirty = snapshot->size;
    }
    for (size_t at = 0; at < snapshot->size; at += chunk_of(snapshot->size - at)) {
        if (at != 0) {
            pause(limits);
        }
        memcpy(slot->memory + at, snapshot->bytes + at, chunk_of(snapshot->size - at));
    }
    slot->has_arena = true;
    wipe(slot, snapshot->size, limits);
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
        report->peak = 0;
        return snapshot->err;
    }
    if (slot->in != snapshot || (!slot->is_clean && !snapshot->is_reused)) {
        restore(slot, snapshot, limits);
    }
    slot->is_clean = false;
    err = tf_js_call(snapshot->js, request, limits, response, report);
    report->peak = tf_arena_used(arena_of(slot));
    note_dirty(slot);
    if (err != TF_OK) {
        slot->in = NULL; /* whatever state it is in, it is not used again */
    }
    return err;
}

void tf_slot_abandon(struct tf_slot *slot)
{
    note_dirty(slot);
    slot->in = NULL;
}

void tf_slot_drop(struct tf_slot *slot, struct tf_arena *heap,
                  struct tf_snapshot *snapshot)
{
    if (slot->in == snapshot) {
        slot->in = NULL;
    }
    if (snapshot->bytes != NULL) {
        tf_arena_wipe(heap, snapshot->bytes); /* it has the lambda's secrets */
        tf_arena_free(heap, snapshot->bytes);
    }
    *snapshot = (struct tf_snapshot){0};
}
