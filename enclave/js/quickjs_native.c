/* SPDX-License-Identifier: Apache-2.0 */
/* quickjs_native.c - native.h on QuickJS: arguments and results. */
#include <string.h>

#include "enclave/js/quickjs_instance.h"
#include "enclave/js/text.h"

JSValue tf_quickjs_text(JSContext *context, const struct tf_str *bytes, bool is_latin1)
{
    struct tf_js *js = JS_GetContextOpaque(context);
    enum tf_text found = tf_native_scan(&js->native, bytes->data, bytes->size);
    JSValue value;
    char *text;
    size_t size;

    if (found == TF_TEXT_ASCII || (!is_latin1 && found != TF_TEXT_BAD)) {
        return JS_NewStringLen(context, bytes->data, bytes->size);
    }
    text = js_malloc(context, bytes->size * 3);
    if (text == NULL) {
        return JS_EXCEPTION;
    }
    size = tf_native_decode(&js->native, bytes, is_latin1, false, text);
    value = JS_NewStringLen(context, text, size);
    js_free(context, text);
    return value;
}

static JSValue new_list(JSContext *context, const struct tf_native *native,
                        const struct tf_native_value *list)
{
    JSValue array = JS_NewArray(context);
    for (uint32_t i = 0; i < list->count && !JS_IsException(array); i++) {
        struct tf_str item = tf_native_item(native, list->kind, i);
        JSValue value = tf_quickjs_text(context, &item, list->kind == TF_KIND_HEADERS);
        if (JS_IsException(value) ||
            JS_DefinePropertyValueUint32(context, array, i, value, JS_PROP_C_W_E) < 0) {
            JS_FreeValue(context, array);
            array = JS_EXCEPTION;
        }
    }
    return array;
}

static JSValue new_value(JSContext *context, const struct tf_native *native,
                         const struct tf_native_value *value)
{
    switch (value->kind) {
    case TF_KIND_NULL:
        return JS_NULL;
    case TF_KIND_BOOL:
        return JS_NewBool(context, value->number != 0);
    case TF_KIND_NUMBER:
        return JS_NewFloat64(context, value->number);
    case TF_KIND_TEXT:
    case TF_KIND_LATIN1:
        return tf_quickjs_text(context, &value->data, value->kind == TF_KIND_LATIN1);
    case TF_KIND_BUFFER:
        return JS_NewArrayBufferCopy(context, (const uint8_t *)value->data.data,
                                     value->data.size);
    case TF_KIND_HEADERS:
    case TF_KIND_ENV:
        return new_list(context, native, value);
    case TF_KIND_UNDEFINED:
    default:
        return JS_UNDEFINED;
    }
}

/* Takes (buffer, at, size); the prelude's, but a script may have put its own there. */
static bool take_span(JSContext *context, JSValueConst *argv, struct tf_native_args *out)
{
    uint64_t at;
    uint64_t size;
    size_t total;
    uint8_t *data;

    if (JS_ToIndex(context, &at, argv[1]) < 0 ||
        JS_ToIndex(context, &size, argv[2]) < 0) {
        return false;
    }
    data = JS_GetArrayBuffer(context, &total, argv[0]);
    if (data == NULL && total == 0 && JS_HasException(context)) {
        return false;
    }
    if (at > total || size > total - at) {
        JS_ThrowRangeError(context, "outside the buffer");
        return false;
    }
    out->bytes = data + at;
    out->size = size;
    return true;
}

