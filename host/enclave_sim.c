/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enclave_sim.c - the simulator as a backend: what a loader does with /dev/sgx_enclave
 * and the vDSO, done with host/sim_driver.c and host/sim_thread.c.
 */
#include <errno.h>
#include <sys/mman.h>

#include <asm/sgx.h>

#include "host/backend.h"
#include "host/sim.h"
#include "host/sim_driver.h"

static void sim_destroy(void *self)
{
    tf_sim_close(self);
}

static int sim_create(const struct tf_enclave_options *options, struct sgx_secs *secs,
                      void **self)
{
    struct sgx_enclave_create argument = {.src = (uint64_t)(uintptr_t)secs};
    uint32_t code = SGX_SUCCESS;
    struct tf_sim *sim = NULL;

    int rc = tf_sim_open(options->sim_dir, secs->size, &sim);
    if (rc != 0) {
        return rc;
    }
    sim->is_strict = options->is_strict;
    sim->transition_cycles = options->transition_cycles;
    secs->base = (uint64_t)(uintptr_t)sim->base;
    rc = tf_sim_ioctl(sim, SGX_IOC_ENCLAVE_CREATE, &argument, &code);
    if (rc != 0) {
        tf_sim_close(sim);
        return rc;
    }
    *self = sim;
    return 0;
}

static int sim_add_pages(void *self, const struct tf_backend_pages *pages)
{
    const struct {
        uint64_t flags;
        uint8_t reserved[56];
    } secinfo = {.flags = pages->secinfo};
    struct sgx_enclave_add_pages argument = {.src = (uint64_t)(uintptr_t)pages->from,
                                             .offset = pages->offset,
                                             .length = pages->size,
                                             .secinfo = (uint64_t)(uintptr_t)&secinfo,
                                             .flags = SGX_PAGE_MEASURE};
    uint32_t code = SGX_SUCCESS;

    return tf_sim_ioctl(self, SGX_IOC_ENCLAVE_ADD_PAGES, &argument, &code);
}

static int sim_init(void *self, const struct sgx_sigstruct *sigstruct, uint32_t *code)
{
    struct sgx_enclave_init argument = {.sigstruct = (uint64_t)(uintptr_t)sigstruct};

    *code = SGX_SUCCESS;
    int rc = tf_sim_ioctl(self, SGX_IOC_ENCLAVE_INIT, &argument, code);
    return rc == -EPERM && *code != SGX_SUCCESS ? 0 : rc; /* the CPU said why */
}

static int sim_map(void *self, uint64_t offset, uint64_t size, int protection)
{
    struct tf_sim *sim = self;

    return tf_sim_mmap(sim, sim->secs.base + offset, size, protection,
                       MAP_SHARED | MAP_FIXED);
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
        if ((sim->epcm[page] & (wanted | SGX_SECINFO_PENDING)) != wanted) {
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
