/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile host: chooses the ring's memory, and both indexes anew before every call. The
 * enclave's ends must stay inside the ring (AddressSanitizer watches) and inside what
 * they promise. The input is a list of steps of 17 bytes.
 */
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "enclave/ring.h"
#include "lib/bytes.h"

enum { STEP_SIZE = 17, STEPS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static alignas(8) uint8_t payload[TF_FRAME_MAX];

static void check(int is_so)
{
    if (!is_so) {
        __builtin_trap();
    }
}

static tf_err take(struct tf_ring_reader *reader)
{
    struct tf_frame frame;
    uint64_t before = reader->tail;

    tf_err err = tf_ring_take(reader, &frame, payload);
    if (err == TF_OK) {
        check(frame.size <= TF_FRAME_MAX - sizeof(frame));
        check(reader->tail - before >= sizeof(frame) + frame.size);
    } else {
        /* An empty ring begins again. */
        check(reader->tail == (err == TF_AGAIN ? 0 : before));
    }
    check(reader->head - reader->tail <= TF_RING_SIZE && reader->tail % 8 == 0);
    return err;
}

static tf_err put(struct tf_ring_writer *writer, size_t size)
{
    size_t room = 0;

    tf_err err = tf_ring_room(writer, &room);
    if (err != TF_OK) {
        return err;
    }
    check(room <= TF_FRAME_MAX - sizeof(struct tf_frame));
    size %= room + 1;
    err = tf_ring_put(writer, 3, 4, tf_part(payload, size / 2),
                      tf_part(payload, size - size / 2));
    check(err == TF_OK || err == TF_EHOST || (err == TF_AGAIN && room == 0));
    check(writer->head - writer->tail <= TF_RING_SIZE && writer->head % 8 == 0);
    return err;
}

/* The host's part of a step: indexes near the truth or anywhere, some bytes of data. */
static void spoil(struct tf_ring *ring, uint64_t at, struct tf_reader *input)
{
    uint64_t head = tf_read_u64(input);
    uint64_t value = tf_read_u64(input);

    ring->head =
        (head & 1) != 0 ? head >> 1 : at + (head >> 1) % (2 * TF_RING_SIZE) / 8 * 8;
    ring->tail = ring->head;
    uint64_t index = at % TF_RING_SIZE;
    if (index <= TF_RING_SIZE - sizeof(value)) {
        memcpy(ring->data + index, &value, sizeof(value)); /* type and size of a frame */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tf_ring *ring = calloc(1, sizeof(*ring));
    check(ring != NULL);
    struct tf_ring_reader reader = {{(uint64_t)(uintptr_t)ring}, 0, 0};
    struct tf_ring_writer writer = {{(uint64_t)(uintptr_t)ring}, 0, 0};
    struct tf_reader input;
    tf_err err = TF_OK;

    tf_reader_init(&input, data, size);
    for (int i = 0; i < STEPS_MAX && tf_reader_left(&input) >= STEP_SIZE; i++) {
        const uint8_t *kind = tf_read_bytes(&input, 1);
        spoil(ring, (*kind & 1) != 0 ? writer.tail : reader.tail, &input);
        err = (*kind & 1) != 0 ? put(&writer, (size_t)*kind * 257) : take(&reader);
        if (err == TF_EHOST) {
            break; /* the enclave stops here */
        }
        check(err == TF_OK || err == TF_AGAIN);
    }
    free(ring);
    return 0;
}
