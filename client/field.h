/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field.h - which field of a strict JSON document is wrong, for documents that the user
 * wrote. The parsers, which are the enclave's and the verifier's, only say that one is;
 * here each field is put into a good document, and what makes that bad is the one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/** Whether a text is a good document of its kind. */
typedef bool tf_field_check(const char *text, size_t size);

enum { TF_FIELD_TEXT_MAX = 128 };

/**
 * Says what is wrong with a document that `is_good` refuses.
 * @param document  parsed; NULL: it is no JSON, or has a key twice.
 * @param sample    a good document, with no field that could be left out.
 * @param out       such as "`domain` is missing".
 */
void tf_field_find(json_t *document, json_t *sample, tf_field_check *is_good,
                   char out[static TF_FIELD_TEXT_MAX]);
