/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/ring.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "test/native/native.h"
#include "test/test.h"

enum {
    PAYLOAD_MAX = TF_FRAME_MAX - sizeof(struct tf_frame),
    ROUNDS = 2000,
    TAIL_FAR = 3 * TF_RING_SIZE
};

static struct tf_ring *ring; /* on the heap: sanitizers watch its ends */
static struct tf_ring_reader reader;
static struct tf_ring_writer writer;
static alignas(8) uint8_t payload[TF_FRAME_MAX];

static void start(uint64_t at)
{
    free(ring);
    ring = calloc(1, sizeof(*ring));
    ring->head = at;
    ring->tail = at;
    tf_hostptr address = {(uint64_t)(uintptr_t)ring};
    reader = (struct tf_ring_reader){address, at, at};
    writer = (struct tf_ring_writer){address, at, at};
}

/* One ring serves both ends here: what the writer commits the reader sees. */
static void pass(uint32_t size, uint8_t fill)
{
    static alignas(8) uint8_t sent[TF_FRAME_MAX];
    struct tf_frame frame;

    /* Each byte another than its neighbours, in two parts, both on word boundaries at
     * times: long ones are not copied on their way then. */
    for (uint32_t i = 0; i < size; i++) {
        sent[i] = (uint8_t)(fill + i * 31 + i / 251);
    }
    uint32_t first = fill % 2 == 0 ? size / 3 : size / 24 * 8;
    CHECK(tf_ring_put(&writer, 5, fill, tf_part(sent, first),
                      tf_part(sent + first, size - first)) == TF_OK);
    CHECK(tf_ring_writer_commit(&writer) == TF_OK);
    CHECK(tf_ring_take(&reader, &frame, payload) == TF_OK);
    CHECK(frame.type == 5 && frame.size == size && frame.id == fill);
    CHECK(memcmp(payload, sent, size) == 0);
    CHECK(tf_ring_reader_commit(&reader) == TF_OK);
}

static void what_was_emptied_begins_again(void)
{
    struct tf_frame frame;

    start(TF_RING_SIZE - 8);
    CHECK(tf_ring_put(&writer, 1, 0, tf_part(NULL, 0), tf_part(NULL, 0)) == TF_OK);
    CHECK(tf_ring_put(&writer, 2, 0, tf_part("abc", 3), tf_part(NULL, 0)) == TF_OK);
    CHECK(tf_ring_writer_commit(&writer) == TF_OK);
    CHECK(tf_ring_take(&reader, &frame, payload) == TF_OK && frame.type == 1);
    CHECK(tf_ring_reader_commit(&reader) == TF_OK);
    CHECK(ring->tail == TF_RING_SIZE + 8 && ring->head == writer.head);
    CHECK(tf_ring_writer_begin(&writer) == TF_OK && writer.tail == ring->tail);
    CHECK(tf_ring_take(&reader, &frame, payload) == TF_OK && frame.type == 2);
    CHECK(ring->head == writer.head);
    CHECK(tf_ring_take(&reader, &frame, payload) == TF_AGAIN);
    CHECK(reader.head == 0 && reader.tail == 0 && ring->head == 0 && ring->tail == 0);

    ring->tail = writer.head; /* as a host that has taken all */
    CHECK(tf_ring_writer_begin(&writer) == TF_OK);
    CHECK(writer.head == 0 && writer.tail == 0 && ring->head == 0 && ring->tail == 0);
    pass(PAYLOAD_MAX, 3);
}

static void frames_of_all_sizes(void)
{
    start(0);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        pass(i * 7907 % (PAYLOAD_MAX + 1), (uint8_t)i);
    }
    pass(0, 1);
    pass(PAYLOAD_MAX, 2);
}

static void indexes_wrap_around_64_bits(void)
{
    start(UINT64_MAX - 7 - PAYLOAD_MAX);
    for (uint32_t i = 0; i < 20; i++) {
        pass(PAYLOAD_MAX - i, (uint8_t)i);
    }
}

static void header_around_the_end(void)
{
    start(TF_RING_SIZE - 8);
    pass(100, 9);
}

static void padding_is_zero(void)
{
    start(0);
    memset(ring->data, 0xff, 64);
    CHECK(tf_ring_put(&writer, 1, 2, tf_part("abc", 3), tf_part(NULL, 0)) == TF_OK);
    CHECK(memcmp(ring->data + 16, "abc\0\0\0\0\0\xff", 9) == 0);
}

