/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/plan.h"

#include <string.h>

#include "test/test.h"

enum { SIZE = 2 << 20, HEAP = 4 << 20, ROUNDS = 200, LARGE = 3000 };

static _Alignas(4096) uint8_t memory[SIZE];
static _Alignas(4096) uint8_t heap_memory[HEAP];

static struct tf_arena *heap;

/* What stays, and what goes after a while, in turns; `change` makes it another run. */
static struct tf_arena *fill(struct tf_plan *plan, void **kept, int change)
{
    struct tf_arena *arena = tf_arena_init(memory, SIZE);
    void *going[ROUNDS] = {NULL};

    tf_arena_plan(arena, plan);
    tf_arena_set_exact(arena, plan != NULL);
    for (int i = 0; i < ROUNDS; i++) {
        going[i] = tf_arena_alloc(arena, (size_t)(LARGE + i % 7 * 100));
        kept[i] = tf_arena_alloc(arena, (size_t)(20 + i % 5 * 16));
        memset(going[i], 1, tf_arena_usable(going[i]));
        memset(kept[i], 2, tf_arena_usable(kept[i]));
        kept[i] = tf_arena_realloc(arena, kept[i], (size_t)(40 + i % 5 * 16));
        if (i >= 3 && i != change) {
            tf_arena_free(arena, going[i - 3]);
            going[i - 3] = NULL;
        }
    }
    for (int i = 0; i < ROUNDS; i++) {
        tf_arena_free(arena, change < 0 || i != change - 3 ? going[i] : NULL);
    }
    tf_arena_set_exact(arena, false);
    tf_arena_plan(arena, NULL);
    return arena;
}

static bool is_kept(void *const *kept)
{
    for (int i = 0; i < ROUNDS; i++) {
        const uint8_t *block = kept[i];
        for (size_t k = 0; k < 20; k++) {
            if (block[k] != 2) {
                return false;
            }
        }
    }
    return true;
}

static void what_stays_lies_together(void)
{
    struct tf_plan plan;
    void *kept[ROUNDS];

    heap = tf_arena_init(heap_memory, HEAP);
    size_t loose = tf_arena_used(fill(NULL, kept, -1));
    CHECK(tf_plan_open(&plan, heap) == TF_OK);
    (void)fill(&plan, kept, -1);
    tf_plan_again(&plan);
    struct tf_arena *arena = fill(&plan, kept, -1);
    CHECK(plan.outside == 0 && is_kept(kept));
    tf_plan_close(&plan, heap);
    CHECK(tf_arena_used(arena) < (size_t)(ROUNDS + 20) * 128);
    CHECK(tf_arena_used(arena) < loose);
    for (int i = 0; i + 1 < ROUNDS; i++) {
        CHECK((uint8_t *)kept[i] < (uint8_t *)kept[i + 1]);
        CHECK((uint8_t *)kept[i + 1] - (uint8_t *)kept[i] <= 128);
    }
    /* An arena as any other afterwards. */
    for (int i = 0; i < ROUNDS; i++) {
        tf_arena_free(arena, kept[i]);
    }
    CHECK(tf_arena_alloc(arena, SIZE / 2) != NULL);
}

static void what_differs_the_second_time_is_counted(void)
{
    struct tf_plan plan;
    void *kept[ROUNDS];

    heap = tf_arena_init(heap_memory, HEAP);
    CHECK(tf_plan_open(&plan, heap) == TF_OK);
    (void)fill(&plan, kept, -1);
    tf_plan_again(&plan);
    (void)fill(&plan, kept, ROUNDS / 2); /* one that went the first time stays */
    CHECK(plan.outside == 1);
    tf_plan_close(&plan, heap);
}

/* Seals every second of what is kept, the first time; `left_out` the second time. */
static void seal(struct tf_arena *arena, struct tf_plan *plan, void *const *kept,
                 int left_out)
{
    tf_arena_plan(arena, plan);
    for (int i = 0; i < ROUNDS; i += 2) {
        if (i != left_out) {
            tf_arena_seal(arena, kept[i]);
        }
    }
    tf_arena_plan(arena, NULL);
}

static bool is_between(const struct tf_arena *arena, const void *block, size_t from,
                       size_t to)
{
    size_t at = (size_t)((const uint8_t *)block - (const uint8_t *)arena);
    return at >= from && at < to;
}

static void what_is_sealed_lies_together(void)
{
    struct tf_plan plan;
    void *kept[ROUNDS];
    size_t from = 0;
    size_t to = 0;

    heap = tf_arena_init(heap_memory, HEAP);
    CHECK(tf_plan_open(&plan, heap) == TF_OK);
    seal(fill(&plan, kept, -1), &plan, kept, -1);
    tf_plan_again(&plan);
    struct tf_arena *arena = fill(&plan, kept, -1);
    CHECK(!tf_plan_sealed(&plan, arena, &from, &to)); /* who says so? */
    seal(arena, &plan, kept, -1);
    CHECK(tf_plan_sealed(&plan, arena, &from, &to) && plan.outside == 0);
    tf_plan_close(&plan, heap);
    CHECK(is_kept(kept));
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(is_between(arena, kept[i], from, to) == (i % 2 == 0));
    }
    tf_arena_tidy(arena, NULL, 0);
    for (int i = 0; i < ROUNDS; i++) {
        tf_arena_free(arena, kept[i]);
    }
    CHECK(tf_arena_alloc(arena, SIZE / 2) != NULL);
}

/* What is not sealed the second time, or was freed, must be copied: so all is. */
static void what_is_not_sealed_again_is_not_left_out(void)
{
    for (int way = 0; way < 2; way++) {
        struct tf_plan plan;
        void *kept[ROUNDS];
        size_t from;
        size_t to;

        heap = tf_arena_init(heap_memory, HEAP);
        CHECK(tf_plan_open(&plan, heap) == TF_OK);
        seal(fill(&plan, kept, -1), &plan, kept, -1);
        tf_plan_again(&plan);
        struct tf_arena *arena = fill(&plan, kept, -1);
        if (way == 1) {
            tf_arena_plan(arena, &plan);
            tf_arena_free(arena, kept[2]);
            tf_arena_plan(arena, NULL);
        }
        seal(arena, &plan, kept, 2);
        CHECK(!tf_plan_sealed(&plan, arena, &from, &to));
        tf_plan_close(&plan, heap);
    }
}

static void a_heap_without_room_gives_no_plan(void)
{
    struct tf_plan plan;

    heap = tf_arena_init(heap_memory, HEAP / 4);
    size_t used = tf_arena_used(heap);
    CHECK(tf_plan_open(&plan, heap) == TF_ENOMEM);
    tf_arena_tidy(heap, NULL, 0);
    CHECK(tf_arena_used(heap) == used);
}

int main(void)
{
    RUN(what_stays_lies_together);
    RUN(what_differs_the_second_time_is_counted);
    RUN(what_is_sealed_lies_together);
    RUN(what_is_not_sealed_again_is_not_left_out);
    RUN(a_heap_without_room_gives_no_plan);
    return test_end();
}
