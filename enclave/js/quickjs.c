/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quickjs.c - js.h over QuickJS 2025-04-26.
 *
 * Steps: QuickJS counts calls, jumps, steps of regular expressions and (our patch) the
 * work of native code, and asks its interrupt handler after 10,000 of them.
 *
 * Memory: what QuickJS does when an allocation fails is not sound everywhere (an error
 * whose message cannot be allocated recurses until the stack ends; shapes are left half
 * made). As a heap whose limit was hit is never used again, neither the allocator nor the
 * handler returns then: they leave the engine altogether, to load or call. So scripts
 * cannot catch it either.
 */
#include <string.h>

#include "abi/limits.h"
#include "enclave/js/path.h"
#include "enclave/js/quickjs_http.h"
#include "enclave/js/text.h"

enum {
    BIG_BLOCK = 1024,     /* bytes; from here on the filling of a block counts */
    BYTES_PER_STEP = 64,  /* of a big block */
    BYTES_PER_WORK = 32,  /* of what is copied or zeroed beside the steps */
    GARBAGE_MAX = 1 << 20 /* bytes allocated before cycles are looked for */
};

static const struct tf_js_limits no_limits = {.steps = UINT64_MAX};

const char *tf_js_engine(void)
{
    return "quickjs";
}

/* --- memory and steps ------------------------------------------------------------ */

static void *leave(const struct tf_js *js)
{
    if (js->escape != NULL) {
        longjmp(*js->escape, 1);
    }
    return NULL;
}

/* The filling of a big block is work, which a script that asks for 2 GiB does not get
 * done.
 */
static __attribute__((noinline)) void charge_block(const struct tf_js *js, size_t size)
{
    if (js->runtime != NULL) {
        JS_ChargeSteps(js->runtime, size / BYTES_PER_STEP);
    }
}

static void *js_alloc(JSMallocState *state, size_t size)
{
    struct tf_js *js = state->opaque;
    bool is_big = size >= BIG_BLOCK;
    void *block =
        is_big ? tf_native_alloc(&js->native, size) : tf_arena_alloc(js->arena, size);
    if (block == NULL) {
        return leave(js);
    }
    if (is_big) {
        charge_block(js, size);
    }
    state->malloc_count++;
    state->malloc_size += tf_arena_usable(block);
    return block;
}

static void js_release(JSMallocState *state, void *block)
{
    const struct tf_js *js = state->opaque;
    if (block != NULL) {
        state->malloc_count--;
        state->malloc_size -= tf_arena_usable(block);
        tf_arena_free(js->arena, block);
    }
}

static int on_interrupt(JSRuntime *runtime, void *opaque);

/* Between the parts of what is no step. */
static void do_work(void *opaque, size_t bytes)
{
    const struct tf_js *js = opaque;

    JS_CountWork(js->runtime, bytes / BYTES_PER_WORK);
}

/* Between the parts of a large copy. */
static void take_turn(void *opaque, size_t bytes)
{
    struct tf_js *js = opaque;

    if (js->runtime != NULL) {
        JS_ChargeSteps(js->runtime, bytes / BYTES_PER_STEP);
        (void)on_interrupt(js->runtime, js);
    }
}

static void *js_resize(JSMallocState *state, void *block, size_t size)
{
    struct tf_js *js = state->opaque;
    size_t before = tf_arena_usable(block);
    void *after;

    if (block == NULL) {
        return size == 0 ? NULL : js_alloc(state, size);
    }
    if (size == 0) {
        js_release(state, block);
        return NULL;
    }
    after = tf_native_resize(&js->native, block, size, take_turn);
    if (after == NULL) {
        return leave(js);
    }
    if (size >= BIG_BLOCK) {
        charge_block(js, size);
    }
    state->malloc_size += tf_arena_usable(after) - before;
    return after;
}

static const JSMallocFunctions memory = {js_alloc, js_release, js_resize,
                                         tf_arena_usable};

/* Takes what the engine has counted. */
static void take_steps(struct tf_js *js)
{
    int64_t work;
    int64_t steps = JS_TakeSteps(js->runtime, &work);

    js->steps += (uint64_t)steps;
    js->since_pause += (uint64_t)(steps + work);
}

