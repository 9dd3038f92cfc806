/* SPDX-License-Identifier: Apache-2.0 */
/*
 * duktape.c - js.h over Duktape 2.7.0.
 *
 * Steps are bytecode instructions, of which Duktape asks tf_duk_timeout() every 16 Ki,
 * and (our patch) the work of native code, which it tells tf_duk_charge(). Failed
 * allocations cost steps too: they make Duktape walk the whole heap. Over the limit,
 * no such function returns: they leave the engine altogether, to load or call, so that
 * scripts cannot catch it. The heap is never used again then.
 */
#include <string.h>

#include "abi/limits.h"
#include "enclave/js/duktape_instance.h"
#include "enclave/js/env.h"
#include "enclave/js/text.h"

enum {
    STACK_RESERVE = 16 * 1024, /* of the stack, for the report on recursion */
    BYTES_PER_STEP = 64,       /* of heap, walked by an emergency collection */
    BIG_BLOCK = 4096,          /* bytes; from here on the filling of a block counts */
    BLOCK_PER_STEP = 32,       /* bytes of a big block */
    GARBAGE_MAX = 64 << 10,    /* bytes that a load may leave behind */
    LOAD_STACK = 120,          /* values on the stack, while most programs are loaded */
    WORK_MAX = 8192,           /* that is no step, but takes as long, between turns */
    BLOCK_WORK = 8,            /* to find or to free a block */
    PREPARE = 0,               /* the prelude's functions, on the value stack */
    LOAD,
    CALL,
    STASH, /* while the answer is taken; duk_safe_call adds no frame */
    HEADERS,
    BASE = STASH
};

const char *tf_js_engine(void)
{
    return "duktape";
}

/* --- hooks (deps/duktape/duk_overrides.h) ---------------------------------------- */

/* So that charging is one comparison: where to stop next. */
static void aim(struct tf_js *js)
{
    const struct tf_js_limits *limits = js->limits;
    bool is_pause = limits->pause != NULL && js->steps_pause < limits->steps;

    js->steps_next = is_pause ? js->steps_pause : limits->steps;
}

static __attribute__((noinline)) void reach(struct tf_js *js)
{
    const struct tf_js_limits *limits = js->limits;

    if (js->steps > limits->steps) {
        if (js->escape != NULL) {
            longjmp(*js->escape, 1);
        }
        return;
    }
    js->steps_pause = js->steps + limits->quantum;
    js->work = 0;
    aim(js);
    limits->pause(limits->user);
}

void tf_duk_charge(void *udata, duk_size_t count)
{
    struct tf_js *js = udata;
    js->steps += count;
    if (js->steps > js->steps_next) {
        reach(js);
    }
}

duk_bool_t tf_duk_timeout(void *udata)
{
    struct tf_js *js = udata;
    tf_duk_charge(js, duk_take_steps(js->context));
    return false;
}

int tf_duk_stack_check(void *udata)
{
    const struct tf_js *js = udata;
    return (uintptr_t)__builtin_frame_address(0) < js->stack_limit;
}

void tf_duk_fatal(void *udata, const char *msg)
{
    (void)udata;
    (void)msg;
    __builtin_trap(); /* an error outside duk_safe_call: a bug of this file */
}

duk_double_t tf_duk_now(void)
{
    uint64_t ms = tf_clock_ns() / 1000000;
    return (duk_double_t)ms;
}

duk_double_t tf_duk_random(void *udata)
{
    struct tf_js *js = udata;
    return tf_native_random(&js->native);
}

void tf_duk_collect(void *udata)
{
    struct tf_js *js = udata;
    uint64_t cost = tf_arena_used(js->arena) / BYTES_PER_STEP;

    if (js->has_failed) {
        js->has_failed = false;
        js->steps_failed += cost;
        tf_duk_charge(js, cost);
    }
}

static __attribute__((noinline)) void rest(struct tf_js *js)
{
    js->work = 0;
    if (js->escape != NULL && js->limits->pause != NULL) {
        js->limits->pause(js->limits->user);
    }
}

/* What is paid for otherwise, as collections are by what is allocated, gives others their
 * turn all the same. */
void tf_duk_work(void *udata, duk_size_t count)
{
    struct tf_js *js = udata;

    js->work += count;
    if (js->work > WORK_MAX) {
        rest(js);
    }
}

static __attribute__((noinline)) void charge_block(struct tf_js *js, size_t size)
{
    tf_duk_charge(js, size / BLOCK_PER_STEP);
}

/* Between the parts of what is no step. */
static void do_work(void *udata, size_t bytes)
{
    tf_duk_work(udata, bytes / BLOCK_PER_STEP);
}

/* Between the parts of a large copy. */
static void take_turn(void *udata, size_t bytes)
{
    charge_block(udata, bytes);
}

