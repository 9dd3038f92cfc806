/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boundary.c - enclave/boundary.h for tests in an ordinary process: all of it is the
 * host, but for `tf_native_inside`. Keeps boundary.h's rules on alignment, so that a test
 * under sanitizers sees every access that the enclave would make.
 */
#include "enclave/boundary.h"

#include <string.h>

#include "test/native/native.h"

uint8_t tf_native_inside[4096] __attribute__((aligned(4096)));

tf_hostptr tf_host_pointer(uint64_t addr)
{
    return (tf_hostptr){addr};
}

tf_hostptr tf_host_at(tf_hostptr ptr, uint64_t offset)
{
    return (tf_hostptr){ptr.addr + offset};
}

bool tf_host_is_outside(tf_hostptr ptr, uint64_t size)
{
    uint64_t base = (uint64_t)(uintptr_t)tf_native_inside;

    if (ptr.addr % 8 != 0 || size > UINT64_MAX - ptr.addr) {
        return false;
    }
    return ptr.addr + size <= base || ptr.addr >= base + sizeof(tf_native_inside);
}

tf_err tf_host_read(void *dst, tf_hostptr src, size_t size)
{
    if (size % 8 != 0 || (uintptr_t)dst % 8 != 0) {
        return TF_EINTERNAL;
    }
    if (!tf_host_is_outside(src, size)) {
        return TF_EHOST;
    }
    memcpy(dst, (const void *)(uintptr_t)src.addr, size);
    return TF_OK;
}

tf_err tf_host_write(tf_hostptr dst, const void *src, size_t size)
{
    if (size % 8 != 0 || (uintptr_t)src % 8 != 0) {
        return TF_EINTERNAL;
    }
    if (!tf_host_is_outside(dst, size)) {
        return TF_EHOST;
    }
    memcpy((void *)(uintptr_t)dst.addr, src, size);
    return TF_OK;
}
