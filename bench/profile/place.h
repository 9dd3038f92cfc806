/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.h - the core with its own boundary, heap, fibers and engine in an ordinary
 * process, compiled as for the image, so that callgrind can watch it. What only a CPU
 * gives comes from test/native/enclu.c. Not safe for anything but measuring.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Makes the one thread's memory, for the trust domain whose descriptor this is.
 *  @return 0, or -1. */
int profile_place_open(const char *descriptor, size_t size);

/** One entry, as EENTER. @param result  enum tf_exit and tf_err. */
void profile_place_enter(void *channel, uint64_t now_ns, uint32_t result[2]);
