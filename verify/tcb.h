/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcb.h - Intel's TCB info (version 3) and enclave identities (version 2): which security
 * versions of platform, quoting enclave and TDX module stand where. Both are JSON that
 * Intel signs; check the signature (verify/collateral.h) before parsing. Fields that are
 * not known are passed over, because Intel adds some.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "verify/quote.h"

struct json_t; /* jansson's */

enum {
    TF_TCB_COMPONENTS = 16,
    TF_ADVISORIES_MAX = 64,
    TF_ADVISORY_SIZE = 24, /* "INTEL-SA-00615" and its NUL fit */
    TF_SIGNED_JSON_MAX = 64 << 10
};

/** The statuses, as bits: what is known to be wrong. More bits are worse. */
typedef enum tf_tcb_status {
    TF_TCB_UP_TO_DATE = 0,
    TF_TCB_SW_HARDENING = 1,
    TF_TCB_CONFIGURATION = 2,
    TF_TCB_CONFIGURATION_AND_SW = 3,
    TF_TCB_OUT_OF_DATE = 4,
    TF_TCB_OUT_OF_DATE_CONFIGURATION = 6,
    TF_TCB_REVOKED = 8
} tf_tcb_status;

/** Intel's name of a status, such as "SWHardeningNeeded". */
const char *tf_tcb_status_name(tf_tcb_status status);

/** The other way round. @return TF_OK or TF_EFORMAT. */
TF_MUST_USE tf_err tf_tcb_status_parse(const char *name, tf_tcb_status *out);

/** The status of a whole with these parts: Revoked dominates; then an OutOfDate part
 * makes the whole OutOfDate, and OutOfDateConfigurationNeeded if a part needs
 * configuration. */
tf_tcb_status tf_tcb_merge(tf_tcb_status a, tf_tcb_status b);

/** A set of advisories, in the order in which they were found. */
struct tf_advisories {
    char ids[TF_ADVISORIES_MAX][TF_ADVISORY_SIZE];
    size_t count;
};

/** Whether `id` is in the set. */
bool tf_advisories_have(const struct tf_advisories *set, const char *id);

/** One level that matched. */
struct tf_tcb_level {
    tf_tcb_status status;
    int64_t date; /* tcbDate */
};

/** What TCB info and enclave identity begin with. */
struct tf_signed_head {
    char id[8]; /* "SGX", "TDX"; "QE", "TD_QE" */
    unsigned version;
    int64_t issued;
    int64_t expires; /* nextUpdate */
    uint32_t evaluation;
};

/** TCB info. Owned: end with tf_tcb_info_wipe. */
struct tf_tcb_info {
    struct tf_signed_head head;
    uint8_t fmspc[6];
    uint8_t pce_id[2];
    struct json_t *document;
};

/** Parses TCB info whose signature was checked.
 *  @return TF_OK or TF_ECOLLATERAL_FORMAT. */
TF_MUST_USE tf_err tf_tcb_info_parse(const char *text, size_t size,
                                     struct tf_tcb_info *out);
void tf_tcb_info_wipe(struct tf_tcb_info *info);

/** What a platform runs. */
struct tf_tcb_state {
    const uint8_t *component_svn; /* of the PCK certificate; TF_TCB_COMPONENTS */
    uint16_t pce_svn;             /* the same */
    const struct tf_td_body *td;  /* NULL for SGX */
};

/**
 * The first level that the platform reaches in every SGX component and PCESVN, and for
 * TDX in every TDX component; of these the first two are left to the module's identity
 * when TEE_TCB_SVN[1] > 0.
 *
 * @param advisories  the level's are added.
 * @return TF_OK, TF_ETCB_LEVEL (none), or TF_ECOLLATERAL_FORMAT.
 */
TF_MUST_USE tf_err tf_tcb_match(const struct tf_tcb_info *info,
                                const struct tf_tcb_state *state,
                                struct tf_tcb_level *level,
                                struct tf_advisories *advisories);

/**
 * Compares the TDX module's signer and attributes with the TCB info, and when
 * TEE_TCB_SVN[1] > 0 finds its level among the identity "TDX_" and that number.
 *
 * @param has_level  whether there is one to merge.
 * @return TF_OK, TF_ETCB_MODULE, or TF_ECOLLATERAL_FORMAT.
 */
TF_MUST_USE tf_err tf_tcb_match_module(const struct tf_tcb_info *info,
                                       const struct tf_td_body *td, bool *has_level,
                                       struct tf_tcb_level *level,
                                       struct tf_advisories *advisories);

/** An enclave identity. Owned: end with tf_identity_wipe. */
struct tf_identity {
    struct tf_signed_head head;
    uint8_t miscselect[4]; /* as in the JSON: hex of the number, the highest byte first */
    uint8_t miscselect_mask[4];
    uint8_t attributes[16];
    uint8_t attributes_mask[16];
    uint8_t mrsigner[32];
    uint16_t product;
    struct json_t *document;
};

/** Parses an identity whose signature was checked.
 *  @return TF_OK or TF_ECOLLATERAL_FORMAT. */
TF_MUST_USE tf_err tf_identity_parse(const char *text, size_t size,
                                     struct tf_identity *out);
void tf_identity_wipe(struct tf_identity *identity);

/**
 * Whether the report of an enclave is of this identity, and at which level.
 *
 * @return TF_OK; TF_ETCB_QE: another enclave, DEBUG, or below every level;
 *         TF_ECOLLATERAL_FORMAT.
 */
TF_MUST_USE tf_err tf_identity_match(const struct tf_identity *identity,
                                     const uint8_t report[static TF_QE_REPORT_SIZE],
                                     struct tf_tcb_level *level,
                                     struct tf_advisories *advisories);
