/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/js/slot.h"

#include <string.h>

#include "abi/limits.h"
#include "enclave/js/text.h"
#include "lib/plan.h"

enum {
    BLOCK = TF_ARENA_LINE, /* bytes; what is compared at once, a cache line */
    CHUNK = 256 << 10,     /* bytes copied or zeroed before others get their turn */
    AHEAD = 16 << 10, /* bytes that a call takes before it looks for holes in the heap */
    REPEATS = 8,      /* times before a snapshot is kept as one piece */
    SEALED_CALLS = 64 /* for which what is sealed is brought in once */
};

/* So many calls take no count, which is from 2^30 on, to where an object is not known as
 * sealed any more (2^29), nor to 2^31: a reference to one takes 8 bytes. One to a name
 * takes 4 in code, and only zero matters there, which is as far again. */
_Static_assert((uint64_t)SEALED_CALLS *TF_MEMORY_MAX / 8 < UINT64_C(1) << 29, "counts");

struct block {
    uint64_t words[BLOCK / sizeof(uint64_t)];
};

/* Bytes on their way into a slot, with the pauses. The call may end at one of them for
 * good, so between two chunks the slot says the truth about itself. */
struct move {
    const struct tf_js_limits *limits;
    size_t left; /* bytes until the next pause */
};

void tf_slot_init(struct tf_slot *slot, void *memory, size_t size, tf_fresh_fn fresh)
{
    *slot = (struct tf_slot){.memory = memory, .size = size, .fresh = fresh};
}

static struct tf_arena *arena_of(const struct tf_slot *slot)
{
    return (void *)slot->memory;
}

/* How much of `size` bytes is moved next; pauses first where it is time. */
static size_t next_chunk(struct move *move, size_t size)
{
    if (move->left == 0) {
        move->left = CHUNK;
        if (move->limits->pause != NULL) {
            move->limits->pause(move->limits->user);
        }
    }
    size = size < move->left ? size : move->left;
    move->left -= size;
    return size;
}

static void put(struct move *move, uint8_t *to, const uint8_t *from, size_t size)
{
    while (size > 0) {
        size_t chunk = next_chunk(move, size);
        memcpy(to, from, chunk);
        to += chunk;
        from += chunk;
        size -= chunk;
    }
}

static void put_zeros(struct move *move, uint8_t *to, size_t size)
{
    while (size > 0) {
        size_t chunk = next_chunk(move, size);
        memset(to, 0, chunk);
        to += chunk;
        size -= chunk;
    }
}

/* What the arena says of itself is the engine's, so it is not believed beyond the slot,
 * and nothing was used that was not there. */
static void note_dirty(struct tf_slot *slot)
{
    if (!slot->has_arena) {
        return;
    }
    size_t used = tf_arena_used(arena_of(slot));
    size_t zeroed = tf_arena_zeroed(arena_of(slot));
    zeroed = zeroed < slot->size ? zeroed : slot->size;
    slot->zeroed = zeroed > slot->zeroed ? zeroed : slot->zeroed;
    used = used < slot->zeroed ? used : slot->zeroed;
    slot->dirty = used > slot->dirty ? used : slot->dirty;
}

/* Zeroes from `kept` on what was used, from its end: the arena's head goes last. */
static void wipe(struct tf_slot *slot, size_t kept, struct move *move)
{
    while (slot->dirty > kept) {
        size_t chunk = next_chunk(move, slot->dirty - kept);
        memset(slot->memory + slot->dirty - chunk, 0, chunk);
        slot->dirty -= chunk;
    }
}

/* Has zeros in the whole slot. A pause may come when half of the arena's head is wiped:
 * what that says is not asked any more. */
static void clear(struct tf_slot *slot, struct move *move)
{
    note_dirty(slot);
    slot->in = NULL;
    slot->sealed_of = NULL;
    slot->has_arena = false;
    wipe(slot, 0, move);
}

static size_t whole_blocks(size_t size)
{
    return (size + BLOCK - 1) / BLOCK * BLOCK;
}

static struct block *blocks_of(const struct tf_snapshot *snapshot)
{
    size_t places = snapshot->block_count * sizeof(uint32_t);
    return (void *)(snapshot->bytes + whole_blocks(places));
}

/* --- the base -------------------------------------------------------------------- */

/* Opens an instance in the slot, which is not large yet: without a pause. */
static bool open_engine(struct tf_slot *slot, struct tf_slot_base *base,
                        struct tf_plan *plan)
{
    static const struct tf_js_limits no_pause;
    struct move move = {&no_pause, CHUNK};
    struct tf_arena *arena;

