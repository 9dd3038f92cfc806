/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native.h - the functions that C offers to the prelude (`native` there), once for all
 * engines: an engine file converts arguments and results, and adds these four:
 *   compile(path)                    the CommonJS wrapper function of a file
 *   prelude(name)                    another file of the prelude, a function
 *   respond(status, body, headers)   the answer: body is null, a string or an ArrayBuffer
 *   fail(reason)                     the handler's promise was rejected
 * An engine that has Headers, Request and Response itself has these instead of respond:
 *
 *   http(own)   defines them, and own.respond and own.answer as in prelude/http.js
 *   serve(target, fetch, env, context)   who answers: fetch is called, its result taken
 *
 * And one that makes properties when they are touched has
 *
 *   provide(object, name, file)   one that a file of the prelude, or a part of the engine
 *                                 of that name, defines then
 *
 * Arguments come from scripts and are untrusted.
 */
#pragma once

#include "enclave/js/js.h"
#include "enclave/js/text.h"

enum { TF_NATIVE_RANDOM = 256 };

/** What they work on; part of the engine's struct tf_js. */
struct tf_native {
    struct tf_arena *arena;
    const char *wanted; /* as in tf_js_open */
    const struct tf_js_program *program;
    const struct tf_js_request *request; /* never NULL: an empty one outside a call */
    bool is_refused;                     /* what is thrown next means: no response */
    /* Called between the parts of long work on so many bytes: others may have their turn.
     * No steps are counted for that. NULL: while the engine is opened. */
    void (*work)(void *user, size_t bytes);
    void *user;
    size_t random_left;
    uint8_t random[TF_NATIVE_RANDOM]; /* from tf_random; must not survive a restore */
};

/** How an engine takes the arguments from a call. */
enum tf_native_form {
    TF_FORM_NONE,
    TF_FORM_FLAG, /* (flag) */
    TF_FORM_TEXT, /* (text, flag) */
    TF_FORM_SPAN  /* (buffer, at, size, flag): checked to lie inside the buffer */
};

struct tf_native_args {
    bool flag;
    struct tf_str text; /* UTF-8, but surrogates may stand alone or in pairs */
    uint8_t *bytes;
    size_t size;
};

enum tf_native_kind {
    TF_KIND_UNDEFINED,
    TF_KIND_NULL,
    TF_KIND_BOOL,    /* number != 0 */
    TF_KIND_NUMBER,  /* number */
    TF_KIND_TEXT,    /* data: bytes to be decoded as UTF-8 */
    TF_KIND_LATIN1,  /* data: a character for each byte */
    TF_KIND_BUFFER,  /* data */
    TF_KIND_HEADERS, /* array of names and values: tf_native_item, of Latin-1 */
    TF_KIND_ENV      /* the same, of UTF-8 */
};

struct tf_native_value {
    enum tf_native_kind kind;
    double number;
    struct tf_str data; /* the request's, the program's, or `owned` */
    size_t count;       /* items */
    void *owned;        /* in the arena; the engine file frees it, or NULL */
};

struct tf_native_def {
    const char *name;
    enum tf_native_form form;
    /** @return false when the arena is full. */
    bool (*run)(struct tf_native *native, const struct tf_native_args *args,
                struct tf_native_value *out);
};

/** An entry without a name ends it. */
extern const struct tf_native_def tf_natives[];

/** Prepares for no program and no request. */
void tf_native_init(struct tf_native *native, struct tf_arena *arena, const char *wanted);

/** What a call counts as, in steps of the engine. */
uint64_t tf_native_steps(const struct tf_native_args *args,
                         const struct tf_native_value *out);

/** Item `at` of a list kind. */
struct tf_str tf_native_item(const struct tf_native *native, enum tf_native_kind kind,
                             size_t at);

/** The request's header with this lower-case name: text, or null if there is none. Those
 *  that came twice are joined. @return false when the arena is full. */
TF_MUST_USE bool tf_native_header(struct tf_native *native, const struct tf_str *name,
                                  struct tf_native_value *out);

/** [0, 1) with 53 random bits. */
double tf_native_random(struct tf_native *native);

/** tf_text_scan in parts, with turns between them. */
enum tf_text tf_native_scan(struct tf_native *native, const void *data, size_t size);

/** tf_text_from_latin1 or tf_text_decode in parts, with turns between them. */
size_t tf_native_decode(struct tf_native *native, const struct tf_str *bytes,
                        bool is_latin1, bool is_cesu, char *out);

/** tf_text_has_surrogates in parts, with turns between them. */
bool tf_native_has_surrogates(struct tf_native *native, const char *text, size_t size);

/** As tf_arena_alloc; what has to be zeroed for it and is large is zeroed in parts. */
void *tf_native_alloc(struct tf_native *native, size_t size);

/** As tf_arena_realloc; what has to move and is large is copied in parts, and turn(user,
 *  bytes) called before each: it may switch away, or leave the engine for good. */
void *tf_native_resize(struct tf_native *native, void *block, size_t size,
                       void (*turn)(void *user, size_t bytes));
