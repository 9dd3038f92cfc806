/* SPDX-License-Identifier: Apache-2.0 */
/* quickjs_answer.c - how an answer leaves the engine. */
#include <string.h>

#include "abi/limits.h"
#include "enclave/js/quickjs_http.h"

/* --- from scripts ---------------------------------------------------------------- */

void tf_quickjs_forget(struct tf_js *js)
{
    JS_FreeCString(js->context, js->body_text);
    js_free(js->context, js->clean_text);
    js_free(js->context, js->block);
    tf_headers_release(js->runtime, js->headers);
    JS_FreeValue(js->context, js->body);
    JS_FreeValue(js->context, js->reason);
    js->body = JS_UNDEFINED;
    js->headers = NULL;
    js->reason = JS_UNDEFINED;
    js->body_text = NULL;
    js->clean_text = NULL;
    js->block = NULL;
    js->is_answered = false;
    js->is_failed = false;
}

static void set(struct tf_js *js, double status, JSValueConst body,
                struct tf_headers *headers)
{
    if (js->is_answered || js->is_failed) {
        return;
    }
    js->is_answered = true;
    js->status = status;
    js->body = JS_DupValue(js->context, body);
    js->headers = headers;
    headers->refs++;
}

bool tf_quickjs_respond(struct tf_js *js, JSValueConst response)
{
    const struct tf_message *message = JS_GetOpaque(response, TF_CLASS_RESPONSE);
    const char *reason = NULL;

    if (message == NULL || message->status == 0) {
        reason = "the handler returned no Response";
    } else if (message->is_used) {
        reason = "the body of the Response has been used";
    }
    if (reason != NULL) {
        js->native.is_refused = true;
        JS_ThrowTypeError(js->context, "%s", reason);
        return false;
    }
    set(js, message->status, message->body, message->headers);
    return true;
}

static JSValue native_respond(JSContext *context, JSValueConst this, int argc,
                              JSValueConst *argv)
{
    (void)this;
    (void)argc;
    return tf_quickjs_respond(JS_GetContextOpaque(context), argv[0]) ? JS_UNDEFINED
                                                                     : JS_EXCEPTION;
}

/* (status, body, headers): prelude/event.js made them. */
static JSValue native_answer(JSContext *context, JSValueConst this, int argc,
                             JSValueConst *argv)
{
    struct tf_headers *headers = JS_GetOpaque2(context, argv[2], TF_CLASS_HEADERS);
    double status;

    (void)this;
    (void)argc;
    if (headers == NULL || JS_ToFloat64(context, &status, argv[0]) < 0) {
        return JS_EXCEPTION;
    }
    if (!JS_IsNull(argv[1]) && !tf_http_is_null_body(status) &&
        !tf_headers_default(context, headers, "content-type", "application/json")) {
        return JS_EXCEPTION;
    }
    set(JS_GetContextOpaque(context), status, argv[1], headers);
    return JS_UNDEFINED;
}

static JSValue native_serve(JSContext *context, JSValueConst this, int argc,
                            JSValueConst *argv)
{
    struct tf_js *js = JS_GetContextOpaque(context);
    JSValue *const kept[] = {&js->target, &js->fetch, &js->env, &js->handler_context};

    (void)this;
    (void)argc;
    for (int i = 0; i < 4; i++) {
        JS_FreeValue(context, *kept[i]);
        *kept[i] = JS_DupValue(context, argv[i]);
    }
    return JS_UNDEFINED;
}

static JSValue native_http(JSContext *context, JSValueConst this, int argc,
                           JSValueConst *argv)
{
    struct tf_js *js = JS_GetContextOpaque(context);
    JSValue global = JS_GetGlobalObject(context);
    bool is_ok =
        tf_http_define(js, global) &&
        tf_quickjs_define(context, argv[0], "respond",
                          JS_NewCFunction(context, native_respond, "respond", 1)) &&
        tf_quickjs_define(context, argv[0], "answer",
                          JS_NewCFunction(context, native_answer, "answer", 3));

    (void)this;
    (void)argc;
    JS_FreeValue(context, global);
    return is_ok ? JS_UNDEFINED : JS_EXCEPTION;
}

