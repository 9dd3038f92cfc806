/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_patch.c - fast mode. After the pristine image was measured and initialised, every
 * "ENCLU; 3-byte nop" in its executable pages becomes "call gate; nop". An ENCLU without
 * the nop (another image, or bytes inside a constant) stays and traps as in strict mode.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "host/sim.h"

enum { SITE = 6, CALL = 5, RARE = 2 };

static const uint8_t enclu_nop[SITE] = {0x0f, 0x01, 0xd7, 0x0f, 0x1f, 0x00};

/* The page before ELRANGE: a jump to the gate, within reach of a call from the image. */
static int make_jump(const struct tf_sim *sim)
{
    static const uint8_t jump[] = {0xff, 0x25, 0, 0, 0, 0}; /* jmp *0(%rip) */
    uint64_t target = (uint64_t)(uintptr_t)tf_sim_gate;
    uint8_t *page = sim->reserved;

    if (mprotect(page, TF_PAGE, PROT_READ | PROT_WRITE) != 0) {
        return -errno;
    }
    memcpy(page, jump, sizeof(jump));
    memcpy(page + sizeof(jump), &target, sizeof(target));
    return mprotect(page, TF_PAGE, PROT_READ | PROT_EXEC) == 0 ? 0 : -errno;
}

static void patch_site(const struct tf_sim *sim, uint8_t *site)
{
    int64_t distance = sim->reserved - (site + CALL);
    int32_t relative = (int32_t)distance;

    if (distance != relative) {
        return; /* out of reach: this one traps */
    }
    site[0] = 0xe8; /* call rel32 */
    memcpy(site + 1, &relative, sizeof(relative));
    site[CALL] = 0x90; /* nop */
}

/* A run of executable pages, not yet mapped for anyone. What is looked for is the byte of
 * the site that code has least of. */
static int patch_run(const struct tf_sim *sim, uint8_t *run, size_t size)
{
    if (mprotect(run, size, PROT_READ | PROT_WRITE) != 0) {
        return -errno;
    }
    uint8_t *last = run + size - (SITE - RARE);
    uint8_t *at = memchr(run + RARE, enclu_nop[RARE], (size_t)(last - run) + 1 - RARE);
    while (at != NULL) {
        if (memcmp(at - RARE, enclu_nop, SITE) == 0) {
            patch_site(sim, at - RARE);
        }
        at++;
        at = at > last ? NULL : memchr(at, enclu_nop[RARE], (size_t)(last - at) + 1);
    }
    return mprotect(run, size, PROT_NONE) == 0 ? 0 : -errno;
}

int tf_sim_patch(struct tf_sim *sim)
{
    int rc = make_jump(sim);

    for (size_t page = 0; page < sim->page_count && rc == 0;) {
        size_t first = page;
        while (page < sim->page_count && (sim->epcm[page] & SGX_SECINFO_X) != 0) {
            page++;
        }
        if (page != first) {
            rc = patch_run(sim, sim->base + first * TF_PAGE, (page - first) * TF_PAGE);
        } else {
            page++;
        }
    }
    return rc;
}
