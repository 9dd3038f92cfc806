/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap.c - the thread's heap, and heaps over unmeasured pages in general. An arena may
 * lie on garbage; what it hands out must not, because code forgets to initialise.
 *
 * What is freed is wiped: requests, and the keys in them, pass through buffers of ours
 * and of dependencies (jansson's strings, TLS records), and nobody should find them in a
 * later block that was not filled to its end.
 */
#include "enclave/heap.h"

#include <string.h>

#include "enclave/enclu.h"
#include "enclave/local.h"
#include "enclave/panic.h"

enum {
    STEP = 64 << 10, /* zeroed at a time, so that heap nobody uses costs no memory */
    SLACK = 4096     /* more than an allocation takes besides its bytes */
};

struct tf_local *tf_local_self(void)
{
    return (void *)((uint8_t *)tf_self() + TF_LOCAL_OFFSET);
}

/* Zeroes up to `end` bytes from the start, rounded up to a step. */
static void zero_to(struct tf_zeroed_heap *heap, uint64_t end)
{
    if (end <= heap->zeroed) {
        return;
    }
    end = end > heap->size - STEP ? heap->size : (end + STEP - 1) / STEP * STEP;
    memset((uint8_t *)heap->arena + heap->zeroed, 0, end - heap->zeroed);
    heap->zeroed = end;
}

void tf_zeroed_heap_init(struct tf_zeroed_heap *heap, void *memory, uint64_t size)
{
    if (size < STEP) {
        tf_panic(TF_PANIC_HEAP);
    }
    heap->arena = memory;
    heap->size = size;
    heap->zeroed = 0;
    zero_to(heap, STEP);
    heap->arena = tf_arena_init(memory, size);
}

void tf_zeroed_heap_prepare(struct tf_zeroed_heap *heap, uint64_t size)
{
    uint64_t used = tf_arena_used(heap->arena);

    if (used > heap->zeroed) {
        /* Snapshots are taken from the arena itself (enclave/js/slot.h), past this
         * function: what was handed out must not be zeroed any more. */
        heap->zeroed = used;
    }
    if (size > heap->size - used) {
        return; /* it can only be met by memory handed out before, or fail */
    }
    uint64_t end = used + size + SLACK;
    zero_to(heap, end < heap->size ? end : heap->size);
}

void *tf_heap_alloc(size_t size)
{
    struct tf_zeroed_heap *heap = &tf_local_self()->heap;

    tf_zeroed_heap_prepare(heap, size);
    return tf_arena_alloc(heap->arena, size);
}

void *tf_heap_realloc(void *block, size_t size)
{
    struct tf_zeroed_heap *heap = &tf_local_self()->heap;

    if (block == NULL) {
        return tf_heap_alloc(size);
    }
    tf_zeroed_heap_prepare(heap, size);
    if (tf_arena_resize(heap->arena, block, size)) {
        return block;
    }
    void *moved = tf_heap_alloc(size);
    if (moved != NULL) {
        memcpy(moved, block, tf_arena_usable(block)); /* it grew */
        tf_heap_free(block);
    }
    return moved;
}

void tf_heap_free(void *block)
{
    struct tf_arena *arena = tf_local_self()->heap.arena;

    if (block != NULL) {
        tf_arena_wipe(arena, block);
        tf_arena_free(arena, block);
    }
}

size_t tf_heap_usable(const void *block)
{
    return tf_arena_usable(block);
}
