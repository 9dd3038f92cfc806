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
#include "enclave/js/isolate.h"
#include "enclave/layout.h"
#include "enclave/local.h"
#include "enclave/native/place.h"
#include "enclave/native/slot.h"

enum { LOOK_NS = 100 * 1000 * 1000 };

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

/* Zeroed, with nothing mapped before and behind it. @return NULL: there is no memory. */
static uint8_t *map(uint64_t size)
{
    uint8_t *at = mmap(NULL, size + 2 * (uint64_t)TF_GUARD, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (at == MAP_FAILED || mprotect(at + TF_GUARD, size, PROT_READ | PROT_WRITE) != 0) {
        return NULL;
    }
    return at + TF_GUARD;
}

/* Offsets are from the base, which is 0: they are addresses. */
static uint64_t offset_of(const uint8_t *memory)
{
    return (uint64_t)(uintptr_t)memory;
}

static struct tf_thread_page *make_page(uint64_t index, const uint8_t *shared)
{
    uint8_t *memory = map(TF_PAGE);
    const uint8_t *heap = map(tf_layout.heap_size);
    const uint8_t *slot = map(tf_layout.slot_size); /* scratch here */

    if (memory == NULL || heap == NULL || slot == NULL) {
        return NULL;
    }
    struct tf_thread_page *page = (void *)memory;
    *page = (struct tf_thread_page){.self = offset_of(memory),
                                    .page = offset_of(memory),
                                    .slot_stack = tf_layout.slot_stack,
                                    .heap = offset_of(heap),
                                    .heap_size = tf_layout.heap_size,
                                    .slot = offset_of(slot),
                                    .slot_size = tf_layout.slot_size,
                                    .slots = 1,
                                    .shared = offset_of(shared),
                                    .shared_size = tf_layout.shared_size,
                                    .index = index};
    return page;
}

int tf_native_open(const struct tf_native_place *place)
{
    const uint8_t *shared = map(tf_layout.shared_size);

    if (place->threads == 0 || place->threads > TF_THREADS_MAX || shared == NULL) {
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

int tf_native_thread_init(void)
{
    return tf_js_warm() ? 0 : -1;
}

/* Whether the host has brought nothing: both words are its own to write, and a lie costs
 * it time. */
static bool is_empty(uint64_t channel)
{
    tf_hostptr in = tf_host_at(tf_host_pointer(channel), offsetof(struct tf_channel, in));
    uint64_t head = 0;
    uint64_t tail = 0;

    return tf_host_read(&head, tf_host_at(in, offsetof(struct tf_ring, head)),
                        sizeof(head)) == TF_OK &&
           tf_host_read(&tail, tf_host_at(in, offsetof(struct tf_ring, tail)),
                        sizeof(tail)) == TF_OK &&
           head == tail;
}

/* With nothing to do, the next request's context is made: after the answer of the last
 * one has gone out, hence the further entry. What can wait longer is looked at when the
 * host enters without input, as it does each second for a while after traffic, and under
 * load ten times a second. */
static struct tf_entry_exit work(uint64_t channel, uint64_t now)
{
    static __thread uint64_t looked; /* ns; a host's clock that jumps costs a look */
    bool is_quiet = is_empty(channel);

    if (is_quiet && tf_slot_is_stale()) {
        tf_slot_freshen();
    }
    struct tf_entry_exit done = tf_entry_work(channel, now);
    if (done.exit == TF_EXIT_IDLE && tf_slot_is_stale()) {
        done.exit = TF_EXIT_MORE;
    }
    if (done.exit == TF_EXIT_IDLE && (is_quiet || now - looked >= LOOK_NS)) {
        looked = now;
        done.exit = tf_js_rest(now) ? TF_EXIT_MORE : TF_EXIT_IDLE;
    }
    return done;
}

void tf_native_enter(uint32_t index, struct tf_channel *channel, uint64_t now_ns,
                     uint32_t result[2])
{
    uint32_t dead = __atomic_load_n(&tf_dead, __ATOMIC_SEQ_CST);

    result[0] = TF_EXIT_DEAD;
    result[1] = dead;
    if (dead == 0) {
        tf_native_be(core.pages[index]);
        struct tf_entry_exit done = work((uint64_t)(uintptr_t)channel, now_ns);
        result[0] = (uint32_t)done.exit;
        result[1] = (uint32_t)done.err;
    }
}
