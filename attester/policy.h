/* SPDX-License-Identifier: Apache-2.0 */
/* policy.h - the policy file as it is at this moment, and its hash for the log. */
#pragma once

#include "lib/crypto.h"
#include "lib/err.h"
#include "verify/policy.h"

/** A policy, and the bytes that it was read from, hashed. */
struct tf_policy_now {
    struct tf_policy policy;
    char hash[2 * TF_SHA256_SIZE + 1]; /* hex SHA-256 */
};

/** Reads the file once. @return TF_OK, or an error after a message. */
TF_MUST_USE tf_err tf_policy_now(const char *path, struct tf_policy_now *out);
