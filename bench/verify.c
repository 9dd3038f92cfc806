/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.c - how long one verification takes with collateral at hand, by kind of
 * evidence.
 *
 *     verify-bench                 median of RUNS verifications of each vector: ms of the
 * CPU verify-bench NAME COUNT      verifies one vector COUNT times and prints nothing:
 * for callgrind, which counts inside tf_dcap_verify
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test/unit/verify/vectors.h"

enum { RUNS = 101 };

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static bool run(const char *name, size_t count, double *times)
{
    struct vector_case c;
    struct vector_snp s;
    struct tf_appraisal a;
    bool is_quote = vector_open(name, &c);

    if (!is_quote && !vector_snp_open(name, &s)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        double start = now();
        (void)!(is_quote ? tf_dcap_verify(&c.input, &a) : tf_snp_verify(&s.input, &a));
        times[i] = now() - start;
    }
    if (is_quote) {
        vector_close(&c);
    } else {
        vector_snp_close(&s);
    }
    return true;
}

static bool show(const char *name)
{
    double times[RUNS];

    if (!run(name, RUNS, times)) {
        return false;
    }
    qsort(times, RUNS, sizeof(times[0]), compare);
    (void)printf("%s %.3f\n", name, times[RUNS / 2]);
    return true;
}

int main(int argc, char **argv)
{
    double times[RUNS];
    bool is_good = true;

    if (argc == 3) {
        size_t count = strtoul(argv[2], NULL, 10);
        return count <= RUNS && run(argv[1], count, times) ? 0 : 2;
    }
    for (size_t i = 0; i < VECTOR_QUOTE_COUNT; i++) {
        is_good = show(VECTOR_QUOTES[i].name) && is_good;
    }
    for (size_t i = 0; i < VECTOR_REPORT_COUNT; i++) {
        is_good = show(VECTOR_REPORTS[i]) && is_good;
    }
    return is_good ? 0 : 2;
}
