/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quickjs_http.h - Headers, Request and Response of WHATWG Fetch as native classes, for
 * QuickJS; the other engines have enclave/js/prelude/http.js, which says the same in
 * JavaScript. Native, they take a tenth of the heap and make no objects that the lambda
 * does not touch. Between quickjs_fields.c, quickjs_headers.c, quickjs_body.c,
 * quickjs_http.c and quickjs_answer.c; nobody else includes it.
 */
#pragma once

#include "enclave/js/quickjs_instance.h"

/* Class numbers, above the engine's own. JS_NewClass refuses one that is taken. */
enum { TF_CLASS_HEADERS = 60, TF_CLASS_REQUEST, TF_CLASS_RESPONSE, TF_CLASS_BODY };

enum {
    TF_FIELDS_MAX = 1000, /* fields of one Headers object */
    TF_STATUS_MIN = 200,  /* of a Response */
    TF_STATUS_MAX = 599
};

/** What an iteration is over. */
enum tf_headers_part { TF_PART_KEY, TF_PART_VALUE, TF_PART_PAIR };

/** A field: a value, and a name in lower case, a token. */
struct tf_field {
    JSValue value; /* a string that may go out as it is, of characters up to U+00FF */
    size_t size;
    char name[];
};

/** What a Headers object shows; shared with the Request or Response that it belongs to.
 */
struct tf_headers {
    unsigned refs;
    uint32_t turn; /* not 0: stands for the fields of the request with this number */
    uint32_t count;
    uint32_t cap;
    struct tf_field **fields;
};

/** Makes a list without fields. @return NULL with an exception. */
struct tf_headers *tf_headers_new(JSContext *context);

/** Gives a reference back; NULL is fine. */
void tf_headers_release(JSRuntime *runtime, struct tf_headers *headers);

/** Adds what the first argument of `new Headers` lists. @return false with an exception.
 */
TF_MUST_USE bool tf_headers_fill(JSContext *context, struct tf_headers *headers,
                                 JSValueConst init);

/** A header's name from a script; `out->data` is the caller's to free as a C string.
 *  @return false with an exception, also if it is no token. */
TF_MUST_USE bool tf_headers_name(JSContext *context, JSValueConst value,
                                 struct tf_str *out);

/** The string that a header gets for a script's value (Fetch 2.2.2), or an exception. */
JSValue tf_headers_value(JSContext *context, JSValueConst value);

/** Makes the request's fields the list's own, which has to be done before it is walked or
 *  changed. @return false with an exception. */
TF_MUST_USE bool tf_headers_own(JSContext *context, struct tf_headers *headers);

/** Adds a field; takes `value`, which may be an exception. @return false with one. */
TF_MUST_USE bool tf_headers_add(JSContext *context, struct tf_headers *headers,
                                const struct tf_str *name, JSValue value);

/** As the method of that name. @return false with an exception. */
TF_MUST_USE bool tf_headers_append(JSContext *context, struct tf_headers *headers,
                                   JSValueConst key, JSValueConst value);

/** Removes the fields of that name, in any case. */
void tf_headers_remove(JSContext *context, struct tf_headers *headers,
                       const struct tf_str *name);

/** The value of the fields of that name, joined; null if there is none. */
JSValue tf_headers_get(JSContext *context, struct tf_headers *headers,
                       const struct tf_str *name);

/** An array as iteration shows the list (Fetch 5.1): sorted, equal names joined. */
JSValue tf_headers_list(JSContext *context, struct tf_headers *headers,
                        enum tf_headers_part part);

/** Whether it is a Set-Cookie, whose values are never joined. */
bool tf_field_is_cookie(const struct tf_field *field);

/** Adds a field with this lower-case token for a name, unless there is one.
 *  @return false with an exception. */
TF_MUST_USE bool tf_headers_default(JSContext *context, struct tf_headers *headers,
                                    const char *name, const char *value);

/** A new Headers object that shows the list. */
JSValue tf_headers_show(JSContext *context, struct tf_headers *headers);

/** The list of a Headers object, or NULL without an exception. */
struct tf_headers *tf_headers_of(JSValueConst value);

/** Defines the class. @return false with an exception. */
TF_MUST_USE bool tf_headers_define(JSContext *context, JSValueConst global);

/** A Request or a Response. What it has none of is undefined. */
struct tf_message {
    struct tf_headers *headers; /* a reference */
    JSValue shown;              /* their object, once a script asked for it */
    JSValue body;               /* null, a string, an ArrayBuffer or a view */
    bool is_incoming;           /* the body is that of the request, */
    uint32_t turn;              /* of the one with this number */
    bool is_used;
    unsigned status; /* of a Response */
    JSValue text;
    JSValue method; /* of a Request */
    JSValue url;
};

/** How a body is asked for. */
enum tf_form { TF_FORM_AS_TEXT, TF_FORM_AS_JSON, TF_FORM_AS_BUFFER, TF_FORM_AS_BYTES };

/** An empty one for a new object, which owns it. @return NULL with an exception, also
 * when `object` is one. */
struct tf_message *tf_message_new(JSContext *context, JSValueConst object);

/** That of a Request or Response. @return NULL with an exception. */
struct tf_message *tf_message_of(JSContext *context, JSValueConst value);

/** Class functions. */
void tf_message_finalize(JSRuntime *runtime, JSValue value);
void tf_message_mark(JSRuntime *runtime, JSValueConst value, JS_MarkFunc *mark_value);

/** Gives the body away, once. @return false with an exception. */
TF_MUST_USE bool tf_message_take(JSContext *context, struct tf_message *message);

/** Takes what a constructor got as a body. @return false with an exception. */
TF_MUST_USE bool tf_message_set_body(JSContext *context, struct tf_message *message,
                                     JSValueConst body);

/** What the property `body` gives: no stream yet, but `new Response(request.body)` works.
 */
JSValue tf_message_show_body(JSContext *context, JSValueConst owner);

/** The methods text, json, arrayBuffer and bytes, by enum tf_form. */
JSValue tf_message_consume(JSContext *context, JSValueConst this, int argc,
                           JSValueConst *argv, int form);

/** Whether a response with this status has no body. */
bool tf_http_is_null_body(double status);

/** The Request object for what `js->native.request` holds. */
JSValue tf_http_request(struct tf_js *js);

/** Defines the classes. @return false with an exception. */
TF_MUST_USE bool tf_http_define(struct tf_js *js, JSValueConst global);
