/* SPDX-License-Identifier: Apache-2.0 */
/* The web's globals on each engine. The expected values are those of node 20. */
#include <stdio.h>
#include <string.h>

#include "enclave/js/js.h"

#include "test/test.h"
#include "test/unit/js/fixture.h"

struct pair {
    const char *expression; /* may use `request`; a promise is awaited */
    const char *expected;
};

static const struct pair urls[] = {
    {"new URL('HTTPS://User:P%40ss@Ex.ORG:443/a/./b/../c d?q=1 2&r#h h').href",
     "https://User:P%40ss@ex.org/a/c%20d?q=1%202&r#h%20h"},
    {"new URL('http://a.b:8080').href", "http://a.b:8080/"},
    {"new URL('../x?y#z', 'https://a.b/c/d/e').href", "https://a.b/c/x?y#z"},
    {"new URL('/x', 'https://a.b/c/d').href", "https://a.b/x"},
    {"new URL('//c.d/x', 'https://a.b/c/d').href", "https://c.d/x"},
    {"new URL('?q', 'https://a.b/c/d?e#f').href", "https://a.b/c/d?q"},
    {"new URL('#q', 'https://a.b/c/d?e#f').href", "https://a.b/c/d?e#q"},
    {"new URL('', 'https://a.b/c/d?e#f').href", "https://a.b/c/d?e"},
    {"new URL('https://a.b/%2e%2E/%41/\\u00e9?\\u00e9#\\u00e9').href",
     "https://a.b/%41/%C3%A9?%C3%A9#%C3%A9"},
    {"new URL('https://a.b/\\ud83d\\ude00\\ud800').pathname", "/%F0%9F%98%80%EF%BF%BD"},
    {"new URL('https:\\\\\\\\a.b\\\\c').href", "https://a.b/c"},
    {"new URL('  https://a.b/\\tc\\n ').href", "https://a.b/c"},
    {"new URL('https://a.b/c/..').pathname", "/"},
    {"new URL('https://a.b/c/.').pathname", "/c/"},
    {"new URL('https://[::1]:8080/').host", "[::1]:8080"},
    {"new URL('https://a.b:99/').origin", "https://a.b:99"},
    {"URL.canParse('nope') + ',' + URL.canParse('x', 'https://a.b')", "false,true"},
    {"[ 'https://', 'https://a b/', 'https://a.b:99999/', 'https://a%00b/', "
     "'https://a<b/'"
     " ].map(function (u) { return URL.canParse(u); }).join()",
     "false,false,false,false,false"},
    {"(function (u) { u.pathname = 'x y'; u.search = 'a=b c'; u.hash = 'z'; u.port = "
     "'81';"
     " u.protocol = 'http'; u.hostname = 'C.d'; return u.href; })(new "
     "URL('https://a.b/'))",
     "http://c.d:81/x%20y?a=b%20c#z"},
    {"(function (u) { u.searchParams.append('c', 'd e'); u.searchParams.delete('a');"
     " return u.href; })(new URL('https://a.b/?a=b&x=y'))",
     "https://a.b/?x=y&c=d+e"},
    {"(function (u) { var p = u.searchParams; u.search = '?n=1'; return p.get('n'); })"
     "(new URL('https://a.b/?n=0'))",
     "1"},
    {"JSON.stringify({ u: new URL('https://a.b/') })", "{\"u\":\"https://a.b/\"}"},
    {"new URLSearchParams('?a=1&b=%20x+y&a=%zz&&c').toString()", "a=1&b=+x+y&a=%25zz&c="},
    {"new URLSearchParams('a=%FF%41').get('a')", "\xef\xbf\xbd"
                                                 "A"},
    {"new URLSearchParams({ a: 1, b: '\\u00fc~!*()\\'' }).toString()",
     "a=1&b=%C3%BC%7E%21*%28%29%27"},
    {"new URLSearchParams([['x', '2'], ['a', '1'], ['x', '1']]).getAll('x').join()",
     "2,1"},
    {"(function (p) { p.sort(); p.set('x', '9'); p.append('n', 'm'); p.delete('a');"
     " return p + ' ' + p.size + p.has('x') + p.has('a') + p.get('a'); })"
     "(new URLSearchParams('x=2&a=1&x=1'))",
     "x=9&n=m 2truefalsenull"},
    {"(function (o) { new URLSearchParams('a=1&b=2').forEach(function (v, k) { o.push(k "
     "+ v);"
     " }); return o.join(); })([])",
     "a1,b2"},
};

