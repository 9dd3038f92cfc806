/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/runtime.h"

#include <string.h>

#include "lib/bytes.h"

static const char label[] = "tfaas native runtime v1"; /* with its NUL */

const char *const tf_runtime_files[] = {"node", "start.js", "tfaas.node", NULL};

void tf_runtime_init(struct tf_runtime *runtime)
{
    tf_sha256_init(&runtime->hash);
    tf_sha256_feed(&runtime->hash, label, sizeof(label));
}

void tf_runtime_feed(struct tf_runtime *runtime, const char *name, uint64_t size,
                     const uint8_t content[static TF_SHA256_SIZE])
{
    uint8_t number[8];

    tf_store_u64(number, size);
    tf_sha256_feed(&runtime->hash, name, strlen(name) + 1);
    tf_sha256_feed(&runtime->hash, number, sizeof(number));
    tf_sha256_feed(&runtime->hash, content, TF_SHA256_SIZE);
}

void tf_runtime_take(struct tf_runtime *runtime, uint8_t out[static TF_SHA256_SIZE])
{
    tf_sha256_take(&runtime->hash, out);
}