static void *js_alloc(void *udata, duk_size_t size)
{
    struct tf_js *js = udata;
    tf_duk_work(js, BLOCK_WORK);
    void *block = tf_native_alloc(&js->native, size);
    if (block == NULL && size > 0) {
        js->has_failed = true;
    } else if (size >= BIG_BLOCK) {
        charge_block(js, size);
    }
    return block;
}

static void *js_resize(void *udata, void *block, duk_size_t size)
{
    struct tf_js *js = udata;
    void *after;

    if (size == 0) {
        tf_arena_free(js->arena, block);
        return NULL;
    }
    tf_duk_work(js, BLOCK_WORK);
    after = tf_native_resize(&js->native, block, size, take_turn);
    if (after == NULL) {
        js->has_failed = true;
    } else if (size >= BIG_BLOCK) {
        charge_block(js, size);
    }
    return after;
}

static void js_release(void *udata, void *block)
{
    struct tf_js *js = udata;
    tf_duk_work(js, BLOCK_WORK);
    tf_arena_free(js->arena, block);
}

/* --- opening --------------------------------------------------------------------- */

static duk_ret_t run_prelude(duk_context *context, void *unused)
{
    (void)unused;
    duk_push_global_stash(context);
    tf_duktape_self(context)->stash = duk_get_heapptr(context, -1);
    duk_pop(context);
    (void)tf_duktape_forget_answer(context, NULL); /* these places come first */
    duk_pop(context);
    tf_duktape_make_names(context);
    duk_push_object(context);
    duk_push_array(context); /* only Function compiles source here */
    duk_put_prop_string(context, 0, "compilers");
    tf_duktape_define_promise(context);
    tf_duktape_push_prelude(context, tf_prelude);
    duk_push_global_object(context);
    tf_duktape_push_native(context);
    duk_dup(context, 0);
    duk_call(context, 3);
    duk_get_prop_string(context, 0, "prepare");
    duk_get_prop_string(context, 0, "load");
    duk_get_prop_string(context, 0, "call");
    return BASE;
}

struct tf_js *tf_js_open(struct tf_arena *arena, const char *wanted)
{
    struct tf_js *js = tf_arena_alloc(arena, sizeof(*js));
    if (js == NULL) {
        return NULL;
    }
    memset(js, 0, sizeof(*js));
    tf_native_init(&js->native, arena, wanted);
    js->native.work = do_work;
    js->native.user = js;
    js->arena = arena;
    js->steps_next = UINT64_MAX;
    js->context = duk_create_heap(js_alloc, js_resize, js_release, js, NULL);
    if (js->context == NULL) {
        return NULL;
    }
    if (duk_safe_call(js->context, run_prelude, NULL, 0, BASE) != DUK_EXEC_SUCCESS) {
        return NULL;
    }
    duk_gc(js->context, DUK_GC_COMPACT);
    /* What most loads take, so that the stack does not move then and leave a hole. */
    return duk_check_stack(js->context, LOAD_STACK) && tf_duktape_seal(js) ? js : NULL;
}

/* --- running --------------------------------------------------------------------- */

/* What the functions under duk_safe_call work on. */
struct job {
    struct tf_js *js;
    const struct tf_js_request *request;
    const struct tf_js_limits *limits;
    struct tf_js_report *report;
    struct tf_js_response response;
    tf_err err;
};

/* Forgets the last answer and sets the limits. */
static void begin(struct tf_js *js, const struct tf_js_limits *limits,
                  struct tf_js_report *report)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    js->native.is_refused = false;
    js->native.random_left = 0;
    (void)duk_take_steps(js->context);
    js->steps = 0;
    js->steps_failed = 0;
    js->work = 0; /* what the load left would be each call's */
    js->limits = limits;
    js->steps_pause = limits->quantum;
    aim(js);
    js->stack_limit = here;
    if (limits->stack > STACK_RESERVE) {
        js->stack_limit = here - (limits->stack - STACK_RESERVE);
    }
    if (js->is_answered || js->is_failed) {
        (void)duk_safe_call(js->context, tf_duktape_forget_answer, NULL, 0, 0);
    }
    js->is_answered = false;
    js->is_failed = false;
    tf_arena_failed(js->arena);
    report->steps = 0;
    report->message[0] = '\0';
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Whether an error of the engine with this message means that memory or stack is used up;
 * else `other`. */
static tf_err err_of(const char *message, bool is_full, tf_err other)
{
    static const char *const deep[] = {"C stack depth limit",
                                       "callstack limit",
                                       "valstack limit",
                                       "compiler recursion limit",
                                       "regexp compiler recursion limit",
                                       "regexp executor recursion limit"};

    if ((is_full && (starts(message, "alloc failed") ||
                     starts(message, "error in error handling"))) ||
        starts(message, "string too long") || starts(message, "buffer too long") ||
        starts(message, "result too long")) {
        return TF_EMEMORY;
    }
    for (size_t i = 0; i < sizeof(deep) / sizeof(deep[0]); i++) {
        if (starts(message, deep[i])) {
            return TF_ESTACK;
        }
    }
    return other;
}

