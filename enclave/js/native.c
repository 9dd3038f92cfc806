/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/js/native.h"

#include <string.h>

#include "enclave/http_text.h"
#include "enclave/js/env.h"
#include "enclave/js/text.h"
#include "lib/bytes.h"

enum {
    PRINT_MAX = 1024,
    BYTES_PER_STEP = 16,
    COPY_CHUNK = 64 << 10,
    /* Of text, by character. */
    TEXT_CHUNK = 12 << 10,
    TEXT_WORK = 128 << 10 /* what it counts as, in bytes copied */
};

static const struct tf_js_program no_program;
static const struct tf_js_request no_request;

void tf_native_init(struct tf_native *native, struct tf_arena *arena, const char *wanted)
{
    memset(native, 0, sizeof(*native));
    native->arena = arena;
    native->wanted = wanted;
    native->program = &no_program;
    native->request = &no_request;
}

double tf_native_random(struct tf_native *native)
{
    uint64_t bits;
    if (native->random_left < sizeof(bits)) {
        tf_random(native->random, sizeof(native->random));
        native->random_left = sizeof(native->random);
    }
    native->random_left -= sizeof(bits);
    memcpy(&bits, native->random + native->random_left, sizeof(bits));
    return (double)(bits >> 11) * 0x1p-53;
}

static void note_work(struct tf_native *native, size_t bytes)
{
    if (native->work != NULL) {
        native->work(native->user, bytes);
    }
}

/* The next part of a long text of which `left` bytes are left. */
static size_t next_part(struct tf_native *native, const void *data, size_t left)
{
    size_t size = tf_text_part(data, left, TEXT_CHUNK);

    if (size < left) {
        note_work(native, TEXT_WORK);
    }
    return size;
}

enum tf_text tf_native_scan(struct tf_native *native, const void *data, size_t size)
{
    const uint8_t *in = data;
    enum tf_text worst = TF_TEXT_ASCII;

    while (size > 0 && worst != TF_TEXT_BAD) {
        size_t part = next_part(native, in, size);
        enum tf_text found = tf_text_scan(in, part);
        worst = found > worst ? found : worst;
        in += part;
        size -= part;
    }
    return worst;
}

size_t tf_native_decode(struct tf_native *native, const struct tf_str *bytes,
                        bool is_latin1, bool is_cesu, char *out)
{
    size_t total = 0;
    size_t at = 0;

    while (at < bytes->size) {
        const char *in = bytes->data + at;
        size_t part = next_part(native, in, bytes->size - at);
        char *to = out == NULL ? NULL : out + total;
        total += is_latin1 ? tf_text_from_latin1(in, part, to)
                           : tf_text_decode(in, part, is_cesu, to);
        at += part;
    }
    return total;
}

bool tf_native_has_surrogates(struct tf_native *native, const char *text, size_t size)
{
    while (size > 0) {
        size_t part = next_part(native, text, size);
        if (tf_text_has_surrogates(text, part)) {
            return true;
        }
        text += part;
        size -= part;
    }
    return false;
}

static void set_data(struct tf_native_value *out, enum tf_native_kind kind,
                     const void *data, size_t size)
{
    out->kind = kind;
    out->data = (struct tf_str){data, size};
}

static void set_text(struct tf_native_value *out, const char *text)
{
    set_data(out, TF_KIND_TEXT, text, strlen(text));
}

static bool set_bool(struct tf_native_value *out, bool is_so)
{
    out->kind = TF_KIND_BOOL;
    out->number = is_so ? 1 : 0;
    return true;
}

/* Gives the result memory that the engine file frees. */
static char *own(struct tf_native *native, struct tf_native_value *out, size_t size)
{
    out->owned = tf_native_alloc(native, size + 1);
    return out->owned;
}

static bool body_text(struct tf_native *native, const struct tf_native_args *args,
                      struct tf_native_value *out)
{
    const struct tf_str *body = &native->request->body;
    if (args->flag && tf_native_scan(native, body->data, body->size) == TF_TEXT_BAD) {
        out->kind = TF_KIND_NULL;
    } else {
        set_data(out, TF_KIND_TEXT, body->data, body->size);
    }
    return true;
}

static bool body_buffer(struct tf_native *native, const struct tf_native_args *args,
                        struct tf_native_value *out)
{
    (void)args;
    set_data(out, TF_KIND_BUFFER, native->request->body.data, native->request->body.size);
    return true;
}

