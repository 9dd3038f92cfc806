/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engines never write into is not brought in before each request of a lambda: no
 * request may see there what another did.
 */
#include <stdio.h>
#include <string.h>

#include "test/test.h"
#include "test/unit/js/fixture.h"

/* Weak collections count a symbol's references where a string has its hash, so in what is
 * sealed: one too few made a private name of Symbol.iterator. */
static void a_symbol_outlives_a_weak_reference_to_it(void)
{
    static const char *const sources[] = {"var w = new WeakSet([Symbol.iterator]);",
                                          "var w = new WeakMap([[Symbol.iterator, 1]]);",
                                          "var w = new WeakRef(Symbol.iterator);"};
    static const char handler[] =
        " exports.fetch = function (r) { return r.text().then(function (t) {"
        " var n = Object.getOwnPropertySymbols(Array.prototype).length;"
        " if (t === 'drop') { w.delete ? w.delete(Symbol.iterator) : w = null; }"
        " return new Response('' + n); }); };";
    char source[512];
    struct lambda lambda;

    start();
    for (int i = 0; is_quickjs() && i < 3; i++) {
        (void)snprintf(source, sizeof(source), "%s%s", sources[i], handler);
        CHECK(load(&lambda, source) == TF_OK);
        for (int k = 0; k < 8; k++) {
            CHECK(ask(&lambda, "https://a.test/", k % 4 == 2 ? "drop" : "x") == TF_OK);
            CHECK(answered(&lambda, "2"));
        }
        drop(&lambda);
    }
}

/* Things that a request may do to names, strings and functions of the engine's. Its
 * answer begins with what is to be seen of others. */
static const char deeds[] =
    "var R = Response, own = Object.getOwnPropertyNames, kept = [Response], deeds = ["
    "function () { return 1; },"
    "function () { var o = {}, i; for (i = 0; i < 300; i++) { o['k' + i] = 'status'; }"
    " return Object.keys(o).length; },"
    "function () { own(Headers.prototype).forEach(function (n) {"
    " delete Headers.prototype[n]; }); return typeof new Headers().get; },"
    "function () { var o = {}, s = 'text/plain;charset=' + 'UTF-8'; s += s; s += s + s;"
    " o[s] = s.toUpperCase(); return o[s].charAt(70) + s.length; },"
    "function () { var o = {}, i, c, s = ''; for (i = 0; i < 128; i++) {"
    " c = String.fromCharCode(i); o[c] = c; c += c; o[c] = c.charAt(0); s += o[c]; }"
    " kept.push('q'.charAt(0)); return Object.keys(o).length + encodeURIComponent(s); },"
    "function () { var f = Headers.prototype.get; f.status = f; f.prototype = own(f);"
    " f = Array.prototype; f.map = f.status = 1; f['4' + '2'] = 2; return [][42]; },"
    "function () { var i, o, a = []; for (i = 0; i < 9000; i++) {"
    " o = {get: kept, f: function () { return o; }}; o.o = o; a.push(o, 'method'); }"
    " a = null; return kept.pop().name; },"
    "function () { try { null.status; } catch (e) { return e.name + typeof e.stack; } },"
    "function () { Promise.reject = Promise.all = 7; Object.freeze(Object.prototype);"
    " return Object.isFrozen(Object.prototype); }];"
    "function seen() { return [own(Headers.prototype), own(Headers.prototype.get || R),"
    " own(Array.prototype), own(Object.prototype), kept.length, [][42], 'k7' in {},"
    " typeof Promise.all].join(); }"
    "exports.fetch = function (r) { return r.text().then(function (t) {"
    " var before = seen(), result = deeds[t.charCodeAt(0) - 97](); return new R(before + "
    "result); }); };";
static const char modern_deeds[] =
    "var old = seen; seen = function () { return old() + own(Symbol.prototype)"
    " + Object.getOwnPropertySymbols(Array.prototype).length; }; deeds.push("
    "function () { class M extends Map { #get = 'status';"
    " get(x) { return super.get(x) + this.#get; } }; return new M([[1, 2]]).get(1)"
    " + String(Symbol.for('status')) + delete Array.prototype[Symbol.iterator]; },"
    "function () { Symbol.prototype.x = new WeakRef(Symbol.match);"
    " return Symbol.iterator.x.deref().toString(); },"
    "function () { var c = 'jk'[0]; return String(Symbol(c)) + Symbol.for(c).description"
    " + Symbol.keyFor(Symbol.for('k'[0])); });";

enum { DEEDS = 9, MODERN_DEEDS = 12, ANSWER = 2048 };

/* The deed's answer to `out`, ANSWER bytes. @return whether there was one. */
static bool do_deed(struct lambda *lambda, unsigned deed, char *out)
{
    char body[2] = {(char)('a' + deed), '\0'};

    if (!CHECK(ask(lambda, "https://a.test/", body) == TF_OK)) {
        return false;
    }
    int size = snprintf(out, ANSWER, "%.*s", (int)lambda->response.body.size,
                        lambda->response.body.data);
    return CHECK(size > 100 && size < ANSWER);
}

