/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processor.h - what the host says the processor has beyond what every one with SGX has.
 * A hint: whichever way it is, the same is computed, and only the time differs. A host
 * that claims what is not there gets #UD, which ends the enclave; it could have stopped
 * it.
 */
#pragma once

#include <stdint.h>

/** Chooses the code of all threads from now on, also in the midst of a message.
 *  @param insecure_features  untrusted: enum tf_processor, or'ed; unknown bits are
 * ignored */
void tf_processor_hint(uint32_t insecure_features);
