/* SPDX-License-Identifier: Apache-2.0 */
/*
 * js.h - what the platform asks of a JavaScript engine.
 *
 * One engine is linked into an image; each is one file that implements this header, and
 * nothing outside that file knows which. All of an instance's memory comes from one arena
 * (lib/arena.h), the struct tf_js included, so that slot.c can snapshot an instance by
 * copying the arena and bring it back at the same address for the next request. (V8's
 * heap is no arena: js/isolate.h says what differs.) An instance belongs to one thread.
 * Calls are synchronous: handler, promise jobs and the conversion of what it returned are
 * all done, within the limits, when tf_js_call returns.
 *
 * Trust: the program comes from a verified bundle but may be hostile; the request is
 * untrusted. Limits cover parsing, top level, handler, jobs, getters run by the
 * conversion.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"

struct tf_js; /* the engine's; lies in the arena */

/** A run of bytes, not terminated; owner as the function says. */
struct tf_str {
    const char *data;
    size_t size;
};

struct tf_js_file {
    const char *path; /* NUL-terminated, relative, as in the manifest */
    const uint8_t *data;
    size_t size;
};

struct tf_js_var {
    const char *name; /* NUL-terminated UTF-8, as in the manifest's "env" */
    const char *value;
};

/** A lambda's code. Everything is the caller's and must stay as long as the instance. */
struct tf_js_program {
    const struct tf_js_file *files;
    size_t file_count;
    const char *entry; /* a path among the files */
    bool is_module;    /* the entry is an ES module; else CommonJS */
    const struct tf_js_var *env;
    size_t env_count;
    const char *name; /* of the lambda */
};

struct tf_js_header {
    struct tf_str name; /* lower case in requests */
    struct tf_str value;
};

/** A request; the caller's, for the length of the call. Untrusted bytes, valid HTTP. */
struct tf_js_request {
    struct tf_str method;
    struct tf_str url; /* absolute: https://host/path?query */
    const struct tf_js_header *headers;
    size_t header_count;
    struct tf_str body;
};

/** What a lambda answered; points into the instance's arena until the next use of it.
 *  Checked by the engine file: status 200-599, header names are tokens, values have no
 *  control characters, at most TF_HEADERS_MAX of them and TF_HEAD_MAX bytes. */
struct tf_js_response {
    unsigned status;
    struct tf_js_header *headers;
    size_t header_count;
    struct tf_str body;
};

/** Budget for one call (or for one load); counted, never timed. The engine keeps the
 * pointer as long as the call runs. */
struct tf_js_limits {
    uint64_t steps; /* engine ticks, roughly a bytecode each; granularity: the hook's */
    size_t body;    /* response body, bytes */
    size_t stack;   /* native stack the engine may use, bytes, from the call's frame */
    size_t memory;  /* of the heap, bytes; for engines whose heap is no arena */

    /** Called from the step hook after each `quantum` of steps, so that others may run:
     * it returns when the call may go on, on the same stack, or never. Does not use the
     *  instance. NULL: nobody waits. How often it is called changes nothing else. */
    void (*pause)(void *user);
    void *user;
    uint64_t quantum;
};

/** How a call ended, for metering and for the publisher's log. */
struct tf_js_report {
    uint64_t steps; /* used */
    uint64_t peak;  /* bytes: as far as the heap has grown; of a call, by tf_slot_call */
    char message[256]; /* on failure: name, message, first stack line; ends with NUL */
};

/** The engine's name: "quickjs", "duktape". Static. */
const char *tf_js_engine(void);

/**
 * Makes an instance in `arena` with the platform's globals (Request, Response, Headers,
 * URL, TextEncoder, console, ...) and no program.
 * @param wanted  a file of the prelude (static) that is run at once, or NULL.
 * @return NULL if the arena is too small.
 */
TF_MUST_USE struct tf_js *tf_js_open(struct tf_arena *arena, const char *wanted);

/**
 * Compiles the program, runs its top level once, and finds the handler.
 * @return TF_OK; TF_ELAMBDA_SOURCE (does not compile, no handler, the top level threw);
 *         TF_ESTEPS, TF_EMEMORY, TF_ESTACK. After a failure the instance is only good
 *         to be thrown away. `report` is always filled.
 */
TF_MUST_USE tf_err tf_js_load(struct tf_js *js, const struct tf_js_program *program,
                              const struct tf_js_limits *limits,
                              struct tf_js_report *report);

/**
 * Runs the handler on one request.
 * @return TF_OK and `response`; TF_ESTEPS, TF_EMEMORY, TF_ESTACK, TF_EEXCEPTION,
 *         TF_ERESPONSE, TF_EPENDING, TF_ELIMIT (body over limits->body). After a
 *         failure the instance must be restored before its next use. `report` is
 *         always filled.
 */
TF_MUST_USE tf_err tf_js_call(struct tf_js *js, const struct tf_js_request *request,
                              const struct tf_js_limits *limits,
                              struct tf_js_response *response,
                              struct tf_js_report *report);