static const struct pair http[] = {
    {"request.method + ' ' + request.url", "POST https://a.test/path?x=1"},
    {"request.headers.get('X-Twice')", "one, tw\xc3\xb6"},
    {"request.headers.get('nope') + ',' + request.headers.has('host')", "null,true"},
    {"request instanceof Request", "true"},
    {"Object.keys(request).length + JSON.stringify(request)", "0{}"},
    {"Object.getOwnPropertyNames(request).join()", ""},
    {"(function (o) { request.headers.forEach(function (v, k) { o.push(k + '=' + v); });"
     " return o.join(';'); })([])",
     "content-type=text/x-test;host=a.test;x-twice=one, tw\xc3\xb6"},
    {"request.json().then(function (v) { return v.a + ',' + request.bodyUsed; })",
     "1,true"},
    {"request.text().then(function () { return request.text(); }).then(null, function "
     "(e) {"
     " return e instanceof TypeError; })",
     "true"},
    {"request.clone().text().then(function (a) { return request.text().then(function (b) "
     "{"
     " return a === b; }); })",
     "true"},
    {"request.bytes().then(function (b) { return b.length + ',' + b[0]; })", "16,123"},
    {"new Response(request.body).text()", "{\"a\":1,\"b\":\"\xc3\xa9\"}"},
    {"new Request(request, { method: 'put', headers: { a: 'b' } }).text()",
     "{\"a\":1,\"b\":\"\xc3\xa9\"}"},
    {"new Request('https://x.y', { method: 'post', body: 'z' }).method", "POST"},
    {"new Request('https://x.y/%20 ').url", "https://x.y/%20"},
    {"(function (h) { h.append('A', ' 1\\t'); h.append('a', '2'); h.set('B', 3);"
     " h.append('Set-Cookie', 'x'); h.append('set-cookie', 'y'); h.delete('c');"
     " return [h.get('a'), h.get('b'), h.getSetCookie().length, h.has('C')].join('|'); })"
     "(new Headers({ c: 'd' }))",
     "1, 2|3|2|false"},
    {"new Headers([['a', 'b']]).get('a') + new Headers(new Headers({ a: 'c' })).get('a')",
     "bc"},
    {"['a b', '', 'a:', '\\u00e9'].map(function (n) { try { new Headers().set(n, 'x');"
     " return 1; } catch (e) { return e instanceof TypeError; } }).join()",
     "true,true,true,true"},
    {"['a\\nb', 'a\\0b', '\\u20ac'].map(function (v) { try { new Headers().set('n', v);"
     " return 1; } catch (e) { return e instanceof TypeError; } }).join()",
     "true,true,true"},
    {"new Response('x', { status: 404, statusText: 'No' }).statusText", "No"},
    {"[new Response().status, new Response('', { status: 299 }).ok,"
     " new Response('', { status: 300 }).ok].join()",
     "200,true,false"},
    {"new Response('x').headers.get('content-type')", "text/plain;charset=UTF-8"},
    {"new Response(new URLSearchParams('a=b')).headers.get('content-type')",
     "application/x-www-form-urlencoded;charset=UTF-8"},
    {"String(new Response(new Uint8Array(1)).headers.get('content-type'))", "null"},
    {"(function (o) { o.response = true; o.turn = o.list = ['host', 'of all']; try {"
     " return [request.clone(), new Request(request),"
     " new Response('x', { headers: { host: 'b' } })].map(function (x) {"
     " return x.headers.get('host'); }).join();"
     " } finally { delete o.response; delete o.turn; delete o.list; } "
     "})(Object.prototype)",
     "a.test,a.test,b"},
    {"Response.json({ a: [1] }).text()", "{\"a\":[1]}"},
    {"Response.json(1, { status: 201 }).status + Response.json(1).headers.get("
     "'content-type')",
     "201application/json"},
    {"Response.redirect('https://a.b/c d').headers.get('location') +"
     " Response.redirect('https://a.b', 308).status",
     "https://a.b/c%20d308"},
    {"[199, 600, 'x', 200.5].map(function (s) { try { new Response('', { status: s });"
     " return 1; } catch (e) { return e instanceof RangeError; } }).join()",
     "true,true,true,true"},
    {"(function () { try { new Response('x', { status: 204 }); } catch (e) { return"
     " e instanceof TypeError; } })()",
     "true"},
    {"new Response('a\\ud83d\\ude00b').arrayBuffer().then(function (b) { return "
     "b.byteLength;"
     " })",
     "6"},
};

