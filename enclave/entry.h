/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.h - between gate.S and C: the call that works through one entry, and the flag
 * that ends the enclave. Used by the runtime below the core only.
 */
#pragma once

#include <stdint.h>

/** What goes back to the host, in RDI and RSI. */
struct tf_entry_exit {
    uint64_t exit; /* enum tf_exit */
    uint64_t err;  /* tf_err, with TF_EXIT_DEAD */
};

/** The enclave's end: once not 0, every later entry of any thread leaves with
 * TF_EXIT_DEAD before it runs any C. Set, never cleared. */
extern uint32_t tf_dead;

/** Called by gate.S on the thread's own stack. Both arguments are untrusted. */
struct tf_entry_exit tf_entry_work(uint64_t channel, uint64_t now);
