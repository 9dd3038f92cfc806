/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core.h - the enclave's work, below the entry code: one call an entry. entry.c has
 * checked the channel's address and set up the thread's heap before the first call.
 */
#pragma once

#include "abi/channel.h"
#include "abi/layout.h"
#include "enclave/boundary.h"

struct tf_core_exit {
    enum tf_exit exit;
    tf_err err; /* why, with TF_EXIT_DEAD */
};

/**
 * Works through the input ring, runs what is ready, fills the output ring.
 *
 * @param page     this thread's; page->state is the core's own, 0 before the first call.
 * @param channel  host address, outside the enclave, the same at every entry of a thread.
 * @param now      host's time, ns since the epoch: a hint.
 */
struct tf_core_exit tf_core_enter(struct tf_thread_page *page, tf_hostptr channel,
                                  uint64_t now);
