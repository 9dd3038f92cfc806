/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quickjs_instance.h - between quickjs.c (an instance's life, running, limits) and the
 * quickjs_*.c beside it (what scripts may call, and what they answer); nobody else
 * includes it.
 */
#pragma once

#include <setjmp.h>

#include <quickjs.h>

#include "enclave/js/js.h"
#include "enclave/js/native.h"
#include "enclave/js/text.h"

struct tf_headers; /* quickjs_http.h */

/** Properties that many requests ask for, so that the engine need not look for the name.
 */
enum tf_name {
    TF_NAME_PROTOTYPE,
    TF_NAME_HEADERS,
    TF_NAME_STATUS,
    TF_NAME_STATUS_TEXT,
    TF_NAME_METHOD,
    TF_NAME_BODY,
    TF_NAMES
};

struct tf_js {
    struct tf_native native;
    struct tf_arena *arena;
    JSRuntime *runtime;
    JSContext *context;
    JSValue prepare; /* the prelude's functions */
    JSValue load;
    JSValue bind;
    JSValue call;
    JSValue own;    /* what the prelude's files share */
    JSValue target; /* of the handler `fetch`, with its other arguments; */
    JSValue fetch;  /* undefined: the prelude has the handler, see `call` */
    JSValue env;
    JSValue handler_context;
    JSAtom names[TF_NAMES];
    JSValue array_values; /* functions as they were before any script */
    JSValue json_parse;
    uint32_t turn;   /* number of the request that is being answered */
    jmp_buf *escape; /* where to when a limit is hit; NULL outside load and call */
    uint64_t steps;
    uint64_t since_pause;              /* steps, and work that is none */
    const struct tf_js_limits *limits; /* of the call that runs */
    bool is_stopped;  /* over the step limit; else what was hit is memory */
    bool is_answered; /* `status`, `body` and `headers` are set */
    bool is_failed;   /* `reason` is set */
    double status;
    JSValue body;               /* null, a string, an ArrayBuffer or a view */
    struct tf_headers *headers; /* a reference, or NULL */
    JSValue reason;
    const char *body_text; /* by JS_ToCStringLen, or NULL */
    char *clean_text;      /* the body when it had to be rewritten */
    char *block;           /* the answer's headers */
};

/** A class for scripts. */
struct tf_quickjs_class {
    JSClassID id;
    const JSClassDef *def;
    JSCFunction *make; /* its constructor, as such */
    int length;
    const JSCFunctionListEntry *methods;
    int count;
};

/** Defines a class and its constructor, a global. @return that, or an exception. */
JSValue tf_quickjs_class(JSContext *context, JSValueConst global,
                         const struct tf_quickjs_class *class);

/** An object of the class for a constructor that was called with `new`. */
JSValue tf_quickjs_construct(JSContext *context, JSValueConst new_target, JSClassID id);

/** Decodes untrusted bytes, of which each is a character or which are UTF-8. */
JSValue tf_quickjs_text(JSContext *context, const struct tf_str *bytes, bool is_latin1);

/** Adds what native.h says of engines with their own Request to the prelude's `native`.
 */
void tf_quickjs_http(JSContext *context, JSValueConst native);

/** Gives back what the last answer held. */
void tf_quickjs_forget(struct tf_js *js);

/** Sets the answer from what a handler returned. @return false with an exception: it is
 * no Response. */
TF_MUST_USE bool tf_quickjs_respond(struct tf_js *js, JSValueConst response);

/** The answer that was set, in terms of js.h. @return TF_OK, or, perhaps with an
 * exception, TF_ERESPONSE, or TF_ELIMIT. */
TF_MUST_USE tf_err tf_quickjs_answer(struct tf_js *js, const struct tf_js_limits *limits,
                                     struct tf_js_response *out);

/** Adds what every lambda gets of the engine; the prelude provides the rest. */
void tf_quickjs_parts(JSContext *context);

/** Has most of what is there not copied for each request (tf_arena_seal). */
void tf_quickjs_seal(struct tf_js *js);

/** Fills `names`. */
void tf_quickjs_names(struct tf_js *js);

/** Makes the prelude's `native`. */
JSValue tf_quickjs_native(JSContext *context);

/** Has a file of the prelude run, or a part of the engine added, if that was not begun
 * yet.
 *  @return 0, or -1 with an exception. */
TF_MUST_USE int tf_quickjs_need(const struct tf_js *js, const char *file);

/** For JS_SetLazyFunc: makes what was defined with JS_DefineLazy. */
int tf_quickjs_provide(JSContext *context, JSValueConst object, JSAtom property,
                       const void *what);

/** Compiles a file: as a module, or, with CommonJS's wrapper around it, as a function. */
JSValue tf_quickjs_compile(JSContext *context, const struct tf_js_file *file,
                           bool is_module);

/** Compiles a file of the prelude and gives the function that it is. */
JSValue tf_quickjs_prelude(JSContext *context, const struct tf_prelude *file);

/** Sets a property; takes `value`. @return false with an exception. */
TF_MUST_USE bool tf_quickjs_define(JSContext *context, JSValueConst object,
                                   const char *name, JSValue value);
