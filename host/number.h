/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number.h - numbers on the command lines of tfaasd and tfaas-worker. tfaasd hands some
 * of its own on, so the bounds of both are the same.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    TF_CYCLES_MAX = 100 * 1000 * 1000,
    TF_IDLE_SECONDS_MAX = 24 * 60 * 60,
    TF_POLL_US_MAX = 1000,
    TF_MEMORY_MIB_MAX = 64 << 10
};

/** Reads a decimal number from `min` to `max`. @return false, and `out` as it was, if
 *  `text` is anything else. */
bool tf_number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *out);
