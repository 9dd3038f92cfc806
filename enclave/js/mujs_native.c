/* SPDX-License-Identifier: Apache-2.0 */
/* mujs_native.c - native.h on MuJS: arguments and results. */
#include <string.h>

#include "enclave/js/mujs_instance.h"

/* MuJS ends strings with a zero; U+0000 is these two bytes in them. */
static const char zero[2] = "\xc0\x80";

/* --- text -------------------------------------------------------------------------- */

static size_t count_zeros(const char *data, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        count += data[i] == '\0';
    }
    return count;
}

/* Writes each zero of `in` as MuJS has it. `in` may be the end of `out`'s memory: no byte
 * is written before it was read. */
static size_t hide_zeros(const char *in, size_t size, char *out)
{
    char *to = out;
    for (size_t i = 0; i < size; i++) {
        if (in[i] != '\0') {
            *to++ = in[i];
        } else {
            memcpy(to, zero, sizeof(zero));
            to += sizeof(zero);
        }
    }
    return (size_t)(to - out);
}

struct tf_str tf_mujs_text(js_State *state, int at, char **owned)
{
    const char *text = js_tostring(state, at);
    struct tf_str out = {text, strlen(text)};
    const char *end = text + out.size;
    const char *found = strstr(text, "\xc0\x80");
    char *to;

    *owned = NULL;
    if (found == NULL) {
        return out;
    }
    to = *owned = tf_mujs_alloc(js_getcontext(state), out.size);
    while (found != NULL) {
        memcpy(to, text, (size_t)(found - text));
        to += found - text;
        *to++ = '\0';
        text = found + sizeof(zero);
        found = strstr(text, "\xc0\x80");
    }
    memcpy(to, text, (size_t)(end - text));
    to += end - text;
    return (struct tf_str){*owned, (size_t)(to - *owned)};
}

/* Decodes untrusted bytes, of which each is a character or which are UTF-8, to what MuJS
 * keeps, and ends it with a zero. @return memory of the instance. */
static char *decode(struct tf_js *js, const struct tf_str *bytes, bool is_latin1,
                    size_t *size)
{
    size_t zeros = count_zeros(bytes->data, bytes->size);
    size_t room = is_latin1 ? 2 * bytes->size
                            : tf_native_decode(&js->native, bytes, false, true, NULL);
    char *text = tf_mujs_alloc(js, zeros + room);
    char *raw = text + zeros;

    *size = tf_native_decode(&js->native, bytes, is_latin1, true, raw);
    *size = hide_zeros(raw, *size, text);
    text[*size] = '\0';
    return text;
}

static void push_text(js_State *state, const struct tf_str *bytes, bool is_latin1)
{
    struct tf_js *js = js_getcontext(state);
    enum tf_text found = tf_native_scan(&js->native, bytes->data, bytes->size);
    size_t size;
    char *text;

    if ((found == TF_TEXT_ASCII || (!is_latin1 && found == TF_TEXT_BMP)) &&
        (bytes->size == 0 || memchr(bytes->data, '\0', bytes->size) == NULL)) {
        js_pushlstring(state, bytes->size == 0 ? "" : bytes->data, (int)bytes->size);
        return;
    }
    text = decode(js, bytes, is_latin1, &size);
    js_pushlstring(state, text, (int)size);
    tf_mujs_free(js, text);
}

/* --- values ------------------------------------------------------------------------ */

static void push_list(js_State *state, const struct tf_native *native,
                      const struct tf_native_value *list)
{
    js_newarray(state);
    for (size_t i = 0; i < list->count; i++) {
        struct tf_str item = tf_native_item(native, list->kind, i);
        push_text(state, &item, list->kind == TF_KIND_HEADERS);
        js_setindex(state, -2, (int)i);
    }
}

static void push_copy(js_State *state, const struct tf_str *bytes)
{
    uint8_t *copy = tf_mujs_push_buffer(state, bytes->size);
    if (bytes->size > 0) {
        memcpy(copy, bytes->data, bytes->size);
    }
}

static void push_value(js_State *state, const struct tf_native *native,
                       const struct tf_native_value *value)
{
    switch (value->kind) {
    case TF_KIND_NULL:
        js_pushnull(state);
        return;
    case TF_KIND_BOOL:
        js_pushboolean(state, value->number != 0);
        return;
    case TF_KIND_NUMBER:
        js_pushnumber(state, value->number);
        return;
    case TF_KIND_TEXT:
    case TF_KIND_LATIN1:
        push_text(state, &value->data, value->kind == TF_KIND_LATIN1);
        return;
    case TF_KIND_BUFFER:
        push_copy(state, &value->data);
        return;
    case TF_KIND_HEADERS:
    case TF_KIND_ENV:
        push_list(state, native, value);
        return;
    case TF_KIND_UNDEFINED:
    default:
        js_pushundefined(state);
    }
}

