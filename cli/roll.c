/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roll.c - the verb `roll`: has a host replace its enclaves by new ones while they serve,
 * gives that up, or says how far it is.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "abi/limits.h"
#include "cli/admin.h"
#include "cli/cli.h"
#include "lib/json.h"

enum { PAUSE_NS = 100 * 1000 * 1000 };

struct options {
    const char *host;
    const char *engine;
    const char *image;
    const char *sigstruct;
    const char *domain; /* of the lambdas to be moved */
    const char *to;     /* their next one */
    uint64_t minutes;
    bool is_anyway; /* whatever does not load */
    bool is_abort;
    bool is_json;
};

/* The daemon works in another folder. */
static bool put_path(struct tf_json_writer *w, const char *key, const char *path)
{
    char whole[PATH_MAX];

    if (path == NULL) {
        return true;
    }
    if (realpath(path, whole) == NULL) {
        (void)tf_report(TF_EIO, "%s", path);
        return false;
    }
    tf_json_put_string(w, key, whole);
    return true;
}

/* Both descriptors are at the host already, or are now. */
static tf_err put_domains(struct tf_json_writer *w, const struct options *o)
{
    char from[2 * TF_SHA256_SIZE + 1];
    char to[2 * TF_SHA256_SIZE + 1];

    if (o->domain == NULL) {
        return TF_OK;
    }
    tf_err err = tf_host_put_domain(o->host, o->domain, from);
    if (err == TF_OK) {
        err = tf_host_put_domain(o->host, o->to, to);
    }
    if (err == TF_OK) {
        tf_json_put_string(w, "from", from);
        tf_json_put_string(w, "to", to);
    }
    return err;
}

static tf_err begin(const struct options *o, json_t **answer)
{
    char body[3 * PATH_MAX];
    struct tf_json_writer w;
    size_t size = 0;

    tf_json_writer_init(&w, body, sizeof(body));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "engine", o->engine);
    if (!put_path(&w, "image", o->image) || !put_path(&w, "sigstruct", o->sigstruct)) {
        return TF_EIO;
    }
    tf_err err = put_domains(&w, o);
    if (err != TF_OK) {
        return err;
    }
    if (o->minutes != 0) {
        tf_json_put_integer(&w, "minutes", o->minutes);
    }
    if (o->is_anyway) {
        tf_json_put_boolean(&w, "anyway", true);
    }
    tf_json_close_object(&w);
    err = tf_json_take(&w, &size);
    if (err != TF_OK) {
        return err;
    }
    struct tf_admin_request request = {.socket = o->host,
                                       .method = "POST",
                                       .path = "/v1/roll",
                                       .body = body,
                                       .body_size = size};
    return tf_admin_call(&request, answer);
}

static const char *text_of(const json_t *answer, const char *key)
{
    const char *text = json_string_value(json_object_get(answer, key));

    return text == NULL ? "" : text;
}

/* What the new enclave does not load, as `deploy` would have said it. */
static void print_failing(const json_t *failing, bool is_over)
{
    for (size_t i = 0; i < json_array_size(failing); i++) {
        const json_t *one = json_array_get(failing, i);
        (void)printf("does not load: %s version %" JSON_INTEGER_FORMAT ": %s: %s\n",
                     text_of(one, "name"),
                     json_integer_value(json_object_get(one, "version")),
                     text_of(one, "error"), text_of(one, "text"));
    }
    if (is_over && json_array_size(failing) != 0) {
        (void)printf("next: deploy what loads there instead, or `tfaas rm` it; or roll "
                     "with --anyway, and it answers 503\n");
    }
}

static void print(const json_t *answer)
{
    const json_t *waiting = json_object_get(answer, "waiting");
    const char *state = text_of(answer, "state");

    (void)printf("%s", state);
    if (strcmp(state, "none") != 0) {
        const char *why = text_of(answer, "why");
        (void)printf(" %s%s%s, MRENCLAVE %s", why, why[0] == '\0' ? "" : ": ",
                     text_of(answer, "engine"), text_of(answer, "mrenclave"));
    }
    (void)putchar('\n');
    for (size_t i = 0; i < json_array_size(waiting); i++) {
        const char *name = json_string_value(json_array_get(waiting, i));
        (void)printf("waits for: tfaas grant %s ...\n", name);
    }
    print_failing(json_object_get(answer, "failing"), strcmp(state, "aborted") == 0);
}

/* Until the new ones are up a grant would still go to the old ones. tfaasd gives up what
 * does not start, so this ends. */
static tf_err wait_until_up(const struct options *o, json_t **answer)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    const struct tf_admin_request request = {
        .socket = o->host, .method = "GET", .path = "/v1/roll"};

    while (strcmp(text_of(*answer, "state"), "running") == 0 &&
           !json_is_true(json_object_get(*answer, "ready"))) {
        (void)nanosleep(&pause, NULL);
        json_decref(*answer);
        *answer = NULL;
        tf_err err = tf_admin_call(&request, answer);
        if (err != TF_OK) {
            return err;
        }
    }
    return TF_OK;
}

static int roll(const struct options *o)
{
    json_t *answer = NULL;
    struct tf_admin_request request = {
        .socket = o->host, .method = o->is_abort ? "DELETE" : "GET", .path = "/v1/roll"};
    tf_err err = o->engine != NULL ? begin(o, &answer) : tf_admin_call(&request, &answer);

    if (err == TF_OK && o->engine != NULL) {
        err = wait_until_up(o, &answer);
    }
    if (err == TF_OK && o->is_json) {
        tf_host_print(answer);
    } else if (err == TF_OK) {
        print(answer);
    }
    bool has_failed =
        o->engine != NULL && strcmp(text_of(answer, "state"), "aborted") == 0;
    json_decref(answer);
    return has_failed ? TF_EXIT_REFUSED : tf_host_exit(err);
}

int tf_cmd_roll(int argc, char **argv)
{
    struct options o = {.host = tf_default_host()};
    const struct tf_option options[] = {TF_TEXT("engine", &o.engine),
                                        TF_TEXT("image", &o.image),
                                        TF_TEXT("sigstruct", &o.sigstruct),
                                        TF_TEXT("domain", &o.domain),
                                        TF_TEXT("to", &o.to),
                                        TF_NUMBER("minutes", &o.minutes),
                                        TF_FLAG("anyway", &o.is_anyway),
                                        TF_FLAG("abort", &o.is_abort),
                                        TF_TEXT("host", &o.host),
                                        TF_FLAG("json", &o.is_json),
                                        {0}};

    if (!tf_options(argc, argv, options, NULL, 0)) {
        return TF_EXIT_USAGE;
    }
    bool has_more = o.image != NULL || o.sigstruct != NULL || o.domain != NULL ||
                    o.to != NULL || o.minutes != 0 || o.is_anyway;
    if (o.engine == NULL ? has_more : o.is_abort) {
        return o.engine == NULL ? tf_missing("roll", "engine")
                                : tf_report(TF_EUSAGE, "--abort stands alone");
    }
    if ((o.domain == NULL) != (o.to == NULL)) {
        return tf_report(TF_EUSAGE, "--domain, what is served, and --to, what is next");
    }
    return roll(&o);
}
