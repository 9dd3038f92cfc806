/* SPDX-License-Identifier: Apache-2.0 */
/* quickjs_http.c - the classes Request and Response. */
#include <string.h>
#include <strings.h>

#include "enclave/http_text.h"
#include "enclave/js/quickjs_http.h"

/* --- making them ----------------------------------------------------------------- */

static JSValue option(JSContext *context, JSValueConst init, enum tf_name name)
{
    const struct tf_js *js = JS_GetContextOpaque(context);

    return JS_IsUndefined(init) || JS_IsNull(init)
               ? JS_UNDEFINED
               : JS_GetProperty(context, init, js->names[name]);
}

/* Fills from the option `headers`. */
static bool take_headers(JSContext *context, struct tf_message *message,
                         JSValueConst init, const struct tf_message *from)
{
    JSValue headers = option(context, init, TF_NAME_HEADERS);
    bool is_ok = !JS_IsException(headers);

    if (is_ok && from != NULL && JS_IsUndefined(headers)) {
        headers = tf_headers_show(context, from->headers);
        is_ok = !JS_IsException(headers);
    }
    is_ok = is_ok && tf_headers_fill(context, message->headers, headers);
    JS_FreeValue(context, headers);
    return is_ok;
}

bool tf_http_is_null_body(double status)
{
    return status == 204 || status == 205 || status == 304;
}

/* Status and statusText. */
static bool take_status(JSContext *context, struct tf_message *message, JSValueConst init)
{
    JSValue status = option(context, init, TF_NAME_STATUS);
    JSValue text = JS_IsException(status) ? JS_EXCEPTION
                                          : option(context, init, TF_NAME_STATUS_TEXT);
    double number = TF_STATUS_MIN;
    bool is_ok = !JS_IsException(text) &&
                 (JS_IsUndefined(status) || JS_ToFloat64(context, &number, status) >= 0);

    message->text = JS_IsUndefined(text) || !is_ok ? JS_NewStringLen(context, "", 0)
                                                   : JS_ToString(context, text);
    message->status =
        number >= TF_STATUS_MIN && number <= TF_STATUS_MAX ? (unsigned)number : 0;
    is_ok = is_ok && !JS_IsException(message->text);
    if (is_ok && (double)message->status != number) {
        JS_ThrowRangeError(context, "status is not 200 to 599");
        is_ok = false;
    }
    JS_FreeValue(context, status);
    JS_FreeValue(context, text);
    return is_ok;
}

static bool fill_response(JSContext *context, struct tf_message *message,
                          JSValueConst body, JSValueConst init)
{
    if (!take_headers(context, message, init, NULL) ||
        !take_status(context, message, init) ||
        !tf_message_set_body(context, message, body)) {
        return false;
    }
    if (!JS_IsNull(message->body) && tf_http_is_null_body(message->status)) {
        JS_ThrowTypeError(context, "status %u has no body", message->status);
        return false;
    }
    return true;
}

/* Finishes what new_message began: `object`, or an exception. */
static JSValue made(JSContext *context, JSValue object, bool is_ok)
{
    if (!is_ok) {
        JS_FreeValue(context, object);
        return JS_EXCEPTION;
    }
    return object;
}

static JSValue response_new(JSContext *context, JSValueConst new_target, int argc,
                            JSValueConst *argv)
{
    JSValue object = tf_quickjs_construct(context, new_target, TF_CLASS_RESPONSE);
    struct tf_message *message = tf_message_new(context, object);

    (void)argc;
    return made(context, object,
                message != NULL && fill_response(context, message, argv[0], argv[1]));
}

/* Methods whose name comes in any case are known in upper case (Fetch 2.2.1). */
static JSValue normal_method(JSContext *context, JSValueConst value)
{
    static const char *const known[] = {"GET", "HEAD",   "POST",
                                        "PUT", "DELETE", "OPTIONS"};
    struct tf_str name;
    JSValue method = JS_EXCEPTION;
    size_t at = 0;

    name.data = JS_ToCStringLen(context, &name.size, value);
    if (name.data == NULL) {
        return JS_EXCEPTION;
    }
    while (at < sizeof(known) / sizeof(known[0]) &&
           (name.size != strlen(known[at]) || strcasecmp(name.data, known[at]) != 0)) {
        at++;
    }
    if (!tf_http_is_token(name)) {
        JS_ThrowTypeError(context, "bad method");
    } else if (at < sizeof(known) / sizeof(known[0])) {
        method = JS_NewString(context, known[at]);
    } else {
        method = JS_NewStringLen(context, name.data, name.size);
    }
    JS_FreeCString(context, name.data);
    return method;
}

