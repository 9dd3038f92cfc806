/* SPDX-License-Identifier: Apache-2.0 */
#include "host/worker_ring.h"

#include <stdlib.h>
#include <string.h>

#include "test/test.h"

static struct tf_channel channel;

static void reset(uint64_t at)
{
    memset(&channel, 0, sizeof(channel));
    channel.in.head = at;
    channel.in.tail = at;
}

/* The bytes of a frame by the words of abi/channel.h, one at a time. */
static uint8_t byte_at(uint64_t at)
{
    return channel.in.data[at % TF_RING_SIZE];
}

static void a_frame_lies_as_the_abi_says(void)
{
    reset(0);
    struct tf_frame frame = {.type = TF_MSG_DATA, .size = 5, .id = 0x0102030405060708};
    CHECK(tf_worker_ring_put(&channel.in, frame, "ab", 2, "cde") == TF_OK);
    static const uint8_t want[24] = {3, 0, 0, 0, 5,   0,   0,   0,   8,   7, 6, 5,
                                     4, 3, 2, 1, 'a', 'b', 'c', 'd', 'e', 0, 0, 0};
    CHECK(memcmp(channel.in.data, want, sizeof(want)) == 0);
    CHECK(channel.in.head == 24);
    CHECK(channel.in.tail == 0);
}

static void frames_wrap_at_every_offset(void)
{
    uint8_t body[100];
    for (size_t i = 0; i < sizeof(body); i++) {
        body[i] = (uint8_t)(i + 1);
    }
    for (uint64_t back = 0; back <= 128; back += 8) {
        uint64_t start = 5 * (uint64_t)TF_RING_SIZE - back;
        reset(start);
        struct tf_frame frame = {.type = TF_MSG_DATA, .size = sizeof(body), .id = back};
        CHECK(tf_worker_ring_put(&channel.in, frame, body, 40, body + 40) == TF_OK);
        for (size_t i = 0; i < sizeof(body); i++) {
            CHECK(byte_at(start + 16 + i) == body[i]);
        }
        struct tf_frame got;
        struct iovec pieces[2];
        uint64_t next = 0;
        CHECK(tf_worker_ring_look(&channel.in, start, &got, pieces, &next) == TF_OK);
        CHECK(got.type == TF_MSG_DATA && got.size == sizeof(body) && got.id == back);
        CHECK(pieces[0].iov_len + pieces[1].iov_len == sizeof(body));
        uint8_t joined[sizeof(body)];
        memcpy(joined, pieces[0].iov_base, pieces[0].iov_len);
        memcpy(joined + pieces[0].iov_len, pieces[1].iov_base, pieces[1].iov_len);
        CHECK(memcmp(joined, body, sizeof(body)) == 0);
        CHECK(next == channel.in.head && next == start + 16 + 104);
        CHECK(tf_worker_ring_look(&channel.in, next, &got, pieces, &next) == TF_AGAIN);
    }
}

static void a_reserved_place_is_what_is_committed(void)
{
    reset(TF_RING_SIZE - 24);
    struct iovec pieces[2];
    CHECK(tf_worker_ring_reserve(&channel.in, 1000, pieces) == 2);
    CHECK(pieces[0].iov_len == 8 && pieces[1].iov_len == 992);
    memcpy(pieces[0].iov_base, "12345678", 8);
    memcpy(pieces[1].iov_base, "9", 1);
    tf_worker_ring_commit(&channel.in, TF_MSG_DATA, 7, 9);
    struct tf_frame got;
    uint64_t next = 0;
    CHECK(tf_worker_ring_look(&channel.in, channel.in.tail, &got, pieces, &next) ==
          TF_OK);
    CHECK(got.size == 9 && next - channel.in.tail == 32);
    CHECK(memcmp(pieces[0].iov_base, "12345678", 8) == 0);
    CHECK(*(uint8_t *)pieces[1].iov_base == '9');
}

static void a_full_ring_takes_nothing_more(void)
{
    static uint8_t body[TF_FRAME_MAX];
    reset(8);
    struct tf_frame frame = {.type = TF_MSG_DATA, .size = TF_FRAME_MAX - 16};
    for (int i = 0; i < TF_RING_SIZE / TF_FRAME_MAX; i++) {
        CHECK(tf_worker_ring_put(&channel.in, frame, body, frame.size, NULL) == TF_OK);
    }
    CHECK(tf_worker_ring_free(&channel.in) == 0);
    CHECK(tf_worker_ring_room(&channel.in) == 0);
    frame.size = 0;
    CHECK(tf_worker_ring_put(&channel.in, frame, NULL, 0, NULL) == TF_AGAIN);
    CHECK(channel.in.head - channel.in.tail == TF_RING_SIZE);
    channel.in.tail += 24;
    CHECK(tf_worker_ring_room(&channel.in) == 8);
    frame.size = 9;
    CHECK(tf_worker_ring_put(&channel.in, frame, body, 9, NULL) == TF_AGAIN);
    frame.size = 8;
    CHECK(tf_worker_ring_put(&channel.in, frame, body, 8, NULL) == TF_OK);
}

static void a_broken_layout_is_refused(void)
{
    struct tf_frame got;
    struct iovec pieces[2];
    uint64_t next = 0;
    reset(0);
    channel.in.head = 8; /* not even a header */
    CHECK(tf_worker_ring_look(&channel.in, 0, &got, pieces, &next) == TF_EFORMAT);
    channel.in.head = TF_RING_SIZE + 8; /* more than the ring holds */
    CHECK(tf_worker_ring_look(&channel.in, 0, &got, pieces, &next) == TF_EFORMAT);
    channel.in.head = (uint64_t)-8; /* behind the tail */
    CHECK(tf_worker_ring_look(&channel.in, 0, &got, pieces, &next) == TF_EFORMAT);
    struct tf_frame frame = {.type = TF_MSG_DATA, .size = 17};
    memcpy(channel.in.data, &frame, sizeof(frame));
    channel.in.head = 32; /* the payload runs past the head */
    CHECK(tf_worker_ring_look(&channel.in, 0, &got, pieces, &next) == TF_EFORMAT);
    frame.size = UINT32_MAX; /* padding would wrap */
    memcpy(channel.in.data, &frame, sizeof(frame));
    CHECK(tf_worker_ring_look(&channel.in, 0, &got, pieces, &next) == TF_EFORMAT);
}

int main(void)
{
    RUN(a_frame_lies_as_the_abi_says);
    RUN(frames_wrap_at_every_offset);
    RUN(a_reserved_place_is_what_is_committed);
    RUN(a_full_ring_takes_nothing_more);
    RUN(a_broken_layout_is_refused);
    return test_end();
}
