/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sgx_load.h - the structures and leaves of the CPU by which an enclave is signed, loaded
 * and entered: for signer, loader and simulator. What the enclave itself meets is in
 * abi/sgx.h.
 */
#pragma once

#include "abi/sgx.h"

enum {
    SGX_SECINFO_R = 1 << 0,
    SGX_SECINFO_W = 1 << 1,
    SGX_SECINFO_X = 1 << 2,
    SGX_SECINFO_PENDING = 1 << 3, /* added by EAUG, not accepted yet */
    SGX_SECINFO_TCS = 1 << 8,
    SGX_SECINFO_REG = 2 << 8,

    SGX_EENTER = 2,
    SGX_ERESUME = 3
};

struct sgx_secs {
    uint64_t size;
    uint64_t base;
    uint32_t ssa_frame_size; /* pages */
    uint32_t miscselect;
    uint8_t reserved1[24]; /* CET fields included: zero */
    struct sgx_attributes attributes;
    uint8_t mrenclave[32];
    uint8_t reserved2[32];
    uint8_t mrsigner[32];
    uint8_t reserved3[32];
    uint8_t config_id[64];
    uint16_t isv_prod_id;
    uint16_t isv_svn;
    uint16_t config_svn;
    uint8_t reserved4[3834];
};

struct sgx_tcs {
    uint64_t state;
    uint64_t flags;
    uint64_t ossa;
    uint32_t cssa;
    uint32_t nssa;
    uint64_t oentry;
    uint64_t aep;
    uint64_t ofsbase;
    uint64_t ogsbase;
    uint32_t fslimit;
    uint32_t gslimit;
    uint8_t reserved[4024];
};

struct sgx_sigstruct {
    uint8_t header[16];
    uint32_t vendor;
    uint32_t date; /* BCD yyyymmdd */
    uint8_t header2[16];
    uint32_t swdefined;
    uint8_t reserved1[84];
    uint8_t modulus[384]; /* little-endian, as all four numbers */
    uint32_t exponent;
    uint8_t signature[384];
    uint32_t miscselect;
    uint32_t miscmask;
    uint8_t reserved2[4]; /* CET fields and two reserved bytes: zero */
    uint8_t isv_family_id[16];
    struct sgx_attributes attributes;
    struct sgx_attributes attribute_mask;
    uint8_t enclave_hash[32];
    uint8_t reserved3[16];
    uint8_t isv_ext_prod_id[16];
    uint16_t isv_prod_id;
    uint16_t isv_svn;
    uint8_t reserved4[12];
    uint8_t q1[384];
    uint8_t q2[384];
} __attribute__((packed));

static_assert(sizeof(struct sgx_secs) == 4096, "SDM 38.7");
static_assert(offsetof(struct sgx_secs, config_id) == 192, "SDM 38.7");
static_assert(offsetof(struct sgx_secs, isv_prod_id) == 256, "SDM 38.7");
static_assert(sizeof(struct sgx_tcs) == 4096, "SDM 38.8");
static_assert(offsetof(struct sgx_tcs, ofsbase) == 48, "SDM 38.8");
static_assert(sizeof(struct sgx_sigstruct) == 1808, "SDM 38.13");
static_assert(offsetof(struct sgx_sigstruct, miscselect) == 900, "SDM 38.13");
static_assert(offsetof(struct sgx_sigstruct, attributes) == 928, "SDM 38.13");
static_assert(offsetof(struct sgx_sigstruct, isv_prod_id) == 1024, "SDM 38.13");
static_assert(offsetof(struct sgx_sigstruct, q1) == 1040, "SDM 38.13");
