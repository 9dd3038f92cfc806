/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mujs.c - js.h over MuJS 1.3.6.
 *
 * Steps: MuJS takes (our patch) one for each instruction and for the work of native code
 * from what it was granted, and asks js_embed_tick() when nothing is left.
 *
 * Memory: MuJS looks for garbage only between instructions and never because memory ends,
 * so live bytes are counted here and it is told in time. When memory or steps end, the
 * engine is left altogether, to load or call: scripts cannot catch it, and what was half
 * done is never used again.
 */
#include <string.h>

#include "abi/limits.h"
#include "enclave/js/env.h"
#include "enclave/js/mujs_instance.h"

enum {
    STACK_RESERVE = 32 * 1024, /* of the stack, for natives and the report on recursion */
    BIG_BLOCK = 4096,          /* bytes; from here on the filling of a block counts */
    BLOCK_PER_STEP = 32,       /* bytes of a big block */
    GARBAGE_MIN = 64 * 1024    /* bytes allocated before garbage is looked for */
};

static const struct tf_js_limits no_limits = {.steps = UINT64_MAX};

const char *tf_js_engine(void)
{
    return "mujs";
}

/* --- hooks (deps/patches/mujs) ----------------------------------------------------- */

void tf_mujs_leave(struct tf_js *js, tf_err err)
{
    if (js->escape != NULL) {
        js->left = err;
        longjmp(*js->escape, 1);
    }
}

/* Grants what is left until the limit or until others get a turn. */
static void grant(struct tf_js *js)
{
    const struct tf_js_limits *limits = js->limits;
    uint64_t next = limits->steps - js->steps;

    if (limits->pause != NULL && limits->quantum - js->since_pause < next) {
        next = limits->quantum - js->since_pause;
    }
    js->granted = next > INT64_MAX ? INT64_MAX : (long)next;
    js_setsteps(js->state, js->granted);
}

static uint64_t take_steps(struct tf_js *js)
{
    uint64_t gone = (uint64_t)(js->granted - js_getsteps(js->state));

    js->since_pause += gone;
    js->steps += gone - (uint64_t)js_takework(js->state);
    js->granted = 0;
    js_setsteps(js->state, 0);
    return js->steps;
}

void js_embed_tick(void *actx)
{
    struct tf_js *js = actx;
    const struct tf_js_limits *limits = js->limits;

    if (take_steps(js) > limits->steps) {
        tf_mujs_leave(js, TF_ESTEPS);
        return;
    }
    bool is_pause = limits->pause != NULL && js->since_pause >= limits->quantum;
    if (is_pause) {
        js->since_pause = 0;
    }
    grant(js);
    if (is_pause) {
        limits->pause(limits->user);
    }
}

/* The next search for garbage: when the heap has doubled, or half of the room is gone. */
void js_embed_collected(void *actx)
{
    struct tf_js *js = actx;
    size_t limit = tf_arena_limit(js->arena);
    size_t half = limit > js->live ? (limit - js->live) / 2 : 0;
    size_t more = js->live > GARBAGE_MIN ? js->live : GARBAGE_MIN;

    js->collect_at = js->live + (more < half ? more : half);
}

double js_embed_now(void *actx)
{
    uint64_t ms = tf_clock_ns() / 1000000;
    (void)actx;
    return (double)ms;
}

double js_embed_random(void *actx)
{
    struct tf_js *js = actx;
    return tf_native_random(&js->native);
}

/* Between the parts of what is no step. */
static void do_work(void *actx, size_t bytes)
{
    const struct tf_js *js = actx;

    if (js->state != NULL) {
        js_countwork(js->state, (long)(bytes / BLOCK_PER_STEP));
    }
}

/* Between the parts of a large copy. */
static void take_turn(void *actx, size_t bytes)
{
    const struct tf_js *js = actx;

    if (js->state != NULL) {
        js_chargesteps(js->state, (long)(bytes / BLOCK_PER_STEP));
    }
}

