/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A quantum of one step: wherever an engine can stand still it does, and each time
 * another instance of it answers a request of its own, whole, or nothing happens. Neither
 * may notice: the same answer, after the same steps.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "test/test.h"
#include "test/unit/js/fixture.h"

enum { OTHER_SLOT = 16 << 20, OTHER_HEAP = 8 << 20, CALLS_MAX = 40 };

#define FETCH(body) "exports.fetch = function (request) {" body "};"

static const char *const stories[] = {
    FETCH("var s = 0, i; for (i = 0; i < 9000; i++) { s += i % 7; }"
          " return new Response(String(s));"),
    FETCH("var a = [], i; for (i = 0; i < 400; i++) { a.push({ n: i * 7919 % 401 }); }"
          " a.sort(function (x, y) { return x.n - y.n; });"
          " return new Response(JSON.stringify(a.slice(0, 9)));"),
    FETCH(
        "return request.text().then(function (t) {"
        " var r = JSON.parse(JSON.stringify({ t: t, h: request.headers.get('x-twice') }),"
        " function (k, v) { return typeof v === 'string' ? v + k : v; });"
        " return new Response(r.t + r.h, { headers: { 'x-A': 'b' } }); });"),
    FETCH("var t = new Array(300).join('ab1 ').replace(/([a-z]+)(\\d)/g,"
          " function (m, a, d) { return d + a; });"
          " return new Response(t.split(' ').reverse().join('').slice(0, 60));"),
    FETCH("function f(n) { try { if (n === 0) { throw new Error('deep'); } return f(n - "
          "1); }"
          " finally { f.n = (f.n || 0) + n; } }"
          " try { f(40); } catch (e) { return new Response(e.message + f.n); }"),
    FETCH("var o = {}, i; for (i = 0; i < 300; i++) { o['k' + i] = { toString:"
          " function () { return 'v' + i; } }; delete o['k' + (i - 5)]; }"
          " return new Response(Object.keys(o).map(function (k) { return k + o[k]; "
          "}).join());"),
    FETCH("var b = new Uint8Array(3000), i; for (i = 0; i < b.length; i++) { b[i] = i * "
          "i; }"
          " return new Response(btoa(String.fromCharCode.apply(null, b.subarray(0, "
          "90))));"),
    FETCH("return Promise.all([1, 2, 3].map(function (n) { return Promise.resolve(n)"
          ".then(function (x) { return x * x; }); })).then(function (a) {"
          " return new Response(new URL('../x?' + a.join('&'), request.url).href); });"),
    FETCH("for (;;) { request.url.length; }"), /* its steps end it */
    FETCH("var a = []; for (;;) { a.push(new Array(999).join('x') + a.length); }"),
    FETCH("function f() { return f() + 1; } f();"),
};

/* The one that has its turns meanwhile. */
static struct tf_slot other_slot;
static struct lambda other;
static _Alignas(4096) uint8_t other_memory[OTHER_SLOT];
static _Alignas(4096) uint8_t other_heap[OTHER_HEAP];

struct turns {
    unsigned count;
    unsigned every; /* which of them the other one has */
    unsigned calls;
    unsigned good;
};

static bool open_other(void)
{
    static const char source[] =
        "var count = 0; exports.fetch = function (request) { count++; return"
        " request.text().then(function (t) { return new Response(t + count); }); };";
    static const struct tf_js_file file = {"main.js", (const uint8_t *)source,
                                           sizeof(source) - 1};

    other.program = (struct tf_js_program){
        .files = &file, .file_count = 1, .entry = "main.js", .name = "other"};
    other.limits = (struct tf_js_limits){.steps = STEPS, .body = BODY, .stack = STACK};
    tf_slot_init(&other_slot, other_memory, sizeof(other_memory), NULL);
    return tf_slot_load(&other_slot, tf_arena_init(other_heap, sizeof(other_heap)),
                        &other.program, MEMORY, &other.limits, &other.snapshot) == TF_OK;
}

static void others_turn(void *user)
{
    struct turns *turns = user;

    if (++turns->count % turns->every != 0 || turns->calls == CALLS_MAX) {
        return;
    }
    turns->calls++;
    other.request = (struct tf_js_request){
        .method = {"POST", 4}, .url = {"https://b.test/", 15}, .body = {"other", 5}};
    turns->good += tf_slot_call(&other_slot, &other.snapshot, &other.request,
                                &other.limits, &other.response, &other.report) == TF_OK &&
                   answered(&other, "other1"); /* its heap is fresh each time */
}

/* Once undisturbed, then with the other's turns. @return how many it had. */
static unsigned tell(const char *story, unsigned every)
{
    struct turns turns = {.every = every};
    struct lambda lambda;
    char body[4096];

    start();
    CHECK(load(&lambda, story) == TF_OK);
    lambda.limits.steps = 300 * 1000;
    tf_err err = ask(&lambda, "https://a.test/p/q", "body");
    uint64_t steps = lambda.report.steps;
    size_t size = err == TF_OK ? lambda.response.body.size : 0;
    CHECK(size < sizeof(body));
    if (size != 0) {
        memcpy(body, lambda.response.body.data, size);
    }
    body[size] = '\0';
    lambda.limits.pause = others_turn;
    lambda.limits.user = &turns;
    lambda.limits.quantum = 1;
    tf_err again = ask(&lambda, "https://a.test/p/q", "body");
    bool is_same = again == err && lambda.report.steps == steps &&
                   (err != TF_OK || answered(&lambda, body));
    if (!CHECK(is_same && turns.good == turns.calls)) {
        (void)fprintf(stderr,
                      "  every %u: %s, then %s; %" PRIu64 " steps, then %" PRIu64
                      "; %u of %u calls\n  %s\n",
                      every, tf_err_name(err), tf_err_name(again), steps,
                      lambda.report.steps, turns.good, turns.calls, story);
    }
    drop(&lambda);
    return turns.calls;
}

static void a_quantum_of_one_step_changes_nothing(void)
{
    static const unsigned rates[] = {1, 3, 17, 101};

    unsigned calls = 0;

    CHECK(open_other());
    for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
        for (size_t k = 0; k < sizeof(rates) / sizeof(rates[0]); k++) {
            calls += tell(stories[i], rates[k]);
        }
    }
    /* Engines look whether they should pause every so many steps: short stories have
     * none. */
    (void)printf("%u requests of another instance in between\n", calls);
    CHECK(calls > 20);
}

int main(void)
{
    RUN(a_quantum_of_one_step_changes_nothing);
    return test_end();
}
