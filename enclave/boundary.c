/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/boundary.h"

#include "enclave/layout.h"

enum { WORD = 8 };

extern const char tf_image_base[] __asm__("__ehdr_start")
    __attribute__((visibility("hidden")));

static uint64_t integer(tf_hostptr ptr)
{
    return (TF_HOST_CAST uint64_t)ptr.addr;
}

/* The one place where an integer becomes a pointer to host memory. */
static uint64_t TF_HOST *words(tf_hostptr ptr)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): this file may */
    return (uint64_t TF_HOST *)(uintptr_t)integer(ptr);
}

tf_hostptr tf_host_pointer(uint64_t addr)
{
    return (tf_hostptr){(TF_HOST_CAST tf_hostaddr)addr};
}

tf_hostptr tf_host_at(tf_hostptr ptr, uint64_t offset)
{
    return tf_host_pointer(integer(ptr) + offset);
}

bool tf_host_is_outside(tf_hostptr ptr, uint64_t size)
{
    uint64_t base = (uint64_t)(uintptr_t)tf_image_base;
    uint64_t first = integer(ptr);

    if (first % WORD != 0 || size > UINT64_MAX - first) {
        return false;
    }
    return first + size <= base || first >= base + tf_layout.elrange;
}

/* Both copy 8 bytes at a time between 8-byte aligned addresses: narrower or unaligned
 * accesses to host memory may read or leave stale data (CVE-2022-21233, CVE-2022-21166).
 * DF is clear (gate.S, System V ABI). */
static void copy_in(void *to, tf_hostptr src, size_t count)
{
    const uint64_t TF_HOST *from = words(src);

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

static void copy_out(tf_hostptr dst, const void *from, size_t count)
{
    uint64_t TF_HOST *to = words(dst);

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
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
    copy_in(dst, src, size / WORD);
    return TF_OK;
}

tf_err tf_host_write(tf_hostptr dst, const void *src, size_t size)
{
    tf_err err = check(dst, src, size);
    if (err != TF_OK) {
        return err;
    }
    copy_out(dst, src, size / WORD);
    return TF_OK;
}