static const struct pair others[] = {
    {"btoa('\\u00ff\\u0000a') + atob(' _'.charAt(0) + 'YQ') + atob('YWI=')", "/wBhaab"},
    {"['\\u0100'].map(function (t) { try { btoa(t); } catch (e) { return e.name; } "
     "}).join()",
     "InvalidCharacterError"},
    {"['a', 'ab=c', 'a*bc', 'ab==='].map(function (t) { try { atob(t); return 1; } catch "
     "(e)"
     " { return e.name.length; } }).join()",
     "21,21,21,21"},
    {"Array.prototype.join.call(new "
     "TextEncoder().encode('\\u00e9\\ud83d\\ude00\\ud800'))",
     "195,169,240,159,152,128,239,191,189"},
    {"new TextDecoder().decode(new Uint8Array([239, 187, 191, 104, 195, 169, 255, 240, "
     "159,"
     " 152, 128]))",
     "h\xc3\xa9\xef\xbf\xbd\xf0\x9f\x98\x80"},
    {"new TextDecoder().decode(new Uint8Array([240, 159, 152, 128])).length", "2"},
    {"new TextDecoder().decode(new Uint8Array([224, 128, 65, 237, 160, 128]).subarray(0, "
     "3))",
     "\xef\xbf\xbd\xef\xbf\xbd"
     "A"},
    {"(function () { try { new TextDecoder('utf-8', { fatal: true }).decode(new "
     "Uint8Array("
     "[255])); } catch (e) { return e instanceof TypeError; } })()",
     "true"},
    {"(function (o) { return JSON.stringify(structuredClone(o)) + (structuredClone(o).d"
     " instanceof Date); })({ a: [1, { b: null }], d: new Date(0) })",
     "{\"a\":[1,{\"b\":null}],\"d\":\"1970-01-01T00:00:00.000Z\"}true"},
    {"(function (o) { o.self = o; var c = structuredClone(o); return c.self === c && c "
     "!== o;"
     " })({})",
     "true"},
    {"new Promise(function (yes) { queueMicrotask(function () { yes('micro'); }); })",
     "micro"},
    {"Promise.all([1, Promise.resolve(2), { then: function (f) { f(3); } "
     "}]).then(String)",
     "1,2,3"},
    {"Promise.allSettled([1, Promise.reject(2)]).then(JSON.stringify)",
     "[{\"status\":\"fulfilled\",\"value\":1},{\"status\":\"rejected\",\"reason\":2}]"},
    {"Promise.race([new Promise(function () {}), Promise.resolve(1)])", "1"},
    {"Promise.any([Promise.reject(1), Promise.resolve(2)])", "2"},
    {"Promise.any([Promise.reject(1)]).catch(function (e) { return e.name + e.errors; })",
     "AggregateError1"},
    {"Promise.all([]).then(String)", ""},
    {"(function (o) { Promise.resolve().then(function () { o.push(1); }).then(function "
     "() {"
     " o.push(3); }); Promise.resolve().then(function () { o.push(2); }); return new "
     "Promise("
     "function (yes) { queueMicrotask(function () { queueMicrotask(function () {"
     " queueMicrotask(function () { yes(o.join()); }); }); }); }); })([])",
     "1,2,3"},
    {"Promise.reject(1).finally(function () { return 2; }).catch(String)", "1"},
    {"Promise.resolve(1).finally(function () { throw 2; }).catch(String)", "2"},
    {"new Promise(function (yes, no) { yes(1); no(2); throw 3; })", "1"},
    {"new Promise(function () { throw 1; }).then(null, null).catch(String)", "1"},
    {"(function (p) { p = new Promise(function (yes) { queueMicrotask(function () { "
     "yes(p);"
     " }); }); return p.catch(function (e) { return e instanceof TypeError; }); })()",
     "true"},
    {"new Promise(function (yes) { yes({ then: function (a, b) { a(1); b(2); throw 3; } "
     "});"
     " })",
     "1"},
    {"Promise.resolve({ get then() { throw new Error('t'); } }).catch(function (e) {"
     " return e.message; })",
     "t"},
    {"(function (P) { delete globalThis.Promise; var a = []; for (var i = 0; i < 3000; "
     "i++) "
     "{ a.push({ i: [i] }); } return P.resolve(a.length); })(Promise)",
     "3000"},
    {"(function (o) { try { Promise(function () {}); } catch (e) { o.push(e.name); } try "
     "{"
     " new Promise(1); } catch (e) { o.push(e.name); } try { "
     "Promise.prototype.then.call({})"
     "; } catch (e) { o.push(e.name); } return o; })([])",
     "TypeError,TypeError,TypeError"},
    {"(function (o, yes) { var p = new Promise(function (y) { yes = y; }); for (var i = "
     "0; i"
     " < 50; i++) { p.then(o.push.bind(o, i)); } yes(1); return p.then(function () { "
     "return"
     " o.length; }); })([])",
     "100"},
    {"navigator.userAgent + (self === globalThis)", "tfaastrue"},
    {"/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test("
     "crypto.randomUUID())",
     "true"},
    {"['Duktape', 'Buffer', 'CBOR', 'std', 'os', 'Atomics', 'SharedArrayBuffer', 'print',"
     " 'require'].filter(function (n) { return n in globalThis; }).join()",
     ""},
    {"[ '\\ud83d\\ude00ab'.search(/b/), /b/.exec('xa\\ud83d\\ude00\\u00e9ab').index,"
     " 'a\\ud83d\\ude00b'.replace(/b/, function (m, at) { return at; }) ].join()",
     "3,6,a\xf0\x9f\x98\x80"
     "3"},
    {"JSON.parse('{\"a\":\"\\\\ud83d\\\\ude00\"}').a + '\\ud83d\\ude00'.length",
     "\xf0\x9f\x98\x80"
     "2"},
};

