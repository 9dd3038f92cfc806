/* SPDX-License-Identifier: Apache-2.0 */
/*
 * js.c - an engine for tests of the core: the entry's text is a word that says how it
 * behaves, and "count" has a state to see that heaps are fresh.
 *
 *   echo      the request's body, with its method, URL and fields as fields
 *   big N     N bytes of 'x'
 *   count     how often this instance was called
 *   throw     TF_EEXCEPTION          loop    TF_ESTEPS
 *   nosource  does not load, and says its variables
 *   heavy N   holds N bytes after its top level, which is counted
 *   status N  that status, empty
 *   env       a line NAME=VALUE for each variable of its program
 *   spin N    computes for N quanta, then "done" if nothing it sees has changed
 *   slow N    its top level computes for N quanta; then as count
 *   say N     writes "info loaded" to the console, then at each call the request's body,
 *             computes for N quanta, and throws if the body begins with '!'
 */
#include "enclave/js/js.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enclave/js/env.h"
#include "enclave/js/text.h"
#include "test/fake/js.h"

unsigned tf_fake_heavy_loads;

const struct tf_prelude tf_prelude[] = {{NULL, NULL, NULL}};

struct tf_js {
    struct tf_arena *arena;
    char word[64];
    unsigned calls;
    char digits[16];
    char env[512];
    struct tf_js_header headers[3];
};

const char *tf_js_engine(void)
{
    return "quickjs";
}

struct tf_js *tf_js_open(struct tf_arena *arena, const char *wanted)
{
    struct tf_js *js = tf_arena_alloc(arena, sizeof(*js));
    (void)wanted;
    if (js != NULL) {
        memset(js, 0, sizeof(*js));
        js->arena = arena;
    }
    return js;
}

/* Computes for some quanta; what is on the stack and in the heap must be there after. */
static bool spin(const struct tf_js *js, long quanta, const struct tf_js_limits *limits,
                 struct tf_js_report *report)
{
    char word[sizeof(js->word)];
    unsigned calls = js->calls;
    bool is_same = true;

    memcpy(word, js->word, sizeof(word));
    for (long i = 0; i < quanta; i++) {
        report->steps += limits->quantum;
        limits->pause(limits->user);
        is_same = is_same && js->calls == calls && strcmp(word, js->word) == 0;
    }
    return is_same;
}

tf_err tf_js_load(struct tf_js *js, const struct tf_js_program *program,
                  const struct tf_js_limits *limits, struct tf_js_report *report)
{
    *report = (struct tf_js_report){.steps = 1};
    for (size_t i = 0; i < program->file_count; i++) {
        const struct tf_js_file *file = &program->files[i];
        if (strcmp(file->path, program->entry) == 0 && file->size < sizeof(js->word)) {
            memcpy(js->word, file->data, file->size);
            js->word[file->size] = '\0';
        }
    }
    for (size_t i = 0; i < program->env_count; i++) {
        size_t size = strlen(js->env);
        (void)snprintf(js->env + size, sizeof(js->env) - size, "%s=%s\n",
                       program->env[i].name, program->env[i].value);
    }
    if (strncmp(js->word, "heavy ", 6) == 0) {
        tf_fake_heavy_loads++;
        size_t size = (size_t)atol(js->word + 6);
        void *held = tf_arena_alloc(js->arena, size);
        if (held == NULL) {
            return TF_EMEMORY;
        }
        memset(held, 'h', size); /* zeros would cost a snapshot nothing */
    }
    if (strncmp(js->word, "slow ", 5) == 0 &&
        !spin(js, atol(js->word + 5), limits, report)) {
        return TF_EINTERNAL;
    }
    if (strncmp(js->word, "say ", 4) == 0) {
        tf_console("info loaded", 11);
    }
    if (strncmp(js->word, "nosource", 8) == 0) {
        (void)snprintf(report->message, sizeof(report->message), "\"\033[1m\n%.99s",
                       js->env);
        return TF_ELAMBDA_SOURCE;
    }
    return TF_OK;
}

