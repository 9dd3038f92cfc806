/* SPDX-License-Identifier: Apache-2.0 */
/* Native code counts steps as bytecode does: each loop whose length a script controls
 * ends by the step limit, in its time, and at the same step each time, whether others get
 * their turns meanwhile or not; recursion ends too. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "enclave/js/js.h"

#include "test/test.h"
#include "test/unit/js/fixture.h"

#define HANDLER(body) "exports.fetch = function (request) {" body "};"

/* Work of native code: after `setup`, `loop` is run without end. */
struct native_loop {
    const char *name;
    const char *setup;
    const char *loop;
    bool is_modern; /* QuickJS only */
};

#define LONG(n, text) "new Array(" #n ").join('" text "')"
#define NUMBERS(n)                                                                       \
    "var a = []; for (var i = 0; i < " #n "; i++) { a.push(i * 7919 % 20011); }"
#define KEYS(n)     "var o = {}; for (var i = 0; i < " #n "; i++) { o['k' + i] = i; }"
#define PROTOTYPES  "var o = {}; for (var i = 0; i < 9000; i++) { o = Object.create(o); }"
#define OF(name)    "Array.prototype." name ".call({ length: 4294967290 }"
#define OF_53(name) "Array.prototype." name ".call({ length: 9007199254740989 }"
#define TRY(text)   "try { " text " } catch (e) {}"

