/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap.c - malloc and its like over enclave/heap.h, instead of musl's, which asks the
 * kernel for memory.
 *
 * The functions are defined under names of ours with the C library's as their assembler
 * name: the compiler would else assume things about them that it knows of the real ones.
 */
#include "enclave/heap.h"

#include <stdint.h>

void *tf_libc_malloc(size_t size) __asm__("malloc");
void *tf_libc_calloc(size_t count, size_t size) __asm__("calloc");
void *tf_libc_realloc(void *block, size_t size) __asm__("realloc");
void tf_libc_free(void *block) __asm__("free");

void *memset(void *block, int byte, size_t size);

/* malloc(0) may return NULL, but callers take that for "full": give one byte. */
void *tf_libc_malloc(size_t size)
{
    return tf_heap_alloc(size != 0 ? size : 1);
}

void *tf_libc_calloc(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    size_t total = count * size;
    void *block = tf_libc_malloc(total);

    if (block != NULL) {
        memset(block, 0, total);
    }
    return block;
}

void *tf_libc_realloc(void *block, size_t size)
{
    return tf_heap_realloc(block, size != 0 ? size : 1);
}

void tf_libc_free(void *block)
{
    tf_heap_free(block);
}
