/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.c - frames in and out. An index of the host is read once, with one 8-byte access,
 * and must be possible: a multiple of 8, not moving backwards, not past what we wrote.
 */
#include "enclave/ring.h"

#include <stdalign.h>
#include <string.h>

enum {
    WORD = 8,
    MASK = TF_RING_SIZE - 1,
    PAYLOAD_MAX = TF_FRAME_MAX - sizeof(struct tf_frame),
    BOUNCE = 4096 /* bytes gathered before they are written out */
};

/* Frame bytes being put; what is not a whole number of words yet waits in `bytes`. */
struct bounce {
    tf_hostptr ring;
    uint64_t at; /* ring position of bytes[0] */
    size_t size;
    alignas(WORD) uint8_t bytes[BOUNCE];
};

static uint64_t padded(uint64_t size)
{
    return (size + WORD - 1) / WORD * WORD;
}

/* Reads `size` bytes (a multiple of 8) at ring position `at`, around the end if need be.
 */
static tf_err read_data(tf_hostptr ring, uint64_t at, void *out, uint64_t size)
{
    uint64_t index = at & MASK;
    uint64_t first = size < TF_RING_SIZE - index ? size : TF_RING_SIZE - index;

    tf_err err = tf_host_read(
        out, tf_host_at(ring, offsetof(struct tf_ring, data) + index), first);
    if (err != TF_OK || first == size) {
        return err;
    }
    return tf_host_read((uint8_t *)out + first,
                        tf_host_at(ring, offsetof(struct tf_ring, data)), size - first);
}

static tf_err write_data(tf_hostptr ring, uint64_t at, const void *bytes, uint64_t size)
{
    uint64_t index = at & MASK;
    uint64_t first = size < TF_RING_SIZE - index ? size : TF_RING_SIZE - index;

    tf_err err = tf_host_write(tf_host_at(ring, offsetof(struct tf_ring, data) + index),
                               bytes, first);
    if (err != TF_OK || first == size) {
        return err;
    }
    return tf_host_write(tf_host_at(ring, offsetof(struct tf_ring, data)),
                         (const uint8_t *)bytes + first, size - first);
}

/* Reads the host's head: it may have grown, by at most what the ring holds. */
static tf_err refresh_head(struct tf_ring_reader *reader)
{
    uint64_t head;

    tf_err err = tf_host_read(
        &head, tf_host_at(reader->ring, offsetof(struct tf_ring, head)), sizeof(head));
    if (err != TF_OK) {
        return err;
    }
    if (head % WORD != 0 || head - reader->tail > TF_RING_SIZE ||
        head - reader->tail < reader->head - reader->tail) {
        return TF_EHOST;
    }
    reader->head = head;
    return TF_OK;
}

/* Reads the host's tail: it may have come nearer to our head. */
static tf_err refresh_tail(struct tf_ring_writer *writer)
{
    uint64_t tail;

    tf_err err = tf_host_read(
        &tail, tf_host_at(writer->ring, offsetof(struct tf_ring, tail)), sizeof(tail));
    if (err != TF_OK) {
        return err;
    }
    if (tail % WORD != 0 || writer->head - tail > writer->head - writer->tail) {
        return TF_EHOST;
    }
    writer->tail = tail;
    return TF_OK;
}

static tf_err put_index(tf_hostptr ring, size_t index, uint64_t value)
{
    return tf_host_write(tf_host_at(ring, index), &value, sizeof(value));
}

/* Says in both indexes that the ring is empty and begins anew (abi/channel.h). */
static tf_err restart(tf_hostptr ring)
{
    tf_err err = put_index(ring, offsetof(struct tf_ring, head), 0);

    return err == TF_OK ? put_index(ring, offsetof(struct tf_ring, tail), 0) : err;
}

tf_err tf_ring_take(struct tf_ring_reader *reader, struct tf_frame *frame,
                    uint8_t *payload)
{
    if (reader->head == reader->tail) {
        tf_err err = refresh_head(reader);
        if (err != TF_OK) {
            return err;
        }
        if (reader->head == reader->tail) {
            err = reader->tail == 0 ? TF_OK : restart(reader->ring);
            reader->tail = 0;
            reader->head = 0;
            return err == TF_OK ? TF_AGAIN : err;
        }
    }
    uint64_t have = reader->head - reader->tail;
    if (have < sizeof(struct tf_frame)) {
        return TF_EHOST;
    }
    alignas(WORD) struct tf_frame header;
    tf_err err = read_data(reader->ring, reader->tail, &header, sizeof(header));
    if (err != TF_OK) {
        return err;
    }
    if (header.size > PAYLOAD_MAX || padded(header.size) > have - sizeof(header)) {
        return TF_EHOST;
    }
    err = read_data(reader->ring, reader->tail + sizeof(header), payload,
                    padded(header.size));
    if (err != TF_OK) {
        return err;
    }
    reader->tail += sizeof(header) + padded(header.size);
    *frame = header;
    return TF_OK;
}

