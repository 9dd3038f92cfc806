/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mujs_bytes.c - ArrayBuffer and the typed arrays, which MuJS has not: objects of its
 * "userdata" kind, whose elements are read and written by the functions here. The rest of
 * their methods is in prelude/bytes.js. Elements are no properties: `in`, Object.keys and
 * for-in do not see them.
 */
#include <math.h>
#include <string.h>

#include "enclave/js/mujs_instance.h"

struct buffer {
    size_t size;
    uint8_t data[];
};

struct view {
    const struct type *type;
    uint8_t *data; /* in the buffer, which the property "buffer" keeps alive */
    size_t at;     /* byteOffset */
    int count;     /* elements */
};

enum form { UNSIGNED, SIGNED, CLAMPED, FLOAT };

struct type {
    const char *name;
    enum form form;
    int size; /* of an element, bytes */
};

static const struct type types[] = {
    {"Uint8Array", UNSIGNED, 1}, {"Uint8ClampedArray", CLAMPED, 1},
    {"Int8Array", SIGNED, 1},    {"Uint16Array", UNSIGNED, 2},
    {"Int16Array", SIGNED, 2},   {"Uint32Array", UNSIGNED, 4},
    {"Int32Array", SIGNED, 4},   {"Float32Array", FLOAT, 4},
    {"Float64Array", FLOAT, 8},
};

enum { FLOAT64 = sizeof(types) / sizeof(types[0]) - 1 };

static const char array_buffer[] = "ArrayBuffer";

/* --- buffers ----------------------------------------------------------------------- */

static void free_block(js_State *state, void *block)
{
    tf_mujs_free(js_getcontext(state), block);
}

static int buffer_has(js_State *state, void *data, const char *name)
{
    const struct buffer *buffer = data;
    if (strcmp(name, "byteLength") != 0) {
        return 0;
    }
    js_pushnumber(state, (double)buffer->size);
    return 1;
}

static int buffer_put(js_State *state, void *data, const char *name)
{
    (void)state;
    (void)data;
    return strcmp(name, "byteLength") == 0;
}

uint8_t *tf_mujs_push_buffer(js_State *state, size_t size)
{
    struct buffer *buffer = tf_mujs_alloc(js_getcontext(state), sizeof(*buffer) + size);
    buffer->size = size;
    js_getregistry(state, array_buffer);
    js_newuserdatax(state, array_buffer, buffer, buffer_has, buffer_put, NULL,
                    free_block);
    return buffer->data;
}

uint8_t *tf_mujs_buffer(js_State *state, int at, size_t *size)
{
    struct buffer *buffer;
    if (!js_isuserdata(state, at, array_buffer)) {
        return NULL;
    }
    buffer = js_touserdata(state, at, array_buffer);
    *size = buffer->size;
    return buffer->data;
}

/* Argument `at` as an index into `size`, negative from the end; `other` if undefined. */
static size_t take_index(js_State *state, int at, size_t size, size_t other)
{
    double index = js_isundefined(state, at) ? (double)other : js_tonumber(state, at);
    if (index < 0) {
        index += (double)size;
    }
    if (!(index > 0)) {
        return 0;
    }
    return index < (double)size ? (size_t)index : size;
}

static size_t take_size(js_State *state, int at, size_t unit)
{
    double size = js_isundefined(state, at) ? 0 : trunc(js_tonumber(state, at));
    if (!(size >= 0) || size * (double)unit > INT32_MAX) {
        js_rangeerror(state, "bad length");
    }
    return (size_t)size * unit;
}

static void new_buffer(js_State *state)
{
    size_t size = take_size(state, 1, 1);
    memset(tf_mujs_push_buffer(state, size), 0, size);
}

static void buffer_slice(js_State *state)
{
    size_t size = 0;
    const uint8_t *data = tf_mujs_buffer(state, 0, &size);
    size_t from = take_index(state, 1, size, 0);
    size_t to = take_index(state, 2, size, size);
    uint8_t *copy;

    if (data == NULL) {
        js_typeerror(state, "not an ArrayBuffer");
    }
    size = to > from ? to - from : 0;
    copy = tf_mujs_push_buffer(state, size);
    memcpy(copy, data + from, size);
}

/* --- elements ---------------------------------------------------------------------- */

static double get_element(const struct view *view, int at)
{
    const uint8_t *from = view->data + (size_t)at * (size_t)view->type->size;
    uint32_t word = 0;
    float single;
    double number;

    if (view->type->form == FLOAT) {
        if (view->type->size == sizeof(single)) {
            memcpy(&single, from, sizeof(single));
            return (double)single;
        }
        memcpy(&number, from, sizeof(number));
        return number;
    }
    memcpy(&word, from, (size_t)view->type->size); /* little endian */
    if (view->type->form == SIGNED) {
        int shift = 32 - 8 * view->type->size;
        return (double)((int32_t)(word << shift) >> shift);
    }
    return (double)word;
}

