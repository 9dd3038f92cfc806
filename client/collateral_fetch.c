/* SPDX-License-Identifier: Apache-2.0 */
#include "client/collateral_fetch.h"

#include <stdlib.h>
#include <string.h>

#include "client/collateral_vendor.h"

tf_err tf_collateral_find(const struct tf_collateral_source *source,
                          const struct tf_collateral_wanted *wanted,
                          struct tf_collateral_found *out)
{
    memset(out, 0, sizeof(*out));
    switch (wanted->evidence->kind) {
    case TF_EVIDENCE_DCAP:
        return tf_collateral_find_intel(source, wanted, out);
    case TF_EVIDENCE_SNP:
        return tf_collateral_find_amd(source, wanted, out);
    case TF_EVIDENCE_SIMULATED:
    case TF_EVIDENCE_SIMULATED_NATIVE:
        break;
    }
    return TF_OK; /* nobody vouches for it, so nobody is asked */
}

void tf_collateral_found_wipe(struct tf_collateral_found *found)
{
    if (found->has_intel) {
        tf_collateral_wipe(&found->intel);
    }
    free(found->text);
    free(found->snp);
    memset(found, 0, sizeof(*found));
}
