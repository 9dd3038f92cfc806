/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boundary.c - enclave/boundary.h for a core that shares its process with its host: there
 * is no outside to be told from an inside, and what protects both is the VM. The rules on
 * alignment, and that each byte is copied once and only the copy is used, stay.
 */
#include "enclave/boundary.h"

#include <string.h>

enum { WORD = 8 };

tf_hostptr tf_host_pointer(uint64_t addr)
{
    return (tf_hostptr){addr};
}

tf_hostptr tf_host_at(tf_hostptr ptr, uint64_t offset)
{
    return tf_host_pointer(ptr.addr + offset);
}

bool tf_host_is_outside(tf_hostptr ptr, uint64_t size)
{
    return ptr.addr != 0 && ptr.addr % WORD == 0 && size <= UINT64_MAX - ptr.addr;
}

/* The one place where an integer becomes a pointer to the host's memory. */
static uint8_t *pointer(tf_hostptr ptr)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): this file may */
    return (uint8_t *)(uintptr_t)ptr.addr;
}

static tf_err check(tf_hostptr ptr, const void *own, size_t size)
{
    if (size % WORD != 0 || (uintptr_t)own % WORD != 0) {
        return TF_EINTERNAL;
    }
    return tf_host_is_outside(ptr, size) ? TF_OK : TF_EHOST;
}

tf_err tf_host_read(void *dst, tf_hostptr src, size_t size)
{
    tf_err err = check(src, dst, size);
    if (err == TF_OK) {
        memcpy(dst, pointer(src), size);
    }
    return err;
}

tf_err tf_host_write(tf_hostptr dst, const void *src, size_t size)
{
    tf_err err = check(dst, src, size);
    if (err == TF_OK) {
        memcpy(pointer(dst), src, size);
    }
    return err;
}
