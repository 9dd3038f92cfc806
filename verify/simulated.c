/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/simulated.h"

#include <string.h>

#include "lib/crypto.h"

enum { LABEL_MAX = 64 };

/* The zero byte at the end is part of the label. */
static const char LABEL[] = "tfaas SIMULATED SGX evidence v1";
static const char NATIVE_LABEL[] = "tfaas SIMULATED native evidence v1";

static bool is_signed_by_root(const struct tf_evidence *e, const struct tf_policy *policy)
{
    uint8_t message[LABEL_MAX + TF_SGX_BODY_SIZE];
    const char *label = e->kind == TF_EVIDENCE_SIMULATED_NATIVE ? NATIVE_LABEL : LABEL;
    size_t label_size = strlen(label) + 1;

    if (policy->sim_root_size == 0 || policy->sim_root_size != e->root_size ||
        memcmp(policy->sim_root, e->root, e->root_size) != 0) {
        return false;
    }
    memcpy(message, label, label_size);
    memcpy(message + label_size, e->data, TF_SGX_BODY_SIZE);
    return tf_signature_check(policy->sim_root, policy->sim_root_size, message,
                              label_size + TF_SGX_BODY_SIZE, e->signature,
                              sizeof(e->signature)) == TF_OK;
}

tf_err tf_simulated_verify(const struct tf_evidence *evidence,
                           bool insecure_allow_simulated, const struct tf_policy *policy,
                           struct tf_appraisal *out)
{
    memset(out, 0, sizeof(*out));
    out->is_simulated = true;
    out->is_native = evidence->kind == TF_EVIDENCE_SIMULATED_NATIVE;
    out->tee = TF_TEE_SGX;
    memcpy(&out->sgx, evidence->data, TF_SGX_BODY_SIZE);
    memcpy(out->report_data, out->sgx.report_data, sizeof(out->report_data));
    if (!insecure_allow_simulated) {
        tf_appraisal_refuse(out, TF_EEVIDENCE_SIMULATED);
    }
    if (!is_signed_by_root(evidence, policy)) {
        tf_appraisal_refuse(out, TF_EEVIDENCE_ROOT);
    }
    tf_appraisal_apply(out, policy, 0);
    return out->result;
}
