/* SPDX-License-Identifier: Apache-2.0 */
#include "host/helper.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The links to tfaasd above all: it takes their end for the worker's. */
static void close_others(int fd)
{
    (void)syscall(SYS_close_range, 3, (unsigned)fd - 1, 0);
    (void)syscall(SYS_close_range, (unsigned)fd + 1, ~0U, 0);
}

tf_err tf_helper_open(tf_helper_serve *serve, const char *path, int *fd)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return TF_EIO;
    }
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        close_others(ends[1]);
        serve(ends[1], path);
        _exit(0);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return TF_EIO;
    }
    *fd = ends[0];
    return TF_OK;
}