static void full_ring_says_again(void)
{
    size_t room = 0;
    unsigned count = 0;

    start(0);
    while (tf_ring_put(&writer, 1, 0, tf_part(payload, PAYLOAD_MAX), tf_part(NULL, 0)) ==
           TF_OK) {
        count++;
    }
    CHECK(count == TF_RING_SIZE / TF_FRAME_MAX);
    CHECK(tf_ring_put(&writer, 1, 0, tf_part(NULL, 0), tf_part(NULL, 0)) == TF_AGAIN);
    CHECK(tf_ring_room(&writer, &room) == TF_OK && room == 0);
    ring->tail = 64;
    CHECK(tf_ring_room(&writer, &room) == TF_OK && room == 48);
    CHECK(tf_ring_put(&writer, 1, 0, tf_part(payload, 49), tf_part(NULL, 0)) == TF_AGAIN);
    CHECK(tf_ring_put(&writer, 1, 0, tf_part(payload, 48), tf_part(NULL, 0)) == TF_OK);
}

static void too_long_is_our_bug(void)
{
    start(0);
    CHECK(tf_ring_put(&writer, 1, 0, tf_part(payload, PAYLOAD_MAX),
                      tf_part(payload, 1)) == TF_EINTERNAL);
    CHECK(tf_ring_put(&writer, 1, 0, tf_part(payload, SIZE_MAX),
                      tf_part(payload, SIZE_MAX)) == TF_EINTERNAL);
}

static tf_err take_with_head(uint64_t head)
{
    struct tf_frame frame;

    ring->head = head;
    return tf_ring_take(&reader, &frame, payload);
}

static void lying_head(void)
{
    start(TF_RING_SIZE);
    CHECK(take_with_head(TF_RING_SIZE) == TF_AGAIN);
    CHECK(take_with_head(TF_RING_SIZE + 4) == TF_EHOST);
    CHECK(take_with_head(TF_RING_SIZE + 8) == TF_EHOST); /* half a header */
    start(TF_RING_SIZE);
    CHECK(take_with_head(TF_RING_SIZE - 8) == TF_EHOST);
    CHECK(take_with_head(0) == TF_EHOST);
    CHECK(take_with_head(2 * TF_RING_SIZE + 8) == TF_EHOST);
    CHECK(take_with_head(UINT64_MAX - 7) == TF_EHOST);
}

static void lying_size(void)
{
    static const uint32_t sizes[] = {9, 16, PAYLOAD_MAX, PAYLOAD_MAX + 1, UINT32_MAX};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        start(0);
        struct tf_frame frame = {1, sizes[i], 0};
        memcpy(ring->data, &frame, sizeof(frame));
        CHECK(take_with_head(24) == TF_EHOST);
        CHECK(reader.tail == 0);
    }
}

static void lying_tail(void)
{
    size_t room = 0;

    start(TAIL_FAR);
    while (tf_ring_put(&writer, 1, 0, tf_part(payload, PAYLOAD_MAX), tf_part(NULL, 0)) ==
           TF_OK) {
    }
    ring->tail = TAIL_FAR - 8; /* back */
    CHECK(tf_ring_room(&writer, &room) == TF_EHOST);
    ring->tail = TAIL_FAR + 4;
    CHECK(tf_ring_room(&writer, &room) == TF_EHOST);
    ring->tail = writer.head + 8; /* ahead of what we wrote */
    CHECK(tf_ring_put(&writer, 1, 0, tf_part(NULL, 0), tf_part(NULL, 0)) == TF_EHOST);
    CHECK(tf_ring_writer_begin(&writer) == TF_EHOST);
    ring->tail = writer.head;
    CHECK(tf_ring_room(&writer, &room) == TF_OK && room == PAYLOAD_MAX);
}

static void ring_inside_the_enclave(void)
{
    struct tf_frame frame;

    start(0);
    reader.ring.addr = (uint64_t)(uintptr_t)tf_native_inside;
    writer.ring.addr = (uint64_t)(uintptr_t)tf_native_inside;
    CHECK(tf_ring_take(&reader, &frame, payload) == TF_EHOST);
    CHECK(tf_ring_reader_commit(&reader) == TF_EHOST);
    CHECK(tf_ring_put(&writer, 1, 0, tf_part(NULL, 0), tf_part(NULL, 0)) == TF_EHOST);
    CHECK(tf_ring_writer_commit(&writer) == TF_EHOST);
    CHECK(writer.head == 0);
}

int main(void)
{
    RUN(frames_of_all_sizes);
    RUN(indexes_wrap_around_64_bits);
    RUN(header_around_the_end);
    RUN(what_was_emptied_begins_again);
    RUN(padding_is_zero);
    RUN(full_ring_says_again);
    RUN(too_long_is_our_bug);
    RUN(lying_head);
    RUN(lying_size);
    RUN(lying_tail);
    RUN(ring_inside_the_enclave);
    free(ring);
    return test_end();
}
