/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shelf.h - the bundles that the instance has at hand, in shared memory. A lambda may be
 * in the table without its bundle: then it is asked for when it is needed
 * (enclave/want.h). Beyond the budget, what no thread uses goes, and is wiped: what was
 * used longest ago first. All that stands here: hold the lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enclave/instance.h"

/** Shared memory for a bundle, for tf_shelf_put or tf_shared_free. Gives up others for it
 *  if need be. @return NULL: there is not so much. */
uint8_t *tf_shelf_alloc(struct tf_shelf *shelf, size_t size);

/** Has a verified bundle lie there for its lambda; takes `bytes`, and gives them back if
 *  it has them already. */
void tf_shelf_put(struct tf_shelf *shelf, struct tf_lambda *lambda, uint8_t *bytes,
                  size_t size);

/** A thread begins to use the lambda's bytes, which stay. @return whether there are any.
 */
bool tf_shelf_take(struct tf_shelf *shelf, struct tf_lambda *lambda);

/** A thread no longer uses them. @param is_first  of all they are the first to go. */
void tf_shelf_give(struct tf_shelf *shelf, struct tf_lambda *lambda, bool is_first);

/** Wipes and frees a lambda's bytes, which nobody uses, if there are any. */
void tf_shelf_drop(struct tf_shelf *shelf, struct tf_lambda *lambda);
