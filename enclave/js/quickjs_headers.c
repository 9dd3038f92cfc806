/* SPDX-License-Identifier: Apache-2.0 */
/* quickjs_headers.c - the class Headers on QuickJS. */
#include "enclave/js/quickjs_http.h"

static struct tf_headers *this_headers(JSContext *context, JSValueConst this)
{
    return JS_GetOpaque2(context, this, TF_CLASS_HEADERS);
}

struct tf_headers *tf_headers_of(JSValueConst value)
{
    return JS_GetOpaque(value, TF_CLASS_HEADERS);
}

JSValue tf_headers_show(JSContext *context, struct tf_headers *headers)
{
    JSValue object = JS_NewObjectClass(context, TF_CLASS_HEADERS);
    if (!JS_IsException(object)) {
        headers->refs++;
        JS_SetOpaque(object, headers);
    }
    return object;
}

static JSValue headers_new(JSContext *context, JSValueConst new_target, int argc,
                           JSValueConst *argv)
{
    JSValue object = tf_quickjs_construct(context, new_target, TF_CLASS_HEADERS);
    struct tf_headers *headers = JS_IsException(object) ? NULL : tf_headers_new(context);

    (void)argc;
    if (headers == NULL) {
        JS_FreeValue(context, object);
        return JS_EXCEPTION;
    }
    JS_SetOpaque(object, headers);
    if (!tf_headers_fill(context, headers, argv[0])) {
        JS_FreeValue(context, object);
        return JS_EXCEPTION;
    }
    return object;
}

enum method { METHOD_GET, METHOD_HAS, METHOD_SET, METHOD_APPEND, METHOD_DELETE };

/* get, has and delete. */
static JSValue by_name(JSContext *context, struct tf_headers *headers, JSValueConst key,
                       enum method method)
{
    struct tf_str name;
    JSValue value = JS_UNDEFINED;

    if (!tf_headers_name(context, key, &name)) {
        return JS_EXCEPTION;
    }
    if (method == METHOD_DELETE) {
        if (tf_headers_own(context, headers)) {
            tf_headers_remove(context, headers, &name);
        } else {
            value = JS_EXCEPTION;
        }
    } else {
        value = tf_headers_get(context, headers, &name);
    }
    JS_FreeCString(context, name.data);
    if (method == METHOD_HAS && !JS_IsException(value)) {
        bool has = !JS_IsNull(value);
        JS_FreeValue(context, value);
        value = JS_NewBool(context, has);
    }
    return value;
}

static JSValue set(JSContext *context, struct tf_headers *headers, JSValueConst *argv)
{
    struct tf_str name;

    if (!tf_headers_own(context, headers) || !tf_headers_name(context, argv[0], &name)) {
        return JS_EXCEPTION;
    }
    JSValue value = tf_headers_value(context, argv[1]);
    bool is_ok = !JS_IsException(value);
    if (is_ok) {
        tf_headers_remove(context, headers, &name);
        is_ok = tf_headers_add(context, headers, &name, value);
    }
    JS_FreeCString(context, name.data);
    return is_ok ? JS_UNDEFINED : JS_EXCEPTION;
}

static JSValue headers_method(JSContext *context, JSValueConst this, int argc,
                              JSValueConst *argv, int method)
{
    struct tf_headers *headers = this_headers(context, this);

    (void)argc;
    if (headers == NULL) {
        return JS_EXCEPTION;
    }
    if (method == METHOD_SET) {
        return set(context, headers, argv);
    }
    if (method == METHOD_APPEND) {
        bool is_ok = tf_headers_append(context, headers, argv[0], argv[1]);
        return is_ok ? JS_UNDEFINED : JS_EXCEPTION;
    }
    return by_name(context, headers, argv[0], (enum method)method);
}

static JSValue headers_cookies(JSContext *context, JSValueConst this, int argc,
                               JSValueConst *argv)
{
    struct tf_headers *headers = this_headers(context, this);
    JSValue list = JS_NewArray(context);
    uint32_t count = 0;

    (void)argc;
    (void)argv;
    if (headers == NULL || !tf_headers_own(context, headers)) {
        JS_FreeValue(context, list);
        return JS_EXCEPTION;
    }
    for (uint32_t i = 0; i < headers->count; i++) {
        if (tf_field_is_cookie(headers->fields[i])) {
            JS_DefinePropertyValueUint32(context, list, count++,
                                         JS_DupValue(context, headers->fields[i]->value),
                                         JS_PROP_C_W_E);
        }
    }
    return list;
}

