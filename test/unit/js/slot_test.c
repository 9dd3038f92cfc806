/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request leaves in a slot does not reach the next one, whatever it wrote: each
 * request here, after an ordinary call, writes all over the heap, and before the next
 * call of any lambda the whole slot is compared with what it held after that lambda's
 * load. What the engine has sealed is written to by calls only that end badly, and
 * compared where it has to be brought in: for another lambda, after such a call, and now
 * and then. Whatever happens, the slot's memory is asked for page by page, each once, and
 * not touched before. Built with -Wl,--wrap=tf_js_call.
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "abi/layout.h"
#include "test/random.h"
#include "test/test.h"
#include "test/unit/js/fixture.h"

enum {
    LAMBDAS = 4,
    ROUNDS = 30,
    AGAIN = 20,  /* calls of one lambda: enough for it to be kept as one piece */
    HEAD = 2304, /* of the arena: a slot believes its numbers, within bounds */
    WORDS = 3000,
    CHUNK = 256 << 10,            /* as in slot.c */
    PAGES = (16 << 20) / TF_PAGE, /* of the slot */
    UNTOUCHED = 0xa5              /* what start() fills it with */
};

/* What the slot held when a lambda was loaded. */
struct image {
    struct lambda lambda;
    uint8_t *bytes;
    size_t size;
};

static const char *const sources[LAMBDAS] = {
    "var n = 0; exports.fetch = function (r) { n++; var a = [];"
    " for (var i = 0; i < 300; i++) { a.push('request ' + i + n); }"
    " return new Response(a.join('')); };",
    "var url = 'new URL(x)', n = 0; exports.fetch = function () {"
    " return new Response(url + ++n); };",
    "var big = []; for (var i = 0; i < 6000; i++) { big.push({ i: 'text ' + i }); }"
    " exports.fetch = function (r) { for (var i = 0; i < 3000; i += 7) {"
    " big[i] = { s: 'changed' }; } big.length = 4000; return new Response('ok'); };",
    "var t = 'x'; for (var i = 0; i < 19; i++) { t += t; } var u = t + 'y';"
    " exports.fetch = function (r) { u = t + t; return new Response('ok'); };",
};

static bool is_there[PAGES];
static uint64_t state = TEST_RANDOM;
static const struct image *expected;
static size_t written; /* a line of what is sealed, which the last call has written to */
static bool is_left;   /* the call ends in the middle */
static jmp_buf left;

static size_t draw(size_t below)
{
    return (size_t)(test_random(&state) % below);
}

/* As an enclave accepts pages. */
static void bring(void *memory, size_t size)
{
    size_t at = (size_t)((uint8_t *)memory - slot.memory);

    CHECK(at % TF_PAGE == 0 && size % TF_PAGE == 0 && at + size <= slot.size);
    for (size_t page = at / TF_PAGE; page < (at + size) / TF_PAGE; page++) {
        CHECK(!is_there[page]);
        is_there[page] = true;
    }
    memset(memory, 0, size);
}

static void start_bare(void)
{
    start();
    memset(is_there, 0, sizeof(is_there));
    slot.fresh = bring;
}

static void check_untouched(void)
{
    CHECK(slot.size == (size_t)PAGES * TF_PAGE && is_there[0] && !is_there[PAGES - 1]);
    for (size_t at = 0; at < slot.size; at++) {
        if (!is_there[at / TF_PAGE] && !CHECK(slot.memory[at] == UNTOUCHED)) {
            return;
        }
    }
}

/* What is sealed in the heap of a lambda: [*from, *to), which may be nothing. */
static void find_sealed(const struct image *image, size_t *from, size_t *to)
{
    const struct tf_snapshot *snapshot = &image->lambda.snapshot;

    *from = snapshot->base_size == 0 ? 0 : snapshot->base->sealed;
    *to = snapshot->base_size == 0 ? 0 : snapshot->base->unsealed;
}

/* Whether the load has written to the line although it is sealed. */
static bool is_load_written(const uint8_t *bytes, size_t line)
{
    size_t at = line;
    size_t end;

    return tf_arena_unsealed((const void *)bytes, &at, &end) && at == line;
}

/* Of what is sealed, what has to be brought in for each call. */
static bool is_sealed_same(const uint8_t *bytes, size_t from, size_t to)
{
    bool is_so = true;

    for (size_t at = from; is_so && at < to; at += TF_ARENA_LINE) {
        size_t line = at / TF_ARENA_LINE;
        if (slot.sealed_calls == 0 || line == written || is_load_written(bytes, line)) {
            is_so = memcmp(slot.memory + at, bytes + at, TF_ARENA_LINE) == 0;
        }
    }
    return is_so;
}