    clear(slot, &move);
    arena = tf_arena_init_fresh(slot->memory, slot->size, slot->zeroed, slot->fresh);
    if (arena == NULL) {
        return false;
    }
    slot->has_arena = true;
    tf_arena_plan(arena, plan);
    tf_arena_set_exact(arena, plan != NULL);
    base->js = tf_js_open(arena, base == &slot->bases[TF_BASE_URL] ? "url" : NULL);
    tf_arena_set_exact(arena, false);
    tf_arena_plan(arena, NULL);
    note_dirty(slot);
    return base->js != NULL;
}

/* Notes which blocks of the base are nothing but what the engine has sealed. */
static void note_sealed(const struct tf_slot *slot, struct tf_slot_base *base,
                        const struct tf_plan *plan)
{
    size_t from;
    size_t to;

    if (tf_plan_sealed(plan, arena_of(slot), &from, &to) && to - from > BLOCK) {
        base->sealed = whole_blocks(from);
        base->unsealed = to / BLOCK * BLOCK;
    }
}

/* The same twice, so that what stays lies together. @return false if that did not work.
 */
static bool open_packed(struct tf_slot *slot, struct tf_slot_base *base,
                        struct tf_arena *heap)
{
    struct tf_plan plan;

    if (tf_plan_open(&plan, heap) != TF_OK) {
        return false;
    }
    bool is_ok = open_engine(slot, base, &plan);
    tf_plan_again(&plan);
    is_ok = is_ok && open_engine(slot, base, &plan) && plan.outside == 0;
    if (is_ok) {
        note_sealed(slot, base, &plan);
    }
    tf_plan_close(&plan, heap);
    return is_ok;
}

/* Has it in the slot. It is kept if there is room; if not, a snapshot is whole. */
static tf_err make_base(struct tf_slot *slot, struct tf_slot_base *base,
                        struct tf_arena *heap, struct move *move)
{
    struct tf_arena *arena = arena_of(slot);

    clear(slot, move);
    if (!open_packed(slot, base, heap) && !open_engine(slot, base, NULL)) {
        return TF_ENOMEM;
    }
    tf_arena_tidy(arena, NULL, 0);
    size_t size = whole_blocks(tf_arena_used(arena));
    base->bytes = tf_arena_alloc(heap, size);
    base->size = base->bytes == NULL ? 0 : size;
    if (base->bytes != NULL) {
        memcpy(base->bytes, slot->memory, size);
    } else {
        base->unsealed = base->sealed;
    }
    return TF_OK;
}

/* Between the parts of a search. */
static void count_part(void *user, size_t bytes)
{
    while (bytes > 0) {
        bytes -= next_chunk(user, bytes);
    }
}

/* The base that the program's load begins with. */
static struct tf_slot_base *
base_for(struct tf_slot *slot, const struct tf_js_program *program, struct move *move)
{
    static const struct tf_str url = {"URL", 3}; /* as in prelude/base.js */
    bool has_url = tf_text_mentions(program, &url, count_part, move);

    return &slot->bases[has_url ? TF_BASE_URL : TF_BASE_PLAIN];
}

/* The blocks of a snapshot that lie beyond its base, and zeros between them. */
static void put_tail(uint8_t *memory, const struct tf_snapshot *snapshot, size_t from,
                     struct move *move)
{
    const uint32_t *places = (const void *)snapshot->bytes;
    const struct block *blocks = blocks_of(snapshot);
    uint8_t *to = memory + snapshot->base_size;

    while (from < snapshot->block_count) {
        uint8_t *at = memory + (size_t)places[from] * BLOCK;
        size_t end = from + 1;
        while (end < snapshot->block_count && places[end] == places[end - 1] + 1) {
            end++;
        }
        put_zeros(move, to, (size_t)(at - to));
        put(move, at, (const uint8_t *)&blocks[from], (end - from) * BLOCK);
        to = at + (end - from) * BLOCK;
        from = end;
    }
    put_zeros(move, to, (size_t)(memory + snapshot->extent - to));
}

/* The blocks of a snapshot go over its base, which is in `memory`. */
static void put_blocks(uint8_t *memory, const struct tf_snapshot *snapshot,
                       struct move *move)
{
    const uint32_t *places = (const void *)snapshot->bytes;
    const struct block *blocks = blocks_of(snapshot);
    struct block *to = (void *)memory;
    size_t count = snapshot->block_count;
    size_t base_count = snapshot->base_size / BLOCK;
    size_t at = 0;

    while (at < count && places[at] < base_count) {
        to[places[at]] = blocks[at];
        at++;
    }
    put_tail(memory, snapshot, at, move);
}

static void drop_whole(struct tf_slot *slot)
{
    if (slot->whole != NULL) {
        tf_arena_wipe(slot->heap, slot->whole); /* it has the lambda's secrets */
        tf_arena_free(slot->heap, slot->whole);
    }
    slot->whole = NULL;
    slot->whole_of = NULL;
}

