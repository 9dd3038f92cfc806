/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each object that a script can reach before it has made one of its own, by any chain of
 * properties, accessors and prototypes, and to each what the language lets a script do to
 * an object: after each request nothing may be left in what is sealed (`ask` looks). Both
 * bases; the objects are looked for in a request, so that the load has touched none.
 * TFAAS_REACH=1 does all deeds to all objects, the default every 24th.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/test.h"
#include "test/unit/js/fixture.h"

enum { SOURCE = 24 << 10, PATHS = 256 << 10, EVERY = 24 };

/* Bodies of functions of `o`. */
static const char *const deeds[] = {
    "o.x = 1;",
    "o[7] = 1;",
    "o[Symbol('s')] = 1;",
    "o[keys(o)[0]] = 1;",
    "o[keys(o).pop()] = 1;",
    "keys(o).forEach((n) => { try { o[n] = 1; } catch (e) {} });",
    "delete o[keys(o)[0]];",
    "delete o[keys(o).pop()];",
    "keys(o).forEach((n) => { try { delete o[n]; } catch (e) {} }); o.y = 1;",
    "keys(o).forEach((n) => Reflect.getOwnPropertyDescriptor(o, n));",
    "keys(o).forEach((n) => { try { o[n]; } catch (e) {} });",
    "keys(o).forEach((n) => Reflect.defineProperty(o, n, {get() {}}));",
    "keys(o).forEach((n) => Reflect.defineProperty(o, n, {set: undefined}));",
    "keys(o).forEach((n) => Reflect.defineProperty(o, n, {value: 1}));",
    "keys(o).forEach((n) => Reflect.defineProperty(o, n, {enumerable: true}));",
    "keys(o).forEach((n) => Reflect.defineProperty(o, n, {writable: false}));",
    "keys(o).forEach((n) => Reflect.defineProperty(o, n, {configurable: false}));",
    "Reflect.defineProperty(o, keys(o)[0], {value: o, writable: false});",
    "Object.freeze(o);",
    "Object.seal(o);",
    "Object.preventExtensions(o);",
    "Reflect.setPrototypeOf(o, {y: 1});",
    "o.__proto__ = null;",
    "Reflect.setPrototypeOf(Object.getPrototypeOf(o), {z: 1});",
    "kept.push(new WeakRef(o));",
    "new WeakSet([o]).delete(o);",
    "kept.push(new WeakMap([[o, o]]), new Map([[o, o]]), new Set([o]));",
    "kept.push(new FinalizationRegistry(isNaN)); kept.at(-1).register(o, 1, o);"
    " kept.at(-1).unregister(o);",
    "class B { constructor() { return o; } } new (class extends B { #p = 1; q = 2; })();",
    "class B { constructor() { return o; } } new (class extends B { #m() {} })();",
    "class B { constructor() { return o; } } class C extends B { #p = 1;"
    " static s(c) { c.#p = 2; } } new C(); C.s(o); kept.push(C);",
    "class B { constructor() { return o; } } new (class extends B { accessor = o;"
    " static { o.t = this; } get [o.name]() {} })();",
    "class E extends o { static x = 1; } new E(); E.y = Reflect.construct(o, [], E);",
    "kept.push({__proto__: o, f() { super.x = 1; }}); kept.at(-1).f.call(o);",
    "class A { static f() { super.x = 1; } } Object.setPrototypeOf(A, o); A.f();",
    "Reflect.set({}, 'z', 1, o);",
    "Reflect.set(o, 'z', 1, {});",
    "Object.assign(o, {q: 1}); Object.defineProperties(o, {r: {value: 1}});",
    "for (o.i of [1]) {}",
    "({a: o.j, ...o.rest} = {a: 1}); [o.k] = [3]; o.k += 1; o.k++; o.l ||= 2;",
    "o.__defineGetter__('s', isNaN); o.__defineSetter__('s', isNaN);",
    "for (let i = 0; i < 40; i++) { o['p' + i] = i; }",
    "for (let i = 0; i < 40; i++) { o['p' + i] = i; delete o['p' + i]; } o.last = 1;",
    "for (let i = 0, a; i < 3000; i++) { a = {o, f() { return a; }}; a.a = a; }",
    "for (let i = 0; i < 1200; i++) { kept.push({['k' + i]: o}); }",
    "o.valueOf = o.toJSON = () => { o.n = 1; return 'x'; }; JSON.stringify(o) + o;",
    "Error.captureStackTrace(o); Error.prepareStackTrace = o; Error.stackTraceLimit = 1;",
    "try { throw o; } catch (e) { e.z = 1; }",
    "Array.prototype.push.call(o, 1, 2);",
    "Array.prototype.unshift.call(o, 1, 2); Array.prototype.splice.call(o, 0, 1);",
    "o.length = 3; Array.prototype.fill.call(o, 1); Array.prototype.reverse.call(o);"
    " Array.prototype.sort.call(o); Array.prototype.copyWithin.call(o, 0, 1);",
    "Array.prototype.pop.call(o); Array.prototype.shift.call(o);",
    "Array.from.call(function () { return o; }, [1, 2]);",
    "let a = [1, [2]]; a.constructor = {[Symbol.species]: function () { return o; }};"
    " a.map((x) => x); a.flat(); a.concat([1]); a.slice(0, 1); a.splice(0, 1);",
    "Array.of.call(function () { return o; }, 1); Object.groupBy([1], () => 'length');",
    "RegExp.prototype.exec.call(o, 'x'); RegExp.prototype[Symbol.replace].call(o, 'x', "
    "'y');",
    "o.exec = () => null; o.flags = 'g'; RegExp.prototype[Symbol.match].call(o, 'x');",
    "RegExp.prototype[Symbol.split].call(o, 'x'); RegExp.prototype.compile.call(o, 'x');",
    "o.then = (f) => f(1); await o; Promise.resolve(o);",
    "Promise.prototype.then.call(o); Promise.all.call(o, [1]);",
    "Promise.reject.call(function (f) { f(isNaN, isNaN); return o; }, 1).z = 1;",
    "o.constructor = o; o[Symbol.species] = o; o[Symbol.toPrimitive] = isNaN; +o;",
    "Object.defineProperty(o, Symbol.species, {get: () => o});",
    "let p = new Proxy(o, {}); p.x = 1; delete p[keys(o)[0]]; Object.freeze(p);",
    "Object.setPrototypeOf(o, new Proxy({}, {set() { return true; }})); o.w = 1;",
    "o(); new o();",
    "o.call(o, o); o.apply(o, [o, o]);",
    "o.bind(o)(o); Reflect.apply(o, o, [{}, 'x', {value: 1}]);",
    "Reflect.apply(o, {}, [o, 'x', {value: 1}]); o('a', 'b');",
    "for (let k in o) { o[k]; } Object.entries(o); ({...o});",
    "Object.defineProperty(o, 'name', {value: 'n'}); Object.defineProperty(o, "
    "'prototype',"
    " {value: 1});",
    "o.prototype = {}; o.prototype.constructor = 1;",
    "o.prototype.m = 1; new o().m; Object.freeze(o.prototype);",
    "o.lastIndex = 1; o.buffer = 1; o.size = 1; o.byteLength = 1; o.message = 1;",
    "with (o) { name = 1; x = 2; var length = 3; }",
    "String.raw(o); String.prototype.replace.call('a', o, o); 'a'.split(o); "
    "[].concat(o);",
    "Date.prototype[Symbol.toPrimitive].call(o, 'number'); "
    "Date.prototype.toJSON.call(o);",
    "new Uint8Array(o); new ArrayBuffer(8, o); new DataView(o); Uint8Array.from(o);",
    "o.set = o.get = o.add = o.next = o.return = 1; o[Symbol.iterator] = 1; new Map(o);",
    "o[Symbol.iterator] = function* () { o.it = 1; yield o; }; [...o]; new Set(o);",
    "new Headers(o); new Request('https://a.test/', o); new Response('', o);",
    "new Response(o); Headers.prototype.set.call(o, 'a', 'b');",
    "o.h = new Headers({a: 'b'}); o.h.x = o; Object.freeze(o.h);",
    "try { null.x; } catch (e) { e.o = o; o.e = e; e.stack; }",
    "Symbol.for(o.name); o[Symbol.for('status')] = 1; kept.push(new WeakRef(o.x = {}));",
    "let s = 'sta'; s += 'tus'; o[s] = s; s += s; o[s] = s; delete o[s];",
    "o.f = function f() { return f.caller; }; o.f(); o.f.name = 1; o.f.length = 2;",
    "async function* g() { yield* o; } g.prototype.x = o; g().next();",
    "o.g = (function* () { o.y = yield o; })(); o.g.next(); o.g.next(1); o.g.return(2);",
};

