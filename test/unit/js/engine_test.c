/* SPDX-License-Identifier: Apache-2.0 */
/* What lambdas can do, on each engine: examples, handlers, a fresh heap, the slot. */
#include <stdio.h>
#include <string.h>

#include "enclave/js/js.h"

#include "test/test.h"
#include "test/unit/js/fixture.h"

static void an_echo_answers(void)
{
    static const char *const files[] = {"main.js", NULL};
    struct lambda lambda;
    start();
    CHECK(load_folder(&lambda, "echo", files) == TF_OK);
    CHECK(ask(&lambda, "https://echo.test/", "some text") == TF_OK);
    CHECK(answered(&lambda, "some text"));
    CHECK(lambda.response.status == 200);
    CHECK(strcmp(header(&lambda, "content-type"), "text/x-test") == 0);
    CHECK(ask(&lambda, "https://echo.test/", NULL) == TF_OK);
    CHECK(answered(&lambda, ""));
    (void)fprintf(stderr, "%s: heap of echo %zu bytes, kept for it %zu\n", tf_js_engine(),
                  lambda.snapshot.extent, lambda.snapshot.size);
    /* V8 keeps no snapshots: both are 0. */
    CHECK(lambda.snapshot.extent < (is_mujs() ? 400 : is_duktape() ? 260 : 140) * 1024);
    CHECK(lambda.snapshot.size < 64 * 1024);
}

static void bytes_come_back_as_they_were(void)
{
    static const char *const files[] = {"main.js", NULL};
    char body[512];
    struct lambda lambda;

    start();
    for (size_t i = 0; i < sizeof(body); i++) {
        body[i] = (char)i;
    }
    CHECK(load_folder(&lambda, "echo", files) == TF_OK);
    CHECK(ask(&lambda, "https://echo.test/", "") == TF_OK);
    lambda.request.body = (struct tf_str){body, sizeof(body)};
    CHECK(tf_slot_call(&slot, &lambda.snapshot, &lambda.request, &lambda.limits,
                       &lambda.response, &lambda.report) == TF_OK);
    CHECK(lambda.response.body.size == sizeof(body));
    CHECK(memcmp(lambda.response.body.data, body, sizeof(body)) == 0);
}

static void hello_greets(void)
{
    static const char *const files[] = {"main.js", "greet.js", NULL};
    static const struct tf_js_var env[] = {{"GREETING", "Hall\xc3\xb6le"}};
    struct lambda lambda;
    start();
    CHECK(load_folder(&lambda, "hello", files) == TF_OK);
    lambda.program.env = env;
    lambda.program.env_count = 1;
    CHECK(load_files(&lambda) == TF_OK);
    CHECK(ask(&lambda, "https://hello.test/a/b?name=J%C3%B6rg", NULL) == TF_OK);
    CHECK(answered(&lambda, "Hall\xc3\xb6le, J\xc3\xb6rg!\nmethod: GET\npath: /a/b\n"
                            "query: ?name=J%C3%B6rg\n"));
}

static void benchmarks_check_their_results(void)
{
    static const char *const files[] = {"main.js", NULL};
    struct lambda lambda;
    start();
    CHECK(load_folder(&lambda, "base64", files) == TF_OK);
    CHECK(ask(&lambda, "https://base64.test/?n=1", NULL) == TF_OK);
    CHECK(answered(&lambda, "base64: ok, 1 rounds of 4096 bytes\n"));
    drop(&lambda);
    CHECK(load_folder(&lambda, "cube3d", files) == TF_OK);
    CHECK(ask(&lambda, "https://cube3d.test/", NULL) == TF_OK);
    CHECK(answered(&lambda, "cube3d: ok, 50 turns, sum 566852249\n"));
    drop(&lambda);
}

