/* SPDX-License-Identifier: Apache-2.0 */
/*
 * duktape_http.c - the way that most requests take through enclave/js/prelude/http.js, in
 * C: the incoming Request, its text() and arrayBuffer(), a header of it, `new Response`,
 * and what becomes of the handler's result. Objects are what http.js makes of them, with
 * their state under its symbol, and begin as copies of blank ones that it hands over;
 * whatever is unusual is left to it.
 */
#include <string.h>

#include "enclave/http_text.h"
#include "enclave/js/duktape_instance.h"

#define REST DUK_HIDDEN_SYMBOL("rest")

enum { HEADER_MAX = 128, STATUS_MIN = 200, STATUS_MAX = 599 };
enum { FIELDS_MAX = 128, ROOM = 8 }; /* names and values; places on the value stack */
enum { AS_TEXT, AS_BUFFER };
enum { TARGET, FETCH, ENV, CONTEXT };

static struct tf_duktape_http *http_of(duk_context *context)
{
    return &tf_duktape_self(context)->http;
}

/* Pushes the state of the object at `at`, or another value. */
static void push_state(duk_context *context, duk_idx_t at)
{
    if (duk_is_object(context, at)) {
        (void)duk_get_field(context, at, 0, http_of(context)->symbol);
    } else {
        duk_push_undefined(context);
    }
}

/* Has the value on top be the state of the object at `at`. */
static void put_state(duk_context *context, duk_idx_t at)
{
    duk_put_field(context, at, 0, http_of(context)->symbol);
}

/* Whether the object at `at` is one of http.js. */
static bool has_state(duk_context *context, duk_idx_t at)
{
    return !duk_lacks(context, at, http_of(context)->symbol);
}

/* Whether the value on top is the number of the request at hand; takes it. */
static bool take_turn(duk_context *context)
{
    bool is_it =
        duk_is_number(context, -1) && duk_get_uint(context, -1) == http_of(context)->turn;
    duk_pop(context);
    return is_it;
}

/* What the method on the prototype was before this file's. */
static duk_ret_t leave_to_rest(duk_context *context, duk_idx_t arguments)
{
    duk_set_top(context, arguments);
    duk_push_current_function(context);
    duk_get_prop_literal(context, -1, REST);
    duk_replace(context, -2);
    duk_insert(context, 0);
    duk_push_this(context);
    duk_insert(context, 1);
    duk_call_method(context, arguments);
    return 1;
}

/* --- the request ----------------------------------------------------------------- */

static void push_incoming(duk_context *context)
{
    const struct tf_js *js = tf_duktape_self(context);
    const struct tf_js_request *request = js->native.request;

    (void)duk_push_copy(context, js->http.request);
    (void)duk_push_copy(context, js->http.request_state);
    duk_push_lstring(context, request->method.data, request->method.size);
    tf_duktape_put(context, -2, TF_NAME_METHOD);
    duk_push_lstring(context, request->url.data, request->url.size);
    tf_duktape_put(context, -2, TF_NAME_URL);
    duk_push_uint(context, js->http.turn);
    tf_duktape_put(context, -2, TF_NAME_TURN);
    put_state(context, -2);
}

/* Getter of Request: makes the Headers of an incoming one when they are asked for. */
static duk_ret_t get_headers(duk_context *context)
{
    duk_push_this(context);
    push_state(context, 0);
    if (!duk_is_object(context, 1)) {
        (void)duk_type_error(context, "not a Request");
    }
    tf_duktape_get(context, 1, TF_NAME_HEADERS);
    if (duk_is_null(context, 2)) {
        (void)duk_push_copy(context, http_of(context)->headers);
        tf_duktape_get(context, 1, TF_NAME_TURN);
        put_state(context, 3);
        duk_dup(context, 3);
        tf_duktape_put(context, 1, TF_NAME_HEADERS);
    }
    return 1;
}

