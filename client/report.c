/* SPDX-License-Identifier: Apache-2.0 */
#include "client/report.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/err_text.h"

static __attribute__((format(printf, 3, 0))) void print(tf_err err, const char *next,
                                                        const char *detail, va_list args)
{
    (void)fprintf(stderr, "tfaas: %s: %s: ", tf_err_name(err), tf_err_text(err));
    (void)vfprintf(stderr, detail, args);
    (void)fputc('\n', stderr);
    if (next[0] != '\0') {
        (void)fprintf(stderr, "  next: %s\n", next);
    }
}

int tf_report(tf_err err, const char *detail, ...)
{
    va_list args;

    va_start(args, detail);
    print(err, tf_err_hint(err), detail, args);
    va_end(args);
    return tf_exit(err);
}

int tf_report_next(tf_err err, const char *next, const char *detail, ...)
{
    va_list args;

    va_start(args, detail);
    print(err, next, detail, args);
    va_end(args);
    return tf_exit(err);
}

int tf_exit(tf_err err)
{
    if (err == TF_OK) {
        return TF_EXIT_OK;
    }
    bool is_here = err == TF_EUSAGE || err == TF_EIO || err == TF_ESPACE ||
                   err == TF_ENOMEM || err == TF_ETOOL;
    return is_here ? TF_EXIT_USAGE : TF_EXIT_REFUSED;
}

/* What a host says is not to be trusted with the terminal: printable ASCII only. */
static void print_remote(const char *text)
{
    for (; *text != '\0'; text++) {
        (void)fputc(*text >= ' ' && *text <= '~' ? *text : '?', stderr);
    }
}

int tf_report_refusal(const char *code)
{
    tf_err err = tf_err_find(code);

    return tf_report_remote(code, tf_err_text(err), tf_err_hint(err));
}

int tf_report_remote(const char *code, const char *text, const char *hint)
{
    (void)fputs("tfaas: ", stderr);
    print_remote(code);
    (void)fputs(": ", stderr);
    print_remote(text);
    if (hint[0] != '\0') {
        (void)fputs("\n  next: ", stderr);
        print_remote(hint);
    }
    (void)fputc('\n', stderr);
    return TF_EXIT_REFUSED;
}
