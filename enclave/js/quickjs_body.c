/* SPDX-License-Identifier: Apache-2.0 */
/* quickjs_body.c - what Request and Response have in common: mostly a body. */
#include "enclave/js/quickjs_http.h"

static const char text_type[] = "text/plain;charset=UTF-8";
static const char form_type[] = "application/x-www-form-urlencoded;charset=UTF-8";

struct tf_message *tf_message_of(JSContext *context, JSValueConst value)
{
    struct tf_message *message = JS_GetOpaque(value, TF_CLASS_REQUEST);
    return message != NULL ? message : JS_GetOpaque2(context, value, TF_CLASS_RESPONSE);
}

/* An empty message in a new object; an exception if `object` is one. */
struct tf_message *tf_message_new(JSContext *context, JSValueConst object)
{
    struct tf_message *message =
        JS_IsException(object) ? NULL : js_mallocz(context, sizeof(*message));
    if (message == NULL) {
        return NULL;
    }
    message->shown = JS_UNDEFINED;
    message->body = JS_NULL;
    message->text = JS_UNDEFINED;
    message->method = JS_UNDEFINED;
    message->url = JS_UNDEFINED;
    JS_SetOpaque(object, message);
    message->headers = tf_headers_new(context);
    return message->headers == NULL ? NULL : message;
}

void tf_message_finalize(JSRuntime *runtime, JSValue value)
{
    JSClassID id;
    struct tf_message *message = JS_GetAnyOpaque(value, &id);

    if (message != NULL) {
        tf_headers_release(runtime, message->headers);
        JS_FreeValueRT(runtime, message->shown);
        JS_FreeValueRT(runtime, message->body);
        JS_FreeValueRT(runtime, message->text);
        JS_FreeValueRT(runtime, message->method);
        JS_FreeValueRT(runtime, message->url);
        js_free_rt(runtime, message);
    }
}

void tf_message_mark(JSRuntime *runtime, JSValueConst value, JS_MarkFunc *mark_value)
{
    JSClassID id;
    const struct tf_message *message = JS_GetAnyOpaque(value, &id);

    if (message != NULL) {
        JS_MarkValue(runtime, message->shown, mark_value);
        JS_MarkValue(runtime, message->body, mark_value);
    }
}

/* --- bodies ---------------------------------------------------------------------- */

/* Gives the body away, once. @return false with an exception. */
bool tf_message_take(JSContext *context, struct tf_message *message)
{
    const struct tf_js *js = JS_GetContextOpaque(context);

    if (message->is_used) {
        JS_ThrowTypeError(context, "the body has been used");
        return false;
    }
    message->is_used = message->is_incoming || !JS_IsNull(message->body);
    if (message->is_incoming && message->turn != js->turn) {
        JS_ThrowTypeError(context, "the body belongs to an earlier request");
        return false;
    }
    return true;
}

/* A text given as the body, which may have a byte order mark, too. */
static JSValue text_of_string(JSContext *context, JSValueConst string)
{
    size_t size;
    const char *text = JS_ToCStringLen(context, &size, string);
    struct tf_str all = {text, size};
    JSValue value = JS_EXCEPTION;

    if (text != NULL) {
        struct tf_str rest = tf_text_unmarked(all);
        value = rest.size == size ? JS_DupValue(context, string)
                                  : JS_NewStringLen(context, rest.data, rest.size);
    }
    JS_FreeCString(context, text);
    return value;
}

static JSValue as_text(JSContext *context, const struct tf_message *message)
{
    const struct tf_js *js = JS_GetContextOpaque(context);
    struct tf_str bytes = js->native.request->body;
    uint8_t *data = NULL;

    if (!message->is_incoming && !JS_GetBytes(message->body, &data, &bytes.size)) {
        return JS_IsNull(message->body) ? JS_NewStringLen(context, "", 0)
                                        : text_of_string(context, message->body);
    }
    if (!message->is_incoming) {
        bytes.data = (const char *)data;
    }
    bytes = tf_text_unmarked(bytes);
    return tf_quickjs_text(context, &bytes, false);
}

/* A string as UTF-8 in an ArrayBuffer. */
static JSValue encoded(JSContext *context, JSValueConst string)
{
    size_t size;
    const char *text = JS_ToCStringLen(context, &size, string);
    char *clean = NULL;
    JSValue buffer = JS_EXCEPTION;

    if (text != NULL && !tf_text_has_surrogates(text, size)) {
        buffer = JS_NewArrayBufferCopy(context, (const uint8_t *)text, size);
    } else if (text != NULL && (clean = js_malloc(context, size)) != NULL) {
        size = tf_text_encode(text, size, clean);
        buffer = JS_NewArrayBufferCopy(context, (const uint8_t *)clean, size);
    }
    js_free(context, clean);
    JS_FreeCString(context, text);
    return buffer;
}

