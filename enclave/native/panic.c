/* SPDX-License-Identifier: Apache-2.0 */
/* panic.c - panic.h in a process: it ends. */
#include "enclave/panic.h"

#include <stdio.h>
#include <stdlib.h>

void tf_panic(unsigned code)
{
    (void)fprintf(stderr, "tfaas: the core cannot go on: %u\n", code);
    abort();
}
