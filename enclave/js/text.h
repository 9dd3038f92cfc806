/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h - what every engine file needs beside its engine: text encodings, the check of a
 * response, report messages, module paths, the prelude's sources. Pure; the caller owns
 * every buffer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enclave/js/js.h"

/** What tf_text_scan found, from simple to worse. */
enum tf_text {
    TF_TEXT_ASCII,
    TF_TEXT_BMP,  /* UTF-8, no character beyond U+FFFF */
    TF_TEXT_FULL, /* UTF-8 */
    TF_TEXT_BAD
};

/** Classifies untrusted bytes. */
enum tf_text tf_text_scan(const void *data, size_t size);

/**
 * Decodes untrusted UTF-8 as WHATWG Encoding 8.1.1 says (each maximal bad part becomes
 * U+FFFD).
 *
 * @param is_cesu  write characters beyond U+FFFF as two surrogates of 3 bytes each, as
 *                 Duktape keeps strings; else write UTF-8.
 * @param out      3 * size bytes, or NULL to only count.
 * @return bytes that it takes.
 */
size_t tf_text_decode(const void *data, size_t size, bool is_cesu, char *out);

/**
 * Makes UTF-8 of an engine's text: pairs of surrogates become one character, lone ones
 * U+FFFD. `out` has `size` bytes and may be `text` itself.
 * @return bytes written.
 */
size_t tf_text_encode(const char *text, size_t size, char *out);

/** A body without the byte order mark that it may start with (Encoding: "UTF-8 decode").
 */
struct tf_str tf_text_unmarked(struct tf_str text);

/** Whether tf_text_encode would change `text`. */
bool tf_text_has_surrogates(const char *text, size_t size);

/** Latin-1 to UTF-8 (header values: Fetch 2.2). `out` has 2 * size bytes. */
size_t tf_text_from_latin1(const void *data, size_t size, char *out);

/** UTF-8 to Latin-1. `out` has `size` bytes and may be `text` itself.
 *  @return false if a character is beyond U+00FF. */
TF_MUST_USE bool tf_text_to_latin1(const char *text, size_t size, char *out,
                                   size_t *out_size);

/** Decodes base64 without padding, RFC 4648 section 4, ignoring stray bits as browsers
 * do. `out` has size * 3 / 4 bytes. @return false if it is none. */
TF_MUST_USE bool tf_text_unbase64(const char *text, size_t size, uint8_t *out,
                                  size_t *out_size);

/** Finds a request's header by lower-case name, from `from` on. @return its index or the
 *  count of headers. */
size_t tf_text_header(const struct tf_js_request *request, const char *name, size_t size,
                      size_t from);

/** Whether `status`, names and values may go out as js.h promises. */
TF_MUST_USE bool tf_text_check(const struct tf_js_response *response);

/** Fills the message from "Name: message" and a stack, of which one line is kept: the
 *  first in a file NAME.js or .mjs, for engines' and preludes' names are others; or else
 *  the first. Both untrusted, not terminated, may be empty; control characters become
 *  blanks. */
void tf_text_report(struct tf_js_report *report, const char *text, size_t size,
                    const char *stack, size_t stack_size);

/** Fills the message with the name of `err`. @return `err`. */
tf_err tf_text_say(struct tf_js_report *report, tf_err err);

/** Fills the message for an ES module in an engine without them.
 *  @return TF_ELAMBDA_SOURCE. */
tf_err tf_text_no_modules(struct tf_js_report *report);

/** Finds a file of the program. @return NULL if there is none. */
const struct tf_js_file *tf_text_file(const struct tf_js_program *program,
                                      const char *path, size_t size);

/** A file of the prelude: a function expression, NUL-terminated after `size` bytes. */
struct tf_prelude {
    const char *name;
    const char *data;
    const char *end;
};

/** The first one starts the others; an entry without a name ends it. From NAME_prelude.S.
 */
extern const struct tf_prelude tf_prelude[];

/** Finds a file of the prelude. @return NULL if there is none. */
const struct tf_prelude *tf_text_prelude(const char *name, size_t size);

/** Whether a file of the program has these bytes anywhere. `work`, if not NULL, is called
 *  after each part of long files with its length. */
bool tf_text_mentions(const struct tf_js_program *program, const struct tf_str *word,
                      void (*work)(void *user, size_t bytes), void *user);

/** How much of `size` bytes of UTF-8 a part of at most `most` takes that cuts no
 * character and no pair of surrogates. `most` is at least 16. */
size_t tf_text_part(const void *data, size_t size, size_t most);

/** Whether `text` is visible ASCII with blanks only inside: good as a header's value. */
bool tf_text_is_plain(const struct tf_str *text);
