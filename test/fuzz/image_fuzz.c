/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile image: opened, and if accepted walked, every page of its segments and TCSs
 * read. */
#include <stddef.h>
#include <stdint.h>

#include "lib/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static tf_err touch(void *user, const struct tf_run *run)
{
    const struct tf_image *image = user;
    uint8_t page[TF_PAGE];
    if (run->size % TF_PAGE != 0 || run->size > image->layout.elrange ||
        run->offset > image->layout.elrange - run->size) {
        __builtin_trap();
    }
    /* A few pages of a run: a huge bss is slow and teaches nothing. */
    for (uint64_t at = 0; at < run->size && at < (uint64_t)8 * TF_PAGE; at += TF_PAGE) {
        tf_image_page(image, run->offset + at, page);
    }
    return TF_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tf_image image;
    if (tf_image_open(data, size, &image) == TF_OK &&
        tf_image_walk(&image, touch, &image) != TF_OK) {
        __builtin_trap();
    }
    return 0;
}