static int on_interrupt(JSRuntime *runtime, void *opaque)
{
    struct tf_js *js = opaque;

    (void)runtime;
    take_steps(js);
    if (js->steps > js->limits->steps) {
        js->is_stopped = true;
        leave(js);
    }
    if (js->limits->pause != NULL && js->since_pause >= js->limits->quantum) {
        js->since_pause = 0;
        js->limits->pause(js->limits->user);
    }
    return js->is_stopped;
}

/* --- opening --------------------------------------------------------------------- */

/* The prototypes whose constructors compile source, beside Function's own. */
static JSValue new_compilers(JSContext *context)
{
    static const char source[] = "[function* () {}, async function () {}, "
                                 "async function* () {}].map(Object.getPrototypeOf)";
    return JS_Eval(context, source, sizeof(source) - 1, "prelude", JS_EVAL_TYPE_GLOBAL);
}

static bool run_prelude(struct tf_js *js)
{
    JSContext *context = js->context;
    JSValue args[3] = {JS_GetGlobalObject(context), tf_quickjs_native(context),
                       JS_NewObject(context)};
    bool is_ok = !JS_IsException(args[1]) && !JS_IsException(args[2]) &&
                 tf_quickjs_define(context, args[2], "compilers", new_compilers(context));

    js->own = JS_DupValue(context, args[2]);
    if (is_ok) {
        JSValue run = tf_quickjs_prelude(context, tf_prelude);
        JSValue done = JS_Call(context, run, JS_UNDEFINED, 3, args);
        is_ok = !JS_IsException(done);
        JS_FreeValue(context, done);
        JS_FreeValue(context, run);
    }
    js->prepare = JS_GetPropertyStr(context, args[2], "prepare");
    js->load = JS_GetPropertyStr(context, args[2], "load");
    js->bind = JS_GetPropertyStr(context, args[2], "bind");
    js->call = JS_GetPropertyStr(context, args[2], "call");
    is_ok = is_ok && JS_IsFunction(context, js->call);
    for (int i = 0; i < 3; i++) {
        JS_FreeValue(context, args[i]);
    }
    return is_ok;
}

static char *normalize(JSContext *context, const char *base, const char *name,
                       void *opaque)
{
    const struct tf_js *js = opaque;
    char path[TF_PATH_MAX + 1];

    if (!tf_path_join(base, name, path) ||
        tf_text_file(js->native.program, path, strlen(path)) == NULL) {
        JS_ThrowReferenceError(context, "cannot find module '%.100s'", name);
        return NULL;
    }
    return js_strdup(context, path);
}

static JSModuleDef *load_module(JSContext *context, const char *name, void *opaque)
{
    const struct tf_js *js = opaque;
    const struct tf_js_file *file = tf_text_file(js->native.program, name, strlen(name));
    JSModuleDef *module;
    JSValue value;

    if (file == NULL) {
        JS_ThrowReferenceError(context, "cannot find module");
        return NULL;
    }
    value = tf_quickjs_compile(context, file, true);
    if (JS_IsException(value)) {
        return NULL;
    }
    module = JS_VALUE_GET_PTR(value);
    JS_FreeValue(context, value); /* the context keeps its modules */
    return module;
}

struct tf_js *tf_js_open(struct tf_arena *arena, const char *wanted)
{
    struct tf_js *js = tf_arena_alloc(arena, sizeof(*js));
    if (js == NULL) {
        return NULL;
    }
    memset(js, 0, sizeof(*js));
    tf_native_init(&js->native, arena, wanted);
    js->arena = arena;
    js->limits = &no_limits;
    js->body = JS_UNDEFINED;
    js->reason = JS_UNDEFINED;
    js->fetch = JS_UNDEFINED;
    js->runtime = JS_NewRuntime2(&memory, js);
    if (js->runtime == NULL) {
        return NULL;
    }
    js->native.work = do_work;
    js->native.user = js;
    js->context = JS_NewContextRaw(js->runtime);
    if (js->context == NULL) {
        return NULL;
    }
    tf_quickjs_names(js);
    tf_quickjs_parts(js->context);
    JS_SetLazyFunc(js->runtime, tf_quickjs_provide);
    JS_SetContextOpaque(js->context, js);
    JS_SetMaxStackSize(js->runtime, 0);
    if (!run_prelude(js)) {
        return NULL;
    }
    JS_RunGC(js->runtime);
    JS_SetGCThreshold(js->runtime, GARBAGE_MAX);
    JS_SetStripInfo(js->runtime, JS_STRIP_SOURCE);
    JS_SetInterruptHandler(js->runtime, on_interrupt, js);
    JS_SetModuleLoaderFunc(js->runtime, normalize, load_module, js);
    tf_quickjs_seal(js);
    return js;
}

