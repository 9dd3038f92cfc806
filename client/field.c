/* SPDX-License-Identifier: Apache-2.0 */
#include "client/field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Takes `document` over. */
static bool check(json_t *document, tf_field_check *is_good)
{
    char *text = json_dumps(document, JSON_COMPACT);
    bool is_so = text != NULL && is_good(text, strlen(text));

    free(text);
    json_decref(document);
    return is_so;
}

/* The first field that makes the sample bad, or NULL. */
static const char *find_wrong(json_t *document, const json_t *sample,
                              tf_field_check *is_good)
{
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach(document, key, value)
    {
        json_t *changed = json_deep_copy(sample);
        if (json_object_set(changed, key, value) != 0 || !check(changed, is_good)) {
            return key;
        }
    }
    return NULL;
}

/* The first field that the document should have, or NULL. */
static const char *find_missing(const json_t *document, json_t *sample)
{
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach(sample, key, value)
    {
        if (json_object_get(document, key) == NULL) {
            return key;
        }
    }
    return NULL;
}

void tf_field_find(json_t *document, json_t *sample, tf_field_check *is_good,
                   char out[static TF_FIELD_TEXT_MAX])
{
    if (!json_is_object(document)) {
        (void)snprintf(out, TF_FIELD_TEXT_MAX,
                       "it is no JSON object, or has a key twice");
        return;
    }
    const char *wrong = find_wrong(document, sample, is_good);
    const char *missing = find_missing(document, sample);
    if (wrong != NULL) {
        (void)snprintf(out, TF_FIELD_TEXT_MAX,
                       "`%.80s` is unknown, or its value is wrong", wrong);
    } else if (missing != NULL) {
        (void)snprintf(out, TF_FIELD_TEXT_MAX, "`%.80s` is missing", missing);
    } else {
        (void)snprintf(out, TF_FIELD_TEXT_MAX, "its fields do not go together");
    }
}
