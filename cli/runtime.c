/* SPDX-License-Identifier: Apache-2.0 */
/* runtime.c - measures the files of a native runtime, as its worker does. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/image.h"
#include "lib/runtime.h"

enum { FILE_MAX = 512 << 20 };

static tf_err feed_file(struct tf_runtime *runtime, const char *folder, const char *name)
{
    char path[PATH_MAX];
    uint8_t digest[TF_SHA256_SIZE];
    uint8_t *bytes = NULL;
    size_t size = 0;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    tf_err err = tf_file_read(path, FILE_MAX, &bytes, &size);
    if (err == TF_OK) {
        tf_sha256(bytes, size, digest);
        tf_runtime_feed(runtime, name, size, digest);
    }
    free(bytes);
    return err;
}

tf_err tf_image_measure_runtime(const char *folder, uint8_t out[static 32])
{
    struct tf_runtime runtime;
    tf_err err = TF_OK;

    tf_runtime_init(&runtime);
    for (size_t i = 0; err == TF_OK && tf_runtime_files[i] != NULL; i++) {
        err = feed_file(&runtime, folder, tf_runtime_files[i]);
    }
    if (err == TF_OK) {
        tf_runtime_take(&runtime, out);
    }
    return err;
}