/* The snapshot was just brought in from its base and its blocks. */
static void keep_whole(struct tf_slot *slot, const struct tf_snapshot *snapshot)
{
    static const struct tf_js_limits no_pause;
    struct move move = {&no_pause, CHUNK};

    slot->repeats = slot->last == snapshot ? slot->repeats + 1 : 0;
    slot->last = snapshot;
    if (slot->repeats < REPEATS || snapshot->extent > TF_WHOLE_MAX) {
        return;
    }
    slot->repeats = 0;
    drop_whole(slot);
    slot->whole = tf_arena_alloc(slot->heap, snapshot->extent);
    if (slot->whole != NULL) {
        slot->whole_of = snapshot;
        put(&move, slot->whole, snapshot->base->bytes, snapshot->base_size);
        put_blocks(slot->whole, snapshot, &move);
    }
}

/* Whether what is sealed is in the slot from an earlier call of the same snapshot. The
 * engine counts references in there, and a call ends with another count, so it is brought
 * in now and then; whoever is not the same lambda gets a copy of its own. */
static bool has_sealed(struct tf_slot *slot, const struct tf_snapshot *snapshot)
{
    bool is_there = snapshot != NULL && slot->sealed_of == snapshot &&
                    snapshot->base_size != 0 && slot->sealed_calls < SEALED_CALLS;

    slot->sealed_calls = is_there ? slot->sealed_calls + 1 : 0;
    slot->sealed_of = NULL; /* until all is in */
    return is_there;
}

/* Brings in what was written to of what is sealed. */
static void put_written(const struct tf_slot *slot, const struct tf_slot_base *base,
                        const uint8_t *from, struct move *move)
{
    size_t last = base->unsealed / BLOCK;
    size_t line = base->sealed / BLOCK;
    size_t end;

    while (tf_arena_unsealed(arena_of(slot), &line, &end) && line < last) {
        end = end < last ? end : last;
        put(move, slot->memory + line * BLOCK, from + line * BLOCK, (end - line) * BLOCK);
        line = end;
    }
}

/* Brings `size` bytes in, but for what is sealed if that is there. */
static void put_unsealed(const struct tf_slot *slot, const struct tf_slot_base *base,
                         const uint8_t *from, size_t size, bool is_there,
                         struct move *move)
{
    size_t at = 0;

    if (is_there) {
        put_written(slot, base, from, move); /* before the head, which knows it */
        put(move, slot->memory, from, base->sealed);
        at = base->unsealed;
    }
    put(move, slot->memory + at, from + at, size - at);
}

/* Brings a base into the slot, and a snapshot that differs from it, if that is not NULL.
 */
static void restore(struct tf_slot *slot, const struct tf_slot_base *base,
                    const struct tf_snapshot *snapshot, struct move *move)
{
    size_t base_size = snapshot == NULL ? base->size : snapshot->base_size;
    size_t extent = snapshot == NULL ? base_size : snapshot->extent;
    bool is_there = has_sealed(slot, snapshot);

    slot->in = NULL;
    slot->dirty = extent > slot->dirty ? extent : slot->dirty;
    if (snapshot != NULL && slot->whole_of == snapshot) {
        put_unsealed(slot, base, slot->whole, extent, is_there, move);
    } else {
        put_unsealed(slot, base, base->bytes, base_size, is_there, move);
        if (snapshot != NULL) {
            put_blocks(slot->memory, snapshot, move);
            keep_whole(slot, snapshot);
        }
    }
    slot->has_arena = true;
    wipe(slot, extent, move);
    tf_arena_note_zeroed(arena_of(slot), slot->zeroed);
    slot->in = snapshot;
    slot->sealed_of = snapshot;
}

/* --- snapshots ------------------------------------------------------------------- */

/* Whether nobody has written more into the block than counts of references. */
static bool is_sealed(const struct tf_slot *slot, const struct tf_slot_base *base,
                      size_t at)
{
    size_t line = at / BLOCK;
    size_t end;

    return at >= base->sealed && at < base->unsealed &&
           !tf_arena_is_unsealed(arena_of(slot)) &&
           !(tf_arena_unsealed(arena_of(slot), &line, &end) && line == at / BLOCK);
}

/* Whether the slot's block is another one than the base's, or than zeros beyond it; in
 * what is sealed, and still is, that is nothing but counts. */
static bool is_changed(const struct tf_slot *slot, const struct tf_snapshot *snapshot,
                       size_t at)
{
    static const struct block zeros;
    const struct block *now = (const void *)(slot->memory + at);
    const struct block *then =
        at < snapshot->base_size ? (const void *)(snapshot->base->bytes + at) : &zeros;
    uint64_t difference = 0;

    if (at < snapshot->base_size && is_sealed(slot, snapshot->base, at)) {
        return false;
    }
    for (size_t i = 0; i < BLOCK / sizeof(uint64_t); i++) {
        difference |= now->words[i] ^ then->words[i];
    }
    return difference != 0;
}