/* As realloc; NULL is returned only while opening. */
static void *resize(struct tf_js *js, void *block, size_t size)
{
    size_t before = tf_arena_usable(block);
    void *after = tf_native_resize(&js->native, block, size, take_turn);

    if (after == NULL) {
        tf_mujs_leave(js, TF_EMEMORY);
        return NULL;
    }
    js->live += tf_arena_usable(after) - before;
    if (js->state == NULL) {
        return after;
    }
    if (js->live > js->collect_at) {
        js_collectsoon(js->state);
    }
    if (size >= BIG_BLOCK && after != block) {
        js_chargesteps(js->state, (long)(size / BLOCK_PER_STEP));
    }
    return after;
}

void tf_mujs_free(struct tf_js *js, void *block)
{
    js->live -= tf_arena_usable(block);
    tf_arena_free(js->arena, block);
}

static void *js_alloc(void *actx, void *block, int size)
{
    struct tf_js *js = actx;

    if (size > 0) {
        return resize(js, block, (size_t)size);
    }
    tf_mujs_free(js, block);
    return NULL;
}

void *tf_mujs_alloc(struct tf_js *js, size_t size)
{
    void *block = resize(js, NULL, size + 1);
    if (block == NULL) {
        js_error(js->state, "out of memory"); /* while opening */
    }
    return block;
}

/* --- running ----------------------------------------------------------------------- */

/* What the functions under `attempt` work on. */
struct job {
    struct tf_js *js;
    const struct tf_js_request *request;
    const struct tf_js_limits *limits;
    struct tf_js_report *report;
    struct tf_js_response response;
    tf_err err;
};

/* @return false if `work` threw: what it threw is on the stack. */
static bool attempt(void (*work)(js_State *state, struct job *job), struct job *job)
{
    js_State *state = job->js->state;
    if (js_try(state)) {
        return false;
    }
    work(state, job);
    js_endtry(state);
    return true;
}

/* Calls a function of the prelude that the registry keeps; its arguments are pushed by
 * `push`. */
static void call_kept(js_State *state, const char *name)
{
    js_getregistry(state, name);
    js_pushundefined(state);
    js_call(state, 0);
    js_pop(state, 1);
}

static void forget_answer(struct tf_js *js)
{
    static const char *const names[] = {"body", "headers", "reason", "clean", "block"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        js_delregistry(js->state, names[i]);
    }
}

/* Forgets the last answer and sets the limits. */
static void begin(struct tf_js *js, const struct tf_js_limits *limits,
                  struct tf_js_report *report)
{
    const char *lowest = __builtin_frame_address(0);

    if (limits->stack > STACK_RESERVE) {
        lowest -= limits->stack - STACK_RESERVE;
    }
    js_setstacklimit(js->state, lowest);
    js->native.is_refused = false;
    js->native.random_left = 0;
    js->limits = limits;
    (void)js_takework(js->state);
    js->steps = 0;
    js->since_pause = 0;
    grant(js);
    js_embed_collected(js);
    if (js->is_answered || js->is_failed) {
        forget_answer(js);
    }
    js->is_answered = false;
    js->is_failed = false;
    js->left = TF_OK;
    report->steps = 0;
    report->message[0] = '\0';
}

/* --- opening ----------------------------------------------------------------------- */

static void keep(js_State *state, const char *name)
{
    js_getproperty(state, -1, name);
    js_setregistry(state, name);
}

static void run_prelude(js_State *state, struct job *job)
{
    (void)job;
    js_newobject(state); /* `own` */
    js_newarray(state);  /* only Function compiles source here */
    js_setproperty(state, -2, "compilers");
    js_pushliteral(state, "\xff"
                          "tfaas"); /* hidden, in place of a symbol */
    js_setproperty(state, -2, "key");
    tf_mujs_define_bytes(state);
    tf_mujs_push_prelude(state, tf_prelude);
    js_pushundefined(state);
    js_pushglobal(state);
    tf_mujs_push_native(state);
    js_copy(state, -5);
    js_call(state, 3);
    js_pop(state, 1);
    keep(state, "prepare");
    keep(state, "load");
    keep(state, "call");
    keep(state, "drain");
    js_pop(state, 1);
    js_gc(state, 0);
}

struct tf_js *tf_js_open(struct tf_arena *arena, const char *wanted)
{
    struct tf_js *js = tf_arena_alloc(arena, sizeof(*js));
    struct job job = {.js = js};

