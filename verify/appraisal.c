/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/appraisal.h"

#include <assert.h>
#include <string.h>

enum {
    /* TDATTRIBUTES (TDX Module ABI specification, table 3.22). */
    TD_TUD = 0xff,
    TD_SEPT_VE_DISABLE = 1 << 28,
    SNP_POLICY_MIGRATE = 1 << 18,
    SNP_POLICY_DEBUG = 1 << 19
};

/* MRSIGNER of keys whose private halves are in public SDKs: anybody can sign with them.
 */
static const uint8_t PUBLIC_SIGNERS[][32] = {
    /* the sample key of Intel's and others' SDKs */
    {0x83, 0xd7, 0x19, 0xe7, 0x7d, 0xea, 0xca, 0x14, 0x70, 0xf6, 0xba,
     0xf6, 0x2a, 0x4d, 0x77, 0x43, 0x03, 0xc8, 0x99, 0xdb, 0x69, 0x02,
     0x0f, 0x9c, 0x70, 0xee, 0x1d, 0xfc, 0x08, 0xc7, 0xce, 0x9e},
};
enum { PUBLIC_SIGNER_COUNT = sizeof(PUBLIC_SIGNERS) / sizeof(PUBLIC_SIGNERS[0]) };

void tf_appraisal_refuse(struct tf_appraisal *a, tf_err reason)
{
    if (a->reason_count < TF_APPRAISAL_REASONS_MAX) {
        a->reasons[a->reason_count++] = reason;
    }
    if (a->result == TF_OK) {
        a->result = reason;
    }
}

static void require(struct tf_appraisal *a, bool claim, tf_err reason)
{
    if (!claim) {
        tf_appraisal_refuse(a, reason);
    }
}

/* --- TCB ---------------------------------------------------------------------------- */

static tf_err check_rule(const struct tf_tcb_rule *rule, const struct tf_tcb_claims *tcb,
                         int64_t time)
{
    if (rule->has_until && time > rule->until) {
        return TF_ETCB_GRACE;
    }
    for (size_t i = 0; rule->has_advisories && i < tcb->advisories.count; i++) {
        if (!tf_advisories_have(&rule->advisories, tcb->advisories.ids[i])) {
            return TF_ETCB_ADVISORY;
        }
    }
    return TF_OK;
}

/* One rule for the status that holds is enough; else what the last one lacked. */
static tf_err check_status(const struct tf_tcb_claims *tcb,
                           const struct tf_policy *policy, int64_t time)
{
    tf_err err = TF_ETCB_STATUS;

    if (tcb->status == TF_TCB_UP_TO_DATE) {
        return TF_OK;
    }
    if (tcb->status == TF_TCB_REVOKED) {
        return TF_ETCB_REVOKED;
    }
    for (size_t i = 0; policy != NULL && err != TF_OK && i < policy->tcb_count; i++) {
        if (policy->tcb[i].status == tcb->status) {
            err = check_rule(&policy->tcb[i], tcb, time);
        }
    }
    return err;
}

static void check_tcb(struct tf_appraisal *a, const struct tf_policy *policy,
                      int64_t time)
{
    tf_err err = check_status(&a->tcb, policy, time);

    if (err != TF_OK) {
        tf_appraisal_refuse(a, err);
    }
    if (policy != NULL) {
        require(a, a->tcb.evaluation >= policy->min_evaluation, TF_ECOLLATERAL_OLD);
        require(a, a->tcb.platform.date >= policy->min_tcb_date, TF_ETCB_DATE);
    }
}

static bool is_snp_new(const struct tf_snp_tcb *tcb, const struct tf_snp_tcb *minimum)
{
    return tcb->fmc >= minimum->fmc && tcb->bootloader >= minimum->bootloader &&
           tcb->tee >= minimum->tee && tcb->snp >= minimum->snp &&
           tcb->microcode >= minimum->microcode;
}

