/* SPDX-License-Identifier: Apache-2.0 */
#include "attester/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "client/file.h"
#include "client/report.h"
#include "lib/json.h"

enum { FILE_MAX = 64 << 10 };

static bool take_items(json_t *document, struct tf_secret_file *out)
{
    const char *name = NULL;
    json_t *value = NULL;

    json_object_foreach(document, name, value)
    {
        if (!json_is_string(value) || out->count == TF_ENV_MAX) {
            return false;
        }
        out->items[out->count++] =
            (struct tf_grant_secret){.name = name, .value = json_string_value(value)};
    }
    return json_is_object(document);
}

tf_err tf_secret_file_load(const char *path, struct tf_secret_file *out)
{
    uint8_t *text = NULL;
    size_t size = 0;

    memset(out, 0, sizeof(*out));
    if (path == NULL) {
        return TF_OK;
    }
    tf_err err = tf_file_read(path, FILE_MAX, &text, &size);
    if (err != TF_OK) {
        return err;
    }
    err = tf_json_parse((const char *)text, size, &out->document);
    tf_wipe(text, size);
    free(text);
    if (err != TF_OK || !take_items(out->document, out)) {
        tf_secret_file_wipe(out);
        (void)tf_report(TF_ECONFIG, "%s: an object of at most %d strings", path,
                        (int)TF_ENV_MAX);
        return TF_ECONFIG;
    }
    return TF_OK;
}

void tf_secret_file_wipe(struct tf_secret_file *secrets)
{
    const char *name = NULL;
    json_t *value = NULL;

    json_object_foreach(secrets->document, name, value)
    {
        /* Setting a string makes another copy; these bytes are ours to overwrite. */
        char *text = NULL;
        const char *held = json_string_value(value);
        if (held != NULL) {
            memcpy(&text, &held, sizeof(text));
            tf_wipe(text, strlen(text));
        }
    }
    json_decref(secrets->document);
    memset(secrets, 0, sizeof(*secrets));
}
