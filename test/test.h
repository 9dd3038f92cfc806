/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test.h - the whole unit-test framework. A test program has cases (void functions) that
 * CHECK what they claim; main runs each with RUN and returns test_end(), which prints the
 * closing line "N passed, N failed".
 */
#pragma once

#include <stdio.h>

/** How long to wait for what is to come, for poll: a failure alone takes as long, for on
 * a busy machine a thread may have no processor for seconds. */
enum { WAIT_MS = 60000 };

/** Notes a failure with its place and goes on. */
#define CHECK(claim) test_check(!!(claim), __FILE__, __LINE__, #claim)

/** Runs one case. */
#define RUN(test_case) test_run(#test_case, test_case)

static struct {
    int passed;
    int failed;
    int is_bad; /* the case that runs now has a failed CHECK */
} test_state;

static inline int test_check(int is_true, const char *file, int line, const char *claim)
{
    if (!is_true) {
        (void)fprintf(stderr, "%s:%d: not so: %s\n", file, line, claim);
        test_state.is_bad = 1;
    }
    return is_true;
}

static inline void test_run(const char *name, void (*test_case)(void))
{
    test_state.is_bad = 0;
    test_case();
    if (test_state.is_bad) {
        (void)fprintf(stderr, "failed: %s\n", name);
        test_state.failed++;
        return;
    }
    test_state.passed++;
}

static inline int test_end(void)
{
    (void)printf("%d passed, %d failed\n", test_state.passed, test_state.failed);
    return test_state.failed != 0;
}
