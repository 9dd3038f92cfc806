/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.h - an enclave image: a static-PIE ELF with a struct tf_layout, and the pages
 * that follow from it. Signer, loader, measurement and tools all walk the same list, so
 * what is signed is what is loaded. The file is untrusted input.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/layout.h"
#include "abi/sgx_load.h"
#include "lib/elf.h"
#include "lib/err.h"

struct tf_image {
    struct tf_elf elf; /* keeps the caller's bytes; OENTRY is elf.entry */
    struct tf_layout layout;
};

/** One run of pages with the same permissions. */
struct tf_run {
    uint64_t offset;  /* from the base */
    uint64_t size;    /* multiple of TF_PAGE */
    uint64_t secinfo; /* SECINFO.FLAGS */
    bool is_added;    /* before EINIT, and measured; else by EAUG when it is first used */
};

/** Called for each run, in load order. Non-TF_OK stops the walk and is returned. */
typedef tf_err (*tf_run_fn)(void *user, const struct tf_run *run);

/**
 * Opens an image: ELF64 x86-64 ET_DYN, no PT_INTERP or PT_TLS, no W+X segment, first page
 * not executable, segments that are disjoint once rounded to pages, only
 * R_X86_64_RELATIVE relocations and only into writable segments, a sane .tfaas.layout,
 * everything inside ELRANGE.
 * @return TF_OK or TF_EIMAGE_FORMAT.
 */
TF_MUST_USE tf_err tf_image_open(const uint8_t *bytes, size_t size, struct tf_image *out);

/** Walks the runs by ascending offset: segments, each thread's parts, the shared heap. */
TF_MUST_USE tf_err tf_image_walk(const struct tf_image *image, tf_run_fn fn, void *user);

/** Writes the initial content of the page at `offset` (zeros where the image says
 * nothing). */
void tf_image_page(const struct tf_image *image, uint64_t offset,
                   uint8_t page[static TF_PAGE]);

/** Offset of thread `index`'s TCS. */
uint64_t tf_image_tcs(const struct tf_image *image, unsigned index);

/** The SECS that the loader passes to ECREATE, base and CONFIGID left zero. ATTRIBUTES
 * are MODE64BIT | KSS, XFRM TF_XFRM, MISCSELECT 0, one SSA page. */
void tf_image_secs(const struct tf_image *image, struct sgx_secs *out);

/** MRENCLAVE of the image. */
TF_MUST_USE tf_err tf_image_measure(const struct tf_image *image,
                                    uint8_t mrenclave[static 32]);
