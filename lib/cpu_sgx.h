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

struct tf_cpu_sgx {
    char vendor[13];
    bool has_sgx;       /* the CPU could, were it switched on */
    bool is_enabled;    /* the BIOS has switched it on: SGX1's leaves are there */
    bool has_flc;       /* launch control that Linux can write */
    bool has_sgx2;      /* not needed */
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

static inline void tf_cpu_read_leaf7(struct tf_cpu_sgx *cpu)
{
    uint32_t a = 0;
    uint32_t b = 0;
    uint32_t c = 0;
    uint32_t d = 0;

    if (__get_cpuid(1, &a, &b, &c, &d) == 0) {
        c = 0;
    }
    cpu->missing |= (c & bit_AES) != 0 ? 0 : TF_CPU_AESNI;
    cpu->missing |= (c & bit_PCLMUL) != 0 ? 0 : TF_CPU_PCLMUL;
    cpu->missing |= (c & bit_AVX) != 0 && (c & bit_OSXSAVE) != 0 ? 0 : TF_CPU_AVX;
    cpu->missing |= (c & bit_RDRND) != 0 ? 0 : TF_CPU_RDRAND;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) {
        b = 0;
        c = 0;
    }
    cpu->missing |= (b & bit_AVX2) != 0 ? 0 : TF_CPU_AVX2;
    cpu->missing |= (b & bit_BMI2) != 0 ? 0 : TF_CPU_BMI2;
    cpu->missing |= (b & bit_ADX) != 0 ? 0 : TF_CPU_ADX;
    cpu->missing |= (b & bit_RDSEED) != 0 ? 0 : TF_CPU_RDSEED;
    cpu->has_sgx = (b >> 2 & 1) != 0;
    cpu->has_flc = (c >> 30 & 1) != 0;
}

static inline void tf_cpu_read_leaf12(struct tf_cpu_sgx *cpu)
{
    uint32_t a = 0;
    uint32_t b = 0;
    uint32_t c = 0;
    uint32_t d = 0;

    if (!cpu->has_sgx || __get_cpuid_count(0x12, 0, &a, &b, &c, &d) == 0) {
        return;
    }
    cpu->is_enabled = (a & 1) != 0;
    cpu->has_sgx2 = (a >> 1 & 1) != 0;
    cpu->size_bits = d >> 8 & 0xff;
    if (__get_cpuid_count(0x12, 1, &a, &b, &c, &d) != 0) {
        cpu->has_kss = (a >> 7 & 1) != 0;
        cpu->xfrm = (uint64_t)d << 32 | c;
    }
    for (unsigned section = 2; section < 10; section++) {
        if (__get_cpuid_count(0x12, section, &a, &b, &c, &d) == 0 || (a & 0xf) != 1) {
            return; /* 1: a valid section */
        }
        cpu->epc_bytes += (uint64_t)(d & 0xfffff) << 32 | (c & 0xfffff000);
    }
}

/** Reads the CPU that this thread runs on. */
static inline void tf_cpu_sgx_read(struct tf_cpu_sgx *cpu)
{
    uint32_t a = 0;
    uint32_t b = 0;
    uint32_t c = 0;
    uint32_t d = 0;

    memset(cpu, 0, sizeof(*cpu));
    if (__get_cpuid(0, &a, &b, &c, &d) != 0) {
        memcpy(cpu->vendor, &b, sizeof(b));
        memcpy(cpu->vendor + 4, &d, sizeof(d));
        memcpy(cpu->vendor + 8, &c, sizeof(c));
    }
    tf_cpu_read_leaf7(cpu);
    tf_cpu_read_leaf12(cpu);
}