static const struct native_loop native_loops[] = {
    {"sort of holes", "var a = []; a.length = 1 << 22;", "a.sort();", false},
    {"sort of numbers", NUMBERS(2000), "a.slice().sort();", false},
    {"sort of long strings",
     "var a = [], t = " LONG(2000,
                             "x") ";"
                                  " for (var i = 0; i < 300; i++) { a.push(t + i); }",
     "a.slice().sort();", false},
    {"indexOf", "", "Array.prototype.indexOf.call({ length: 1 << 27 }, 1);", false},
    {"lastIndexOf", "", "Array.prototype.lastIndexOf.call({ length: 1 << 27 }, 1);",
     false},
    {"indexOf in an array", NUMBERS(9000), "a.indexOf(-1);", false},
    {"unshift", "", TRY(OF("unshift") ", 1);"), false},
    {"unshift near 2^53", "", TRY(OF_53("unshift") ", 1);"), false},
    {"reduceRight near 2^53", "", TRY(OF_53("reduceRight") ", isNaN, 0);"), false},
    {"forEach of holes", "", TRY(OF_53("forEach") ", isNaN);"), false},
    {"splice", "", TRY(OF("splice") ", 0, 1);"), true},
    {"splice in an array", NUMBERS(9000), "a.splice(0, 1, 1, 2); a.splice(0, 1);", false},
    {"shift", NUMBERS(9000), "a.push(a.shift());", false},
    {"reverse", "", OF("reverse") ");", false},
    {"reverse of an array", NUMBERS(9000), "a.reverse();", false},
    {"slice", NUMBERS(9000), "a.slice();", false},
    {"concat", "var a = []; a.length = 1 << 26;", "[].concat(a);", false},
    {"join", "", OF("join") ", '');", false},
    {"join of an array", NUMBERS(9000), "a.join();", false},
    {"apply", NUMBERS(9000), TRY("Math.max.apply(null, a);"), false},
    {"apply of holes", "", TRY("Array.apply(null, { length: 60000 });"), false},
    {"fill", "var a = { length: 9007199254740989 };",
     TRY("Object.freeze(a);"
         " Array.prototype.fill.call(a, 1);"),
     true},
    {"copyWithin", "", OF_53("copyWithin") ", 0, 1);", true},
    {"includes", "", OF_53("includes") ", 1);", true},
    {"flat", "var a = []; a.length = 4294967295;", "a.flat();", true},
    {"from", "", "Array.from({ length: 50000 });", true},
    {"spread", NUMBERS(9000), "[...a];", true},
    {"Set of holes", "var a = { length: 1e12, [Symbol.iterator]: [].values };",
     "new Set(a);", true},
    {"Map.forEach", "var m = new Map(); for (var i = 0; i < 9000; i++) { m.set(i); }",
     "m.forEach(isNaN);", true},
    {"keys", KEYS(9000), "Object.keys(o);", false},
    {"keys in order",
     "var o = {}; for (var i = 0; i < 2000; i++) {"
     " o[i * 7919 % 20011 * 70001] = 1; }",
     "Object.keys(o);", false},
    {"keys that collide",
     "var o = {}; for (var i = 1; i < 3000; i++) {"
     " o[i * 65536] = 1; }",
     "o[65536]; o.x;", false},
    {"for in", KEYS(9000), "for (var k in o) { break; }", false},
    {"freeze", KEYS(9000), "Object.freeze(o); Object.isFrozen(o);", false},
    {"set length", "var a = [];", TRY("a.length = 4294967295;") " a.length = 0;", false},
    {"prototypes: get", PROTOTYPES, "o.missing;", false},
    {"prototypes: has", PROTOTYPES, "'missing' in o;", false},
    {"prototypes: instanceof", PROTOTYPES, TRY("o instanceof Array;"), false},
    {"prototypes: of what is freed", PROTOTYPES, "Object.create(o);", false},
    {"proxies", "var p = {}; for (var i = 0; i < 100; i++) { p = new Proxy(p, {}); }",
     "p.x;", true},
    {"JSON.parse of numbers", "var t = '[' + " LONG(20000, "1,") " + '1]';",
     "JSON.parse(t);", false},
    {"JSON.parse of blanks", "var t = " LONG(200000, " ") " + '1';", "JSON.parse(t);",
     false},
    {"JSON.stringify", NUMBERS(9000), "JSON.stringify(a);", false},
    {"JSON.stringify of a string", "var t = " LONG(90000, "xy") ";", "JSON.stringify(t);",
     false},
    {"regexp: backtracking", "var t = " LONG(30, "a") " + '!';", "/^(a+)+$/.test(t);",
     false},
    {"regexp: short matches", "", "/^(a|b|c|d)+$/.test('abcdabcdx');", false},
    {"regexp: scan", "var t = " LONG(200000, "x") ";", "/y/.test(t);", false},
    {"regexp: two stars", "var t = " LONG(1000, "x") ";", "/.*.*y/.test(t);", false},
    {"regexp: back reference", "var t = " LONG(9000, "x") ";", "/^(x+)\\1y/.test(t);",
     false},
    {"regexp: captures",
     "var r = new RegExp('(?:' + " LONG(200, "(x)?") " + 'z)+y');"
                                                     " var t = " LONG(500, "x") ";",
     "r.test(t);", false},
    {"regexp: compile a long one", "var t = " LONG(20000, "a") ";", TRY("new RegExp(t);"),
     false},
    {"regexp: compile alternatives", "var t = " LONG(9000, "a|") ";",
     TRY("new RegExp(t);"), false},
    {"regexp: compile classes", "var t = " LONG(99, "[\\u0000-\\uffff]") ";",
     "new RegExp(t, 'i');", false},
    {"regexp: compile names", "var t = " LONG(999, "\\k<b>") " + '(?<b>x)';",
     TRY("new RegExp(t);"), false},
    {"regexp: compile repetitions",
     "var t = 'a'; for (var i = 0; i < 10; i++) {"
     " t = '(?:' + t + '){2}'; }",
     TRY("new RegExp(t);"), false},
    {"split", "var t = " LONG(20000, "x,") ";", "t.split(',');", false},
    {"split without a match", "var t = " LONG(200000, "x") ";", "t.split('y');", false},
    {"split by a regexp", "var t = " LONG(20000, "x,") ";", "t.split(/,/);", false},
    {"replace", "var t = " LONG(200000, "x") ";", "t.replace('y', 'z');", false},
    {"replace by a regexp", "var t = " LONG(9000, "xy") ";", "t.replace(/y/g, 'z');",
     false},
    {"indexOf of a string", "var t = " LONG(9000, "x") ", u = " LONG(999, "x") " + 'y';",
     "t.indexOf(u);", false},
    {"repeat", "", "'x'.repeat(100000);", true},
    {"pad", "", "'x'.padStart(100000, 'ab'); 'x'.padEnd(100000);", true},
    {"compare", "var t = " LONG(200000, "x") ", u = t + 'u', v = t + 'v';", "u < v;",
     false},
    {"normalize", "var t = 'a' + " LONG(9000, "\\u0301") " + " LONG(9000, "\\u0316") ";",
     "t.normalize('NFD'); t.normalize();", true},
    {"toUpperCase", "var t = " LONG(20000, "x\\u00e9") ";", "t.toUpperCase();", false},
    {"trim", "var t = " LONG(200000, " ") " + 'x';", "t.trim();", false},
    {"concatenation", "var t = " LONG(200000, "x") ", i = 0;", "(t + i++).charCodeAt(5);",
     false},
    {"index beyond ASCII", "var t = " LONG(90000, "\\u20ac") ", i = 0;",
     "t.charCodeAt(i++ * 7919 % 80000);", false},
    {"long key", "var t = " LONG(200000, "x") ", o = {}, i = 0;", "o[t + i++ % 2] = 1;",
     false},
    {"rope", "var t = " LONG(600, "x") ";",
     "var s = ''; for (var i = 0; i < 5000; i++) { s = s + t; }", true},
    {"encodeURIComponent", "var t = " LONG(20000, "x%") ";", "encodeURIComponent(t);",
     false},
    {"long number", "var t = " LONG(200000, "1") ";", "+t;", false},
    {"small number", "", "+'4.9e-324';", false},
    {"number to text", "var a = [1.7976931348623157e308, 4.9e-324], i = 0;",
     "(a[i++ % 2] * 0.5).toString(3);", false},
    {"BigInt: product", "var a = (1n << 500000n) - 1n;", "a * a;", true},
    {"BigInt: quotient", "var a = (1n << 900000n) - 1n, b = (1n << 450000n) + 3n;",
     "a / b;", true},
    {"BigInt: text", "var a = (1n << 200000n) - 1n;", "BigInt(a.toString());", true},
    {"typed array: new", "", "new Uint8Array(1 << 20);", false},
    {"typed array: slice", "var a = new Uint8Array(1 << 20);", "a.buffer.slice(0);",
     false},
    {"typed array: set",
     "var a = new Uint8Array(1 << 16), b = new Float32Array(1 << 16);", "b.set(a);",
     false},
    {"typed array: of an array", NUMBERS(9000), "new Uint8Array(a);", false},
    {"typed array: sort", "var a = new Float64Array(9000);", "a.sort();", true},
    {"typed array: search", "var a = new Uint16Array(1 << 18);",
     "a.indexOf(7); a.includes(8); a.lastIndexOf(9);", true},
    {"typed array: move", "var a = new Uint16Array(1 << 18);",
     "a.reverse(); a.fill(1); a.copyWithin(0, 1);", true},
    {"stacks of errors",
     "function f(n) { if (n > 0) { f(n - 1); } for (;;) { Error(); } }", "f(50);", false},
    {"base64", "var t = " LONG(9000, "abcd") ";", "atob(t);", false},
    {"text",
     "var t = " LONG(9000, "abcd") ", e = new TextEncoder();"
                                   " var d = new TextDecoder();",
     "d.decode(e.encode(t));", false},
};

