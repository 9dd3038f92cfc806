/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure.h - MRENCLAVE, record by record (SDM 38.4; ECREATE, EADD, EEXTEND). Pure: the
 * caller feeds the same pages in the same order as it would give to the CPU.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/layout.h"
#include "lib/crypto.h"

struct tf_measure {
    struct tf_sha256 sha;
    size_t kept; /* bytes that wait to be hashed: one record at a time is dear */
    uint8_t bytes[TF_PAGE];
};

/** Begins with ECREATE's record: `ssa_frame_size` in pages, `size` of the enclave. */
void tf_measure_ecreate(struct tf_measure *m, uint32_t ssa_frame_size, uint64_t size);

/** @param secinfo_flags SECINFO.FLAGS: permissions and page type. */
void tf_measure_eadd(struct tf_measure *m, uint64_t offset, uint64_t secinfo_flags);

/** Sixteen EEXTENDs over one page. */
void tf_measure_page(struct tf_measure *m, uint64_t offset,
                     const uint8_t page[static TF_PAGE]);

/** Ends the measurement: MRENCLAVE. */
void tf_measure_take(struct tf_measure *m, uint8_t mrenclave[static TF_SHA256_SIZE]);
