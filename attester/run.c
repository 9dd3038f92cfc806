/* SPDX-License-Identifier: Apache-2.0 */
#include "attester/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client/report.h"

static long long now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A group of its own, so that all of it can be killed; signals as a program expects them,
 * not as this daemon has them. */
static bool set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t defaults;

    (void)sigemptyset(&none);
    (void)sigemptyset(&defaults);
    (void)sigaddset(&defaults, SIGPIPE);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP |
                                                    POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF) == 0 &&
           posix_spawnattr_setpgroup(attributes, 0) == 0 &&
           posix_spawnattr_setsigmask(attributes, &none) == 0 &&
           posix_spawnattr_setsigdefault(attributes, &defaults) == 0;
}

/* @return the process, or -1. Its stdout is `output`. */
static pid_t start(const char *const *argv, int output)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    char *arguments[64];
    size_t count = 0;
    pid_t pid = -1;

    for (; argv[count] != NULL && count < sizeof(arguments) / sizeof(arguments[0]) - 1;
         count++) {
        memcpy(&arguments[count], &argv[count], sizeof(arguments[0])); /* drops const */
    }
    arguments[count] = NULL;
    if (count == 0 || posix_spawn_file_actions_init(&files) != 0) {
        return -1;
    }
    if (posix_spawnattr_init(&attributes) == 0) {
        if (!set_attributes(&attributes) ||
            posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY,
                                             0) != 0 ||
            posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO) != 0 ||
            posix_spawnp(&pid, arguments[0], &files, &attributes, arguments, environ) !=
                0) {
            pid = -1;
        }
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&files);
    return pid;
}

/* Reads to the end of the output. @return TF_EIO if that takes too long. */
static tf_err take(int fd, long long deadline, char *out, size_t cap)
{
    size_t size = 0;

    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        long long left = deadline - now_ms();
        if (left <= 0 || (poll(&wait, 1, (int)left) < 0 && errno != EINTR)) {
            return TF_EIO;
        }
        if (wait.revents == 0) {
            continue;
        }
        char more = 0;
        bool is_full = size == cap - 1;
        ssize_t n = read(fd, is_full ? &more : out + size, is_full ? 1 : cap - 1 - size);
        if (n < 0 || (n > 0 && is_full)) {
            return n < 0 ? TF_EIO : TF_ELIMIT;
        }
        if (n == 0) {
            out[size] = '\0';
            return TF_OK;
        }
        size += (size_t)n;
    }
}

/* Waits for a process that has closed its output; false if it is not done in time. */
static bool is_done(pid_t pid, long long deadline, int *status)
{
    const struct timespec pause = {.tv_nsec = 10000000};

    for (;;) {
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got != 0) {
            return got == pid;
        }
        if (now_ms() >= deadline) {
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
}

tf_err tf_run(const char *const *argv, unsigned seconds, char *out, size_t cap)
{
    long long deadline = now_ms() + (long long)seconds * 1000;
    int ends[2];
    int status = 0;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        (void)tf_report(TF_EIO, "pipe: %s", strerror(errno));
        return TF_EIO;
    }
    pid_t pid = start(argv, ends[1]);
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        (void)tf_report(TF_EIO, "%s does not start", argv[0]);
        return TF_EIO;
    }
    tf_err err = take(ends[0], deadline, out, cap);
    (void)close(ends[0]);
    if (err != TF_OK || !is_done(pid, deadline, &status)) {
        (void)kill(-pid, SIGKILL);
        (void)waitpid(pid, &status, 0);
        err = err == TF_OK ? TF_EIO : err;
        (void)tf_report(err, "%s took too long or printed too much", argv[0]);
        return err;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        (void)tf_report(TF_EIO, "%s failed (status %d)", argv[0], status);
        return TF_EIO;
    }
    return TF_OK;
}
