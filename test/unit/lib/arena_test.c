/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/arena.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/test.h"

enum { SIZE = 1 << 20, HOSTILE = 0xa5 };

static _Alignas(4096) uint8_t memory[SIZE];
static uint8_t snapshot[SIZE];

static struct tf_arena *fresh(size_t size)
{
    memset(memory, HOSTILE, sizeof(memory));
    return tf_arena_init(memory, size);
}

static int is_filled(const uint8_t *bytes, uint8_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != value) {
            return 0;
        }
    }
    return 1;
}

static void test_too_small_is_refused(void)
{
    CHECK(tf_arena_init(memory, 4095) == NULL);
    CHECK(fresh(4096) != NULL);
    CHECK(tf_arena_alloc(fresh(4096), 1000) != NULL);
}

static void test_blocks_are_aligned_and_hold_their_size(void)
{
    struct tf_arena *arena = fresh(SIZE);
    for (size_t size = 1; size < 700; size++) {
        uint8_t *block = tf_arena_alloc(arena, size);
        CHECK(block != NULL && (uintptr_t)block % 16 == 0);
        CHECK(tf_arena_usable(block) >= size && tf_arena_usable(block) < size + 32);
        memset(block, 1, tf_arena_usable(block));
    }
    CHECK(tf_arena_usable(NULL) == 0);
}

static void test_zero_and_huge_sizes_fail(void)
{
    struct tf_arena *arena = fresh(SIZE);
    CHECK(tf_arena_alloc(arena, 0) == NULL);
    CHECK(!tf_arena_failed(arena));
    CHECK(tf_arena_alloc(arena, SIZE_MAX) == NULL);
    CHECK(tf_arena_alloc(arena, SIZE_MAX - 15) == NULL);
    CHECK(tf_arena_alloc(arena, (size_t)1 << 32) == NULL);
    CHECK(tf_arena_alloc(arena, SIZE) == NULL);
    CHECK(tf_arena_failed(arena));
    CHECK(!tf_arena_failed(arena));
}

static void test_freed_memory_comes_back_before_fresh_memory(void)
{
    struct tf_arena *arena = fresh(SIZE);
    void *first = tf_arena_alloc(arena, 1000);
    void *second = tf_arena_alloc(arena, 1000);
    size_t used = tf_arena_used(arena);
    tf_arena_free(arena, first);
    CHECK(tf_arena_alloc(arena, 1000) == first);
    tf_arena_free(arena, first);
    tf_arena_free(arena, second);
    CHECK(tf_arena_alloc(arena, 2008) == first);
    CHECK(tf_arena_used(arena) == used);
}

static void test_the_end_comes_first_where_it_should(void)
{
    struct tf_arena *arena = fresh(SIZE);
    void *hole = tf_arena_alloc(arena, 1000);
    void *last = tf_arena_alloc(arena, 1000);
    void *small[4];

    tf_arena_free(arena, hole);
    tf_arena_free(arena, last); /* one free block, just before the front */
    size_t used = tf_arena_used(arena);
    tf_arena_set_ahead(arena, 128);
    for (int i = 0; i < 4; i++) {
        small[i] = tf_arena_alloc(arena, 24);
        CHECK((uintptr_t)small[i] >= (uintptr_t)arena + used);
        memset(small[i], 0xa5, 24);
    }
    CHECK(tf_arena_used(arena) == used + 128);
    CHECK(tf_arena_alloc(arena, 24) == hole); /* and then no longer */
    void *large = tf_arena_alloc(arena, 1500);
    CHECK((uintptr_t)large > (uintptr_t)hole && (uintptr_t)large < (uintptr_t)small[0]);
    for (int i = 0; i < 4; i++) {
        tf_arena_free(arena, small[i]);
    }
    tf_arena_free(arena, large);
    tf_arena_free(arena, hole);
    tf_arena_tidy(arena, NULL, 0);
    CHECK(tf_arena_used(arena) < 3000); /* all merged, and given back */
}

static void test_neighbours_merge_in_every_order(void)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (int i = 0; i < 6; i++) {
        struct tf_arena *arena = fresh(SIZE);
        void *blocks[3];
        for (int j = 0; j < 3; j++) {
            blocks[j] = tf_arena_alloc(arena, 120);
        }
        void *fence = tf_arena_alloc(arena, 8);
        for (int j = 0; j < 3; j++) {
            tf_arena_free(arena, blocks[orders[i][j]]);
        }
        CHECK(tf_arena_alloc(arena, 3 * 128 - 8) == blocks[0]);
        tf_arena_free(arena, fence);
    }
}

