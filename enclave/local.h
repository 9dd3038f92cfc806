/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local.h - what the runtime below the core keeps per thread. It lies in the second half
 * of the thread page, which is measured zeros, so it needs no set-up of its own.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "abi/layout.h"
#include "lib/arena.h"

struct tf_lane;

struct tf_local {
    struct tf_arena *heap; /* NULL until the first use */
    uint64_t now;          /* the host's time, of this entry */
    struct tf_lane *lane;  /* that runs, or NULL */
    void *rng;             /* random.c's, in the heap */
};

enum { TF_LOCAL_OFFSET = 2048 };

static_assert(sizeof(struct tf_thread_page) <= TF_LOCAL_OFFSET,
              "the page has two halves");
static_assert(TF_LOCAL_OFFSET + sizeof(struct tf_local) <= TF_PAGE,
              "the page has two halves");

/** What lies `offset` bytes from the base of the enclave that `page` is of; the builder
 * of the image and the core wrote such offsets into the page. */
static inline void *tf_own(const struct tf_thread_page *page, uint64_t offset)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): the one place for own addresses */
    return (void *)(uintptr_t)(page->base + offset);
}

/** This thread's. */
struct tf_local *tf_local_self(void);
