/* SPDX-License-Identifier: Apache-2.0 */
/* found by sparse, clang */
/* One member of a structure of the host stored in place: four bytes wide. */
#include "enclave/boundary.h"

struct answer {
    uint32_t status;
    uint32_t size;
};

void sample(struct answer TF_HOST *out);

void sample(struct answer TF_HOST *out)
{
    out->status = 1;
}