static void check_snp(struct tf_appraisal *a, const struct tf_policy *policy)
{
    const struct tf_snp_claims *snp = &a->snp;
    bool is_new = false;
    uint8_t max_vmpl = policy == NULL ? 0 : policy->max_vmpl;

    for (size_t i = 0; policy != NULL && i < policy->snp_count; i++) {
        /* The committed TCB is the floor to which the firmware can be rolled back. */
        is_new = is_new || (policy->snp[i].product == snp->product &&
                            is_snp_new(&snp->reported, &policy->snp[i].minimum) &&
                            is_snp_new(&snp->committed, &policy->snp[i].minimum));
    }
    require(a, is_new, TF_ESNP_OLD);
    require(a, snp->vmpl <= max_vmpl && (snp->policy & SNP_POLICY_MIGRATE) == 0,
            TF_ESNP_GUEST);
}

/* --- platform ----------------------------------------------------------------------- */

static bool is_platform(const struct tf_platform_id *id, const uint8_t *bytes,
                        size_t size)
{
    return id->size == size && memcmp(id->bytes, bytes, size) == 0;
}

static bool is_listed(const struct tf_appraisal *a, const struct tf_platform_id *id)
{
    if (a->tee == TF_TEE_SNP) {
        /* A VLEK names a provider, not a chip. */
        return !a->snp.is_vlek && is_platform(id, a->snp.chip_id, sizeof(a->snp.chip_id));
    }
    return is_platform(id, a->pck.ppid, sizeof(a->pck.ppid)) ||
           (a->pck.has_instance &&
            is_platform(id, a->pck.instance_id, sizeof(a->pck.instance_id)));
}

static void check_platform(struct tf_appraisal *a, const struct tf_policy *policy)
{
    bool is_good = policy->platform_count == 0 || a->is_simulated;

    for (size_t i = 0; i < policy->platform_count; i++) {
        is_good = is_good || is_listed(a, &policy->platforms[i]);
    }
    require(a, is_good, TF_EPOLICY_PLATFORM);
}

/* --- enclave and guest -------------------------------------------------------------- */

static void check_signer_denied(struct tf_appraisal *a)
{
    for (size_t i = 0; i < PUBLIC_SIGNER_COUNT; i++) {
        require(a, memcmp(PUBLIC_SIGNERS[i], a->sgx.mrsigner, 32) != 0,
                TF_EPOLICY_DENIED);
    }
}

static void check_enclave(struct tf_appraisal *a, const struct tf_policy *policy)
{
    const struct sgx_report *r = &a->sgx;
    bool is_good = policy->measurement_count == 0 && policy->has_signer;

    for (size_t i = 0; i < policy->measurement_count; i++) {
        is_good = is_good || memcmp(policy->measurements[i], r->mrenclave, 32) == 0;
    }
    require(a, is_good, TF_EPOLICY_MEASUREMENT);
    if (policy->has_signer) {
        require(a,
                memcmp(policy->signer, r->mrsigner, 32) == 0 &&
                    policy->product == r->isv_prod_id,
                TF_EPOLICY_SIGNER);
        require(a, r->isv_svn >= policy->min_svn, TF_EPOLICY_VERSION);
    }
    require(a,
            (!policy->has_attributes ||
             memcmp(policy->attributes, &r->attributes, sizeof(r->attributes)) == 0) &&
                (!policy->has_miscselect || policy->miscselect == r->miscselect),
            TF_EPOLICY_ATTRIBUTES);
}

static void check_guest(struct tf_appraisal *a, const struct tf_policy *policy)
{
    const struct tf_bytes measured = tf_appraisal_measurement(a);
    bool is_good = false;

    for (size_t i = 0; measured.size == 48 && i < policy->guest_count; i++) {
        is_good = is_good || memcmp(policy->guests[i], measured.data, 48) == 0;
    }
    require(a, is_good, TF_EPOLICY_MEASUREMENT);
}