/* keys, values and entries. */
static JSValue headers_iterate(JSContext *context, JSValueConst this, int argc,
                               JSValueConst *argv, int part)
{
    const struct tf_js *js = JS_GetContextOpaque(context);
    struct tf_headers *headers = this_headers(context, this);

    (void)argc;
    (void)argv;
    if (headers == NULL) {
        return JS_EXCEPTION;
    }
    JSValue list = tf_headers_list(context, headers, (enum tf_headers_part)part);
    JSValue iterator = JS_IsException(list)
                           ? JS_EXCEPTION
                           : JS_Call(context, js->array_values, list, 0, NULL);
    JS_FreeValue(context, list);
    return iterator;
}

static JSValue headers_for_each(JSContext *context, JSValueConst this, int argc,
                                JSValueConst *argv)
{
    struct tf_headers *headers = this_headers(context, this);
    JSValue keys =
        headers == NULL ? JS_EXCEPTION : tf_headers_list(context, headers, TF_PART_KEY);
    JSValue values = JS_IsException(keys)
                         ? JS_EXCEPTION
                         : tf_headers_list(context, headers, TF_PART_VALUE);
    JSValue length = JS_IsException(values) ? JS_EXCEPTION
                                            : JS_GetPropertyStr(context, keys, "length");
    uint32_t count = 0;
    bool is_ok = !JS_IsException(length) && JS_ToUint32(context, &count, length) >= 0;

    (void)argc;
    for (uint32_t i = 0; is_ok && i < count; i++) {
        JSValue args[3] = {JS_GetPropertyUint32(context, values, i),
                           JS_GetPropertyUint32(context, keys, i), this};
        JSValue done = JS_Call(context, argv[0], argv[1], 3, args);
        is_ok = !JS_IsException(done);
        JS_FreeValue(context, done);
        JS_FreeValue(context, args[0]);
        JS_FreeValue(context, args[1]);
    }
    JS_FreeValue(context, keys);
    JS_FreeValue(context, values);
    return is_ok ? JS_UNDEFINED : JS_EXCEPTION;
}

static void finalize(JSRuntime *runtime, JSValue value)
{
    tf_headers_release(runtime, JS_GetOpaque(value, TF_CLASS_HEADERS));
}

static const JSClassDef class_def = {.class_name = "Headers", .finalizer = finalize};

static const JSCFunctionListEntry methods[] = {
    JS_CFUNC_MAGIC_DEF("get", 1, headers_method, METHOD_GET),
    JS_CFUNC_MAGIC_DEF("has", 1, headers_method, METHOD_HAS),
    JS_CFUNC_MAGIC_DEF("set", 2, headers_method, METHOD_SET),
    JS_CFUNC_MAGIC_DEF("append", 2, headers_method, METHOD_APPEND),
    JS_CFUNC_MAGIC_DEF("delete", 1, headers_method, METHOD_DELETE),
    JS_CFUNC_DEF("getSetCookie", 0, headers_cookies),
    JS_CFUNC_MAGIC_DEF("keys", 0, headers_iterate, TF_PART_KEY),
    JS_CFUNC_MAGIC_DEF("values", 0, headers_iterate, TF_PART_VALUE),
    JS_CFUNC_MAGIC_DEF("entries", 0, headers_iterate, TF_PART_PAIR),
    JS_ALIAS_DEF("[Symbol.iterator]", "entries"),
    JS_CFUNC_DEF("forEach", 2, headers_for_each),
};

bool tf_headers_define(JSContext *context, JSValueConst global)
{
    const struct tf_quickjs_class class = {.id = TF_CLASS_HEADERS,
                                           .def = &class_def,
                                           .make = headers_new,
                                           .length = 1,
                                           .methods = methods,
                                           .count = sizeof(methods) / sizeof(methods[0])};
    JSValue made = tf_quickjs_class(context, global, &class);
    bool is_ok = !JS_IsException(made);

    JS_FreeValue(context, made);
    return is_ok;
}