static const char walker[] =
    "var R = Response, kept = [], deeds = [], keys;"
    "var AsyncFunction = (async () => {}).constructor;"
    "function roots(r) { var p = Object.getPrototypeOf, s = Symbol.iterator; return ["
    " globalThis, r, new R(''), p(function* () {}), p(async () => {}),"
    " p(async function* () {}), [][s](), ''[s](), /a/g[Symbol.matchAll]('a'),"
    " (function () { 'use strict'; return arguments; })(), Promise.resolve(1),"
    " new Headers({a: 'b'}).entries(), new Map().entries(), new Uint8Array(1),"
    " new Error('x')]; }"
    "function step(o, s) { var d; if (s === 'p') { return Object.getPrototypeOf(o); }"
    " d = Reflect.getOwnPropertyDescriptor(o, Reflect.ownKeys(o)[+s.slice(1)]);"
    " return d && d[{v: 'value', g: 'get', s: 'set'}[s[0]]]; }"
    "function walk(r) { var seen = new Set(), queue = [], out = [];"
    " function add(o, path) { if (o && /object|function/.test(typeof o) && !seen.has(o)) "
    "{"
    "  seen.add(o); queue.push([o, path]); out.push(path); } }"
    " roots(r).forEach((o, i) => add(o, '' + i));"
    " for (let [o, path] of queue) { if (o === kept || o === deeds) { continue; }"
    "  add(Object.getPrototypeOf(o), path + '/p');"
    "  Reflect.ownKeys(o).forEach((k, i) => { var d ="
    "   Reflect.getOwnPropertyDescriptor(o, k); if (d) { add(d.value, path + '/v' + i);"
    "   add(d.get, path + '/g' + i); add(d.set, path + '/s' + i); } }); }"
    " return out.join(' '); }"
    "exports.fetch = async function (r) { var t = await r.text(), path, o, at, own = R;"
    " if (t === '') { return new R(walk(r)); }"
    " keys = Reflect.ownKeys; path = t.slice(t.indexOf(' ') + 1).split('/');"
    " o = roots(r)[path[0]]; for (at = 1; at < path.length; at++) {"
    "  o = step(o, path[at]); }"
    " try { await deeds[parseInt(t)](o); } catch (e) {} return new own('x'); };";

