/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap.h - the heap behind malloc: TLS, HTTP and JSON objects of the thread that runs.
 *
 * enclave/libc/heap.c routes malloc and its like here; nothing else calls it. JavaScript
 * does not use it: an engine allocates from its slot. A block belongs to the thread that
 * allocated it.
 */
#pragma once

#include <stddef.h>

/** Allocates `size` bytes (at least 1), 16-byte aligned, not zeroed. @return NULL when
 * full. */
void *tf_heap_alloc(size_t size);

/** Resizes a block, keeping its contents. `block` may be NULL; `size` is at least 1.
 *  @return the block, perhaps moved; NULL when full, and then `block` is untouched. */
void *tf_heap_realloc(void *block, size_t size);

/** Frees a block; NULL is ignored. A block that is not one ends the enclave. */
void tf_heap_free(void *block);
