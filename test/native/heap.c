/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap.c - enclave/heap.h and enclave/local.h over the C library's heap, so that a
 * sanitizer sees every block.
 */
#include "enclave/heap.h"

#include <stdlib.h>

#include "enclave/enclu.h"
#include "enclave/local.h"

void *tf_heap_alloc(size_t size)
{
    return malloc(size);
}

void *tf_heap_realloc(void *block, size_t size)
{
    return realloc(block, size);
}

void tf_heap_free(void *block)
{
    free(block);
}

struct tf_local *tf_local_self(void)
{
    return (void *)((uint8_t *)tf_self() + TF_LOCAL_OFFSET);
}