/* MuJS knows no more than 15 captures. */
static bool is_beyond(const struct native_loop *loop)
{
    return (loop->is_modern && !is_quickjs()) ||
           (is_mujs() && strcmp(loop->name, "regexp: captures") == 0);
}

/* CPU time in ms. */
static double spent(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Asks once; how long a step took, in ms. */
static double ask_timed(struct lambda *lambda, tf_err *err)
{
    double begin = spent();
    *err = ask(lambda, "https://a.test/", "body");
    return (spent() - begin) / (double)(lambda->report.steps + 1);
}

static void count_pause(void *user)
{
    ++*(unsigned *)user;
}

/* Asks again, with others that get a turn: it ends at the same step, and they do get it.
 */
static bool ends_alike(struct lambda *lambda, tf_err err, uint64_t steps)
{
    enum { QUANTUM = 16 << 10, TURNS = 4 };
    unsigned turns = 0;

    lambda->limits.pause = count_pause;
    lambda->limits.user = &turns;
    lambda->limits.quantum = QUANTUM;
    bool is_same = ask(lambda, "https://a.test/", "body") == err;
    is_same = is_same && lambda->report.steps == steps && turns >= TURNS;
    if (!is_same) {
        (void)fprintf(stderr, "  %u turns, %" PRIu64 " steps\n", turns,
                      lambda->report.steps);
    }
    return is_same;
}

/* A step of native code takes about as long as one of bytecode. The sanitizers slow each
 * down differently, so the bound is wide; an uncounted loop takes a thousand times as
 * long. */
static void native_loops_count_as_bytecode_does(void)
{
    enum { BUDGET = 1000 * 1000, FACTOR = 100 };
    static char source[4096];
    struct lambda lambda;
    double step;
    tf_err err;

    start();
    CHECK(load(&lambda, HANDLER("for (;;) {}")) == TF_OK);
    step = ask_timed(&lambda, &err);
    drop(&lambda);
    for (size_t i = 0; i < sizeof(native_loops) / sizeof(native_loops[0]); i++) {
        const struct native_loop *n = &native_loops[i];
        if (is_beyond(n)) {
            continue;
        }
        (void)snprintf(source, sizeof(source), HANDLER("%s for (;;) { %s }"), n->setup,
                       n->loop);
        CHECK(load(&lambda, source) == TF_OK);
        lambda.limits.steps = BUDGET;
        double took = ask_timed(&lambda, &err);
        uint64_t steps = lambda.report.steps;
        bool is_right = err == TF_ESTEPS && steps >= BUDGET && steps < 2 * BUDGET &&
                        took < FACTOR * step;
        if (!CHECK(is_right) || !CHECK(ends_alike(&lambda, err, steps))) {
            (void)fprintf(
                stderr, "  %s: %s, %" PRIu64 " steps, %.0f of bytecode's time %s\n",
                n->name, tf_err_name(err), steps, took / step, lambda.report.message);
        }
        drop(&lambda);
    }
}

/* Others get their turns where the work is done: nothing is counted in one sum before or
 * after a collection, the end of many objects or a large copy. An engine that counts them
 * so gives one turn for many quanta. */
static void large_heaps_give_turns(void)
{
    enum { BUDGET = 3 * 1000 * 1000, QUANTUM = 16 << 10, SUM = 2, COLLECTED = 2 };
    static const char *const sources[] = {
        "var a = []; for (;;) { a.push({}); }",
        "var a = []; for (var i = 0; i < 20000; i++) { a.push([i]); }"
        " for (;;) { var o = {}; o.o = o; }",
        "for (;;) { var a = {}; for (var i = 0; i < 20000; i++) { a = { a: a }; } }",
        "var t = " LONG(300000, "x") "; for (;;) { t.toUpperCase(); }",
    };
    static char source[512];
    struct lambda lambda;

    start();
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        unsigned turns = 0;
        (void)snprintf(source, sizeof(source), HANDLER("%s"), sources[i]);
        CHECK(load(&lambda, source) == TF_OK);
        lambda.limits.steps = BUDGET;
        lambda.limits.pause = count_pause;
        lambda.limits.user = &turns;
        lambda.limits.quantum = QUANTUM;
        tf_err err = ask(&lambda, "https://a.test/", NULL);
        uint64_t quanta = lambda.report.steps / QUANTUM;
        bool is_right = (err == TF_ESTEPS || err == TF_EMEMORY) && turns >= quanta / SUM;
        if (is_duktape() && i < COLLECTED) { /* which it does not count as steps */
            is_right = is_right && turns > quanta + quanta / 2;
        }
        if (!CHECK(is_right)) {
            (void)fprintf(stderr, "  %s: %s, %u turns, %" PRIu64 " steps\n", sources[i],
                          tf_err_name(err), turns, lambda.report.steps);
        }
        drop(&lambda);
    }
}

