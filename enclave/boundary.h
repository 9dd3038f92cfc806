/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boundary.h - the only way enclave code touches host memory.
 *
 * A host address arrives as a tf_hostptr, an integer that cannot be dereferenced. The host may
 * change the bytes at any time: a read copies into enclave memory once and everything after
 * works on the copy. Every access is 8 bytes wide and 8-byte aligned (CVE-2022-21233,
 * CVE-2022-21166), so addresses and sizes here are multiples of 8.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/* An address in host memory. Only boundary.c turns it into a pointer. */
typedef struct tf_hostptr {
    uint64_t addr;
} tf_hostptr;

/** Whether [ptr, ptr + size) neither wraps nor touches the enclave, and ptr is 8-aligned.
 *  Not the negation of "inside". */
bool tf_host_is_outside(tf_hostptr ptr, uint64_t size);

/** Reads `size` bytes (a multiple of 8) of host memory into `dst`, enclave memory, 8-aligned.
 *  @return TF_OK, or TF_EHOST if the range is not wholly outside. */
TF_MUST_USE tf_err tf_host_read(void *dst, tf_hostptr src, size_t size);

/** Writes `size` bytes (a multiple of 8) from enclave memory `src`, 8-aligned, to the host. */
TF_MUST_USE tf_err tf_host_write(tf_hostptr dst, const void *src, size_t size);
