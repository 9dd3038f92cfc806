/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.c - abi/native.h's core half: the memory that an image's layout gives an enclave,
 * and the way in. What follows is enclave/entry.c, as behind EENTER.
 */
#include "enclave/entry.h"

#include <string.h>
#include <sys/mman.h>

#include "abi/limits.h"
#include "enclave/boundary.h"
#include "enclave/local.h"
#include "enclave/native/place.h"

#define MIB ((uint64_t)1 << 20)

/* As enclave/layout.c gives an image; the slot is scratch memory here. */
static const uint64_t STACK_SIZE = 1 * MIB;
static const uint64_t HEAP_SIZE = 24 * MIB;
static const uint64_t SLOT_SIZE = 64 * MIB;
static const uint64_t SHARED_SIZE = 64 * MIB;

uint32_t tf_dead;

/* The one static object of this half: there is one place, and it never ends. */
static struct {
    struct tf_native_place place;
    struct tf_thread_page *pages[TF_THREADS_MAX];
} core;

const struct tf_native_place *tf_native_place(void)
{
    return &core.place;
}

/* Zeroed, with nothing mapped before and behind it. @return 0: there is no memory. */
static uint64_t map(uint64_t size)
{
    uint8_t *at = mmap(NULL, size + 2 * (uint64_t)TF_GUARD, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (at == MAP_FAILED || mprotect(at + TF_GUARD, size, PROT_READ | PROT_WRITE) != 0) {
        return 0;
    }
    return (uint64_t)(uintptr_t)(at + TF_GUARD);
}

/* Offsets are from the base, which is 0: they are addresses. */
static struct tf_thread_page *make_page(uint64_t index, uint64_t shared)
{
    uint64_t address = map(TF_PAGE);
    uint64_t heap = map(HEAP_SIZE);
    uint64_t slot = map(SLOT_SIZE);

    if (address == 0 || heap == 0 || slot == 0) {
        return NULL;
    }
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): just mapped */
    struct tf_thread_page *page = (void *)(uintptr_t)address;
    *page = (struct tf_thread_page){.self = address,
                                    .page = address,
                                    .stack_size = STACK_SIZE,
                                    .heap = heap,
                                    .heap_size = HEAP_SIZE,
                                    .slot = slot,
                                    .slot_size = SLOT_SIZE,
                                    .shared = shared,
                                    .shared_size = SHARED_SIZE,
                                    .index = index};
    return page;
}

int tf_native_open(const struct tf_native_place *place)
{
    uint64_t shared = map(SHARED_SIZE);

    if (place->threads == 0 || place->threads > TF_THREADS_MAX || shared == 0) {
        return -1;
    }
    core.place = *place;
    for (uint32_t i = 0; i < place->threads; i++) {
        core.pages[i] = make_page(i, shared);
        if (core.pages[i] == NULL) {
            return -1;
        }
    }
    return 0;
}

void tf_native_enter(uint32_t index, struct tf_channel *channel, uint64_t now_ns,
                     uint32_t result[2])
{
    uint32_t dead = __atomic_load_n(&tf_dead, __ATOMIC_SEQ_CST);

    result[0] = TF_EXIT_DEAD;
    result[1] = dead;
    if (dead == 0) {
        tf_native_be(core.pages[index]);
        struct tf_entry_exit done = tf_entry_work((uint64_t)(uintptr_t)channel, now_ns);
        result[0] = (uint32_t)done.exit;
        result[1] = (uint32_t)done.err;
    }
}