static void every_request_gets_a_fresh_heap(void)
{
    static const char *const files[] = {"main.js", NULL};
    struct lambda lambda;
    start();
    CHECK(load_folder(&lambda, "fresh", files) == TF_OK);
    for (int i = 0; i < 5; i++) {
        CHECK(ask(&lambda, "https://fresh.test/", NULL) == TF_OK);
        CHECK(answered(&lambda, "1\n"));
    }
    CHECK(
        run(&lambda,
            "var buffer = new Uint8Array(4096), o = { n: 0 };"
            "exports.fetch = function () { var was = [buffer[7], o.n, typeof leak,"
            " typeof Response.leak, typeof ''.leak].join();"
            " buffer[7] = 1; o.n++; globalThis.leak = new Array(9999).join('leak');"
            " Response.leak = 1; String.prototype.leak = 1; return new Response(was); };",
            NULL) == TF_OK);
    CHECK(answered(&lambda, "0,0,undefined,undefined,undefined"));
    CHECK(ask(&lambda, "https://a.test/", NULL) == TF_OK);
    CHECK(answered(&lambda, "0,0,undefined,undefined,undefined"));
}

static void nothing_of_a_request_stays_in_the_slot(void)
{
    static const char marker[] = "MARKER-7f3a";
    struct lambda lambda;
    struct lambda other;
    start();
    CHECK(load(&other, "exports.fetch = function () { return new Response('x'); };") ==
          TF_OK);
    CHECK(run(&lambda,
              "exports.fetch = function (r) { return r.text().then(function (t) {"
              " var a = []; for (var i = 0; i < 5000; i++) { a.push(t + i); }"
              " globalThis.a = a; return new Response(a[4999]); }); };",
              marker) == TF_OK);
    if (is_v8()) {
        return; /* its heap is not in the slot */
    }
    CHECK(memmem(slot.memory, slot.size, marker, strlen(marker)) != NULL);
    CHECK(ask(&other, "https://a.test/", NULL) == TF_OK);
    CHECK(memmem(slot.memory, slot.size, marker, strlen(marker)) == NULL);
}

static void random_numbers_differ_between_requests(void)
{
    char first[128];
    struct lambda lambda;
    start();
    CHECK(run(&lambda,
              "var early = Math.random();"
              "exports.fetch = function () { return new Response([Math.random(),"
              " Math.random(), crypto.randomUUID(),"
              " crypto.getRandomValues(new Uint8Array(4)).length].join()); };",
              NULL) == TF_OK);
    (void)snprintf(first, sizeof(first), "%.*s", (int)lambda.response.body.size,
                   lambda.response.body.data);
    CHECK(ask(&lambda, "https://a.test/", NULL) == TF_OK);
    CHECK(lambda.response.body.size != strlen(first) ||
          memcmp(first, lambda.response.body.data, strlen(first)) != 0);
    CHECK(first[0] == '0' && first[1] == '.');
}

static void the_clock_is_the_enclaves(void)
{
    struct lambda lambda;
    start();
    CHECK(
        run(&lambda,
            "exports.fetch = function () { return new Response([Date.now(),"
            " new Date().getTime() === Date.now() && performance.now() >= 0].join()); };",
            NULL) == TF_OK);
    CHECK(answered(&lambda, "1700000000123,true"));
    clock_ns += UINT64_C(5000000);
    CHECK(ask(&lambda, "https://a.test/", NULL) == TF_OK);
    CHECK(answered(&lambda, "1700000000128,true"));
}

static void two_lambdas_alternate_in_a_slot(void)
{
    struct lambda a;
    struct lambda b;
    start();
    CHECK(load(&a, "var n = 0; exports.fetch = function () { n++;"
                   " return new Response('a' + n); };") == TF_OK);
    CHECK(load(&b, "var n = 0; exports.fetch = function () { n += 10;"
                   " return new Response('b' + n); };") == TF_OK);
    for (int i = 0; i < 10; i++) {
        CHECK(ask(&a, "https://a.test/", NULL) == TF_OK && answered(&a, "a1"));
        CHECK(ask(&b, "https://b.test/", NULL) == TF_OK && answered(&b, "b10"));
        CHECK(ask(&b, "https://b.test/", NULL) == TF_OK && answered(&b, "b10"));
    }
    drop(&a);
    CHECK(ask(&b, "https://b.test/", NULL) == TF_OK && answered(&b, "b10"));
}