static JSValue native(JSContext *context, JSValueConst this, int argc, JSValueConst *argv,
                      int index)
{
    struct tf_js *js = JS_GetContextOpaque(context);
    const struct tf_native_def *def = &tf_natives[index];
    struct tf_native_args args = {0};
    struct tf_native_value out = {0};
    const char *text = NULL;
    JSValue value = JS_EXCEPTION;

    (void)this;
    (void)argc; /* missing ones were filled with undefined: the functions' length is 4 */
    if (def->form == TF_FORM_TEXT) {
        text = JS_ToCStringLen(context, &args.text.size, argv[0]);
        args.text.data = text;
        args.flag = JS_ToBool(context, argv[1]) > 0;
        if (text == NULL) {
            return JS_EXCEPTION;
        }
    } else if (def->form == TF_FORM_SPAN) {
        args.flag = JS_ToBool(context, argv[3]) > 0;
        if (!take_span(context, argv, &args)) {
            return JS_EXCEPTION;
        }
    } else if (def->form == TF_FORM_FLAG) {
        args.flag = JS_ToBool(context, argv[0]) > 0;
    }
    if (def->run(&js->native, &args, &out)) {
        value = new_value(context, &js->native, &out);
    } else {
        JS_ThrowOutOfMemory(context);
    }
    JS_ChargeSteps(js->runtime, tf_native_steps(&args, &out));
    tf_arena_free(js->arena, out.owned);
    JS_FreeCString(context, text);
    return value;
}

JSValue tf_quickjs_compile(JSContext *context, const struct tf_js_file *file,
                           bool is_module)
{
    static const char before[] =
        "(function (exports, require, module, __filename, __dirname) {";
    static const char after[] = "\n})";
    size_t start = is_module ? 0 : sizeof(before) - 1;
    size_t size = start + file->size;
    char *text = js_malloc(context, size + sizeof(after));
    JSValue value;

    if (text == NULL) {
        return JS_EXCEPTION;
    }
    memcpy(text, before, start);
    memcpy(text + start, file->data, file->size);
    if (!is_module) {
        memcpy(text + size, after, sizeof(after) - 1);
        size += sizeof(after) - 1;
    }
    text[size] = '\0';
    value = JS_Eval(context, text, size, file->path,
                    is_module ? JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY
                              : JS_EVAL_TYPE_GLOBAL);
    js_free(context, text);
    return value;
}

static JSValue native_compile(JSContext *context, JSValueConst this, int argc,
                              JSValueConst *argv)
{
    const struct tf_js *js = JS_GetContextOpaque(context);
    const struct tf_js_file *file;
    size_t size;
    const char *path = JS_ToCStringLen(context, &size, argv[0]);

    (void)this;
    (void)argc;
    if (path == NULL) {
        return JS_EXCEPTION;
    }
    file = tf_text_file(js->native.program, path, size);
    JS_FreeCString(context, path);
    return file == NULL ? JS_ThrowReferenceError(context, "no such file")
                        : tf_quickjs_compile(context, file, false);
}

/* One of native.h's functions, or undefined. */
static JSValue new_native(JSContext *context, const char *name)
{
    for (int i = 0; tf_natives[i].name != NULL; i++) {
        if (strcmp(tf_natives[i].name, name) == 0) {
            return JS_NewCFunctionMagic(context, native, name, 4, JS_CFUNC_generic_magic,
                                        i);
        }
    }
    return JS_UNDEFINED;
}

