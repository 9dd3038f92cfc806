/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/shared.h"

#include "enclave/enclu.h"
#include "enclave/local.h"

static struct tf_arena *shared;

void tf_lock_take(struct tf_lock *lock)
{
    while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE) != 0) {
        while (__atomic_load_n(&lock->taken, __ATOMIC_RELAXED) != 0) {
            __builtin_ia32_pause();
        }
    }
}

void tf_lock_give(struct tf_lock *lock)
{
    __atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}

void *tf_shared_alloc(size_t size)
{
    if (shared == NULL) {
        const struct tf_thread_page *page = tf_self();
        shared = tf_arena_init_fresh(tf_own(page, page->shared), page->shared_size, 0,
                                     tf_accept);
    }
    return shared == NULL ? NULL : tf_arena_alloc(shared, size);
}

void tf_shared_free(void *block)
{
    if (block != NULL) {
        tf_arena_free(shared, block);
    }
}
