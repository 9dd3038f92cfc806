/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpuid_fixed.c - replaces wolfSSL's cpuid.c.
 *
 * The features are TF_CPU, of user_settings.h, which says why, and of TF_CPU_HINTED those
 * that somebody has set.
 */
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/cpuid.h>

/* Any thread may read it while another sets it. */
static word32 hinted;

void cpuid_set_flags(void)
{
}

word32 cpuid_get_flags(void)
{
    return TF_CPU | __atomic_load_n(&hinted, __ATOMIC_RELAXED);
}

void cpuid_select_flags(word32 flags)
{
    __atomic_store_n(&hinted, flags & TF_CPU_HINTED, __ATOMIC_RELAXED);
}

void cpuid_set_flag(word32 flag)
{
    (void)__atomic_fetch_or(&hinted, flag & TF_CPU_HINTED, __ATOMIC_RELAXED);
}

void cpuid_clear_flag(word32 flag)
{
    (void)__atomic_fetch_and(&hinted, ~flag, __ATOMIC_RELAXED);
}