/* The arena with nothing said of how far its memory was zeroed, which may grow. */
static bool is_same(const struct image *image)
{
    const uint8_t *bytes = image->bytes;
    size_t size = image->size;
    struct tf_arena *arena = (void *)slot.memory;
    size_t zeroed = tf_arena_zeroed(arena);
    size_t from;
    size_t to;

    find_sealed(image, &from, &to);
    tf_arena_note_zeroed(arena, 0);
    bool is_so = memcmp(slot.memory, bytes, from) == 0 &&
                 memcmp(slot.memory + to, bytes + to, size - to) == 0;
    is_so = is_so && is_sealed_same(bytes, from, to);
    tf_arena_note_zeroed(arena, zeroed);
    for (size_t i = size; is_so && i < zeroed; i++) {
        is_so = slot.memory[i] == 0;
    }
    return is_so && zeroed <= slot.zeroed;
}

/* All over, but between `from` and `to`. */
static void scribble(size_t from, size_t to)
{
    size_t used = tf_arena_used((void *)slot.memory);
    uint64_t word = state;

    for (size_t i = 0; i < WORDS; i++) {
        size_t at = HEAD + draw(used - HEAD - sizeof(word));
        if (at + sizeof(word) <= from || at >= to) {
            memcpy(slot.memory + at, &word, draw(sizeof(word)) + 1);
        }
    }
    if (draw(4) == 0) {
        memset(slot.memory + HEAD, 0x5a, from - HEAD);
        memset(slot.memory + to, 0x5a, used - to);
    }
}

/* Into a line of what is sealed, and says so. */
static void write_sealed(size_t from, size_t to)
{
    written = (from + draw(to - from)) / TF_ARENA_LINE;
    uint8_t *line = slot.memory + written * TF_ARENA_LINE;
    tf_arena_unseal((void *)slot.memory, line + draw(TF_ARENA_LINE), 1);
    memset(line, 0x5a, TF_ARENA_LINE);
}

tf_err __real_tf_js_call(struct tf_js *js, const struct tf_js_request *request,
                         const struct tf_js_limits *limits,
                         struct tf_js_response *response, struct tf_js_report *report);
tf_err __wrap_tf_js_call(struct tf_js *js, const struct tf_js_request *request,
                         const struct tf_js_limits *limits,
                         struct tf_js_response *response, struct tf_js_report *report);

tf_err __wrap_tf_js_call(struct tf_js *js, const struct tf_js_request *request,
                         const struct tf_js_limits *limits,
                         struct tf_js_response *response, struct tf_js_report *report)
{
    size_t from;
    size_t to;

    CHECK(is_same(expected));
    tf_err err = __real_tf_js_call(js, request, limits, response, report);
    CHECK(err == TF_OK && response->status == 200);
    find_sealed(expected, &from, &to);
    if (!is_left && draw(2) == 0) {
        scribble(from > HEAD ? from : HEAD, from > HEAD ? to : HEAD);
        if (from < to) {
            write_sealed(from, to);
        }
        return TF_OK;
    }
    scribble(HEAD, HEAD);
    if (is_left) {
        longjmp(left, 1);
    }
    return TF_EMEMORY;
}

static void load_image(struct image *image, const char *source)
{
    CHECK(load(&image->lambda, source) == TF_OK);
    image->size = image->lambda.snapshot.extent;
    image->bytes = malloc(image->size);
    size_t from;
    size_t to;
    find_sealed(image, &from, &to);
    for (size_t at = from; at < to;
         at += TF_ARENA_LINE) { /* the load has counted there */
        if (!is_load_written(slot.memory, at / TF_ARENA_LINE)) {
            memcpy(slot.memory + at, image->lambda.snapshot.base->bytes + at,
                   TF_ARENA_LINE);
        }
    }
    memcpy(image->bytes, slot.memory, image->size);
    tf_arena_note_zeroed((void *)image->bytes, 0);
}

static void forget_image(struct image *image)
{
    drop(&image->lambda);
    free(image->bytes);
}

static void call(struct image *image)
{
    struct lambda *lambda = &image->lambda;

    expected = image;
    is_left = draw(3) == 0;
    if (setjmp(left) == 0) {
        (void)!ask(lambda, "https://a.test/", NULL);
    } else {
        tf_slot_abandon(&slot);
    }
}

