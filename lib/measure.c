/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/measure.h"

#include <string.h>

#include "lib/bytes.h"

enum { RECORD_SIZE = 64, NAME_SIZE = 8, CHUNK_SIZE = 256 };

static void flush(struct tf_measure *m)
{
    tf_sha256_feed(&m->sha, m->bytes, m->kept);
    m->kept = 0;
}

/* Room for `size` bytes, at most a page, that are hashed next. */
static uint8_t *more(struct tf_measure *m, size_t size)
{
    if (m->kept + size > sizeof(m->bytes)) {
        flush(m);
    }
    uint8_t *at = m->bytes + m->kept;
    m->kept += size;
    return at;
}

/* A record of zeros but for its name. */
static uint8_t *add_record(struct tf_measure *m, const char name[static NAME_SIZE])
{
    uint8_t *record = more(m, RECORD_SIZE);

    memset(record, 0, RECORD_SIZE);
    memcpy(record, name, NAME_SIZE);
    return record;
}

void tf_measure_ecreate(struct tf_measure *m, uint32_t ssa_frame_size, uint64_t size)
{
    m->kept = 0;
    tf_sha256_init(&m->sha);
    uint8_t *record = add_record(m, "ECREATE");
    tf_store_u32(record + NAME_SIZE, ssa_frame_size);
    tf_store_u64(record + NAME_SIZE + 4, size);
}

void tf_measure_eadd(struct tf_measure *m, uint64_t offset, uint64_t secinfo_flags)
{
    uint8_t *record = add_record(m, "EADD\0\0\0");
    tf_store_u64(record + NAME_SIZE, offset);
    tf_store_u64(record + NAME_SIZE + 8, secinfo_flags); /* its other 40 bytes are zero */
}

void tf_measure_page(struct tf_measure *m, uint64_t offset,
                     const uint8_t page[static TF_PAGE])
{
    for (size_t at = 0; at < TF_PAGE; at += CHUNK_SIZE) {
        tf_store_u64(add_record(m, "EEXTEND") + NAME_SIZE, offset + at);
        memcpy(more(m, CHUNK_SIZE), page + at, CHUNK_SIZE);
    }
}

void tf_measure_take(struct tf_measure *m, uint8_t mrenclave[static TF_SHA256_SIZE])
{
    flush(m);
    tf_sha256_take(&m->sha, mrenclave);
}
