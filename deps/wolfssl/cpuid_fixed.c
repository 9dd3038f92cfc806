/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpuid_fixed.c - replaces wolfSSL's cpuid.c.
 *
 * The features are TF_CPU, of user_settings.h, which says why.
 */
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/cpuid.h>

void cpuid_set_flags(void)
{
}

word32 cpuid_get_flags(void)
{
    return TF_CPU;
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