tf_err tf_slot_keep(struct tf_slot *slot, struct tf_arena *heap, struct tf_snapshot *out)
{
    size_t count = 0;

    for (size_t at = 0; at < out->extent; at += BLOCK) {
        count += is_changed(slot, out, at);
    }
    out->block_count = count;
    out->size = whole_blocks(count * sizeof(uint32_t)) + count * BLOCK;
    out->bytes = tf_arena_alloc(heap, out->size);
    if (out->bytes == NULL && slot->whole != NULL) {
        drop_whole(slot);
        out->bytes = tf_arena_alloc(heap, out->size);
    }
    if (out->bytes == NULL) {
        return TF_ENOMEM;
    }
    uint32_t *places = (void *)out->bytes;
    struct block *blocks = blocks_of(out);
    count = 0;
    for (size_t at = 0; at < out->extent; at += BLOCK) {
        if (is_changed(slot, out, at)) {
            places[count] = (uint32_t)(at / BLOCK);
            memcpy(&blocks[count], slot->memory + at, BLOCK);
            count++;
        }
    }
    slot->in = out;
    slot->is_clean = true;
    return TF_OK;
}

tf_err tf_slot_load(struct tf_slot *slot, struct tf_arena *heap,
                    const struct tf_js_program *program, size_t memory,
                    const struct tf_js_limits *limits, struct tf_snapshot *out)
{
    struct tf_snapshot made = {0};
    struct move move = {limits, CHUNK};
    struct tf_arena *arena = arena_of(slot);
    struct tf_slot_base *base;

    *out = made;
    slot->heap = heap;
    slot->in = NULL;
    slot->is_clean = false;
    base = base_for(slot, program, &move);
    if (base->bytes != NULL) {
        restore(slot, base, NULL, &move);
    } else if (make_base(slot, base, heap, &move) != TF_OK) {
        return TF_ENOMEM;
    }
    made.js = base->js;
    /* The cap holds for the lambda's code; the engine is not built to start without room.
     */
    tf_arena_cap(arena, memory);
    made.err = tf_js_load(made.js, program, limits, &made.report);
    note_dirty(slot);
    if (made.err != TF_OK) {
        made.js = NULL;
        *out = made;
        return TF_OK;
    }
    made.base = base;
    made.base_size = base->size;
    tf_arena_tidy(arena, base->bytes, base->size);
    made.extent = whole_blocks(tf_arena_used(arena));
    tf_arena_set_ahead(arena, AHEAD);
    *out = made;
    return tf_slot_keep(slot, heap, out);
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
        struct move move = {limits, CHUNK};
        restore(slot, snapshot->base, snapshot, &move);
    }
    if (snapshot->is_reused) {
        tf_arena_set_ahead(arena_of(slot), 0); /* its holes will be needed */
    }
    const struct tf_snapshot *sealed_of = slot->sealed_of;
    slot->is_clean = false;
    slot->sealed_of = NULL; /* if the call does not end, or badly */
    err = tf_js_call(snapshot->js, request, limits, response, report);
    report->peak = tf_arena_used(arena_of(slot));
    note_dirty(slot);
    if (err != TF_OK) {
        slot->in = NULL; /* whatever state it is in, it is not used again */
    } else if (!tf_arena_is_unsealed(arena_of(slot))) {
        slot->sealed_of = sealed_of;
    }
    return err;
}

void tf_slot_abandon(struct tf_slot *slot)
{
    note_dirty(slot);
    slot->in = NULL;
}

uint64_t tf_slot_room(uint64_t heap_size)
{
    return heap_size / 2;
}

void tf_slot_wipe(struct tf_slot *slot)
{
    static const struct tf_js_limits none; /* nobody waits */
    struct move move = {&none, CHUNK};

    clear(slot, &move);
}

size_t tf_slot_held(const struct tf_snapshot *snapshot)
{
    return snapshot->bytes == NULL ? 0 : snapshot->size;
}

void tf_slot_drop(struct tf_slot *slot, struct tf_arena *heap,
                  struct tf_snapshot *snapshot)
{
    if (slot->in == snapshot) {
        slot->in = NULL;
    }
    if (slot->last == snapshot) {
        slot->last = NULL;
    }
    if (slot->sealed_of == snapshot) {
        slot->sealed_of = NULL;
    }
    if (slot->whole_of == snapshot) {
        drop_whole(slot);
    }
    if (snapshot->bytes != NULL) {
        tf_arena_wipe(heap, snapshot->bytes); /* it has the lambda's secrets */
        tf_arena_free(heap, snapshot->bytes);
    }
    *snapshot = (struct tf_snapshot){0};
}
