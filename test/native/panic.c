/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/panic.h"

#include <stdio.h>
#include <stdlib.h>

void tf_panic(unsigned code)
{
    (void)fprintf(stderr, "tf_panic: %u\n", code);
    abort();
}