static void a_reused_heap_lasts_until_it_fails(void)
{
    struct lambda a;
    struct lambda b;
    start();
    CHECK(load(&b, "exports.fetch = function () { return new Response('b'); };") ==
          TF_OK);
    CHECK(load(&a, "var n = 0; exports.fetch = function (r) { n++;"
                   " if (/fail/.test(r.url)) { throw new Error(); }"
                   " return r.text().then(function (t) { return new Response(t + n,"
                   " { headers: { a: 'b' } }); }); };") == TF_OK);
    a.snapshot.is_reused = true;
    CHECK(ask(&a, "https://a.test/", "x") == TF_OK && answered(&a, "x1"));
    CHECK(ask(&a, "https://a.test/", "y") == TF_OK && answered(&a, "y2"));
    CHECK(ask(&a, "https://a.test/", "z\xf0\x9f\x98\x80") == TF_OK);
    CHECK(answered(&a, "z\xf0\x9f\x98\x80"
                       "3"));
    CHECK(ask(&a, "https://a.test/fail", NULL) == TF_EEXCEPTION);
    CHECK(ask(&a, "https://a.test/", "") == TF_OK && answered(&a, "1"));
    CHECK(ask(&b, "https://b.test/", NULL) == TF_OK && answered(&b, "b"));
    /* V8's instances do not share a slot, so nobody else ends one. */
    CHECK(ask(&a, "https://a.test/", "") == TF_OK && answered(&a, is_v8() ? "2" : "1"));
}

static void a_name_in_capitals_keeps_its_value(void)
{
    struct lambda lambda;

    start();
    CHECK(run(&lambda,
              "exports.fetch = function (r) { return new Response('', { headers: {"
              " 'X-Path': r.headers.get('X-Twice'), 'Content-Type': 'a/b', 'x-low': 'c' "
              "} })"
              "; };",
              NULL) == TF_OK);
    CHECK(lambda.response.header_count == 3);
    CHECK(strcmp(header(&lambda, "x-path"), "one, tw\xf6") == 0);
    CHECK(strcmp(header(&lambda, "content-type"), "a/b") == 0);
    CHECK(strcmp(header(&lambda, "x-low"), "c") == 0);
}

/* QuickJS starts without some of its globals; no file of this lambda mentions them. */
static void a_global_that_nobody_mentions_is_there(void)
{
    struct lambda lambda;

    start();
    if (!is_modern()) {
        return;
    }
    CHECK(
        run(&lambda,
            "exports.fetch = function () { var g = globalThis; var m = new g['M' + 'ap']("
            "[[1, 'a']]); var d = new g['Da' + 'te'](0); var s = new g['S' + 'et']([1, "
            "1]);"
            " return new Response([m.get(1), d.getTime(), s.size, m instanceof g['M' + "
            "'ap'], typeof g['WeakR' + 'ef'], [1, 2].toString(), 'e\\u0301'.normalize()"
            ".length].join()); };",
            NULL) == TF_OK);
    CHECK(answered(&lambda, "a,0,1,true,function,1,2,1"));
}

/* The whole slot, to its end, is the same after the same request, whoever was in it
 * before. */
static void nothing_of_another_is_in_a_restored_heap(void)
{
    static uint8_t expected[16 << 20];
    struct lambda a;
    struct lambda b;

    start();
    if (is_v8()) {
        return; /* its memory is no slot */
    }
    CHECK(load(&a,
               "var n = {}; exports.fetch = function (r) { n[r.url] = [r.url];"
               " return r.text().then(function (t) { return new Response(t); }); };") ==
          TF_OK);
    CHECK(ask(&a, "https://a.test/", "x") == TF_OK && answered(&a, "x"));
    CHECK(load(&b,
               "var all = []; for (var i = 0; i < 2000; i++) { all.push('secret' + i); }"
               " exports.fetch = function () { all.length = 500; Response.x = 1;"
               " return new Response(all.join() + all.join()); };") == TF_OK);
    CHECK(ask(&b, "https://b.test/", NULL) == TF_OK);
    CHECK(ask(&a, "https://a.test/", "x") == TF_OK && answered(&a, "x"));
    memcpy(expected, slot.memory, slot.size);
    CHECK(ask(&b, "https://b.test/", NULL) == TF_OK);
    CHECK(memcmp(expected, slot.memory, slot.size) != 0);
    CHECK(ask(&a, "https://a.test/", "x") == TF_OK && answered(&a, "x"));
    CHECK(memcmp(expected, slot.memory, slot.size) == 0);
    CHECK(ask(&a, "https://a.test/", "y") == TF_OK && answered(&a, "y"));
    CHECK(ask(&a, "https://a.test/", "x") == TF_OK && answered(&a, "x"));
    size_t from = a.snapshot.base->sealed; /* references are counted in there, no more */
    size_t to = a.snapshot.base->unsealed;
    CHECK(memcmp(expected, slot.memory, from) == 0);
    CHECK(memcmp(expected + to, slot.memory + to, slot.size - to) == 0);
}

