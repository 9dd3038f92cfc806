/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.h - the signed statement that lets leased grants of an instance serve for a while
 * longer (doc/formats.md, Lease), sent over a channel on which the instance was attested.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "client/channel.h"
#include "lib/err.h"

/** The grant of a lambda that may serve. */
struct tf_leased {
    const char *lambda;
    uint64_t serial;
    uint64_t version_floor;
};

/** A revocation list that the instance must have, or a later one of that signer. */
struct tf_lease_list {
    const char *signer; /* keyid */
    uint64_t serial;
};

/** What a lease says. All borrowed. */
struct tf_lease_order {
    const char *instance; /* hex, as in its claims */
    uint64_t time;        /* now; seconds since 1970 */
    uint64_t until;
    uint64_t requests;               /* at most so many; 0: no bound */
    const struct tf_leased *lambdas; /* a lambda that is not here loses its lease */
    size_t lambda_count;
    const struct tf_lease_list *lists;
    size_t list_count;
};

/** Writes the statement, signs it with `signer` and sends it.
 *  @return TF_OK; TF_EUSAGE (refused by the enclave), TF_EIO or TF_ELIMIT after a
 *          message. */
TF_MUST_USE tf_err tf_lease_send(struct tf_channel_client *channel, EVP_PKEY *signer,
                                 const struct tf_lease_order *order);
