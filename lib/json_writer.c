/* SPDX-License-Identifier: Apache-2.0 */
/* json_writer.c - the writing part of json.h. */
#include "lib/json.h"

#include <string.h>

#include "lib/bytes.h"

void tf_json_writer_init(struct tf_json_writer *w, char *out, size_t cap)
{
    *w = (struct tf_json_writer){.cap = cap, .bad = cap == 0};
    w->out = out;
}

/* Room for `size` bytes and the final NUL; NULL and bad if there is none. */
static char *reserve(struct tf_json_writer *w, size_t size)
{
    if (w->bad || size >= w->cap - w->size) {
        w->bad = true;
        return NULL;
    }
    char *at = w->out + w->size;
    w->size += size;
    return at;
}

static void put(struct tf_json_writer *w, const char *text, size_t size)
{
    char *at = reserve(w, size);
    if (at != NULL) {
        memcpy(at, text, size);
    }
}

/* One character of a string; RFC 8259 section 7 says which need an escape. */
static void put_character(struct tf_json_writer *w, char c)
{
    if (c == '"' || c == '\\') {
        put(w, c == '"' ? "\\\"" : "\\\\", 2);
    } else if (c == '\n') {
        put(w, "\\n", 2);
    } else if ((unsigned char)c < 0x20) {
        char digits[3];
        tf_hex_write(&c, 1, digits);
        put(w, "\\u00", 4);
        put(w, digits, 2);
    } else {
        put(w, &c, 1);
    }
}

static void put_quoted(struct tf_json_writer *w, const char *text, size_t size)
{
    put(w, "\"", 1);
    for (size_t i = 0; i < size; i++) {
        put_character(w, text[i]);
    }
    put(w, "\"", 1);
}

/* What comes before every item: a comma, a key. */
static void begin_item(struct tf_json_writer *w, const char *key)
{
    if (w->has_item) {
        put(w, ",", 1);
    }
    if (key != NULL) {
        put_quoted(w, key, strlen(key));
        put(w, ":", 1);
    }
    w->has_item = true;
}

static void open_group(struct tf_json_writer *w, const char *key, const char *bracket)
{
    begin_item(w, key);
    put(w, bracket, 1);
    w->has_item = false;
}

static void close_group(struct tf_json_writer *w, const char *bracket)
{
    put(w, bracket, 1);
    w->has_item = true;
}

void tf_json_open_object(struct tf_json_writer *w, const char *key)
{
    open_group(w, key, "{");
}

void tf_json_close_object(struct tf_json_writer *w)
{
    close_group(w, "}");
}

void tf_json_open_array(struct tf_json_writer *w, const char *key)
{
    open_group(w, key, "[");
}

void tf_json_close_array(struct tf_json_writer *w)
{
    close_group(w, "]");
}

void tf_json_put_string(struct tf_json_writer *w, const char *key, const char *text)
{
    tf_json_put_text(w, key, text, strlen(text));
}

void tf_json_put_text(struct tf_json_writer *w, const char *key, const char *text,
                      size_t size)
{
    begin_item(w, key);
    put_quoted(w, text, size);
}

void tf_json_put_integer(struct tf_json_writer *w, const char *key, uint64_t value)
{
    char digits[TF_DECIMAL_MAX];
    begin_item(w, key);
    put(w, digits, tf_decimal_write(value, digits));
}

void tf_json_put_boolean(struct tf_json_writer *w, const char *key, bool value)
{
    begin_item(w, key);
    put(w, value ? "true" : "false", value ? 4 : 5);
}

void tf_json_put_hex(struct tf_json_writer *w, const char *key, const void *data,
                     size_t size)
{
    begin_item(w, key);
    char *at = reserve(w, 2 * size + 2);
    if (at != NULL) {
        tf_hex_write(data, size, at + 1); /* its NUL falls where the quote goes */
        at[0] = '"';
        at[2 * size + 1] = '"';
    }
}

void tf_json_put_base64(struct tf_json_writer *w, const char *key, const void *data,
                        size_t size)
{
    begin_item(w, key);
    size_t text_size = tf_base64_size(size);
    char *at = reserve(w, text_size + 2);
    if (at != NULL) {
        tf_base64_write(data, size, at + 1); /* as above */
        at[0] = '"';
        at[text_size + 1] = '"';
    }
}

tf_err tf_json_take(struct tf_json_writer *w, size_t *size)
{
    if (w->bad) {
        return TF_ELIMIT;
    }
    w->out[w->size] = '\0';
    if (size != NULL) {
        *size = w->size;
    }
    return TF_OK;
}

size_t tf_json_field(const char *key, const char *text, size_t size, char *out,
                     size_t cap)
{
    struct tf_json_writer w;
    size_t out_size = 0;

    tf_json_writer_init(&w, out, cap);
    tf_json_open_object(&w, NULL);
    tf_json_put_text(&w, key, text, size);
    tf_json_close_object(&w);
    return tf_json_take(&w, &out_size) == TF_OK ? out_size : 0;
}