/* Strings and code that are not brought in before each request: whatever a request does
 * with them, the next ones find them as they were. */
static void what_is_sealed_outlives_requests(void)
{
    static const char source[] =
        "var calls = 0, all = []; exports.fetch = function (r) { var g = globalThis, k, "
        "f;"
        " calls++; for (var i = 0; i < 600; i++) { all.push('status' + i, 'status',"
        " function () { return Response; }); }"
        " f = Headers.prototype.get; f.status = Response.prototype.text.length;"
        " all.length = 7; all = null; try { null.status; } catch (e) { k = e.stack; }"
        " k = Object.getOwnPropertyNames(g).concat(Object.keys(Response.prototype));"
        " k.forEach(function (name) { try { g[name + 'status'] = g[name];"
        " if (name !== 'Response') { delete g[name]; } } catch (e) { k = e; } });"
        " return new Response('status' + calls + k.length + f.status,"
        " { headers: { 'Content-Type': 'text/x-' + 'status' } }); };";
    struct lambda lambda;
    char first[64];

    start();
    if (is_mujs() || is_v8()) {
        return; /* seal nothing, and their Response needs what is deleted here */
    }
    CHECK(load(&lambda, source) == TF_OK);
    for (int i = 0; i < 200; i++) {
        CHECK(ask(&lambda, "https://a.test/", "x") == TF_OK);
        CHECK(strcmp(header(&lambda, "content-type"), "text/x-status") == 0);
        const struct tf_str *body = &lambda.response.body;
        if (i == 0) {
            (void)snprintf(first, sizeof(first), "%.*s", (int)body->size, body->data);
        }
        CHECK(strncmp(first, "status1", 7) == 0 && answered(&lambda, first));
    }
}

/* Where the engine finds names by a table that has to grow, it writes into names that are
 * sealed: in a call, or in the load. All are found afterwards, and before. */
static void more_names_than_the_engine_had_room_for(void)
{
    static const char *const sources[] = {
        "exports.fetch = function (r) { var ok = found();"
        " grow(); return new Response('' + (ok &&"
        " found())); };",
        "grow(); exports.fetch = function (r) { return"
        " new Response('' + found()); };"};
    static const char common[] =
        "var A = Array.prototype, S = String.prototype, names = "
        "Object.getOwnPropertyNames(A)"
        ".concat(Object.getOwnPropertyNames(S));"
        " function found() { for (var i = 0; i < names.length; i++) { var s = names[i],"
        " half = s.length >> 1; s = s.slice(0, half) + s.slice(half);"
        " if (!(s in A || s in S)) { return s; } } return true; }"
        " function grow() { var o = {}; for (var i = 0; i < 3000; i++) { o['x' + i] = i; "
        "}"
        " if (o['x' + 2999] !== 2999) { throw 1; } } ";
    static struct lambda lambdas[2];
    static char texts[2][1024];

    start();
    for (int i = 0; i < 2; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "%s%s", common, sources[i]);
        CHECK(load(&lambdas[i], texts[i]) == TF_OK);
    }
    for (int i = 0; i < 240; i++) {
        struct lambda *lambda = &lambdas[i / 40 % 2];
        CHECK(ask(lambda, "https://a.test/", NULL) == TF_OK);
        if (!CHECK(answered(lambda, "true"))) {
            return;
        }
    }
}