static bool to_base64(struct tf_native *native, const void *data, size_t size,
                      struct tf_native_value *out)
{
    char *text = own(native, out, tf_base64_size(size));
    if (text == NULL) {
        return false;
    }
    const uint8_t *in = data;
    for (size_t at = 0; at < size; at += TEXT_CHUNK) {
        size_t part = size - at < TEXT_CHUNK ? size - at : TEXT_CHUNK;
        tf_base64_write(in + at, part, text + at / 3 * 4);
        note_work(native, TEXT_WORK);
    }
    set_data(out, TF_KIND_LATIN1, text, tf_base64_size(size));
    return true;
}

static bool body_base64(struct tf_native *native, const struct tf_native_args *args,
                        struct tf_native_value *out)
{
    (void)args;
    return to_base64(native, native->request->body.data, native->request->body.size, out);
}

bool tf_native_header(struct tf_native *native, const struct tf_str *name,
                      struct tf_native_value *out)
{
    const struct tf_js_request *request = native->request;
    size_t at = tf_text_header(request, name->data, name->size, 0);
    size_t size = 0;
    char *text;

    if (at == request->header_count) {
        out->kind = TF_KIND_NULL;
        return true;
    }
    set_data(out, TF_KIND_LATIN1, request->headers[at].value.data,
             request->headers[at].value.size);
    at = tf_text_header(request, name->data, name->size, at + 1);
    if (at == request->header_count) {
        return true;
    }
    /* A name that came twice: Fetch 2.2.2 joins with a comma and a blank. */
    for (size_t i = 0; i < request->header_count; i++) {
        size += request->headers[i].value.size + 2;
    }
    text = own(native, out, size);
    if (text == NULL) {
        return false;
    }
    memcpy(text, out->data.data, out->data.size);
    size = out->data.size;
    while (at < request->header_count) {
        const struct tf_str *value = &request->headers[at].value;
        text[size] = ',';
        text[size + 1] = ' ';
        memcpy(text + size + 2, value->data, value->size);
        size += value->size + 2;
        at = tf_text_header(request, name->data, name->size, at + 1);
    }
    set_data(out, TF_KIND_LATIN1, text, size);
    return true;
}

static bool header(struct tf_native *native, const struct tf_native_args *args,
                   struct tf_native_value *out)
{
    return tf_native_header(native, &args->text, out);
}

static bool headers(struct tf_native *native, const struct tf_native_args *args,
                    struct tf_native_value *out)
{
    (void)args;
    out->kind = TF_KIND_HEADERS;
    out->count = native->request->header_count * 2;
    return true;
}

static bool env(struct tf_native *native, const struct tf_native_args *args,
                struct tf_native_value *out)
{
    (void)args;
    out->kind = TF_KIND_ENV;
    out->count = native->program->env_count * 2;
    return true;
}

uint64_t tf_native_steps(const struct tf_native_args *args,
                         const struct tf_native_value *out)
{
    return (args->text.size + args->size + out->data.size) / BYTES_PER_STEP;
}

struct tf_str tf_native_item(const struct tf_native *native, enum tf_native_kind kind,
                             size_t at)
{
    if (kind == TF_KIND_HEADERS) {
        const struct tf_js_header *h = &native->request->headers[at / 2];
        return at % 2 == 0 ? h->name : h->value;
    }
    const struct tf_js_var *var = &native->program->env[at / 2];
    const char *text = at % 2 == 0 ? var->name : var->value;
    return (struct tf_str){text, strlen(text)};
}

static bool lambda_name(struct tf_native *native, const struct tf_native_args *args,
                        struct tf_native_value *out)
{
    (void)args;
    set_text(out, native->program->name);
    return true;
}

static bool wanted(struct tf_native *native, const struct tf_native_args *args,
                   struct tf_native_value *out)
{
    (void)args;
    set_text(out, native->wanted == NULL ? "" : native->wanted);
    return true;
}

static bool encode(struct tf_native *native, const struct tf_native_args *args,
                   struct tf_native_value *out)
{
    const struct tf_str *text = &args->text;
    char *clean;

    if (!tf_native_has_surrogates(native, text->data, text->size)) {
        set_data(out, TF_KIND_BUFFER, text->data, text->size);
        return true;
    }
    clean = own(native, out, text->size);
    if (clean == NULL) {
        return false;
    }
    size_t size = 0;
    for (size_t at = 0; at < text->size;) {
        size_t part = next_part(native, text->data + at, text->size - at);
        size += tf_text_encode(text->data + at, part, clean + size);
        at += part;
    }
    set_data(out, TF_KIND_BUFFER, clean, size);
    return true;
}

