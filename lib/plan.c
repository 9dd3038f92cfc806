/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/plan.h"

#include <string.h>

enum {
    ARENA_MAX = 1 << 20, /* as far as it may be filled */
    UNIT = 16,           /* no two blocks begin in one */
    HEADER = 8,          /* of a block */
    COUNT_MAX = 1 << 17, /* allocations; further ones are made in the arena */
    OTHERS_SIZE = 768 << 10
};

/* What becomes of an allocation. */
enum { FREED, STAYS, SEALED };

tf_err tf_plan_open(struct tf_plan *plan, struct tf_arena *heap)
{
    void *others = tf_arena_alloc(heap, OTHERS_SIZE);

    *plan = (struct tf_plan){0};
    plan->numbers = tf_arena_alloc(heap, ARENA_MAX / UNIT * sizeof(*plan->numbers));
    plan->fates = tf_arena_alloc(heap, COUNT_MAX);
    plan->others = others == NULL ? NULL : tf_arena_init(others, OTHERS_SIZE);
    if (plan->others == NULL || plan->numbers == NULL || plan->fates == NULL) {
        tf_plan_close(plan, heap);
        return TF_ENOMEM;
    }
    memset(plan->fates, 0, COUNT_MAX);
    tf_arena_set_exact(plan->others, true);
    return TF_OK;
}

void tf_plan_again(struct tf_plan *plan)
{
    plan->next = 0;
    plan->is_second = true;
}

void tf_plan_close(struct tf_plan *plan, struct tf_arena *heap)
{
    tf_arena_free(heap, plan->fates);
    tf_arena_free(heap, plan->numbers);
    tf_arena_free(heap, plan->others);
    *plan = (struct tf_plan){0};
}

/* In the arena, without the plan. */
static void *alloc_inside(struct tf_plan *plan, struct tf_arena *arena, size_t size)
{
    tf_arena_plan(arena, NULL);
    void *block = tf_arena_alloc(arena, size);
    tf_arena_plan(arena, plan);
    return block;
}

static size_t offset_of(const struct tf_arena *arena, const void *block)
{
    return (uintptr_t)block - (uintptr_t)arena;
}

/* In the place for what is sealed, which the first allocation makes; or NULL. */
static void *alloc_sealed(struct tf_plan *plan, struct tf_arena *arena, size_t size)
{
    uint8_t *block;

    if (plan->sealed_at == NULL) {
        plan->sealed_at = alloc_inside(plan, arena, plan->sealed - HEADER);
        plan->sealed_room = plan->sealed_at;
    }
    block = plan->sealed_room;
    if (block == NULL || size > tf_arena_usable(block)) {
        return NULL;
    }
    plan->sealed_room = tf_arena_split(arena, block, size);
    plan->sealed_count++;
    return block;
}

/* The second time. */
static void *alloc_again(struct tf_plan *plan, struct tf_arena *arena, size_t size,
                         uint8_t fate)
{
    void *block = NULL;

    if (fate == FREED) {
        block = tf_arena_alloc(plan->others, size);
        plan->outside += block != NULL;
    } else if (fate == SEALED) {
        block = alloc_sealed(plan, arena, size);
    }
    return block != NULL ? block : alloc_inside(plan, arena, size);
}

void *tf_plan_alloc(struct tf_plan *plan, struct tf_arena *arena, size_t size)
{
    uint32_t number = plan->next;
    void *block;

    if (number == COUNT_MAX || size == 0) {
        return alloc_inside(plan, arena, size);
    }
    plan->next++;
    if (plan->is_second) {
        return alloc_again(plan, arena, size, plan->fates[number]);
    }
    block = alloc_inside(plan, arena, size);
    if (block != NULL && offset_of(arena, block) < ARENA_MAX) {
        plan->numbers[offset_of(arena, block) / UNIT] = number;
        plan->fates[number] = STAYS;
    }
    return block;
}

static bool is_in_sealed(const struct tf_plan *plan, const void *block)
{
    return plan->sealed_at != NULL &&
           (uintptr_t)block - (uintptr_t)plan->sealed_at < plan->sealed - HEADER;
}

void tf_plan_seal(struct tf_plan *plan, struct tf_arena *arena, const void *block)
{
    size_t offset = offset_of(arena, block);

    if (plan->is_second) {
        plan->sealed_count -= is_in_sealed(plan, block);
    } else if (offset < ARENA_MAX) {
        plan->fates[plan->numbers[offset / UNIT]] = SEALED;
        plan->sealed += tf_arena_usable(block) + HEADER;
    }
}

bool tf_plan_sealed(const struct tf_plan *plan, const struct tf_arena *arena,
                    size_t *from, size_t *to)
{
    /* What was made there was sealed, each block; and the place is full. */
    if (plan->sealed_at == NULL || plan->sealed_room != NULL || plan->sealed_count != 0) {
        return false;
    }
    *from = offset_of(arena, plan->sealed_at);
    *to = *from + plan->sealed - HEADER;
    *to = *to < TF_ARENA_SEAL_MAX ? *to : TF_ARENA_SEAL_MAX;
    return *from < *to;
}

void tf_plan_free(struct tf_plan *plan, struct tf_arena *arena, void *block)
{
    size_t offset = offset_of(arena, block);

    if (plan->is_second && offset_of(plan->others, block) < OTHERS_SIZE) {
        plan->outside--;
        tf_arena_free(plan->others, block);
        return;
    }
    if (!plan->is_second && offset < ARENA_MAX) {
        plan->fates[plan->numbers[offset / UNIT]] = FREED;
    }
    tf_arena_plan(arena, NULL);
    tf_arena_free(arena, block);
    tf_arena_plan(arena, plan);
}
