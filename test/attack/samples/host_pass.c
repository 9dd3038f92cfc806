/* SPDX-License-Identifier: Apache-2.0 */
/* found by sparse, clang */
/* A host pointer handed to a function that takes ordinary ones. */
#include <string.h>

#include "enclave/boundary.h"

void sample(uint8_t *to, const uint8_t TF_HOST *from, size_t size);

void sample(uint8_t *to, const uint8_t TF_HOST *from, size_t size)
{
    memcpy(to, from, size);
}
