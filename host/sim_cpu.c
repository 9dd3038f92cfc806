/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_cpu.c - what ECREATE and EADD check (SDM vol. 3D, same names), against what
 * CPUID.12H says of the simulated machine's processor.
 */
#include "host/sim.h"

#include <string.h>

enum {
    XSAVE_SSE = 576, /* ends of the XSAVE components, standard form (SDM vol. 1, 13.4) */
    XSAVE_AVX = 832,
    XSAVE_MPX = 1088,
    XSAVE_AVX512 = 2688,
    XSAVE_PKRU = 2696,
    XSAVE_AMX = 11008,
    MISC_SIZE = 16, /* EXINFO */
    FRAME_PAGES_MAX = 1 << 16
};

static const uint64_t xfrm_sse = 0x3;
static const uint64_t xfrm_avx = 0x4;
static const uint64_t xfrm_mpx = 0x18;
static const uint64_t xfrm_avx512 = 0xe0;
static const uint64_t xfrm_pkru = 0x200;
static const uint64_t xfrm_amx = 0x60000;

bool tf_sim_is_zero(const void *bytes, size_t size)
{
    const uint8_t *first = bytes;

    return size == 0 || (*first == 0 && memcmp(first, first + 1, size - 1) == 0);
}

uint64_t tf_sim_xsave_size(uint64_t xfrm)
{
    if ((xfrm & xfrm_amx) != 0) {
        return XSAVE_AMX;
    }
    if ((xfrm & xfrm_pkru) != 0) {
        return XSAVE_PKRU;
    }
    if ((xfrm & xfrm_avx512) != 0) {
        return XSAVE_AVX512;
    }
    if ((xfrm & xfrm_mpx) != 0) {
        return XSAVE_MPX;
    }
    return (xfrm & xfrm_avx) != 0 ? XSAVE_AVX : XSAVE_SSE;
}

static bool is_all_or_none(uint64_t bits, uint64_t group)
{
    return (bits & group) == 0 || (bits & group) == group;
}

/* What XSETBV would take (SDM vol. 1, 13.3). */
static bool is_xcr0_legal(uint64_t bits)
{
    return (bits & xfrm_sse) == xfrm_sse && is_all_or_none(bits, xfrm_mpx) &&
           is_all_or_none(bits, xfrm_avx512) && is_all_or_none(bits, xfrm_amx) &&
           ((bits & xfrm_avx512) == 0 || (bits & xfrm_avx) != 0);
}

static bool is_frame_good(const struct sgx_secs *secs)
{
    uint64_t misc = secs->miscselect != 0 ? (uint64_t)MISC_SIZE : 0;
    uint64_t needed =
        tf_sim_xsave_size(secs->attributes.xfrm) + misc + sizeof(struct tf_sim_gprsgx);

    return secs->ssa_frame_size < FRAME_PAGES_MAX &&
           (uint64_t)secs->ssa_frame_size * TF_PAGE >= needed;
}

static bool is_reserved_zero(const struct sgx_secs *secs)
{
    bool has_kss = (secs->attributes.flags & SGX_FLAGS_KSS) != 0;

    return tf_sim_is_zero(secs->reserved1, sizeof(secs->reserved1)) &&
           tf_sim_is_zero(secs->reserved2, sizeof(secs->reserved2)) &&
           tf_sim_is_zero(secs->reserved3, sizeof(secs->reserved3)) &&
           tf_sim_is_zero(secs->reserved4, sizeof(secs->reserved4)) &&
           (has_kss || (secs->config_svn == 0 &&
                        tf_sim_is_zero(secs->config_id, sizeof(secs->config_id))));
}

bool tf_sim_cpu_ecreate(const struct tf_sim_cpu *cpu, const struct sgx_secs *secs)
{
    uint64_t size = secs->size;
    bool is_canonical =
        secs->base >> 47 == 0 || secs->base >> 47 == (UINT64_C(1) << 17) - 1;

    /* 32-bit enclaves are none of ours: their limits are not simulated. */
    return (secs->attributes.flags & SGX_FLAGS_MODE64BIT) != 0 &&
           size >= (uint64_t)2 * TF_PAGE && (size & (size - 1)) == 0 &&
           size < UINT64_C(1) << cpu->size_bits && is_canonical &&
           (secs->base & (size - 1)) == 0 && (secs->miscselect & ~cpu->misc) == 0 &&
           (secs->attributes.flags & ~cpu->flags) == 0 &&
           (secs->attributes.xfrm & ~cpu->xfrm) == 0 &&
           is_xcr0_legal(secs->attributes.xfrm) && is_frame_good(secs) &&
           is_reserved_zero(secs);
}

bool tf_sim_cpu_eadd_tcs(struct sgx_tcs *tcs)
{
    if (!tf_sim_is_zero(tcs->reserved, sizeof(tcs->reserved))) {
        return false;
    }
    tcs->state = 0;
    tcs->flags &= ~(uint64_t)1; /* DBGOPTIN: only a debugger sets it, with EDBGWR */
    tcs->cssa = 0;
    tcs->aep = 0;
    return true;
}