static const struct pair modern[] = {
    {"[...request.headers].length + [...new URLSearchParams('a=1&b=2').keys()].join()",
     "3a,b"},
    {"(async () => { for (const [k, v] of new Headers({ a: 'b' })) { return k + v; } "
     "})()",
     "ab"},
    {"structuredClone(new Map([[1, new Set([2])]])).get(1).has(2)", "true"},
    {"[3, 1, 2].toSorted().join() + Object.hasOwn({ a: 1 }, 'a') + 2n ** 64n",
     "1,2,3true18446744073709551616"},
};

static void check_pairs(const struct pair *pairs, size_t count)
{
    static char source[4096];
    struct lambda lambda;

    start();
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(
            source, sizeof(source),
            "exports.fetch = function (request) { return Promise.resolve(%s).then("
            "function (v) { return new Response(String(v)); }); };",
            pairs[i].expression);
        tf_err err = run(&lambda, source, "{\"a\":1,\"b\":\"\xc3\xa9\"}");
        if (!CHECK(err == TF_OK) || !CHECK(answered(&lambda, pairs[i].expected))) {
            (void)fprintf(stderr, "  %s: %s %s\n", pairs[i].expression, tf_err_name(err),
                          lambda.report.message);
        }
        drop(&lambda);
    }
}

