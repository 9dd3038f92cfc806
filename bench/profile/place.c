/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/profile/place.h"

#include <string.h>
#include <sys/mman.h>

#include "abi/limits.h"
#include "enclave/entry.h"
#include "enclave/layout.h"
#include "enclave/local.h"
#include "lib/descriptor.h"
#include "test/native/native.h"

enum {
    SLOTS = 4,
    HEAP_SIZE = 24 << 20,
    SHARED_SIZE = 64 << 20,
    STACK_SIZE = 1 << 20,
    SLOT_SPAN = 2 * TF_GUARD + STACK_SIZE + TF_MEMORY_MAX
};

/* The process's first page, where the ELF header is, is all that boundary.c takes for the
 * enclave. */
const struct tf_layout tf_layout = {
    .magic = TF_LAYOUT_MAGIC, .elrange = TF_PAGE, .engine = "profile", .slots = SLOTS};

uint32_t tf_dead;

static struct tf_thread_page *page;

/* @return NULL: there is no memory. */
static void *map(uint64_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return at == MAP_FAILED ? NULL : at;
}

/* Offsets are from a base of 0: they are addresses. */
static uint64_t offset_of(const void *memory)
{
    return (uint64_t)(uintptr_t)memory;
}

int profile_place_open(const char *descriptor, size_t size)
{
    struct tf_descriptor domain;
    void *heap = map(HEAP_SIZE);
    void *shared = map(SHARED_SIZE);
    void *slots = map((uint64_t)SLOTS * SLOT_SPAN);

    page = map(TF_PAGE);
    if (page == NULL || heap == NULL || shared == NULL || slots == NULL) {
        return -1;
    }
    *page = (struct tf_thread_page){.self = offset_of(page),
                                    .page = offset_of(page),
                                    .slot_stack = STACK_SIZE,
                                    .heap = offset_of(heap),
                                    .heap_size = HEAP_SIZE,
                                    .slot = offset_of(slots) + SLOT_SPAN - TF_MEMORY_MAX,
                                    .slot_size = TF_MEMORY_MAX,
                                    .slot_span = SLOT_SPAN,
                                    .slots = SLOTS,
                                    .shared = offset_of(shared),
                                    .shared_size = SHARED_SIZE};
    tf_native_cpu = (struct tf_native_cpu){
        .self = page, .isv_svn = 1, .cpu_svn = 1, .is_repeatable = true};
    tf_local_self()->heap = tf_arena_init(heap, HEAP_SIZE);
    if (tf_local_self()->heap == NULL ||
        tf_descriptor_parse(descriptor, size, &domain) != TF_OK) {
        return -1;
    }
    memcpy(tf_native_cpu.config_id, domain.sha256, sizeof(domain.sha256));
    return 0;
}

void profile_place_enter(void *channel, uint64_t now_ns, uint32_t result[2])
{
    struct tf_entry_exit done = tf_entry_work((uint64_t)(uintptr_t)channel, now_ns);

    result[0] = (uint32_t)done.exit;
    result[1] = (uint32_t)done.err;
}
