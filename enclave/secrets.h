/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secrets.h - variables that a grant brings for the lambda's `env`, merged over the
 * manifest's. They are part of the grant: wiped with it, sealed with it, never logged.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "abi/limits.h"
#include "lib/json.h"

/** A zeroed struct has none. */
struct tf_secrets {
    size_t count;
    size_t size;
    const char *text; /* name, value, name, value: each ended by its NUL; the owner's */
};

/** One of them; points into the struct. */
struct tf_secret {
    const char *name;
    const char *value;
};

/** Reads the object `key`, untrusted: strings by name. Bad if they are too many.
 *  @param out  its text is `room`, kept. */
void tf_secrets_parse(struct tf_json_fields *f, const char *key,
                      char room[static TF_SECRETS_SIZE], struct tf_secrets *out);

/** The secret after `last`, the first one after {0}; name NULL at the end. */
struct tf_secret tf_secrets_next(const struct tf_secrets *secrets, struct tf_secret last);

/** Whether both have the same names and values, in the same order. */
bool tf_secrets_are_equal(const struct tf_secrets *a, const struct tf_secrets *b);

/** Overwrites a string of a parsed document, for jansson frees without doing so.
 *  Anything else than a string is fine. */
void tf_json_string_wipe(json_t *string);
