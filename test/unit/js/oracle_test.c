/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random lambdas, two at a time in one slot, asked in random order, twice: as in service,
 * where what is sealed is not brought in before each request, and with all of it brought
 * in. The answers must be the same, and nothing but counts may change in what is sealed.
 * TFAAS_ORACLE says how many pairs; the seed is printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/test.h"
#include "test/unit/js/fixture.h"

enum {
    PAIRS = 8,
    DEEDS = 9,     /* in a lambda; the body's digit says which are done */
    REQUESTS = 80, /* to a pair, in service */
    ANSWER = 1024,
    SOURCE = 16 << 10
};

/* Bodies of functions, for all engines. R, own and kept are the lambda's. */
static const char *const deeds[] = {
    "var o = {}, i; for (i = 0; i < 700; i++) { o['n' + i] = 'status'; delete o['n' + (i "
    "- 9)]; }"
    " return own(o).length;",
    "var s = 'content-', i; for (i = 0; i < 40; i++) { s += 'type'; } var o = {}; o[s] = "
    "s; return own(o)[0];",
    "own(Headers.prototype).forEach(function (n) { delete Headers.prototype[n]; }); "
    "return own(Headers.prototype);",
    "Headers.prototype.get = Array.prototype.map = 7; return new Headers({a: 'b'}).get + "
    "[].map;",
    "Object.defineProperty(Object.prototype, 'status', {get: function () { return 'got'; "
    "}}); return ({}).status;",
    "Object.freeze(Array.prototype); Object.seal(R); return "
    "Object.isFrozen(Array.prototype);",
    "return new Function('headers', 'status', 'return headers + status + "
    "\"constructor\"')('get', 'set');",
    "return "
    "JSON.stringify(JSON.parse('{\"headers\":{\"status\":[1,\"method\"]},\"constructor\":"
    "\"get\"}'));",
    "try { null.status; } catch (e) { e.name = 'method'; return e.name + e.message; }",
    "try { return status_is_nowhere; } catch (e) { return e.message + typeof e.stack; }",
    "try { Headers.prototype.get.call(kept); } catch (e) { return e.name + e; }",
    "var a = [], i, c; for (i = 0; i < 6000; i++) { c = {get: a, set: kept}; c.c = c; "
    "a[i % 999] = c; }"
    " return a.length;",
    "var a = [], i; for (i = 0; i < 9000; i++) { a.push('status', R, own, "
    "'constructor'); } kept.push(a); return 1;",
    "return /(st)(a)?/.exec('xstatus').join() + 'status'.replace(/s/g, '$&-$1') + "
    "'a-b'.split('-');",
    "return (function f(status) { arguments[0] = f.length; return status + "
    "arguments.callee.name; })(5);",
    "return Function.prototype.toString.call(Headers.prototype.get) + "
    "Function.prototype.toString.call(own).length;",
    "var f = Headers.prototype.get || own; f.status = 1; f.prototype = 2; return "
    "own(f).length + f.status;",
    "for (var k in Object.prototype) { kept.push(k); } return kept.length + typeof "
    "globalThis.Headers;",
    "delete globalThis.Headers; globalThis.URL = 1; return typeof Headers;",
    "var s = ''; for (var i = 0; i < 400; i++) { s += String.fromCharCode(97 + i % 26); "
    "} return s.slice(9, 30);",
    "return 'text/plain;charset=UTF-8'.length + '\\u20acmethod'.charAt(3) + "
    "encodeURIComponent('\\u20ac status');",
    "Promise.resolve('status').then(function (v) { kept.push(v); throw v; }).then(null, "
    "function () {}); return 1;",
    "return new R('status', {status: 201, headers: {'Content-Type': 'a', 'x-status': "
    "'get'}}).headers.get('x-status');",
    "var p = Promise.prototype.then; Promise.prototype.then = function (a, b) { "
    "kept.push('then');"
    " return p.call(this, a, b); }; return typeof p;",
    "return own(Function('a', 'b', 'return a.status')).join() + (function (get, set) "
    "{}).length;",
    "Math.status = Math.max(1, 2); return own(Math).length + Math.status + 5.5 % 3;",
    "console.log('status', {get: 1}); return new Date(0).toISOString() + Date.now();",
    "if (kept.length > 1) { throw kept; } kept.push('once'); return "
    "'constructor'.split('').sort().join('');",
    /* What comes after it has no memory left, where an engine lets it go on. */
    "var n = 1 << 20, full = []; kept.push(full); while (n > 7) { try { full.push(new "
    "Uint8Array(n)); } catch (e) { n = n >> 1; } } return full.length > 7;",
};