static void test_realloc_grows_in_place(void)
{
    struct tf_arena *arena = fresh(SIZE);
    uint8_t *first = tf_arena_alloc(arena, 100);
    uint8_t *second = tf_arena_alloc(arena, 100);
    memset(second, 7, 100);
    CHECK(tf_arena_realloc(arena, second, 5000) == second); /* into fresh memory */
    CHECK(is_filled(second, 7, 100));
    void *fence = tf_arena_alloc(arena, 100);
    tf_arena_free(arena, second);
    memset(first, 9, 100);
    size_t used = tf_arena_used(arena);
    CHECK(tf_arena_realloc(arena, first, 3000) == first); /* into a free block */
    CHECK(is_filled(first, 9, 100));
    CHECK(tf_arena_used(arena) == used);
    first = tf_arena_realloc(arena, first, 9000); /* has to move */
    CHECK(is_filled(first, 9, 100));
    CHECK((uint8_t *)fence < first);
}

static void test_small_blocks_that_grow_leave_what_rests(void)
{
    struct tf_arena *arena = fresh(SIZE);
    tf_arena_set_ahead(arena, 4096);
    uint8_t *small = tf_arena_alloc(arena, 40);
    void *next = tf_arena_alloc(arena, 40);
    memset(small, 5, 40);
    tf_arena_free(arena, next);
    uint8_t *grown = tf_arena_realloc(arena, small, 60);
    CHECK(grown != small && is_filled(grown, 5, 40));
    CHECK(tf_arena_alloc(arena, 40) == small && tf_arena_alloc(arena, 40) == next);

    uint8_t *large = tf_arena_alloc(arena, 400);
    next = tf_arena_alloc(arena, 40);
    CHECK(tf_arena_alloc(arena, 40) != NULL);
    tf_arena_free(arena, next);
    CHECK(tf_arena_realloc(arena, large, 430) == large); /* it takes longer to copy */
}

static void test_realloc_shrinks_and_gives_back(void)
{
    struct tf_arena *arena = fresh(SIZE);
    uint8_t *block = tf_arena_alloc(arena, 5000);
    CHECK(tf_arena_realloc(arena, block, 50) == block);
    size_t used = tf_arena_used(arena);
    CHECK(tf_arena_alloc(arena, 4000) != NULL);
    CHECK(tf_arena_used(arena) == used);
    CHECK(tf_arena_realloc(arena, block, 0) == NULL);
    CHECK(tf_arena_alloc(arena, 50) == block);
    CHECK(tf_arena_realloc(arena, NULL, 50) != NULL);
}

static void test_failed_realloc_keeps_the_block(void)
{
    struct tf_arena *arena = fresh(8192);
    uint8_t *block = tf_arena_alloc(arena, 1000);
    memset(block, 3, 1000);
    CHECK(tf_arena_realloc(arena, block, 100000) == NULL);
    CHECK(tf_arena_failed(arena));
    CHECK(is_filled(block, 3, 1000));
    tf_arena_free(arena, block);
}

static void test_cap_limits_and_lifts(void)
{
    struct tf_arena *arena = fresh(SIZE);
    CHECK(tf_arena_limit(arena) == SIZE);
    tf_arena_cap(arena, 16384);
    CHECK(tf_arena_limit(arena) == 16384);
    size_t count = 0;
    while (tf_arena_alloc(arena, 100) != NULL) {
        count++;
    }
    CHECK(count > 80 && tf_arena_used(arena) <= 16384);
    CHECK(tf_arena_failed(arena));
    tf_arena_cap(arena, 0);
    CHECK(tf_arena_alloc(arena, 100) != NULL);
    CHECK(!tf_arena_failed(arena));
}

