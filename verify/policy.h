/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - what a relying party accepts: which enclaves and platforms, for which trust
 * domain, signed by whom. The file is the verifier's own; still it is parsed strictly
 * (doc/formats.md, Policy; doc/policy.schema.json).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "verify/roots.h"
#include "verify/tcb.h"

enum {
    TF_MEASUREMENTS_MAX = 16,
    TF_DIGESTS_MAX = 16,
    TF_POLICY_MAX = 16 << 10,
    TF_TCB_RULES_MAX = 8,
    TF_PLATFORMS_MAX = 64,
    TF_PLATFORM_ID_MAX = 64, /* bytes: a chip id of AMD */
    TF_SNP_RULES_MAX = 3,
    TF_RTMRS = 4,    /* registers of a TDX guest, count */
    TF_RTMRS_MAX = 8 /* values of one of them, count */
};

/** A TCB status other than UpToDate that is accepted. */
struct tf_tcb_rule {
    tf_tcb_status status;
    bool has_advisories; /* then no others may be open */
    struct tf_advisories advisories;
    bool has_until; /* then only up to that date */
    int64_t until;
};

/** A PPID or platform instance id of Intel (16 bytes), or a chip id of AMD (64). */
struct tf_platform_id {
    uint8_t bytes[TF_PLATFORM_ID_MAX];
    size_t size;
};

/** The security versions of an AMD processor. */
struct tf_snp_tcb {
    uint8_t fmc; /* Turin only */
    uint8_t bootloader;
    uint8_t tee;
    uint8_t snp;
    uint8_t microcode;
};

/** The least that is accepted of a product: AMD publishes no list that would say. */
struct tf_snp_rule {
    tf_root product;
    struct tf_snp_tcb minimum;
};

struct tf_policy {
    uint8_t measurements[TF_MEASUREMENTS_MAX][32]; /* accepted MRENCLAVE; count 0: any */
    size_t measurement_count;
    bool has_signer; /* then MRSIGNER, ISVPRODID and ISVSVN are checked */
    uint8_t signer[32];
    uint16_t product;
    uint16_t min_svn;
    uint8_t guests[TF_MEASUREMENTS_MAX][48]; /* MRTD of TDX, MEASUREMENT of SEV-SNP */
    size_t guest_count;
    uint8_t rtmrs[TF_RTMRS][TF_RTMRS_MAX][48]; /* accepted RTMR0 to 3 of TDX */
    size_t rtmr_counts[TF_RTMRS];              /* 0: any value */
    bool has_attributes;
    uint8_t attributes[16]; /* ATTRIBUTES and XFRM, exactly */
    bool has_miscselect;
    uint32_t miscselect;
    uint8_t domain[32]; /* SHA-256 of the descriptor */
    bool allow_sharing; /* the enclave may serve other domains too */
    char publishers[TF_PUBLISHERS_MAX][2 * TF_SHA256_SIZE + 1]; /* may have signed */
    size_t publisher_count;
    uint8_t digests[TF_DIGESTS_MAX][TF_SHA256_SIZE]; /* lambdas accepted; count 0: any */
    size_t digest_count;
    uint64_t min_version; /* of the lambda; 0: any */

    struct tf_tcb_rule tcb[TF_TCB_RULES_MAX];
    size_t tcb_count;
    uint32_t min_evaluation;                           /* tcbEvaluationDataNumber */
    int64_t min_tcb_date;                              /* seconds since 1970; 0: any */
    struct tf_platform_id platforms[TF_PLATFORMS_MAX]; /* count 0: any */
    size_t platform_count;
    struct tf_snp_rule snp[TF_SNP_RULES_MAX];
    size_t snp_count;
    uint8_t max_vmpl; /* SEV-SNP privilege level: 0 is the highest */

    bool insecure_allow_debug;
    uint8_t insecure_roots[TF_INSECURE_ROOTS_MAX][TF_ROOT_SIZE]; /* SHA-256 of SPKI */
    size_t insecure_root_count;
    uint8_t sim_root[TF_SPKI_MAX]; /* Ed25519 SPKI of a simulator */
    size_t sim_root_size;          /* 0: no simulator is trusted */
};

/** Parses a policy file. @return TF_OK or TF_EPOLICY_FORMAT. Owns nothing afterwards. */
TF_MUST_USE tf_err tf_policy_parse(const char *text, size_t size, struct tf_policy *out);

/** The policy file's name of an AMD product, "Milan", "Genoa" or "Turin"; NULL for other
 *  roots. */
const char *tf_root_product(tf_root root);
