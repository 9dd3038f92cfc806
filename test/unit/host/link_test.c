/* SPDX-License-Identifier: Apache-2.0 */
#include "host/link.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "test/test.h"

static int ends[2];
static uint8_t body[TF_LINK_MAX];

static void open_link(void)
{
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
}

static void close_link(void)
{
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void a_packet_arrives_whole(void)
{
    open_link();
    struct tf_link_head head = {.type = TF_LINK_DROP, .size = 5, .id = 77};
    struct tf_link_head got;
    int fd = -2;
    CHECK(tf_link_receive(ends[1], &got, body, &fd) == TF_AGAIN);
    CHECK(tf_link_send(ends[0], &head, "hello", -1) == TF_OK);
    head.size = 0;
    CHECK(tf_link_send(ends[0], &head, NULL, -1) == TF_OK);
    CHECK(tf_link_receive(ends[1], &got, body, &fd) == TF_OK);
    CHECK(got.type == TF_LINK_DROP && got.size == 5 && got.id == 77 && fd == -1);
    CHECK(memcmp(body, "hello", 5) == 0);
    CHECK(tf_link_receive(ends[1], &got, body, &fd) == TF_OK);
    CHECK(got.size == 0);
    close_link();
}

static void a_descriptor_comes_along(void)
{
    open_link();
    int pipe_ends[2];
    CHECK(pipe(pipe_ends) == 0);
    struct tf_link_head head = {.type = TF_LINK_CONN};
    struct tf_link_head got;
    int fd = -1;
    CHECK(tf_link_send(ends[0], &head, NULL, pipe_ends[1]) == TF_OK);
    CHECK(tf_link_receive(ends[1], &got, body, &fd) == TF_OK);
    CHECK(fd >= 0 && fd != pipe_ends[1]);
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    char letter = 0;
    CHECK(write(fd, "x", 1) == 1);
    CHECK(read(pipe_ends[0], &letter, 1) == 1 && letter == 'x');
    (void)close(fd);
    (void)close(pipe_ends[0]);
    (void)close(pipe_ends[1]);
    close_link();
}

/* There is room for one in what is asked for; the kernel would have put two there. */
static void a_second_descriptor_is_not_left_open(void)
{
    open_link();
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {.bytes = {0}};
    struct tf_link_head head = {.type = TF_LINK_CONN};
    struct iovec part = {.iov_base = &head, .iov_len = sizeof(head)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    const int both[2] = {STDOUT_FILENO, STDERR_FILENO};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(both));
    memcpy(CMSG_DATA(c), both, sizeof(both));
    int before = dup(STDIN_FILENO);
    (void)close(before);
    for (int i = 0; i < 10; i++) {
        struct tf_link_head got;
        int fd = -1;
        CHECK(sendmsg(ends[0], &message, 0) == sizeof(head));
        CHECK(tf_link_receive(ends[1], &got, body, &fd) == TF_OK);
        (void)close(fd);
    }
    int after = dup(STDIN_FILENO);
    (void)close(after);
    CHECK(after == before);
    close_link();
}

static void sizes_are_checked(void)
{
    open_link();
    struct tf_link_head head = {.type = TF_LINK_RESULT, .size = TF_LINK_MAX - 16};
    struct tf_link_head got;
    int fd = -1;
    CHECK(tf_link_send(ends[0], &head, body, -1) == TF_OK);
    CHECK(tf_link_receive(ends[1], &got, body, &fd) == TF_OK);
    CHECK(got.size == TF_LINK_MAX - 16);
    head.size++;
    CHECK(tf_link_send(ends[0], &head, body, -1) == TF_ELIMIT);
    /* By other means: too short, lying about its size, too long. */
    CHECK(send(ends[0], &head, 8, 0) == 8);
    CHECK(tf_link_receive(ends[1], &got, body, &fd) == TF_EFORMAT);
    CHECK(send(ends[0], &head, sizeof(head), 0) == sizeof(head));
    CHECK(tf_link_receive(ends[1], &got, body, &fd) == TF_EFORMAT);
    static uint8_t big[TF_LINK_MAX + 1];
    memcpy(big, &head, sizeof(head));
    CHECK(send(ends[0], big, sizeof(big), 0) == sizeof(big));
    CHECK(tf_link_receive(ends[1], &got, body, &fd) == TF_EFORMAT);
    close_link();
}

static void a_full_link_says_again_and_a_lost_one_io(void)
{
    open_link();
    struct tf_link_head head = {.type = TF_LINK_RESULT, .size = 1000};
    tf_err err = TF_OK;
    for (int i = 0; i < 100000 && err == TF_OK; i++) {
        err = tf_link_send(ends[0], &head, body, -1);
    }
    CHECK(err == TF_AGAIN);
    (void)close(ends[1]);
    CHECK(tf_link_send(ends[0], &head, body, -1) == TF_EIO);
    int fd = -1;
    CHECK(tf_link_receive(ends[0], &head, body, &fd) == TF_EIO);
    (void)close(ends[0]);
}

int main(void)
{
    RUN(a_packet_arrives_whole);
    RUN(a_descriptor_comes_along);
    RUN(a_second_descriptor_is_not_left_open);
    RUN(sizes_are_checked);
    RUN(a_full_link_says_again_and_a_lost_one_io);
    return test_end();
}
