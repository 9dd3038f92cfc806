/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native.h - what tests see of the stand-ins in test/native/, which replace the enclave's
 * boundary and CPU instructions by ordinary code.
 */
#pragma once

#include <stdint.h>

/** Memory that the native boundary takes for the enclave's. */
extern uint8_t tf_native_inside[4096];
