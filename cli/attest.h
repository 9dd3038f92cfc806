/* SPDX-License-Identifier: Apache-2.0 */
/* attest.h - showing what an attestation found. */
#pragma once

#include <stdbool.h>

#include "client/channel.h"

/** Prints it on one screen, or as one line of JSON. */
void tf_attestation_print(const struct tf_attestation *attestation, bool is_json);

/** Attests, and prints what was found if it is bad. @return TF_OK for a good verdict;
 * TF_EIO after a message; else why it is bad. */
TF_MUST_USE tf_err tf_attested(struct tf_channel_client *channel, const char *lambda,
                               const struct tf_attest_rules *rules, bool is_json,
                               struct tf_attestation *out);
