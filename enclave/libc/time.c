/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time.c - the C library's clock and calendar over enclave/clock.h: the host's hint, UTC.
 *
 * There are no time zones: musl's would open files. gmtime_r, which is pure, stays
 * musl's.
 */
#include "enclave/clock.h"

#include <stddef.h>
#include <sys/time.h>
#include <time.h>

/* musl's; C11 alone does not declare it. */
struct tm *gmtime_r(const time_t *when, struct tm *out);

enum { NS_PER_US = 1000 };
static const uint64_t NS_PER_S = 1000000000;

int tf_libc_gettimeofday(struct timeval *out, void *zone) __asm__("gettimeofday");
struct tm *tf_libc_localtime_r(const time_t *when, struct tm *out) __asm__("localtime_r");

int tf_libc_gettimeofday(struct timeval *out, void *zone)
{
    uint64_t now = tf_clock_ns();

    (void)zone;
    out->tv_sec = (time_t)(now / NS_PER_S);
    out->tv_usec = (suseconds_t)(now % NS_PER_S / NS_PER_US);
    return 0;
}

struct tm *tf_libc_localtime_r(const time_t *when, struct tm *out)
{
    return gmtime_r(when, out);
}
