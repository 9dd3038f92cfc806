/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enclu.h - the CPU's services inside: who this thread is, EREPORT, EGETKEY, random numbers.
 * Implemented as inline assembly (enclu.c) for the image and by test/native/ for unit tests.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/layout.h"
#include "abi/sgx.h"
#include "lib/err.h"

/** This thread's page (FS:0). */
struct tf_thread_page *tf_self(void);

/**
 * EREPORT (SDM 38.17): a report on this enclave for `target`.
 * The function aligns its operands itself; plain memory will do.
 */
void tf_ereport(const struct sgx_target_info *target, const uint8_t report_data[static 64],
                struct sgx_report *out);

/** EGETKEY. @return 0 and the key, or the SDM's error code (SGX_INVALID_*). Wipe the key. */
TF_MUST_USE uint32_t tf_egetkey(const struct sgx_key_request *request,
                                uint8_t key[static 16]);