/* Without room for the base, snapshots are whole; with it, they differ from it. */
static void a_base_that_finds_no_room_is_done_without(void)
{
    static const char source[] = "var n = 0; exports.fetch = function () { n++;"
                                 " return new Response('n' + n); };";
    struct lambda whole;
    struct lambda part;

    start();
    if (is_v8()) {
        return;
    }
    CHECK(load(&part, source) == TF_OK && part.snapshot.base_size > 0);
    size_t base_size = part.snapshot.base_size;
    start();
    void *block =
        tf_arena_alloc(heap, tf_arena_limit(heap) - tf_arena_used(heap) - base_size / 8);
    CHECK(block != NULL && load(&whole, source) == TF_ENOMEM);
    tf_arena_free(heap, block);
    CHECK(tf_slot_keep(&slot, heap, &whole.snapshot) == TF_OK);
    CHECK(whole.snapshot.base_size == 0 && whole.snapshot.size > base_size / 8);
    CHECK(load(&part, source) == TF_OK && part.snapshot.base_size == base_size);
    for (int i = 0; i < 3; i++) {
        CHECK(ask(&whole, "https://a.test/", NULL) == TF_OK && answered(&whole, "n1"));
        CHECK(ask(&part, "https://a.test/", NULL) == TF_OK && answered(&part, "n1"));
    }
}

static void a_full_heap_refuses_a_snapshot(void)
{
    static _Alignas(16) uint8_t small[8192];
    struct lambda lambda;
    start();
    if (is_v8()) {
        return; /* it has no snapshots */
    }
    heap = tf_arena_init(small, sizeof(small));
    CHECK(load(&lambda, "exports.fetch = function () {};") == TF_ENOMEM);
}

static void events_are_answered_in_aws_style(void)
{
    struct lambda lambda;
    start();
    CHECK(run(&lambda,
              "exports.handler = function (event, context) { return { statusCode: 201,"
              " headers: { 'X-A': 1 }, cookies: ['a=b', 'c=d'], body: [event.version,"
              " event.rawPath, event.rawQueryString, event.queryStringParameters.x,"
              " event.headers['x-twice'], event.requestContext.http.method, event.body,"
              " event.isBase64Encoded, context.functionName].join() }; };",
              "b\xc3\xb6"
              "dy") == TF_OK);
    CHECK(lambda.response.status == 201);
    CHECK(answered(&lambda, "2.0,/path,x=1,1,one,tw\xc3\xb6,POST,b\xc3\xb6"
                            "dy,false,test"));
    CHECK(strcmp(header(&lambda, "x-a"), "1") == 0);
    CHECK(strcmp(header(&lambda, "set-cookie"), "c=d") == 0);
    CHECK(strcmp(header(&lambda, "content-type"), "application/json") == 0);

    CHECK(run(&lambda, "exports.handler = function (e) { return { got: e.body }; };",
              "q") == TF_OK);
    CHECK(answered(&lambda, "{\"got\":\"q\"}"));
    CHECK(run(&lambda,
              "exports.handler = function (e) { return Promise.resolve({ statusCode: 200,"
              " isBase64Encoded: true, body: e.isBase64Encoded ? e.body : 'no' }); };",
              "\xff\x01\xfe") == TF_OK);
    CHECK(answered(&lambda, "\xff\x01\xfe"));
    CHECK(run(&lambda,
              "exports.handler = function (e, c, done) { done(null, 'called'); };",
              NULL) == TF_OK);
    CHECK(answered(&lambda, "called"));
    CHECK(run(&lambda,
              "exports.handler = function (e, c, done) { done(new Error('no')); };",
              NULL) == TF_EEXCEPTION);
}

static void handlers_are_found(void)
{
    static const char *const forms[] = {
        "exports.fetch = function () { return new Response('found'); };",
        "module.exports = { fetch: function () { return new Response('found'); } };",
        "exports.default = { x: 'found', fetch: function () { return new "
        "Response(this.x);"
        " } };",
        "exports.handler = function () { return { statusCode: 200, body: 'found' }; };",
        "exports.default = { handler: function () { return { statusCode: 200, body:"
        " 'found' }; } };",
    };
    struct lambda lambda;
    start();
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        CHECK(run(&lambda, forms[i], NULL) == TF_OK);
        CHECK(answered(&lambda, "found"));
        drop(&lambda);
    }
}

