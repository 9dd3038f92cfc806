/* SPDX-License-Identifier: Apache-2.0 */
/* found by sparse, clang */
/* A field of the channel read in place, which the host changes between check and use. */
#include "enclave/boundary.h"

uint64_t sample(uint64_t TF_HOST *head);

uint64_t sample(uint64_t TF_HOST *head)
{
    return *head < 8 ? *head : 0;
}
