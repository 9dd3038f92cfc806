/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env.h - what an engine file may ask of the enclave around it. Implemented by enclave/
 * in the image and by a few lines in the unit tests.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Fills `out` from the enclave's DRBG (never from the host). */
void tf_random(void *out, size_t size);

/** The host's time in ns since the epoch: a hint. Constant during one entry, so that a
 *  lambda's clock stands still while its code runs. */
uint64_t tf_clock_ns(void);

/** A line of the console of the lambda that runs: its level (`log`, `warn`, ...), a
 *  blank, the text; at most 1 KiB. For the lambda's publisher alone. */
void tf_console(const char *text, size_t size);
