/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native.h - the host half of a native worker (abi/native.h): measures the runtime, and
 * has evidence made. host/native_enclave.c puts it behind host/enclave.h, so that the
 * worker's loop is the same as for an image.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "host/tsm.h"
#include "lib/err.h"

/**
 * Measures the files of a runtime's folder (lib/runtime.h).
 * @return TF_OK, TF_EIO.
 */
TF_MUST_USE tf_err tf_native_measure(const char *folder, uint8_t out[static 32]);

/**
 * Starts the process that gets a guest's evidence (host/tsm.h). Before tf_sandbox_lower.
 *
 * @param path  kept by that process.
 * @param fd    for tf_native_evidence_ask; the process ends when it is closed.
 * @return TF_OK, TF_EIO.
 */
TF_MUST_USE tf_err tf_native_evidence_open(const char *path, int *fd);

/** Asks it. Waits as long as the firmware takes. @param out  TF_EVIDENCE_MAX bytes.
 *  @return as tf_tsm_evidence, and TF_EIO if that process is gone. */
TF_MUST_USE tf_err tf_native_evidence_ask(int fd,
                                          const uint8_t data[static TF_TSM_DATA_SIZE],
                                          char *out, size_t *size);
