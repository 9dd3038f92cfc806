/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backend.h - what host/load.c needs of the thing that makes enclaves: the driver of
 * Linux or the simulator. The operations follow the driver's ioctls: same structures,
 * same order (CREATE, ADD_PAGES..., INIT, map, enter), same errors.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/sgx_load.h"
#include "host/enclave.h"

struct tf_backend_pages {
    uint64_t offset;     /* from the base; multiple of TF_PAGE */
    uint64_t size;       /* multiple of TF_PAGE */
    uint64_t secinfo;    /* SECINFO.FLAGS */
    const uint8_t *from; /* page-aligned content in anonymous memory (the driver refuses
                            noexec mounts) */
};

/** `self` is what create gave. Functions that return int give 0 or a negative errno. */
struct tf_backend {
    const char *name;
    bool is_simulated;

    /** ECREATE. Chooses and fills secs->base. @param self  the caller destroys it. */
    int (*create)(const struct tf_enclave_options *options, struct sgx_secs *secs,
                  void **self);
    /** EADD, and EEXTEND of all of each page. Before init only. */
    int (*add_pages)(void *self, const struct tf_backend_pages *pages);
    /** EINIT. @param code  the CPU's, SGX_SUCCESS or why not, when 0 is returned. */
    int (*init)(void *self, const struct sgx_sigstruct *sigstruct, uint32_t *code);
    /** Gives the process access to pages, with protections (PROT_*) that EADD allowed.
     *  Where nothing was added, a page comes with the enclave's EACCEPT (EAUG). */
    int (*map)(void *self, uint64_t offset, uint64_t size, int protection);
    /** Prepares the calling thread. */
    int (*thread_init)(void *self);
    /** EENTER at the TCS at this offset. RDI and RSI are passed in and come back. */
    int (*enter)(void *self, uint64_t tcs, uint64_t *rdi, uint64_t *rsi);
    /** Who quotes, where it is the backend itself; NULL: AESM does. */
    void (*target_info)(const void *self, struct sgx_target_info *out);
    /** REPORT to evidence JSON: TF_EVIDENCE_MAX bytes at `out`. NULL with target_info. */
    tf_err (*quote)(const void *self, const struct sgx_report *report, char *out,
                    size_t *size);
    /** Takes everything down. `self` may be NULL. */
    void (*destroy)(void *self);
};

/** host/enclave_sim.c. */
extern const struct tf_backend tf_backend_sim;

/** host/enclave_sgx.c. Its create gives -ENODEV for whatever the machine lacks. */
extern const struct tf_backend tf_backend_sgx;
