/* SPDX-License-Identifier: Apache-2.0 */
/*
 * small_enclave.h - an enclave of five pages, made through the simulated driver, in which
 * everything is right until a test changes something; and rows of such changes.
 * For test/attack/misuse_*_test.c.
 */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <asm/sgx.h>

#include "host/sim_driver.h"
#include "lib/sigstruct.h"
#include "test/test.h"
#include "test/toy/toy_host.h"

enum {
    PAGES = 16,
    ELRANGE = PAGES * TF_PAGE,
    RO = SGX_SECINFO_REG | SGX_SECINFO_R,
    RW = RO | SGX_SECINFO_W,
    RX = RO | SGX_SECINFO_X,
    TCS = SGX_SECINFO_TCS,
    /* offsets of the small enclave that every row starts from */
    AT_RO = 0,
    AT_CODE = 1 * TF_PAGE,
    AT_TCS = 2 * TF_PAGE,
    AT_SSA = 3 * TF_PAGE,
    AT_DATA = 4 * TF_PAGE,
    AT_HOLE = 5 * TF_PAGE
};

static struct tf_toy_files files;
static unsigned rows;

struct secinfo {
    uint64_t flags;
    uint8_t reserved[56];
};

/* The small enclave: everything right, until a row changes something. */
struct rig {
    struct tf_sim *sim;
    struct sgx_secs secs;
    struct sgx_sigstruct sig;
    struct secinfo secinfo[5];
    uint8_t *content; /* five pages */
    uint32_t code;    /* EINIT's */
};

/* One misuse: these bytes at this offset of this structure. */
struct patch {
    const char *name;
    size_t offset;
    uint64_t value;
    size_t size;
    int answer;
};

static inline void verdict(const char *name, int got, int wanted)
{
    rows++;
    if (!CHECK(got == wanted)) {
        (void)fprintf(stderr, "  %s: got %d, not %d\n", name, got, wanted);
    }
}

static inline void apply(void *structure, const struct patch *patch)
{
    memcpy((uint8_t *)structure + patch->offset, &patch->value, patch->size);
}

static inline void rig_open(struct rig *rig)
{
    static uint8_t content[5 * TF_PAGE] __attribute__((aligned(4096)));
    static const uint64_t flags[5] = {RO, RX, TCS, RW, RW};
    const struct sgx_tcs tcs = {.ossa = AT_SSA,
                                .nssa = 1,
                                .oentry = AT_CODE,
                                .ofsbase = AT_DATA,
                                .ogsbase = AT_DATA,
                                .fslimit = UINT32_MAX,
                                .gslimit = UINT32_MAX};

    memset(rig, 0, sizeof(*rig));
    memset(content, 0, sizeof(content));
    memcpy(content + AT_TCS, &tcs, sizeof(tcs));
    rig->content = content;
    for (unsigned i = 0; i < 5; i++) {
        rig->secinfo[i].flags = flags[i];
    }
    if (tf_sim_open(files.sim, ELRANGE, &rig->sim) != 0) {
        (void)fprintf(stderr, "the simulated machine does not open\n");
        exit(1);
    }
    rig->sim->is_strict = true;
    rig->secs.size = ELRANGE;
    rig->secs.base = (uint64_t)(uintptr_t)rig->sim->base;
    rig->secs.ssa_frame_size = 1;
    rig->secs.attributes.flags = SGX_FLAGS_MODE64BIT;
    rig->secs.attributes.xfrm = TF_XFRM;
}

static inline int ioctl_of(struct rig *rig, unsigned long request, void *argument)
{
    return tf_sim_ioctl(rig->sim, request, argument, &rig->code);
}

static inline int create(struct rig *rig)
{
    struct sgx_enclave_create argument = {(uint64_t)(uintptr_t)&rig->secs};
    return ioctl_of(rig, SGX_IOC_ENCLAVE_CREATE, &argument);
}

static inline struct sgx_enclave_add_pages adding(struct rig *rig, unsigned page)
{
    return (struct sgx_enclave_add_pages){
        .src = (uint64_t)(uintptr_t)rig->content + (uint64_t)page * TF_PAGE,
        .offset = (uint64_t)page * TF_PAGE,
        .length = TF_PAGE,
        .secinfo = (uint64_t)(uintptr_t)&rig->secinfo[page],
        .flags = SGX_PAGE_MEASURE};
}

static inline int add(struct rig *rig, unsigned page)
{
    struct sgx_enclave_add_pages argument = adding(rig, page);
    return ioctl_of(rig, SGX_IOC_ENCLAVE_ADD_PAGES, &argument);
}

static inline int add_all(struct rig *rig)
{
    int rc = 0;

    for (unsigned i = 0; i < 5 && rc == 0; i++) {
        rc = add(rig, i);
    }
    return rc;
}

/* As the loader does it: each page as EADD allows, a TCS readable and writable. */
static inline int map_page(struct rig *rig, unsigned page)
{
    uint64_t flags = rig->secinfo[page].flags;
    int protection = flags == SGX_SECINFO_TCS ? PROT_READ | PROT_WRITE : PROT_NONE;

    protection |= (flags & SGX_SECINFO_R) != 0 ? PROT_READ : 0;
    protection |= (flags & SGX_SECINFO_W) != 0 ? PROT_WRITE : 0;
    protection |= (flags & SGX_SECINFO_X) != 0 ? PROT_EXEC : 0;
    return tf_sim_mmap(rig->sim, rig->secs.base + (uint64_t)page * TF_PAGE, TF_PAGE,
                       protection, MAP_SHARED | MAP_FIXED);
}

static inline int map_all(struct rig *rig)
{
    int rc = 0;

    for (unsigned i = 0; i < 5 && rc == 0; i++) {
        rc = map_page(rig, i);
    }
    return rc;
}

/* What the signer would make of the enclave as it is meant to be. */
static inline void make_sigstruct(struct rig *rig)
{
    struct tf_sigstruct_identity identity = {.prod_id = 1, .svn = 1, .date = 0x20240101};
    struct tf_measure measure;

    tf_measure_ecreate(&measure, rig->secs.ssa_frame_size, rig->secs.size);
    for (unsigned i = 0; i < 5; i++) {
        tf_measure_eadd(&measure, (uint64_t)i * TF_PAGE, rig->secinfo[i].flags);
        tf_measure_page(&measure, (uint64_t)i * TF_PAGE,
                        rig->content + (size_t)i * TF_PAGE);
    }
    tf_measure_take(&measure, identity.mrenclave);
    tf_sigstruct_init(&rig->sig, &rig->secs, &identity);
}

static inline int init(struct rig *rig)
{
    struct sgx_enclave_init argument = {(uint64_t)(uintptr_t)&rig->sig};
    return ioctl_of(rig, SGX_IOC_ENCLAVE_INIT, &argument);
}

static inline void rig_close(struct rig *rig)
{
    tf_sim_close(rig->sim);
}
