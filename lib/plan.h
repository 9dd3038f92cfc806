/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - has what stays lie together, in an arena that is filled twice in the same way.
 *
 * Whoever starts an engine allocates what stays and what a parser soon frees in turns, so
 * that half of the arena is holes, which every copy copies. The plan notes the first time
 * which allocation, by its number, stays. The second time only those are made in the
 * arena, one behind the other; the others are made in memory that is given up afterwards.
 * What the engine says it will hardly write into again (tf_arena_seal) lies together, so
 * that a copy can leave it out.
 * If the two times differ the arena has holes, no more; what lies outside then is
 * counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"

struct tf_plan {
    uint32_t *numbers; /* by block of the arena, first time: the allocation's number */
    uint8_t *fates;    /* by number: freed, or stays, or is sealed */
    struct tf_arena *others;
    uint32_t next;    /* number of the next allocation */
    uint32_t outside; /* blocks in `others` that were not freed */
    bool is_second;
    size_t sealed;         /* bytes of what is sealed, the first time */
    uint8_t *sealed_at;    /* where it lies, the second time; NULL: nowhere */
    uint8_t *sealed_room;  /* the block that is left of that, or NULL */
    uint32_t sealed_count; /* blocks made there that were not sealed yet */
};

/** Takes what it needs from `heap`; the arena may then be filled the first time, after
 *  tf_arena_plan. @return TF_OK or TF_ENOMEM: nothing was taken. */
TF_MUST_USE tf_err tf_plan_open(struct tf_plan *plan, struct tf_arena *heap);

/** Before the arena is made anew and filled the second time. */
void tf_plan_again(struct tf_plan *plan);

/** Gives back what it took. After the second time nothing may lie outside, see `outside`.
 */
void tf_plan_close(struct tf_plan *plan, struct tf_arena *heap);

/** After the second time: [from, to) of the arena, inside which there is nothing but
 *  sealed blocks. @return false if there is no such place, or the two times differed. */
bool tf_plan_sealed(const struct tf_plan *plan, const struct tf_arena *arena,
                    size_t *from, size_t *to);

/** For the arena: as tf_arena_seal of one that has a plan. */
void tf_plan_seal(struct tf_plan *plan, struct tf_arena *arena, const void *block);

/** For the arena: as tf_arena_alloc and tf_arena_free of one that has a plan. */
void *tf_plan_alloc(struct tf_plan *plan, struct tf_arena *arena, size_t size);
void tf_plan_free(struct tf_plan *plan, struct tf_arena *arena, void *block);
