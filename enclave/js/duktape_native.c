/* SPDX-License-Identifier: Apache-2.0 */
/* duktape_native.c - native.h on Duktape: arguments and results. */
#include <string.h>

#include "enclave/js/duktape_instance.h"
#include "enclave/js/text.h"

/* Their order here is that of enum tf_duktape_name. */
static const char *const names[TF_NAMES] = {
    "method",
    "url",
    "turn",
    "status",
    "text",
    "response",
    "headers",
    "body",
    "used",
    DUK_HIDDEN_SYMBOL("state"),
    DUK_HIDDEN_SYMBOL("value"),
    DUK_HIDDEN_SYMBOL("waiting"),
    "block",
    "then",
    "statusText",
    "content-type",
};

const uint8_t tf_duktape_places[TF_NAMES] = {
    [TF_NAME_METHOD] = 0,  [TF_NAME_URL] = 1,   [TF_NAME_TURN] = 5,
    [TF_NAME_STATUS] = 0,  [TF_NAME_TEXT] = 1,  [TF_NAME_RESPONSE] = 6,
    [TF_NAME_HEADERS] = 2, [TF_NAME_BODY] = 3,  [TF_NAME_USED] = 4,
    [TF_NAME_STATE] = 0,   [TF_NAME_VALUE] = 1, [TF_NAME_WAITING] = 2,
    [TF_NAME_BLOCK] = 4,
};

void tf_duktape_make_names(duk_context *context)
{
    struct tf_js *js = tf_duktape_self(context);

    duk_push_global_stash(context);
    duk_push_array(context);
    for (duk_uarridx_t i = 0; i < TF_NAMES; i++) {
        duk_push_string(context, names[i]);
        js->names[i] = duk_get_heapptr(context, -1);
        duk_put_prop_index(context, -2, i);
    }
    duk_put_prop_string(context, -2, "names");
    duk_pop(context);
}

/* Decodes untrusted bytes, of which each is a character or which are UTF-8. Only what is
 * well formed may become a string: others can look like Duktape's hidden symbols. */
void tf_duktape_push_text(duk_context *context, const struct tf_str *bytes,
                          bool is_latin1)
{
    struct tf_native *native = &tf_duktape_self(context)->native;
    enum tf_text found = tf_native_scan(native, bytes->data, bytes->size);
    char *text;
    size_t size;

    if (found == TF_TEXT_ASCII || (!is_latin1 && found == TF_TEXT_BMP)) {
        duk_push_lstring(context, bytes->data, bytes->size);
        return;
    }
    text = duk_push_fixed_buffer(context, bytes->size * 3);
    size = tf_native_decode(native, bytes, is_latin1, true, text);
    duk_push_lstring(context, text, size);
    duk_remove(context, -2);
}

void tf_duktape_push_buffer(duk_context *context, const struct tf_str *bytes)
{
    void *copy = duk_push_fixed_buffer(context, bytes->size);
    if (bytes->size > 0) {
        memcpy(copy, bytes->data, bytes->size);
    }
    duk_push_buffer_object(context, -1, 0, bytes->size, DUK_BUFOBJ_ARRAYBUFFER);
    duk_remove(context, -2);
}

static void push_value(duk_context *context, const struct tf_native *native,
                       const struct tf_native_value *value)
{
    switch (value->kind) {
    case TF_KIND_NULL:
        duk_push_null(context);
        return;
    case TF_KIND_BOOL:
        duk_push_boolean(context, value->number != 0);
        return;
    case TF_KIND_NUMBER:
        duk_push_number(context, value->number);
        return;
    case TF_KIND_TEXT:
    case TF_KIND_LATIN1:
        tf_duktape_push_text(context, &value->data, value->kind == TF_KIND_LATIN1);
        return;
    case TF_KIND_BUFFER:
        tf_duktape_push_buffer(context, &value->data);
        return;
    case TF_KIND_HEADERS:
    case TF_KIND_ENV:
        duk_push_array(context);
        for (duk_uarridx_t i = 0; i < value->count; i++) {
            struct tf_str item = tf_native_item(native, value->kind, i);
            tf_duktape_push_text(context, &item, value->kind == TF_KIND_HEADERS);
            duk_put_prop_index(context, -2, i);
        }
        return;
    case TF_KIND_UNDEFINED:
    default:
        duk_push_undefined(context);
    }
}

/* Takes (buffer, at, size); the prelude's, but a script may have put its own there. */
static void take_span(duk_context *context, struct tf_native_args *out)
{
    double at = duk_to_number(context, 1);
    double size = duk_to_number(context, 2);
    size_t total;
    uint8_t *data;

    if (!duk_is_buffer_data(context, 0)) {
        (void)duk_type_error(context, "not a buffer");
    }
    data = duk_get_buffer_data(context, 0, &total);
    if (!(at >= 0 && size >= 0 && at + size <= (double)total)) {
        (void)duk_range_error(context, "outside the buffer");
    }
    out->bytes = data + (size_t)at;
    out->size = (size_t)size;
}

