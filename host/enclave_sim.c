/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enclave_sim.c - the simulator as a backend: ECREATE, EADD, EEXTEND, EINIT, and the
 * rules of Linux's driver around them (Documentation/arch/x86/sgx.rst,
 * arch/x86/kernel/cpu/sgx/ioctl.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "host/backend.h"
#include "host/sim.h"
#include "lib/crypto.h"
#include "lib/sigstruct.h"

enum { GARBAGE = 0xcc, GARBAGE_MAX = 1 << 20, GPRSGX = 184, XSAVE_AVX = 832 };

struct tf_sim *tf_sim_active;

/* CPUID.12H of the simulated machine: an Ice Lake server. */
static const uint64_t flags_supported =
    SGX_FLAGS_DEBUG | SGX_FLAGS_MODE64BIT | SGX_FLAGS_KSS;
static const uint64_t xfrm_supported = 0x7;
static const uint64_t size_max = UINT64_C(1) << 40; /* ours: the EPCM is an array */

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

/* ECREATE's checks (SDM vol. 3D, ECREATE). */
static bool is_secs_good(const struct sgx_secs *secs)
{
    uint64_t frame = (uint64_t)secs->ssa_frame_size * TF_PAGE;

    return secs->size >= (uint64_t)2 * TF_PAGE && secs->size <= size_max &&
           (secs->size & (secs->size - 1)) == 0 && secs->miscselect == 0 &&
           frame >= GPRSGX + XSAVE_AVX && secs->ssa_frame_size < TF_PAGE &&
           (secs->attributes.flags & ~flags_supported) == 0 &&
           (secs->attributes.flags & SGX_FLAGS_MODE64BIT) != 0 &&
           (secs->attributes.xfrm & ~xfrm_supported) == 0 &&
           (secs->attributes.xfrm & 3) == 3 &&
           is_zero(secs->reserved1, sizeof(secs->reserved1)) &&
           is_zero(secs->reserved2, sizeof(secs->reserved2)) &&
           is_zero(secs->reserved3, sizeof(secs->reserved3)) &&
           is_zero(secs->reserved4, sizeof(secs->reserved4)) && secs->config_svn == 0 &&
           ((secs->attributes.flags & SGX_FLAGS_KSS) != 0 ||
            is_zero(secs->config_id, sizeof(secs->config_id)));
}