/* What was measured into the registers while the guest started: MRTD alone is its
 * firmware. */
static void check_rtmrs(struct tf_appraisal *a, const struct tf_policy *policy)
{
    static_assert(sizeof(a->td.rtmr) == sizeof(policy->rtmrs) / TF_RTMRS_MAX, "as many");
    bool is_good = true;

    for (size_t i = 0; i < TF_RTMRS; i++) {
        bool is_accepted = policy->rtmr_counts[i] == 0;
        for (size_t j = 0; j < policy->rtmr_counts[i]; j++) {
            is_accepted =
                is_accepted || memcmp(policy->rtmrs[i][j], a->td.rtmr[i], 48) == 0;
        }
        is_good = is_good && is_accepted;
    }
    require(a, is_good, TF_EPOLICY_RTMR);
}

/* Without SEPT_VE_DISABLE the host can make the guest fault at will; a service TD could
 * carry the guest elsewhere. */
static void check_td(struct tf_appraisal *a)
{
    static const uint8_t none[48];

    require(a,
            (a->td.td_attributes & TD_SEPT_VE_DISABLE) != 0 &&
                memcmp(a->td.mrservicetd, none, sizeof(none)) == 0,
            TF_EPOLICY_ATTRIBUTES);
}

bool tf_appraisal_is_debug(const struct tf_appraisal *a)
{
    if (a->tee == TF_TEE_SGX) {
        return (a->sgx.attributes.flags & SGX_FLAGS_DEBUG) != 0;
    }
    if (a->tee == TF_TEE_TDX) {
        return (a->td.td_attributes & TD_TUD) != 0;
    }
    return (a->snp.policy & SNP_POLICY_DEBUG) != 0;
}

struct tf_bytes tf_appraisal_measurement(const struct tf_appraisal *a)
{
    switch (a->tee) {
    case TF_TEE_SGX:
        return (struct tf_bytes){a->sgx.mrenclave, sizeof(a->sgx.mrenclave)};
    case TF_TEE_TDX:
        return (struct tf_bytes){a->td.mrtd, sizeof(a->td.mrtd)};
    case TF_TEE_SNP:
        return (struct tf_bytes){a->snp.measurement, sizeof(a->snp.measurement)};
    case TF_TEE_NONE:
        break;
    }
    return (struct tf_bytes){NULL, 0};
}

struct tf_bytes tf_appraisal_config(const struct tf_appraisal *a)
{
    switch (a->tee) {
    case TF_TEE_SGX:
        return (struct tf_bytes){a->sgx.config_id, sizeof(a->sgx.config_id)};
    case TF_TEE_TDX:
        return (struct tf_bytes){a->td.mrconfigid, sizeof(a->td.mrconfigid)};
    case TF_TEE_SNP:
        return (struct tf_bytes){a->snp.host_data, sizeof(a->snp.host_data)};
    case TF_TEE_NONE:
        break;
    }
    return (struct tf_bytes){NULL, 0};
}

void tf_appraisal_apply(struct tf_appraisal *a, const struct tf_policy *policy,
                        int64_t time)
{
    if (a->tee == TF_TEE_SNP) {
        check_snp(a, policy);
    } else if (!a->is_simulated) {
        check_tcb(a, policy, time);
    }
    a->is_debug = tf_appraisal_is_debug(a);
    require(a, !a->is_debug || (policy != NULL && policy->insecure_allow_debug),
            TF_EEVIDENCE_DEBUG);
    if (a->tee == TF_TEE_SGX) {
        check_signer_denied(a);
    }
    if (a->tee == TF_TEE_TDX) {
        check_td(a);
    }
    if (policy == NULL) {
        return;
    }
    check_platform(a, policy);
    if (a->tee == TF_TEE_SGX) {
        check_enclave(a, policy);
    } else {
        check_guest(a, policy);
    }
    if (a->tee == TF_TEE_TDX) {
        check_rtmrs(a, policy);
    }
}
