/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/shelf.h"

#include "enclave/shared.h"
#include "lib/crypto.h"

void tf_shelf_drop(struct tf_shelf *shelf, struct tf_lambda *lambda)
{
    if (lambda->bytes == NULL) {
        return;
    }
    tf_list_remove(&shelf->idle, &lambda->idle);
    shelf->held -= lambda->size;
    tf_wipe(lambda->bytes, lambda->size);
    tf_shared_free(lambda->bytes);
    lambda->bytes = NULL;
    lambda->size = 0;
}

/* Drops what was used longest ago. @return whether there was any. */
static bool drop_oldest(struct tf_shelf *shelf)
{
    struct tf_lambda *oldest = tf_list_first(&shelf->idle);

    if (oldest != NULL) {
        tf_shelf_drop(shelf, oldest);
    }
    return oldest != NULL;
}

uint8_t *tf_shelf_alloc(struct tf_shelf *shelf, size_t size)
{
    while (shelf->held + size > shelf->budget && drop_oldest(shelf)) {
    }
    uint8_t *bytes = tf_shared_alloc(size);
    while (bytes == NULL && drop_oldest(shelf)) {
        bytes = tf_shared_alloc(size);
    }
    return bytes;
}

void tf_shelf_put(struct tf_shelf *shelf, struct tf_lambda *lambda, uint8_t *bytes,
                  size_t size)
{
    if (lambda->bytes != NULL) {
        tf_shared_free(bytes);
        return;
    }
    lambda->bytes = bytes;
    lambda->size = size;
    shelf->held += size;
    tf_list_add_last(&shelf->idle, &lambda->idle, lambda);
}

bool tf_shelf_take(struct tf_shelf *shelf, struct tf_lambda *lambda)
{
    if (lambda->bytes == NULL) {
        return false;
    }
    if (lambda->users == 0) {
        tf_list_remove(&shelf->idle, &lambda->idle);
    }
    lambda->users++;
    return true;
}

void tf_shelf_give(struct tf_shelf *shelf, struct tf_lambda *lambda, bool is_first)
{
    if (--lambda->users != 0) {
        return;
    }
    if (is_first) {
        tf_list_add_first(&shelf->idle, &lambda->idle, lambda);
    } else {
        tf_list_add_last(&shelf->idle, &lambda->idle, lambda);
    }
}
