/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A two-level segregated fit (Masmano et al., "TLSF: a new dynamic memory allocator for
 * real-time systems", 2004) with boundary tags, over a growing front; lib/arena_blocks.h
 * has the layout.
 *
 * Small blocks that are freed first rest in a list per size, unmerged, so that the next
 * request of that size is a few instructions. All of them are merged before fresh memory
 * is taken.
 */
#include <string.h>

#include "lib/arena_blocks.h"
#include "lib/plan.h"

enum {
    UNITS_MIN = 2, /* header, links and size of a free block: 24 bytes, so 2 units */
    SMALL = (COLUMNS - 1) * UNIT - HEADER, /* bytes of a block below COLUMNS units */
    LIST_TRIES = 16, /* blocks of a request's own class that are tried: bounds the time */
    RESTING_MAX = 64,    /* bounds the time of merging, and the memory not merged */
    ZERO_STEP = 64 << 10 /* zeroed at a time, so that what nobody uses is not touched */
};

static const uint64_t arena_max = UINT64_C(4) << 30;

struct place {
    uint32_t row;
    uint32_t column;
};

/* The list for a block of `units`: one column per size in row 0, sixteen per power of two
 * after it. */
static struct place place_of(uint32_t units)
{
    if (units < COLUMNS) {
        return (struct place){0, units};
    }
    uint32_t log2 = 31 - (uint32_t)__builtin_clz(units);
    return (struct place){log2 - COLUMNS_LOG2 + 1,
                          units >> (log2 - COLUMNS_LOG2) & (COLUMNS - 1)};
}

/* Notes beside the block at `unit` (or in the arena, at the front) whether the one before
 * is free. */
static void tell_next(struct tf_arena *arena, uint32_t unit, bool is_before_free)
{
    if (unit == arena->front) {
        arena->is_last_free = is_before_free;
        return;
    }
    struct header *header = header_at(arena, unit);
    header->state = (header->state & ~(uint32_t)STATE_BEHIND_FREE) | is_before_free;
}

/* Makes [unit, unit + units) a free block. Its neighbours are used blocks. */
static void insert(struct tf_arena *arena, uint32_t unit, uint32_t units)
{
    struct place place = place_of(units);
    uint32_t *head = &arena->heads[place.row][place.column];
    *header_at(arena, unit) = (struct header){units, STATE_FREE};
    *links_at(arena, unit) = (struct links){*head, 0};
    if (*head != 0) {
        links_at(arena, *head)->previous = unit;
    }
    *head = unit;
    arena->rows |= UINT32_C(1) << place.row;
    arena->columns[place.row] |= UINT32_C(1) << place.column;
    *size_before(arena, unit + units) = units;
    tell_next(arena, unit + units, true);
}

void tf_arena_unlink(struct tf_arena *arena, uint32_t unit)
{
    const struct links *links = links_at(arena, unit);
    if (links->next != 0) {
        links_at(arena, links->next)->previous = links->previous;
    }
    if (links->previous != 0) {
        links_at(arena, links->previous)->next = links->next;
        return;
    }
    struct place place = place_of(header_at(arena, unit)->units);
    arena->heads[place.row][place.column] = links->next;
    if (links->next == 0) {
        arena->columns[place.row] &= ~(UINT32_C(1) << place.column);
        if (arena->columns[place.row] == 0) {
            arena->rows &= ~(UINT32_C(1) << place.row);
        }
    }
}

/* Makes the `units` at `unit` a used block and frees what is left of `have`. The memory
 * is in no list and no free block is beside it. */
static void occupy(struct tf_arena *arena, uint32_t unit, uint32_t have, uint32_t units,
                   uint32_t behind_free)
{
    if (have - units < UNITS_MIN) {
        *header_at(arena, unit) = (struct header){have, STATE_USED | behind_free};
        tell_next(arena, unit + have, false);
        return;
    }
    *header_at(arena, unit) = (struct header){units, STATE_USED | behind_free};
    insert(arena, unit + units, have - units);
}

/* The first block that fits, in the list of the request's own class. */
static uint32_t find_in_class(struct tf_arena *arena, struct place place, uint32_t units)
{
    uint32_t unit = arena->heads[place.row][place.column];
    for (int i = 0; unit != 0 && i < LIST_TRIES; i++) {
        if (header_at(arena, unit)->units >= units) {
            return unit;
        }
        unit = links_at(arena, unit)->next;
    }
    return 0;
}

/* A free block of at least `units`, or 0. */
static uint32_t find(struct tf_arena *arena, uint32_t units)
{
    struct place place = place_of(units);
    uint32_t unit = find_in_class(arena, place, units);
    if (unit != 0) {
        return unit;
    }
    uint32_t columns = arena->columns[place.row] & ~UINT32_C(1) << place.column;
    if (columns == 0) {
        uint32_t rows = arena->rows & ~UINT32_C(1) << place.row;
        if (rows == 0) {
            return 0;
        }
        place.row = (uint32_t)__builtin_ctz(rows);
        columns = arena->columns[place.row];
    }
    return arena->heads[place.row][__builtin_ctz(columns)];
}

static void make_fresh(tf_fresh_fn fresh, uint8_t *memory, size_t size)
{
    if (fresh != NULL) {
        fresh(memory, size);
    } else {
        memset(memory, 0, size);
    }
}

static __attribute__((noinline)) void zero_to(struct tf_arena *arena, size_t end)
{
    end = (end + ZERO_STEP - 1) / ZERO_STEP * ZERO_STEP;
    end = end < arena->size ? end : arena->size;
    make_fresh(arena->fresh, (uint8_t *)arena + arena->zeroed, end - arena->zeroed);
    arena->zeroed = end;
}

/* Moves the front by `units` if the limit allows. */
static bool advance(struct tf_arena *arena, uint32_t units)
{
    uint64_t end = ((uint64_t)arena->front + units) * UNIT - HEADER;
    if (end > arena->limit) {
        return false;
    }
    if (end > arena->zeroed) {
        zero_to(arena, end);
    }
    arena->front += units;
    return true;
}

/* A small block at the front, whatever is free elsewhere, if memory is ready there; or 0.
 */
static inline uint32_t take_ahead(struct tf_arena *arena, uint32_t units)
{
    uint32_t unit = arena->front;
    uint32_t behind_free = arena->is_last_free;
    uint64_t end = ((uint64_t)unit + units) * UNIT - HEADER;
    if (unit + units > arena->ahead || end > arena->limit || end > arena->zeroed) {
        return 0;
    }
    *header_at(arena, unit) = (struct header){units, STATE_USED | behind_free};
    arena->front = unit + units;
    arena->is_last_free = false;
    return unit;
}

/* Has a small block's memory ready at the front, if that is where it comes from. */
static void ready_ahead(struct tf_arena *arena, uint32_t units)
{
    uint64_t end = ((uint64_t)arena->front + units) * UNIT - HEADER;
    if (arena->front + units <= arena->ahead && end <= arena->limit &&
        end > arena->zeroed) {
        zero_to(arena, end);
    }
}

/* A block at the end of the arena: the free block before the front if there is one, made
 * longer by fresh memory. @return its unit, or 0. */
static uint32_t take_last(struct tf_arena *arena, uint32_t units)
{
    uint32_t unit = arena->front;
    uint32_t have = arena->is_last_free ? *size_before(arena, unit) : 0;
    if (have < units && !advance(arena, units - have)) {
        return 0;
    }
    unit -= have;
    if (have != 0) {
        tf_arena_unlink(arena, unit);
    }
    occupy(arena, unit, have < units ? units : have, units, 0);
    return unit;
}

/* Makes a block that is in no list free, as one with the free blocks beside it. */
static __attribute__((noinline)) void merge(struct tf_arena *arena, uint32_t unit)
{
    struct header *header = header_at(arena, unit);
    uint32_t units = header->units;
    uint32_t next = unit + units;
    if (state_of(arena, next) == STATE_FREE) {
        units += header_at(arena, next)->units;
        tf_arena_unlink(arena, next);
    }
    if ((header->state & STATE_BEHIND_FREE) != 0) {
        uint32_t before = *size_before(arena, unit);
        header->state = 0; /* inside a free block now: freeing it again must trap */
        unit -= before;
        units += before;
        tf_arena_unlink(arena, unit);
    }
    insert(arena, unit, units);
}

/* The resting block of just `units`, as a used one; or 0. */
static uint32_t wake(struct tf_arena *arena, uint32_t units)
{
    uint32_t unit = arena->resting[units];
    if (unit != 0) {
        arena->resting[units] = links_at(arena, unit)->next;
        arena->resting_count--;
        header_at(arena, unit)->state ^= STATE_USED ^ STATE_RESTING;
    }
    return unit;
}

__attribute__((noinline)) void tf_arena_merge_resting(struct tf_arena *arena)
{
    for (uint32_t units = UNITS_MIN; units < COLUMNS; units++) {
        for (uint32_t unit = wake(arena, units); unit != 0; unit = wake(arena, units)) {
            merge(arena, unit);
        }
    }
}

static void rest(struct tf_arena *arena, uint32_t unit)
{
    struct header *header = header_at(arena, unit);
    header->state ^= STATE_USED ^ STATE_RESTING;
    links_at(arena, unit)->next = arena->resting[header->units];
    arena->resting[header->units] = unit;
    if (++arena->resting_count > RESTING_MAX) {
        tf_arena_merge_resting(arena);
    }
}

/* A used block of just `units`: a freed one of the size, or fresh memory; or 0. */
static uint32_t take_exact(struct tf_arena *arena, uint32_t units)
{
    struct place place = place_of(units);
    uint32_t unit = arena->heads[place.row][place.column];
    while (unit != 0 && header_at(arena, unit)->units != units) {
        unit = links_at(arena, unit)->next;
    }
    if (unit != 0) {
        tf_arena_unlink(arena, unit);
    } else if (advance(arena, units)) {
        unit = arena->front - units;
    }
    if (unit != 0) {
        occupy(arena, unit, units, units, 0);
    }
    return unit;
}

/* A used block of at least `units`, or 0. */
static uint32_t take(struct tf_arena *arena, uint32_t units)
{
    if (arena->is_exact != 0) {
        return take_exact(arena, units);
    }
    if (units < COLUMNS) {
        ready_ahead(arena, units);
        uint32_t ahead = take_ahead(arena, units);
        if (ahead != 0) {
            return ahead;
        }
    }
    uint32_t unit = find(arena, units);
    if (unit == 0 && arena->resting_count > 0) {
        tf_arena_merge_resting(arena);
        unit = find(arena, units);
    }
    if (unit == 0) {
        return take_last(arena, units);
    }
    tf_arena_unlink(arena, unit);
    occupy(arena, unit, header_at(arena, unit)->units, units, 0);
    return unit;
}

/* Units for `size` bytes and a header; 0 if it is more than any arena has. */
static uint32_t units_for(size_t size)
{
    if (size > arena_max - UNIT - HEADER) {
        return 0;
    }
    uint32_t units = (uint32_t)((size + HEADER + UNIT - 1) / UNIT);
    return units < UNITS_MIN ? UNITS_MIN : units;
}

/* The used block at `block`; traps on any other pointer. */
static inline uint32_t checked_unit(struct tf_arena *arena, const void *block)
{
    uintptr_t offset = (uintptr_t)block - (uintptr_t)arena;
    if (offset % UNIT != 0 || offset < sizeof(struct tf_arena) ||
        offset >= (uint64_t)arena->front * UNIT) {
        __builtin_trap();
    }
    uint32_t unit = (uint32_t)(offset / UNIT);
    if (state_of(arena, unit) != STATE_USED) {
        __builtin_trap();
    }
    return unit;
}

struct tf_arena *tf_arena_init_fresh(void *memory, size_t size, size_t ready,
                                     tf_fresh_fn fresh)
{
    if (size < ARENA_MIN) {
        return NULL;
    }
    struct tf_arena *arena = memory;
    if (ready < sizeof(*arena)) {
        ready = fresh == NULL ? sizeof(*arena) : size < ZERO_STEP ? size : ZERO_STEP;
        make_fresh(fresh, memory, ready);
    }
    memset(arena, 0, sizeof(*arena));
    arena->size = size < arena_max ? size : arena_max;
    arena->limit = arena->size;
    arena->zeroed = ready;
    arena->fresh = fresh;
    arena->front = first_unit();
    return arena;
}

struct tf_arena *tf_arena_init(void *memory, size_t size)
{
    return tf_arena_init_fresh(memory, size, 0, NULL);
}

/* Apart from the quick ways, which then need no registers saved. */
static __attribute__((noinline)) void *alloc_slowly(struct tf_arena *arena, size_t size)
{
    if (size == 0) {
        return NULL;
    }
    if (arena->plan != NULL) {
        return tf_plan_alloc(arena->plan, arena, size);
    }
    uint32_t units = units_for(size);
    uint32_t unit = units == 0 ? 0 : take(arena, units);
    if (unit == 0) {
        arena->is_failed = 1;
        return NULL;
    }
    return links_at(arena, unit);
}

void *tf_arena_alloc(struct tf_arena *arena, size_t size)
{
    if (size - 1 >= SMALL || arena->plan != NULL) {
        return alloc_slowly(arena, size);
    }
    uint32_t units = units_for(size);
    uint32_t unit = wake(arena, units);
    if (unit == 0) {
        unit = take_ahead(arena, units);
    }
    return unit != 0 ? links_at(arena, unit) : alloc_slowly(arena, size);
}

bool tf_arena_zero_ahead(struct tf_arena *arena, const void *block, size_t size)
{
    uint32_t units = units_for(size);
    uint32_t from = arena->front;

    if (block != NULL && arena->plan == NULL) {
        uint32_t unit = checked_unit(arena, block);
        uint32_t next = unit + header_at(arena, unit)->units;
        from = next == arena->front ? unit : from;
    }
    uint64_t end = ((uint64_t)from + units) * UNIT - HEADER;
    if (units == 0 || end > arena->limit || end <= arena->zeroed || arena->plan != NULL ||
        (from == arena->front && find(arena, units) != 0)) {
        return false;
    }
    zero_to(arena, arena->zeroed + 1);
    return end > arena->zeroed;
}

void tf_arena_free(struct tf_arena *arena, void *block)
{
    if (block == NULL) {
        return;
    }
    if (arena->plan != NULL) {
        tf_plan_free(arena->plan, arena, block);
        return;
    }
    uint32_t unit = checked_unit(arena, block);
    uint32_t units = header_at(arena, unit)->units;
    if (arena->is_exact != 0) {
        insert(arena, unit, units);
    } else if (units < COLUMNS) {
        rest(arena, unit);
    } else {
        merge(arena, unit);
    }
}

/* Resizes the block in place. @return false if what follows it is not free enough. */
static bool resize_in_place(struct tf_arena *arena, uint32_t unit, uint32_t units)
{
    struct header *header = header_at(arena, unit);
    if (units == header->units) {
        return true;
    }
    uint32_t next = unit + header->units;
    /* A small block moves for less than merging takes, and what rests is soon needed. */
    if (units > header->units && header->units >= COLUMNS &&
        state_of(arena, next) == STATE_RESTING) {
        tf_arena_merge_resting(arena);
    }
    uint32_t behind_free = header->state & STATE_BEHIND_FREE;
    bool is_next_free = state_of(arena, next) == STATE_FREE;
    uint32_t have = header->units + (is_next_free ? header_at(arena, next)->units : 0);
    if (have < units) {
        if (unit + have != arena->front || !advance(arena, units - have)) {
            return false;
        }
        have = units;
    }
    if (is_next_free) {
        tf_arena_unlink(arena, next);
    }
    occupy(arena, unit, have, units, behind_free);
    return true;
}

bool tf_arena_resize(struct tf_arena *arena, void *block, size_t size)
{
    uint32_t units = units_for(size);
    return arena->is_exact == 0 && units != 0 &&
           resize_in_place(arena, checked_unit(arena, block), units);
}

void tf_arena_wipe(struct tf_arena *arena, void *block)
{
    (void)checked_unit(arena, block);
    memset(block, 0, tf_arena_usable(block));
}

void *tf_arena_realloc(struct tf_arena *arena, void *block, size_t size)
{
    if (block == NULL) {
        return tf_arena_alloc(arena, size);
    }
    if (size == 0) {
        tf_arena_free(arena, block);
        return NULL;
    }
    if (tf_arena_resize(arena, block, size)) {
        return block;
    }
    void *moved = tf_arena_alloc(arena, size);
    if (moved == NULL) {
        return NULL;
    }
    size_t had = tf_arena_usable(block);
    memcpy(moved, block, had < size ? had : size);
    tf_arena_free(arena, block);
    return moved;
}

size_t tf_arena_usable(const void *block)
{
    if (block == NULL) {
        return 0;
    }
    const struct header *header = (const void *)((const uint8_t *)block - HEADER);
    return (size_t)header->units * UNIT - HEADER;
}

size_t tf_arena_used(const struct tf_arena *arena)
{
    return (size_t)arena->front * UNIT - HEADER;
}

size_t tf_arena_zeroed(const struct tf_arena *arena)
{
    return arena->zeroed;
}

void tf_arena_plan(struct tf_arena *arena, struct tf_plan *plan)
{
    arena->plan = plan;
}

void tf_arena_seal(struct tf_arena *arena, const void *block)
{
    if (arena->plan != NULL) {
        tf_plan_seal(arena->plan, arena, block);
    }
}

void tf_arena_unseal(struct tf_arena *arena, const void *at, size_t size)
{
    if (at == NULL) {
        arena->is_unsealed = true;
        return;
    }
    size_t offset = (uintptr_t)at - (uintptr_t)arena;
    size_t end = (offset + size + TF_ARENA_LINE - 1) / TF_ARENA_LINE;
    for (size_t i = offset / TF_ARENA_LINE; i < end && i < SEAL_LINES; i++) {
        arena->unsealed[i / 64] |= UINT64_C(1) << i % 64;
    }
}

bool tf_arena_is_unsealed(const struct tf_arena *arena)
{
    return arena->is_unsealed != 0;
}

bool tf_arena_unsealed(const struct tf_arena *arena, size_t *line, size_t *end)
{
    for (size_t at = *line; at < SEAL_LINES; at = (at / 64 + 1) * 64) {
        uint64_t rest = arena->unsealed[at / 64] >> at % 64;
        if (rest != 0) {
            *line = at + (size_t)__builtin_ctzll(rest);
            rest = ~(rest >> (*line - at)); /* a word's end ends them, too */
            *end = *line + (rest == 0 ? 64 : (size_t)__builtin_ctzll(rest));
            return true;
        }
    }
    return false;
}

void *tf_arena_split(struct tf_arena *arena, void *block, size_t size)
{
    uint32_t unit = checked_unit(arena, block);
    uint32_t units = units_for(size);
    struct header *header = header_at(arena, unit);
    if (units == 0 || header->units < units + UNITS_MIN) {
        return NULL;
    }
    *header_at(arena, unit + units) = (struct header){header->units - units, STATE_USED};
    header->units = units;
    return links_at(arena, unit + units);
}

void tf_arena_set_ahead(struct tf_arena *arena, size_t size)
{
    arena->ahead = arena->front + (uint32_t)(size / UNIT);
}

void tf_arena_set_exact(struct tf_arena *arena, bool is_exact)
{
    arena->is_exact = is_exact;
}

void tf_arena_note_zeroed(struct tf_arena *arena, size_t size)
{
    arena->zeroed = size;
}

void tf_arena_cap(struct tf_arena *arena, size_t cap)
{
    arena->limit = cap == 0 || cap > arena->size ? arena->size : cap;
}

size_t tf_arena_limit(const struct tf_arena *arena)
{
    return arena->limit;
}

int tf_arena_failed(struct tf_arena *arena)
{
    int is_failed = arena->is_failed;
    arena->is_failed = 0;
    return is_failed;
}
