/* SPDX-License-Identifier: Apache-2.0 */
/* quickjs_fields.c - the list behind a Headers object. */
#include <string.h>

#include "enclave/http_text.h"
#include "enclave/js/quickjs_http.h"

enum { NAME_MAX = 128 }; /* of a name that is looked up in the request directly */

/* --- the list -------------------------------------------------------------------- */

struct tf_headers *tf_headers_new(JSContext *context)
{
    struct tf_headers *headers = js_mallocz(context, sizeof(*headers));
    if (headers != NULL) {
        headers->refs = 1;
    }
    return headers;
}

static void free_field(JSRuntime *runtime, struct tf_field *field)
{
    JS_FreeValueRT(runtime, field->value);
    js_free_rt(runtime, field);
}

void tf_headers_release(JSRuntime *runtime, struct tf_headers *headers)
{
    if (headers == NULL || --headers->refs != 0) {
        return;
    }
    for (uint32_t i = 0; i < headers->count; i++) {
        free_field(runtime, headers->fields[i]);
    }
    js_free_rt(runtime, headers->fields);
    js_free_rt(runtime, headers);
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* Whether the field has this name, in any case. */
static bool is_named(const struct tf_field *field, const struct tf_str *name)
{
    if (field->size != name->size) {
        return false;
    }
    for (size_t i = 0; i < name->size; i++) {
        if (field->name[i] != lower(name->data[i])) {
            return false;
        }
    }
    return true;
}

/* The first field of that name from `at` on, or the count. */
static uint32_t find(const struct tf_headers *headers, const struct tf_str *name,
                     uint32_t at)
{
    while (at < headers->count && !is_named(headers->fields[at], name)) {
        at++;
    }
    return at;
}

/* Adds a field; takes `value`, which may be an exception. */
bool tf_headers_add(JSContext *context, struct tf_headers *headers,
                    const struct tf_str *name, JSValue value)
{
    if (JS_IsException(value)) {
        return false;
    }
    if (headers->count == TF_FIELDS_MAX) {
        JS_FreeValue(context, value);
        JS_ThrowRangeError(context, "too many headers");
        return false;
    }
    if (headers->count == headers->cap) {
        uint32_t cap = headers->cap == 0 ? 4 : headers->cap * 2;
        struct tf_field **fields =
            js_realloc(context, headers->fields, cap * sizeof(struct tf_field *));
        if (fields == NULL) {
            JS_FreeValue(context, value);
            return false;
        }
        headers->fields = fields;
        headers->cap = cap;
    }
    struct tf_field *field = js_malloc(context, sizeof(*field) + name->size);
    if (field == NULL) {
        JS_FreeValue(context, value);
        return false;
    }
    field->value = value;
    field->size = name->size;
    for (size_t i = 0; i < name->size; i++) {
        field->name[i] = lower(name->data[i]);
    }
    headers->fields[headers->count] = field;
    headers->count++;
    return true;
}

/* The request's fields become the list's own before something changes or walks them. What
 * an earlier request left has none. */
bool tf_headers_own(JSContext *context, struct tf_headers *headers)
{
    const struct tf_js *js = JS_GetContextOpaque(context);
    const struct tf_js_request *request = js->native.request;
    bool is_ok = true;

    if (headers->turn == js->turn) {
        for (size_t i = 0; is_ok && i < request->header_count; i++) {
            const struct tf_js_header *h = &request->headers[i];
            is_ok = tf_headers_add(context, headers, &h->name,
                                   tf_quickjs_text(context, &h->value, true));
        }
    }
    headers->turn = 0;
    return is_ok;
}

void tf_headers_remove(JSContext *context, struct tf_headers *headers,
                       const struct tf_str *name)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < headers->count; i++) {
        struct tf_field *field = headers->fields[i];
        if (is_named(field, name)) {
            free_field(JS_GetRuntime(context), field);
        } else {
            headers->fields[kept++] = field;
        }
    }
    headers->count = kept;
}

