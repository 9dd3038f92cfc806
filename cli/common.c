/* SPDX-License-Identifier: Apache-2.0 */
/* common.c - options of the verbs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const struct tf_option *find(const struct tf_option *options, const char *name,
                                    size_t size)
{
    for (; options->name != NULL; options++) {
        if (strlen(options->name) == size && memcmp(options->name, name, size) == 0) {
            return options;
        }
    }
    return NULL;
}

static bool store(const struct tf_option *option, const char *value)
{
    char *end = NULL;

    switch (option->kind) {
    case TF_OPTION_FLAG:
        *option->out.flag = true;
        return true;
    case TF_OPTION_TEXT:
        *option->out.text = value;
        return true;
    case TF_OPTION_NUMBER:
        errno = 0;
        *option->out.number = strtoull(value, &end, 10);
        if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0) {
            (void)tf_report(TF_EUSAGE, "--%s wants a number, not `%s`", option->name,
                            value);
            return false;
        }
        return true;
    case TF_OPTION_LIST:
        if (option->out.list->count == TF_LIST_MAX) {
            (void)tf_report(TF_EUSAGE, "--%s is given more than %d times", option->name,
                            (int)TF_LIST_MAX);
            return false;
        }
        option->out.list->items[option->out.list->count++] = value;
        return true;
    }
    return false;
}

/* Takes the option at argv[*at] and moves past it. */
static bool take(int argc, char **argv, int *at, const struct tf_option *options)
{
    const char *name = argv[*at] + 2;
    const char *equals = strchr(name, '=');
    size_t size = equals == NULL ? strlen(name) : (size_t)(equals - name);
    const struct tf_option *option = find(options, name, size);
    const char *value = equals == NULL ? NULL : equals + 1;

    if (option == NULL) {
        (void)tf_report(TF_EUSAGE, "%s has no option --%.*s", argv[0], (int)size, name);
        return false;
    }
    if (option->kind == TF_OPTION_FLAG && value != NULL) {
        /* --allow-sim=no must not mean --allow-sim. */
        (void)tf_report(TF_EUSAGE, "--%s takes no value", option->name);
        return false;
    }
    if (option->kind == TF_OPTION_FLAG) {
        value = "";
    } else if (value == NULL) {
        *at += 1;
        value = *at < argc ? argv[*at] : NULL;
    }
    if (value == NULL) {
        (void)tf_report(TF_EUSAGE, "--%s wants a value", option->name);
        return false;
    }
    *at += 1;
    return store(option, value);
}

/* Keeps the operand if it is wanted. */
static void store_operand(const char **operands, size_t count, size_t i, const char *text)
{
    if (i < count) {
        operands[i] = text;
    }
}

bool tf_options(int argc, char **argv, const struct tf_option *options,
                const char **operands, size_t count)
{
    size_t found = 0;

    for (int at = 1; at < argc;) {
        bool is_option = strncmp(argv[at], "--", 2) == 0;
        if (is_option && !take(argc, argv, &at, options)) {
            return false;
        }
        if (!is_option) {
            store_operand(operands, count, found++, argv[at++]);
        }
    }
    if (found != count) {
        (void)tf_report(TF_EUSAGE, "%s wants %zu operand(s), not %zu", argv[0], count,
                        found);
        return false;
    }
    return true;
}

int tf_missing(const char *verb, const char *option)
{
    return tf_report(TF_EUSAGE, "%s needs --%s", verb, option);
}

static const char *from_environment(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value == NULL || value[0] == '\0' ? otherwise : value;
}

const char *tf_default_host(void)
{
    return from_environment("TFAAS_HOST", "state/admin.sock");
}

const char *tf_default_connect(void)
{
    return from_environment("TFAAS_CONNECT", "127.0.0.1:8443");
}
