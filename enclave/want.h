/* SPDX-License-Identifier: Apache-2.0 */
/*
 * want.h - bundles that a thread has asked the host for (TF_MSG_WANT), because a request
 * or a ClientHello needs them. What the host brings is a blob like any other
 * (enclave/blob.h) and worth nothing until it is verified and has the digest that was
 * asked for. The host's clock ends the wait: a host that stops it stops its own lambda,
 * no other.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "lib/err.h"

struct tf_lambda;
struct tf_resident;
struct tf_thread;

struct tf_want {
    uint64_t id;              /* of the frames; 0: the place is free */
    struct tf_lambda *lambda; /* a reference */
    uint64_t asked;           /* the host's time, ns */
};

struct tf_wants {
    struct tf_want list[TF_WANTS_MAX];
    size_t count;
    uint64_t last; /* how many there have been */
};

/** Asks for the bundle of the resident's lambda, if that was not done.
 *  @param max  of all wants of the thread.
 *  @return TF_AGAIN: it is on its way; TF_EBUSY: too many are. */
TF_MUST_USE tf_err tf_want_ask(struct tf_thread *thread, struct tf_resident *resident,
                               size_t max);

/** Whether a blob with this id was asked for and is not too late. */
bool tf_want_is_open(struct tf_thread *thread, uint64_t id);

/** The answer to a want is here: `bytes`, untrusted, of tf_shelf_alloc, which it takes on
 *  TF_OK; or none. Verifies digest and files, and lets the requests go on that wait for
 * it, or refuses them.
 *  @param err  not TF_OK: why there are no bytes.
 *  @return TF_OK; TF_EBUNDLE_GONE, TF_EBUNDLE_OTHER; TF_ENOTFOUND: nobody asked; as
 *  tf_bundle_check. */
TF_MUST_USE tf_err tf_want_answer(struct tf_thread *thread, uint64_t id, uint8_t *bytes,
                                  size_t size, tf_err err);

/** Gives up what was asked for too long ago. Call at each entry. */
void tf_want_expire(struct tf_thread *thread);
