/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lists.h - the publishers' revocation lists that instances must have: read from files at
 * each visit, so that a new list needs no restart.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "attester/config.h"
#include "client/lease.h"
#include "lib/err.h"
#include "lib/revocations.h"

/** A signed list as its file has it, and what it says of itself. */
struct tf_list_file {
    uint8_t *envelope; /* owned */
    size_t size;
    size_t rank; /* of its signer among the publishers */
    char signer[TF_KEYID_SIZE + 1];
    uint64_t serial;
};

/** In the order in which an instance takes them all: the last publisher's first. After a
 *  list that revokes a publisher, that one's would be refused. */
struct tf_lists {
    size_t count;
    struct tf_list_file files[TF_CONFIG_LISTS_MAX];
    struct tf_lease_list named[TF_CONFIG_LISTS_MAX]; /* the same; point into `files` */
};

/** Reads and checks the configured lists. @return TF_OK (end with tf_lists_wipe), or an
 *  error after a message. */
TF_MUST_USE tf_err tf_lists_load(const struct tf_config *config, struct tf_lists *out);
void tf_lists_wipe(struct tf_lists *lists);

/** Posts each list of which the instance claims to have none or an older one.
 *  @return TF_OK, or the first error after a message. */
TF_MUST_USE tf_err tf_lists_post(const struct tf_lists *lists,
                                 struct tf_channel_client *channel,
                                 const struct tf_verdict *verdict);
