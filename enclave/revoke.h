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
#include "enclave/js/js.h"
#include "lib/err.h"
#include "lib/json.h"

/**
 * Puts a signed list, untrusted and not kept, in force: the lambdas that it names leave
 * the table with their grants, and so do grants signed by keys that it names.
 *
 * @param answer  {"signer", "serial", "dropped": the first TF_NAMED_MAX that left}, on
 *                TF_OK.
 * @param is_new  false: it was in force already.
 * @return TF_OK; TF_EREVOCATION_FORMAT, _SIGNER, _OLD; TF_EREVOKED; TF_ENOMEM.
 */
TF_MUST_USE tf_err tf_revoke_take(struct tf_instance *instance, struct tf_str list,
                                  struct tf_json_writer *answer, bool *is_new);

/** Whether a list names the lambda, by its digest, version or signer. Hold the lock. */
bool tf_revoke_names(const struct tf_instance *instance, const struct tf_lambda *lambda);

/** Whether a list of this publisher with at least this serial is in force. Takes the
 * lock. */
bool tf_revoke_has(struct tf_instance *instance, const char *keyid, uint64_t serial);

/** Writes the array "revocations" of [{"signer", "serial"}]. Takes the lock. */
void tf_revoke_write(struct tf_instance *instance, struct tf_json_writer *w);