    if (js == NULL) {
        return NULL;
    }
    memset(js, 0, sizeof(*js));
    tf_native_init(&js->native, arena, wanted);
    js->native.work = do_work;
    js->native.user = js;
    js->arena = arena;
    js->limits = &no_limits;
    js->collect_at = SIZE_MAX;
    js->state = js_newstate(js_alloc, js, 0);
    if (js->state == NULL) {
        return NULL;
    }
    js_setcontext(js->state, js);
    grant(js);
    return attempt(run_prelude, &job) ? js : NULL;
}

/* --- errors ------------------------------------------------------------------------ */

/* Whether what was thrown means that a stack is used up; else `other`. */
static tf_err err_of(const char *message, tf_err other)
{
    static const char *const deep[] = {"stack overflow", "call stack overflow",
                                       "exception stack overflow",
                                       "JSON: nested too deeply"};
    for (size_t i = 0; i < sizeof(deep) / sizeof(deep[0]); i++) {
        if (strcmp(message, deep[i]) == 0) {
            return TF_ESTACK;
        }
    }
    return other;
}

/* Describes what lies on top in the report; may run the script's toString. */
static void describe(js_State *state, struct job *job)
{
    const char *stack = "";
    const char *text;

    if (js_iserror(state, -1)) {
        js_getproperty(state, -1, "message");
        if (js_isstring(state, -1)) {
            job->err = err_of(js_tostring(state, -1), job->err);
        }
        js_pop(state, 1);
    } else if (js_isstring(state, -1)) {
        job->err = err_of(js_tostring(state, -1), job->err);
    }
    js_copy(state, -1);
    if (js_iserror(state, -1)) {
        js_getproperty(state, -1, "stackTrace");
        if (js_isstring(state, -1)) {
            stack = js_tostring(state, -1);
            stack += strspn(stack, "\n\t");
        }
    }
    js_copy(state, js_iserror(state, -2) ? -2 : -1);
    text = js_tostring(state, -1);
    tf_text_report(job->report, text, strlen(text), stack, strlen(stack));
}

/* What was thrown means; takes it. `other` is for the lambda's own. */
static tf_err classify(struct job *job, tf_err other)
{
    struct tf_js *js = job->js;
    const char *lowest = __builtin_frame_address(0);

    job->err = js->native.is_refused ? TF_ERESPONSE : other;
    js_setstacklimit(js->state, lowest - STACK_RESERVE / 2);
    if (!attempt(describe, job) && job->report->message[0] == '\0') {
        tf_text_say(job->report, job->err);
    }
    if (job->err == TF_ESTACK) {
        job->report->message[0] = '\0';
        tf_text_say(job->report, job->err);
    }
    return job->err;
}

/* Runs `work`, which a limit may end anywhere. */
static tf_err run_within(struct job *job, tf_err (*work)(struct job *job))
{
    struct tf_js *js = job->js;
    jmp_buf escape;
    tf_err err;

    js->escape = &escape;
    if (setjmp(escape) == 0) {
        err = work(job);
    } else {
        err = tf_text_say(job->report, js->left);
    }
    js->escape = NULL;
    job->report->steps = take_steps(js);
    js->limits = &no_limits;
    grant(js);
    return err;
}

/* --- loading ----------------------------------------------------------------------- */

static void load_program(js_State *state, struct job *job)
{
    call_kept(state, "prepare");
    js_getregistry(state, "load");
    js_pushundefined(state);
    js_pushstring(state, job->js->native.program->entry);
    js_call(state, 1);
    js_pop(state, 1);
    call_kept(state, "drain");
    js_gc(state, 0);
}

