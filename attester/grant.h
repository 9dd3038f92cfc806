/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grant.h - whether an instance needs a grant of a lambda, and giving it: key and CSR in
 * the enclave, certificate, a line in the log, the grant, another line.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "attester/config.h"
#include "client/channel.h"
#include "verify/tlog.h"

struct tf_attester;

/** A lambda on the machine that is visited. */
struct tf_place {
    const struct tf_wanted *wanted;
    struct tf_channel_client *channel; /* owned by the visit; NULL: not there */
    struct tf_attestation attestation;
    bool is_good;    /* attested, and nothing speaks against it */
    bool is_due;     /* it needs a grant, or a newer one */
    bool is_lessor;  /* a lease of its instance went over its channel */
    time_t late;     /* when the verdict is too old to lease on; of tf_steady_now */
    uint64_t serial; /* of our grant that it has; 0: none */
};

/** Finds out whether a good place has a grant of ours, and settles in the book what a
 *  crash or a lost answer left open. Sets `serial` and `is_due`. */
void tf_grant_look(const struct tf_attester *attester, const char *machine,
                   struct tf_place *place);

/**
 * Grants a good place.
 * @param intent  what the log says of the platform; the rest is filled in.
 * @return whether `serial` is that of a new grant, which serves once it is leased.
 */
bool tf_grant_place(const struct tf_attester *attester, const char *machine,
                    struct tf_place *place, struct tf_tlog_event *intent);

/** One of the DNS names that a good place is granted. */
const char *tf_grant_name(const struct tf_place *place);

/** Why a request on the channel failed: the enclave's code, or the error's. */
const char *tf_grant_failure(const struct tf_channel_client *channel, tf_err err);
