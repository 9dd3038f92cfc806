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
    "keys(o).forEach(function (n) { try { o[n] = 1; } catch (e) {} });",
    "delete o[keys(o)[0]];",
    "delete o[keys(o).pop()];",
    "keys(o).forEach(function (n) { try { delete o[n]; } catch (e) {} }); o.y = 1;",
    "keys(o).forEach(function (n) { Reflect.getOwnPropertyDescriptor(o, n); });",
    "keys(o).forEach(function (n) { try { o[n]; } catch (e) {} });",
    "keys(o).forEach(function (n) { Reflect.defineProperty(o, n, {get: function () {}}); "
    "});",
    "keys(o).forEach(function (n) { Reflect.defineProperty(o, n, {set: undefined}); });",
    "keys(o).forEach(function (n) { Reflect.defineProperty(o, n, {value: 1}); });",
    "keys(o).forEach(function (n) { Reflect.defineProperty(o, n, {enumerable: true}); "
    "});",
    "keys(o).forEach(function (n) { Reflect.defineProperty(o, n, {writable: false}); });",
    "keys(o).forEach(function (n) { Reflect.defineProperty(o, n, {configurable: false}); "
    "});",
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
    "for (var i = 0; i < 40; i++) { o['p' + i] = i; }",
    "for (var i = 0; i < 40; i++) { o['p' + i] = i; delete o['p' + i]; } o.last = 1;",
    "for (var i = 0, a; i < 3000; i++) { a = {o: o, f: function () { return a; }}; a.a = "
    "a; }",
    "for (var i = 0, x; i < 1200; i++) { x = {}; x['k' + i] = o; kept.push(x); }",
    "o.valueOf = o.toJSON = function () { o.n = 1; return 'x'; }; JSON.stringify(o) + o;",
    "Error.captureStackTrace(o); Error.prepareStackTrace = o; Error.stackTraceLimit = 1;",
    "try { throw o; } catch (e) { e.z = 1; }",
    "Array.prototype.push.call(o, 1, 2);",
    "Array.prototype.unshift.call(o, 1, 2); Array.prototype.splice.call(o, 0, 1);",
    "o.length = 3; Array.prototype.fill.call(o, 1); Array.prototype.reverse.call(o);"
    " Array.prototype.sort.call(o); Array.prototype.copyWithin.call(o, 0, 1);",
    "Array.prototype.pop.call(o); Array.prototype.shift.call(o);",
    "Array.from.call(function () { return o; }, [1, 2]);",
    "var a = [1, [2]]; a.constructor = {[Symbol.species]: function () { return o; }};"
    " a.map(function (x) { return x; }); a.flat && a.flat(); a.concat([1]); a.slice(0, "
    "1); a.splice(0, 1);",
    "Array.of.call(function () { return o; }, 1); Object.groupBy([1], () => 'length');",
    "RegExp.prototype.exec.call(o, 'x'); RegExp.prototype[Symbol.replace].call(o, 'x', "
    "'y');",
    "o.exec = function () { return null; }; o.flags = 'g'; "
    "RegExp.prototype[Symbol.match].call(o, 'x');",
    "RegExp.prototype[Symbol.split].call(o, 'x'); RegExp.prototype.compile.call(o, 'x');",
    "o.then = (f) => f(1); await o; Promise.resolve(o);",
    "Promise.prototype.then.call(o); Promise.all.call(o, [1]);",
    "Promise.reject.call(function (f) { f(isNaN, isNaN); return o; }, 1).z = 1;",
    "o.constructor = o; o[Symbol.species] = o; o[Symbol.toPrimitive] = isNaN; +o;",
    "Object.defineProperty(o, Symbol.species, {get: function () { return o; }});",
    "var p = new Proxy(o, {}); p.x = 1; delete p[keys(o)[0]]; Object.freeze(p);",
    "Object.setPrototypeOf(o, new Proxy({}, {set() { return true; }})); o.w = 1;",
    "o(); new o();",
    "o.call(o, o); o.apply(o, [o, o]);",
    "o.bind(o)(o); Reflect.apply(o, o, [{}, 'x', {value: 1}]);",
    "Reflect.apply(o, {}, [o, 'x', {value: 1}]); o('a', 'b');",
    "for (var k in o) { o[k]; } Object.entries(o);",
    "({...o}); kept.push({['k' + o.name]: o});",
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
    "var s = 'sta'; s += 'tus'; o[s] = s; s += s; o[s] = s; delete o[s];",
    "o.f = function f() { return f.caller; }; o.f(); o.f.name = 1; o.f.length = 2;",
    "async function* g() { yield* o; } g.prototype.x = o; g().next();",
    "o.g = (function* () { o.y = yield o; })(); o.g.next(); o.g.next(1); o.g.return(2);",
};

