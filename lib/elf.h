/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf.h - the reader of an enclave image's ELF file, which is untrusted. It accepts only
 * what an enclave can run without a dynamic loader: a static PIE for x86-64 whose
 * segments are disjoint and never writable and executable, and whose relocations are all
 * R_X86_64_RELATIVE into writable segments. lib/image.c builds the enclave on it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

enum {
    TF_ELF_LOADS_MAX = 16,
    TF_ELF_R = 4, /* segment flags as in the file */
    TF_ELF_W = 2,
    TF_ELF_X = 1
};

/** Largest address an image may use: SGX1's limit on SECS.SIZE. */
#define TF_ELF_ADDRESS_MAX (UINT64_C(1) << 36)

/** A PT_LOAD. Bytes of its pages that the file does not give are zero. */
struct tf_elf_load {
    uint64_t address;
    uint64_t size;
    uint64_t file_offset;
    uint64_t file_size; /* at most size */
    uint32_t flags;
};

struct tf_elf {
    const uint8_t *bytes; /* the caller's, kept */
    size_t size;
    uint64_t entry;
    uint64_t end; /* of the last segment, rounded up to a page */
    struct tf_elf_load loads[TF_ELF_LOADS_MAX]; /* ascending; the first is at 0 */
    unsigned load_count;
    uint64_t section_offset; /* the section headers; checked when they are read */
    uint16_t section_count;
    uint16_t section_names; /* index of the section with the names */
};

/** Opens and checks a file. @return TF_OK or TF_EIMAGE_FORMAT. */
TF_MUST_USE tf_err tf_elf_open(const uint8_t *bytes, size_t size, struct tf_elf *out);

/**
 * Copies the `size` bytes of section `name` as the image has them in memory.
 *
 * The section must have exactly that size and lie in a segment that can only be read, so
 * that what is copied is measured and the code cannot change it.
 * @return TF_OK or TF_EIMAGE_FORMAT.
 */
TF_MUST_USE tf_err tf_elf_section_copy(const struct tf_elf *elf, const char *name,
                                       uint8_t *out, size_t size);

/** Copies what the segments put into [address, address + size); the rest of `out` stays.
 */
void tf_elf_copy(const struct tf_elf *elf, uint64_t address, uint8_t *out, size_t size);