/* ECMA-262 7.1.6: modulo 2^32; the low bytes are the same for the shorter types. */
static uint32_t to_word(double number)
{
    if (!isfinite(number)) {
        return 0;
    }
    number = fmod(trunc(number), 4294967296.0);
    return (uint32_t)(number < 0 ? number + 4294967296.0 : number);
}

/* ECMA-262 7.1.11: to the nearest, and from the middle to the even one. */
static uint8_t to_clamped(double number)
{
    double low = floor(number);
    if (!(number > 0)) {
        return 0;
    }
    if (number >= 255) {
        return 255;
    }
    if (number - low > 0.5 || (number - low == 0.5 && fmod(low, 2) != 0)) {
        low++;
    }
    return (uint8_t)low;
}

static void set_element(struct view *view, int at, double number)
{
    uint8_t *to = view->data + (size_t)at * (size_t)view->type->size;
    float single = (float)number;
    uint32_t word;

    if (view->type->form == FLOAT && view->type->size == sizeof(single)) {
        memcpy(to, &single, sizeof(single));
    } else if (view->type->form == FLOAT) {
        memcpy(to, &number, sizeof(number));
    } else if (view->type->form == CLAMPED) {
        *to = to_clamped(number);
    } else {
        word = to_word(number);
        memcpy(to, &word, (size_t)view->type->size);
    }
}

/* @return false if `name` is no index. */
static bool parse_index(const char *name, int *out)
{
    int64_t value = 0;
    if (*name == '\0' || (name[0] == '0' && name[1] != '\0')) {
        return false;
    }
    for (; *name != '\0'; name++) {
        if (*name < '0' || *name > '9') {
            return false;
        }
        value = value < INT32_MAX ? value * 10 + (*name - '0') : INT32_MAX;
    }
    *out = value < INT32_MAX ? (int)value : INT32_MAX;
    return true;
}

static bool get_size(const struct view *view, const char *name, size_t *out)
{
    if (strcmp(name, "length") == 0) {
        *out = (size_t)view->count;
    } else if (strcmp(name, "byteLength") == 0) {
        *out = (size_t)view->count * (size_t)view->type->size;
    } else if (strcmp(name, "byteOffset") == 0) {
        *out = view->at;
    } else {
        return false;
    }
    return true;
}

static int view_has(js_State *state, void *data, const char *name)
{
    const struct view *view = data;
    size_t size;
    int at;

    if (parse_index(name, &at)) {
        if (at < view->count) {
            js_pushnumber(state, get_element(view, at));
        } else {
            js_pushundefined(state);
        }
        return 1;
    }
    if (get_size(view, name, &size)) {
        js_pushnumber(state, (double)size);
        return 1;
    }
    return 0;
}

static int view_put(js_State *state, void *data, const char *name)
{
    struct view *view = data;
    size_t ignored;
    double number;
    int at;

    if (!parse_index(name, &at)) {
        return get_size(view, name, &ignored);
    }
    number = js_tonumber(state, -1);
    if (at < view->count) {
        set_element(view, at, number);
    }
    return 1;
}

/* --- views ------------------------------------------------------------------------- */

static struct view *to_view(js_State *state, int at)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (js_isuserdata(state, at, types[i].name)) {
            return js_touserdata(state, at, types[i].name);
        }
    }
    return NULL;
}

/* Pushes a view of the buffer on top, which it takes. The range is the caller's to check.
 */
static struct view *push_view(js_State *state, const struct type *type, size_t at,
                              size_t count)
{
    size_t size;
    struct view *view = tf_mujs_alloc(js_getcontext(state), sizeof(*view));

    view->type = type;
    view->data = tf_mujs_buffer(state, -1, &size) + at;
    view->at = at;
    view->count = (int)count;
    js_getregistry(state, type->name);
    js_newuserdatax(state, type->name, view, view_has, view_put, NULL, free_block);
    js_rot2(state);
    js_defproperty(state, -2, "buffer", JS_READONLY | JS_DONTENUM | JS_DONTCONF);
    return view;
}

static struct view *push_zeros(js_State *state, const struct type *type, size_t size)
{
    memset(tf_mujs_push_buffer(state, size), 0, size);
    return push_view(state, type, 0, size / (size_t)type->size);
}

/* (buffer, byteOffset, length) */
static void push_window(js_State *state, const struct type *type)
{
    size_t unit = (size_t)type->size;
    size_t at = take_size(state, 2, 1);
    bool is_open = js_isundefined(state, 3);
    size_t size = is_open ? 0 : take_size(state, 3, unit);
    size_t total = 0;

    (void)tf_mujs_buffer(state, 1, &total);
    if (at % unit != 0 || at > total || (is_open && (total - at) % unit != 0) ||
        size > total - at) {
        js_rangeerror(state, "outside the buffer");
    }
    js_copy(state, 1);
    (void)push_view(state, type, at, (is_open ? total - at : size) / unit);
}