/* tf_text_to_latin1 in parts. */
static bool to_latin1(struct tf_native *native, const struct tf_str *text, char *bytes,
                      size_t *size)
{
    size_t part;

    *size = 0;
    for (size_t at = 0; at < text->size; at += part) {
        size_t written;
        part = next_part(native, text->data + at, text->size - at);
        if (!tf_text_to_latin1(text->data + at, part, bytes + *size, &written)) {
            return false;
        }
        *size += written;
    }
    return true;
}

/* tf_text_unbase64 in parts. */
static bool unbase64(struct tf_native *native, const struct tf_str *text, uint8_t *bytes,
                     size_t *size)
{
    *size = 0;
    for (size_t at = 0; at < text->size; at += TEXT_CHUNK) {
        size_t part = text->size - at < TEXT_CHUNK ? text->size - at : TEXT_CHUNK;
        size_t written;
        if (!tf_text_unbase64(text->data + at, part, bytes + *size, &written)) {
            return false;
        }
        *size += written;
        note_work(native, TEXT_WORK);
    }
    return true;
}

static bool decode(struct tf_native *native, const struct tf_native_args *args,
                   struct tf_native_value *out)
{
    if (args->flag && tf_native_scan(native, args->bytes, args->size) == TF_TEXT_BAD) {
        out->kind = TF_KIND_NULL;
    } else {
        set_data(out, TF_KIND_TEXT, args->bytes, args->size);
    }
    return true;
}

static bool btoa(struct tf_native *native, const struct tf_native_args *args,
                 struct tf_native_value *out)
{
    size_t size;
    bool is_ok = true;
    char *bytes = tf_native_alloc(native, args->text.size + 1);

    if (bytes == NULL) {
        return false;
    }
    out->kind = TF_KIND_NULL;
    if (to_latin1(native, &args->text, bytes, &size)) {
        is_ok = to_base64(native, bytes, size, out);
    }
    tf_arena_free(native->arena, bytes);
    return is_ok;
}

static bool atob(struct tf_native *native, const struct tf_native_args *args,
                 struct tf_native_value *out)
{
    size_t size;
    char *bytes = own(native, out, args->text.size);

    if (bytes == NULL) {
        return false;
    }
    out->kind = TF_KIND_NULL;
    if (unbase64(native, &args->text, (uint8_t *)bytes, &size)) {
        set_data(out, args->flag ? TF_KIND_BUFFER : TF_KIND_LATIN1, bytes, size);
    }
    return true;
}

static bool random_number(struct tf_native *native, const struct tf_native_args *args,
                          struct tf_native_value *out)
{
    (void)args;
    out->kind = TF_KIND_NUMBER;
    out->number = tf_native_random(native);
    return true;
}

static bool fill(struct tf_native *native, const struct tf_native_args *args,
                 struct tf_native_value *out)
{
    (void)native;
    (void)out;
    tf_random(args->bytes, args->size);
    return true;
}

static bool now(struct tf_native *native, const struct tf_native_args *args,
                struct tf_native_value *out)
{
    uint64_t ms = tf_clock_ns() / 1000000;
    (void)native;
    (void)args;
    out->kind = TF_KIND_NUMBER;
    out->number = (double)ms;
    return true;
}

static bool print(struct tf_native *native, const struct tf_native_args *args,
                  struct tf_native_value *out)
{
    char line[PRINT_MAX];
    size_t size = args->text.size < PRINT_MAX ? args->text.size : PRINT_MAX;
    (void)native;
    (void)out;
    while (size > 0 && size < args->text.size && (args->text.data[size] & 0xc0) == 0x80) {
        size--; /* no part of a character */
    }
    tf_console(line, tf_text_encode(args->text.data, size, line));
    return true;
}

static bool has(struct tf_native *native, const struct tf_native_args *args,
                struct tf_native_value *out)
{
    return set_bool(
        out, tf_text_file(native->program, args->text.data, args->text.size) != NULL);
}

static bool source(struct tf_native *native, const struct tf_native_args *args,
                   struct tf_native_value *out)
{
    const struct tf_js_file *file =
        tf_text_file(native->program, args->text.data, args->text.size);
    if (file != NULL) {
        set_data(out, TF_KIND_TEXT, file->data, file->size);
    }
    return true;
}

static bool mentions(struct tf_native *native, const struct tf_native_args *args,
                     struct tf_native_value *out)
{
    return set_bool(
        out, tf_text_mentions(native->program, &args->text, native->work, native->user));
}

