/* SPDX-License-Identifier: Apache-2.0 */
/* collateral_amd.c - AMD's certificates for a report: from a file. */
#include "client/collateral_vendor.h"

#include "client/file.h"

enum { CHAIN_MAX = 32 << 10 };

tf_err tf_collateral_find_amd(const struct tf_collateral_source *source,
                              const struct tf_collateral_wanted *wanted,
                              struct tf_collateral_found *out)
{
    size_t size = 0;

    if (wanted->evidence->certificates_size > 0 || source->file == NULL) {
        return TF_OK;
    }
    tf_err err = tf_file_read(source->file, CHAIN_MAX, &out->snp, &size);
    if (err == TF_OK) {
        out->origin = TF_COLLATERAL_FILE;
        out->snp_certificates = (struct tf_bytes){out->snp, size};
    }
    return err;
}