/* Method of Request. */
static duk_ret_t consume(duk_context *context)
{
    struct tf_js *js = tf_duktape_self(context);
    const struct tf_str *body = &js->native.request->body;
    bool is_it = false;

    duk_push_this(context);
    push_state(context, 0);
    if (duk_is_object(context, 1)) {
        tf_duktape_get(context, 1, TF_NAME_BODY);
        is_it = duk_get_heapptr(context, 2) == js->http.incoming;
        tf_duktape_get(context, 1, TF_NAME_USED);
        is_it = is_it && !duk_to_boolean(context, 3);
        tf_duktape_get(context, 1, TF_NAME_TURN);
        is_it = take_turn(context) && is_it;
    }
    if (!is_it) {
        return leave_to_rest(context, 0);
    }
    duk_push_true(context);
    tf_duktape_put(context, 1, TF_NAME_USED);
    tf_duk_charge(js, body->size / 16);
    if (duk_get_current_magic(context) == AS_TEXT) {
        struct tf_str text = tf_text_unmarked(*body);
        tf_duktape_push_text(context, &text, false);
    } else {
        tf_duktape_push_buffer(context, body);
    }
    tf_duktape_push_promise(context);
    return 1;
}

/* Writes a header's name in lower case. @return its length, or 0 if it is none or long.
 */
static size_t lower_name(const struct tf_str *name, char out[static HEADER_MAX])
{
    if (name->size > HEADER_MAX || !tf_http_is_token(*name)) {
        return 0;
    }
    for (size_t i = 0; i < name->size; i++) {
        out[i] = tf_http_lower(name->data[i]);
    }
    return name->size;
}

/* Method of Headers (name): of the request's, a name that is there once at most. */
static duk_ret_t get_header(duk_context *context)
{
    const struct tf_js_request *request = tf_duktape_self(context)->native.request;
    char lower[HEADER_MAX];
    struct tf_str name;
    size_t size = 0;
    size_t at;

    duk_push_this(context);
    push_state(context, 1);
    if (take_turn(context) && duk_is_string(context, 0) && !duk_is_symbol(context, 0)) {
        name.data = duk_get_lstring(context, 0, &name.size);
        size = lower_name(&name, lower);
    }
    at = size == 0 ? 0 : tf_text_header(request, lower, size, 0);
    if (size == 0 ||
        (at < request->header_count &&
         tf_text_header(request, lower, size, at + 1) < request->header_count)) {
        return leave_to_rest(context, 1);
    }
    if (at == request->header_count) {
        duk_push_null(context);
    } else {
        tf_duk_charge(tf_duktape_self(context), request->headers[at].value.size / 16);
        tf_duktape_push_text(context, &request->headers[at].value, true);
    }
    return 1;
}

/* --- the response ---------------------------------------------------------------- */

/* The name on top in lower case. @return false if the rest has to look at it. */
static bool lower_top(duk_context *context)
{
    char lower[HEADER_MAX];
    struct tf_str name;
    size_t size;

    name.data = duk_get_lstring(context, -1, &name.size);
    size = lower_name(&name, lower);
    if (size != 0 && memcmp(lower, name.data, size) != 0) {
        duk_push_lstring(context, lower, size);
        duk_replace(context, -2);
    }
    return size != 0;
}

/* The value on top as it goes out. */
static void clean_top(duk_context *context)
{
    struct tf_str value = {NULL, 0};

    if (duk_is_string(context, -1) && !duk_is_symbol(context, -1)) {
        value.data = duk_get_lstring(context, -1, &value.size);
    }
    if (value.data == NULL || !tf_text_is_plain(&value)) {
        duk_push_heapptr(context, http_of(context)->header_value);
        duk_insert(context, -2);
        duk_call(context, 1);
    }
}

/* Pushes a list of the properties of the object on top. @return false if the rest has to
 * make it; then there is something else above the object. */
static bool push_fields(duk_context *context)
{
    duk_idx_t from = duk_get_top_index(context);
    duk_uarridx_t at = 0;
    duk_int_t more;

    while ((more = duk_next_plain(context, from, &at)) > 0) {
        duk_swap_top(context, -2);
        if (!lower_top(context)) {
            return false;
        }
        duk_swap_top(context, -2);
        clean_top(context);
        if (duk_get_top_index(context) - from > FIELDS_MAX) {
            return false;
        }
        duk_require_stack(context, ROOM);
    }
    duk_pack(context, duk_get_top_index(context) - from);
    return more == 0;
}