static const char *const modern_deeds[] = {
    "class M extends Map { #status = 'get'; static s = Symbol('status'); get(x) { return "
    "this.#status + super.get(x); } }"
    " return new M([[1, 2]]).get(1) + M.s.toString() + own(M);",
    "return Symbol.for('status') === Symbol.for('sta' + 'tus') && "
    "Symbol.keyFor(Symbol.for('get' + kept.length));",
    "Symbol.prototype.w = new WeakRef(Symbol.match); return "
    "Symbol.iterator.w.deref().toString();",
    "let w = new WeakSet([Symbol.iterator, Symbol.asyncIterator]); "
    "w.delete(Symbol.iterator);"
    " return Object.getOwnPropertySymbols(Array.prototype).length;",
    "let f = new FinalizationRegistry((v) => kept.push(v)); f.register(Symbol.species, "
    "'status', Symbol.split);"
    " f.register({}, 1); return f.unregister(Symbol.split);",
    "let m = new WeakMap([[Symbol.toPrimitive, 'status'], [own, 2]]); kept.push(m); "
    "return m.get(Symbol.toPrimitive);",
    "delete Array.prototype[Symbol.iterator]; try { let [a] = [1]; return a; } catch (e) "
    "{ return e.message; }",
    "let g = (function* status() { let get = 0; for (;;) { get += yield 'status' + get; "
    "} })();"
    " kept.push(g); return g.next().value + g.next(4).value;",
    "let tag = (s, ...v) => s.raw.join() + v + Object.isFrozen(s); tag.s = (s) => s; "
    "return tag`status${1}get` +"
    " (tag.s`x` === tag.s`x`);",
    "let p = new Proxy(Headers.prototype, { get: (t, k) => String(k), ownKeys: () => "
    "['status'] });"
    " Object.setPrototypeOf(own, p); return own.status + Reflect.ownKeys(p);",
    "(async () => { for await (let x of ['status', Promise.resolve(1)]) { kept.push(x); "
    "await x; } })(); return kept.length;",
    "kept.push(new Promise(() => {})); return Promise.race([kept.at(-1)]) instanceof "
    "Promise;",
    "let r = /status/gy; r.test('status'); kept.push(r); return r.lastIndex + "
    "'\\u00e9'.normalize('NFD').length;",
    "return Object.groupBy(['status', 'get'], (x) => x.length)[3] + "
    "[...'status'.matchAll(/t/g)].length;",
    "let { status, ...rest } = { status: 1, ['get' + kept.length]: 2, [Symbol.match]: 3 "
    "}; return own(rest).join();",
    "let b = new BigUint64Array(4); b[1] = 2n ** 70n; return String(b) + "
    "structuredClone_(1);",
    "label: for (let status of own(R)) { for (;;) { continue label; } } return eval('let "
    "get = 5; `${get}status`');",
    "let s = Symbol('status'); R[s] = own[s] = s; Array.prototype[s] = 1; return [][s] + "
    "s.description;",
    "return Array.from({ length: 600 }, (_, i) => Symbol('n' + i)).map((s) => "
    "s.description).join('').length;",
};

static uint32_t order = 1;

static unsigned draw(unsigned below)
{
    order = order * 1664525 + 1013904223;
    return (order >> 8) % below;
}

static const char *draw_deed(void)
{
    unsigned count = sizeof(deeds) / sizeof(deeds[0]);
    unsigned modern = sizeof(modern_deeds) / sizeof(modern_deeds[0]);
    unsigned all = count + (is_modern() ? modern : 0);
    unsigned at = draw(all);

    return at < count ? deeds[at] : modern_deeds[at - count];
}

/* Names that it has of its own, deeds, some of them done by the top level, and a handler
 * that does some of them. */