/* Reserves ELRANGE, naturally aligned, with a page before it for the gate. */
static int reserve(struct tf_sim *sim)
{
    size_t size = sim->secs.size;
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

static void sim_destroy(void *self)
{
    struct tf_sim *sim = self;

    if (sim == NULL) {
        return;
    }
    if (sim->reserved != NULL) {
        (void)munmap(sim->reserved, sim->reserved_size);
    }
    tf_sim_machine_wipe(&sim->machine);
    memset(tf_sim_threads, 0, sizeof(tf_sim_threads));
    free(sim->epcm);
    (void)pthread_mutex_destroy(&sim->lock);
    free(sim);
    tf_sim_active = NULL;
}

static int start(struct tf_sim *sim, const struct tf_enclave_options *options)
{
    int rc = reserve(sim);
    if (rc != 0) {
        return rc;
    }
    sim->page_count = sim->secs.size / TF_PAGE;
    sim->epcm = calloc(sim->page_count, sizeof(*sim->epcm));
    if (sim->epcm == NULL) {
        return -ENOMEM;
    }
    rc = tf_sim_machine_open(&sim->machine, options->sim_dir);
    if (rc != 0) {
        return rc;
    }
    sim->secs.base = (uint64_t)(uintptr_t)sim->base;
    tf_measure_ecreate(&sim->measure, sim->secs.ssa_frame_size, sim->secs.size);
    sim->stage = TF_SIM_CREATED;
    return 0;
}

static int sim_create(const struct tf_enclave_options *options, struct sgx_secs *secs,
                      void **self)
{
    if (!is_secs_good(secs)) {
        return -EINVAL;
    }
    if (tf_sim_active != NULL) {
        return -EBUSY;
    }
    struct tf_sim *sim = calloc(1, sizeof(*sim));
    if (sim == NULL) {
        return -ENOMEM;
    }
    sim->secs = *secs;
    sim->is_strict = options->is_strict;
    sim->transition_cycles = options->transition_cycles;
    (void)pthread_mutex_init(&sim->lock, NULL);
    tf_sim_active = sim;
    int rc = start(sim, options);
    if (rc != 0) {
        sim_destroy(sim);
        return rc;
    }
    secs->base = sim->secs.base;
    *self = sim;
    return 0;
}

/* SECINFO as the driver and EADD take it: REG with R, without W and X at once (ours); or
 * TCS without permissions. */
static bool is_secinfo_good(uint64_t secinfo)
{
    uint64_t access = secinfo & (SGX_SECINFO_R | SGX_SECINFO_W | SGX_SECINFO_X);

    if (secinfo == SGX_SECINFO_TCS) {
        return true;
    }
    return secinfo == (SGX_SECINFO_REG | access) && (access & SGX_SECINFO_R) != 0 &&
           (access & (SGX_SECINFO_W | SGX_SECINFO_X)) != (SGX_SECINFO_W | SGX_SECINFO_X);
}

static bool is_range_free(const struct tf_sim *sim, const struct tf_backend_pages *pages)
{
    if (pages->offset % TF_PAGE != 0 || pages->size % TF_PAGE != 0 || pages->size == 0 ||
        pages->size > sim->secs.size || pages->offset > sim->secs.size - pages->size) {
        return false;
    }
    for (uint64_t at = 0; at < pages->size; at += TF_PAGE) {
        if (sim->epcm[(pages->offset + at) / TF_PAGE] != 0) {
            return false;
        }
    }
    return true;
}

/* Brings the content in. The pages stay out of reach until they are mapped. */
static int fill(struct tf_sim *sim, const struct tf_backend_pages *pages)
{
    uint8_t *to = sim->base + pages->offset;
    bool has_garbage = !pages->is_measured && tf_sim_tests.fill_unmeasured;

    if (pages->from == NULL && !has_garbage) {
        return 0;
    }
    if (mprotect(to, pages->size, PROT_READ | PROT_WRITE) != 0) {
        return -errno;
    }
    if (pages->from != NULL) {
        memcpy(to, pages->from, pages->size);
    } else {
        memset(to, GARBAGE, pages->size < GARBAGE_MAX ? pages->size : GARBAGE_MAX);
    }
    return mprotect(to, pages->size, PROT_NONE) == 0 ? 0 : -errno;
}

static void measure(struct tf_sim *sim, const struct tf_backend_pages *pages)
{
    for (uint64_t at = 0; at < pages->size; at += TF_PAGE) {
        tf_measure_eadd(&sim->measure, pages->offset + at, pages->secinfo);
        if (pages->is_measured) {
            tf_measure_page(&sim->measure, pages->offset + at, pages->from + at);
        }
        sim->epcm[(pages->offset + at) / TF_PAGE] = (uint16_t)pages->secinfo;
    }
}

static int add_locked(struct tf_sim *sim, const struct tf_backend_pages *pages)
{
    bool is_tcs = pages->secinfo == SGX_SECINFO_TCS;

    if (sim->stage != TF_SIM_CREATED || !is_secinfo_good(pages->secinfo) ||
        !is_range_free(sim, pages) || (uintptr_t)pages->from % TF_PAGE != 0 ||
        (pages->from == NULL && (pages->is_measured || is_tcs)) ||
        (is_tcs && pages->size != TF_PAGE)) {
        return -EINVAL;
    }
    if (is_tcs) {
        struct sgx_tcs tcs;
        memcpy(&tcs, pages->from, sizeof(tcs));
        int rc = tf_sim_thread_add(sim, pages->offset, &tcs);
        if (rc != 0) {
            return rc;
        }
    } else {
        int rc = fill(sim, pages);
        if (rc != 0) {
            return rc;
        }
    }
    measure(sim, pages);
    return 0;
}

static int sim_add_pages(void *self, const struct tf_backend_pages *pages)
{
    struct tf_sim *sim = self;

    if (pthread_mutex_trylock(&sim->lock) != 0) {
        return -EBUSY;
    }
    int rc = add_locked(sim, pages);
    (void)pthread_mutex_unlock(&sim->lock);
    return rc;
}

static int init_locked(struct tf_sim *sim, const struct sgx_sigstruct *sigstruct,
                       uint32_t *code)
{
    if (sim->stage != TF_SIM_CREATED) {
        return -EINVAL;
    }
    struct tf_measure measured = sim->measure;
    tf_measure_take(&measured, sim->secs.mrenclave);
    *code = tf_sigstruct_einit(sigstruct, &sim->secs);
    if (*code != SGX_SUCCESS) {
        return 0;
    }
    tf_sigstruct_mrsigner(sigstruct, sim->secs.mrsigner);
    sim->secs.isv_prod_id = sigstruct->isv_prod_id;
    sim->secs.isv_svn = sigstruct->isv_svn;
    sim->secs.attributes.flags |= SGX_FLAGS_INIT;
    int rc = sim->is_strict ? 0 : tf_sim_patch(sim);
    if (rc == 0) {
        sim->stage = TF_SIM_INITIALISED;
    }
    return rc;
}

static int sim_init(void *self, const struct sgx_sigstruct *sigstruct, uint32_t *code)
{
    struct tf_sim *sim = self;

    if (pthread_mutex_trylock(&sim->lock) != 0) {
        return -EBUSY;
    }
    int rc = init_locked(sim, sigstruct, code);
    (void)pthread_mutex_unlock(&sim->lock);
    return rc;
}

/* PROT_* as SECINFO permissions; the driver lets a TCS be mapped readable and writable.
 */
static bool is_allowed(uint16_t secinfo, int protection)
{
    uint64_t wanted = 0;

    if (secinfo == SGX_SECINFO_TCS) {
        return (protection & PROT_EXEC) == 0;
    }
    wanted |= (protection & PROT_READ) != 0 ? (uint64_t)SGX_SECINFO_R : 0;
    wanted |= (protection & PROT_WRITE) != 0 ? (uint64_t)SGX_SECINFO_W : 0;
    wanted |= (protection & PROT_EXEC) != 0 ? (uint64_t)SGX_SECINFO_X : 0;
    return secinfo != 0 && (wanted & ~(uint64_t)secinfo) == 0;
}

static int sim_map(void *self, uint64_t offset, uint64_t size, int protection)
{
    const struct tf_sim *sim = self;

    if (offset % TF_PAGE != 0 || size % TF_PAGE != 0 || size > sim->secs.size ||
        offset > sim->secs.size - size) {
        return -EINVAL;
    }
    for (uint64_t at = 0; at < size; at += TF_PAGE) {
        if (!is_allowed(sim->epcm[(offset + at) / TF_PAGE], protection)) {
            return -EACCES;
        }
        if (sim->epcm[(offset + at) / TF_PAGE] == SGX_SECINFO_TCS) {
            protection = PROT_NONE; /* after EADD no software reads or writes it */
        }
    }
    return mprotect(sim->base + offset, size, protection) == 0 ? 0 : -errno;
}

bool tf_sim_has_access(const struct tf_sim *sim, uint64_t address, uint64_t size,
                       uint64_t access)
{
    uint64_t offset = address - sim->secs.base;
    uint64_t wanted = SGX_SECINFO_REG | access;

    if (address < sim->secs.base || size == 0 || size > sim->secs.size ||
        offset > sim->secs.size - size) {
        return false;
    }
    for (uint64_t page = offset / TF_PAGE; page <= (offset + size - 1) / TF_PAGE;
         page++) {
        if ((sim->epcm[page] & wanted) != wanted) {
            return false;
        }
    }
    return true;
}

static int sim_thread_init(void *self)
{
    return tf_sim_trap_thread_init(self);
}

static int sim_enter(void *self, uint64_t tcs, uint64_t *rdi, uint64_t *rsi)
{
    return tf_sim_thread_enter(self, tcs, rdi, rsi);
}

static void sim_target_info(const void *self, struct sgx_target_info *out)
{
    (void)self;
    tf_sim_target_info(out);
}

static tf_err sim_quote(const void *self, const struct sgx_report *report, char *out,
                        size_t *size)
{
    const struct tf_sim *sim = self;

    return tf_sim_quote(&sim->machine, report, out, size);
}

const struct tf_backend tf_backend_sim = {
    .name = "sim",
    .is_simulated = true,
    .create = sim_create,
    .add_pages = sim_add_pages,
    .init = sim_init,
    .map = sim_map,
    .thread_init = sim_thread_init,
    .enter = sim_enter,
    .target_info = sim_target_info,
    .quote = sim_quote,
    .destroy = sim_destroy,
};
