/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpuid_fixed.c - replaces wolfSSL's cpuid.c.
 *
 * CPUID faults inside an enclave, and asking the host would let it choose the code paths
 * that touch our keys. So the features are constants of the image: what every processor
 * with SGX and flexible launch control has. XFRM is 7, hence AVX and AVX2 but no AVX-512.
 * SHA-NI is left out because the Coffee Lake parts do not have it. The loader must refuse
 * a processor that lacks one of these; the code would stop with #UD, never go wrong.
 */
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/cpuid.h>

enum {
    FIXED_FLAGS = CPUID_AVX1 | CPUID_AVX2 | CPUID_RDRAND | CPUID_RDSEED | CPUID_BMI1 |
                  CPUID_BMI2 | CPUID_AESNI | CPUID_ADX | CPUID_MOVBE
};

void cpuid_set_flags(void)
{
}

word32 cpuid_get_flags(void)
{
    return FIXED_FLAGS;
}

/* Upstream's test hooks; the flags cannot be changed. */
void cpuid_select_flags(word32 flags)
{
    (void)flags;
}

void cpuid_set_flag(word32 flag)
{
    (void)flag;
}

void cpuid_clear_flag(word32 flag)
{
    (void)flag;
}