/* Copies elements of a view; the two may be the same memory, as different types. */
static void copy_view(js_State *state, struct view *view, int at, const struct view *from)
{
    size_t unit = (size_t)view->type->size;
    size_t size = (size_t)from->count * sizeof(double);
    struct view *copy;

    if (from->count == 0) {
        return;
    }
    if (from->type == view->type) {
        js_chargesteps(state, from->count / 8);
        memmove(view->data + (size_t)at * unit, from->data, (size_t)from->count * unit);
        return;
    }
    js_chargesteps(state, from->count);
    copy = push_zeros(state, &types[FLOAT64], size);
    for (int i = 0; i < from->count; i++) {
        set_element(copy, i, get_element(from, i));
    }
    for (int i = 0; i < from->count; i++) {
        set_element(view, at + i, get_element(copy, i));
    }
    js_pop(state, 1);
}

/* Copies the `count` elements of the array-like at `from` into `view`, where they fit. */
static void copy_elements(js_State *state, struct view *view, int at, int from, int count)
{
    const struct view *source = to_view(state, from);

    if (source != NULL) {
        copy_view(state, view, at, source);
        return;
    }
    for (int i = 0; i < count; i++) {
        js_getindex(state, from, i);
        set_element(view, at + i, js_tonumber(state, -1));
        js_pop(state, 1);
    }
}

static void new_view(js_State *state)
{
    const struct type *type = js_currentfunctiondata(state);
    size_t size;
    int count;

    if (tf_mujs_buffer(state, 1, &size) != NULL) {
        push_window(state, type);
        return;
    }
    if (!js_isobject(state, 1)) {
        (void)push_zeros(state, type, take_size(state, 1, (size_t)type->size));
        return;
    }
    count = js_getlength(state, 1);
    js_pushnumber(state, count);
    size = take_size(state, -1, (size_t)type->size);
    js_pop(state, 1);
    copy_elements(state, push_zeros(state, type, size), 0, 1, count);
}

/* set(source, offset) */
static void view_set(js_State *state)
{
    struct view *view = to_view(state, 0);
    int at = js_tointeger(state, 2);
    int count = js_getlength(state, 1);

    if (view == NULL) {
        js_typeerror(state, "not a typed array");
    }
    if (at < 0 || count < 0 || at > view->count || count > view->count - at) {
        js_rangeerror(state, "outside the array");
    }
    copy_elements(state, view, at, 1, count);
    js_pushundefined(state);
}

/* subarray(from, to) */
static void view_subarray(js_State *state)
{
    const struct view *view = to_view(state, 0);
    size_t from;
    size_t to;

    if (view == NULL) {
        js_typeerror(state, "not a typed array");
    }
    from = take_index(state, 1, (size_t)view->count, 0);
    to = take_index(state, 2, (size_t)view->count, (size_t)view->count);
    js_getproperty(state, 0, "buffer");
    (void)push_view(state, view->type, view->at + from * (size_t)view->type->size,
                    to > from ? to - from : 0);
}

static void is_view(js_State *state)
{
    js_pushboolean(state, to_view(state, 1) != NULL);
}

/* --- globals ----------------------------------------------------------------------- */

static void method(js_State *state, const char *name, js_CFunction run, int length)
{
    js_newcfunction(state, run, name, length);
    js_defproperty(state, -2, name, JS_DONTENUM);
}

static void needs_new(js_State *state)
{
    js_typeerror(state, "this constructor needs new");
}

static void define_view(js_State *state, const struct type *type)
{
    void *data; /* only read, but the API has no const */

    memcpy(&data, &type, sizeof(data));
    js_newobject(state);
    js_copy(state, -1);
    js_setregistry(state, type->name);
    method(state, "set", view_set, 1);
    method(state, "subarray", view_subarray, 2);
    js_pushnumber(state, type->size);
    js_defproperty(state, -2, "BYTES_PER_ELEMENT", JS_READONLY | JS_DONTENUM);
    js_newcconstructorx(state, needs_new, new_view, type->name, 3, data);
    js_pushnumber(state, type->size);
    js_defproperty(state, -2, "BYTES_PER_ELEMENT", JS_READONLY | JS_DONTENUM);
    js_defglobal(state, type->name, JS_DONTENUM);
}

void tf_mujs_define_bytes(js_State *state)
{
    js_newobject(state);
    js_copy(state, -1);
    js_setregistry(state, array_buffer);
    method(state, "slice", buffer_slice, 2);
    js_newcconstructor(state, needs_new, new_buffer, array_buffer, 1);
    method(state, "isView", is_view, 1);
    js_defglobal(state, array_buffer, JS_DONTENUM);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        define_view(state, &types[i]);
    }
}
