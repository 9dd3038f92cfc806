/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/boundary.h"

#include "enclave/layout.h"

enum { WORD = 8 };

extern const char tf_image_base[] __asm__("__ehdr_start")
    __attribute__((visibility("hidden")));

bool tf_host_is_outside(tf_hostptr ptr, uint64_t size)
{
    uint64_t base = (uint64_t)(uintptr_t)tf_image_base;

    if (ptr.addr % WORD != 0 || size > UINT64_MAX - ptr.addr) {
        return false;
    }
    return ptr.addr + size <= base || ptr.addr >= base + tf_layout.elrange;
}

/* Copies 8 bytes at a time between 8-byte aligned addresses: narrower or unaligned
 * accesses to host memory may read or leave stale data (CVE-2022-21233, CVE-2022-21166).
 * DF is clear (entry.S, System V ABI). */
static void copy_words(void *dst, const void *src, size_t size)
{
    size_t count = size / WORD;

    __asm__ volatile("rep movsq" : "+D"(dst), "+S"(src), "+c"(count) : : "memory");
}

/* The checks of both directions; afterwards nothing is speculated past them. */
static tf_err check(tf_hostptr ptr, const void *own, size_t size)
{
    if (size % WORD != 0 || (uintptr_t)own % WORD != 0) {
        return TF_EINTERNAL;
    }
    if (!tf_host_is_outside(ptr, size)) {
        return TF_EHOST;
    }
    __asm__ volatile("lfence" ::: "memory");
    return TF_OK;
}

tf_err tf_host_read(void *dst, tf_hostptr src, size_t size)
{
    tf_err err = check(src, dst, size);
    if (err != TF_OK) {
        return err;
    }
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): this file may */
    copy_words(dst, (const void *)(uintptr_t)src.addr, size);
    return TF_OK;
}

tf_err tf_host_write(tf_hostptr dst, const void *src, size_t size)
{
    tf_err err = check(dst, src, size);
    if (err != TF_OK) {
        return err;
    }
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): this file may */
    copy_words((void *)(uintptr_t)dst.addr, src, size);
    return TF_OK;
}