/* Describes the error on top in the report; may run the script's toString. */
static duk_ret_t describe(duk_context *context, void *udata)
{
    struct job *job = udata;
    bool is_full = tf_arena_failed(job->js->arena) != 0;
    const char *stack = NULL;
    const char *text;
    size_t stack_size = 0;
    size_t size;

    if (duk_is_error(context, -1)) {
        duk_get_prop_string(context, -1, "message");
        if (duk_is_string(context, -1)) {
            job->err = err_of(duk_get_string(context, -1), is_full, job->err);
        }
        duk_pop(context);
        duk_get_prop_string(context, -1, "stack");
        stack = duk_get_lstring(context, -1, &stack_size);
        duk_swap_top(context, -2);
    }
    text = duk_safe_to_lstring(context, -1, &size);
    if (stack != NULL && size <= stack_size && memcmp(stack, text, size) == 0) {
        stack += size; /* it starts with what toString says */
        stack_size -= size;
    }
    tf_text_report(job->report, text, size, stack, stack_size);
    return 0;
}

/* What the error on top means; takes it. `other` is for the lambda's own. */
static tf_err classify(struct job *job, tf_err other)
{
    struct tf_js *js = job->js;

    job->err = js->native.is_refused ? TF_ERESPONSE : other;
    js->stack_limit -= STACK_RESERVE;
    if (duk_safe_call(js->context, describe, job, 1, 0) != DUK_EXEC_SUCCESS &&
        job->report->message[0] == '\0') {
        tf_text_say(job->report, job->err);
    }
    if (job->err == TF_EMEMORY || job->err == TF_ESTACK) {
        job->report->message[0] = '\0';
        tf_text_say(job->report, job->err);
    }
    return job->err;
}

static duk_ret_t load_program(duk_context *context, void *udata)
{
    const struct job *job = udata;
    duk_dup(context, PREPARE);
    duk_call(context, 0);
    duk_dup(context, LOAD);
    duk_push_string(context, job->js->native.program->entry);
    duk_call(context, 1);
    tf_duktape_run_jobs(context);
    return 0;
}

/* Runs `work`, which the step limit may end anywhere. */
static tf_err run_within(struct job *job, tf_err (*work)(struct job *job))
{
    struct tf_js *js = job->js;
    jmp_buf escape;
    tf_err err;

    js->escape = &escape;
    if (setjmp(escape) == 0) {
        err = work(job);
    } else {
        err = tf_text_say(job->report,
                          js->steps_failed > js->steps / 4 ? TF_EMEMORY : TF_ESTEPS);
    }
    js->escape = NULL;
    js->steps_next = UINT64_MAX;
    job->report->steps = js->steps + duk_take_steps(js->context);
    return err;
}

static tf_err load(struct job *job)
{
    duk_context *context = job->js->context;
    size_t used = tf_arena_used(job->js->arena);
    tf_err err = TF_OK;

    if (duk_safe_call(context, load_program, job, 0, 1) != DUK_EXEC_SUCCESS) {
        err = classify(job, TF_ELAMBDA_SOURCE);
    } else {
        duk_pop(context);
        if (tf_arena_used(job->js->arena) > used + GARBAGE_MAX) {
            duk_gc(context, 0); /* to compact would move what is in the base */
        }
    }
    return err == TF_ERESPONSE ? TF_ELAMBDA_SOURCE : err;
}

tf_err tf_js_load(struct tf_js *js, const struct tf_js_program *program,
                  const struct tf_js_limits *limits, struct tf_js_report *report)
{
    struct job job = {.js = js, .limits = limits, .report = report};

    begin(js, limits, report);
    js->native.program = program;
    return program->is_module ? tf_text_no_modules(report) : run_within(&job, load);
}

/* --- the answer ------------------------------------------------------------------ */

/* Finds the body; a string without surrogates, and a buffer, are not copied. */
static void take_body(duk_context *context, struct job *job)
{
    struct tf_str *out = &job->response.body;
    char *clean;

    tf_duktape_get(context, STASH, TF_NAME_BODY);
    if (duk_is_null(context, -1)) {
        return;
    }
    if (duk_is_buffer_data(context, -1)) {
        out->data = duk_get_buffer_data(context, -1, &out->size);
        return;
    }
    if (!duk_is_string(context, -1) || duk_is_symbol(context, -1)) {
        job->err = TF_ERESPONSE;
        return;
    }
    out->data = duk_get_lstring(context, -1, &out->size);
    if (tf_text_has_surrogates(out->data, out->size)) {
        clean = duk_push_fixed_buffer(context, out->size);
        out->size = tf_text_encode(out->data, out->size, clean);
        out->data = clean;
        duk_put_prop_string(context, STASH, "clean");
    }
}

