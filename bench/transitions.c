/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transitions.c - cycles of one EENTER and EEXIT of the simulator, fast and strict,
 * beside a plain system call, interleaved in one run: an entry that finds nothing to do,
 * no cost simulated (transition_cycles 0). Argument: the toy image. One line a row: NAME
 * median p10 p90.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/toy/toy_host.h"

enum { SAMPLES = 20001, STRICT_SAMPLES = 4001, WARM = 100 };

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;

    return *x < *y ? -1 : *x > *y;
}

static void show(const char *name, uint64_t *samples, size_t count)
{
    qsort(samples, count, sizeof(*samples), compare);
    (void)printf("%-24s %8llu %8llu %8llu\n", name,
                 (unsigned long long)samples[count / 2],
                 (unsigned long long)samples[count / 10],
                 (unsigned long long)samples[count * 9 / 10]);
}

/* The two kinds take turns, so that both see the same machine. */
static void run(const struct tf_toy_files *files, int is_strict)
{
    static uint64_t calls[SAMPLES];
    static uint64_t entries[SAMPLES];
    struct tf_enclave_options options = tf_toy_options(files);
    size_t count = is_strict ? STRICT_SAMPLES : SAMPLES;
    struct tf_toy toy;

    options.is_strict = is_strict != 0;
    tf_toy_open(&toy, &options);
    for (int i = 0; i < WARM; i++) {
        (void)tf_toy_enter(&toy);
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t start = __builtin_ia32_rdtsc();
        (void)syscall(SYS_getppid);
        uint64_t middle = __builtin_ia32_rdtsc();
        struct tf_enclave_exit out = tf_toy_enter(&toy);
        uint64_t end = __builtin_ia32_rdtsc();
        if (out.exit != TF_EXIT_IDLE) {
            (void)fprintf(stderr, "the enclave is dead\n");
            exit(1);
        }
        calls[i] = middle - start;
        entries[i] = end - middle;
    }
    show(is_strict ? "getppid (strict run)" : "getppid (fast run)", calls, count);
    show(is_strict ? "EENTER+EEXIT strict" : "EENTER+EEXIT fast", entries, count);
    tf_toy_close(&toy);
}

int main(int argc, char **argv)
{
    struct tf_toy_files files;
    int is_bad = 0;

    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s toy.img\n", argv[0]);
        return 2;
    }
    tf_toy_files_make(&files, argv[1]);
    (void)printf("%-24s %8s %8s %8s\n", "cycles", "median", "p10", "p90");
    for (int i = 0; i < 2; i++) {
        (void)fflush(stdout);
        pid_t child = fork(); /* a seccomp filter is for good */
        if (child == 0) {
            run(&files, i);
            (void)fflush(stdout);
            _exit(0);
        }
        int status = 1;
        is_bad |= waitpid(child, &status, 0) != child || status != 0;
    }
    tf_toy_files_remove(&files);
    return is_bad;
}
