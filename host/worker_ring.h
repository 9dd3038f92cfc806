/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker_ring.h - the host's ends of a channel (abi/channel.h): it writes `in`, reads
 * `out`. Host and enclave never run at once on one channel (an entry is a call), so
 * nothing here is atomic. Payloads are given in place, as one or two pieces, since a ring
 * wraps.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "abi/channel.h"
#include "lib/err.h"

/** Payload bytes that a frame put now may have; 0 if not even an empty frame fits. */
size_t tf_worker_ring_room(const struct tf_ring *ring);

/** Bytes of the ring that are not in use. */
size_t tf_worker_ring_free(const struct tf_ring *ring);

/** Whether nothing is in the ring. */
bool tf_worker_ring_is_empty(const struct tf_ring *ring);

/**
 * Where the payload of the next frame goes: `size` bytes, at most tf_worker_ring_room().
 * Nothing is put until tf_worker_ring_commit.
 * @return the count of pieces, 1 or 2.
 */
int tf_worker_ring_reserve(struct tf_ring *ring, size_t size,
                           struct iovec pieces[static 2]);

/** Puts the frame whose payload of `size` bytes lies where reserve said. */
void tf_worker_ring_commit(struct tf_ring *ring, enum tf_msg type, uint64_t id,
                           size_t size);

/** Puts a frame from two parts (`b` may be empty).
 *  @return TF_OK, or TF_AGAIN (no room: nothing was put). */
TF_MUST_USE tf_err tf_worker_ring_put(struct tf_ring *ring, struct tf_frame frame,
                                      const void *a, size_t a_size, const void *b);

/**
 * Looks at the frame at `at`, a position between tail and head (ring->tail for the
 * first).
 * @param pieces  its payload, in place, valid until the tail passes it; 2 pieces, the
 * second may be empty.
 * @param next    the position after it.
 * @return TF_OK, TF_AGAIN (no frame there), TF_EFORMAT (the writer broke the layout).
 */
TF_MUST_USE tf_err tf_worker_ring_look(struct tf_ring *ring, uint64_t at,
                                       struct tf_frame *frame,
                                       struct iovec pieces[static 2], uint64_t *next);
