/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sgx.h - the CPU's structures that an enclave meets, as in Intel's SDM vol. 3D, chapters
 * 34 to 38; what makes one is in abi/sgx_load.h. Little-endian, packed by construction.
 * The same bytes serve the signer, the loader, the simulator and the enclave. Field names
 * follow the SDM.
 */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SGX_FLAGS_INIT = 1 << 0,
    SGX_FLAGS_DEBUG = 1 << 1,
    SGX_FLAGS_MODE64BIT = 1 << 2,
    SGX_FLAGS_PROVISIONKEY = 1 << 4,
    SGX_FLAGS_EINITTOKEN_KEY = 1 << 5,
    SGX_FLAGS_KSS = 1 << 7,

    SGX_EREPORT = 0,
    SGX_EGETKEY = 1,
    SGX_EEXIT = 4,
    SGX_EACCEPT = 5,

    /* SECINFO.FLAGS of a page that EAUG has added: REG, R, W, PENDING. */
    SGX_SECINFO_NEW = 0x20b,

    SGX_KEYNAME_REPORT = 3,
    SGX_KEYNAME_SEAL = 4,
    SGX_KEYPOLICY_MRENCLAVE = 1,
    SGX_KEYPOLICY_MRSIGNER = 2,
    SGX_KEYPOLICY_CONFIGID = 8,

    /* Codes of EINIT, EGETKEY and EACCEPT (SDM 38.1.3). */
    SGX_SUCCESS = 0,
    SGX_INVALID_SIG_STRUCT = 1,
    SGX_INVALID_ATTRIBUTE = 2,
    SGX_INVALID_MEASUREMENT = 4,
    SGX_INVALID_SIGNATURE = 8,
    SGX_PAGE_ATTRIBUTES_MISMATCH = 19,
    SGX_INVALID_CPUSVN = 32,
    SGX_INVALID_ISVSVN = 64,
    SGX_INVALID_KEYNAME = 256
};

struct sgx_attributes {
    uint64_t flags;
    uint64_t xfrm;
};

struct sgx_target_info {
    uint8_t mrenclave[32];
    struct sgx_attributes attributes;
    uint8_t cet_attributes;
    uint8_t reserved1;
    uint16_t config_svn;
    uint32_t miscselect;
    uint8_t reserved2[8];
    uint8_t config_id[64];
    uint8_t reserved3[384];
};

struct sgx_report {
    uint8_t cpu_svn[16];
    uint32_t miscselect;
    uint8_t cet_attributes;
    uint8_t reserved1[11];
    uint8_t isv_ext_prod_id[16];
    struct sgx_attributes attributes;
    uint8_t mrenclave[32];
    uint8_t reserved2[32];
    uint8_t mrsigner[32];
    uint8_t reserved3[32];
    uint8_t config_id[64];
    uint16_t isv_prod_id;
    uint16_t isv_svn;
    uint16_t config_svn;
    uint8_t reserved4[42];
    uint8_t isv_family_id[16];
    uint8_t report_data[64];
    uint8_t key_id[32]; /* not part of the 384-byte body */
    uint8_t mac[16];
};

struct sgx_key_request {
    uint16_t key_name;
    uint16_t key_policy;
    uint16_t isv_svn;
    uint8_t cet_attributes_mask;
    uint8_t reserved1;
    uint8_t cpu_svn[16];
    struct sgx_attributes attribute_mask;
    uint8_t key_id[32];
    uint32_t misc_mask;
    uint16_t config_svn;
    uint8_t reserved2[434];
};

enum { SGX_REPORT_BODY_SIZE = 384 };

static_assert(sizeof(struct sgx_target_info) == 512, "SDM 38.16");
static_assert(sizeof(struct sgx_report) == 432, "SDM 38.15");
static_assert(offsetof(struct sgx_report, report_data) == 320, "SDM 38.15");
static_assert(sizeof(struct sgx_key_request) == 512, "SDM 38.17");
