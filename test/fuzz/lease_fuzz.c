/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile lease. What parses stays within its bounds, and is written and parsed to the
 * same again.
 */
#include <string.h>

#include "lib/lease.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tf_lease_statement lease;
static struct tf_lease_statement again;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[2 * TF_LEASE_MAX];
    size_t text_size = 0;

    if (tf_lease_parse((const char *)data, size, &lease)) {
        return 0;
    }
    if (lease.until < lease.time || lease.until - lease.time > TF_LEASE_SECONDS_MAX ||
        tf_lease_write(&lease, text, sizeof(text), &text_size) ||
        text_size > TF_LEASE_MAX || tf_lease_parse(text, text_size, &again) ||
        memcmp(&lease, &again, sizeof(lease)) != 0) {
        __builtin_trap();
    }
    return 0;
}
