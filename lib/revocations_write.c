/* SPDX-License-Identifier: Apache-2.0 */
/* revocations_write.c - the publisher's part of revocations.h. */
#include "lib/revocations.h"

void tf_revocations_put(struct tf_json_writer *w, const char *key,
                        const struct tf_revocations *list)
{
    tf_json_open_object(w, key);
    tf_json_put_string(w, "tfaas", "revocations.v1");
    tf_json_put_integer(w, "serial", list->serial);
    tf_json_open_array(w, "digests");
    for (size_t i = 0; i < list->digest_count; i++) {
        tf_json_put_hex(w, NULL, list->digests[i], TF_SHA256_SIZE);
    }
    tf_json_close_array(w);
    tf_json_open_array(w, "versions");
    for (size_t i = 0; i < list->version_count; i++) {
        tf_json_open_object(w, NULL);
        tf_json_put_string(w, "name", list->versions[i].name);
        tf_json_put_integer(w, "below", list->versions[i].below);
        tf_json_close_object(w);
    }
    tf_json_close_array(w);
    tf_json_open_array(w, "signers");
    for (size_t i = 0; i < list->signer_count; i++) {
        tf_json_put_string(w, NULL, list->signers[i]);
    }
    tf_json_close_array(w);
    tf_json_close_object(w);
}

tf_err tf_revocations_write(const struct tf_revocations *list, char *out, size_t cap,
                            size_t *size)
{
    struct tf_json_writer w;

    tf_json_writer_init(&w, out, cap);
    tf_revocations_put(&w, NULL, list);
    return tf_json_take(&w, size);
}