static const char walker[] =
    "var R = Response, kept = [], deeds = [], keys, more = function () { return []; };"
    "function roots(r) { return [globalThis, r, new R(''), [], /a/g, function () {},"
    " (function () { 'use strict'; return arguments; })(), Promise.resolve(1),"
    " new Headers({a: 'b'}), new Uint8Array(1), new Error('x')].concat(more()); }"
    "function step(o, s) { var d; if (s === 'p') { return Object.getPrototypeOf(o); }"
    " d = Reflect.getOwnPropertyDescriptor(o, Reflect.ownKeys(o)[+s.slice(1)]);"
    " return d && d[{v: 'value', g: 'get', s: 'set'}[s[0]]]; }"
    "function walk(r) { var seen = [], out = [], at, o, path;"
    " function add(o, path) { if (o && /object|function/.test(typeof o) &&"
    "  seen.indexOf(o) < 0) { seen.push(o); out.push(path); } }"
    " roots(r).forEach(function (o, i) { add(o, '' + i); });"
    " for (at = 0; at < seen.length; at++) { o = seen[at]; path = out[at];"
    "  if (o === kept || o === deeds) { continue; }"
    "  add(Object.getPrototypeOf(o), path + '/p');"
    "  Reflect.ownKeys(o).forEach(function (k, i) { var d ="
    "   Reflect.getOwnPropertyDescriptor(o, k); if (d) { add(d.value, path + '/v' + i);"
    "   add(d.get, path + '/g' + i); add(d.set, path + '/s' + i); } }); }"
    " return out.join(' '); }"
    "function act(t, r) { var path = t.slice(t.indexOf(' ') + 1).split('/'), o, at;"
    " keys = Reflect.ownKeys; o = roots(r)[path[0]];"
    " for (at = 1; at < path.length; at++) { o = step(o, path[at]); }"
    " return deeds[parseInt(t)](o); }";
static const char plain[] =
    "exports.fetch = function (r) { return r.text().then(function (t) { var own = R;"
    " if (t === '') { return new R(walk(r)); } try { act(t, r); } catch (e) {}"
    " return new own('x'); }); };";
static const char modern[] =
    "more = function () { var p = Object.getPrototypeOf, s = Symbol.iterator; return ["
    " p(function* () {}), p(async () => {}), p(async function* () {}), [][s](), ''[s](),"
    " /a/g[Symbol.matchAll]('a'), new Headers({a: 'b'}).entries(),"
    " new Map().entries()]; };"
    "exports.fetch = async function (r) { var t = await r.text(), own = R;"
    " if (t === '') { return new R(walk(r)); } try { await act(t, r); } catch (e) {}"
    " return new own('x'); };";

static char source[SOURCE];
static const char *known[sizeof(deeds) / sizeof(deeds[0])]; /* by the engine */

/* Whether the engine knows what the deed is written in. */
static bool is_known(const char *deed)
{
    struct lambda lambda;

    (void)snprintf(source, sizeof(source), "exports.fetch = %sfunction (o) { %s };",
                   is_modern() ? "async " : "", deed);
    bool is_ok = load(&lambda, source) == TF_OK;
    drop(&lambda);
    return is_ok;
}

/* @return how many of the deeds the engine knows, or 0. */
static unsigned load_walker(struct lambda *lambda, bool has_url)
{
    unsigned count = 0;

    for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
        if (is_known(deeds[i])) {
            known[count++] = deeds[i];
        }
    }
    size_t size =
        (size_t)snprintf(source, sizeof(source), "%s%s%s", walker,
                         is_modern() ? modern : plain, has_url ? "var u = 'URL';" : "");
    for (unsigned i = 0; i < count && CHECK(size < sizeof(source)); i++) {
        size += (size_t)snprintf(source + size, sizeof(source) - size,
                                 "deeds.push(%sfunction (o) { %s });",
                                 is_modern() ? "async " : "", known[i]);
    }
    return CHECK(load(lambda, source) == TF_OK) ? count : 0;
}

static void walk_and_do(bool has_url)
{
    static char paths[PATHS];
    const char *all = getenv("TFAAS_REACH");
    unsigned every = all != NULL && strcmp(all, "1") == 0 ? 1 : EVERY;
    unsigned at = 0;
    unsigned asked = 0;
    unsigned kept = 0;
    unsigned objects = 0;
    struct lambda lambda;

    start();
    unsigned count = load_walker(&lambda, has_url);
    if (!CHECK(count > (is_modern() ? 80 : 40)) ||
        !CHECK(ask(&lambda, "https://a.test/", NULL) == TF_OK)) {
        printf("%s\n", lambda.report.message);
        return;
    }
    (void)snprintf(paths, sizeof(paths), "%.*s", (int)lambda.response.body.size,
                   lambda.response.body.data);
    char *next = NULL;
    for (char *path = strtok_r(paths, " ", &next); path != NULL;
         path = strtok_r(NULL, " ", &next), objects++) {
        for (unsigned deed = 0; deed < count; deed++) {
            char body[256];
            if (at++ % every != 0) {
                continue;
            }
            (void)snprintf(body, sizeof(body), "%u %s", deed, path);
            tf_err err = ask(&lambda, "https://a.test/", body);
            if (err == TF_EINTERNAL) {
                (void)fprintf(stderr, "%s after %s\n", path, known[deed]);
            }
            CHECK(err != TF_EINTERNAL);
            asked++;
            kept += slot.sealed_of == &lambda.snapshot;
        }
    }
    printf("%u objects, %u deeds, %u requests, %u of them compared\n", objects, count,
           asked, kept);
    CHECK(objects > 300 && kept > asked / 2);
    drop(&lambda);
}

static void nothing_that_scripts_reach_is_written_in_silence(void)
{
    if (!is_mujs()) { /* which seals nothing */
        walk_and_do(false);
        walk_and_do(true);
    }
}

int main(void)
{
    RUN(nothing_that_scripts_reach_is_written_in_silence);
    return test_end();
}