tf_err tf_ring_reader_commit(const struct tf_ring_reader *reader)
{
    return put_index(reader->ring, offsetof(struct tf_ring, tail), reader->tail);
}

tf_err tf_ring_writer_begin(struct tf_ring_writer *writer)
{
    tf_err err = refresh_tail(writer);
    if (err != TF_OK || writer->tail != writer->head) {
        return err;
    }
    writer->tail = 0;
    writer->head = 0;
    return restart(writer->ring);
}

/* Free bytes of the ring by the tail that we know. */
static uint64_t space(const struct tf_ring_writer *writer)
{
    return TF_RING_SIZE - (writer->head - writer->tail);
}

tf_err tf_ring_room(struct tf_ring_writer *writer, size_t *room)
{
    if (space(writer) < TF_FRAME_MAX) {
        tf_err err = refresh_tail(writer);
        if (err != TF_OK) {
            return err;
        }
    }
    uint64_t left = space(writer);
    if (left < sizeof(struct tf_frame)) {
        *room = 0;
        return TF_OK;
    }
    left -= sizeof(struct tf_frame);
    *room = left < PAYLOAD_MAX ? left : PAYLOAD_MAX;
    return TF_OK;
}

/* Writes out what was gathered, a multiple of 8 bytes. */
static tf_err flush(struct bounce *bounce)
{
    tf_err err = write_data(bounce->ring, bounce->at, bounce->bytes, bounce->size);

    bounce->at += bounce->size;
    bounce->size = 0;
    return err;
}

/* Writes the whole words of what is long, if it can be done from where it lies, and
 * leaves the rest of it. */
static tf_err write_through(struct bounce *bounce, const uint8_t **from, size_t *size)
{
    if (*size < BOUNCE || (uintptr_t)*from % WORD != 0 || bounce->size % WORD != 0) {
        return TF_OK;
    }
    size_t whole = *size / WORD * WORD;
    tf_err err = flush(bounce);
    if (err == TF_OK) {
        err = write_data(bounce->ring, bounce->at, *from, whole);
    }
    bounce->at += whole;
    *from += whole;
    *size -= whole;
    return err;
}

static tf_err gather(struct bounce *bounce, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    tf_err err = write_through(bounce, &from, &size);

    while (size != 0 && err == TF_OK) {
        size_t part = size < BOUNCE - bounce->size ? size : BOUNCE - bounce->size;
        memcpy(bounce->bytes + bounce->size, from, part);
        bounce->size += part;
        from += part;
        size -= part;
        err = bounce->size == BOUNCE ? flush(bounce) : TF_OK;
    }
    return err;
}

/* Header, both parts, zeros up to the next word. */
static tf_err put_bytes(struct bounce *bounce, const struct tf_frame *header,
                        struct tf_part a, struct tf_part b)
{
    static const uint8_t zeros[WORD];

    tf_err err = gather(bounce, header, sizeof(*header));
    if (err == TF_OK) {
        err = gather(bounce, a.data, a.size);
    }
    if (err == TF_OK) {
        err = gather(bounce, b.data, b.size);
    }
    if (err == TF_OK) {
        err = gather(bounce, zeros, padded(header->size) - header->size);
    }
    return err == TF_OK ? flush(bounce) : err;
}

tf_err tf_ring_put(struct tf_ring_writer *writer, uint32_t type, uint64_t id,
                   struct tf_part a, struct tf_part b)
{
    if (a.size > PAYLOAD_MAX || b.size > PAYLOAD_MAX - a.size) {
        return TF_EINTERNAL;
    }
    struct tf_frame header = {type, (uint32_t)(a.size + b.size), id};
    uint64_t need = sizeof(header) + padded(header.size);
    if (space(writer) < need) {
        tf_err err = refresh_tail(writer);
        if (err != TF_OK) {
            return err;
        }
        if (space(writer) < need) {
            return TF_AGAIN;
        }
    }
    struct bounce bounce; /* the array stays uninitialised: only gathered bytes leave */
    bounce.ring = writer->ring;
    bounce.at = writer->head;
    bounce.size = 0;
    tf_err err = put_bytes(&bounce, &header, a, b);
    if (err != TF_OK) {
        return err;
    }
    writer->head += need;
    return TF_OK;
}

tf_err tf_ring_writer_commit(const struct tf_ring_writer *writer)
{
    return put_index(writer->ring, offsetof(struct tf_ring, head), writer->head);
}
