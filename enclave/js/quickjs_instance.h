/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quickjs_instance.h - between quickjs.c (an instance's life, running, limits) and
 * quickjs_native.c (what scripts may call); nobody else includes it.
 */
#pragma once

#include <setjmp.h>

#include <quickjs.h>

#include "enclave/js/js.h"
#include "enclave/js/native.h"
#include "enclave/js/text.h"

struct tf_js {
    struct tf_native native;
    struct tf_arena *arena;
    JSRuntime *runtime;
    JSContext *context;
    JSValue prepare; /* the prelude's functions */
    JSValue load;
    JSValue bind;
    JSValue call;
    jmp_buf *escape; /* where to when a limit is hit; NULL outside load and call */
    uint64_t steps;
    uint64_t steps_pause;              /* when others get their turn */
    const struct tf_js_limits *limits; /* of the call that runs */
    bool is_stopped;  /* over the step limit; else what was hit is memory */
    bool is_answered; /* `status`, `body` and `headers` are set */
    bool is_failed;   /* `reason` is set */
    double status;
    JSValue body;
    JSValue headers;
    JSValue reason;
    const char *body_text; /* by JS_ToCStringLen, or NULL */
    char *clean_text;      /* the body when it had to be rewritten */
    char *block;           /* the answer's headers */
};

/** Makes the prelude's `native`. @return an exception when the arena is full. */
JSValue tf_quickjs_native(JSContext *context);

/** Compiles a file: as a module, or, with CommonJS's wrapper around it, as a function. */
JSValue tf_quickjs_compile(JSContext *context, const struct tf_js_file *file,
                           bool is_module);

/** Compiles a file of the prelude and gives the function that it is. */
JSValue tf_quickjs_prelude(JSContext *context, const struct tf_prelude *file);

/** Sets a property; takes `value`. @return false with an exception. */
TF_MUST_USE bool tf_quickjs_define(JSContext *context, JSValueConst object,
                                   const char *name, JSValue value);
