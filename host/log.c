/* SPDX-License-Identifier: Apache-2.0 */
#include "host/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX = 1024 };

bool tf_log_may(struct tf_log_limit *limit, uint64_t now_ms)
{
    enum { PERIOD_MS = 1000, LINES = 100 };
    if (now_ms - limit->since >= PERIOD_MS) {
        if (limit->count > LINES) {
            tf_log("lines-dropped", "count=%u", limit->count - LINES);
        }
        limit->since = now_ms;
        limit->count = 0;
    }
    limit->count++;
    return limit->count <= LINES;
}

void tf_log(const char *event, const char *fields, ...)
{
    char line[LINE_MAX];
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int at = snprintf(line, sizeof(line), "ts=%lld.%03ld event=%s ",
                      (long long)now.tv_sec, now.tv_nsec / 1000000, event);
    va_list args;
    va_start(args, fields);
    int more = vsnprintf(line + at, sizeof(line) - (size_t)at - 1, fields, args);
    va_end(args);
    size_t size = (size_t)at + (more > 0 ? (size_t)more : 0);
    if (size > sizeof(line) - 2) {
        size = sizeof(line) - 2;
    }
    for (size_t i = 0; i < size; i++) { /* some of it is what others say */
        if (line[i] < ' ' || line[i] > '~') {
            line[i] = '?';
        }
    }
    line[size] = '\n';
    /* A log that cannot be written has nobody to tell. */
    if (write(STDERR_FILENO, line, size + 1) < 0) {
        return;
    }
}