#define CHECK_PAIRS(table) check_pairs(table, sizeof(table) / sizeof((table)[0]))

static void urls_are_the_webs(void)
{
    CHECK_PAIRS(urls);
}

static void requests_and_responses_are_the_webs(void)
{
    CHECK_PAIRS(http);
}

static void other_globals_are_the_webs(void)
{
    CHECK_PAIRS(others);
}

static void modern_javascript_works_on_modern_engines(void)
{
    if (is_modern()) {
        CHECK_PAIRS(modern);
    }
}

static void the_console_goes_to_the_enclave(void)
{
    struct lambda lambda;
    start();
    CHECK(run(&lambda,
              "exports.fetch = function () { console.log('a', 1, { b: [2] }, undefined);"
              " return new Response(); };",
              NULL) == TF_OK);
    CHECK(strcmp(console_line, "log a 1 {\"b\":[2]} undefined") == 0);
    CHECK(run(&lambda,
              "exports.fetch = function () { console.error(new Array(9999).join('x'));"
              " return new Response(); };",
              NULL) == TF_OK);
    CHECK(strlen(console_line) == 1024);
    CHECK(run(&lambda,
              "exports.fetch = function () { console.warn(new TypeError('why'));"
              " return new Response(); };",
              NULL) == TF_OK);
    CHECK(strncmp(console_line, "warn TypeError: why", 19) == 0);
    CHECK(strstr(console_line + 19, "why") == NULL); /* engines' stacks may begin so */
}

/* Of three ways that a body comes: as the request's, as bytes and as a text. */
static void a_byte_order_mark_is_no_text(void)
{
    struct lambda lambda;
    start();
    CHECK(run(&lambda,
              "exports.fetch = function (r) { return r.clone().text().then(function (t) {"
              " return Promise.all([t.length, r.clone().json(), r.bytes(),"
              " new Response('\\ufeffab').text(), new Response('\\ufeff').text()]);"
              " }).then(function (all) { return new Response([all[0], all[1], "
              "all[2].length,"
              " all[3].length, all[4].length].join()); }); };",
              "\xef\xbb\xbf"
              "77") == TF_OK);
    CHECK(answered(&lambda, "2,77,5,2,0"));
    CHECK(run(&lambda,
              "exports.fetch = function (r) { return r.text().then(function (t) {"
              " return new Response(String(t.length)); }); };",
              "\xef\xbb\xbf\xef\xbb\xbf") == TF_OK);
    CHECK(answered(&lambda, "1"));
}

/* What is only mentioned in an unusual way is there too, only slower. */
static void lazy_globals_appear_when_touched(void)
{
    struct lambda lambda;
    start();
    CHECK(
        run(&lambda,
            "exports.fetch = function () { return new Response(['UR' + 'L', 'bto' + 'a',"
            " 'cry' + 'pto'].map(function (n) { return typeof globalThis[n]; }).join()); "
            "};",
            NULL) == TF_OK);
    CHECK(answered(&lambda, "function,function,object"));
    CHECK(run(&lambda,
              "var URL = 1; globalThis.atob = 2;"
              "exports.fetch = function () { return new Response(URL + atob + ''); };",
              NULL) == TF_OK);
    CHECK(answered(&lambda, "3"));
}

int main(void)
{
    RUN(urls_are_the_webs);
    RUN(requests_and_responses_are_the_webs);
    RUN(other_globals_are_the_webs);
    RUN(modern_javascript_works_on_modern_engines);
    RUN(the_console_goes_to_the_enclave);
    RUN(a_byte_order_mark_is_no_text);
    RUN(lazy_globals_appear_when_touched);
    return test_end();
}