/* Native recursion ends before the stack does, in an error or in another limit. */
static void native_recursion_ends(void)
{
    static const char *const deep[] = {
        "JSON.parse(" LONG(100000, "[") ")",
        "var a = []; for (var i = 0; i < 50000; i++) { a = [a]; } JSON.stringify(a)",
        "var a = []; for (var i = 0; i < 50000; i++) { a = [a]; } String(a)",
        "var a = []; for (var i = 0; i < 50000; i++) { a = [a]; } a.flat(Infinity)",
        "new RegExp(" LONG(50000, "(") ")",
        "new RegExp(" LONG(50000, "(?=") ")",
        "/^(?:a|b)*$/.test(" LONG(100000, "ab") ")",
        "/^(a?)*?$/.test(" LONG(100000, "a") " + 'b')",
        "var f = isNaN; for (var i = 0; i < 50000; i++) { f = f.bind(null); } f()",
        "var p = {}; for (var i = 0; i < 20000; i++) { p = new Proxy(p, {}); } p.x",
        "var o = { get x() { return this.x; } }; o.x",
        "var o = { toString: function () { return '' + o; } }; '' + o",
        "function f() { [2, 1].sort(f); } f()",
        "function f() { 'a'.replace(/a/, f); } f()",
        "var a = []; for (var i = 0; i < 3000; i++) { a.push(i % 2 ? i : -i); }"
        " a.sort(function () { return 1; })",
    };
    char source[512];
    struct lambda lambda;

    start();
    for (size_t i = 0; i < sizeof(deep) / sizeof(deep[0]); i++) {
        (void)snprintf(source, sizeof(source), HANDLER("%s; return new Response('x');"),
                       deep[i]);
        CHECK(load(&lambda, source) == TF_OK);
        tf_err err = ask(&lambda, "https://a.test/", NULL);
        if (!CHECK(err == TF_OK || err == TF_ESTACK || err == TF_ESTEPS ||
                   err == TF_EMEMORY || err == TF_EEXCEPTION)) {
            (void)fprintf(stderr, "  %s: %s\n", deep[i], tf_err_name(err));
        }
        drop(&lambda);
    }
}

int main(void)
{
    RUN(native_loops_count_as_bytecode_does);
    RUN(large_heaps_give_turns);
    RUN(native_recursion_ends);
    return test_end();
}
