/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot.h - what enclave/native/slot.c offers beside enclave/js/slot.h: a new context
 * costs half a millisecond, so the one for the next request is made when there is nothing
 * else to do.
 */
#pragma once

#include <stdbool.h>

/** Whether the instance that this thread called last has yet to be made fresh. */
bool tf_slot_is_stale(void);

/** Does that now; what fails is tried again by the next call. */
void tf_slot_freshen(void);