static void es_modules_work_where_there_are_some(void)
{
    static const char *const files[] = {"main.js", "lib/greet.js", "lib/words.js", NULL};
    static const struct tf_js_var env[] = {{"GREETING", "Hello"}};
    struct lambda lambda;
    start();
    tf_err err = load_folder(&lambda, "modules", files);
    if (!is_modern()) {
        CHECK(err == TF_ELAMBDA_SOURCE);
        CHECK(strstr(lambda.report.message, "modules") != NULL);
        return;
    }
    CHECK(err == TF_OK);
    lambda.program.env = env;
    lambda.program.env_count = 1;
    CHECK(load_files(&lambda) == TF_OK);
    CHECK(ask(&lambda, "https://modules.test/?name=you", "two words") == TF_OK);
    CHECK(answered(&lambda, "{\"greeting\":\"Hello, you!\",\"words\":2,"
                            "\"shout\":\"TWO WORDS\",\"started\":\"yes\"}"));
}

static void bad_modules_do_not_load(void)
{
    static const char *const sources[] = {
        "import './missing.js'; export default { fetch() {} };",
        "import 'std'; export default { fetch() {} };",
        "import '../main.js'; export default { fetch() {} };",
        "export default 1;",
        "await new Promise(() => {}); export default { fetch() {} };",
        "export default { fetch() {} }; throw new Error('no');",
        "export default {",
    };
    struct lambda lambda;
    start();
    for (size_t i = 0; is_modern() && i < sizeof(sources) / sizeof(sources[0]); i++) {
        memset(&lambda, 0, sizeof(lambda));
        lambda.files[0] = (struct tf_js_file){"main.js", (const uint8_t *)sources[i],
                                              strlen(sources[i])};
        lambda.program = (struct tf_js_program){
            .file_count = 1, .entry = "main.js", .is_module = true};
        CHECK(load_files(&lambda) == TF_ELAMBDA_SOURCE);
        CHECK(lambda.report.message[0] != '\0');
        drop(&lambda);
    }
}

static void reports_name_error_and_place(void)
{
    struct lambda lambda;
    start();
    CHECK(run(&lambda,
              "exports.fetch = function () {\n  throw new RangeError('too\\nfar');\n};",
              NULL) == TF_EEXCEPTION);
    CHECK(strncmp(lambda.report.message, "RangeError: too far", 19) == 0);
    CHECK(strstr(lambda.report.message, "main.js:2") != NULL);
    CHECK(load(&lambda, "var a = 1;\nvar b = ;") == TF_ELAMBDA_SOURCE);
    CHECK(strncmp(lambda.report.message, "SyntaxError", 11) == 0);
    CHECK(strstr(lambda.report.message, "2") != NULL);
}

int main(void)
{
    RUN(an_echo_answers);
    RUN(bytes_come_back_as_they_were);
    RUN(hello_greets);
    RUN(benchmarks_check_their_results);
    RUN(every_request_gets_a_fresh_heap);
    RUN(nothing_of_a_request_stays_in_the_slot);
    RUN(random_numbers_differ_between_requests);
    RUN(the_clock_is_the_enclaves);
    RUN(two_lambdas_alternate_in_a_slot);
    RUN(a_reused_heap_lasts_until_it_fails);
    RUN(a_name_in_capitals_keeps_its_value);
    RUN(a_global_that_nobody_mentions_is_there);
    RUN(nothing_of_another_is_in_a_restored_heap);
    RUN(what_is_sealed_outlives_requests);
    RUN(more_names_than_the_engine_had_room_for);
    RUN(a_base_that_finds_no_room_is_done_without);
    RUN(a_full_heap_refuses_a_snapshot);
    RUN(events_are_answered_in_aws_style);
    RUN(handlers_are_found);
    RUN(es_modules_work_where_there_are_some);
    RUN(bad_modules_do_not_load);
    RUN(reports_name_error_and_place);
    return test_end();
}
