/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.h - where the traced core sees host memory. The channel is mapped twice: the
 * test plays the host through one mapping, the core has only the other, at a fixed
 * address. So every access to this window is the enclave's, and a filter knows them by
 * their address.
 */
#pragma once

#include "abi/channel.h"

#define TF_WINDOW 0x0b0d00000000ULL /* no other mapping of a process under valgrind */

enum {
    /* A word that is written before every entry; the core does not know it. */
    TF_WINDOW_MARK = (sizeof(struct tf_channel) + 4095) / 4096 * 4096,
    TF_WINDOW_SIZE = TF_WINDOW_MARK + 4096
};
