/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boundary.h - the only way enclave code touches host memory.
 *
 * A host address arrives as a tf_hostptr, an integer that cannot be dereferenced. The
 * host may change the bytes at any time: a read copies into enclave memory once and
 * everything after works on the copy. Every access is 8 bytes wide and 8-byte aligned
 * (CVE-2022-21233, CVE-2022-21166), so addresses and sizes here are multiples of 8.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/*
 * What the checkers see (tools/check-boundary). To sparse the integer is of a kind of its
 * own, so that every conversion outside boundary.c is a finding; to sparse and clang what
 * TF_HOST points to cannot be read or written by an expression.
 */
#if defined(__CHECKER__)
#define TF_HOST      __attribute__((noderef, address_space(1)))
#define TF_HOST_CAST __attribute__((force))
typedef uint64_t __attribute__((bitwise)) tf_hostaddr;
#else
#if defined(__clang__)
#define TF_HOST __attribute__((noderef))
#else
#define TF_HOST
#endif
#define TF_HOST_CAST
typedef uint64_t tf_hostaddr;
#endif

/* An address in host memory. Only boundary.c turns it into a pointer. */
typedef struct tf_hostptr {
    tf_hostaddr addr;
} tf_hostptr;

/** An address as the host gave it; nothing is checked yet. */
tf_hostptr tf_host_pointer(uint64_t addr);

/** `offset` bytes further; may wrap, which a range check refuses. */
tf_hostptr tf_host_at(tf_hostptr ptr, uint64_t offset);

/** Whether [ptr, ptr + size) neither wraps nor touches the enclave, and ptr is 8-aligned.
 *  Not the negation of "inside". */
bool tf_host_is_outside(tf_hostptr ptr, uint64_t size);

/** Reads `size` bytes (a multiple of 8) of host memory into `dst`, enclave memory,
 * 8-aligned.
 *  @return TF_OK, or TF_EHOST if the range is not wholly outside. */
TF_MUST_USE tf_err tf_host_read(void *dst, tf_hostptr src, size_t size);

/** Writes `size` bytes (a multiple of 8) from enclave memory `src`, 8-aligned, to the
 * host. */
TF_MUST_USE tf_err tf_host_write(tf_hostptr dst, const void *src, size_t size);
