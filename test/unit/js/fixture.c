/* SPDX-License-Identifier: Apache-2.0 */
#include "test/unit/js/fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "enclave/js/env.h"

enum { SLOT = 16 << 20, HEAP = 8 << 20, ALIGNED = 16 /* blocks of an arena */ };

struct tf_slot slot;
struct tf_arena *heap;
char console_line[1025];
uint64_t clock_ns;

static uint64_t random_state = 1;
static _Alignas(4096) uint8_t slot_memory[SLOT];
static _Alignas(4096) uint8_t heap_memory[HEAP];

void tf_random(void *out, size_t size)
{
    uint8_t *bytes = out;
    for (size_t i = 0; i < size; i++) {
        random_state = random_state * 6364136223846793005U + 1442695040888963407U;
        bytes[i] = (uint8_t)(random_state >> 56);
    }
}

/* QuickJS's patch asks for the seed of a generator that the prelude replaces. */
int tf_seed(unsigned char *out, unsigned int size);
int tf_seed(unsigned char *out, unsigned int size)
{
    tf_random(out, size);
    return 0;
}

uint64_t tf_clock_ns(void)
{
    return clock_ns;
}

/* QuickJS's Date asks libc, which is enclave/libc in the image. */
int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    (void)tz;
    tv->tv_sec = (time_t)(clock_ns / 1000000000);
    tv->tv_usec = (suseconds_t)(clock_ns / 1000 % 1000000);
    return 0;
}

void tf_console(const char *text, size_t size)
{
    memcpy(console_line, text, size);
    console_line[size] = '\0';
}

bool is_quickjs(void)
{
    return strcmp(tf_js_engine(), "quickjs") == 0;
}

bool is_v8(void)
{
    return strcmp(tf_js_engine(), "v8") == 0;
}

bool is_modern(void)
{
    return is_quickjs() || is_v8();
}

bool is_duktape(void)
{
    return strcmp(tf_js_engine(), "duktape") == 0;
}

bool is_mujs(void)
{
    return strcmp(tf_js_engine(), "mujs") == 0;
}

void start(void)
{
    /* The slot's memory is the host's: whatever is there must not matter. */
    memset(slot_memory, 0xa5, sizeof(slot_memory));
    tf_slot_init(&slot, slot_memory, sizeof(slot_memory), NULL);
    heap = tf_arena_init(heap_memory, sizeof(heap_memory));
    console_line[0] = '\0';
    clock_ns = UINT64_C(1700000000123456789);
}

tf_err load_files(struct lambda *lambda)
{
    lambda->limits = (struct tf_js_limits){.steps = STEPS, .body = BODY, .stack = STACK};
    lambda->program.name = "test";
    lambda->program.files = lambda->files;
    tf_err err = tf_slot_load(&slot, heap, &lambda->program, MEMORY, &lambda->limits,
                              &lambda->snapshot);
    lambda->report = lambda->snapshot.report;
    return err != TF_OK ? err : lambda->snapshot.err;
}

tf_err load(struct lambda *lambda, const char *source)
{
    memset(lambda, 0, sizeof(*lambda));
    lambda->files[0] =
        (struct tf_js_file){"main.js", (const uint8_t *)source, strlen(source)};
    lambda->program.file_count = 1;
    lambda->program.entry = "main.js";
    return load_files(lambda);
}

static bool read_file(const char *path, uint8_t *data, size_t cap, struct tf_js_file *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    out->size = fread(data, 1, cap, file);
    out->data = data;
    return fclose(file) == 0;
}

tf_err load_folder(struct lambda *lambda, const char *folder, const char *const *names)
{
    static uint8_t sources[8][1 << 14];
    memset(lambda, 0, sizeof(*lambda));
    for (size_t i = 0; names[i] != NULL; i++) {
        char path[256];
        (void)snprintf(path, sizeof(path), "examples/%s/%s", folder, names[i]);
        lambda->files[i].path = names[i];
        if (!read_file(path, sources[i], sizeof(sources[i]), &lambda->files[i])) {
            return TF_EIO;
        }
        lambda->program.file_count++;
    }
    lambda->program.entry = names[0];
    lambda->program.is_module = strcmp(folder, "modules") == 0;
    return load_files(lambda);
}

static struct tf_str str(const char *text)
{
    return (struct tf_str){text, strlen(text)};
}

static uint32_t word_at(const uint8_t *bytes, size_t at)
{
    uint32_t word;

    memcpy(&word, bytes + at, sizeof(word));
    return word;
}

/* A sealed block's references are counted from 2^30 on; by Duktape in its second word,
 * so that a number that is written is not taken for a count. */