/* Makes a flat list of what is on top, the argument of `new Headers`; replaces it. */
static void list_headers(duk_context *context)
{
    duk_idx_t from = duk_get_top_index(context);
    bool is_done = duk_is_null_or_undefined(context, from);

    if (is_done) {
        duk_push_array(context);
    } else if (duk_is_object(context, from) && !duk_is_array(context, from) &&
               !duk_is_function(context, from) && !has_state(context, from)) {
        is_done = push_fields(context);
    }
    if (!is_done) {
        duk_push_heapptr(context, http_of(context)->headers_class);
        duk_dup(context, from);
        duk_new(context, 1);
        push_state(context, -1);
    }
    duk_replace(context, from);
    duk_set_top(context, from + 1);
}

/* Adds text/plain to the list at `list` unless there is a type. */
static void default_type(duk_context *context, duk_idx_t list)
{
    duk_uarridx_t count = (duk_uarridx_t)duk_get_length(context, list);

    duk_push_heapptr(context, tf_duktape_self(context)->names[TF_NAME_CONTENT_TYPE]);
    for (duk_uarridx_t i = 0; i < count; i += 2) {
        bool is_type;
        duk_get_item(context, list, i);
        is_type = duk_strict_equals(context, -1, -2);
        duk_pop(context);
        if (is_type) {
            duk_pop(context);
            return;
        }
    }
    duk_put_prop_index(context, list, count);
    duk_push_literal(context, "text/plain;charset=UTF-8");
    duk_put_prop_index(context, list, count + 1);
}

/* Puts the argument 0 of the constructor into the state at `state`. */
static void set_body(duk_context *context, duk_idx_t state, duk_idx_t list, double status)
{
    bool is_text = duk_is_string(context, 0) && !duk_is_symbol(context, 0);

    if (duk_is_null_or_undefined(context, 0)) {
        return;
    }
    if (is_text || duk_is_buffer_data(context, 0)) {
        duk_dup(context, 0);
        tf_duktape_put(context, state, TF_NAME_BODY);
        if (is_text) {
            default_type(context, list);
        }
    } else {
        duk_push_heapptr(context, http_of(context)->set_body);
        duk_dup(context, state);
        duk_dup(context, 0);
        duk_call(context, 2);
        duk_pop(context);
    }
    if (status == 204 || status == 205 || status == 304) {
        (void)duk_type_error(context, "status %d has no body", (int)status);
    }
}

/* Takes `status` and `statusText` of the argument 1 into the state at 2. */
static double take_status(duk_context *context)
{
    const struct tf_js *js = tf_duktape_self(context);
    double status = STATUS_MIN;

    duk_get_prop_heapptr(context, 1, js->names[TF_NAME_STATUS]);
    if (duk_is_undefined(context, -1)) {
        duk_pop(context);
    } else {
        status = duk_to_number(context, -1);
        tf_duktape_put(context, 2, TF_NAME_STATUS);
    }
    duk_get_prop_heapptr(context, 1, js->names[TF_NAME_STATUS_TEXT]);
    if (duk_is_undefined(context, -1)) {
        duk_pop(context);
    } else {
        (void)duk_to_string(context, -1);
        tf_duktape_put(context, 2, TF_NAME_TEXT);
    }
    return status;
}

/* new Response(body, init) */
static duk_ret_t construct(duk_context *context)
{
    const struct tf_js *js = tf_duktape_self(context);
    const struct tf_duktape_http *http = &js->http;
    double status = STATUS_MIN;

    if (!duk_is_constructor_call(context)) {
        (void)duk_type_error(context, "Response needs new");
    }
    (void)duk_push_copy(context, http->response_state); /* at 2 */
    if (duk_is_null_or_undefined(context, 1)) {
        duk_push_array(context);
    } else {
        status = take_status(context);
        duk_get_prop_heapptr(context, 1, js->names[TF_NAME_HEADERS]);
        list_headers(context);
    }
    if (!(status >= STATUS_MIN && status <= STATUS_MAX) || status != (int)status) {
        (void)duk_range_error(context, "status is not 200 to 599");
    }
    duk_dup(context, 3);
    tf_duktape_put(context, 2, TF_NAME_TURN);
    set_body(context, 2, 3, status);
    (void)duk_push_copy(context, http->response);
    duk_dup(context, 2);
    put_state(context, -2);
    return 1;
}

