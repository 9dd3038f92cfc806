/* SPDX-License-Identifier: Apache-2.0 */
/* screen.h - what an attestation found, on one screen that a person understands. */
#pragma once

#include "client/channel.h"

/** Prints it on stdout: what was asked about, what the enclave says it runs, what it is,
 *  who vouches for the platform, how old all of that is, the verdict and what to do. */
void tf_screen_print(const struct tf_attestation *attestation);
