/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a lambda ends, at each allocation in turn: that one fails alone, or with
 * the next two, or with all that follow. What engines do with an allocation that failed
 * is not sound everywhere (QuickJS's parser writes beside its buffers), so the bindings
 * leave the engine at once, and the script sees nothing of it: the end is TF_EMEMORY,
 * whatever it tries to catch. (Duktape first collects and asks again.) Under ASan, with a
 * block of malloc's for each of the engine's, so that a byte beside one is seen.
 *
 * Every STRIDE-th allocation is tried; TFAAS_MEMORY=1: each.
 */
#include <malloc.h>
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enclave/js/js.h"
#include "test/test.h"
#include "test/unit/js/fixture.h"

enum { STRIDE = 23, ARENA = 4 << 20, FAR = 1 << 30 };

/* Before each block: the list of those that are there. Poisoned while the engine runs. */
struct head {
    struct head *next;
    struct head *previous;
};

/* Old language for all engines; the parser, late parts, errors and their lists of calls.
 */
static const char old_source[] =
    "function F(a, b) { var c = arguments; this.x = c.length; F.n = (F.n || 0) + 1; }"
    "F.prototype.sum = function () { var s = 0, k; for (k in this) { s += this[k]; }"
    " l: for (var i = 0; i < 9; i++) { switch (i) { case 1: continue l; case 7: break l;"
    " default: s += i; } } try { null.x; } catch (e) { s += e.message.length; } finally {"
    " s++; } return s; };"
    "exports.fetch = function (request) {"
    " var o = new F(1, 2), t = '', d = new Date(5), j;"
    " t += o.sum() + d.getTime() + JSON.stringify({ a: [1, { b: 'c' }] }) + "
    "/a(b+)/.exec('abb');"
    " try { t += new Function('a', 'var b = 1; for (;;) { if (a) { break; } } return a + "
    "b;')(2);"
    " } catch (e) { t += e; }"
    " try { [].reduce(); } catch (e) { t += e.stack; }"
    " try { (function g(n) { if (n) { g(n - 1); } else { throw new TypeError('deep'); } "
    "})(9);"
    " } catch (e) { t += e.stack; }"
    " j = JSON.parse('{\"k\":[1,2,{\"l\":null}]}', function (k, v) { return v; });"
    " t += Object.keys(j).concat(['z', 'y'].sort()).join() + "
    "request.headers.get('x-twice');"
    " t += 'a-b-c'.split('-').map(function (x) { return x + x; }) + new "
    "Uint8Array(9).length;"
    " return Promise.resolve(t).then(function (text) {"
    " return new Response(text, { headers: { 'x-a': 'b' } }); }); };";

static const char new_source[] =
    "class A { #p = 1; static s = [...'ab']; get p() { return this.#p; } set p(v) {} "
    " *g() { yield* [1, 2]; } async m({ a = 1, ...r } = {}) { await null; return a; } }"
    "class B extends A { constructor() { super(); } m(x) { return super.m(x); } }"
    "exports.fetch = async request => {"
    " const b = new B(), { x, y: [z] = [4], ...rest } = { x: 1, w: 2 }; let out = "
    "`${x}${z}`;"
    " for (const v of b.g()) { out += v; } for await (const v of b.g()) { out += v; }"
    " out += await b.m() + (b?.q?.r ?? 'none') + [...new Map([[1, 2]])] + new "
    "Set([1]).size;"
    " const f = x => () => x++; out += f(1)() + String(2n ** 64n);"
    " const w = new Proxy({}, { get: (t, k) => k }); out += w.zz + Reflect.ownKeys(rest);"
    " try { new Map([[1]]).size.call(); Map.prototype.size; } catch (e) { out += "
    "e.stack; }"
    " try { eval('let a = 1; { let b = a; (() => b)(); }'); } catch (e) { out += e; }"
    " try { new Function('a', '{ let b; do { if (b) continue; } while (a--); }'); } "
    "catch (e) {}"
    " out += typeof new WeakRef({}).deref() + 'ab'.replace(/(?<n>a)/u, '$<n>');"
    " return new Response(out + (await request.text())); };";

static struct head blocks;
static size_t asked, fail_from, fail_to;

void *__wrap_tf_arena_alloc(struct tf_arena *arena, size_t size);
void *__wrap_tf_arena_realloc(struct tf_arena *arena, void *block, size_t size);
bool __wrap_tf_arena_resize(struct tf_arena *arena, void *block, size_t size);
bool __wrap_tf_arena_zero_ahead(struct tf_arena *arena, const void *block, size_t size);
void __wrap_tf_arena_wipe(struct tf_arena *arena, void *block);
void __wrap_tf_arena_free(struct tf_arena *arena, void *block);
size_t __wrap_tf_arena_usable(const void *block);
void __wrap_tf_arena_tidy(struct tf_arena *arena, const void *image, size_t size);
int __wrap_tf_arena_failed(struct tf_arena *arena);

static void link_after(struct head *at, struct head *head)
{
    ASAN_UNPOISON_MEMORY_REGION(at->next, sizeof(*head));
    head->next = at->next;
    head->previous = at;
    at->next->previous = head;
    at->next = head;
    if (head->next != &blocks) {
        ASAN_POISON_MEMORY_REGION(head->next, sizeof(*head));
    }
    ASAN_POISON_MEMORY_REGION(head, sizeof(*head));
}

static void release(struct head *head)
{
    ASAN_UNPOISON_MEMORY_REGION(head, sizeof(*head));
    struct head *near[] = {head->previous, head->next};

    for (int i = 0; i < 2; i++) {
        ASAN_UNPOISON_MEMORY_REGION(near[i], sizeof(*head));
    }
    near[0]->next = near[1];
    near[1]->previous = near[0];
    for (int i = 0; i < 2; i++) {
        if (near[i] != &blocks) {
            ASAN_POISON_MEMORY_REGION(near[i], sizeof(*head));
        }
    }
    free(head);
}

void *__wrap_tf_arena_alloc(struct tf_arena *arena, size_t size)
{
    (void)arena;
    asked++;
    if (size == 0 || (asked >= fail_from && asked < fail_to)) {
        return NULL;
    }
    struct head *head = malloc(sizeof(*head) + size);
    if (head == NULL) {
        abort();
    }
    link_after(&blocks, head);
    return head + 1;
}

size_t __wrap_tf_arena_usable(const void *block)
{
    return block == NULL ? 0
                         : malloc_usable_size((struct head *)(uintptr_t)block - 1) -
                               sizeof(struct head);
}

void __wrap_tf_arena_free(struct tf_arena *arena, void *block)
{
    (void)arena;
    if (block != NULL) {
        release((struct head *)block - 1);
    }
}

void *__wrap_tf_arena_realloc(struct tf_arena *arena, void *block, size_t size)
{
    size_t had = __wrap_tf_arena_usable(block);
    void *moved = __wrap_tf_arena_alloc(arena, size);

    if (moved != NULL && block != NULL) {
        memcpy(moved, block, had < size ? had : size);
        __wrap_tf_arena_free(arena, block);
    }
    return moved;
}

bool __wrap_tf_arena_resize(struct tf_arena *arena, void *block, size_t size)
{
    (void)arena;
    return size <= __wrap_tf_arena_usable(block);
}

bool __wrap_tf_arena_zero_ahead(struct tf_arena *arena, const void *block, size_t size)
{
    (void)arena;
    (void)block;
    (void)size;
    return false;
}

void __wrap_tf_arena_wipe(struct tf_arena *arena, void *block)
{
    (void)arena;
    memset(block, 0, __wrap_tf_arena_usable(block));
}

void __wrap_tf_arena_tidy(struct tf_arena *arena, const void *image, size_t size)
{
    (void)arena;
    (void)image;
    (void)size;
}

int __wrap_tf_arena_failed(struct tf_arena *arena)
{
    (void)arena;
    return asked >= fail_from;
}

static struct tf_str str(const char *text)
{
    return (struct tf_str){text, strlen(text)};
}

/* Loads and asks once; `count` allocations fail from the `first`-th of the load on. */
static tf_err attempt(const char *source, size_t first, size_t count)
{
    static _Alignas(4096) uint8_t memory[ARENA];
    struct tf_arena *arena = tf_arena_init(memory, sizeof(memory));
    struct tf_js_file file = {"main.js", (const uint8_t *)source, strlen(source)};
    struct tf_js_program program = {
        .files = &file, .file_count = 1, .entry = "main.js", .name = "test"};
    struct tf_js_limits limits = {.steps = STEPS, .body = BODY, .stack = STACK};
    struct tf_js_header header = {str("x-twice"), str("one")};
    struct tf_js_request request = {str("POST"), str("https://a.test/"), &header, 1,
                                    str("b")};
    struct tf_js_response response;
    struct tf_js_report report;

    blocks.next = blocks.previous = &blocks;
    fail_from = SIZE_MAX;
    struct tf_js *js = tf_js_open(arena, NULL);
    CHECK(js != NULL);
    asked = 0;
    fail_from = first;
    fail_to = first + count;
    tf_err err = tf_js_load(js, &program, &limits, &report);
    if (err == TF_OK) {
        err = tf_js_call(js, &request, &limits, &response, &report);
    }
    if (err != TF_OK && count == 0) {
        (void)fprintf(stderr, "%s\n", report.message);
    }
    while (blocks.next != &blocks) {
        release(blocks.next);
    }
    return err;
}

static void sweep(const char *source)
{
    static const size_t counts[] = {1, 3, FAR};
    const char *whole = getenv("TFAAS_MEMORY");
    size_t stride = whole != NULL ? 1 : STRIDE;

    CHECK(attempt(source, FAR, 0) == TF_OK);
    size_t all = asked;
    for (size_t first = 1; first < all; first += stride) {
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
            bool is_there_again = is_duktape() && counts[i] != FAR;
            CHECK(attempt(source, first, counts[i]) ==
                  (is_there_again ? TF_OK : TF_EMEMORY));
        }
    }
    (void)printf("%s: each %zu. of %zu allocations\n", tf_js_engine(), stride, all);
}

static void memory_runs_out(void)
{
    sweep(old_source);
    if (is_modern()) {
        sweep(new_source);
    }
}

int main(void)
{
    if (!is_v8()) {
        RUN(memory_runs_out);
    }
    return test_end();
}