/* --- the call -------------------------------------------------------------------- */

static void refuse(duk_context *context, const char *text)
{
    tf_duktape_self(context)->native.is_refused = true;
    (void)duk_type_error(context, "%s", text);
}

/* The answer is the value on top. */
static void respond(duk_context *context)
{
    struct tf_js *js = tf_duktape_self(context);
    duk_idx_t state = duk_get_top(context);

    push_state(context, -1);
    if (!duk_is_object(context, state) ||
        !tf_duktape_get(context, state, TF_NAME_RESPONSE)) {
        refuse(context, "the handler returned no Response");
    }
    tf_duktape_get(context, state, TF_NAME_STATUS);
    js->status = duk_to_number(context, -1);
    if (js->status == 0) {
        refuse(context, "the handler returned no Response");
    }
    tf_duktape_get(context, state, TF_NAME_USED);
    if (duk_to_boolean(context, -1)) {
        refuse(context, "the body of the Response has been used");
    }
    duk_push_heapptr(context, js->stash);
    tf_duktape_get(context, state, TF_NAME_BODY);
    if (!duk_is_null(context, -1) && !duk_is_string(context, -1) &&
        !duk_is_buffer_data(context, -1)) {
        (void)duk_type_error(context, "bad body"); /* a script tampered with the state */
    }
    tf_duktape_put(context, -2, TF_NAME_BODY);
    tf_duktape_get(context, state, TF_NAME_HEADERS);
    if (duk_is_null(context, -1)) { /* nobody asked for them */
        tf_duktape_get(context, state, TF_NAME_TURN);
    } else {
        push_state(context, -1);
    }
    tf_duktape_put(context, -3, TF_NAME_HEADERS);
    duk_set_top(context, state);
    js->is_answered = true;
}

/* Whether the value on top is a promise, or becomes one as it has a `then`. */
static bool is_promise(duk_context *context)
{
    bool is_thenable;

    if (!duk_is_object(context, -1)) {
        return false;
    }
    if (tf_duktape_is_promise(context, -1)) {
        return true;
    }
    if (duk_lacks(context, -1, tf_duktape_self(context)->names[TF_NAME_THEN])) {
        return false;
    }
    duk_get_prop_literal(context, -1, "then");
    is_thenable = duk_is_function(context, -1);
    duk_pop(context);
    if (is_thenable) {
        tf_duktape_push_promise(context);
    }
    return is_thenable;
}

void tf_duktape_serve(duk_context *context)
{
    struct tf_js *js = tf_duktape_self(context);
    duk_idx_t base = duk_get_top(context);

    js->http.turn++;
    duk_push_heapptr(context, js->http.own);
    duk_push_uint(context, js->http.turn);
    duk_put_prop_heapptr(context, -2, js->names[TF_NAME_TURN]);
    duk_push_heapptr(context, js->http.serving[FETCH]);
    duk_push_heapptr(context, js->http.serving[TARGET]);
    push_incoming(context);
    duk_push_heapptr(context, js->http.serving[ENV]);
    duk_push_heapptr(context, js->http.serving[CONTEXT]);
    duk_call_method(context, 3);
    if (is_promise(context)) {
        tf_duktape_run_jobs(context);
        if (tf_duktape_settled(context)) {
            respond(context);
        }
    } else {
        respond(context);
        tf_duktape_run_jobs(context);
    }
    duk_set_top(context, base);
}

