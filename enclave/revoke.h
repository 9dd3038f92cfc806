/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revoke.h - the publishers' revocation lists in this instance (lib/revocations.h): taken
 * from anybody, for they are signed; in force at once for what is loaded, and at each
 * load. The host can withhold a list from a new instance; a lease says which ones there
 * must be.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "enclave/instance.h"
#include "lib/bundle.h"
#include "lib/err.h"
#include "lib/json.h"

/** What a list did. */
struct tf_revoked {
    char signer[TF_KEYID_SIZE + 1];
    uint64_t serial;
    bool is_new;  /* false: it was in force already */
    size_t count; /* of lambdas that left the table and are named: the first ones */
    char dropped[TF_NAMED_MAX][TF_NAME_MAX + 1];
};

/**
 * Puts a signed list, untrusted and not kept, in force: the lambdas that it names leave
 * the table with their grants, and so do grants signed by keys that it names.
 * @return TF_OK; TF_EREVOCATION_FORMAT, _SIGNER, _OLD; TF_EREVOKED; TF_ENOMEM.
 */
TF_MUST_USE tf_err tf_revoke_take(struct tf_instance *instance, const char *text,
                                  size_t size, struct tf_revoked *out);

/** Writes {"signer", "serial", "dropped"}. @return TF_OK or TF_ELIMIT. */
TF_MUST_USE tf_err tf_revoke_answer_write(const struct tf_revoked *revoked, char *out,
                                          size_t cap, size_t *size);

/** @return TF_EREVOKED if a list names the bundle, else TF_OK. Hold the lock. */
TF_MUST_USE tf_err tf_revoke_check_bundle(const struct tf_instance *instance,
                                          const struct tf_bundle *bundle);

/** Whether a list of this publisher with at least this serial is in force. Takes the
 * lock. */
bool tf_revoke_has(struct tf_instance *instance, const char *keyid, uint64_t serial);

/** Writes the array "revocations" of [{"signer", "serial"}]. Takes the lock. */
void tf_revoke_write(struct tf_instance *instance, struct tf_json_writer *w);
