/* SPDX-License-Identifier: Apache-2.0 */
#include "attester/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

void tf_say(const char *event, const char *fields, ...)
{
    char text[1024];
    va_list args;

    va_start(args, fields);
    (void)vsnprintf(text, sizeof(text), fields, args);
    va_end(args);
    /* One call: stdio locks the stream, so lines of several threads stay whole. */
    (void)fprintf(stderr, "ts=%lld event=%s %s\n", (long long)time(NULL), event, text);
}