/* Text of item `at` of the header list, which a script may have tampered with. */
static const char *item(duk_context *context, duk_uarridx_t at, size_t *size)
{
    const char *text = duk_peek_item(context, HEADERS, at, size);

    if (text == NULL) {
        (void)duk_type_error(context, "bad headers");
    }
    return text;
}

/* Copies the headers into one buffer. */
static void take_headers(duk_context *context, struct job *job)
{
    struct tf_js_response *out = &job->response;
    duk_uarridx_t count;
    size_t size;
    size_t room = 0;
    char *to;

    tf_duktape_get(context, STASH, TF_NAME_HEADERS); /* at HEADERS */
    count = (duk_uarridx_t)duk_get_length(context, HEADERS);
    if (count % 2 != 0 || count / 2 > TF_HEADERS_MAX) {
        job->err = TF_ERESPONSE;
        return;
    }
    for (duk_uarridx_t i = 0; i < count; i++) {
        (void)item(context, i, &size);
        room += size;
    }
    to = duk_push_fixed_buffer(context, count / 2 * sizeof(struct tf_js_header) + room);
    tf_duktape_put(context, STASH, TF_NAME_BLOCK);
    out->headers = (void *)to;
    out->header_count = count / 2;
    to += count / 2 * sizeof(struct tf_js_header);
    for (duk_uarridx_t i = 0; i < count; i++) {
        struct tf_js_header *h = &out->headers[i / 2];
        struct tf_str *part = i % 2 == 0 ? &h->name : &h->value;
        const char *text = item(context, i, &size);
        if (size > room || !tf_text_to_latin1(text, size, to, &part->size)) {
            job->err = TF_ERESPONSE;
            return;
        }
        part->data = to;
        to += part->size;
        room -= part->size;
    }
}

static duk_ret_t run_handler(duk_context *context, void *udata)
{
    struct job *job = udata;
    struct tf_js *js = job->js;

    if (js->http.serving[0] != NULL) {
        tf_duktape_serve(context);
    } else {
        duk_dup(context, CALL);
        duk_push_lstring(context, job->request->method.data, job->request->method.size);
        duk_push_lstring(context, job->request->url.data, job->request->url.size);
        duk_call(context, 2);
        tf_duktape_run_jobs(context);
    }
    if (js->is_failed) {
        duk_push_heapptr(context, js->stash);
        duk_get_prop_literal(context, -1, "reason");
        return duk_throw(context);
    }
    return 0;
}

static duk_ret_t convert(duk_context *context, void *udata)
{
    struct job *job = udata;
    double status = job->js->status;

    duk_push_heapptr(context, job->js->stash);
    take_headers(context, job);
    if (job->err == TF_OK) {
        take_body(context, job);
    }
    job->response.status = status >= 200 && status <= 599 ? (unsigned)status : 0;
    if ((double)job->response.status != status) {
        job->err = TF_ERESPONSE;
    }
    return 0;
}

static tf_err take_answer(struct job *job)
{
    duk_context *context = job->js->context;

    if (!job->js->is_answered) {
        /* Without memory for the jobs of those who wait, a promise is never heard of. */
        bool is_full = tf_arena_failed(job->js->arena) != 0;
        return tf_text_say(job->report, is_full ? TF_EMEMORY : TF_EPENDING);
    }
    if (duk_safe_call(context, convert, job, 0, 1) != DUK_EXEC_SUCCESS) {
        return classify(job, TF_ERESPONSE);
    }
    duk_pop(context);
    if (job->err != TF_OK || !tf_text_check(&job->response)) {
        return tf_text_say(job->report, TF_ERESPONSE);
    }
    if (job->response.body.size > job->limits->body) {
        return tf_text_say(job->report, TF_ELIMIT);
    }
    return TF_OK;
}

static tf_err call(struct job *job)
{
    duk_context *context = job->js->context;

    if (duk_safe_call(context, run_handler, job, 0, 1) != DUK_EXEC_SUCCESS) {
        return classify(job, TF_EEXCEPTION);
    }
    duk_pop(context);
    return take_answer(job);
}

tf_err tf_js_call(struct tf_js *js, const struct tf_js_request *request,
                  const struct tf_js_limits *limits, struct tf_js_response *response,
                  struct tf_js_report *report)
{
    static const struct tf_js_request nothing;
    struct job job = {.js = js, .request = request, .limits = limits, .report = report};
    tf_err err;

    begin(js, limits, report);
    js->native.request = request;
    err = run_within(&job, call);
    if (err == TF_OK) {
        *response = job.response;
    }
    js->native.request = &nothing;
    return err;
}
