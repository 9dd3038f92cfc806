/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bare.c - see bare.h.
 *
 *   bare-ENGINE MAIN.JS URL RUNS     prints the CPU time of one run in us, warm
 */
#include "bench/bare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SOURCE_MAX = 1 << 20, WARM_RUNS = 3 };

void bare_base64(const unsigned char *in, size_t size, char *out)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t at = 0; at < size; at += 3) {
        size_t left = size - at;
        unsigned a = in[at];
        unsigned b = left > 1 ? in[at + 1] : 0;
        unsigned c = left > 2 ? in[at + 2] : 0;
        *out++ = letters[a >> 2];
        *out++ = letters[(a & 3) << 4 | b >> 4];
        *out++ = left > 1 ? letters[(b & 15) << 2 | c >> 6] : '=';
        *out++ = left > 2 ? letters[c & 63] : '=';
    }
    *out = '\0';
}

static double cpu_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static bool repeat(const char *url, unsigned long runs)
{
    for (unsigned long i = 0; i < runs; i++) {
        if (!bare_run(url)) {
            return false;
        }
    }
    return true;
}

/* The file as the function that tfaas makes of it (CommonJS): names of a function are
 * found in another way than global ones, which changes the figure by up to 6 %. */
static size_t read_module(char *source, FILE *file)
{
    static const char before[] = "(function (exports) {";
    static const char after[] = "})(exports);";
    size_t at = sizeof(before) - 1;

    memcpy(source, before, at);
    at += fread(source + at, 1, SOURCE_MAX - at - sizeof(after), file);
    memcpy(source + at, after, sizeof(after));
    return at + sizeof(after) - 1;
}

int main(int argc, char **argv)
{
    static char source[SOURCE_MAX];
    FILE *file = argc == 4 ? fopen(argv[1], "rb") : NULL;

    if (file == NULL) {
        (void)fprintf(stderr, "usage: bare-ENGINE MAIN.JS URL RUNS\n");
        return 2;
    }
    size_t size = read_module(source, file);
    (void)fclose(file);
    unsigned long runs = strtoul(argv[3], NULL, 10);
    if (runs == 0 || !bare_open(source, size) || !repeat(argv[2], WARM_RUNS)) {
        return 1;
    }
    double start = cpu_us();
    if (!repeat(argv[2], runs)) {
        return 1;
    }
    (void)printf("%.1f\n", (cpu_us() - start) / (double)runs);
    return 0;
}
