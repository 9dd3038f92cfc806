/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker_process.h - a worker from its options to its end: one enclave, a thread per TCS,
 * each with its link to tfaasd. Which enclave that is, the linker decides: an image in
 * one of host/load.c's backends, or the native core (host/native_enclave.c).
 */
#pragma once

#include <stdint.h>

#include "host/enclave.h"
#include "host/sandbox.h"

enum { TF_FIRST_LINK = 3 }; /* the links are descriptors from here on */

struct tf_worker_settings {
    struct tf_enclave_options enclave;
    enum tf_sandbox sandbox;
    const char *descriptor_path;
    uint64_t idle_seconds;
    uint64_t memory_mib; /* that may be kept of lambdas; 0: as the image sees fit */
    uint64_t poll_us; /* asking before a sleep, at most (host/worker_poll.h); 0: none */
    unsigned links;
    uint64_t abi; /* of who starts it; another than ours (abi/version.h) is refused */
};

/**
 * Serves until tfaasd closes the links or the enclave stops. Call it once.
 * @return the exit status of the process, which must then end at once with _exit: other
 *         threads may still run.
 */
int tf_worker_process_run(const struct tf_worker_settings *settings);
