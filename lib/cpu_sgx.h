/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpu_sgx.h - what CPUID says about SGX and about the instructions that the images use
 * (SDM vol. 3D, 35.7: leaves 7 and 12H). For programs outside of enclaves only: CPUID is
 * illegal inside, and whoever owns the machine can make it say anything.
 */
#pragma once

#include <cpuid.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "abi/channel.h"

struct tf_cpu_sgx {
    char vendor[13];
    bool has_sgx;       /* the CPU could, were it switched on */
    bool is_enabled;    /* the BIOS has switched it on: SGX1's leaves are there */
    bool has_flc;       /* launch control that Linux can write */
    bool has_sgx2;      /* EACCEPT: our images need it */
    bool has_kss;       /* CONFIGID: our images need it */
    uint64_t xfrm;      /* what SECS.ATTRIBUTES.XFRM may contain */
    unsigned size_bits; /* SECS.SIZE is at most 1 << size_bits */
    uint64_t epc_bytes; /* of all sections that CPUID lists */
    uint64_t missing;   /* one bit per TF_CPU_NEEDS, in its order */
};

/** The instructions that images and their libraries execute; bits of `missing`. */
enum {
    TF_CPU_AESNI = 1 << 0,
    TF_CPU_PCLMUL = 1 << 1,
    TF_CPU_AVX = 1 << 2,
    TF_CPU_AVX2 = 1 << 3,
    TF_CPU_BMI2 = 1 << 4,
    TF_CPU_ADX = 1 << 5,
    TF_CPU_RDRAND = 1 << 6,
    TF_CPU_RDSEED = 1 << 7
};

/** A leaf of CPUID: EAX to EDX. @return false if there is no such leaf. */
typedef bool (*tf_cpuid)(void *user, uint32_t leaf, uint32_t sub, uint32_t out[static 4]);

/** The CPU that this thread runs on. */
static inline bool tf_cpuid_own(void *user, uint32_t leaf, uint32_t sub,
                                uint32_t out[static 4])
{
    (void)user;
    return __get_cpuid_count(leaf, sub, &out[0], &out[1], &out[2], &out[3]) != 0;
}

enum { TF_EAX, TF_EBX, TF_ECX, TF_EDX };

/** What an enclave may be told that the processor has beside those: enum tf_processor. */
static inline uint32_t tf_cpu_processor(tf_cpuid cpuid, void *user)
{
    const uint32_t vectors = 3U << 9; /* VAES, VPCLMULQDQ */
    uint32_t seven[4] = {0};

    if (!cpuid(user, 7, 0, seven)) {
        return 0;
    }
    return ((seven[TF_EBX] >> 29 & 1) != 0 ? TF_PROCESSOR_SHA : 0U) |
           ((seven[TF_ECX] & vectors) == vectors ? TF_PROCESSOR_VAES : 0U);
}

static inline void tf_cpu_read_leaf7(struct tf_cpu_sgx *cpu, tf_cpuid cpuid, void *user)
{
    uint32_t one[4] = {0};
    uint32_t seven[4] = {0};
    bool has_one = cpuid(user, 1, 0, one);
    bool has_seven = cpuid(user, 7, 0, seven);
    uint32_t c = has_one ? one[TF_ECX] : 0;
    uint32_t b = has_seven ? seven[TF_EBX] : 0;

    cpu->missing |= (c & bit_AES) != 0 ? 0 : TF_CPU_AESNI;
    cpu->missing |= (c & bit_PCLMUL) != 0 ? 0 : TF_CPU_PCLMUL;
    cpu->missing |= (c & bit_AVX) != 0 && (c & bit_OSXSAVE) != 0 ? 0 : TF_CPU_AVX;
    cpu->missing |= (c & bit_RDRND) != 0 ? 0 : TF_CPU_RDRAND;
    cpu->missing |= (b & bit_AVX2) != 0 ? 0 : TF_CPU_AVX2;
    cpu->missing |= (b & bit_BMI2) != 0 ? 0 : TF_CPU_BMI2;
    cpu->missing |= (b & bit_ADX) != 0 ? 0 : TF_CPU_ADX;
    cpu->missing |= (b & bit_RDSEED) != 0 ? 0 : TF_CPU_RDSEED;
    cpu->has_sgx = (b >> 2 & 1) != 0;
    cpu->has_flc = has_seven && (seven[TF_ECX] >> 30 & 1) != 0;
}

static inline void tf_cpu_read_leaf12(struct tf_cpu_sgx *cpu, tf_cpuid cpuid, void *user)
{
    uint32_t r[4] = {0};

    if (!cpu->has_sgx || !cpuid(user, 0x12, 0, r)) {
        return;
    }
    cpu->is_enabled = (r[TF_EAX] & 1) != 0;
    cpu->has_sgx2 = (r[TF_EAX] >> 1 & 1) != 0;
    cpu->size_bits = r[TF_EDX] >> 8 & 0xff;
    if (cpuid(user, 0x12, 1, r)) {
        cpu->has_kss = (r[TF_EAX] >> 7 & 1) != 0;
        cpu->xfrm = (uint64_t)r[TF_EDX] << 32 | r[TF_ECX];
    }
    for (uint32_t section = 2; section < 10; section++) {
        if (!cpuid(user, 0x12, section, r) || (r[TF_EAX] & 0xf) != 1) {
            return; /* 1: a valid section */
        }
        cpu->epc_bytes +=
            (uint64_t)(r[TF_EDX] & 0xfffff) << 32 | (r[TF_ECX] & 0xfffff000);
    }
}

/** Reads a CPU. @param cpuid  tf_cpuid_own, or what a test makes up. */
static inline void tf_cpu_sgx_read(struct tf_cpu_sgx *cpu, tf_cpuid cpuid, void *user)
{
    uint32_t r[4] = {0};

    memset(cpu, 0, sizeof(*cpu));
    if (cpuid(user, 0, 0, r)) {
        memcpy(cpu->vendor, &r[TF_EBX], 4);
        memcpy(cpu->vendor + 4, &r[TF_EDX], 4);
        memcpy(cpu->vendor + 8, &r[TF_ECX], 4);
    }
    tf_cpu_read_leaf7(cpu, cpuid, user);
    tf_cpu_read_leaf12(cpu, cpuid, user);
}
