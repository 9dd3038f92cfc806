/* SPDX-License-Identifier: Apache-2.0 */
/* objects_test.c - engines find ordinary properties and call ordinary functions by a
 * short way, and make the properties of functions late (deps/patches/duktape/0006 to
 * 0009): scripts must not see it. */
#include <stdio.h>
#include <string.h>

#include "test/test.h"
#include "test/unit/js/fixture.h"

#define PRELUDE                                                                          \
    "function check(is, what) { if (!is) { throw new Error(what); } }"                   \
    "function own(o) { return Object.getOwnPropertyNames(o).sort().join(); }"            \
    "function has(o, name) { return Object.prototype.hasOwnProperty.call(o, name); }"    \
    "function flags(o, name) { var d = Object.getOwnPropertyDescriptor(o, name);"        \
    " return [d.writable, d.enumerable, d.configurable].join(); }"                       \
    "function thrown(f) { try { f(); } catch (e) { return e.name; } }"

static const char *const stories[] = {
    "function f(a, b) {} check(f.length === 2 && f.name === 'f', 'length, name');"
    "check(flags(f, 'length') === 'false,false,true', 'flags of length');"
    "check(flags(f, 'name') === 'false,false,true', 'flags of name');"
    "check(flags(f, 'prototype') === 'true,false,false', 'flags of prototype');"
    "check(flags(f.prototype, 'constructor') === 'true,false,true', 'of constructor');",
    "function f() {} check(has(f, 'prototype') && f.prototype.constructor === f, 'own');"
    "check(f.prototype === f.prototype && own(f.prototype) === 'constructor', 'one');",
    "function f() {} f.a = 1; var names = own(f);"
    "check(/length/.test(names) && /name/.test(names) && /prototype/.test(names) && "
    "/^a,/.test(names), 'names'); check(Object.keys(f).join() === 'a', 'keys');"
    "for (var k in f) { check(k === 'a', 'for in'); }",
    "function f() {} delete f.name; check(!has(f, 'name') && f.name === '', 'deleted');"
    "function g() {} g.prototype; check(delete g.length && !has(g, 'length'), 'again');",
    "function f() {} f.prototype = { x: 7 }; check(new f().x === 7, 'assigned');"
    "f.name = 'other'; check(f.name === 'f', 'name is not written');",
    "function f() {} Object.defineProperty(f, 'name', { value: 'g' });"
    "check(f.name === 'g' && flags(f, 'name') === 'false,false,true', 'defined');",
    "function A() { this.a = 1; } function B() {} B.prototype = "
    "Object.create(A.prototype);"
    "var b = new B(); check(b instanceof A && b instanceof B, 'instanceof');"
    "check(Object.getPrototypeOf(new A()) === A.prototype && new A().a === 1, 'new');",
    "function f() {} Object.freeze(f); check(Object.isFrozen(f) && own(f).length > 15, "
    "'frozen'); f.prototype = 1; check(typeof f.prototype === 'object', 'stays');"
    "function g() {} Object.preventExtensions(g); check(has(g, 'prototype') && g.length "
    "=== 0, 'prevented'); function h() {} Object.seal(h); check(!(delete h.name), "
    "'seal');",
    "function A() {} function B() {} Object.setPrototypeOf(B, A); A.s = 's';"
    "check(B.s === 's' && B.name === 'B' && B.prototype !== A.prototype, 'inherited');"
    "delete B.name; check(B.name === 'A', 'then of the other');",
    "var f = function inner() { return inner; }; check(f() === f && f.name === 'inner');"
    "var o = { get x() { return 1; } }, d = Object.getOwnPropertyDescriptor(o, 'x').get;"
    "check(!has(d, 'prototype'), 'a getter has none');"
    "check(thrown(function () { new d(); }) === 'TypeError', 'nor constructs');",
    "var c = ''.charAt; check(c.name === 'charAt' && c.length === 1, 'built-in');"
    "check(own(c) === 'length,name' && !has(c, 'prototype'), 'of built-in');"
    "check([].push.length === 1 && Math.max.length === 2 && Math.max.name === 'max');"
    "check(flags(c, 'name') === 'false,false,true', 'flags of built-in');",
    "function f(a) {} var b = f.bind(null, 1); check(b.length === 0 && b.name === 'bound "
    "f', 'bound'); function g(a, b, c) { arguments[0] = 9; return a; }"
    "check(g(1) === 9 && g.length === 3, 'arguments');",
    "var names = Object.getOwnPropertyNames(Math).join(); check([].map === [].map && "
    "Array.prototype.map === [].map && Math.ceil(0.5) === 1, 'one');"
    "check(Object.getOwnPropertyNames(Math).join() === names, 'order stays');"
    "check(Object.getOwnPropertyDescriptor(Math, 'floor').value === Math.floor && "
    "flags(Math, 'floor') === 'true,false,true' && globalThis.isNaN === isNaN, 'found');"
    "Math.cos.mine = 1; check(Math.cos.mine === 1 && own(Math.cos) === "
    "'length,mine,name', 'open'); delete Math.abs; Math.exp = 5;"
    "check(!('abs' in Math) && !has(Math, 'abs') && Math.exp === 5, 'gone');"
    "Object.defineProperty(Math, 'sin', { enumerable: true }); check(Object.keys(Math)"
    ".join() === 'sin' && JSON.stringify(Math) === '{}' && Object.assign({}, Math).sin "
    "=== Math.sin && Math.sin(0) === 0, 'enumerable');"
    "var get = Object.create(Object.freeze(Date.prototype)).getTime;"
    "check(get.call(new Date(7)) === 7 && get === Date.prototype.getTime, 'frozen');",
    "var keep = String.prototype.charAt; String.prototype.charAt = function () { return "
    "'mine'; }; var seen = 'abc'.charAt(0); String.prototype.charAt = keep;"
    "check(seen === 'mine' && 'abc'.charAt(1) === 'b', 'replaced');",
    "var s = 'abc'; check(s.charAt(2) === 'c' && s.charAt(3) === '' && s.charAt(-1) === "
    "''"
    " && s.charAt('1') === 'b' && s.charAt() === 'a' && s.charAt(1.9) === 'b' && "
    "s.charAt(NaN) === 'a' && '\\u00e9x'.charAt(0) === '\\u00e9', 'charAt');"
    "check(''.charAt.call(123, 1) === '2' && new String('xy').charAt(1) === 'y', 'this');"
    "check(thrown(function () { ''.charAt.call(Symbol.iterator, 0); }) === 'TypeError' "
    "&& "
    "thrown(function () { ''.charCodeAt.call(null, 0); }) === 'TypeError', 'no string');",
    "var a = [], n; for (var i = 0; i < 500; i++) { n = a.push(i, -i); }"
    "check(n === 1000 && a.length === 1000 && a[999] === -499 && a[998] === 499, 'push');"
    "check(a.push() === 1000 && [].push.call({ length: 3 }, 1) === 4, 'push of others');"
    "var z = Object.freeze([1]); check(thrown(function () { z.push(2); }) === "
    "'TypeError' "
    "&& z.length === 1, 'frozen'); var w = [1, 2]; Object.defineProperty(w, 'length', "
    "{ writable: false }); check(thrown(function () { w.push(3); }) === 'TypeError');",
    "var a = [1, , 3]; Array.prototype[1] = 'p'; var seen = a[1]; delete "
    "Array.prototype[1]; check(seen === 'p' && a[1] === undefined && !(1 in a), "
    "'holes');",
    "var o = Object.create({ get x() { return this.y; }, set x(v) { this.y = v; } });"
    "o.x = 5; check(o.x === 5 && o.y === 5 && !has(o, 'x'), 'accessors');"
    "var r = Object.freeze({ a: 1 }); r.a = 2; r.b = 3; check(r.a === 1 && r.b === "
    "undefined, 'read only'); var i = Object.create(r); i.a = 2; check(i.a === 1);"
    "check(thrown(function () { 'use strict'; r.a = 2; }) === 'TypeError', 'strict');",
    "var log = [], p = new Proxy({ a: 1 }, { get: function (t, k) { log.push(k); return "
    "t[k]; }, set: function (t, k, v) { log.push('=' + k); t[k] = v; return true; } });"
    "check(p.a === 1 && p.none === undefined && own(p) === 'a', 'proxy'); p.a = 2;"
    "check(log.join() === 'a,none,=a' && p.a === 2, 'proxies');",
    "check(thrown(function () { undefined.x; }) === 'TypeError' && thrown(function () { "
    "({}).f(); }) === 'TypeError' && 'abc'.length === 3 && (5).x === undefined, 'bases');"
    "var u = new Uint8Array(4); u[1] = 300; check(u[1] === 44 && u.length === 4 && "
    "u.none "
    "=== undefined && new String('ab').length === 2, 'lengths');"
    "(function (a) { check(arguments.length === 2 && arguments[1] === 8); })(7, 8);",
    "check(7 % 4 === 3 && -7 % 4 === -3 && 7 % -4 === 3 && 5.5 % 2 === 1.5 && 1e15 % 7 "
    "=== 6 && 9007199254740991 % 1000 === 991 && 1e300 % 7 === 1, 'remainder');"
    "check(1 / (-4 % 2) === -Infinity && isNaN(1 % 0) && 3 % Infinity === 3 && "
    "4611686018427387904 % 3 === 1 && isNaN(Infinity % 2), 'of others');",
};

static void scripts_do_not_see_the_short_way(void)
{
    start();
    for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
        CHECK(story_holds(PRELUDE, stories[i]));
    }
}

static const char looking[] =
    "var made = []; exports.fetch = function () { for (var i = 0; i < 50; i++) {"
    " var f = function (a) { return a; }; made.push(f); if (i % 3 === 0) {"
    " f.prototype.x = f.name + f.length; } } return new Response(String(made.length)); "
    "};";

static void steps_are_the_same_each_time(void)
{
    struct lambda lambda;
    uint64_t steps;

    start();
    CHECK(run(&lambda, looking, NULL) == TF_OK && answered(&lambda, "50"));
    steps = lambda.report.steps;
    for (int i = 0; i < 3; i++) {
        CHECK(ask(&lambda, "https://a.test/", NULL) == TF_OK && answered(&lambda, "50"));
        CHECK(lambda.report.steps == steps);
    }
    drop(&lambda);
}

int main(void)
{
    if (!is_mujs()) { /* its objects have limits of their own: doc/engines.md */
        RUN(scripts_do_not_see_the_short_way);
    }
    RUN(steps_are_the_same_each_time);
    return test_end();
}
