/* SPDX-License-Identifier: Apache-2.0 */
#include "host/link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Room for one descriptor, aligned as the kernel wants it. */
union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

static void attach(struct msghdr *message, union control *control, int fd)
{
    memset(control, 0, sizeof(*control));
    message->msg_control = control->bytes;
    message->msg_controllen = sizeof(control->bytes);
    struct cmsghdr *c = CMSG_FIRSTHDR(message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

tf_err tf_link_send(int link, const struct tf_link_head *head, const void *body, int fd)
{
    if (head->size > TF_LINK_MAX - sizeof(*head)) {
        return TF_ELIMIT;
    }
    struct iovec parts[2];
    struct tf_link_head copy = *head; /* an iovec is not const */
    parts[0].iov_base = &copy;
    parts[0].iov_len = sizeof(copy);
    memcpy(&parts[1].iov_base, &body, sizeof(body));
    parts[1].iov_len = head->size;
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    union control control;
    if (fd >= 0) {
        attach(&message, &control, fd);
    }
    ssize_t sent = 0;
    do {
        sent = sendmsg(link, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) {
        return TF_OK;
    }
    /* ETOOMANYREFS: too many descriptors are in flight; it passes as the peer reads. */
    if (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS) {
        return TF_AGAIN;
    }
    return TF_EIO;
}

/* The descriptor that came along, or -1. */
static int detach(struct msghdr *message)
{
    int fd = -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(message);
    if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int))) {
        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    }
    return fd;
}

tf_err tf_link_receive(int link, struct tf_link_head *head, void *body, int *fd)
{
    struct tf_link_head got;
    struct iovec parts[2] = {{.iov_base = &got, .iov_len = sizeof(got)},
                             {.iov_base = body, .iov_len = TF_LINK_MAX - sizeof(got)}};
    union control control;
    struct msghdr message = {.msg_iov = parts,
                             .msg_iovlen = 2,
                             .msg_control = control.bytes,
                             .msg_controllen = CMSG_LEN(sizeof(int))}; /* not two */
    ssize_t size = 0;
    do {
        size = recvmsg(link, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (size < 0 && errno == EINTR);
    if (size < 0) {
        return errno == EAGAIN ? TF_AGAIN : TF_EIO;
    }
    if (size == 0) {
        return TF_EIO;
    }
    int passed = detach(&message);
    if ((size_t)size < sizeof(got) || (message.msg_flags & MSG_TRUNC) != 0 ||
        got.size != (size_t)size - sizeof(got)) {
        if (passed >= 0) {
            (void)close(passed);
        }
        return TF_EFORMAT;
    }
    *head = got;
    *fd = passed;
    return TF_OK;
}