static void test_memory_beyond_used_is_never_touched(void)
{
    struct tf_arena *arena = fresh(SIZE);
    void *blocks[100];
    for (size_t i = 0; i < 100; i++) {
        blocks[i] = tf_arena_alloc(arena, 10 + 37 * i);
        memset(blocks[i], 0, tf_arena_usable(blocks[i]));
    }
    for (size_t i = 0; i < 100; i += 2) {
        tf_arena_free(arena, blocks[i]);
    }
    tf_arena_free(arena, blocks[99]);
    size_t used = tf_arena_used(arena);
    CHECK(used < SIZE / 2);
    size_t zeroed = tf_arena_zeroed(arena);
    CHECK(is_filled(memory + used, 0, zeroed - used));
    CHECK(is_filled(memory + zeroed, HOSTILE, SIZE - zeroed));
}

/* A shadow of what should be in the arena: every block has one byte value. */
struct shadow {
    uint8_t *block;
    size_t size;
    uint8_t value;
};

enum { SHADOWS = 200 };

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static size_t random_size(uint32_t *state)
{
    uint32_t kind = next_random(state) % 10;
    uint32_t bound = kind < 6 ? 120 : kind < 9 ? 2000 : 20000;
    return 1 + next_random(state) % bound;
}

static void step(struct tf_arena *arena, struct shadow *shadow, uint32_t *state)
{
    size_t size = random_size(state);
    size_t kept = shadow->size < size ? shadow->size : size;
    if (shadow->block != NULL && next_random(state) % 3 != 0) {
        CHECK(is_filled(shadow->block, shadow->value, shadow->size));
        tf_arena_free(arena, shadow->block);
        *shadow = (struct shadow){0};
        return;
    }
    uint8_t *block = tf_arena_realloc(arena, shadow->block, size);
    if (block == NULL) {
        return;
    }
    CHECK(is_filled(block, shadow->value, kept));
    CHECK((uintptr_t)block % 16 == 0 && tf_arena_usable(block) >= size);
    CHECK(block + size <= memory + tf_arena_used(arena));
    *shadow = (struct shadow){block, size, (uint8_t)next_random(state)};
    memset(block, shadow->value, size);
}

static void stress(struct tf_arena *arena, struct shadow *shadows, uint32_t seed,
                   int steps)
{
    for (int i = 0; i < steps; i++) {
        step(arena, &shadows[next_random(&seed) % SHADOWS], &seed);
    }
    for (size_t i = 0; i < SHADOWS; i++) {
        CHECK(is_filled(shadows[i].block, shadows[i].value, shadows[i].size));
    }
}

static void test_random_stress_against_a_shadow(void)
{
    for (uint32_t seed = 1; seed <= 20; seed++) {
        struct shadow shadows[SHADOWS] = {{0}};
        struct tf_arena *arena = fresh(seed % 2 ? SIZE : 200000);
        stress(arena, shadows, seed, 10000);
        size_t used = tf_arena_used(arena);
        size_t zeroed = tf_arena_zeroed(arena);
        CHECK(is_filled(memory + used, 0, zeroed - used));
        CHECK(is_filled(memory + zeroed, HOSTILE, SIZE - zeroed));
        for (size_t i = 0; i < SHADOWS; i++) {
            tf_arena_free(arena, shadows[i].block);
        }
        /* All merged again: nearly everything is one block. */
        CHECK(tf_arena_alloc(arena, used - 4000) != NULL);
        CHECK(tf_arena_used(arena) == used);
    }
}

static void test_snapshot_restores_and_repeats(void)
{
    struct shadow before[SHADOWS] = {{0}};
    struct tf_arena *arena = fresh(SIZE);
    stress(arena, before, 99, 3000);
    size_t used = tf_arena_used(arena);
    memcpy(snapshot, memory, used);

    struct shadow first[SHADOWS];
    memcpy(first, before, sizeof(first));
    stress(arena, first, 5, 3000);
    size_t used_then = tf_arena_used(arena);

    memset(memory, 0x5a, sizeof(memory)); /* other garbage than the first time */
    memcpy(memory, snapshot, used);
    CHECK(tf_arena_used(arena) == used);
    struct shadow second[SHADOWS];
    memcpy(second, before, sizeof(second));
    stress(arena, second, 5, 3000);
    CHECK(memcmp(first, second, sizeof(first)) == 0); /* the same addresses */
    CHECK(tf_arena_used(arena) == used_then);
}