/* Requests in any order are answered as each is when all was brought in before it. */
static void no_request_sees_what_others_did_to_what_is_sealed(void)
{
    static char expected[MODERN_DEEDS][ANSWER];
    static char source[sizeof(deeds) + sizeof(modern_deeds)];
    char answer[ANSWER];
    struct lambda lambda;
    unsigned count = is_modern() ? MODERN_DEEDS : DEEDS;
    uint32_t order = 1;
    int kept = 0;

    start();
    (void)snprintf(source, sizeof(source), "%s%s", deeds,
                   is_modern() ? modern_deeds : "");
    if (!CHECK(load(&lambda, source) == TF_OK)) {
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        slot.in = NULL;
        slot.sealed_of = NULL;
        if (!do_deed(&lambda, i, expected[i])) {
            return;
        }
    }
    for (int i = 0; i < 200; i++) {
        order = order * 1664525 + 1013904223;
        unsigned deed = (order >> 16) % count;
        if (!do_deed(&lambda, deed, answer) ||
            !CHECK(strcmp(answer, expected[deed]) == 0)) {
            return;
        }
        kept += slot.sealed_of == &lambda.snapshot;
    }
    CHECK(kept > 50 || is_mujs()); /* which seals nothing */
}

/* What a request may do to an object `o` that was there before any script, each as the
 * body of a function. */
static const char *const to_builtins[] = {
    "o.x = 1;",
    "o[Symbol('s')] = 1; o[7] = 1;",
    "Reflect.ownKeys(o).forEach(function (n) { try { o[n] = 1; } catch (e) {} });",
    "Reflect.ownKeys(o).forEach(function (n) { try { delete o[n]; } catch (e) {} });",
    "Reflect.ownKeys(o).forEach(function (n) { Reflect.getOwnPropertyDescriptor(o, n); "
    "});",
    "Reflect.ownKeys(o).forEach(function (n) { Reflect.defineProperty(o, n,"
    " {get: function () { return 1; }, configurable: true}); });",
    "Reflect.ownKeys(o).forEach(function (n) { Reflect.defineProperty(o, n,"
    " {enumerable: true, writable: false}); });",
    "Object.freeze(o);",
    "Object.preventExtensions(o);",
    "Reflect.setPrototypeOf(o, {y: 1});",
    "new WeakSet([o]).delete(o);",
    "kept = new WeakRef(o);",
    "kept = new WeakMap([[o, 1]]);",
    "kept = new FinalizationRegistry(function () {}); kept.register(o, 1);",
    "class B { constructor() { return o; } } class C extends B { #p = 1;"
    " static set(c) { c.#p = 2; return c.#p; } } new C(); C.set(o);",
    "class B { constructor() { return o; } } class C extends B { #m() {}"
    " static call(c) { c.#m(); } } new C(); C.call(o);",
    "Object.assign(o, {q: 1}); Reflect.set({}, 'z', 1, o); Reflect.set(o, 'r', 2);",
    "for (var i = 0; i < 40; i++) { o['p' + i] = i; } for (i = 0; i < 40; i++) {"
    " delete o['p' + i]; } o.last = 1;",
    "for (o.i of [1, 2]) {} ({a: o.j} = {a: 1}); [o.k] = [3]; o.k += 1; o.k++;",
    "Object.defineProperty(o, 'name', {value: 'n'});",
    "o.__defineSetter__('s', isNaN);",
    "class E extends o { static x = 1; } Reflect.construct(o, [], E); new o().x = 1;",
    "for (var i = 0, a; i < 9000; i++) { a = {o: o, f: function () { return a; }};"
    " a.a = a; } kept = a;",
    "var x = {}, i; for (i = 0; i < 1500; i++) { x['k' + i] = o; } kept = x;",
    "var x, i; for (i = 0, kept = []; i < 600; i++) { x = {}; x['k' + i % 25] = o;"
    " x['l' + Math.floor(i / 25)] = o; kept.push(x); }",
    "o.toString = o.valueOf = o.toJSON = function () { o.n = 1; return 'x'; };"
    " JSON.stringify(o) + o;",
};
static const char builtins[] =
    "var kept, deeds = [], objects = [globalThis, Object, Function, Array, String, "
    "Number,"
    " Boolean, Symbol, BigInt, Promise, RegExp, Error, TypeError, RangeError,"
    " AggregateError, ArrayBuffer, JSON, Reflect, Response, Request, Headers, parseInt,"
    " Array.prototype.values, Request.prototype.text, Promise.prototype.then];"
    "objects.slice(1, 21).forEach(function (f) { if (f.prototype) {"
    " objects.push(f.prototype); } });"
    "function seen(o) { return [Reflect.ownKeys(o).length, Object.isExtensible(o),"
    " Object.getPrototypeOf(o) === Object.prototype, typeof o.x, typeof o.toString,"
    " typeof o.name, o.name].join(); }"
    "exports.fetch = async function (r) { var t = await r.text(), R = Response,"
    " o = objects[t.charCodeAt(1) - 48], before, parts = deeds[t.charCodeAt(0) - 48];"
    " if (!o) { return new R('no more'); } before = 'now ' + seen(o);"
    " try { parts && parts(o); } catch (e) {} return new R(before); };";

