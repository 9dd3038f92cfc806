/* SPDX-License-Identifier: Apache-2.0 */
/* attest.h - showing what an attestation found. */
#pragma once

#include <stdbool.h>

#include "client/channel.h"

/** Prints it on one screen, or as one line of JSON. */
void tf_attestation_print(const struct tf_attestation *attestation, bool is_json);