/* --- running --------------------------------------------------------------------- */

/* Forgets the last answer and sets the limits. */
static void begin(struct tf_js *js, const struct tf_js_limits *limits,
                  struct tf_js_report *report)
{
    tf_quickjs_forget(js);
    js->is_stopped = false;
    js->native.is_refused = false;
    js->native.random_left = 0;
    js->limits = limits;
    take_steps(js);
    js->steps = 0;
    js->since_pause = 0;
    JS_SetMaxStackSize(js->runtime, limits->stack);
    JS_UpdateStackTop(js->runtime);
    tf_arena_failed(js->arena);
    report->steps = 0;
    report->message[0] = '\0';
}

static void end(struct tf_js *js, struct tf_js_report *report)
{
    js->escape = NULL;
    js->limits = &no_limits;
    take_steps(js);
    report->steps = js->steps;
}

/* Whether `error` is one of the engine's own with this message; runs no script. */
static bool is_engine_error(JSContext *context, JSValueConst error, const char *message)
{
    JSPropertyDescriptor desc;
    JSAtom atom;
    bool is_it = false;

    if (!JS_IsError(context, error)) {
        return false;
    }
    atom = JS_NewAtom(context, "message");
    if (JS_GetOwnProperty(context, &desc, error, atom) > 0) {
        const char *text =
            JS_IsString(desc.value) ? JS_ToCString(context, desc.value) : NULL;
        is_it = text != NULL && strncmp(text, message, strlen(message)) == 0;
        JS_FreeCString(context, text);
        JS_FreeValue(context, desc.value);
        JS_FreeValue(context, desc.getter);
        JS_FreeValue(context, desc.setter);
    }
    JS_FreeAtom(context, atom);
    return is_it;
}

/* Writes what was thrown into the report; may run the script's toString, within the
 * limits. */
static void describe(JSContext *context, JSValueConst error, struct tf_js_report *report)
{
    size_t size = 0;
    size_t stack_size = 0;
    const char *text = JS_ToCStringLen(context, &size, error);
    JSValue stack = JS_IsError(context, error)
                        ? JS_GetPropertyStr(context, error, "stack")
                        : JS_UNDEFINED;
    const char *lines =
        JS_IsString(stack) ? JS_ToCStringLen(context, &stack_size, stack) : NULL;

    tf_text_report(report, text, text == NULL ? 0 : size, lines,
                   lines == NULL ? 0 : stack_size);
    JS_FreeCString(context, text);
    JS_FreeCString(context, lines);
    JS_FreeValue(context, stack);
    JS_FreeValue(context, JS_GetException(context));
}

/* What an error means; takes it. `other` is for the lambda's own. */
static tf_err classify(struct tf_js *js, JSValue error, struct tf_js_report *report,
                       tf_err other)
{
    JSContext *context = js->context;
    bool is_full = tf_arena_failed(js->arena) != 0;
    tf_err err = other;

    if ((is_full && is_engine_error(context, error, "out of memory")) ||
        is_engine_error(context, error, "string too long")) {
        err = tf_text_say(report, TF_EMEMORY);
    } else if (is_engine_error(context, error, "stack overflow")) {
        err = tf_text_say(report, TF_ESTACK);
    } else {
        err = js->native.is_refused ? TF_ERESPONSE : other;
        describe(context, error, report);
    }
    JS_FreeValue(context, error);
    return err;
}

/* Runs promise jobs until none is left. */
static tf_err drain(struct tf_js *js, struct tf_js_report *report)
{
    tf_err err = TF_OK;
    while (err == TF_OK && JS_IsJobPending(js->runtime)) {
        JSContext *context;
        if (JS_ExecutePendingJob(js->runtime, &context) >= 0) {
            continue;
        }
        /* An error of a script's rejected its promise; this is about the job as such. */
        err = classify(js, JS_GetException(js->context), report, TF_OK);
        if (err == TF_OK) {
            report->message[0] = '\0';
        }
    }
    return err;
}

