/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - strict reading and deterministic writing of JSON.
 *
 * Reading: tf_json_parse gives a jansson document (json_decref it). A `struct
 * tf_json_fields` walks over one object: ask for each field by name and type, then
 * tf_json_fields_end says whether all was well, and refuses fields that nobody asked for.
 * Errors stick, as in bytes.h:
 *
 *     struct tf_json_fields f;
 *     tf_json_fields_init(&f, document);
 *     const char *name = tf_json_string(&f, "name", 1, TF_NAME_MAX);
 *     uint64_t floor = tf_json_integer_or(&f, "version_floor", 0, max, 0);
 *     tf_json_hex(&f, "digest", digest, sizeof(digest));
 *     if (!tf_json_fields_end(&f)) { ... refuse ... }
 *
 * Writing: a cursor over the caller's buffer, no allocation, no white space:
 *
 *     struct tf_json_writer w;
 *     tf_json_writer_init(&w, buffer, sizeof(buffer));
 *     tf_json_open_object(&w, NULL);
 *     tf_json_put_string(&w, "name", name);
 *     tf_json_open_array(&w, "names");
 *     tf_json_put_string(&w, NULL, "a.example");
 *     tf_json_close_array(&w);
 *     tf_json_close_object(&w);
 *     err = tf_json_take(&w, &size);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "lib/err.h"

enum { TF_JSON_DEPTH_MAX = 16 }; /* nesting of arrays and objects that is accepted */

/** Integers above this are not exact in JavaScript, so nothing of ours uses them. */
#define TF_JSON_INTEGER_MAX UINT64_C(9007199254740991)

/** Times in seconds since 1970 stay below this (in the year 2242), and then their count
 * of nanoseconds is a uint64_t. */
#define TF_TIME_MAX (UINT64_C(1) << 33)

/**
 * Parses untrusted text: UTF-8, one object or array, no duplicate keys, no NUL
 * characters, nested at most TF_JSON_DEPTH_MAX deep.
 *
 * @param out  owned by the caller: json_decref.
 * @return TF_OK, TF_EFORMAT, TF_ELIMIT (too deep), TF_EMANIFEST_KEYS (an object has a key
 *         twice), TF_ENOMEM. Callers that are no manifest fold these into their own code.
 */
TF_MUST_USE tf_err tf_json_parse(const char *text, size_t size, json_t **out);

/** A walk over one object's fields. `bad` sticks once a field was missing or wrong. */
struct tf_json_fields {
    const json_t *object; /* borrowed */
    size_t seen;          /* fields of the object that were asked for */
    bool bad;
};

/** Starts; bad at once if `object` is NULL or no object. Ask for each field once. */
void tf_json_fields_init(struct tf_json_fields *f, const json_t *object);

/** Asks for the fields of one kind of object; what does not suit it makes `f` bad. */
typedef void tf_json_take_fields(struct tf_json_fields *f, void *out);

/**
 * Parses untrusted text that is one object, and has `take` fill `out` from it.
 *
 * @param bad  the code for anything that is wrong with the text or its fields.
 * @return TF_OK; `bad`; TF_ENOMEM. `out` may be half filled on failure.
 */
TF_MUST_USE tf_err tf_json_read(const char *text, size_t size, tf_json_take_fields *take,
                                void *out, tf_err bad);

/** Whether the field is there; does not count as asking for it. */
bool tf_json_has(const struct tf_json_fields *f, const char *key);

/** A required string of `min` to `max` bytes. @return borrowed from the document; NULL
 * and bad if missing, no string, or of another size. */
const char *tf_json_string(struct tf_json_fields *f, const char *key, size_t min,
                           size_t max);

/** A required string, copied with its NUL: at most cap - 1 bytes; may be empty. */
void tf_json_copy(struct tf_json_fields *f, const char *key, char *out, size_t cap);

/** A required string that is `expected`, such as the name of a format. */
void tf_json_constant(struct tf_json_fields *f, const char *key, const char *expected);

