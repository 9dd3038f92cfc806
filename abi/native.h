/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native.h - between the two halves of a worker whose trusted core is no enclave but part
 * of the process, for machines that protect a whole VM: what host/load.c and EENTER are
 * otherwise. The channel and its frames are the same (abi/channel.h).
 *
 * Who implements what is said at each function. The two halves are linked apart, so that
 * nothing but these names is common to them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/channel.h"
#include "abi/sgx.h"

/** What the core is told of where it runs; constant from then on. */
struct tf_native_place {
    uint8_t measurement[32]; /* of the runtime's files (lib/runtime.h) */
    uint8_t config_id[64];   /* SHA-256 of the domain descriptor, then zeros */
    bool has_seal;           /* whether `seal` is a key; else nothing can be sealed */
    uint8_t seal[32];        /* from which sealing keys come */
    uint32_t threads;        /* 1 to TF_THREADS_MAX */
};

/** enclave/native/: makes the memory of all threads. @return 0 or -1. Call it once. */
int tf_native_open(const struct tf_native_place *place);

/** enclave/native/: makes what the calling thread will need, now that it may still ask
 * the system for it. @return 0 or -1. */
int tf_native_thread_init(void);

/**
 * enclave/native/: one entry of thread `index`, which is always the same thread of the
 * process. @param result  enum tf_exit and, for TF_EXIT_DEAD, a tf_err.
 */
void tf_native_enter(uint32_t index, struct tf_channel *channel, uint64_t now_ns,
                     uint32_t result[2]);

/** host/: what a worker's main is, called by the runtime once it is up, on the thread
 * that started it. @return the exit status of the process. */
int tf_native_main(int argc, char **argv);
