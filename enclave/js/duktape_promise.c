/* SPDX-License-Identifier: Apache-2.0 */
/*
 * duktape_promise.c - promises, which Duktape has none of: ECMA-262 27.2 without species.
 * What is here is what an ordinary request runs through; the rest of Promise is in the
 * prelude (finally.js, combine.js).
 *
 * A promise is an object with hidden properties: its state, its value, and while somebody
 * waits for it the list of these: threes of two handlers and the promise that then()
 * returned. Jobs are fours in an array: handler, value, that promise, state. There are
 * two such arrays, so that a batch runs from one while its jobs add to the other.
 */
#include "enclave/js/duktape_instance.h"

#define CELL    DUK_HIDDEN_SYMBOL("cell")
#define PROMISE DUK_HIDDEN_SYMBOL("promise")

enum { PENDING, FULFILLED, REJECTED, THENABLE };
enum { JOB = 4, WAITER = 3, STEPS_PER_JOB = 16 };

/* Items of a batch that stay in its array until the next one takes their place. */
enum { BATCH_KEPT = 64 };

/* Jobs for which there is room from the start. */
enum { JOBS_READY = 4 };

static bool is_object(duk_context *context, duk_idx_t at)
{
    return duk_check_type_mask(context, at,
                               DUK_TYPE_MASK_OBJECT | DUK_TYPE_MASK_LIGHTFUNC);
}

/* Takes handler, value and promise from the stack. */
static void add_job(duk_context *context, int state)
{
    struct tf_js *js = tf_duktape_self(context);
    duk_uarridx_t at = js->job_count;

    duk_push_heapptr(context, js->jobs[js->jobs_at]);
    duk_insert(context, -4);
    duk_dup(context, -3);
    duk_put_item(context, -5, at);
    duk_dup(context, -2);
    duk_put_item(context, -5, at + 1);
    duk_put_item(context, -4, at + 2);
    duk_push_int(context, state);
    duk_put_item(context, -4, at + 3);
    duk_pop_3(context);
    js->job_count = at + JOB;
}

/* Pushes a pending promise. */
static void push_promise(duk_context *context)
{
    (void)duk_push_copy(context, tf_duktape_self(context)->pending);
}

/* Makes jobs of those who waited; takes the list, which is on top. */
static void wake(duk_context *context, duk_idx_t promise, int state)
{
    duk_size_t count = duk_get_length(context, -1);

    tf_duk_charge(tf_duktape_self(context), count);
    for (duk_uarridx_t i = 0; i < count; i += WAITER) {
        duk_get_item(context, -1, i + (state == FULFILLED ? 0 : 1));
        tf_duktape_get(context, promise, TF_NAME_VALUE);
        duk_get_item(context, -3, i + 2);
        add_job(context, state);
    }
    duk_pop(context);
    duk_push_undefined(context);
    tf_duktape_put(context, promise, TF_NAME_WAITING);
}

/* Takes the value on top. */
static void settle(duk_context *context, duk_idx_t promise, int state)
{
    tf_duktape_put(context, promise, TF_NAME_VALUE);
    duk_push_int(context, state);
    tf_duktape_put(context, promise, TF_NAME_STATE);
    tf_duktape_get(context, promise, TF_NAME_WAITING);
    if (duk_is_object(context, -1)) {
        wake(context, promise, state);
        return;
    }
    duk_pop(context);
}

/* Whether the promise can be fulfilled with the value on top without a look at its
 * `then`.
 */
static bool is_settled_value(duk_context *context, duk_idx_t promise)
{
    return !is_object(context, -1) ||
           (duk_lacks(context, -1, tf_duktape_self(context)->names[TF_NAME_THEN]) &&
            !duk_strict_equals(context, promise, -1));
}

/* On top: promise, value. Throws what `value.then` throws. As duk_safe_call() wants it,
 * which adds no frame. */
static duk_ret_t resolve_with(duk_context *context, void *unused)
{
    duk_idx_t promise = duk_get_top(context) - 2;
    (void)unused;

    if (is_settled_value(context, promise)) {
        settle(context, promise, FULFILLED);
        return 0;
    }
    if (duk_strict_equals(context, -2, -1)) {
        (void)duk_type_error(context, "a promise resolved with itself");
    }
    duk_get_prop_literal(context, -1, "then");
    if (duk_is_function(context, -1)) {
        duk_dup(context, -2);
        duk_dup(context, promise);
        add_job(context, THENABLE);
        return 0;
    }
    duk_pop(context);
    settle(context, promise, FULFILLED);
    return 0;
}

/* Takes the value on top. */
static void resolve(duk_context *context, duk_idx_t promise)
{
    if (is_settled_value(context, promise)) {
        settle(context, promise, FULFILLED);
        return;
    }
    duk_dup(context, promise);
    duk_insert(context, -2);
    if (duk_safe_call(context, resolve_with, NULL, 2, 1) != DUK_EXEC_SUCCESS) {
        settle(context, promise, REJECTED);
        return;
    }
    duk_pop(context);
}