/* A chunk of a restore is the last one. */
static void leave(void *user)
{
    (void)user;
    longjmp(left, 1);
}

static void leave_in_restore(struct image *image)
{
    image->lambda.limits.pause = leave;
    image->lambda.limits.quantum = 1;
    call(image);
    image->lambda.limits.pause = NULL;
}

static void load_what_fails(void)
{
    static struct lambda broken;

    CHECK(load(&broken, "var a = []; for (;;) { a.push('secret' + a.length); }") !=
          TF_OK);
    scribble(HEAD, HEAD);
    tf_slot_abandon(&slot);
    drop(&broken);
}

static void go_round(struct image *images)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct image *image = &images[draw(LAMBDAS)];
        switch (draw(8)) {
        case 0: {
            size_t which = (size_t)(image - images);
            forget_image(image);
            load_image(image, sources[which]);
            break;
        }
        case 1:
            load_what_fails();
            break;
        case 2:
            leave_in_restore(image);
            break;
        case 3:
            tf_slot_wipe(&slot);
            break;
        case 4:
            for (int again = 0; again < AGAIN; again++) {
                call(image);
            }
            CHECK(image->size > TF_WHOLE_MAX || slot.whole_of == &image->lambda.snapshot);
            break;
        default:
            break;
        }
        call(image);
    }
}

static void requests_write_all_over_the_heap(void)
{
    static struct image images[LAMBDAS];

    start_bare();
    for (size_t i = 0; i < LAMBDAS; i++) {
        load_image(&images[i], sources[i]);
    }
    go_round(images);
    check_untouched();
    for (size_t i = 0; i < LAMBDAS; i++) {
        forget_image(&images[i]);
    }
}

/* There is no room for a base at first: snapshots are whole, and then no longer. */
static void the_same_with_little_room_at_first(void)
{
    static struct image images[LAMBDAS];
    size_t size = (size_t)8 << 20;
    void *hog = NULL;

    start_bare();
    while (hog == NULL) {
        size -= 64 << 10;
        hog = tf_arena_alloc(heap, size);
    }
    static struct lambda refused;
    CHECK(load(&refused, sources[0]) == TF_ENOMEM && refused.snapshot.size != 0);
    tf_arena_free(heap, hog);
    CHECK(tf_slot_keep(&slot, heap, &refused.snapshot) == TF_OK);
    CHECK(refused.snapshot.base_size == 0);
    drop(&refused);
    for (size_t i = 0; i < LAMBDAS; i++) {
        load_image(&images[i], sources[i]);
    }
    go_round(images);
    check_untouched();
    for (size_t i = 0; i < LAMBDAS; i++) {
        forget_image(&images[i]);
    }
}

static void leave_at_the_head(void *user)
{
    if (slot.dirty < CHUNK) {
        leave(user);
    }
}

/* How much of the slot was used is the lambda's choice: here the last part that is wiped
 * before an engine is opened is less than the arena's head. The client leaves when all
 * but that is zeros. */
static void leave_before_the_last(size_t part)
{
    static struct lambda lambda;

    start_bare();
    CHECK(load(&lambda, sources[0]) == TF_OK);
    struct tf_arena *arena = (void *)slot.memory;
    CHECK(tf_arena_alloc(arena, 2 * CHUNK) != NULL);
    size_t more = 2 * CHUNK + part - tf_arena_used(arena) % CHUNK;
    CHECK(tf_arena_alloc(arena, more - 8) != NULL); /* with its header */
    CHECK(tf_arena_used(arena) % CHUNK == part);
    tf_slot_abandon(&slot);
    drop(&lambda);
    lambda.files[0] = (struct tf_js_file){"main.js", (const uint8_t *)"URL", 3};
    lambda.limits.pause = leave_at_the_head;
    if (setjmp(left) == 0) {
        (void)!tf_slot_load(&slot, heap, &lambda.program, slot.size, &lambda.limits,
                            &lambda.snapshot);
        CHECK(false);
    }
    tf_slot_abandon(&slot);
    CHECK(slot.dirty == part);
    check_untouched();
    tf_slot_wipe(&slot);
    check_untouched();
}

static void wipe_left_within_the_arenas_head(void)
{
    for (size_t part = 8; part < 256; part += 16) {
        leave_before_the_last(part);
    }
}

int main(void)
{
    RUN(requests_write_all_over_the_heap);
    RUN(the_same_with_little_room_at_first);
    RUN(wipe_left_within_the_arenas_head);
    return test_end();
}