/* Calls one of the prelude's functions. */
static tf_err enter(struct tf_js *js, JSValueConst function, int argc, JSValueConst *argv,
                    struct tf_js_report *report)
{
    JSValue result = JS_Call(js->context, function, JS_UNDEFINED, argc, argv);
    if (JS_IsException(result)) {
        return classify(js, JS_GetException(js->context), report, TF_EEXCEPTION);
    }
    JS_FreeValue(js->context, result);
    return drain(js, report);
}

static tf_err load_es_module(struct tf_js *js, const struct tf_js_program *program,
                             struct tf_js_report *report)
{
    JSContext *context = js->context;
    const struct tf_js_file *file =
        tf_text_file(program, program->entry, strlen(program->entry));
    JSModuleDef *module;
    JSValue value = file == NULL ? JS_ThrowReferenceError(context, "no entry file")
                                 : tf_quickjs_compile(context, file, true);
    JSPromiseStateEnum state;
    tf_err err;

    if (JS_IsException(value)) {
        return classify(js, JS_GetException(context), report, TF_ELAMBDA_SOURCE);
    }
    module = JS_VALUE_GET_PTR(value);
    value = JS_EvalFunction(context, value); /* a promise: of the top level */
    if (JS_IsException(value)) {
        return classify(js, JS_GetException(context), report, TF_ELAMBDA_SOURCE);
    }
    err = drain(js, report);
    state = JS_PromiseState(context, value);
    if (err == TF_OK && state == JS_PROMISE_REJECTED) {
        err = classify(js, JS_PromiseResult(context, value), report, TF_ELAMBDA_SOURCE);
    } else if (err == TF_OK && state == JS_PROMISE_PENDING) {
        err = tf_text_say(report, TF_EPENDING);
    }
    JS_FreeValue(context, value);
    if (err == TF_OK) {
        value = JS_GetModuleNamespace(context, module);
        err = enter(js, js->bind, 1, &value, report);
        JS_FreeValue(context, value);
    }
    return err;
}

static tf_err load(struct tf_js *js, struct tf_js_report *report)
{
    const struct tf_js_program *program = js->native.program;
    tf_err err = enter(js, js->prepare, 0, NULL, report);

    if (err == TF_OK && program->is_module) {
        err = load_es_module(js, program, report);
    } else if (err == TF_OK) {
        JSValue entry = JS_NewString(js->context, program->entry);
        err = enter(js, js->load, 1, &entry, report);
        JS_FreeValue(js->context, entry);
    }
    if (err == TF_OK) {
        JS_RunGC(js->runtime);
        JS_SetGCThreshold(js->runtime, tf_arena_used(js->arena) + GARBAGE_MAX);
    }
    return err == TF_EEXCEPTION || err == TF_EPENDING ? TF_ELAMBDA_SOURCE : err;
}

tf_err tf_js_load(struct tf_js *js, const struct tf_js_program *program,
                  const struct tf_js_limits *limits, struct tf_js_report *report)
{
    jmp_buf escape;
    tf_err err;

    begin(js, limits, report);
    js->native.program = program;
    js->escape = &escape;
    if (setjmp(escape) == 0) {
        err = load(js, report);
    } else {
        err = tf_text_say(report, js->is_stopped ? TF_ESTEPS : TF_EMEMORY);
    }
    end(js, report);
    return err;
}

/* --- calling --------------------------------------------------------------------- */

static tf_err take_answer(struct tf_js *js, const struct tf_js_limits *limits,
                          struct tf_js_response *response, struct tf_js_report *report)
{
    struct tf_js_response out = {0};
    tf_err err = tf_quickjs_answer(js, limits, &out);

    if (JS_HasException(js->context)) {
        return classify(js, JS_GetException(js->context), report, TF_ERESPONSE);
    }
    if (err != TF_OK) {
        return tf_text_say(report, err);
    }
    *response = out;
    return TF_OK;
}

