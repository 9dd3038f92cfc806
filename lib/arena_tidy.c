/* SPDX-License-Identifier: Apache-2.0 */
/* arena_tidy.c - what an arena's bytes say beyond its blocks: as little as they can. */
#include <string.h>

#include "lib/arena_blocks.h"

/* Gives [from, to) the bytes of the image, and zeros beyond its end. */
static void fill(struct tf_arena *arena, size_t from, size_t to, const void *image,
                 size_t size)
{
    uint8_t *bytes = (uint8_t *)arena;
    if (from < size) {
        size_t part = (to < size ? to : size) - from;
        memcpy(bytes + from, (const uint8_t *)image + from, part);
        from += part;
    }
    memset(bytes + from, 0, to - from);
}

/* Has the front go back over the free block before it, if that lies beyond `kept`. */
static void retreat(struct tf_arena *arena, size_t kept)
{
    uint32_t units = arena->is_last_free ? *size_before(arena, arena->front) : 0;
    uint32_t unit = arena->front - units;
    if (units == 0 || (size_t)unit * UNIT - HEADER < kept) {
        return;
    }
    tf_arena_unlink(arena, unit);
    fill(arena, (size_t)unit * UNIT - HEADER, (size_t)arena->front * UNIT - HEADER, NULL,
         0);
    arena->front = unit;
    arena->is_last_free = false;
}

void tf_arena_tidy(struct tf_arena *arena, const void *image, size_t size)
{
    uint32_t unit = first_unit();
    tf_arena_merge_resting(arena);
    retreat(arena, size);
    while (unit < arena->front) {
        const struct header *header = header_at(arena, unit);
        size_t from = (size_t)unit * UNIT;
        uint32_t next = unit + header->units;
        if (next <= unit || next > arena->front) {
            __builtin_trap();
        }
        if (state_of(arena, unit) == STATE_FREE) {
            fill(arena, from + sizeof(struct links), (size_t)next * UNIT - UNIT, image,
                 size);
        }
        unit = next;
    }
}