/* serve(target, fetch, env, context): who answers from now on */
static duk_ret_t serve(duk_context *context)
{
    duk_push_array(context);
    for (duk_uarridx_t i = 0; i < TF_DUKTAPE_SERVING; i++) {
        http_of(context)->serving[i] = duk_get_heapptr(context, (duk_idx_t)i);
        duk_dup(context, (duk_idx_t)i);
        duk_put_prop_index(context, TF_DUKTAPE_SERVING, i);
    }
    duk_push_global_stash(context);
    duk_swap_top(context, TF_DUKTAPE_SERVING);
    duk_put_prop_literal(context, TF_DUKTAPE_SERVING, "serving");
    return 0;
}

/* --- what http.js hands over ----------------------------------------------------- */

/* Puts a function in the place of a method of the prototype, which becomes its rest. */
static void stand_before(duk_context *context, void *prototype, const char *name,
                         duk_c_function function, duk_int_t magic)
{
    duk_push_heapptr(context, prototype);
    duk_push_string(context, name);
    duk_push_c_function(context, function, function == get_header ? 1 : 0);
    duk_set_magic(context, -1, magic);
    duk_get_prop_string(context, -3, name);
    duk_put_prop_literal(context, -2, REST);
    duk_def_prop(context, -3,
                 DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_SET_WRITABLE |
                     DUK_DEFPROP_SET_CONFIGURABLE | DUK_DEFPROP_CLEAR_ENUMERABLE);
    duk_pop(context);
}

static void *part(duk_context *context, const char *name)
{
    void *found;

    duk_get_prop_string(context, 0, name);
    found = duk_get_heapptr(context, -1);
    duk_pop(context);
    return found;
}

/* Makes the constructor, with the prototype that there is. */
static void push_constructor(duk_context *context, void *prototype)
{
    duk_push_c_function(context, construct, 2);
    duk_push_literal(context, "name");
    duk_push_literal(context, "Response");
    duk_def_prop(context, -3, DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_FORCE);
    duk_push_literal(context, "prototype");
    duk_push_heapptr(context, prototype);
    duk_push_literal(context, "constructor");
    duk_dup(context, -4);
    duk_def_prop(context, -3,
                 DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_SET_WRITABLE |
                     DUK_DEFPROP_SET_CONFIGURABLE | DUK_DEFPROP_CLEAR_ENUMERABLE);
    duk_def_prop(context, -3, DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_SET_WRITABLE);
}

/* hot(parts): takes over; returns the constructor of Response. */
static duk_ret_t hot(duk_context *context)
{
    struct tf_duktape_http *http = http_of(context);

    http->symbol = part(context, "symbol");
    http->own = part(context, "own");
    http->incoming = part(context, "incoming");
    http->headers_class = part(context, "Headers");
    http->request = part(context, "blankRequest");
    http->request_state = part(context, "requestState");
    http->response_state = part(context, "responseState");
    http->headers = part(context, "blankHeaders");
    http->response = part(context, "blankResponse");
    http->header_value = part(context, "headerValue");
    http->set_body = part(context, "setBody");
    stand_before(context, part(context, "request"), "text", consume, AS_TEXT);
    stand_before(context, part(context, "request"), "arrayBuffer", consume, AS_BUFFER);
    stand_before(context, part(context, "headers"), "get", get_header, 0);
    duk_push_heapptr(context, part(context, "request"));
    duk_push_literal(context, "headers");
    duk_push_c_function(context, get_headers, 0);
    duk_def_prop(context, -3, DUK_DEFPROP_HAVE_GETTER | DUK_DEFPROP_FORCE);
    duk_push_global_stash(context); /* where the parts stay */
    duk_dup(context, 0);
    duk_put_prop_literal(context, -2, "http");
    duk_push_null(context); /* a place, as what has one already is not moved by a load */
    duk_put_prop_literal(context, -2, "serving");
    push_constructor(context, part(context, "response"));
    return 1;
}

void tf_duktape_put_http(duk_context *context)
{
    duk_push_c_function(context, serve, TF_DUKTAPE_SERVING);
    duk_put_prop_string(context, -2, "serve");
    duk_push_c_function(context, hot, 1);
    duk_put_prop_string(context, -2, "hot");
}