static void test_what_is_handed_out_first_is_zero(void)
{
    struct tf_arena *arena = fresh(SIZE);
    for (size_t size = 1; size < 300000; size = size * 3) {
        const uint8_t *block = tf_arena_alloc(arena, size);
        CHECK(block != NULL && is_filled(block, 0, tf_arena_usable(block)));
    }
    CHECK(tf_arena_zeroed(arena) >= tf_arena_used(arena));
    CHECK(is_filled(memory + SIZE - 4096, HOSTILE, 4096));
    /* What is said to be zero already is not zeroed again. */
    arena = fresh(SIZE);
    tf_arena_note_zeroed(arena, SIZE);
    const uint8_t *block = tf_arena_alloc(arena, 1000);
    CHECK(is_filled(block, HOSTILE, 1000));
}

enum { PAGE = 4096 };

static unsigned brought[SIZE / PAGE];

static void bring(void *from, size_t size)
{
    size_t at = (size_t)((uint8_t *)from - memory);

    CHECK(at % PAGE == 0 && size % PAGE == 0 && at + size <= SIZE);
    for (size_t i = at / PAGE; i < (at + size) / PAGE; i++) {
        brought[i]++;
    }
    memset(from, 0, size);
}

/* Whether each page was brought once, or never and is as it was. */
static bool is_brought_once(void)
{
    for (size_t i = 0; i < SIZE / PAGE; i++) {
        if (brought[i] > 1 ||
            (brought[i] == 0 && !is_filled(memory + i * PAGE, HOSTILE, PAGE))) {
            return false;
        }
    }
    return brought[0] == 1;
}

static void test_memory_is_brought_by_pages_each_once(void)
{
    struct shadow shadows[SHADOWS] = {{0}};

    memset(memory, HOSTILE, sizeof(memory));
    memset(brought, 0, sizeof(brought));
    CHECK(tf_arena_init_fresh(memory, PAGE - 1, 0, bring) == NULL && brought[0] == 0);
    struct tf_arena *arena = tf_arena_init_fresh(memory, SIZE, 0, bring);
    CHECK(brought[0] == 1 && brought[SIZE / PAGE - 1] == 0);
    stress(arena, shadows, 7, 3000);
    CHECK(is_brought_once());
    /* Another arena in its place asks for what is not there yet, and nothing else. */
    memset(shadows, 0, sizeof(shadows));
    arena = tf_arena_init_fresh(memory, SIZE, tf_arena_zeroed(arena), bring);
    stress(arena, shadows, 8, 3000);
    while (tf_arena_alloc(arena, PAGE) != NULL) {
    }
    CHECK(is_brought_once() && brought[SIZE / PAGE - 1] == 1);
}

static void test_tidy_leaves_nothing_in_free_blocks(void)
{
    struct tf_arena *arena = fresh(SIZE);
    uint8_t *first = tf_arena_alloc(arena, 1000);
    uint8_t *hole = tf_arena_alloc(arena, 1000);
    const uint8_t *kept = tf_arena_alloc(arena, 1000);
    size_t used = tf_arena_used(arena);
    memset(first, 1, 1000);
    memset(hole, 2, 1000);
    tf_arena_free(arena, hole);
    tf_arena_tidy(arena, NULL, 0);
    CHECK(is_filled(hole + 8, 0, 900) && is_filled(first, 1, 1000));
    memcpy(snapshot, memory, used);

    /* The same blocks come and go: then nothing is another. */
    hole = tf_arena_alloc(arena, 500);
    uint8_t *last = tf_arena_alloc(arena, 5000);
    memset(hole, 3, 500);
    memset(last, 4, 5000);
    tf_arena_free(arena, last);
    tf_arena_free(arena, hole);
    tf_arena_tidy(arena, snapshot, used);
    CHECK(tf_arena_used(arena) == used);
    CHECK(memcmp(kept, snapshot + (kept - memory), 1000) == 0);
    CHECK(is_filled(hole + 8, 0, 900));
    CHECK(is_filled(memory + used, 0, 6000));

    /* Beyond the image as inside it; what the image has there is no front to go back to.
     */
    last = tf_arena_alloc(arena, 5000);
    CHECK(last != NULL);
    memset(snapshot, 9, SIZE);
    tf_arena_free(arena, last);
    tf_arena_tidy(arena, snapshot, used + 3000);
    CHECK(tf_arena_used(arena) > used);
    CHECK(is_filled(last + 8, 9, 2900) && is_filled(last + 3008, 0, 1900));
}

