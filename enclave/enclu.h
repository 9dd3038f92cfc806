/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enclu.h - the CPU's services inside: who this thread is, EREPORT, EGETKEY, EACCEPT,
 * random numbers. Implemented as inline assembly (enclu.c) for the image and by
 * test/native/ for unit tests.
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
void tf_ereport(const struct sgx_target_info *target,
                const uint8_t report_data[static 64], struct sgx_report *out);

/**
 * EACCEPT of whole pages of this enclave that were not added at its start: the kernel
 * adds each as it is asked for, and it is zeros. The CPU lets nobody use one before, so
 * nothing can be there. A page may be accepted once in an enclave's life: to accept what
 * the kernel puts there later would be to forget what was there. Anything else ends the
 * enclave.
 */
void tf_accept(void *memory, size_t size);

/** EGETKEY. @return 0 and the key, to be wiped; or the SDM's code (SGX_INVALID_*). */
TF_MUST_USE uint32_t tf_egetkey(const struct sgx_key_request *request,
                                uint8_t key[static 16]);
