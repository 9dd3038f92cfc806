/* SPDX-License-Identifier: Apache-2.0 */
#include "attester/policy.h"

#include <stdlib.h>

#include "client/file.h"
#include "client/policy.h"
#include "lib/bytes.h"

tf_err tf_policy_now(const char *path, struct tf_policy_now *out)
{
    uint8_t digest[TF_SHA256_SIZE];
    uint8_t *text = NULL;
    size_t size = 0;
    tf_err err = tf_file_read(path, TF_POLICY_MAX, &text, &size);

    if (err != TF_OK) {
        return err;
    }
    err = tf_policy_take(path, (const char *)text, size, &out->policy);
    tf_sha256(text, size, digest);
    tf_hex_write(digest, sizeof(digest), out->hash);
    free(text);
    return err;
}