/* The engine's own generator would be in the snapshot, and give each request the same. */
static void add_math(JSContext *context)
{
    JSValue global = JS_GetGlobalObject(context);

    JS_AddIntrinsicMath(context);
    JSValue math = JS_GetPropertyStr(context, global, "Math");
    JS_DefinePropertyValueStr(context, math, "random", new_native(context, "random"),
                              JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
    JS_FreeValue(context, math);
    JS_FreeValue(context, global);
}

/* What the engine starts without: most lambdas do, and each byte of the heap is copied
 * for each request. */
static const struct {
    const char *name;
    void (*add)(JSContext *context);
} parts[] = {{"Math", add_math},
             {"Date", JS_AddIntrinsicDate},
             {"Map", JS_AddIntrinsicMapSet},
             {"WeakRef", JS_AddIntrinsicWeakRef},
             {"Proxy", JS_AddIntrinsicProxy},
             {"Views", JS_AddIntrinsicViews},
             {NULL, NULL}};

enum { PARTS = sizeof(parts) / sizeof(parts[0]) - 1 };

static JSValue nothing(JSContext *context, JSValueConst this, int argc,
                       JSValueConst *argv)
{
    (void)context;
    (void)this;
    (void)argc;
    (void)argv;
    return JS_UNDEFINED;
}

/* The number of a part of the engine, or of none. */
static size_t find_part(const char *name)
{
    size_t at = 0;

    while (at < PARTS && strcmp(parts[at].name, name) != 0) {
        at++;
    }
    return at;
}

/* Another file of the prelude. Its debug information is not worth its bytes. */
static JSValue native_prelude(JSContext *context, JSValueConst this, int argc,
                              JSValueConst *argv)
{
    size_t size;
    const char *name = JS_ToCStringLen(context, &size, argv[0]);
    const struct tf_prelude *file;

    (void)this;
    (void)argc;
    if (name == NULL) {
        return JS_EXCEPTION;
    }
    size_t part = find_part(name);
    file = tf_text_prelude(name, size);
    JS_FreeCString(context, name);
    if (part < PARTS) {
        parts[part].add(context);
        return JS_NewCFunction(context, nothing, parts[part].name, 0);
    }
    return file == NULL ? JS_ThrowReferenceError(context, "no such file")
                        : tf_quickjs_prelude(context, file);
}

JSValue tf_quickjs_prelude(JSContext *context, const struct tf_prelude *file)
{
    JSRuntime *runtime = JS_GetRuntime(context);
    int strip = JS_GetStripInfo(runtime);
    JSValue value;

    JS_SetStripInfo(runtime, JS_STRIP_DEBUG);
    value = JS_Eval(context, file->data, (size_t)(file->end - file->data), file->name,
                    JS_EVAL_TYPE_GLOBAL);
    JS_SetStripInfo(runtime, strip);
    return value;
}

static JSValue native_fail(JSContext *context, JSValueConst this, int argc,
                           JSValueConst *argv)
{
    struct tf_js *js = JS_GetContextOpaque(context);
    (void)this;
    (void)argc;
    if (!js->is_answered && !js->is_failed) {
        js->is_failed = true;
        js->reason = JS_DupValue(context, argv[0]);
    }
    return JS_UNDEFINED;
}

bool tf_quickjs_define(JSContext *context, JSValueConst object, const char *name,
                       JSValue value)
{
    return !JS_IsException(value) && JS_SetPropertyStr(context, object, name, value) >= 0;
}

/* --- what is made when it is touched ---------------------------------------------- */

/* (object, name, file): a property that the file of the prelude, or the part of the
 * engine, defines when it is touched. */
static JSValue native_provide(JSContext *context, JSValueConst this, int argc,
                              JSValueConst *argv)
{
    size_t size = 0;
    const char *name = JS_ToCString(context, argv[1]);
    const char *file = JS_ToCStringLen(context, &size, argv[2]);
    const char *found = NULL;
    bool is_ok = false;

    (void)this;
    (void)argc;
    if (name != NULL && file != NULL) {
        const struct tf_prelude *prelude = tf_text_prelude(file, size);
        found = prelude == NULL ? parts[find_part(file)].name : prelude->name;
    }
    if (found != NULL) {
        is_ok = JS_DefineLazy(context, argv[0], name, found) >= 0;
    }
    JS_FreeCString(context, name);
    JS_FreeCString(context, file);
    return is_ok ? JS_UNDEFINED : JS_EXCEPTION;
}

int tf_quickjs_need(const struct tf_js *js, const char *file)
{
    JSContext *context = js->context;
    JSValue need = JS_GetPropertyStr(context, js->own, "need");
    JSValue name = JS_NewString(context, file);
    JSValue done = JS_Call(context, need, JS_UNDEFINED, 1, &name);
    JS_FreeValue(context, need);
    JS_FreeValue(context, name);
    JS_FreeValue(context, done);
    return JS_IsException(done) ? -1 : 0;
}

int tf_quickjs_provide(JSContext *context, JSValueConst object, JSAtom property,
                       const void *what)
{
    for (int i = 0; tf_natives[i].name != NULL; i++) {
        if (what == &tf_natives[i]) {
            return JS_DefinePropertyValue(context, object, property,
                                          new_native(context, tf_natives[i].name),
                                          JS_PROP_C_W_E);
        }
    }
    return tf_quickjs_need(JS_GetContextOpaque(context), what);
}

JSValue tf_quickjs_native(JSContext *context)
{
    static const JSCFunctionListEntry functions[] = {
        JS_CFUNC_DEF("compile", 1, native_compile),
        JS_CFUNC_DEF("prelude", 1, native_prelude),
        JS_CFUNC_DEF("provide", 3, native_provide),
        JS_CFUNC_DEF("fail", 1, native_fail),
    };
    JSValue object = JS_NewObject(context);

    for (int i = 0; tf_natives[i].name != NULL; i++) {
        JS_DefineLazy(context, object, tf_natives[i].name, &tf_natives[i]);
    }
    JS_SetPropertyFunctionList(context, object, functions,
                               sizeof(functions) / sizeof(functions[0]));
    tf_quickjs_http(context, object);
    return object;
}

void tf_quickjs_parts(JSContext *context)
{
    JS_AddIntrinsicBaseObjects(context);
    JS_AddIntrinsicEval(context);
    JS_AddIntrinsicStringNormalize(context);
    JS_AddIntrinsicRegExp(context);
    JS_AddIntrinsicJSON(context);
    JS_AddIntrinsicArrayBuffer(context);
    JS_AddIntrinsicPromise(context);
}

static void seal(void *opaque, const void *block)
{
    const struct tf_js *js = opaque;
    tf_arena_seal(js->arena, block);
}

static void unseal(void *opaque, const void *block)
{
    const struct tf_js *js = opaque;
    tf_arena_unseal(js->arena, block, tf_arena_usable(block));
}

void tf_quickjs_seal(struct tf_js *js)
{
    JS_SealHeap(js->runtime, seal, unseal, js);
}

void tf_quickjs_names(struct tf_js *js)
{
    static const char *const names[TF_NAMES] = {
        [TF_NAME_PROTOTYPE] = "prototype", [TF_NAME_HEADERS] = "headers",
        [TF_NAME_STATUS] = "status",       [TF_NAME_STATUS_TEXT] = "statusText",
        [TF_NAME_METHOD] = "method",       [TF_NAME_BODY] = "body",
    };

    for (int i = 0; i < TF_NAMES; i++) {
        js->names[i] = JS_NewAtom(js->context, names[i]);
    }
}

JSValue tf_quickjs_class(JSContext *context, JSValueConst global,
                         const struct tf_quickjs_class *class)
{
    JSValue prototype = JS_NewObject(context);
    const char *name = class->def->class_name;

    if (JS_NewClass(JS_GetRuntime(context), class->id, class->def) < 0 ||
        JS_IsException(prototype)) {
        return JS_EXCEPTION;
    }
    JS_SetPropertyFunctionList(context, prototype, class->methods, class->count);
    JSValue constructor = JS_NewCFunction2(context, class->make, name, class->length,
                                           JS_CFUNC_constructor, 0);
    if (JS_IsException(constructor)) {
        JS_FreeValue(context, prototype);
        return JS_EXCEPTION;
    }
    JS_SetConstructor(context, constructor, prototype);
    JS_SetClassProto(context, class->id, prototype);
    JS_DefinePropertyValueStr(context, global, name, JS_DupValue(context, constructor),
                              JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
    return constructor;
}

JSValue tf_quickjs_construct(JSContext *context, JSValueConst new_target, JSClassID id)
{
    const struct tf_js *js = JS_GetContextOpaque(context);
    JSValue prototype = JS_GetProperty(context, new_target, js->names[TF_NAME_PROTOTYPE]);
    JSValue object = JS_EXCEPTION;

    if (!JS_IsException(prototype)) {
        object = JS_IsObject(prototype) ? JS_NewObjectProtoClass(context, prototype, id)
                                        : JS_NewObjectClass(context, (int)id);
    }
    JS_FreeValue(context, prototype);
    return object;
}