static JSValue as_buffer(JSContext *context, const struct tf_message *message)
{
    const struct tf_js *js = JS_GetContextOpaque(context);
    const struct tf_str *incoming = &js->native.request->body;
    uint8_t *data = NULL;
    size_t size = 0;

    if (message->is_incoming) {
        return JS_NewArrayBufferCopy(context, (const uint8_t *)incoming->data,
                                     incoming->size);
    }
    if (JS_IsString(message->body)) {
        return encoded(context, message->body);
    }
    (void)JS_GetBytes(message->body, &data, &size);
    return JS_NewArrayBufferCopy(context, data, size);
}

/* Parsed by the JSON.parse of the start. */
static JSValue as_json(JSContext *context, const struct tf_message *message)
{
    const struct tf_js *js = JS_GetContextOpaque(context);
    JSValue text = as_text(context, message);
    JSValue value = JS_IsException(text)
                        ? JS_EXCEPTION
                        : JS_Call(context, js->json_parse, JS_UNDEFINED, 1, &text);
    JS_FreeValue(context, text);
    return value;
}

static JSValue as_bytes(JSContext *context, const struct tf_message *message)
{
    /* The constructor reads three arguments, however many there are. */
    JSValue args[3] = {JS_EXCEPTION, JS_UNDEFINED, JS_UNDEFINED};

    if (tf_quickjs_need(JS_GetContextOpaque(context), "Views") == 0) {
        args[0] = as_buffer(context, message);
    }
    JSValue view = JS_IsException(args[0])
                       ? JS_EXCEPTION
                       : JS_NewTypedArray(context, 3, args, JS_TYPED_ARRAY_UINT8);
    JS_FreeValue(context, args[0]);
    return view;
}

static JSValue convert(JSContext *context, const struct tf_message *message,
                       enum tf_form form)
{
    switch (form) {
    case TF_FORM_AS_JSON:
        return as_json(context, message);
    case TF_FORM_AS_BUFFER:
        return as_buffer(context, message);
    case TF_FORM_AS_BYTES:
        return as_bytes(context, message);
    case TF_FORM_AS_TEXT:
    default:
        return as_text(context, message);
    }
}

/* text, json, arrayBuffer and bytes. */
JSValue tf_message_consume(JSContext *context, JSValueConst this, int argc,
                           JSValueConst *argv, int form)
{
    struct tf_message *message = tf_message_of(context, this);
    JSValue value = message != NULL && tf_message_take(context, message)
                        ? convert(context, message, (enum tf_form)form)
                        : JS_EXCEPTION;
    bool is_rejected = JS_IsException(value);

    (void)argc;
    (void)argv;
    if (is_rejected) {
        value = JS_GetException(context);
    }
    JSValue promise = JS_NewSettledPromise(context, value, is_rejected);
    JS_FreeValue(context, value);
    return promise;
}

/* Whether it is a URLSearchParams, which only an instance that has them can tell. */
static int is_form(JSContext *context, JSValueConst body)
{
    const struct tf_js *js = JS_GetContextOpaque(context);
    JSValue type = JS_GetPropertyStr(context, js->own, "URLSearchParams");
    int is_it = JS_IsUndefined(type) ? 0 : JS_IsInstanceOf(context, body, type);

    JS_FreeValue(context, type);
    return is_it;
}

/* The body of another message, by what its `body` gave. */
static bool pass_body(JSContext *context, struct tf_message *message,
                      struct tf_message *from)
{
    if (!tf_message_take(context, from)) {
        return false;
    }
    message->body =
        from->is_incoming ? as_buffer(context, from) : JS_DupValue(context, from->body);
    return !JS_IsException(message->body);
}

bool tf_message_set_body(JSContext *context, struct tf_message *message,
                         JSValueConst body)
{
    void *owner = JS_GetOpaque(body, TF_CLASS_BODY);
    uint8_t *data;
    size_t size;

    if (JS_IsUndefined(body) || JS_IsNull(body)) {
        return true;
    }
    if (JS_GetBytes(body, &data, &size)) {
        message->body = JS_DupValue(context, body);
        return true;
    }
    if (owner != NULL) {
        JSValueConst object = JS_MKPTR(JS_TAG_OBJECT, owner);
        return pass_body(context, message, tf_message_of(context, object));
    }
    int is_params = JS_IsObject(body) ? is_form(context, body) : 0;
    if (is_params < 0) {
        return false;
    }
    message->body = JS_ToString(context, body);
    return !JS_IsException(message->body) &&
           tf_headers_default(context, message->headers, "content-type",
                              is_params > 0 ? form_type : text_type);
}

JSValue tf_message_show_body(JSContext *context, JSValueConst owner)
{
    JSValue body = JS_NewObjectClass(context, TF_CLASS_BODY);
    if (!JS_IsException(body)) {
        JS_SetOpaque(body, JS_VALUE_GET_PTR(JS_DupValue(context, owner)));
    }
    return body;
}