static bool ask_builtin(struct lambda *lambda, int deed, int object, char *out)
{
    char body[3] = {(char)('0' + deed), (char)('0' + object), '\0'};

    if (!CHECK(ask(lambda, "https://a.test/", body) == TF_OK)) {
        return false;
    }
    (void)snprintf(out, ANSWER, "%.*s", (int)lambda->response.body.size,
                   lambda->response.body.data);
    return true;
}

/* Every deed to every object, and each time the object is as it was at first. */
static void a_builtin_forgets_what_was_done_to_it(void)
{
    enum { COUNT = sizeof(to_builtins) / sizeof(to_builtins[0]) };
    static char source[16384];
    static char first[ANSWER];
    char answer[ANSWER];
    struct lambda lambda;
    size_t size = (size_t)snprintf(source, sizeof(source), "%s", builtins);
    int object = 0;
    int kept = 0;

    start();
    for (int i = 0; i < COUNT; i++) {
        size += (size_t)snprintf(source + size, sizeof(source) - size,
                                 "deeds.push(function (o) { %s });", to_builtins[i]);
    }
    if (!is_quickjs() || !CHECK(load(&lambda, source) == TF_OK)) {
        return;
    }
    for (;; object++) {
        slot.in = NULL;
        slot.sealed_of = NULL;
        if (!ask_builtin(&lambda, COUNT, object, first) ||
            strcmp(first, "no more") == 0) {
            break;
        }
        for (int deed = 0; deed < COUNT; deed++) {
            if (!ask_builtin(&lambda, deed, object, answer) ||
                !CHECK(strcmp(answer, first) == 0)) {
                (void)fprintf(stderr, "object %d after deed %d: %s, not %s\n", object,
                              deed - 1, answer, first);
                return;
            }
            kept += slot.sealed_of == &lambda.snapshot;
        }
    }
    CHECK(object > 40 && kept > object * COUNT / 2);
    drop(&lambda);
}

/* Where a sealed object's properties lay first is not freed, but each place after it: a
 * lambda with a table in a built-in had no memory left after 190,000 names. */
static void a_builtin_that_is_a_table_does_not_fill_the_heap(void)
{
    static const char *const tables[] = {"{}", "Array", "globalThis",
                                         "Promise.prototype"};
    char source[512];
    size_t least = 0;

    for (int i = 0; i < 4; i++) {
        struct lambda lambda;
        start();
        (void)snprintf(source, sizeof(source),
                       "var o = %s; exports.fetch = function () { var i;"
                       " for (i = 0; i < 20000; i++) { o['k' + i] = i; delete o['k' + "
                       "(i - 90)]; } return new Response('x'); };",
                       tables[i]);
        CHECK(load(&lambda, source) == TF_OK);
        for (int k = 0; k < 3; k++) {
            CHECK(ask(&lambda, "https://a.test/", NULL) == TF_OK);
        }
        least = i == 0 ? lambda.report.peak : least;
        CHECK(lambda.report.peak < least + (64 << 10));
        drop(&lambda);
    }
}

/* Duktape's compiler looks for a constant among the first 256 alone, and each closure
 * counted all of them: a few thousand, dropped by each of seven requests, took the count
 * of a name of the engine's to zero. */
static void closures_count_no_constants(void)
{
    static char source[128 << 10];
    enum { DISTINCT = 256, SAME = 20000, REQUESTS = 24 };
    struct lambda lambda;
    size_t size = 0;

    start();
    size += (size_t)snprintf(source, sizeof(source),
                             "var all = [], i; function make() { return function () {"
                             " var b; return [");
    for (int i = 0; i < DISTINCT; i++) {
        size += (size_t)snprintf(source + size, sizeof(source) - size, "%d.5,", i);
    }
    for (int i = 0; i < SAME; i++) {
        size += (size_t)snprintf(source + size, sizeof(source) - size, "'a',");
    }
    (void)snprintf(source + size, sizeof(source) - size,
                   "b]; }; } for (i = 0; i < 3000; i++) { all.push(make()); }"
                   " exports.fetch = function () { var f = all[7]; all = [];"
                   " return new Response('banana'.charAt(1) + f().length); };");
    CHECK(load(&lambda, source) == TF_OK);
    for (int i = 0; i < REQUESTS; i++) {
        CHECK(ask(&lambda, "https://a.test/", NULL) == TF_OK);
        CHECK(answered(&lambda, "a20257"));
    }
    drop(&lambda);
}

int main(void)
{
    RUN(a_builtin_forgets_what_was_done_to_it);
    RUN(a_builtin_that_is_a_table_does_not_fill_the_heap);
    RUN(closures_count_no_constants);
    RUN(a_symbol_outlives_a_weak_reference_to_it);
    RUN(no_request_sees_what_others_did_to_what_is_sealed);
    return test_end();
}
