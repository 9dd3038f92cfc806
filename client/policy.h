/* SPDX-License-Identifier: Apache-2.0 */
/* policy.h - policy files of the user's, and what is wrong with them. */
#pragma once

#include "lib/err.h"
#include "verify/policy.h"

/** Parses a policy file's text; `path` is for the message.
 *  @return TF_OK, or TF_EPOLICY_FORMAT after a message that names the field. */
TF_MUST_USE tf_err tf_policy_take(const char *path, const char *text, size_t size,
                                  struct tf_policy *policy);

/** Loads a policy file. @return TF_OK, or an error after a message. */
TF_MUST_USE tf_err tf_policy_load(const char *path, struct tf_policy *policy);