/* Waits for what a handler returned and takes it as the answer; frees `result`. */
static tf_err settle(struct tf_js *js, JSValue result, struct tf_js_report *report)
{
    JSContext *context = js->context;
    tf_err err = drain(js, report);
    JSPromiseStateEnum state = JS_PromiseState(context, result);
    JSValue value = JS_PromiseResult(context, result);

    JS_FreeValue(context, result);
    if (err == TF_OK && state == JS_PROMISE_PENDING) {
        err = tf_text_say(report, TF_EPENDING);
    } else if (err == TF_OK && state == JS_PROMISE_REJECTED) {
        return classify(js, value, report, TF_EEXCEPTION);
    } else if (err == TF_OK && !tf_quickjs_respond(js, value)) {
        err = classify(js, JS_GetException(context), report, TF_EEXCEPTION);
    }
    JS_FreeValue(context, value);
    return err;
}

/* Whether a value is to be waited for; 0, 1, or -1 with an exception. */
static int is_thenable(JSContext *context, JSValueConst value)
{
    if (!JS_IsObject(value) || JS_IsFunction(context, value)) {
        return 0;
    }
    JSValue then = JS_GetPropertyStr(context, value, "then");
    int is_it = JS_IsException(then) ? -1 : JS_IsFunction(context, then);
    JS_FreeValue(context, then);
    return is_it;
}

/* Calls the lambda's `fetch`. */
static tf_err call_fetch(struct tf_js *js, struct tf_js_report *report)
{
    JSContext *context = js->context;
    JSValue args[3] = {tf_http_request(js), js->env, js->handler_context};
    JSValue result = JS_IsException(args[0])
                         ? JS_EXCEPTION
                         : JS_Call(context, js->fetch, js->target, 3, args);
    int is_waited = JS_IsException(result) ? -1 : 1;

    JS_FreeValue(context, args[0]);
    if (is_waited > 0 && (int)JS_PromiseState(context, result) < 0) {
        is_waited = is_thenable(context, result);
        if (is_waited > 0) {
            JSValue promise = JS_NewSettledPromise(context, result, false);
            JS_FreeValue(context, result);
            result = promise;
        }
    }
    if (is_waited > 0) {
        return settle(js, result, report);
    }
    bool is_ok = is_waited == 0 && tf_quickjs_respond(js, result);
    JS_FreeValue(context, result);
    return is_ok ? drain(js, report)
                 : classify(js, JS_GetException(context), report, TF_EEXCEPTION);
}

/* Calls the prelude's function for handlers of another style. */
static tf_err call_prelude(struct tf_js *js, struct tf_js_report *report)
{
    const struct tf_js_request *request = js->native.request;
    JSContext *context = js->context;
    JSValue args[2];
    tf_err err;

    js->turn++;
    args[0] = JS_NewStringLen(context, request->method.data, request->method.size);
    args[1] = JS_NewStringLen(context, request->url.data, request->url.size);
    err = enter(js, js->call, 2, args, report);
    JS_FreeValue(context, args[0]);
    JS_FreeValue(context, args[1]);
    return err;
}

static tf_err call(struct tf_js *js, const struct tf_js_limits *limits,
                   struct tf_js_response *response, struct tf_js_report *report)
{
    tf_err err =
        JS_IsUndefined(js->fetch) ? call_prelude(js, report) : call_fetch(js, report);

    if (err != TF_OK) {
        return err;
    }
    if (js->is_failed) {
        return classify(js, JS_DupValue(js->context, js->reason), report, TF_EEXCEPTION);
    }
    if (!js->is_answered) {
        return tf_text_say(report, TF_EPENDING);
    }
    return take_answer(js, limits, response, report);
}

tf_err tf_js_call(struct tf_js *js, const struct tf_js_request *request,
                  const struct tf_js_limits *limits, struct tf_js_response *response,
                  struct tf_js_report *report)
{
    static const struct tf_js_request nothing;
    jmp_buf escape;
    tf_err err;

    begin(js, limits, report);
    js->native.request = request;
    js->escape = &escape;
    if (setjmp(escape) == 0) {
        err = call(js, limits, response, report);
    } else {
        err = tf_text_say(report, js->is_stopped ? TF_ESTEPS : TF_EMEMORY);
    }
    js->native.request = &nothing;
    end(js, report);
    return err;
}