/* Whether `act` dies by a trap, in a child. */
static int traps(void (*act)(void))
{
    pid_t child = fork();
    if (child == 0) {
        (void)signal(SIGILL, SIG_DFL);
        (void)signal(SIGTRAP, SIG_DFL);
        act();
        _exit(0);
    }
    int status = 0;
    (void)waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL;
}

static void free_twice(void)
{
    struct tf_arena *arena = fresh(SIZE);
    void *block = tf_arena_alloc(arena, 100);
    tf_arena_free(arena, block);
    tf_arena_free(arena, block);
}

static void free_twice_after_merging(void)
{
    struct tf_arena *arena = fresh(SIZE);
    void *first = tf_arena_alloc(arena, 100);
    void *second = tf_arena_alloc(arena, 100);
    tf_arena_free(arena, first);
    tf_arena_free(arena, second);
    tf_arena_free(arena, second);
}

static void free_inside_a_block(void)
{
    struct tf_arena *arena = fresh(SIZE);
    uint8_t *block = tf_arena_alloc(arena, 100);
    memset(block, 0, 100);
    tf_arena_free(arena, block + 32);
}

static void free_outside(void)
{
    tf_arena_free(fresh(4096), memory + 8192);
}

static void test_foreign_pointers_trap(void)
{
    CHECK(traps(free_twice));
    CHECK(traps(free_twice_after_merging));
    CHECK(traps(free_inside_a_block));
    CHECK(traps(free_outside));
}

/* Lines from `line` on, as one string of those that are found. */
static bool finds(const struct tf_arena *arena, size_t line, const char *expected)
{
    char found[256] = "";
    size_t size = 0;
    size_t end;

    while (size < sizeof(found) && tf_arena_unsealed(arena, &line, &end)) {
        size +=
            (size_t)snprintf(found + size, sizeof(found) - size, "%zu-%zu ", line, end);
        line = end;
    }
    return strcmp(found, expected) == 0;
}

static void what_is_unsealed_is_found_by_lines(void)
{
    static _Alignas(16) uint8_t bytes[256 << 10];
    struct tf_arena *arena = tf_arena_init(bytes, sizeof(bytes));

    CHECK(finds(arena, 0, ""));
    tf_arena_unseal(arena, bytes + 70 * TF_ARENA_LINE - 1, 2);
    tf_arena_unseal(arena, bytes + 120 * TF_ARENA_LINE, 80 * TF_ARENA_LINE);
    tf_arena_unseal(arena, bytes + TF_ARENA_SEAL_MAX - 1, 4096);
    tf_arena_unseal(arena, bytes + TF_ARENA_SEAL_MAX, 4096); /* nobody seals there */
    CHECK(finds(arena, 0, "69-71 120-128 128-192 192-200 2559-2560 "));
    CHECK(finds(arena, 70, "70-71 120-128 128-192 192-200 2559-2560 "));
    CHECK(finds(arena, 150, "150-192 192-200 2559-2560 "));
    CHECK(finds(arena, 2560, ""));
    CHECK(!tf_arena_is_unsealed(arena));
    tf_arena_unseal(arena, NULL, 0);
    CHECK(tf_arena_is_unsealed(arena));
}

int main(void)
{
    RUN(test_too_small_is_refused);
    RUN(test_blocks_are_aligned_and_hold_their_size);
    RUN(test_zero_and_huge_sizes_fail);
    RUN(test_freed_memory_comes_back_before_fresh_memory);
    RUN(test_the_end_comes_first_where_it_should);
    RUN(test_neighbours_merge_in_every_order);
    RUN(test_realloc_grows_in_place);
    RUN(test_small_blocks_that_grow_leave_what_rests);
    RUN(test_realloc_shrinks_and_gives_back);
    RUN(test_failed_realloc_keeps_the_block);
    RUN(test_cap_limits_and_lifts);
    RUN(test_memory_beyond_used_is_never_touched);
    RUN(test_random_stress_against_a_shadow);
    RUN(test_snapshot_restores_and_repeats);
    RUN(test_what_is_handed_out_first_is_zero);
    RUN(test_memory_is_brought_by_pages_each_once);
    RUN(test_tidy_leaves_nothing_in_free_blocks);
    RUN(test_foreign_pointers_trap);
    RUN(what_is_unsealed_is_found_by_lines);
    return test_end();
}