/* --- what comes from scripts ----------------------------------------------------- */

/* A header's name, which the caller frees as a C string. */
bool tf_headers_name(JSContext *context, JSValueConst value, struct tf_str *out)
{
    out->data = JS_ToCStringLen(context, &out->size, value);
    if (out->data == NULL) {
        return false;
    }
    if (!tf_http_is_token(*out)) {
        JS_ThrowTypeError(context, "bad header name: \"%.100s\"", out->data);
        JS_FreeCString(context, out->data);
        return false;
    }
    return true;
}

static bool is_blank(char c)
{
    return c == '\t' || c == '\n' || c == '\r' || c == ' ';
}

/* Fetch 2.2.2: without the blanks around it, of Latin-1 characters that may go out. */
static JSValue normal_value(JSContext *context, struct tf_str text)
{
    while (text.size > 0 && is_blank(text.data[text.size - 1])) {
        text.size--;
    }
    while (text.size > 0 && is_blank(text.data[0])) {
        text.data++;
        text.size--;
    }
    char *bytes = js_malloc(context, text.size + 1);
    if (bytes == NULL) {
        return JS_EXCEPTION;
    }
    size_t size = 0;
    bool is_good = tf_text_to_latin1(text.data, text.size, bytes, &size);
    for (size_t i = 0; is_good && i < size; i++) {
        uint8_t c = (uint8_t)bytes[i];
        is_good = c >= ' ' && c != 0x7f;
    }
    js_free(context, bytes);
    return is_good
               ? JS_NewStringLen(context, text.data, text.size)
               : JS_ThrowTypeError(context, "bad header value: \"%.100s\"", text.data);
}

/* The string that a header gets for a script's value. */
JSValue tf_headers_value(JSContext *context, JSValueConst value)
{
    JSValue string = JS_ToString(context, value);
    struct tf_str text;

    text.data = JS_ToCStringLen(context, &text.size, string);
    if (text.data == NULL) {
        JS_FreeValue(context, string);
        return JS_EXCEPTION;
    }
    if (!tf_text_is_plain(&text)) {
        JS_FreeValue(context, string);
        string = normal_value(context, text);
    }
    JS_FreeCString(context, text.data);
    return string;
}

bool tf_headers_append(JSContext *context, struct tf_headers *headers, JSValueConst key,
                       JSValueConst value)
{
    struct tf_str name;

    if (!tf_headers_own(context, headers) || !tf_headers_name(context, key, &name)) {
        return false;
    }
    bool is_ok =
        tf_headers_add(context, headers, &name, tf_headers_value(context, value));
    JS_FreeCString(context, name.data);
    return is_ok;
}

/* The fields of another list. */
static bool fill_same(JSContext *context, struct tf_headers *headers,
                      struct tf_headers *from)
{
    bool is_ok = tf_headers_own(context, from);

    for (uint32_t i = 0; is_ok && i < from->count; i++) {
        const struct tf_field *field = from->fields[i];
        const struct tf_str name = {field->name, field->size};
        is_ok =
            tf_headers_add(context, headers, &name, JS_DupValue(context, field->value));
    }
    return is_ok;
}

/* A pair of name and value. */
static bool fill_pair(JSContext *context, struct tf_headers *headers, JSValueConst pair)
{
    JSValue length =
        JS_IsObject(pair) ? JS_GetPropertyStr(context, pair, "length") : JS_UNDEFINED;
    int32_t count = 0;
    bool is_ok = !JS_IsException(length);

    if (is_ok && (JS_ToInt32(context, &count, length) < 0 || count != 2)) {
        JS_ThrowTypeError(context, "a header is a pair of name and value");
        is_ok = false;
    }
    JS_FreeValue(context, length);
    if (!is_ok) {
        return false;
    }
    JSValue key = JS_GetPropertyUint32(context, pair, 0);
    JSValue value = JS_GetPropertyUint32(context, pair, 1);
    is_ok = !JS_IsException(key) && !JS_IsException(value) &&
            tf_headers_append(context, headers, key, value);
    JS_FreeValue(context, key);
    JS_FreeValue(context, value);
    return is_ok;
}

