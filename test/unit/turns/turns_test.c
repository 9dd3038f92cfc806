/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No hostile lambda of the pack (test/attack/pack/) holds its thread for long between two
 * turns of others, neither in its engine nor when its heap is made fresh after it.
 * Counted, not timed: engine, adapter and arena are built with a call at each basic
 * block, and what memcpy and its like move counts by its length. A thousand of these
 * blocks are about half a microsecond, a quantum of an empty loop is about 80,000.
 *
 *   TFAAS_PACK=all   each lambda of the pack; unset: every fourth; else this one
 *   TURNS_MOST=N     names each that does more than N between two turns, and prints where
 *                    it was when it did (addr2line -fe THIS ADDRESS...)
 */
#include <dirent.h>
#include <execinfo.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/limits.h"
#include "test/test.h"
#include "test/unit/js/fixture.h"

#define PACK "test/attack/pack/"

enum {
    NESTED = 100000, /* as in test/attack/pack_test.sh */
    FUNCTIONS = 60000,
    SOURCE_MAX = 4 << 20,
    PACK_STEPS = 3 * 1000 * 1000,
    FULL_STEPS = 60 * 1000 * 1000, /* with which some fill their heap */
    SHARE = 4,                     /* one lambda of so many, if not all are asked for */
    BYTES_PER_BLOCK = 8, /* that memcpy moves in the time of a basic block, about */
    FORMAT = 400,        /* blocks that vsnprintf takes, about */
    FRAMES = 40
};

static uint64_t work; /* since others had their turn last */
static uint64_t most; /* of these */
static uint64_t tell_at = UINT64_MAX;
static char text[SOURCE_MAX];
static char entry_text[1 << 14];
static char event_entry_text[1 << 12];

/* --- counting -------------------------------------------------------------------- */

static void tell(void)
{
    void *frames[FRAMES];

    tell_at = UINT64_MAX;
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES), 2);
}

static void count(uint64_t amount)
{
    work += amount;
    if (work > tell_at) {
        tell();
    }
}

/* What the compiler calls at each basic block of what is counted. */
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    count(1);
}

/* What the linker puts in the places of memcpy and its like (--wrap), and these. */
void *__real_memcpy(void *to, const void *from, size_t size);
void *__real_memmove(void *to, const void *from, size_t size);
void *__real_memset(void *to, int byte, size_t size);
int __real_memcmp(const void *a, const void *b, size_t size);
void *__wrap_memcpy(void *to, const void *from, size_t size);
void *__wrap_memmove(void *to, const void *from, size_t size);
void *__wrap_memset(void *to, int byte, size_t size);
int __wrap_memcmp(const void *a, const void *b, size_t size);

void *__wrap_memcpy(void *to, const void *from, size_t size)
{
    count(size / BYTES_PER_BLOCK);
    return __real_memcpy(to, from, size);
}

void *__wrap_memmove(void *to, const void *from, size_t size)
{
    count(size / BYTES_PER_BLOCK);
    return __real_memmove(to, from, size);
}

void *__wrap_memset(void *to, int byte, size_t size)
{
    count(size / BYTES_PER_BLOCK);
    return __real_memset(to, byte, size);
}

int __wrap_memcmp(const void *a, const void *b, size_t size)
{
    count(size / BYTES_PER_BLOCK);
    return __real_memcmp(a, b, size);
}

int __real_vsnprintf(char *out, size_t size, const char *format, va_list args);
int __wrap_vsnprintf(char *out, size_t size, const char *format, va_list args);

int __wrap_vsnprintf(char *out, size_t size, const char *format, va_list args)
{
    int length = __real_vsnprintf(out, size, format, args);

    count(FORMAT + (length > 0 ? (uint64_t)length : 0));
    return length;
}

static void turn(void *user)
{
    (void)user;
    most = work > most ? work : most;
    work = 0;
}

/* --- one lambda ------------------------------------------------------------------ */

static void read_text(const char *path, char *out, size_t cap)
{
    FILE *file = fopen(path, "r");
    size_t size = file == NULL ? 0 : fread(out, 1, cap - 1, file);

    CHECK(size > 0 && size < cap - 1);
    out[size] = '\0';
    if (file != NULL) {
        (void)fclose(file);
    }
}

static char *repeat(char *at, const char *what)
{
    for (int i = 0; i < NESTED; i++) {
        at = stpcpy(at, what);
    }
    return at;
}

