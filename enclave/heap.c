/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap.c - the thread's heap. A block that is handed out for the first time is zeros
 * (lib/arena.h), because code forgets to initialise.
 *
 * What is freed is wiped: requests, and the keys in them, pass through buffers of ours
 * and of dependencies (jansson's strings, TLS records), and nobody should find them in a
 * later block that was not filled to its end.
 */
#include "enclave/heap.h"

#include <string.h>

#include "enclave/enclu.h"
#include "enclave/local.h"

struct tf_local *tf_local_self(void)
{
    return (void *)((uint8_t *)tf_self() + TF_LOCAL_OFFSET);
}

void *tf_heap_alloc(size_t size)
{
    return tf_arena_alloc(tf_local_self()->heap, size);
}

void *tf_heap_realloc(void *block, size_t size)
{
    if (block == NULL) {
        return tf_heap_alloc(size);
    }
    if (tf_arena_resize(tf_local_self()->heap, block, size)) {
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
    struct tf_arena *arena = tf_local_self()->heap;

    if (block != NULL) {
        tf_arena_wipe(arena, block);
        tf_arena_free(arena, block);
    }
}