static bool has_no_body(JSContext *context, JSValueConst method)
{
    const char *name = JS_ToCString(context, method);
    bool is_it = name == NULL || strcmp(name, "GET") == 0 || strcmp(name, "HEAD") == 0;

    if (is_it && name != NULL) {
        JS_ThrowTypeError(context, "%s has no body", name);
    }
    JS_FreeCString(context, name);
    return is_it;
}

static bool take_method(JSContext *context, struct tf_message *message, JSValueConst init,
                        const struct tf_message *from)
{
    JSValue method = option(context, init, TF_NAME_METHOD);

    if (JS_IsUndefined(method)) {
        method = from != NULL ? JS_DupValue(context, from->method)
                              : JS_NewString(context, "GET");
    }
    message->method =
        JS_IsException(method) ? JS_EXCEPTION : normal_method(context, method);
    JS_FreeValue(context, method);
    return !JS_IsException(message->method);
}

/* The body that `init` brings, or else the one of `from`. */
static bool take_body(JSContext *context, struct tf_message *message, JSValueConst init,
                      struct tf_message *from)
{
    JSValue body = option(context, init, TF_NAME_BODY);
    bool is_ok = !JS_IsException(body);

    if (is_ok && !JS_IsUndefined(body) && !JS_IsNull(body)) {
        is_ok = !has_no_body(context, message->method) &&
                tf_message_set_body(context, message, body);
    } else if (is_ok && from != NULL) {
        is_ok = tf_message_take(context, from);
        if (is_ok) {
            message->body = JS_DupValue(context, from->body);
            message->is_incoming = from->is_incoming;
            message->turn = from->turn;
        }
    }
    JS_FreeValue(context, body);
    return is_ok;
}

/* The prelude's `absolute`: an absolute URL's text. */
static JSValue absolute(JSContext *context, JSValueConst url)
{
    const struct tf_js *js = JS_GetContextOpaque(context);
    JSValue run = JS_GetPropertyStr(context, js->own, "absolute");
    JSValue text = JS_Call(context, run, JS_UNDEFINED, 1, &url);

    JS_FreeValue(context, run);
    return text;
}

static JSValue request_new(JSContext *context, JSValueConst new_target, int argc,
                           JSValueConst *argv)
{
    JSValue object = tf_quickjs_construct(context, new_target, TF_CLASS_REQUEST);
    struct tf_message *message = tf_message_new(context, object);
    struct tf_message *from = JS_GetOpaque(argv[0], TF_CLASS_REQUEST);

    (void)argc;
    if (message == NULL) {
        return made(context, object, false);
    }
    message->url =
        from != NULL ? JS_DupValue(context, from->url) : absolute(context, argv[0]);
    return made(context, object,
                !JS_IsException(message->url) &&
                    take_method(context, message, argv[1], from) &&
                    take_headers(context, message, argv[1], from) &&
                    take_body(context, message, argv[1], from));
}

JSValue tf_http_request(struct tf_js *js)
{
    const struct tf_js_request *request = js->native.request;
    JSContext *context = js->context;
    JSValue object = JS_NewObjectClass(context, TF_CLASS_REQUEST);
    struct tf_message *message = tf_message_new(context, object);

    js->turn++;
    if (message == NULL) {
        return made(context, object, false);
    }
    message->headers->turn = js->turn;
    message->turn = js->turn;
    message->is_incoming = true;
    message->method =
        JS_NewStringLen(context, request->method.data, request->method.size);
    message->url = JS_NewStringLen(context, request->url.data, request->url.size);
    return made(context, object,
                !JS_IsException(message->method) && !JS_IsException(message->url));
}

static JSValue clone(JSContext *context, JSValueConst this, int argc, JSValueConst *argv,
                     int id)
{
    const struct tf_message *from = JS_GetOpaque2(context, this, (JSClassID)id);

    (void)argc;
    (void)argv;
    if (from == NULL) {
        return JS_EXCEPTION;
    }
    if (from->is_used) {
        return JS_ThrowTypeError(context, "the body has been used");
    }
    JSValue object = JS_NewObjectClass(context, id);
    struct tf_message *message = tf_message_new(context, object);
    if (message == NULL) {
        return made(context, object, false);
    }
    message->status = from->status;
    message->text = JS_DupValue(context, from->text);
    message->method = JS_DupValue(context, from->method);
    message->url = JS_DupValue(context, from->url);
    message->body = JS_DupValue(context, from->body);
    message->is_incoming = from->is_incoming;
    message->turn = from->turn;
    return made(context, object, take_headers(context, message, JS_UNDEFINED, from));
}