/* (value): of the two functions with one cell, only the first call counts. */
static duk_ret_t settler(duk_context *context)
{
    int state = duk_get_current_magic(context);

    duk_push_current_function(context);
    duk_get_prop_literal(context, 1, CELL);
    if (!duk_get_prop_literal(context, 2, PROMISE)) {
        return 0;
    }
    duk_del_prop_literal(context, 2, PROMISE);
    duk_dup(context, 0);
    if (state == FULFILLED) {
        resolve(context, 3);
    } else {
        settle(context, 3, REJECTED);
    }
    return 0;
}

/* Pushes the function that fulfills the promise at `promise`, and the one that rejects
 * it. */
static void push_settlers(duk_context *context, duk_idx_t promise)
{
    duk_push_bare_object(context);
    duk_dup(context, promise);
    duk_put_prop_literal(context, -2, PROMISE);
    for (int state = FULFILLED; state <= REJECTED; state++) {
        duk_push_c_function(context, settler, 1);
        duk_set_magic(context, -1, state);
        duk_dup(context, -1 - state);
        duk_put_prop_literal(context, -2, CELL);
    }
    duk_remove(context, -3);
}

/* Has: function, `this`, fulfill, reject at `at` and after it, and calls; what is thrown
 * rejects. */
static void call_with_settlers(duk_context *context, duk_idx_t at)
{
    duk_dup(context, at + 3);
    duk_insert(context, at); /* reject */
    if (duk_pcall_method(context, 2) != DUK_EXEC_SUCCESS) {
        duk_call(context, 1);
    } else {
        duk_pop(context);
    }
    duk_pop(context);
}

/* On top: handler, value, promise, state. */
static duk_ret_t run_job(duk_context *context, void *unused)
{
    duk_idx_t at = duk_get_top(context) - JOB;
    int state = duk_get_int(context, -1);
    (void)unused;

    tf_duk_charge(tf_duktape_self(context), STEPS_PER_JOB);
    duk_pop(context);
    if (state == THENABLE) {
        duk_insert(context, at); /* promise, handler, value */
        push_settlers(context, at);
        call_with_settlers(context, at + 1);
        return 0;
    }
    duk_swap(context, at, at + 2); /* promise, value, handler */
    if (!duk_is_function(context, at + 2)) {
        duk_pop(context);
        settle(context, at, state);
        return 0;
    }
    duk_swap(context, at + 1, at + 2);
    duk_call(context, 1);
    return resolve_with(context, NULL);
}

/* Runs the job at `at` of the batch on top. What its handler throws rejects. */
static void run_job_at(duk_context *context, duk_uarridx_t at)
{
    duk_idx_t batch = duk_get_top_index(context);

    duk_get_item(context, batch, at + 2);
    for (duk_uarridx_t i = 0; i < JOB; i++) {
        duk_get_item(context, batch, at + i);
    }
    if (duk_safe_call(context, run_job, NULL, JOB, 1) != DUK_EXEC_SUCCESS) {
        settle(context, batch + 1, REJECTED);
    } else {
        duk_pop(context);
    }
    duk_pop(context);
}

void tf_duktape_run_jobs(duk_context *context)
{
    struct tf_js *js = tf_duktape_self(context);

    while (js->job_count > 0) {
        duk_uarridx_t count = js->job_count;
        duk_push_heapptr(context, js->jobs[js->jobs_at]);
        js->jobs_at ^= 1;
        js->job_count = 0;
        for (duk_uarridx_t at = 0; at < count; at += JOB) {
            run_job_at(context, at);
        }
        if (count > BATCH_KEPT) {
            duk_set_length(context, -1, 0);
        }
        duk_pop(context);
    }
}

static duk_ret_t construct(duk_context *context)
{
    if (!duk_is_constructor_call(context) || !duk_is_function(context, 0)) {
        (void)duk_type_error(context, "Promise needs new and a function");
    }
    duk_push_this(context);
    duk_push_int(context, PENDING);
    tf_duktape_put(context, 1, TF_NAME_STATE);
    duk_dup(context, 0);
    duk_push_undefined(context);
    push_settlers(context, 1);
    call_with_settlers(context, 2);
    return 0;
}