static struct tf_str copy(struct tf_js *js, struct tf_str text)
{
    char *bytes = tf_arena_alloc(js->arena, text.size + 1);
    if (bytes == NULL) {
        return (struct tf_str){NULL, 0};
    }
    memcpy(bytes, text.data, text.size);
    return (struct tf_str){bytes, text.size};
}

static tf_err echo(struct tf_js *js, const struct tf_js_request *request,
                   struct tf_js_response *response)
{
    js->headers[0] = (struct tf_js_header){{"x-method", 8}, copy(js, request->method)};
    js->headers[1] = (struct tf_js_header){{"x-url", 5}, copy(js, request->url)};
    response->headers = js->headers;
    response->header_count = 2;
    if (request->body.size != 0) {
        response->body = copy(js, request->body);
        if (response->body.data == NULL) {
            return TF_EMEMORY;
        }
    }
    return TF_OK;
}

static tf_err big(struct tf_js *js, size_t size, const struct tf_js_limits *limits,
                  struct tf_js_response *response)
{
    if (size > limits->body) {
        return TF_ELIMIT;
    }
    char *bytes = tf_arena_alloc(js->arena, size + 1);
    if (bytes == NULL) {
        return TF_EMEMORY;
    }
    memset(bytes, 'x', size);
    response->body = (struct tf_str){bytes, size};
    return TF_OK;
}

static tf_err say(struct tf_js *js, struct tf_str body, const struct tf_js_limits *limits,
                  struct tf_js_report *report)
{
    tf_console(body.data, body.size);
    (void)spin(js, atol(js->word + 4), limits, report);
    if (body.size != 0 && body.data[0] == '!') {
        (void)snprintf(report->message, sizeof(report->message), "Error: said");
        return TF_EEXCEPTION;
    }
    return TF_OK;
}

tf_err tf_js_call(struct tf_js *js, const struct tf_js_request *request,
                  const struct tf_js_limits *limits, struct tf_js_response *response,
                  struct tf_js_report *report)
{
    *report = (struct tf_js_report){.steps = 10};
    *response = (struct tf_js_response){.status = 200};
    js->calls++;
    if (strncmp(js->word, "throw", 5) == 0) {
        (void)snprintf(report->message, sizeof(report->message), "Error:\033%.*s",
                       (int)request->body.size, request->body.data);
        return TF_EEXCEPTION;
    }
    if (strncmp(js->word, "loop", 4) == 0) {
        report->steps = limits->steps;
        return TF_ESTEPS;
    }
    if (strncmp(js->word, "big ", 4) == 0) {
        return big(js, (size_t)atol(js->word + 4), limits, response);
    }
    if (strncmp(js->word, "status ", 7) == 0) {
        response->status = (unsigned)atoi(js->word + 7);
        return TF_OK;
    }
    if (strncmp(js->word, "env", 3) == 0) {
        response->body = (struct tf_str){js->env, strlen(js->env)};
        return TF_OK;
    }
    if (strncmp(js->word, "say ", 4) == 0) {
        return say(js, request->body, limits, report);
    }
    if (strncmp(js->word, "spin ", 5) == 0) {
        uint64_t before = tf_clock_ns();
        bool is_same = spin(js, atol(js->word + 5), limits, report);
        is_same = is_same && tf_clock_ns() == before;
        response->body = is_same ? (struct tf_str){"done", 4} : (struct tf_str){"?", 1};
        return TF_OK;
    }
    if (strncmp(js->word, "count", 5) == 0 || strncmp(js->word, "slow ", 5) == 0) {
        int size = snprintf(js->digits, sizeof(js->digits), "%u", js->calls);
        response->body = (struct tf_str){js->digits, (size_t)size};
        return TF_OK;
    }
    return echo(js, request, response);
}
