/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/measure.h"

#include "lib/bytes.h"

enum { RECORD_SIZE = 64, CHUNK_SIZE = 256 };

void tf_measure_ecreate(struct tf_measure *m, uint32_t ssa_frame_size, uint64_t size)
{
    uint8_t record[RECORD_SIZE] = "ECREATE";
    tf_store_u32(record + 8, ssa_frame_size);
    tf_store_u64(record + 12, size);
    tf_sha256_init(&m->sha);
    tf_sha256_feed(&m->sha, record, sizeof(record));
}

void tf_measure_eadd(struct tf_measure *m, uint64_t offset, uint64_t secinfo_flags)
{
    uint8_t record[RECORD_SIZE] = "EADD";
    tf_store_u64(record + 8, offset);
    tf_store_u64(record + 16, secinfo_flags); /* SECINFO's other 40 bytes are zero */
    tf_sha256_feed(&m->sha, record, sizeof(record));
}

void tf_measure_page(struct tf_measure *m, uint64_t offset,
                     const uint8_t page[static TF_PAGE])
{
    for (size_t at = 0; at < TF_PAGE; at += CHUNK_SIZE) {
        uint8_t record[RECORD_SIZE] = "EEXTEND";
        tf_store_u64(record + 8, offset + at);
        tf_sha256_feed(&m->sha, record, sizeof(record));
        tf_sha256_feed(&m->sha, page + at, CHUNK_SIZE);
    }
}

void tf_measure_take(struct tf_measure *m, uint8_t mrenclave[static TF_SHA256_SIZE])
{
    tf_sha256_take(&m->sha, mrenclave);
}
