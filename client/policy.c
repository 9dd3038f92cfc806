/* SPDX-License-Identifier: Apache-2.0 */
#include "client/policy.h"

#include <stdlib.h>

#include "client/field.h"
#include "client/file.h"
#include "client/report.h"
#include "lib/json.h"

/* 32 bytes, in hex, and 48. */
#define ZEROS      "0000000000000000000000000000000000000000000000000000000000000000"
#define MORE_ZEROS ZEROS "00000000000000000000000000000000"

static bool is_good(const char *text, size_t size)
{
    struct tf_policy policy;

    return tf_policy_parse(text, size, &policy) == TF_OK;
}

/* A good policy that names what it accepts as the document does. */
static json_t *make_sample(const json_t *document)
{
    json_t *sample = json_pack("{s:s, s:[s]}", "domain", ZEROS, "publishers", ZEROS);
    json_t *more = NULL;

    if (json_object_get(document, "signer") != NULL) {
        more = json_pack("{s:s, s:i, s:i}", "signer", ZEROS, "product", 1, "min_svn", 1);
    } else if (json_object_get(document, "guests") != NULL) {
        more = json_pack("{s:[s]}", "guests", MORE_ZEROS);
    } else {
        more = json_pack("{s:[s]}", "measurements", ZEROS);
    }
    (void)json_object_update(sample, more);
    json_decref(more);
    return sample;
}

tf_err tf_policy_take(const char *path, const char *text, size_t size,
                      struct tf_policy *policy)
{
    char what[TF_FIELD_TEXT_MAX] = "it is too large";
    json_t *document = NULL;
    tf_err err = tf_policy_parse(text, size, policy);

    if (err == TF_OK) {
        return TF_OK;
    }
    if (size <= TF_POLICY_MAX) {
        (void)!tf_json_parse(text, size, &document);
        json_t *sample = make_sample(document);
        tf_field_find(document, sample, is_good, what);
        json_decref(sample);
        json_decref(document);
    }
    (void)tf_report(err, "%s: %s", path, what);
    return err;
}

tf_err tf_policy_load(const char *path, struct tf_policy *policy)
{
    uint8_t *text = NULL;
    size_t size = 0;
    tf_err err = tf_file_read(path, TF_POLICY_MAX, &text, &size);

    if (err == TF_OK) {
        err = tf_policy_take(path, (const char *)text, size, policy);
    }
    free(text);
    return err;
}
