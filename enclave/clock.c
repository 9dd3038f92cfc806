/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/clock.h"

#include "enclave/local.h"

uint64_t tf_clock_ns(void)
{
    return tf_local_self()->now;
}