/* (yes, no) */
static duk_ret_t then(duk_context *context)
{
    int state;

    duk_push_this(context);
    if (!duk_is_object(context, 2) || !tf_duktape_get(context, 2, TF_NAME_STATE)) {
        (void)duk_type_error(context, "not a Promise");
    }
    state = duk_get_int(context, 3);
    duk_pop(context);
    push_promise(context);
    if (state != PENDING) {
        duk_dup(context, state == FULFILLED ? 0 : 1);
        tf_duktape_get(context, 2, TF_NAME_VALUE);
        duk_dup(context, 3);
        add_job(context, state);
        return 1;
    }
    tf_duktape_get(context, 2, TF_NAME_WAITING);
    if (!duk_is_object(context, 4)) {
        duk_pop(context);
        duk_push_array(context);
        duk_dup(context, 4);
        tf_duktape_put(context, 2, TF_NAME_WAITING);
    }
    duk_uarridx_t at = (duk_uarridx_t)duk_get_length(context, 4);
    for (duk_uarridx_t i = WAITER; i-- > 0;) { /* backwards: room for all or for none */
        duk_dup(context, i == 2 ? 3 : (duk_idx_t)i);
        duk_put_item(context, 4, at + i);
    }
    duk_dup(context, 3);
    return 1;
}

bool tf_duktape_is_promise(duk_context *context, duk_idx_t at)
{
    bool is_it = tf_duktape_get(context, at, TF_NAME_STATE);
    duk_pop(context);
    return is_it;
}

void tf_duktape_push_promise(duk_context *context)
{
    push_promise(context);
    duk_insert(context, -2);
    resolve(context, duk_get_top(context) - 2);
}

bool tf_duktape_settled(duk_context *context)
{
    int state;

    tf_duktape_get(context, -1, TF_NAME_STATE);
    state = duk_get_int(context, -1);
    duk_pop(context);
    if (state != PENDING) {
        tf_duktape_get(context, -1, TF_NAME_VALUE);
        duk_replace(context, -2);
    }
    if (state == REJECTED) {
        (void)duk_throw(context);
    }
    return state == FULFILLED;
}

/* (no) */
static duk_ret_t on_rejected(duk_context *context)
{
    duk_push_this(context);
    duk_push_literal(context, "then");
    duk_push_undefined(context);
    duk_dup(context, 0);
    duk_call_prop(context, 1, 2);
    return 1;
}

/* (value) */
static duk_ret_t make(duk_context *context)
{
    int state = duk_get_current_magic(context);
    bool is_promise = false;

    if (state == FULFILLED && duk_is_object(context, 0)) {
        is_promise = tf_duktape_get(context, 0, TF_NAME_STATE);
        duk_set_top(context, 1);
    }
    if (!is_promise) {
        push_promise(context);
        duk_swap(context, 0, 1);
        if (state == FULFILLED) {
            resolve(context, 0);
        } else {
            settle(context, 0, REJECTED);
        }
    }
    return 1;
}

/* Defines a function on the object on top, as built-in ones are. */
static void define(duk_context *context, const char *name, duk_c_function function,
                   duk_idx_t arguments, duk_int_t magic)
{
    duk_push_string(context, name);
    duk_push_c_function(context, function, arguments);
    duk_set_magic(context, -1, magic);
    duk_push_literal(context, "name");
    duk_push_string(context, name);
    duk_def_prop(context, -3, DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_FORCE);
    duk_def_prop(context, -3,
                 DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_SET_WRITABLE |
                     DUK_DEFPROP_SET_CONFIGURABLE | DUK_DEFPROP_CLEAR_ENUMERABLE);
}

void tf_duktape_define_promise(duk_context *context)
{
    struct tf_js *js = tf_duktape_self(context);

    duk_push_global_stash(context);
    for (duk_uarridx_t i = 0; i < 2; i++) {
        js->jobs[i] = duk_get_heapptr(context, duk_push_array(context));
        for (duk_uarridx_t at = 0; at < JOBS_READY * JOB; at++) {
            duk_push_undefined(context);
            duk_put_prop_index(context, -2, at);
        }
        duk_put_prop_index(context, -2, i);
    }
    duk_push_global_object(context);
    define(context, "Promise", construct, 1, 0);
    duk_get_prop_literal(context, -1, "Promise");
    define(context, "resolve", make, 1, FULFILLED);
    define(context, "reject", make, 1, REJECTED);
    duk_push_object(context);
    duk_push_object(context); /* in the stash, whatever scripts do to Promise */
    js->pending = duk_get_heapptr(context, -1);
    duk_dup(context, -2);
    duk_set_prototype(context, -2);
    duk_push_int(context, PENDING);
    tf_duktape_put(context, -2, TF_NAME_STATE);
    duk_push_undefined(context);
    tf_duktape_put(context, -2, TF_NAME_VALUE);
    duk_push_undefined(context);
    tf_duktape_put(context, -2, TF_NAME_WAITING);
    duk_put_prop_index(context, -5, 2);
    define(context, "then", then, 2, 0);
    define(context, "catch", on_rejected, 1, 0);
    duk_push_literal(context, "constructor");
    duk_dup(context, -3);
    duk_def_prop(context, -3,
                 DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_SET_WRITABLE |
                     DUK_DEFPROP_SET_CONFIGURABLE | DUK_DEFPROP_CLEAR_ENUMERABLE);
    duk_push_literal(context, "prototype");
    duk_dup(context, -2);
    duk_def_prop(context, -4, DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_FORCE);
    duk_pop_n(context, 4);
}