/* Takes (buffer, at, size); the prelude's, but a script may have put its own there. */
static void take_span(js_State *state, struct tf_native_args *out)
{
    double at = js_tonumber(state, 2);
    double size = js_tonumber(state, 3);
    size_t total;
    uint8_t *data = tf_mujs_buffer(state, 1, &total);

    if (data == NULL) {
        js_typeerror(state, "not a buffer");
    }
    if (!(at >= 0 && size >= 0 && at + size <= (double)total)) {
        js_rangeerror(state, "outside the buffer");
    }
    out->bytes = data + (size_t)at;
    out->size = (size_t)size;
}

static void native(js_State *state)
{
    struct tf_js *js = js_getcontext(state);
    const struct tf_native_def *def = js_currentfunctiondata(state);
    struct tf_native_args args = {0};
    struct tf_native_value out = {0};
    char *owned = NULL;

    if (def->form == TF_FORM_TEXT) {
        args.text = tf_mujs_text(state, 1, &owned);
        args.flag = js_toboolean(state, 2);
    } else if (def->form == TF_FORM_SPAN) {
        args.flag = js_toboolean(state, 4);
        take_span(state, &args);
    } else if (def->form == TF_FORM_FLAG) {
        args.flag = js_toboolean(state, 1);
    }
    if (!def->run(&js->native, &args, &out)) {
        tf_mujs_leave(js, TF_EMEMORY);
        js_error(state, "out of memory"); /* while opening */
    }
    push_value(state, &js->native, &out);
    tf_arena_free(js->arena, out.owned);
    tf_mujs_free(js, owned);
    js_chargesteps(state, (long)tf_native_steps(&args, &out));
}

/* --- sources ----------------------------------------------------------------------- */

/* Runs a source whose value is a function, which it pushes. */
static void push_function(js_State *state, const char *name, const char *source)
{
    js_loadstring(state, name, source);
    js_pushundefined(state);
    js_call(state, 0);
}

static void native_compile(js_State *state)
{
    static const char before[] =
        "(function (exports, require, module, __filename, __dirname) {";
    static const char after[] = "\n})";
    struct tf_js *js = js_getcontext(state);
    const char *path = js_tostring(state, 1);
    const struct tf_js_file *file = tf_text_file(js->native.program, path, strlen(path));
    struct tf_str bytes;
    size_t size;
    char *text;
    char *whole;

    if (file == NULL) {
        js_referenceerror(state, "no such file");
    }
    bytes = (struct tf_str){(const char *)file->data, file->size};
    text = decode(js, &bytes, false, &size);
    whole = tf_mujs_alloc(js, sizeof(before) + sizeof(after) + size);
    memcpy(whole, before, sizeof(before) - 1);
    memcpy(whole + sizeof(before) - 1, text, size);
    memcpy(whole + sizeof(before) - 1 + size, after, sizeof(after));
    tf_mujs_free(js, text);
    push_function(state, file->path, whole);
    tf_mujs_free(js, whole);
}

void tf_mujs_push_prelude(js_State *state, const struct tf_prelude *file)
{
    push_function(state, file->name, file->data);
}

static void native_prelude(js_State *state)
{
    const char *name = js_tostring(state, 1);
    const struct tf_prelude *file = tf_text_prelude(name, strlen(name));

    if (file == NULL) {
        js_referenceerror(state, "no such file");
    }
    tf_mujs_push_prelude(state, file);
}

/* --- the answer -------------------------------------------------------------------- */

static void native_respond(js_State *state)
{
    struct tf_js *js = js_getcontext(state);
    double status = js_tonumber(state, 1);

    if (!js->is_answered && !js->is_failed) {
        js_copy(state, 2);
        js_setregistry(state, "body");
        js_copy(state, 3);
        js_setregistry(state, "headers");
        js->status = status;
        js->is_answered = true;
    }
    js_pushundefined(state);
}

static void native_fail(js_State *state)
{
    struct tf_js *js = js_getcontext(state);

    if (!js->is_answered && !js->is_failed) {
        js_copy(state, 1);
        js_setregistry(state, "reason");
        js->is_failed = true;
    }
    js_pushundefined(state);
}

void tf_mujs_push_native(js_State *state)
{
    static const struct {
        const char *name;
        js_CFunction run;
        int length;
    } own[] = {{"compile", native_compile, 1},
               {"prelude", native_prelude, 1},
               {"respond", native_respond, 3},
               {"fail", native_fail, 1}};

    js_newobject(state);
    for (int i = 0; tf_natives[i].name != NULL; i++) {
        const struct tf_native_def *def = &tf_natives[i];
        void *data; /* only read, but the API has no const */
        memcpy(&data, &def, sizeof(data));
        js_newcfunctionx(state, native, tf_natives[i].name, 4, data, NULL);
        js_setproperty(state, -2, tf_natives[i].name);
    }
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        js_newcfunction(state, own[i].run, own[i].name, own[i].length);
        js_setproperty(state, -2, own[i].name);
    }
}