/* --- Response's own functions ---------------------------------------------------- */

/* A Response of the built-in constructor. */
static JSValue new_response(JSContext *context, JSValueConst init,
                            struct tf_message **out)
{
    JSValue object = JS_NewObjectClass(context, TF_CLASS_RESPONSE);

    *out = tf_message_new(context, object);
    return made(context, object,
                *out != NULL && fill_response(context, *out, JS_NULL, init));
}

static JSValue response_json(JSContext *context, JSValueConst this, int argc,
                             JSValueConst *argv)
{
    JSValue text = JS_JSONStringify(context, argv[0], JS_UNDEFINED, JS_UNDEFINED);
    struct tf_message *message;

    (void)this;
    (void)argc;
    if (JS_IsUndefined(text)) {
        text = JS_ThrowTypeError(context, "this value has no JSON");
    }
    if (JS_IsException(text)) {
        return JS_EXCEPTION;
    }
    JSValue response = new_response(context, argv[1], &message);
    if (JS_IsException(response)) {
        JS_FreeValue(context, text);
        return JS_EXCEPTION;
    }
    message->body = text;
    return made(context, response,
                tf_headers_default(context, message->headers, "content-type",
                                   "application/json"));
}

static bool is_redirect(int32_t status)
{
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

static JSValue response_redirect(JSContext *context, JSValueConst this, int argc,
                                 JSValueConst *argv)
{
    static const struct tf_str name = {"location", 8};
    int32_t status = 302;
    struct tf_message *message;

    (void)this;
    (void)argc;
    if (!JS_IsUndefined(argv[1]) && JS_ToInt32(context, &status, argv[1]) < 0) {
        return JS_EXCEPTION;
    }
    if (!is_redirect(status)) {
        return JS_ThrowRangeError(context, "no redirect status");
    }
    JSValue url = absolute(context, argv[0]);
    JSValue response = JS_IsException(url)
                           ? JS_EXCEPTION
                           : new_response(context, JS_UNDEFINED, &message);
    if (JS_IsException(response)) {
        JS_FreeValue(context, url);
        return JS_EXCEPTION;
    }
    message->status = (unsigned)status;
    return made(context, response, tf_headers_add(context, message->headers, &name, url));
}

static JSValue response_error(JSContext *context, JSValueConst this, int argc,
                              JSValueConst *argv)
{
    struct tf_message *message;
    JSValue response = new_response(context, JS_UNDEFINED, &message);

    (void)this;
    (void)argc;
    (void)argv;
    if (!JS_IsException(response)) {
        message->status = 0;
    }
    return response;
}

static void finalize_body(JSRuntime *runtime, JSValue value)
{
    void *owner = JS_GetOpaque(value, TF_CLASS_BODY);
    if (owner != NULL) {
        JS_FreeValueRT(runtime, JS_MKPTR(JS_TAG_OBJECT, owner));
    }
}

static void mark_body(JSRuntime *runtime, JSValueConst value, JS_MarkFunc *mark_value)
{
    void *owner = JS_GetOpaque(value, TF_CLASS_BODY);
    if (owner != NULL) {
        JS_MarkValue(runtime, JS_MKPTR(JS_TAG_OBJECT, owner), mark_value);
    }
}

/* --- properties ------------------------------------------------------------------ */

enum property {
    PROPERTY_HEADERS,
    PROPERTY_BODY,
    PROPERTY_USED,
    PROPERTY_METHOD,
    PROPERTY_URL,
    PROPERTY_STATUS,
    PROPERTY_TEXT,
    PROPERTY_OK,
    PROPERTY_TYPE
};

static JSValue get_headers(JSContext *context, struct tf_message *message)
{
    if (JS_IsUndefined(message->shown)) {
        JSValue shown = tf_headers_show(context, message->headers);
        if (JS_IsException(shown)) {
            return shown;
        }
        message->shown = shown;
    }
    return JS_DupValue(context, message->shown);
}

static JSValue get_of_both(JSContext *context, JSValueConst this, int property)
{
    struct tf_message *message = tf_message_of(context, this);

    if (message == NULL) {
        return JS_EXCEPTION;
    }
    if (property == PROPERTY_HEADERS) {
        return get_headers(context, message);
    }
    if (property == PROPERTY_USED) {
        return JS_NewBool(context, message->is_used);
    }
    return !message->is_incoming && JS_IsNull(message->body)
               ? JS_NULL
               : tf_message_show_body(context, this);
}

static JSValue get_of_request(JSContext *context, JSValueConst this, int property)
{
    const struct tf_message *message = JS_GetOpaque2(context, this, TF_CLASS_REQUEST);

    if (message == NULL) {
        return JS_EXCEPTION;
    }
    return JS_DupValue(context,
                       property == PROPERTY_METHOD ? message->method : message->url);
}

static JSValue get_of_response(JSContext *context, JSValueConst this, int property)
{
    const struct tf_message *message = JS_GetOpaque2(context, this, TF_CLASS_RESPONSE);

    if (message == NULL) {
        return JS_EXCEPTION;
    }
    switch ((enum property)property) {
    case PROPERTY_STATUS:
        return JS_NewInt32(context, (int32_t)message->status);
    case PROPERTY_OK:
        return JS_NewBool(context, message->status >= 200 && message->status <= 299);
    case PROPERTY_TYPE:
        return JS_NewString(context, message->status == 0 ? "error" : "default");
    case PROPERTY_TEXT:
    case PROPERTY_HEADERS:
    case PROPERTY_BODY:
    case PROPERTY_USED:
    case PROPERTY_METHOD:
    case PROPERTY_URL:
    default:
        return JS_DupValue(context, message->text);
    }
}

/* --- the classes ----------------------------------------------------------------- */

static const JSClassDef request_def = {.class_name = "Request",
                                       .finalizer = tf_message_finalize,
                                       .gc_mark = tf_message_mark};
static const JSClassDef response_def = {.class_name = "Response",
                                        .finalizer = tf_message_finalize,
                                        .gc_mark = tf_message_mark};
static const JSClassDef body_def = {
    .class_name = "Body", .finalizer = finalize_body, .gc_mark = mark_body};

static const JSCFunctionListEntry both_methods[] = {
    JS_CFUNC_MAGIC_DEF("text", 0, tf_message_consume, TF_FORM_AS_TEXT),
    JS_CFUNC_MAGIC_DEF("json", 0, tf_message_consume, TF_FORM_AS_JSON),
    JS_CFUNC_MAGIC_DEF("arrayBuffer", 0, tf_message_consume, TF_FORM_AS_BUFFER),
    JS_CFUNC_MAGIC_DEF("bytes", 0, tf_message_consume, TF_FORM_AS_BYTES),
    JS_CGETSET_MAGIC_DEF("bodyUsed", get_of_both, NULL, PROPERTY_USED),
    JS_CGETSET_MAGIC_DEF("body", get_of_both, NULL, PROPERTY_BODY),
    JS_CGETSET_MAGIC_DEF("headers", get_of_both, NULL, PROPERTY_HEADERS),
};

static const JSCFunctionListEntry request_methods[] = {
    JS_CGETSET_MAGIC_DEF("method", get_of_request, NULL, PROPERTY_METHOD),
    JS_CGETSET_MAGIC_DEF("url", get_of_request, NULL, PROPERTY_URL),
    JS_CFUNC_MAGIC_DEF("clone", 0, clone, TF_CLASS_REQUEST),
};

static const JSCFunctionListEntry response_methods[] = {
    JS_CGETSET_MAGIC_DEF("status", get_of_response, NULL, PROPERTY_STATUS),
    JS_CGETSET_MAGIC_DEF("statusText", get_of_response, NULL, PROPERTY_TEXT),
    JS_CGETSET_MAGIC_DEF("ok", get_of_response, NULL, PROPERTY_OK),
    JS_CGETSET_MAGIC_DEF("type", get_of_response, NULL, PROPERTY_TYPE),
    JS_CFUNC_MAGIC_DEF("clone", 0, clone, TF_CLASS_RESPONSE),
};

static const JSCFunctionListEntry response_statics[] = {
    JS_CFUNC_DEF("json", 2, response_json),
    JS_CFUNC_DEF("redirect", 2, response_redirect),
    JS_CFUNC_DEF("error", 0, response_error),
};

enum { BOTH_COUNT = sizeof(both_methods) / sizeof(both_methods[0]) };

/* A class whose objects are messages. @return its constructor, or an exception. */
static JSValue define_message(JSContext *context, JSValueConst global,
                              const struct tf_quickjs_class *class)
{
    JSValue constructor = tf_quickjs_class(context, global, class);
    if (!JS_IsException(constructor)) {
        JSValue prototype = JS_GetClassProto(context, class->id);
        JS_SetPropertyFunctionList(context, prototype, both_methods, BOTH_COUNT);
        JS_FreeValue(context, prototype);
    }
    return constructor;
}

static bool define_response(JSContext *context, JSValueConst global)
{
    const struct tf_quickjs_class class = {.id = TF_CLASS_RESPONSE,
                                           .def = &response_def,
                                           .make = response_new,
                                           .length = 2,
                                           .methods = response_methods,
                                           .count = sizeof(response_methods) /
                                                    sizeof(response_methods[0])};
    JSValue constructor = define_message(context, global, &class);

    if (JS_IsException(constructor)) {
        return false;
    }
    JS_SetPropertyFunctionList(context, constructor, response_statics,
                               sizeof(response_statics) / sizeof(response_statics[0]));
    JS_FreeValue(context, constructor);
    return true;
}

static bool define_request(JSContext *context, JSValueConst global)
{
    const struct tf_quickjs_class class = {.id = TF_CLASS_REQUEST,
                                           .def = &request_def,
                                           .make = request_new,
                                           .length = 2,
                                           .methods = request_methods,
                                           .count = sizeof(request_methods) /
                                                    sizeof(request_methods[0])};
    JSValue constructor = define_message(context, global, &class);
    bool is_ok = !JS_IsException(constructor);

    JS_FreeValue(context, constructor);
    return is_ok;
}

/* The engine makes functions and accessors when they are first asked for. What nearly
 * every request asks for is made here, so that it is there after each restore. */
static void make_at_once(JSContext *context, JSValueConst prototype,
                         const char *const *names)
{
    while (*names != NULL) {
        JSPropertyDescriptor found;
        JSAtom name = JS_NewAtom(context, *names);
        if (JS_GetOwnProperty(context, &found, prototype, name) > 0) {
            JS_FreeValue(context, found.value);
            JS_FreeValue(context, found.getter);
            JS_FreeValue(context, found.setter);
        }
        JS_FreeAtom(context, name);
        names++;
    }
}

static void make_common(JSContext *context)
{
    static const char *const of_request[] = {"text",   "json", "arrayBuffer", "headers",
                                             "method", "url",  NULL};
    static const char *const of_headers[] = {"get", NULL};
    static const char *const of_promise[] = {"then", NULL};
    JSValue promise = JS_NewSettledPromise(context, JS_UNDEFINED, false);
    JSValue promises = JS_GetPrototype(context, promise);
    JSValue request = JS_GetClassProto(context, TF_CLASS_REQUEST);
    JSValue headers = JS_GetClassProto(context, TF_CLASS_HEADERS);

    /* Every then() asks for the first one, every load for the others. */
    static const char more[] = "Promise[Symbol.species], ''.slice, ''.lastIndexOf, "
                               "isNaN.call";
    JS_FreeValue(context, JS_Eval(context, more, sizeof(more) - 1, "prelude",
                                  JS_EVAL_TYPE_GLOBAL));
    make_at_once(context, request, of_request);
    make_at_once(context, headers, of_headers);
    make_at_once(context, promises, of_promise);
    JS_FreeValue(context, promises);
    JS_FreeValue(context, promise);
    JS_FreeValue(context, request);
    JS_FreeValue(context, headers);
}

bool tf_http_define(struct tf_js *js, JSValueConst global)
{
    JSContext *context = js->context;
    JSValue array = JS_NewArray(context);
    JSValue json = JS_GetPropertyStr(context, global, "JSON");

    js->array_values = JS_GetPropertyStr(context, array, "values");
    js->json_parse = JS_GetPropertyStr(context, json, "parse");
    JS_FreeValue(context, json);
    JS_FreeValue(context, array);
    /* The one with the highest number first: then the engine's table grows once. */
    if (JS_NewClass(js->runtime, TF_CLASS_BODY, &body_def) < 0 ||
        !define_response(context, global) || !define_request(context, global) ||
        !tf_headers_define(context, global)) {
        return false;
    }
    make_common(context);
    return true;
}