static char source[SOURCE];

static tf_err load_walker(struct lambda *lambda, bool has_url)
{
    enum { COUNT = sizeof(deeds) / sizeof(deeds[0]) };
    size_t size = (size_t)snprintf(source, sizeof(source), "%s%s", walker,
                                   has_url ? "var u = 'URL';" : "");

    for (int i = 0; i < COUNT; i++) {
        size += (size_t)snprintf(source + size, sizeof(source) - size,
                                 "deeds.push(async function (o) { %s });", deeds[i]);
    }
    CHECK(size < sizeof(source));
    return load(lambda, source);
}

static void walk_and_do(bool has_url)
{
    enum { COUNT = sizeof(deeds) / sizeof(deeds[0]) };
    static char paths[PATHS];
    const char *all = getenv("TFAAS_REACH");
    unsigned every = all != NULL && strcmp(all, "1") == 0 ? 1 : EVERY;
    unsigned at = 0;
    unsigned asked = 0;
    unsigned kept = 0;
    unsigned objects = 0;
    struct lambda lambda;

    start();
    if (!CHECK(load_walker(&lambda, has_url) == TF_OK) ||
        !CHECK(ask(&lambda, "https://a.test/", NULL) == TF_OK)) {
        printf("%s\n", lambda.report.message);
        return;
    }
    (void)snprintf(paths, sizeof(paths), "%.*s", (int)lambda.response.body.size,
                   lambda.response.body.data);
    char *next = NULL;
    for (char *path = strtok_r(paths, " ", &next); path != NULL;
         path = strtok_r(NULL, " ", &next), objects++) {
        for (unsigned deed = 0; deed < COUNT; deed++) {
            char body[256];
            if (at++ % every != 0) {
                continue;
            }
            (void)snprintf(body, sizeof(body), "%u %s", deed, path);
            tf_err err = ask(&lambda, "https://a.test/", body);
            if (err == TF_EINTERNAL) {
                (void)fprintf(stderr, "%s after deed %u: %s\n", path, deed, deeds[deed]);
            }
            CHECK(err != TF_EINTERNAL);
            asked++;
            kept += slot.sealed_of == &lambda.snapshot;
        }
    }
    printf("%u objects, %u requests, %u of them compared\n", objects, asked, kept);
    CHECK(objects > 300 && kept > asked / 2);
    drop(&lambda);
}

static void nothing_that_scripts_reach_is_written_in_silence(void)
{
    if (is_quickjs()) {
        walk_and_do(false);
        walk_and_do(true);
    }
}

int main(void)
{
    RUN(nothing_that_scripts_reach_is_written_in_silence);
    return test_end();
}
