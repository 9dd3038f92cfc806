/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread's heap as the image has it, over memory that the host filled. Natively the
 * core runs on the C library's heap, so the file under test is included under other
 * names.
 */
#define tf_heap_alloc   image_alloc
#define tf_heap_realloc image_realloc
#define tf_heap_free    image_free
#define tf_local_self   image_local
#include "enclave/heap.c"

#include <stdlib.h>

#include "test/native/native.h"
#include "test/test.h"

enum { SIZE = 1 << 20, BLOCK = 3000, SMALL = 128, AT = 64 };

static const char secret[] = "-----BEGIN EC PRIVATE KEY-----";

/* A thread page and a heap of the host's garbage behind it. */
static uint8_t *started(void)
{
    uint8_t *memory = aligned_alloc(TF_PAGE, SIZE);

    tf_native_cpu.self = aligned_alloc(TF_PAGE, TF_PAGE);
    memset(tf_native_cpu.self, 0, TF_PAGE);
    tf_native_cpu.self->self = (uint64_t)(uintptr_t)tf_native_cpu.self;
    memset(memory, 0xa5, SIZE);
    image_local()->heap = tf_arena_init(memory, SIZE);
    return memory;
}

static void ended(uint8_t *memory)
{
    free(memory);
    free(tf_native_cpu.self);
    tf_native_cpu.self = NULL;
}

static bool is_in(const uint8_t *memory)
{
    return memmem(memory, SIZE, secret, sizeof(secret) - 1) != NULL;
}

static void what_the_host_left_is_never_handed_out(void)
{
    uint8_t *memory = started();

    for (int i = 0; i < 100; i++) {
        uint8_t *block = image_alloc(BLOCK);
        for (int k = 0; k < BLOCK; k++) {
            CHECK(block[k] == 0);
        }
    }
    ended(memory);
}

static void a_freed_block_keeps_nothing(void)
{
    uint8_t *memory = started();
    char *small = image_alloc(SMALL);
    char *large = image_alloc(BLOCK);

    /* Not at the ends, where the allocator keeps its links. */
    memcpy(small + AT, secret, sizeof(secret));
    memcpy(large + AT, secret, sizeof(secret));
    CHECK(is_in(memory));
    image_free(small);
    image_free(large);
    image_free(NULL);
    CHECK(!is_in(memory));
    ended(memory);
}

static void a_block_that_grows_moves_without_a_trace(void)
{
    uint8_t *memory = started();
    char *block = image_alloc(BLOCK);
    const char *behind = image_alloc(BLOCK); /* so that it has to move */

    CHECK(behind != NULL);
    memcpy(block + AT, secret, sizeof(secret));
    char *grown = image_realloc(block, 3 * (size_t)BLOCK);
    CHECK(grown != block && memcmp(grown + AT, secret, sizeof(secret)) == 0);
    memset(grown + AT, 0, sizeof(secret));
    CHECK(!is_in(memory));
    /* At the end there is room: it stays where it is. */
    CHECK(image_realloc(grown, 4 * (size_t)BLOCK) == grown);
    CHECK(image_realloc(grown, SIZE) == NULL);
    CHECK(image_realloc(grown, 10) == grown);
    ended(memory);
}

int main(void)
{
    RUN(what_the_host_left_is_never_handed_out);
    RUN(a_freed_block_keeps_nothing);
    RUN(a_block_that_grows_moves_without_a_trace);
    return test_end();
}
