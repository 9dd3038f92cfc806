/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/plan.h"

#include <string.h>

enum {
    ARENA_MAX = 1 << 20, /* as far as it may be filled */
    UNIT = 16,           /* no two blocks begin in one */
    COUNT_MAX = 1 << 17, /* allocations; further ones are made in the arena */
    OTHERS_SIZE = 768 << 10
};

tf_err tf_plan_open(struct tf_plan *plan, struct tf_arena *heap)
{
    void *others = tf_arena_alloc(heap, OTHERS_SIZE);

    *plan = (struct tf_plan){0};
    plan->numbers = tf_arena_alloc(heap, ARENA_MAX / UNIT * sizeof(*plan->numbers));
    plan->stays = tf_arena_alloc(heap, COUNT_MAX);
    plan->others = others == NULL ? NULL : tf_arena_init(others, OTHERS_SIZE);
    if (plan->others == NULL || plan->numbers == NULL || plan->stays == NULL) {
        tf_plan_close(plan, heap);
        return TF_ENOMEM;
    }
    memset(plan->stays, 0, COUNT_MAX);
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
    tf_arena_free(heap, plan->stays);
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

void *tf_plan_alloc(struct tf_plan *plan, struct tf_arena *arena, size_t size)
{
    uint32_t number = plan->next;
    void *block;

    if (number == COUNT_MAX || size == 0) {
        return alloc_inside(plan, arena, size);
    }
    plan->next++;
    if (plan->is_second && !plan->stays[number]) {
        block = tf_arena_alloc(plan->others, size);
        plan->outside += block != NULL;
        return block != NULL ? block : alloc_inside(plan, arena, size);
    }
    block = alloc_inside(plan, arena, size);
    if (!plan->is_second && block != NULL && offset_of(arena, block) < ARENA_MAX) {
        plan->numbers[offset_of(arena, block) / UNIT] = number;
        plan->stays[number] = 1;
    }
    return block;
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
        plan->stays[plan->numbers[offset / UNIT]] = 0;
    }
    tf_arena_plan(arena, NULL);
    tf_arena_free(arena, block);
    tf_arena_plan(arena, plan);
}
