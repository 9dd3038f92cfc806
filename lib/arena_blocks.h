/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena_blocks.h - how an arena's memory is laid out, for lib/arena.c and
 * lib/arena_tidy.c alone.
 *
 * Memory is counted in units of 16 bytes from the arena's start; a block is named by the
 * unit of its first usable byte. A block of n units takes the 8 bytes before that unit
 * (its header) and 16n - 8 usable ones, so the header costs 8 bytes. A free block keeps
 * its list links in its first usable bytes and its size once more in its last 8, where
 * the block behind it looks when that one is freed. Everything from unit `front` on was
 * never handed out and is never read; before the front passes it, it is zeroed.
 */
#pragma once

#include <stdint.h>

#include "lib/arena.h"

enum {
    UNIT = 16,
    HEADER = 8,
    COLUMNS_LOG2 = 4,
    COLUMNS = 1 << COLUMNS_LOG2,
    ROWS = 26, /* row r > 0: 2^(r+3) to 2^(r+4) - 1 units; up to 2^28 units = 4 GiB */
    ARENA_MIN = 4096,
    SEAL_LINES = TF_ARENA_SEAL_MAX / TF_ARENA_LINE
};

/* A header's state. The high bits are a magic number, so that most pointers that the
 * arena did not give, and blocks freed twice, trap. */
enum {
    STATE_USED = 0x7f41a6e0,
    STATE_FREE = 0x7f41a6e2,
    STATE_RESTING = 0x7f41a6e4,
    STATE_BEHIND_FREE = 1, /* or'ed in: the block before this one is free */
};

struct header {
    uint32_t units;
    uint32_t state;
};

struct links {
    uint32_t next; /* unit numbers; 0 ends a list */
    uint32_t previous;
};

struct tf_arena {
    size_t size;
    size_t limit;      /* size, or less by tf_arena_cap */
    size_t zeroed;     /* from the front to here all is zero */
    tf_fresh_fn fresh; /* what makes it so; NULL: memset */
    struct tf_plan *plan;
    uint32_t is_exact;    /* blocks are neither split nor merged */
    uint32_t is_unsealed; /* all of it, by tf_arena_unseal */
    uint32_t front;       /* unit that the next fresh block gets */
    uint32_t ahead;       /* up to here small blocks come from the front */
    uint16_t is_failed;
    uint16_t is_last_free; /* the block just before the front is free */
    uint32_t resting_count;
    uint32_t resting[COLUMNS]; /* by units; linked by `next` alone */
    uint32_t rows;             /* bit r: row r has a free block */
    uint32_t columns[ROWS];
    uint32_t heads[ROWS][COLUMNS];
    uint64_t unsealed[SEAL_LINES / 64]; /* a bit for each line, by tf_arena_unseal */
};

_Static_assert(sizeof(struct tf_arena) < (size_t)ARENA_MIN / 4 * 3, "room for blocks");
_Static_assert(sizeof(struct header) == HEADER, "header");

/* Unit of the first block. */
static inline uint32_t first_unit(void)
{
    return (sizeof(struct tf_arena) + HEADER + UNIT - 1) / UNIT;
}

static inline struct header *header_at(struct tf_arena *arena, uint32_t unit)
{
    return (void *)((uint8_t *)arena + (size_t)unit * UNIT - HEADER);
}

static inline struct links *links_at(struct tf_arena *arena, uint32_t unit)
{
    return (void *)((uint8_t *)arena + (size_t)unit * UNIT);
}

/* Where the free block that ends before the block `unit` repeats its size. */
static inline uint32_t *size_before(struct tf_arena *arena, uint32_t unit)
{
    return (void *)((uint8_t *)arena + (size_t)unit * UNIT - UNIT);
}

/* A block's state without the mark about the one before; 0 at the front. */
static inline uint32_t state_of(struct tf_arena *arena, uint32_t unit)
{
    if (unit >= arena->front) {
        return 0;
    }
    return header_at(arena, unit)->state & ~(uint32_t)STATE_BEHIND_FREE;
}

/** Takes a free block out of its list; the caller says what becomes of it. */
void tf_arena_unlink(struct tf_arena *arena, uint32_t unit);

/** Merges the small blocks that rest with what is free beside them. */
void tf_arena_merge_resting(struct tf_arena *arena);
