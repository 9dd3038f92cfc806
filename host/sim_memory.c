/* SPDX-License-Identifier: Apache-2.0 */
#include "host/sim_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int tf_sim_memory_reserve(struct tf_sim *sim, uint64_t size)
{
    if (size < TF_PAGE || (size & (size - 1)) != 0 || size >= UINT64_C(1) << 46) {
        size = TF_PAGE; /* no such ELRANGE: CREATE will say why */
    }
    size_t all = 2 * size + TF_PAGE;
    uint8_t *map =
        mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (map == MAP_FAILED) {
        return -ENOMEM;
    }
    uint64_t first = (uint64_t)(uintptr_t)map + TF_PAGE;
    size_t skip = (size_t)((first + size - 1) / size * size - first);
    sim->reserved = map + skip;
    sim->reserved_size = size + TF_PAGE;
    sim->base = sim->reserved + TF_PAGE;
    if (skip != 0) {
        (void)munmap(map, skip);
    }
    if (size - skip != 0) {
        (void)munmap(sim->base + size, size - skip);
    }
    return 0;
}

int tf_sim_memory_init(struct tf_sim *sim)
{
    if (sim->reserved == NULL) {
        /* the loader reserved it */
        sim->base = (uint8_t *)(uintptr_t)sim->secs.base;
    }
    if (sim->secs.base != (uint64_t)(uintptr_t)sim->base ||
        (sim->reserved != NULL && sim->secs.size != sim->reserved_size - TF_PAGE)) {
        return -EINVAL;
    }
    sim->page_count = sim->secs.size / TF_PAGE;
    sim->epcm = calloc(sim->page_count, sizeof(*sim->epcm));
    return sim->epcm != NULL ? 0 : -ENOMEM;
}

void tf_sim_memory_release(struct tf_sim *sim)
{
    if (sim->reserved != NULL) {
        (void)munmap(sim->reserved, sim->reserved_size);
    }
    free(sim->epcm);
}

int tf_sim_memory_open(struct tf_sim *sim, uint64_t offset, uint64_t size)
{
    int rc = mprotect(sim->base + offset, size, PROT_READ | PROT_WRITE);
    return rc == 0 ? 0 : -errno;
}

void tf_sim_memory_close(struct tf_sim *sim, uint64_t offset, uint64_t size)
{
    (void)mprotect(sim->base + offset, size, PROT_NONE);
}

void tf_sim_memory_expect(struct tf_sim *sim, uint64_t offset, const uint8_t *content,
                          size_t size)
{
    for (size_t at = 0; at + TF_PAGE <= size; at += TF_PAGE) {
        if (tf_sim_is_zero(content + at, TF_PAGE)) {
            return; /* what is zeros stays untouched */
        }
    }
    (void)madvise(sim->base + offset, size, MADV_POPULATE_WRITE); /* Linux 5.14; a help */
}

void tf_sim_memory_fill(struct tf_sim *sim, uint64_t offset,
                        const uint8_t page[static TF_PAGE])
{
    memcpy(sim->base + offset, page, TF_PAGE);
}

bool tf_sim_memory_is_bare(const struct tf_sim *sim, uint64_t offset, uint64_t size)
{
    const uint8_t *first = (const uint8_t *)(sim->epcm + offset / TF_PAGE);

    return *first == 0 &&
           memcmp(first, first + 1, size / TF_PAGE * sizeof(*sim->epcm) - 1) == 0;
}

/* After EADD no software reads or writes a TCS, and where no page is, an access faults.
 */
static bool is_reachable(const struct tf_sim *sim, uint64_t offset)
{
    unsigned page = sim->epcm[offset / TF_PAGE];
    bool is_lenient = !sim->is_strict && sim->stage == TF_SIM_INITIALISED;

    return (page & SGX_SECINFO_REG) != 0 || ((page & TF_SIM_PAGE) == 0 && is_lenient);
}

int tf_sim_memory_map(struct tf_sim *sim, uint64_t offset, uint64_t size, int protection)
{
    uint64_t end = offset + size;
    bool is_bare = tf_sim_memory_is_bare(sim, offset, size);

    while (offset < end) {
        bool is_open = is_reachable(sim, offset);
        uint64_t start = offset;
        while (offset < end && !is_bare && is_reachable(sim, offset) == is_open) {
            offset += TF_PAGE;
        }
        offset = is_bare ? end : offset;
        if (mprotect(sim->base + start, offset - start,
                     is_open ? protection : PROT_NONE) != 0) {
            return -errno;
        }
    }
    return 0;
}