static bool fill_list(JSContext *context, struct tf_headers *headers, JSValueConst init)
{
    JSValue length = JS_GetPropertyStr(context, init, "length");
    uint32_t count = 0;
    bool is_ok = JS_ToUint32(context, &count, length) >= 0;

    for (uint32_t i = 0; is_ok && i < count; i++) {
        JSValue pair = JS_GetPropertyUint32(context, init, i);
        is_ok = !JS_IsException(pair) && fill_pair(context, headers, pair);
        JS_FreeValue(context, pair);
    }
    return is_ok;
}

static bool fill_object(JSContext *context, struct tf_headers *headers, JSValueConst init)
{
    JSPropertyEnum *names = NULL;
    uint32_t count = 0;
    bool is_ok = JS_GetOwnPropertyNames(context, &names, &count, init,
                                        JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY) >= 0;

    for (uint32_t i = 0; is_ok && i < count; i++) {
        JSValue key = JS_AtomToString(context, names[i].atom);
        JSValue value = JS_GetProperty(context, init, names[i].atom);
        is_ok = !JS_IsException(value) && tf_headers_append(context, headers, key, value);
        JS_FreeValue(context, key);
        JS_FreeValue(context, value);
    }
    for (uint32_t i = 0; i < count; i++) {
        JS_FreeAtom(context, names[i].atom);
    }
    js_free(context, names);
    return is_ok;
}

bool tf_headers_fill(JSContext *context, struct tf_headers *headers, JSValueConst init)
{
    struct tf_headers *from = tf_headers_of(init);

    if (JS_IsUndefined(init) || JS_IsNull(init)) {
        return true;
    }
    if (from != NULL) {
        return fill_same(context, headers, from);
    }
    if (!JS_IsObject(init) || JS_IsFunction(context, init)) {
        JS_ThrowTypeError(context, "bad headers");
        return false;
    }
    int is_array = JS_IsArray(context, init);
    if (is_array < 0) {
        return false;
    }
    return is_array != 0 ? fill_list(context, headers, init)
                         : fill_object(context, headers, init);
}

bool tf_headers_default(JSContext *context, struct tf_headers *headers, const char *name,
                        const char *value)
{
    const struct tf_str key = {name, strlen(name)};

    return tf_headers_own(context, headers) &&
           (find(headers, &key, 0) < headers->count ||
            tf_headers_add(context, headers, &key, JS_NewString(context, value)));
}

/* --- reading --------------------------------------------------------------------- */

/* The values of all fields of that name, of which there is one at `at`: with a comma and
 * a blank between them (Fetch 2.2.2). */
static JSValue joined(JSContext *context, const struct tf_headers *headers,
                      const struct tf_str *name, uint32_t at)
{
    JSValue value = JS_DupValue(context, headers->fields[at]->value);

    for (at = find(headers, name, at + 1); at < headers->count && !JS_IsException(value);
         at = find(headers, name, at + 1)) {
        size_t sizes[2];
        const char *first = JS_ToCStringLen(context, &sizes[0], value);
        const char *next =
            JS_ToCStringLen(context, &sizes[1], headers->fields[at]->value);
        char *both = js_malloc(context, sizes[0] + sizes[1] + 2);
        JS_FreeValue(context, value);
        value = JS_EXCEPTION;
        if (first != NULL && next != NULL && both != NULL) {
            memcpy(both, first, sizes[0]);
            both[sizes[0]] = ',';
            both[sizes[0] + 1] = ' ';
            memcpy(both + sizes[0] + 2, next, sizes[1]);
            value = JS_NewStringLen(context, both, sizes[0] + sizes[1] + 2);
        }
        JS_FreeCString(context, first);
        JS_FreeCString(context, next);
        js_free(context, both);
    }
    return value;
}

