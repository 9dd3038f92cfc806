/* SPDX-License-Identifier: Apache-2.0 */
#include "host/worker_ring.h"

#include <string.h>

enum { MASK = TF_RING_SIZE - 1, HEAD_SIZE = sizeof(struct tf_frame) };

static size_t padded(size_t size)
{
    return (size + 7U) & ~(size_t)7U;
}

/* The bytes [at, at + size) of the ring as one or two pieces. */
static int pieces_of(struct tf_ring *ring, uint64_t at, size_t size,
                     struct iovec pieces[static 2])
{
    size_t start = (size_t)(at & MASK);
    size_t first = TF_RING_SIZE - start < size ? TF_RING_SIZE - start : size;
    pieces[0].iov_base = ring->data + start;
    pieces[0].iov_len = first;
    pieces[1].iov_base = ring->data;
    pieces[1].iov_len = size - first;
    return first == size ? 1 : 2;
}

static void copy_in(struct tf_ring *ring, uint64_t at, const void *data, size_t size)
{
    struct iovec to[2];
    (void)pieces_of(ring, at, size, to);
    if (size > 0) {
        memcpy(to[0].iov_base, data, to[0].iov_len);
        memcpy(to[1].iov_base, (const uint8_t *)data + to[0].iov_len, to[1].iov_len);
    }
}

size_t tf_worker_ring_free(const struct tf_ring *ring)
{
    uint64_t used = ring->head - ring->tail;
    return used > TF_RING_SIZE ? 0 : (size_t)(TF_RING_SIZE - used);
}

size_t tf_worker_ring_room(const struct tf_ring *ring)
{
    size_t left = tf_worker_ring_free(ring);
    if (left < HEAD_SIZE) {
        return 0;
    }
    left -= HEAD_SIZE;
    return left < TF_FRAME_MAX - HEAD_SIZE ? left : TF_FRAME_MAX - HEAD_SIZE;
}

bool tf_worker_ring_is_empty(const struct tf_ring *ring)
{
    return ring->head == ring->tail;
}

int tf_worker_ring_reserve(struct tf_ring *ring, size_t size,
                           struct iovec pieces[static 2])
{
    return pieces_of(ring, ring->head + HEAD_SIZE, size, pieces);
}

void tf_worker_ring_commit(struct tf_ring *ring, enum tf_msg type, uint64_t id,
                           size_t size)
{
    static const uint8_t zeros[8];
    struct tf_frame frame = {.type = (uint32_t)type, .size = (uint32_t)size, .id = id};
    copy_in(ring, ring->head, &frame, sizeof(frame));
    copy_in(ring, ring->head + HEAD_SIZE + size, zeros, padded(size) - size);
    ring->head += HEAD_SIZE + padded(size);
}

tf_err tf_worker_ring_put(struct tf_ring *ring, struct tf_frame frame, const void *a,
                          size_t a_size, const void *b)
{
    if (tf_worker_ring_room(ring) < frame.size || frame.size < a_size ||
        tf_worker_ring_free(ring) < HEAD_SIZE) {
        return TF_AGAIN;
    }
    copy_in(ring, ring->head + HEAD_SIZE, a, a_size);
    copy_in(ring, ring->head + HEAD_SIZE + a_size, b, frame.size - a_size);
    tf_worker_ring_commit(ring, (enum tf_msg)frame.type, frame.id, frame.size);
    return TF_OK;
}

tf_err tf_worker_ring_look(struct tf_ring *ring, uint64_t at, struct tf_frame *frame,
                           struct iovec pieces[static 2], uint64_t *next)
{
    uint64_t used = ring->head - at;
    if (used == 0) {
        return TF_AGAIN;
    }
    if (used > TF_RING_SIZE || used < HEAD_SIZE || (at & 7U) != 0) {
        return TF_EFORMAT;
    }
    struct iovec from[2];
    struct tf_frame got;
    (void)pieces_of(ring, at, HEAD_SIZE, from);
    memcpy(&got, from[0].iov_base, from[0].iov_len);
    memcpy((uint8_t *)&got + from[0].iov_len, from[1].iov_base, from[1].iov_len);
    if (got.size > TF_FRAME_MAX - HEAD_SIZE || padded(got.size) > used - HEAD_SIZE) {
        return TF_EFORMAT;
    }
    *frame = got;
    (void)pieces_of(ring, at + HEAD_SIZE, got.size, pieces);
    *next = at + HEAD_SIZE + padded(got.size);
    return TF_OK;
}
