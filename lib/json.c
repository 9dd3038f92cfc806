/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json.h"

#include <string.h>

#include "lib/bytes.h"

/* The byte after the string whose text begins at `i`. */
static size_t skip_string(const char *text, size_t size, size_t i)
{
    while (i < size && text[i] != '"') {
        i += text[i] == '\\' ? 2 : 1;
    }
    return i + 1;
}

/* jansson's own limit of 2048 levels is more recursion than an enclave's stack should
 * take, so the depth is counted first. Text that is no JSON may be counted wrongly: it
 * fails later. */
static bool is_too_deep(const char *text, size_t size)
{
    size_t depth = 0;
    for (size_t i = 0; i < size && depth <= TF_JSON_DEPTH_MAX;) {
        char c = text[i++];
        if (c == '"') {
            i = skip_string(text, size, i);
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return depth > TF_JSON_DEPTH_MAX;
}

tf_err tf_json_parse(const char *text, size_t size, json_t **out)
{
    if (is_too_deep(text, size)) {
        return TF_ELIMIT;
    }
    json_error_t error = {.text = ""}; /* jansson does not always set its code */
    json_t *document = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (document != NULL) {
        *out = document;
        return TF_OK;
    }
    enum json_error_code code = json_error_code(&error);
    if (code == json_error_duplicate_key) {
        return TF_EMANIFEST_KEYS;
    }
    /* Whatever is wrong with the text has a code; what has none was an allocation. */
    return code == json_error_out_of_memory || code == json_error_unknown ? TF_ENOMEM
                                                                          : TF_EFORMAT;
}

void tf_json_fields_init(struct tf_json_fields *f, const json_t *object)
{
    *f = (struct tf_json_fields){.object = object, .bad = !json_is_object(object)};
}

bool tf_json_has(const struct tf_json_fields *f, const char *key)
{
    return json_object_get(f->object, key) != NULL;
}

tf_err tf_json_read(const char *text, size_t size, tf_json_take_fields *take, void *out,
                    tf_err bad)
{
    json_t *document = NULL;
    struct tf_json_fields f;

    tf_err err = tf_json_parse(text, size, &document);
    if (err != TF_OK) {
        return err == TF_ENOMEM ? err : bad;
    }
    tf_json_fields_init(&f, document);
    take(&f, out);
    bool is_good = tf_json_fields_end(&f);
    json_decref(document);
    return is_good ? TF_OK : bad;
}

/* The field's value, counted as seen; NULL and bad if it is missing. */
static const json_t *ask(struct tf_json_fields *f, const char *key)
{
    const json_t *value = f->bad ? NULL : json_object_get(f->object, key);
    if (value == NULL) {
        f->bad = true;
        return NULL;
    }
    f->seen++;
    return value;
}

static const char *string_of(const json_t *value, size_t min, size_t max)
{
    if (!json_is_string(value)) {
        return NULL;
    }
    size_t size = json_string_length(value);
    return size >= min && size <= max ? json_string_value(value) : NULL;
}

const char *tf_json_string(struct tf_json_fields *f, const char *key, size_t min,
                           size_t max)
{
    const char *text = string_of(ask(f, key), min, max);
    f->bad = f->bad || text == NULL;
    return text;
}

void tf_json_copy(struct tf_json_fields *f, const char *key, char *out, size_t cap)
{
    const char *text = tf_json_string(f, key, 0, cap - 1);
    if (text != NULL) {
        memcpy(out, text, strlen(text) + 1);
    }
}

void tf_json_constant(struct tf_json_fields *f, const char *key, const char *expected)
{
    const char *text = tf_json_string(f, key, 0, SIZE_MAX);
    f->bad = f->bad || strcmp(text, expected) != 0;
}

size_t tf_json_rows(struct tf_json_fields *f, const char *key, size_t min, size_t max,
                    char *rows, size_t row_size)
{
    const json_t *array = tf_json_array(f, key, min, max);
    size_t count = json_array_size(array);
    for (size_t i = 0; i < count; i++) {
        const char *text = tf_json_string_at(array, i, 1, row_size - 1);
        if (text == NULL) {
            f->bad = true;
            return 0;
        }
        memcpy(rows + i * row_size, text, strlen(text) + 1);
    }
    return count;
}

uint64_t tf_json_integer(struct tf_json_fields *f, const char *key, uint64_t min,
                         uint64_t max)
{
    const json_t *value = ask(f, key);
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        uint64_t number = (uint64_t)json_integer_value(value);
        if (number >= min && number <= max) {
            return number;
        }
    }
    f->bad = true;
    return min;
}

uint64_t tf_json_integer_or(struct tf_json_fields *f, const char *key, uint64_t min,
                            uint64_t max, uint64_t otherwise)
{
    return tf_json_has(f, key) ? tf_json_integer(f, key, min, max) : otherwise;
}

bool tf_json_boolean(struct tf_json_fields *f, const char *key)
{
    const json_t *value = ask(f, key);
    f->bad = f->bad || !json_is_boolean(value);
    return json_is_true(value);
}

bool tf_json_boolean_or(struct tf_json_fields *f, const char *key, bool otherwise)
{
    return tf_json_has(f, key) ? tf_json_boolean(f, key) : otherwise;
}

void tf_json_hex(struct tf_json_fields *f, const char *key, uint8_t *out, size_t size)
{
    const char *text = tf_json_string(f, key, 2 * size, 2 * size);
    if (text != NULL && tf_hex_parse(text, 2 * size, out, size)) {
        f->bad = true;
    }
}

size_t tf_json_base64(struct tf_json_fields *f, const char *key, uint8_t *out, size_t cap)
{
    size_t size = 0;
    const char *text = tf_json_string(f, key, 0, tf_base64_size(cap));
    if (text != NULL && tf_base64_parse(text, strlen(text), out, cap, &size)) {
        f->bad = true;
    }
    return size;
}

void tf_json_bytes(struct tf_json_fields *f, const char *key, uint8_t *out, size_t size)
{
    if (tf_json_base64(f, key, out, size) != size) {
        f->bad = true;
    }
}

const json_t *tf_json_array(struct tf_json_fields *f, const char *key, size_t min,
                            size_t max)
{
    const json_t *value = ask(f, key);
    if (json_is_array(value) && json_array_size(value) >= min &&
        json_array_size(value) <= max) {
        return value;
    }
    f->bad = true;
    return NULL;
}

const json_t *tf_json_object(struct tf_json_fields *f, const char *key)
{
    const json_t *value = ask(f, key);
    if (json_is_object(value)) {
        return value;
    }
    f->bad = true;
    return NULL;
}

const char *tf_json_string_at(const json_t *array, size_t i, size_t min, size_t max)
{
    return string_of(json_array_get(array, i), min, max);
}

bool tf_json_fields_end(const struct tf_json_fields *f)
{
    return !f->bad && f->seen == json_object_size(f->object);
}
