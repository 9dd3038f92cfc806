/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.h - runs a case in a process of its own: seccomp filters and deaths are for good.
 */
#pragma once

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 4096 };

struct outcome {
    int status;              /* exit status, or -1 for a signal */
    char output[OUTPUT_MAX]; /* stderr */
};

/** Runs `body` in a child; it says with its return value whether all was well. */
static inline struct outcome in_child(int (*body)(const void *), const void *argument)
{
    struct outcome outcome = {.status = -1};
    int out[2];

    if (pipe(out) != 0) {
        return outcome;
    }
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(out[1], STDERR_FILENO);
        _exit(body(argument));
    }
    (void)close(out[1]);
    size_t size = 0;
    ssize_t got = 1;
    while (got > 0 && size < OUTPUT_MAX - 1) {
        got = read(out[0], outcome.output + size, OUTPUT_MAX - 1 - size);
        size += got > 0 ? (size_t)got : 0;
    }
    (void)close(out[0]);
    int status = 0;
    if (waitpid(child, &status, 0) == child && WIFEXITED(status)) {
        outcome.status = WEXITSTATUS(status);
    }
    return outcome;
}

/** For bodies: says what is not so. @return 1 if it is not. */
static inline int claim(int is_so, const char *what)
{
    if (!is_so) {
        (void)fprintf(stderr, "not so: %s\n", what);
    }
    return !is_so;
}