/* Puts in `text` what its line `//@ KIND [OPEN [CLOSE]]` stands for. */
static void generate(void)
{
    char kind[16] = "";
    char open[32] = "";
    char close[32] = "";
    char *at;

    (void)sscanf(strstr(text, "//@ "), "//@ %15s %31s %31s", kind, open, close);
    if (strcmp(kind, "large") == 0) {
        at = stpcpy(text, "var a;\n");
        for (int i = 1; i <= FUNCTIONS; i++) {
            at += sprintf(at, "a = function () { return [%d]; };\n", i);
        }
    } else if (strcmp(kind, "regexp") == 0) {
        at = repeat(repeat(stpcpy(text, "var a = /"), "("), ")");
        at = stpcpy(at, "/;\n");
    } else {
        at = repeat(repeat(stpcpy(text, "var a = "), open), close);
        at = stpcpy(at, ";\n");
    }
    (void)strcpy(at, "exports.fetch = function () { return new Response('x'); };\n");
}

static struct tf_js_file file_of(const char *path, const char *source)
{
    return (struct tf_js_file){path, (const uint8_t *)source, strlen(source)};
}

/* The program that has `text` as its file NAME.js; a load has nothing else. */
static void make_program(struct lambda *lambda, const char *name)
{
    static char path[TF_PATH_MAX];
    bool is_event = strstr(text, "exports.handler") != NULL;
    bool is_load = strncmp(name, "load-", 5) == 0;
    bool is_full =
        strcmp(name, "memory-arrays") == 0 || strcmp(name, "memory-closures") == 0;
    const char *entry = is_event ? event_entry_text : entry_text;

    (void)snprintf(path, sizeof(path), "%s.js", name);
    memset(lambda, 0, sizeof(*lambda));
    lambda->files[0] = file_of("main.js", is_load ? text : entry);
    lambda->files[1] = file_of(path, text);
    lambda->program = (struct tf_js_program){.files = lambda->files,
                                             .file_count = is_load ? 1 : 2,
                                             .entry = "main.js",
                                             .name = "test"};
    lambda->limits = (struct tf_js_limits){.steps = is_full ? FULL_STEPS : PACK_STEPS,
                                           .body = TF_BODY_MAX,
                                           .stack = STACK,
                                           .pause = turn,
                                           .quantum = TF_QUANTUM};
}

/* Loads what is in `text`, asks for the attack, and then for what the slot is like after
 * it. @return the most that was done between two turns. */
static uint64_t attack(const char *name)
{
    char url[128];
    struct lambda lambda;

    make_program(&lambda, name);
    (void)snprintf(url, sizeof(url), "https://a.test/%s", name);
    most = 0;
    work = 0;
    CHECK(tf_slot_load(&slot, heap, &lambda.program, TF_MEMORY_DEFAULT, &lambda.limits,
                       &lambda.snapshot) == TF_OK);
    if (lambda.snapshot.err == TF_OK) {
        (void)ask(&lambda, url, "body");
        (void)ask(&lambda, "https://a.test/", NULL);
    }
    turn(NULL);
    drop(&lambda);
    return most;
}

/* --- all ------------------------------------------------------------------------- */

/* What still does more, in 100,000 blocks: nobody's to copy, everybody's to shorten. */
struct debt {
    const char *engine;
    const char *name;
    uint64_t most;
};