static void write_lambda(char *source)
{
    size_t size = (size_t)snprintf(
        source, SOURCE,
        "var R = Response, own = Object.getOwnPropertyNames, kept = [R], mine = {}, i;"
        " for (i = 0; i < %u; i++) { mine['t' + i] = 'status'; }"
        " function structuredClone_(x) { return x; }"
        " function done(f) { try { return String(f()); } catch (e) { return 'E' + e; } }"
        " var deeds = [",
        draw(3) * draw(400));

    for (int i = 0; i < DEEDS; i++) {
        size += (size_t)snprintf(source + size, SOURCE - size, "function () { %s },\n",
                                 draw_deed());
    }
    (void)snprintf(
        source + size, SOURCE - size,
        "]; var first = done(deeds[0]) + %s;"
        " exports.fetch = function (r) { return r.text().then(function (t) {"
        " var n = Number(t), out = [first, kept.length]; deeds.forEach("
        "function (f, i) { if ((i * 7 + n * 3) %% 5 < 2) { out.push(done(f)); } });"
        " if (n === 9) { for (;;) { kept.push([kept]); } }"
        " return new R(out.join('|')); }); };",
        draw(2) != 0 ? "done(deeds[1])" : "''");
}

/* How a request ended, in words. */
static void take_answer(struct lambda *lambda, unsigned body, char *out)
{
    char text[2] = {(char)('0' + body), '\0'};
    tf_err err = ask(lambda, "https://a.test/", text);
    int size = err != TF_OK ? 0 : (int)lambda->response.body.size;

    (void)snprintf(out, ANSWER, "%s %.*s", tf_err_name(err), size < 900 ? size : 900,
                   size == 0 ? "" : lambda->response.body.data);
}

/* @return how many requests were answered without bringing in what is sealed; -1: one was
 * answered otherwise. */
static int serve(struct lambda lambdas[2], char expected[2][10][ANSWER])
{
    char answer[ANSWER];
    unsigned which = 0;
    unsigned left = 0;
    int kept = 0;

    for (int i = 0; i < REQUESTS; i++, left--) {
        if (left == 0) {
            which = draw(2);
            left = 1 + draw(20);
        }
        unsigned body = draw(10);
        if (body == 9 && draw(8) != 0) {
            body = draw(9); /* what ends badly is dear, and has all be brought in */
        }
        kept += slot.sealed_of == &lambdas[which].snapshot;
        take_answer(&lambdas[which], body, answer);
        if (!CHECK(strcmp(answer, expected[which][body]) == 0)) {
            (void)fprintf(stderr, "%u: %s\nnot: %s\n", body, answer,
                          expected[which][body]);
            return -1;
        }
        if (!CHECK(is_sealed_kept(&lambdas[which].snapshot))) {
            return -1;
        }
    }
    return kept;
}

static int check_pair(void)
{
    static char sources[2][SOURCE];
    static char expected[2][10][ANSWER];
    static struct lambda lambdas[2];

    start();
    for (int which = 0; which < 2; which++) {
        write_lambda(sources[which]);
        tf_err err = load(&lambdas[which], sources[which]);
        if (!CHECK(err == TF_OK || err == TF_EMEMORY)) {
            (void)fprintf(stderr, "%s\n", lambdas[which].report.message);
            return -1;
        }
        if (err != TF_OK) {
            return 0; /* its top level took all memory */
        }
        for (unsigned body = 0; body < 10; body++) {
            slot.in = NULL;
            slot.sealed_of = NULL;
            take_answer(&lambdas[which], body, expected[which][body]);
        }
    }
    int kept = serve(lambdas, expected);
    if (kept < 0) {
        (void)fprintf(stderr, "%s\n%s\n", sources[0], sources[1]);
    }
    return kept;
}

static void random_lambdas_answer_as_if_all_was_brought_in(void)
{
    const char *wanted = getenv("TFAAS_ORACLE");
    int pairs = wanted == NULL ? PAIRS : atoi(wanted);
    int kept = 0;

    for (int i = 0; i < pairs; i++) {
        uint32_t seed = order;
        int more = check_pair();
        if (more < 0) {
            (void)fprintf(stderr, "pair %d, seed %u\n", i, seed);
            return;
        }
        kept += more;
    }
    (void)printf(
        "%d pairs of lambdas (TFAAS_ORACLE), %d requests, %d on what was sealed\n", pairs,
        pairs * REQUESTS, kept);
    CHECK(kept > pairs * REQUESTS / 4 || is_mujs()); /* which seals nothing */
}

int main(void)
{
    const char *seed = getenv("TFAAS_ORACLE_SEED");

    order = seed == NULL ? 1 : (uint32_t)strtoul(seed, NULL, 0);
    RUN(random_lambdas_answer_as_if_all_was_brought_in);
    return test_end();
}
