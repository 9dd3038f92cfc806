/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/shelf.h"

#include "enclave/shared.h"
#include "lib/crypto.h"

static void unlink_idle(struct tf_shelf *shelf, struct tf_lambda *lambda)
{
    if (lambda->newer != NULL) {
        lambda->newer->older = lambda->older;
    } else {
        shelf->newest = lambda->older;
    }
    if (lambda->older != NULL) {
        lambda->older->newer = lambda->newer;
    } else {
        shelf->oldest = lambda->newer;
    }
    lambda->newer = NULL;
    lambda->older = NULL;
}

static void link_newest(struct tf_shelf *shelf, struct tf_lambda *lambda)
{
    lambda->older = shelf->newest;
    if (lambda->older != NULL) {
        lambda->older->newer = lambda;
    } else {
        shelf->oldest = lambda;
    }
    shelf->newest = lambda;
}

static void link_oldest(struct tf_shelf *shelf, struct tf_lambda *lambda)
{
    lambda->newer = shelf->oldest;
    if (lambda->newer != NULL) {
        lambda->newer->older = lambda;
    } else {
        shelf->newest = lambda;
    }
    shelf->oldest = lambda;
}

void tf_shelf_drop(struct tf_shelf *shelf, struct tf_lambda *lambda)
{
    if (lambda->bytes == NULL) {
        return;
    }
    unlink_idle(shelf, lambda);
    shelf->held -= lambda->size;
    tf_wipe(lambda->bytes, lambda->size);
    tf_shared_free(lambda->bytes);
    lambda->bytes = NULL;
    lambda->size = 0;
}

uint8_t *tf_shelf_alloc(struct tf_shelf *shelf, size_t size)
{
    while (shelf->held + size > shelf->budget && shelf->oldest != NULL) {
        tf_shelf_drop(shelf, shelf->oldest);
    }
    uint8_t *bytes = tf_shared_alloc(size);
    while (bytes == NULL && shelf->oldest != NULL) {
        tf_shelf_drop(shelf, shelf->oldest);
        bytes = tf_shared_alloc(size);
    }
    return bytes;
}

void tf_shelf_free(uint8_t *bytes)
{
    tf_shared_free(bytes);
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
    link_newest(shelf, lambda);
}

bool tf_shelf_take(struct tf_shelf *shelf, struct tf_lambda *lambda)
{
    if (lambda->bytes == NULL) {
        return false;
    }
    if (lambda->users == 0) {
        unlink_idle(shelf, lambda);
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
        link_oldest(shelf, lambda);
    } else {
        link_newest(shelf, lambda);
    }
}
