/* SPDX-License-Identifier: Apache-2.0 */
/*
 * appraisal.h - what came out of judging a CPU vendor's evidence: a verdict, the reasons,
 * and all that the evidence claims, believed or not. Made by tf_dcap_verify and
 * tf_snp_verify; read by whoever decides (RFC 9334: the verifier's side).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/sgx.h"
#include "lib/err.h"
#include "verify/pck.h"
#include "verify/policy.h"
#include "verify/quote.h"
#include "verify/tcb.h"

enum { TF_APPRAISAL_REASONS_MAX = 12 };

/** A SEV-SNP guest, from its report. */
struct tf_snp_claims {
    uint32_t guest_svn;
    uint64_t policy;
    uint8_t family_id[16];
    uint8_t image_id[16];
    uint32_t vmpl;
    uint64_t platform_info;
    uint8_t measurement[48];
    uint8_t host_data[32];
    uint8_t id_key_digest[48];
    uint8_t author_key_digest[48];
    uint8_t report_id[32];
    uint8_t report_id_ma[32];
    uint8_t chip_id[64];
    bool is_vlek;
    uint8_t reported_bytes[8]; /* REPORTED_TCB as it is */
    tf_root product; /* of the chain's root; for a test root, of the certificate; before
                        there is one, as the report says, which version 2 does not */
    struct tf_snp_tcb current;
    struct tf_snp_tcb reported;
    struct tf_snp_tcb committed;
    struct tf_snp_tcb launch;
};

/** The TCB of an Intel platform and how it came about. */
struct tf_tcb_claims {
    tf_tcb_status status; /* of the whole */
    struct tf_tcb_level platform;
    struct tf_tcb_level qe;
    bool has_module; /* TDX: then its level is there */
    struct tf_tcb_level module;
    struct tf_advisories advisories;
    uint32_t evaluation; /* the lower of TCB info and QE identity */
    int64_t issued;      /* issueDate, the earlier of the two */
    int64_t next_update; /* nextUpdate, the earlier of the two */
};

struct tf_appraisal {
    tf_err result;                            /* TF_OK, or the first reason */
    tf_err reasons[TF_APPRAISAL_REASONS_MAX]; /* in the order of the checks */
    size_t reason_count;
    bool is_genuine;   /* the vendor vouches for it; reasons can only be the policy's */
    bool is_test_root; /* by a root that the policy names for tests: nobody vouches */
    bool is_simulated; /* tee is TF_TEE_SGX and no CPU is involved: nobody vouches */
    bool is_native;    /* is_simulated, and no enclave: MRENCLAVE measures a runtime */
    int64_t expires;   /* when collateral or a certificate ends; set when genuine */

    tf_tee tee; /* TF_TEE_NONE: it did not parse and nothing below is set */
    uint16_t version;
    bool is_debug;
    uint8_t report_data[64];
    struct sgx_report sgx; /* for TF_TEE_SGX; key_id and mac are zero */
    struct tf_td_body td;  /* for TF_TEE_TDX */
    struct tf_snp_claims snp;

    bool has_pck; /* Intel: the platform, from the certificate */
    struct tf_pck pck;
    bool is_platform_ca; /* of the "Platform" CA; else of the "Processor" CA */
    bool has_tcb;        /* Intel */
    struct tf_tcb_claims tcb;
};

/** Notes a reason. The first becomes the result. */
void tf_appraisal_refuse(struct tf_appraisal *a, tf_err reason);

/** MRENCLAVE, MRTD or MEASUREMENT; size 0 for TF_TEE_NONE. Points into `a`. */
struct tf_bytes tf_appraisal_measurement(const struct tf_appraisal *a);

/** Whether what the evidence is about can be read by its operator. */
bool tf_appraisal_is_debug(const struct tf_appraisal *a);

/** Where the vendor lets whoever starts an enclave or guest bind 32 bytes of their own:
 *  CONFIGID (64 bytes), MRCONFIGID (48) or HOST_DATA (32); size 0 for TF_TEE_NONE. */
struct tf_bytes tf_appraisal_config(const struct tf_appraisal *a);

/**
 * Holds what genuine evidence says against a policy and notes every reason to refuse it:
 * TCB, age of the collateral, DEBUG, keys that everybody has, platform, measurement. What
 * is simulated has neither TCB nor platform.
 *
 * @param policy  NULL: no enclave or guest is named, and only an UpToDate TCB without
 *                DEBUG is good.
 */
void tf_appraisal_apply(struct tf_appraisal *a, const struct tf_policy *policy,
                        int64_t time);