void tf_quickjs_http(JSContext *context, JSValueConst native)
{
    static const JSCFunctionListEntry functions[] = {
        JS_CFUNC_DEF("http", 1, native_http),
        JS_CFUNC_DEF("serve", 4, native_serve),
    };

    JS_SetPropertyFunctionList(context, native, functions,
                               sizeof(functions) / sizeof(functions[0]));
}

/* --- to the platform ------------------------------------------------------------- */

/* The bytes of the body. A string that is ASCII, and a buffer, are not copied. */
static tf_err take_body(struct tf_js *js, struct tf_str *out)
{
    JSContext *context = js->context;
    uint8_t *data = NULL;

    out->data = NULL;
    out->size = 0;
    if (JS_GetBytes(js->body, &data, &out->size)) {
        out->data = (const char *)data;
        return TF_OK;
    }
    if (!JS_IsString(js->body)) {
        return JS_IsNull(js->body) ? TF_OK : TF_ERESPONSE;
    }
    js->body_text = JS_ToCStringLen(context, &out->size, js->body);
    if (js->body_text == NULL) {
        return TF_ERESPONSE;
    }
    out->data = js->body_text;
    if (tf_native_has_surrogates(&js->native, out->data, out->size)) {
        js->clean_text = js_malloc(context, out->size);
        if (js->clean_text == NULL) {
            return TF_ERESPONSE;
        }
        out->size = tf_text_encode(out->data, out->size, js->clean_text);
        out->data = js->clean_text;
    }
    return TF_OK;
}

/* Writes the value of a field as Latin-1 to `to`, which may be NULL: what room it takes
 * at most, or what it took. @return false with or without an exception. */
static bool put_value(JSContext *context, const struct tf_field *field, char *to,
                      size_t *size)
{
    const char *text = JS_ToCStringLen(context, size, field->value);
    bool is_ok = text != NULL;

    if (is_ok && to != NULL) {
        is_ok = tf_text_to_latin1(text, *size, to, size);
    }
    JS_FreeCString(context, text);
    return is_ok;
}

static tf_err take_headers(struct tf_js *js, struct tf_js_response *out)
{
    const struct tf_headers *headers = js->headers;
    JSContext *context = js->context;
    size_t room = headers->count * sizeof(struct tf_js_header);
    size_t size = 0;

    if (headers->count > TF_HEADERS_MAX) {
        return TF_ERESPONSE;
    }
    for (uint32_t i = 0; i < headers->count; i++) {
        if (!put_value(context, headers->fields[i], NULL, &size)) {
            return TF_ERESPONSE;
        }
        room += size;
    }
    js->block = js_malloc(context, room + 1);
    if (js->block == NULL) {
        return TF_ERESPONSE;
    }
    out->headers = (void *)js->block;
    out->header_count = headers->count;
    char *to = js->block + headers->count * sizeof(struct tf_js_header);
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct tf_field *field = headers->fields[i];
        if (!put_value(context, field, to, &size)) {
            return TF_ERESPONSE;
        }
        out->headers[i] = (struct tf_js_header){{field->name, field->size}, {to, size}};
        to += size;
    }
    return TF_OK;
}

tf_err tf_quickjs_answer(struct tf_js *js, const struct tf_js_limits *limits,
                         struct tf_js_response *out)
{
    bool is_status = js->status >= TF_STATUS_MIN && js->status <= TF_STATUS_MAX;

    out->status = is_status ? (unsigned)js->status : 0;
    if (!tf_headers_own(js->context, js->headers) || take_headers(js, out) != TF_OK ||
        take_body(js, &out->body) != TF_OK || (double)out->status != js->status ||
        !tf_text_check(out)) {
        return TF_ERESPONSE;
    }
    return out->body.size > limits->body ? TF_ELIMIT : TF_OK;
}