static duk_ret_t native(duk_context *context)
{
    struct tf_js *js = tf_duktape_self(context);
    const struct tf_native_def *def = &tf_natives[duk_get_current_magic(context)];
    struct tf_native_args args = {0};
    struct tf_native_value out = {0};

    if (def->form == TF_FORM_TEXT) {
        args.text.data = duk_to_lstring(context, 0, &args.text.size);
        args.flag = duk_to_boolean(context, 1);
    } else if (def->form == TF_FORM_SPAN) {
        args.flag = duk_to_boolean(context, 3);
        take_span(context, &args);
    } else if (def->form == TF_FORM_FLAG) {
        args.flag = duk_to_boolean(context, 0);
    }
    if (!def->run(&js->native, &args, &out)) {
        return duk_generic_error(context, "alloc failed");
    }
    push_value(context, &js->native, &out);
    tf_arena_free(js->arena, out.owned);
    tf_duk_charge(js, tf_native_steps(&args, &out));
    return 1;
}

static duk_ret_t native_compile(duk_context *context)
{
    static const char before[] =
        "function (exports, require, module, __filename, __dirname) {";
    static const char after[] = "\n}";
    size_t size;
    const char *path = duk_to_lstring(context, 0, &size);
    const struct tf_js_file *file =
        tf_text_file(tf_duktape_self(context)->native.program, path, size);
    char *text;

    if (file == NULL) {
        return duk_reference_error(context, "no such file");
    }
    size = sizeof(before) + sizeof(after) - 2 + file->size;
    text = duk_push_fixed_buffer(context, size);
    memcpy(text, before, sizeof(before) - 1);
    memcpy(text + sizeof(before) - 1, file->data, file->size);
    memcpy(text + size - (sizeof(after) - 1), after, sizeof(after) - 1);
    duk_dup(context, 0);
    duk_compile_lstring_filename(context, DUK_COMPILE_FUNCTION, text, size);
    return 1;
}

static duk_ret_t native_prelude(duk_context *context)
{
    size_t size;
    const char *name = duk_to_lstring(context, 0, &size);
    const struct tf_prelude *file = tf_text_prelude(name, size);

    if (file == NULL) {
        return duk_reference_error(context, "no such file");
    }
    tf_duktape_push_prelude(context, file);
    return 1;
}

void tf_duktape_push_prelude(duk_context *context, const struct tf_prelude *file)
{
    duk_push_string(context, file->name);
    duk_compile_lstring_filename(context, DUK_COMPILE_EVAL | DUK_COMPILE_NOLINES,
                                 file->data, (size_t)(file->end - file->data));
    duk_call(context, 0);
}

/* Keeps argument `at` where the answer is taken from. */
static void stash(duk_context *context, duk_idx_t at, const char *name)
{
    duk_push_global_stash(context);
    duk_dup(context, at);
    duk_put_prop_string(context, -2, name);
    duk_pop(context);
}

duk_ret_t tf_duktape_forget_answer(duk_context *context, void *unused)
{
    static const char *const places[] = {"reason", "clean", "headers", "body", "block"};
    (void)unused;
    duk_push_global_stash(context);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        duk_push_undefined(context);
        duk_put_prop_string(context, -2, places[i]);
    }
    return 0;
}

static duk_ret_t native_respond(duk_context *context)
{
    struct tf_js *js = tf_duktape_self(context);
    double status = duk_to_number(context, 0);

    if (!js->is_answered && !js->is_failed) {
        stash(context, 1, "body");
        stash(context, 2, "headers");
        js->status = status;
        js->is_answered = true;
    }
    return 0;
}

static duk_ret_t native_fail(duk_context *context)
{
    struct tf_js *js = tf_duktape_self(context);
    if (!js->is_answered && !js->is_failed) {
        stash(context, 0, "reason");
        js->is_failed = true;
    }
    return 0;
}

void tf_duktape_push_native(duk_context *context)
{
    duk_push_object(context);
    for (duk_int_t i = 0; tf_natives[i].name != NULL; i++) {
        duk_push_c_lightfunc(context, native, 4, 4, i); /* made when it is touched */
        duk_put_prop_string(context, -2, tf_natives[i].name);
    }
    duk_push_true(context); /* accessors are told the name of their property */
    duk_put_prop_string(context, -2, "tells");
    tf_duktape_put_http(context);
    duk_push_c_function(context, native_compile, 1);
    duk_put_prop_string(context, -2, "compile");
    duk_push_c_function(context, native_prelude, 1);
    duk_put_prop_string(context, -2, "prelude");
    duk_push_c_function(context, native_respond, 3);
    duk_put_prop_string(context, -2, "respond");
    duk_push_c_function(context, native_fail, 1);
    duk_put_prop_string(context, -2, "fail");
}

/* --- what is not copied for each request ----------------------------------------- */

static void seal(void *udata, const void *block)
{
    const struct tf_js *js = udata;
    tf_arena_seal(js->arena, block);
}

static void unseal(void *udata, const void *at, duk_size_t size)
{
    const struct tf_js *js = udata;
    tf_arena_unseal(js->arena, at, size);
}

bool tf_duktape_seal(struct tf_js *js)
{
    return duk_seal_heap(js->context, seal, unseal) != 0;
}