/* The same in the request's own fields, without making them the list's. */
static JSValue get_incoming(JSContext *context, const struct tf_str *name)
{
    struct tf_js *js = JS_GetContextOpaque(context);
    struct tf_native_value out = {0};
    char text[NAME_MAX];
    struct tf_str key = {text, name->size};

    for (size_t i = 0; i < name->size; i++) {
        text[i] = lower(name->data[i]);
    }
    if (!tf_native_header(&js->native, &key, &out)) {
        return JS_ThrowOutOfMemory(context);
    }
    JSValue value =
        out.kind == TF_KIND_NULL ? JS_NULL : tf_quickjs_text(context, &out.data, true);
    tf_arena_free(js->arena, out.owned);
    return value;
}

JSValue tf_headers_get(JSContext *context, struct tf_headers *headers,
                       const struct tf_str *name)
{
    const struct tf_js *js = JS_GetContextOpaque(context);

    if (headers->turn == js->turn && name->size <= NAME_MAX) {
        return get_incoming(context, name);
    }
    if (!tf_headers_own(context, headers)) {
        return JS_EXCEPTION;
    }
    uint32_t at = find(headers, name, 0);
    JS_ChargeSteps(js->runtime, headers->count / 8);
    return at == headers->count ? JS_NULL : joined(context, headers, name, at);
}

bool tf_field_is_cookie(const struct tf_field *field)
{
    const struct tf_str name = {"set-cookie", 10};
    return is_named(field, &name);
}

static int compare(const struct tf_field *a, const struct tf_field *b)
{
    int order = memcmp(a->name, b->name, a->size < b->size ? a->size : b->size);
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

/* Numbers of the fields in the order of their names. */
static void sort(const struct tf_headers *headers, uint16_t *order)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        uint32_t at = i;
        while (at > 0 &&
               compare(headers->fields[order[at - 1]], headers->fields[i]) > 0) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = (uint16_t)i;
    }
}

static JSValue new_part(JSContext *context, const struct tf_headers *headers, uint32_t at,
                        enum tf_headers_part part)
{
    const struct tf_field *field = headers->fields[at];
    const struct tf_str name = {field->name, field->size};
    JSValue key = JS_NewStringLen(context, field->name, field->size);

    if (part == TF_PART_KEY) {
        return key;
    }
    JSValue value = tf_field_is_cookie(field) ? JS_DupValue(context, field->value)
                                              : joined(context, headers, &name, at);
    if (part == TF_PART_VALUE) {
        JS_FreeValue(context, key);
        return value;
    }
    JSValue pair = JS_NewArray(context);
    JS_DefinePropertyValueUint32(context, pair, 0, key, JS_PROP_C_W_E);
    JS_DefinePropertyValueUint32(context, pair, 1, value, JS_PROP_C_W_E);
    return pair;
}

/* As iteration shows them (Fetch 5.1): sorted, equal names joined. */
JSValue tf_headers_list(JSContext *context, struct tf_headers *headers,
                        enum tf_headers_part part)
{
    const struct tf_js *js = JS_GetContextOpaque(context);
    uint16_t order[TF_FIELDS_MAX];
    JSValue list = JS_NewArray(context);
    uint32_t count = 0;

    if (!tf_headers_own(context, headers) || JS_IsException(list)) {
        JS_FreeValue(context, list);
        return JS_EXCEPTION;
    }
    JS_ChargeSteps(js->runtime, (uint64_t)headers->count * headers->count / 8);
    sort(headers, order);
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct tf_field *field = headers->fields[order[i]];
        if (i > 0 && compare(headers->fields[order[i - 1]], field) == 0 &&
            !tf_field_is_cookie(field)) {
            continue; /* joined to the first one of its name */
        }
        JS_DefinePropertyValueUint32(context, list, count++,
                                     new_part(context, headers, order[i], part),
                                     JS_PROP_C_W_E);
    }
    return list;
}
