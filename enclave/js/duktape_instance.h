/* SPDX-License-Identifier: Apache-2.0 */
/*
 * duktape_instance.h - between duktape.c (an instance's life, running, limits),
 * duktape_native.c (what scripts may call), duktape_promise.c and duktape_http.c; nobody
 * else includes it. What may throw is called inside duk_safe_call only.
 */
#pragma once

#include <setjmp.h>

#include <duktape.h>

#include "enclave/js/js.h"
#include "enclave/js/native.h"
#include "enclave/js/text.h"

enum { TF_DUKTAPE_SERVING = 4 };

/* Names of properties that a request needs again and again. */
enum tf_duktape_name {
    TF_NAME_METHOD, /* of a Request's state */
    TF_NAME_URL,
    TF_NAME_TURN,   /* of both: what its Headers begin with */
    TF_NAME_STATUS, /* of a Response's */
    TF_NAME_TEXT,
    TF_NAME_RESPONSE,
    TF_NAME_HEADERS, /* of both; in the stash, of the answer */
    TF_NAME_BODY,
    TF_NAME_USED,
    TF_NAME_STATE, /* of a promise, hidden */
    TF_NAME_VALUE,
    TF_NAME_WAITING,
    TF_NAME_BLOCK, /* in the stash */
    TF_NAME_THEN,  /* wherever they are */
    TF_NAME_STATUS_TEXT,
    TF_NAME_CONTENT_TYPE,
    TF_NAMES
};

/** Where a property is among those of the objects that have it from the start: of
 * promises, of the stash, and of what http.js calls requestState and responseState. */
extern const uint8_t tf_duktape_places[TF_NAMES];

/** What duktape_http.c knows of http.js. All of it stays in the stash. */
struct tf_duktape_http {
    void *symbol;   /* under which the state of an object is */
    void *own;      /* has the `turn` that http.js looks at */
    void *incoming; /* stands for the body of the request at hand */
    void *headers_class;
    void *request; /* from here on what objects begin as copies of */
    void *request_state;
    void *response_state;
    void *headers;
    void *response;
    void *header_value;
    void *set_body;
    void *serving[TF_DUKTAPE_SERVING]; /* who answers; NULL: the prelude's `call` does */
    uint32_t turn;                     /* number of the request */
};

struct tf_js {
    struct tf_native native;
    struct tf_arena *arena;
    duk_context *context; /* its value stack starts with the prelude's functions */
    uint64_t steps;
    uint64_t steps_failed; /* of these, for collections when the heap was full */
    bool has_failed;       /* an allocation, since a collection began */
    uint64_t steps_next;   /* where the limit is, or before it where others get a turn */
    uint64_t steps_pause;  /* the next of these turns */
    uint64_t work;         /* of collections since the last turn that they gave */
    const struct tf_js_limits *limits; /* of the call that runs */
    uintptr_t stack_limit;             /* lowest address for the engine's frames */
    jmp_buf *escape;  /* where to from the step limit; NULL outside load and call */
    void *stash;      /* Duktape's global one: what scripts cannot reach, and must stay */
    bool is_answered; /* `status` is set; "body" and "headers" are in the stash */
    bool is_failed;   /* "reason" is in the stash */
    double status;
    void *names[TF_NAMES];   /* strings, in the stash */
    void *jobs[2];           /* arrays of promise jobs, in the stash */
    unsigned jobs_at;        /* the one to which jobs are added */
    duk_uarridx_t job_count; /* items in it */
    void *pending;           /* promise that others are copies of; in the stash */
    struct tf_duktape_http http;
};

/** Compiles a file of the prelude and pushes the function that it is. */
void tf_duktape_push_prelude(duk_context *context, const struct tf_prelude *file);

/** Pushes the prelude's `native`. */
void tf_duktape_push_native(duk_context *context);

/** Forgets what an answer has left in the stash; the places are there from the start. For
 *  duk_safe_call, as the next one. */
duk_ret_t tf_duktape_forget_answer(duk_context *context, void *unused);

/** Makes the names. */
void tf_duktape_make_names(duk_context *context);

/** Defines Promise. */
void tf_duktape_define_promise(duk_context *context);

/** Puts a promise in the place of the value on top, resolved with it. */
void tf_duktape_push_promise(duk_context *context);

/** Whether the object at `at` is a promise. */
bool tf_duktape_is_promise(duk_context *context, duk_idx_t at);

/** Puts the value of the promise on top in its place, or throws it if it was rejected.
 *  @return false if it is pending, and stays. */
bool tf_duktape_settled(duk_context *context);

/** Puts `serve` and `hot` into the prelude's `native`, which is on top. */
void tf_duktape_put_http(duk_context *context);

/** Has the handler that is served answer the request. */
void tf_duktape_serve(duk_context *context);

/** Pushes untrusted bytes as a string: a character each, or UTF-8. */
void tf_duktape_push_text(duk_context *context, const struct tf_str *bytes,
                          bool is_latin1);

/** Pushes an ArrayBuffer with a copy of the bytes. */
void tf_duktape_push_buffer(duk_context *context, const struct tf_str *bytes);

/** Runs promise jobs until there are none. */
void tf_duktape_run_jobs(duk_context *context);

/** Has most of what is there not copied for each request (tf_arena_seal). @return false
 * if there was no memory. */
bool tf_duktape_seal(struct tf_js *js);

/** The instance of a context. */
static inline struct tf_js *tf_duktape_self(duk_context *context)
{
    return duk_get_udata(context);
}

/** Pushes a property of the object at `at`. @return whether it is there. */
static inline bool tf_duktape_get(duk_context *context, duk_idx_t at,
                                  enum tf_duktape_name name)
{
    return duk_get_field(context, at, tf_duktape_places[name],
                         tf_duktape_self(context)->names[name]) != 0;
}

/** Has the value on top, which it takes, be a property of the object at `at`. */
static inline void tf_duktape_put(duk_context *context, duk_idx_t at,
                                  enum tf_duktape_name name)
{
    duk_put_field(context, at, tf_duktape_places[name],
                  tf_duktape_self(context)->names[name]);
}