static bool is_count(size_t at, uint32_t word)
{
    enum { FROM = 1 << 30, AROUND = 1 << 24 };

    return word - (FROM - AROUND) < 2 * AROUND &&
           (!is_duktape() || at % ALIGNED == sizeof(word));
}

/* Duktape notes in a string that it is a literal, and how many characters it has. */
static bool is_note(const uint8_t *then, size_t at, uint32_t now)
{
    enum { IS_SEALED = 4, NOT_STRING = 3, NOTES = 0x8080, LENGTH_AT = 12 };
    uint32_t was = word_at(then, at);

    return is_duktape() &&
           ((at % ALIGNED == 0 && (was & (IS_SEALED | NOT_STRING)) == IS_SEALED &&
             ((was ^ now) & ~(uint32_t)NOTES) == 0) ||
            (at % ALIGNED == LENGTH_AT && was == 0 &&
             now <= word_at(then, at - sizeof(was))));
}

static bool is_unsealed(size_t at)
{
    size_t line = at / TF_ARENA_LINE;
    size_t end;

    return tf_arena_unsealed((const void *)slot.memory, &line, &end) &&
           line == at / TF_ARENA_LINE;
}

bool is_sealed_kept(const struct tf_snapshot *snapshot)
{
    const struct tf_slot_base *base = snapshot->base;

    if (slot.sealed_of != snapshot || snapshot->base_size == 0) {
        return true; /* it is brought in */
    }
    for (size_t at = base->sealed; at < base->unsealed; at += sizeof(uint32_t)) {
        uint32_t then = word_at(base->bytes, at);
        uint32_t now = word_at(slot.memory, at);
        if (then != now && !(is_count(at, then) && is_count(at, now)) &&
            !is_note(base->bytes, at, now) && !is_unsealed(at)) {
            (void)fprintf(stderr, "%zu of %zu to %zu: %08x was %08x\n", at, base->sealed,
                          base->unsealed, now, then);
            return false;
        }
    }
    return true;
}

tf_err ask(struct lambda *lambda, const char *url, const char *body)
{
    lambda->headers[0] = (struct tf_js_header){str("host"), str("a.test")};
    lambda->headers[1] = (struct tf_js_header){str("content-type"), str("text/x-test")};
    lambda->headers[2] = (struct tf_js_header){str("x-twice"), str("one")};
    lambda->headers[3] = (struct tf_js_header){str("x-twice"), str("tw\xf6")};
    lambda->request = (struct tf_js_request){.method = str(body == NULL ? "GET" : "POST"),
                                             .url = str(url),
                                             .headers = lambda->headers,
                                             .header_count = 4,
                                             .body = str(body == NULL ? "" : body)};
    tf_err err = tf_slot_call(&slot, &lambda->snapshot, &lambda->request, &lambda->limits,
                              &lambda->response, &lambda->report);
    return is_sealed_kept(&lambda->snapshot) ? err : TF_EINTERNAL;
}

tf_err run(struct lambda *lambda, const char *source, const char *body)
{
    tf_err err = load(lambda, source);
    return err != TF_OK ? err : ask(lambda, "https://a.test/path?x=1", body);
}

bool story_holds(const char *prelude, const char *story)
{
    static char source[8192];
    struct lambda lambda;

    (void)snprintf(source, sizeof(source),
                   "%sexports.fetch = function () { %s return new Response('ok'); };",
                   prelude, story);
    bool is_ok = run(&lambda, source, NULL) == TF_OK && answered(&lambda, "ok");
    if (!is_ok) {
        (void)fprintf(stderr, "  %s\n  %s\n", story, lambda.report.message);
    }
    drop(&lambda);
    return is_ok;
}

bool answered(const struct lambda *lambda, const char *text)
{
    const struct tf_str *body = &lambda->response.body;
    bool is_it = body->size == strlen(text) &&
                 (body->size == 0 || memcmp(body->data, text, body->size) == 0);
    if (!is_it) {
        (void)fprintf(stderr, "expected %s\nanswered %.*s\nreport %s\n", text,
                      (int)body->size, body->size == 0 ? "" : body->data,
                      lambda->report.message);
    }
    return is_it;
}

const char *header(const struct lambda *lambda, const char *name)
{
    static char value[1024];
    value[0] = '\0';
    for (size_t i = 0; i < lambda->response.header_count; i++) {
        const struct tf_js_header *h = &lambda->response.headers[i];
        if (h->name.size == strlen(name) &&
            memcmp(h->name.data, name, h->name.size) == 0) {
            (void)snprintf(value, sizeof(value), "%.*s", (int)h->value.size,
                           h->value.data);
        }
    }
    return value;
}

void drop(struct lambda *lambda)
{
    tf_slot_drop(&slot, heap, &lambda->snapshot);
}
