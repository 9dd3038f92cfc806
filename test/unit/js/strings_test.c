/* SPDX-License-Identifier: Apache-2.0 */
/* strings_test.c - strings built piece by piece: engines do that in place or with ropes
 * (deps/patches/duktape/0002-append-in-place.patch), and scripts must not see it. */
#include <stdio.h>
#include <string.h>

#include "test/test.h"
#include "test/unit/js/fixture.h"

/* `L(c)` is 100 times c, made anew at each call. */
#define PRELUDE                                                                          \
    "function L(c) { var a = []; while (a.length < 100) { a.push(c); } return "          \
    "a.join('')"                                                                         \
    "; }"                                                                                \
    "function check(is, what) { if (!is) { throw new Error(what); } }"

static const char *const stories[] = {
    "var s = L('a'), t = s; s += 'x'; check(t === L('a') && s === L('a') + 'x', "
    "'alias');",
    "var s = L('b'), o = {}; o[s] = 1; s += 'x'; o[s] = 2;"
    "check(o[L('b')] === 1 && o[L('b') + 'x'] === 2 && Object.keys(o).length === 2, "
    "'key');",
    "var a = [], s = L('c'); for (var i = 0; i < 50; i++) { s += i; a.push(s); }"
    "for (i = 1; i < 50; i++) { check(a[i] === a[i - 1] + i, 'history'); }",
    "var s = L('d'), i; for (i = 0; i < 3000; i++) { s += String.fromCharCode(65 + i % "
    "26);"
    "} check(s.length === 3100 && s.charCodeAt(3099) === 65 + 2999 % 26, 'length');"
    "for (i = 0; i < 3000; i++) { check(s[100 + i] === 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[i % "
    "26],"
    " 'bytes'); }",
    "var s = L('e'), n = s.length; s += '\\u00e9'; n += s.length; s += '\\ud83d'; s += "
    "'\\ude00'; n += s.length; check(n === 304 && s.length === 103, 'clen');"
    "check(s.charCodeAt(100) === 0xe9 && s.charCodeAt(101) === 0xd83d &&"
    " s.charCodeAt(102) === 0xde00 && s === L('e') + '\\u00e9\\ud83d\\ude00', 'not "
    "ascii');",
    "var s = L('f'); s += s; check(s === L('ff').slice(0, 200), 'doubled'); s += s;"
    "check(s.length === 400, 'doubled again'); s += ''; check(s.length === 400, "
    "'nothing');",
    "var there = L('g') + 'xy', s = L('g'); s += 'x'; s += 'y';"
    "check(s === there && {}[s] === undefined, 'one like it is there'); s += 'z';"
    "check(there === L('g') + 'xy' && s === there + 'z', 'and stays');",
    "var s = L('h'), saved; function keep() { saved = s; return 'x'; }"
    "for (var i = 0; i < 20; i++) { s += keep(); check(saved + 'x' === s, 'kept'); }",
    "var s = L('i'); function set() { s = 'other'; return 'x'; } s += set();"
    "check(s === L('i') + 'x', 'the old value counts');",
    "var s = L('j'); s += (s += 'y', 'z'); check(s === L('j') + 'z', 'nested');"
    "s = L('j'); var t = s += 'x'; s += 'y'; check(t === L('j') + 'x', 'value');",
    "var s = L('k') + 'k', caught = 0; for (var i = 0; i < 5; i++) { try { s += "
    "(function ()"
    " { throw 1; })(); } catch (e) { caught += e; } s += 'k'; }"
    "check(caught === 5 && s === L('k') + 'kkkkkk', 'thrown');",
    "function f(s) { s += 'x'; check(arguments.length === 1, 'arguments'); return s; }"
    "var a = L('l'), b = f(a), c = f(a); check(a === L('l') && b === c, 'argument');",
    "var s = L('m'), n = 1; s += n; s += null; s += undefined; s += true; s += [1, 2];"
    "check(s === L('m') + '1nullundefinedtrue1,2', 'other types');",
    "var s = L('n'), m = /n*/.exec(s); s += 'x'; check(m[0] === L('n') && m.input === "
    "L('n')"
    ", 'match');",
    "var s = L('o'); for (var i = 0; i < 40; i++) { s += 'x'; if (i % 7 === 0) { s = "
    "s.slice(0, 100) + i; } } check(s.slice(0, 100) === L('o'), 'slices');",
    "check('abc'.charCodeAt(1.9) === 98 && isNaN('abc'.charCodeAt(-1)) && "
    "isNaN('abc'.char"
    "CodeAt(3)) && 'abc'.charCodeAt(NaN) === 97 && '\\u00e9b'.charCodeAt(1) === 98 && "
    "'a'.charCodeAt(-0.5) === 97 && 'abc'.charCodeAt('1') === 98, 'at');",
    "check(String.fromCharCode(0).length === 1 && String.fromCharCode(65.7) === 'A' && "
    "String.fromCharCode(127, 128).length === 2 && String.fromCharCode(NaN) === "
    "'\\u0000' && "
    "String.fromCharCode() === '' && String.fromCharCode('66') === 'B' && "
    "String.fromCharCode(-0.5) === '\\u0000', 'from');",
    "var s = '', t = []; for (var i = 0; i < 2000; i++) { s += i + ','; t.push(i + ','); "
    "}"
    "check(s === t.join(''), 'joined');",
    "var o = {}, t = '', c, i; for (i = 0; i < 128; i++) { c = String.fromCharCode(i);"
    " check(c.length === 1 && c.charCodeAt(0) === i && c === ('x' + c).charAt(1) && "
    "c === ('x' + c)[1] && c === ('\\u20ac' + c).slice(1), 'one ' + i); o[c] = i; t += "
    "c; "
    "}"
    "check(Object.keys(o).length === 128 && o[5] === 53 && o[t.charAt(113)] === 113 && "
    "t.split('').join('') === t && t.length === 128, 'of ASCII');",
    "var c = 'q'.charAt(0), t = c; c += c; c += c; check(t === 'q' && c === 'qqqq' && "
    "'q'[0] === t && String.fromCharCode(113) === t, 'added to itself');",
};