static const struct debt debts[] = {
    {"quickjs", "memory-weak-refs", 13},
    {"quickjs", "native-trim", 12},
    {"quickjs", "native-uri", 16},
    {"quickjs", "native-number-of-text", 16},
    {"quickjs", "native-headers-pairs", 56},
    {"quickjs", "native-bound-arguments", 16},
    {"quickjs", "native-with", 16},
    {"quickjs", "native-normalize", 19},
    {"quickjs", "native-own-keys-of-proxy", 23},
    {"quickjs", "regexp-compile-open-class", 177},
    {"quickjs", "header-huge-name", 56},
    {"duktape", "memory-repeat", 15},
    {"duktape", "source-nested-regexp", 29},
    {"duktape", "native-apply-array", 14},
    {"duktape", "native-string-last-index-of", 12},
    {"duktape", "native-trim", 32},
    {"duktape", "native-substring-of-astral", 12},
    {"duktape", "native-uri", 36},
    {"duktape", "native-escape", 63},
    {"duktape", "native-number-of-text", 18},
    {"duktape", "native-bound-arguments", 13},
    {"duktape", "regexp-compile-counted", 14},
    {"duktape", "regexp-compile-open-class", 35},
    {"mujs", "source-nested-brackets", 12},
    {"mujs", "source-nested-parentheses", 12},
    {"mujs", "source-nested-braces", 12},
    {"mujs", "source-nested-functions", 55},
    {"mujs", "source-nested-unary", 12},
    {"mujs", "source-nested-conditions", 20},
    {"mujs", "source-nested-assignments", 12},
    {"mujs", "source-nested-operators", 18},
    {"mujs", "source-nested-calls", 12},
    {"mujs", "source-nested-statements", 29},
    {"mujs", "source-nested-regexp", 15},
    {"mujs", "source-large-source", 84},
    {"mujs", "source-nested-templates", 21},
    {"mujs", "source-nested-arrows", 18},
    {"mujs", "source-nested-patterns", 29},
    {"mujs", "source-nested-classes", 38},
    {"mujs", "native-substring-of-astral", 13},
    {"mujs", "native-uri", 50},
    {"mujs", "native-typed-of-typed", 56},
    {"mujs", "native-header-names", 12},
    {"mujs", "native-log-flood", 15},
    {"mujs", "header-huge-name", 50},
};

static uint64_t bound_of(const char *name)
{
    enum { UNIT = 100 * 1000, MOST = 10 * UNIT };

    for (size_t i = 0; i < sizeof(debts) / sizeof(debts[0]); i++) {
        if (strcmp(debts[i].name, name) == 0 &&
            strcmp(debts[i].engine, tf_js_engine()) == 0) {
            return debts[i].most * UNIT;
        }
    }
    return MOST;
}

static bool is_chosen(const char *name)
{
    static unsigned number;
    const char *wanted = getenv("TFAAS_PACK");

    if (wanted == NULL) {
        return number++ % SHARE == 0;
    }
    return strcmp(wanted, "all") == 0 || strcmp(wanted, name) == 0;
}

static void judge(const char *name)
{
    const char *told = getenv("TURNS_MOST");
    uint64_t bound = told == NULL ? bound_of(name) : strtoull(told, NULL, 10);

    tell_at = told == NULL ? UINT64_MAX : bound;
    uint64_t got = attack(name);
    if (!CHECK(got <= bound)) {
        (void)fprintf(stderr, "  %s: %" PRIu64 " blocks\n", name, got);
    }
}

/* The lambdas of a file begin with a line `//# NAME CODE...` each. */
static void judge_file(const char *path)
{
    static char all[1 << 16];
    char name[64];

    read_text(path, all, sizeof(all));
    for (char *at = strstr(all, "//# "); at != NULL;) {
        char *begin = strchr(at, '\n') + 1;
        char *end = strstr(begin, "//# ");
        size_t size = end == NULL ? strlen(begin) : (size_t)(end - begin);
        (void)sscanf(at, "//# %63s", name);
        memcpy(text, begin, size);
        text[size] = '\0';
        if (strstr(text, "//@ ") != NULL) {
            generate();
        }
        if (is_chosen(name)) {
            judge(name);
        }
        at = end;
    }
}

/* Each base of the slot is made once, which is nothing that a lambda can repeat. */
static void make_bases(void)
{
    (void)strcpy(text, "exports.fetch = function () {};");
    (void)attack("load-plain");
    (void)strcpy(text, "exports.fetch = function () { new URL(''); };");
    (void)attack("load-url");
}

static void others_get_their_turns(void)
{
    DIR *dir = opendir(PACK);
    struct dirent *found;
    char path[512];

    start();
    read_text(PACK "main.js", entry_text, sizeof(entry_text));
    read_text(PACK "main_event.js", event_entry_text, sizeof(event_entry_text));
    make_bases();
    while (CHECK(dir != NULL) && (found = readdir(dir)) != NULL) {
        if (strstr(found->d_name, ".js") != NULL &&
            strncmp(found->d_name, "main", 4) != 0) {
            (void)snprintf(path, sizeof(path), PACK "%s", found->d_name);
            judge_file(path);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
}

int main(void)
{
    RUN(others_get_their_turns);
    return test_end();
}