static bool lower(struct tf_native *native, const struct tf_native_args *args,
                  struct tf_native_value *out)
{
    char *text;

    out->kind = TF_KIND_NULL;
    if (!tf_http_is_token(args->text)) {
        return true;
    }
    text = own(native, out, args->text.size);
    if (text == NULL) {
        return false;
    }
    for (size_t i = 0; i < args->text.size; i++) {
        text[i] = tf_http_lower(args->text.data[i]);
    }
    set_data(out, TF_KIND_LATIN1, text, args->text.size);
    return true;
}

static bool plain(struct tf_native *native, const struct tf_native_args *args,
                  struct tf_native_value *out)
{
    (void)native;
    return set_bool(out, tf_text_is_plain(&args->text));
}

static bool refuse(struct tf_native *native, const struct tf_native_args *args,
                   struct tf_native_value *out)
{
    (void)args;
    (void)out;
    native->is_refused = true;
    return true;
}

const struct tf_native_def tf_natives[] = {
    {"text", TF_FORM_FLAG, body_text},     /* (strict): the request's body, as text;
                                            * strict: null if it is no UTF-8 */
    {"buffer", TF_FORM_NONE, body_buffer}, /* the same as an ArrayBuffer */
    {"body64", TF_FORM_NONE, body_base64}, /* the same as base64 */
    {"header", TF_FORM_TEXT, header},      /* (name): value or null */
    {"headers", TF_FORM_NONE, headers},    /* [name, value, ...] */
    {"env", TF_FORM_NONE, env},            /* [name, value, ...] */
    {"name", TF_FORM_NONE, lambda_name},   /* of the lambda */
    {"wanted", TF_FORM_NONE, wanted},      /* file of the prelude to run now, or '' */
    {"encode", TF_FORM_TEXT, encode},      /* (text): UTF-8 in an ArrayBuffer */
    {"decode", TF_FORM_SPAN, decode},      /* (..., fatal): text; fatal: null if bad */
    {"btoa", TF_FORM_TEXT, btoa},          /* (text): base64 or null */
    {"atob", TF_FORM_TEXT, atob},          /* (text, isBuffer): text or buffer, or null */
    {"random", TF_FORM_NONE, random_number}, /* [0, 1) */
    {"fill", TF_FORM_SPAN, fill},            /* random bytes */
    {"now", TF_FORM_NONE, now},              /* ms since 1970 */
    {"print", TF_FORM_TEXT, print},          /* (text): a line of the console */
    {"has", TF_FORM_TEXT, has},           /* (path): whether the program has that file */
    {"source", TF_FORM_TEXT, source},     /* (path): its text */
    {"mentions", TF_FORM_TEXT, mentions}, /* (word): whether a file of it has the word */
    {"lower", TF_FORM_TEXT, lower},   /* (name): in lower case; null: no header name */
    {"plain", TF_FORM_TEXT, plain},   /* (value): good as a header's value as it is */
    {"refuse", TF_FORM_NONE, refuse}, /* sets is_refused */
    {NULL, TF_FORM_NONE, NULL},
};

/* Zeroes in parts what a large block will have been zeroed for. */
static void zero_ahead(struct tf_native *native, const void *block, size_t size)
{
    while (size > COPY_CHUNK && tf_arena_zero_ahead(native->arena, block, size)) {
        note_work(native, COPY_CHUNK);
    }
}

void *tf_native_alloc(struct tf_native *native, size_t size)
{
    zero_ahead(native, NULL, size);
    return tf_arena_alloc(native->arena, size);
}

void *tf_native_resize(struct tf_native *native, void *block, size_t size,
                       void (*turn)(void *user, size_t bytes))
{
    struct tf_arena *arena = native->arena;
    size_t had = tf_arena_usable(block);
    size_t left = had < size ? had : size;

    zero_ahead(native, block, size);
    if (left <= COPY_CHUNK) {
        return tf_arena_realloc(arena, block, size);
    }
    if (tf_arena_resize(arena, block, size)) {
        return block;
    }
    uint8_t *moved = tf_arena_alloc(arena, size);
    if (moved == NULL) {
        return NULL;
    }
    for (size_t at = 0; at < left; at += COPY_CHUNK) {
        size_t chunk = left - at < COPY_CHUNK ? left - at : COPY_CHUNK;
        turn(native->user, chunk);
        memcpy(moved + at, (const uint8_t *)block + at, chunk);
    }
    tf_arena_free(arena, block);
    return moved;
}