static void what_is_built_is_what_was_added(void)
{
    start();
    for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
        CHECK(story_holds(PRELUDE, stories[i]));
    }
}

static const char building[] = PRELUDE
    "exports.fetch = function () { var s = L('x'), t = '', i; for (i = 0; i < 900;"
    " i++) { s += 'yz'; t += s.charAt(i); } return new Response(s + t); };";

static void steps_are_the_same_each_time(void)
{
    struct lambda lambda;
    uint64_t steps;

    start();
    CHECK(run(&lambda, building, NULL) == TF_OK);
    steps = lambda.report.steps;
    for (int i = 0; i < 3; i++) {
        CHECK(ask(&lambda, "https://a.test/path?x=1", NULL) == TF_OK);
        CHECK(lambda.report.steps == steps);
    }
    drop(&lambda);
}

/* By ever larger caps: each growth fails once, and nothing is lost. */
static void memory_may_end_while_a_string_grows(void)
{
    static const char source[] = PRELUDE
        "var room = %zu, keep = []; exports.fetch = function () { var s = L('x'), i;"
        " try { for (i = 0; i < room; i++) { keep.push(s.slice(0, 90 + i)); s += 'yz'; } "
        "} catch (e)"
        " { keep = null; } check(s.slice(0, 100) === L('x'), 'lost');"
        " return new Response('ok'); };";
    char text[sizeof(source) + 32];
    struct lambda lambda;

    start();
    for (size_t room = 100; room < 4000; room += 130) {
        (void)snprintf(text, sizeof(text), source, room);
        CHECK(load(&lambda, text) == TF_OK);
        tf_err err = ask(&lambda, "https://a.test/", NULL);
        CHECK(err == TF_OK || err == TF_EMEMORY);
        drop(&lambda);
    }
}

int main(void)
{
    RUN(what_is_built_is_what_was_added);
    RUN(steps_are_the_same_each_time);
    if (!is_v8()) { /* its memory is no arena */
        RUN(memory_may_end_while_a_string_grows);
    }
    return test_end();
}
