/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/secrets.h"

#include <string.h>

#include "lib/bytes.h"
#include "lib/crypto.h"

static bool append(struct tf_secrets *out, char *room, const char *text)
{
    size_t size = strlen(text) + 1;

    if (size > TF_SECRETS_SIZE - out->size) {
        return false;
    }
    memcpy(room + out->size, text, size);
    out->size += size;
    return true;
}

void tf_secrets_parse(struct tf_json_fields *f, const char *key,
                      char room[static TF_SECRETS_SIZE], struct tf_secrets *out)
{
    out->text = room;
    if (tf_json_object(f, key) == NULL) {
        return;
    }
    json_t *object =
        json_object_get(f->object, key); /* the same; iterating is not const */

    for (void *at = json_object_iter(object); at != NULL && !f->bad;
         at = json_object_iter_next(object, at)) {
        const char *name = json_object_iter_key(at);
        const char *value = json_string_value(json_object_iter_value(at));
        f->bad = out->count == TF_SECRETS_MAX || name[0] == '\0' || value == NULL ||
                 !append(out, room, name) || !append(out, room, value);
        out->count++;
    }
}

struct tf_secret tf_secrets_next(const struct tf_secrets *secrets, struct tf_secret last)
{
    if (secrets->size == 0) {
        return (struct tf_secret){0};
    }
    const char *at =
        last.name == NULL ? secrets->text : last.value + strlen(last.value) + 1;
    if (at == secrets->text + secrets->size) {
        return (struct tf_secret){0};
    }
    return (struct tf_secret){at, at + strlen(at) + 1};
}

bool tf_secrets_are_equal(const struct tf_secrets *a, const struct tf_secrets *b)
{
    return a->size == b->size &&
           (a->size == 0 || tf_crypto_equal(a->text, b->text, a->size));
}

void tf_json_string_wipe(json_t *string)
{
    if (json_is_string(string)) {
        /* jansson gives its bytes out as const. */
        const char *text = json_string_value(string);
        char *bytes = NULL;
        memcpy(&bytes, &text, sizeof(bytes));
        tf_wipe(bytes, json_string_length(string));
    }
}
