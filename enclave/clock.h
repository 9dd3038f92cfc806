/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - the time as the host tells it: a hint, never a reason to trust something.
 *
 * It is handed in at every entry and stands still until the next one, so code inside the
 * enclave cannot time itself with it. Nothing that guards a secret may depend on it.
 */
#pragma once

#include <stdint.h>

/** Nanoseconds since 1970-01-01 00:00 UTC. Untrusted: may jump and run backwards. */
uint64_t tf_clock_ns(void);
