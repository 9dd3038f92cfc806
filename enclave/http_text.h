/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_text.h - which bytes HTTP allows where (RFC 9110 section 5.5 and 5.6). Used by the
 * request parser on what a client sent and by the reply writer on what a lambda answered:
 * both are untrusted. Nothing here depends on a locale.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "enclave/js/js.h"

/** @return whether `c` may be in a token: a method or a field name. */
bool tf_http_is_tchar(char c);

/** @return whether `text` is a token: one tchar or more. */
bool tf_http_is_token(struct tf_str text);

/** @return whether `c` may be in a field's value: no control character but HTAB. */
bool tf_http_is_text(char c);

/** @return whether `text`, any size, is only what tf_http_is_text allows. */
bool tf_http_is_value(struct tf_str text);

/** @return `c`, in lower case if it is an ASCII letter. */
char tf_http_lower(char c);

/** @return whether `text` is `lower` but for the case of ASCII letters. */
bool tf_http_is(struct tf_str text, const char *lower);
