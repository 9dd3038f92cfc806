/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.h - the enclave's ends of a channel (abi/channel.h). The enclave trusts only its
 * own copies of the indexes; a host index that cannot be is TF_EHOST and ends the
 * enclave.
 */
#pragma once

#include "abi/channel.h"
#include "enclave/boundary.h"

struct tf_ring_reader {
    tf_hostptr ring;
    uint64_t tail; /* ours */
    uint64_t head; /* the host's, as last read and checked */
};

struct tf_ring_writer {
    tf_hostptr ring;
    uint64_t head; /* ours */
    uint64_t tail; /* the host's, as last read and checked */
};

/**
 * Takes the next frame. A ring that is empty starts again at its first byte.
 * @param payload  TF_FRAME_MAX bytes, 8-aligned; the copy that the caller may trust not
 * to change.
 * @return TF_OK, TF_AGAIN (empty), TF_EHOST.
 */
TF_MUST_USE tf_err tf_ring_take(struct tf_ring_reader *reader, struct tf_frame *frame,
                                uint8_t *payload);

/** Tells the host what was taken. */
TF_MUST_USE tf_err tf_ring_reader_commit(const struct tf_ring_reader *reader);

/** At the start of an entry: if the host has taken all, the ring starts again at its
 * first byte. */
TF_MUST_USE tf_err tf_ring_writer_begin(struct tf_ring_writer *writer);

/** Payload bytes that a frame put now may have; 0 if not even an empty one fits. */
TF_MUST_USE tf_err tf_ring_room(struct tf_ring_writer *writer, size_t *room);

/** Bytes of a frame, the caller's. */
struct tf_part {
    const void *data;
    size_t size;
};

static inline struct tf_part tf_part(const void *data, size_t size)
{
    return (struct tf_part){data, size};
}

/**
 * Puts a frame made of two parts (`b` may be empty). Not seen by the host until the
 * commit.
 * @return TF_OK, TF_AGAIN (no room: nothing was put), TF_EHOST.
 */
TF_MUST_USE tf_err tf_ring_put(struct tf_ring_writer *writer, uint32_t type, uint64_t id,
                               struct tf_part a, struct tf_part b);

/** Publishes what was put. */
TF_MUST_USE tf_err tf_ring_writer_commit(const struct tf_ring_writer *writer);