static tf_err load(struct job *job)
{
    tf_err err = TF_OK;

    if (!attempt(load_program, job)) {
        err = classify(job, TF_ELAMBDA_SOURCE);
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

/* --- the answer -------------------------------------------------------------------- */

/* A copy of `text` that the registry keeps. */
static void keep_text(js_State *state, const struct tf_str *text, struct tf_str *out)
{
    char *clean = (char *)tf_mujs_push_buffer(state, text->size);
    out->size = tf_text_encode(text->data, text->size, clean);
    out->data = clean;
    js_setregistry(state, "clean");
}

/* Finds the body; a buffer, and a long string without surrogates, are not copied. */
static void take_body(js_State *state, struct job *job)
{
    struct tf_str *out = &job->response.body;
    struct tf_str text;
    char *owned;

    js_getregistry(state, "body");
    if (js_isnull(state, -1)) {
        return;
    }
    out->data = (char *)tf_mujs_buffer(state, -1, &out->size);
    if (out->data != NULL) {
        return;
    }
    if (!js_isstring(state, -1)) {
        job->err = TF_ERESPONSE;
        return;
    }
    text = tf_mujs_text(state, -1, &owned);
    if (owned == NULL && text.size >= sizeof(double) * 2 &&
        !tf_text_has_surrogates(text.data, text.size)) {
        *out = text; /* a short string would lie on the stack */
        return;
    }
    keep_text(state, &text, out);
    tf_mujs_free(job->js, owned);
}

/* Text of item `at` of the header list at the top, which a script may have tampered with;
 * pushes it. */
static const char *push_item(js_State *state, int at)
{
    js_getindex(state, -1, at);
    if (!js_isstring(state, -1)) {
        js_typeerror(state, "bad headers");
    }
    return js_tostring(state, -1);
}

/* Copies the headers into one buffer. */
static void take_headers(js_State *state, struct job *job)
{
    struct tf_js_response *out = &job->response;
    size_t room = 0;
    size_t table;
    int count;
    char *to;

    js_getregistry(state, "headers");
    count = js_getlength(state, -1);
    if (count < 0 || count % 2 != 0 || count / 2 > TF_HEADERS_MAX) {
        job->err = TF_ERESPONSE;
        return;
    }
    for (int i = 0; i < count; i++) {
        room += strlen(push_item(state, i));
        js_pop(state, 1);
    }
    table = (size_t)count / 2 * sizeof(struct tf_js_header);
    to = (char *)tf_mujs_push_buffer(state, table + room);
    js_setregistry(state, "block");
    out->headers = (void *)to;
    out->header_count = (size_t)count / 2;
    to += table;
    for (int i = 0; i < count; i++) {
        struct tf_js_header *h = &out->headers[i / 2];
        struct tf_str *item = i % 2 == 0 ? &h->name : &h->value;
        const char *text = push_item(state, i);
        size_t size = strlen(text);
        if (size > room || !tf_text_to_latin1(text, size, to, &item->size)) {
            job->err = TF_ERESPONSE;
            return;
        }
        item->data = to;
        to += item->size;
        room -= item->size;
        js_pop(state, 1);
    }
}

static void run_handler(js_State *state, struct job *job)
{
    const struct tf_js *js = job->js;

    js_getregistry(state, "call");
    js_pushundefined(state);
    js_pushlstring(state, job->request->method.data, (int)job->request->method.size);
    js_pushlstring(state, job->request->url.data, (int)job->request->url.size);
    js_call(state, 2);
    js_pop(state, 1);
    call_kept(state, "drain");
    if (js->is_failed) {
        js_getregistry(state, "reason");
        js_throw(state);
    }
}

static void convert(js_State *state, struct job *job)
{
    double status = job->js->status;

    take_headers(state, job);
    if (job->err == TF_OK) {
        take_body(state, job);
    }
    job->response.status = status >= 200 && status <= 599 ? (unsigned)status : 0;
    if ((double)job->response.status != status) {
        job->err = TF_ERESPONSE;
    }
    js_pop(state, js_gettop(state));
}

static tf_err call(struct job *job)
{
    if (!attempt(run_handler, job)) {
        return classify(job, TF_EEXCEPTION);
    }
    if (!job->js->is_answered) {
        return tf_text_say(job->report, TF_EPENDING);
    }
    if (!attempt(convert, job)) {
        return classify(job, TF_ERESPONSE);
    }
    if (job->err != TF_OK || !tf_text_check(&job->response)) {
        return tf_text_say(job->report, TF_ERESPONSE);
    }
    if (job->response.body.size > job->limits->body) {
        return tf_text_say(job->report, TF_ELIMIT);
    }
    return TF_OK;
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