/** A required array of `min` to `max` strings, none empty, each copied with its NUL into
 * a row of `row_size` bytes. @return their count; 0 and bad otherwise. */
size_t tf_json_rows(struct tf_json_fields *f, const char *key, size_t min, size_t max,
                    char *rows, size_t row_size);

/** A required integer from `min` to `max` (at most TF_JSON_INTEGER_MAX); `min` and bad
 *  otherwise. 1.0 is no integer. */
uint64_t tf_json_integer(struct tf_json_fields *f, const char *key, uint64_t min,
                         uint64_t max);

/** The same, optional: `otherwise` if the field is absent. */
uint64_t tf_json_integer_or(struct tf_json_fields *f, const char *key, uint64_t min,
                            uint64_t max, uint64_t otherwise);

/** A required boolean; false and bad otherwise. */
bool tf_json_boolean(struct tf_json_fields *f, const char *key);

/** An optional boolean. */
bool tf_json_boolean_or(struct tf_json_fields *f, const char *key, bool otherwise);

/** Exactly 2 * size lower-case hex digits. `out` is untouched if bad. */
void tf_json_hex(struct tf_json_fields *f, const char *key, uint8_t *out, size_t size);

/** Standard base64 of at most `cap` bytes. @return the decoded size; 0 and bad otherwise.
 */
size_t tf_json_base64(struct tf_json_fields *f, const char *key, uint8_t *out,
                      size_t cap);

/** The same of exactly `size` bytes. */
void tf_json_bytes(struct tf_json_fields *f, const char *key, uint8_t *out, size_t size);

/** A required array of `min` to `max` elements; NULL and bad otherwise. */
const json_t *tf_json_array(struct tf_json_fields *f, const char *key, size_t min,
                            size_t max);

/** A required object; NULL and bad otherwise. */
const json_t *tf_json_object(struct tf_json_fields *f, const char *key);

/** Element `i` of an array if it is a string of `min` to `max` bytes, else NULL. */
const char *tf_json_string_at(const json_t *array, size_t i, size_t min, size_t max);

/** Whether every field that was asked for was good and the object has no other field. */
bool tf_json_fields_end(const struct tf_json_fields *f);

/** A write cursor. `bad` sticks once the buffer is full. */
struct tf_json_writer {
    char *out;
    size_t cap;
    size_t size;
    bool has_item; /* the next item needs a comma */
    bool bad;
};

/** Starts an empty text in `out`, of which the last byte is kept for the NUL. */
void tf_json_writer_init(struct tf_json_writer *w, char *out, size_t cap);

/** `key` is the field's name inside an object; NULL inside an array and at the top. */
void tf_json_open_object(struct tf_json_writer *w, const char *key);
void tf_json_close_object(struct tf_json_writer *w);
void tf_json_open_array(struct tf_json_writer *w, const char *key);
void tf_json_close_array(struct tf_json_writer *w);

/** `text` is UTF-8; quotes, backslashes and control characters are escaped. */
void tf_json_put_string(struct tf_json_writer *w, const char *key, const char *text);
/** The same for text without a NUL at its end. */
void tf_json_put_text(struct tf_json_writer *w, const char *key, const char *text,
                      size_t size);
void tf_json_put_integer(struct tf_json_writer *w, const char *key, uint64_t value);
void tf_json_put_boolean(struct tf_json_writer *w, const char *key, bool value);
void tf_json_put_hex(struct tf_json_writer *w, const char *key, const void *data,
                     size_t size);
void tf_json_put_base64(struct tf_json_writer *w, const char *key, const void *data,
                        size_t size);

/** Ends the text with a NUL. @param size  bytes without the NUL; may be NULL.
 *  @return TF_OK, or TF_ELIMIT if the buffer was too small. */
TF_MUST_USE tf_err tf_json_take(struct tf_json_writer *w, size_t *size);

/** Writes an object with one field, a string of `size` bytes. @return bytes without the
 * NUL, or 0 if `out` is too small. */
size_t tf_json_field(const char *key, const char *text, size_t size, char *out,
                     size_t cap);
