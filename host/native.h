/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native.h - the host half of a native worker (abi/native.h): measures the runtime, has
 * evidence made, and locks the process in. host/native_enclave.c puts it behind
 * host/enclave.h, so that the worker's loop is the same as for an image.
 */
#pragma once

#include <stdint.h>

#include "lib/err.h"

/**
 * Measures the files of a runtime's folder (lib/runtime.h).
 * @return TF_OK, TF_EIO.
 */
TF_MUST_USE tf_err tf_native_measure(const char *folder, uint8_t out[static 32]);

/**
 * Takes from all threads of the process, for good, every system call that a running
 * worker does not need: no file, socket, process or program comes new. What is refused
 * fails with EPERM; what only an attacker would try ends the process.
 * @return TF_OK, TF_EPLATFORM.
 */
TF_MUST_USE tf_err tf_native_sandbox(void);
