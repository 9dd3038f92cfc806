/* SPDX-License-Identifier: Apache-2.0 */
/* A test certificate authority: each thing that can be wrong with a quote, its platform
 * or its collateral gives its own reason. Genuine evidence is in vectors_test.c. */
#include "verify/dcap.h"

#include "test/test.h"
#include "test/unit/verify/pki.h"

/* Issues after `change` and judges under the scene's policy. */
static tf_err changed(unsigned version, bool is_tdx, void (*change)(struct pki *),
                      struct tf_appraisal *a)
{
    struct pki *p = pki_open(version, is_tdx);

    if (change != NULL) {
        change(p);
    }
    pki_issue(p);
    tf_err err = pki_judge(p, &p->policy, a);
    CHECK(err == a->result && (err == TF_OK) == (a->reason_count == 0));
    CHECK(!a->is_genuine); /* whatever the policy names, nobody vouches for a test root */
    pki_close(p);
    return err;
}

static void use_td15(struct pki *p)
{
    p->has_td15 = true;
}

static void test_all_kinds_are_good(void)
{
    struct tf_appraisal a;

    CHECK(changed(3, false, NULL, &a) == TF_OK && a.is_test_root && a.version == 3);
    CHECK(a.tee == TF_TEE_SGX && a.has_tcb && a.tcb.status == TF_TCB_UP_TO_DATE);
    CHECK(a.pck.pce_svn == 11 && a.pck.component_svn[15] == 5);
    CHECK(a.pck.fmspc[0] == 0xf5 && a.pck.ppid[15] == 0x99 && !a.pck.has_instance);
    CHECK(a.expires == PKI_NOW + 10 * PKI_DAY && a.tcb.evaluation == 18);
    CHECK(changed(4, false, NULL, &a) == TF_OK && a.version == 4);
    CHECK(changed(5, false, NULL, &a) == TF_OK && a.version == 5);
    CHECK(changed(4, true, NULL, &a) == TF_OK && a.tee == TF_TEE_TDX);
    CHECK(a.tcb.has_module && a.tcb.advisories.count == 1 && !a.td.has_td15);
    CHECK(changed(5, true, NULL, &a) == TF_OK && !a.td.has_td15);
    CHECK(changed(5, true, use_td15, &a) == TF_OK && a.td.has_td15);
}

/* --- who signs ---------------------------------------------------------------------- */

static void forget_root(struct pki *p)
{
    p->policy.insecure_root_count = 0;
}
static void expire_pck(struct pki *p)
{
    p->pck.end = PKI_NOW - 1;
}
static void postdate_ca(struct pki *p)
{
    p->ca.start = PKI_NOW + 1;
}
static void expire_root(struct pki *p)
{
    p->root.end = PKI_NOW - 1;
}
static void expire_tcb_signer(struct pki *p)
{
    p->tcb.end = PKI_NOW - 1;
}
static void rename_ca(struct pki *p)
{
    p->ca.name = "Intel SGX PCK Other CA";
}
static void rename_pck(struct pki *p)
{
    p->pck.name = "Intel SGX TCB Signing";
}
static void rename_tcb_signer(struct pki *p)
{
    p->tcb.name = "Intel SGX PCK Certificate";
}
static void revoke_pck(struct pki *p)
{
    p->pck.is_revoked = true;
}
static void revoke_ca(struct pki *p)
{
    p->ca.is_revoked = true;
}
static void revoke_tcb_signer(struct pki *p)
{
    p->tcb.is_revoked = true;
}
static void expire_root_crl(struct pki *p)
{
    p->root_crl_end = PKI_NOW - 1;
}
static void expire_pck_crl(struct pki *p)
{
    p->pck_crl_end = PKI_NOW - 1;
}
static void use_foreign_crl(struct pki *p)
{
    p->has_foreign_crl = true;
}

/* --- collateral --------------------------------------------------------------------- */

static void name_other_tee(struct pki *p)
{
    p->info_id = p->is_tdx ? "SGX" : "TDX";
}
static void use_old_info(struct pki *p)
{
    p->info_version = 2;
}
static void name_other_qe(struct pki *p)
{
    p->identity_id = "QVE";
}
static void use_old_identity(struct pki *p)
{
    p->identity_version = 1;
}
static void expire_info(struct pki *p)
{
    p->info_end = PKI_NOW - 1;
}
static void postdate_info(struct pki *p)
{
    p->info_start = PKI_NOW + 1;
}
static void expire_identity(struct pki *p)
{
    p->identity_end = PKI_NOW - 1;
}
static void use_other_fmspc(struct pki *p)
{
    p->info_fmspc[5] ^= 1;
}
static void want_newer_evaluation(struct pki *p)
{
    p->policy.min_evaluation = 19;
}
static void break_status(struct pki *p)
{
    p->level_status = "Splendid";
}

/* --- quoting enclave and levels ----------------------------------------------------- */

static void use_other_qe(struct pki *p)
{
    p->qe.mrsigner[31] ^= 1;
}
static void use_other_qe_product(struct pki *p)
{
    p->qe.isv_prod_id = 2;
}
static void debug_qe(struct pki *p)
{
    p->qe.attributes.flags |= SGX_FLAGS_DEBUG;
}
static void use_qe_miscselect(struct pki *p)
{
    p->qe.miscselect = 1;
}
static void use_low_qe(struct pki *p)
{
    p->qe.isv_svn = 7;
}
static void revoke_qe(struct pki *p)
{
    p->qe_status = "Revoked";
}
static void age_qe(struct pki *p)
{
    p->qe_status = "OutOfDate";
}
static void revoke_level(struct pki *p)
{
    p->level_status = "Revoked";
}
static void lower_component(struct pki *p)
{
    p->components[15] = 4; /* reaches the second level, OutOfDate */
}
static void lower_pce(struct pki *p)
{
    p->pce_svn = 4;
}
static void raise_module(struct pki *p)
{
    p->module_svn = 4;
}
static void use_unknown_module(struct pki *p)
{
    p->td[1] = 2;
}
static void use_module_signer(struct pki *p)
{
    p->td[64] = 1;
}
static void use_module_attributes(struct pki *p)
{
    p->td[112] = 1;
}
static void age_module(struct pki *p)
{
    p->module_status = "OutOfDate";
}

/* --- enclave and guest -------------------------------------------------------------- */

static void debug_enclave(struct pki *p)
{
    p->sgx.attributes.flags |= SGX_FLAGS_DEBUG;
}
static void use_sample_signer(struct pki *p)
{
    static const char hex[] =
        "83d719e77deaca1470f6baf62a4d774303c899db69020f9c70ee1dfc08c7ce9e";
    (void)!tf_hex_parse(hex, 64, p->sgx.mrsigner, 32);
}
static void use_other_enclave(struct pki *p)
{
    p->sgx.mrenclave[0] ^= 1;
}
static void want_other_signer(struct pki *p)
{
    p->policy.has_signer = true;
}
static void want_newer_enclave(struct pki *p)
{
    p->policy.has_signer = true;
    memset(p->policy.signer, 0x51, 32);
    p->policy.min_svn = 1;
}
static void want_attributes(struct pki *p)
{
    p->policy.has_attributes = true;
}
static void want_miscselect(struct pki *p)
{
    p->policy.has_miscselect = true;
    p->policy.miscselect = 1;
}
static void want_platform(struct pki *p)
{
    p->policy.platform_count = 1;
    p->policy.platforms[0].size = 16;
}
static void want_newer_level(struct pki *p)
{
    p->policy.min_tcb_date = PKI_NOW;
}
static void debug_td(struct pki *p)
{
    p->td[120] = 1;
}
static void profile_td(struct pki *p)
{
    p->td[120] = 0x40; /* another bit of the debug byte */
}
static void clear_sept(struct pki *p)
{
    p->td[123] = 0;
}
static void bind_service_td(struct pki *p)
{
    p->has_td15 = true;
    p->td[600] = 1;
}
static void use_other_td(struct pki *p)
{
    p->td[136] ^= 1;
}

struct row {
    void (*change)(struct pki *);
    tf_err expected;
};

static const struct row SGX_ROWS[] = {
    {forget_root, TF_ECHAIN_ROOT},
    {expire_pck, TF_ECHAIN_VALIDITY},
    {postdate_ca, TF_ECHAIN_VALIDITY},
    {expire_root, TF_ECHAIN_VALIDITY},
    {expire_tcb_signer, TF_ECHAIN_VALIDITY},
    {rename_ca, TF_ECHAIN_LINK},
    {rename_pck, TF_ECHAIN_LINK},
    {rename_tcb_signer, TF_ECHAIN_LINK},
    {revoke_pck, TF_ECHAIN_REVOKED},
    {revoke_ca, TF_ECHAIN_REVOKED},
    {revoke_tcb_signer, TF_ECHAIN_REVOKED},
    {expire_root_crl, TF_ECOLLATERAL_EXPIRED},
    {expire_pck_crl, TF_ECOLLATERAL_EXPIRED},
    {use_foreign_crl, TF_ECOLLATERAL_CRL},
    {name_other_tee, TF_ECOLLATERAL_KIND},
    {use_old_info, TF_ECOLLATERAL_KIND},
    {name_other_qe, TF_ECOLLATERAL_KIND},
    {use_old_identity, TF_ECOLLATERAL_KIND},
    {expire_info, TF_ECOLLATERAL_EXPIRED},
    {postdate_info, TF_ECOLLATERAL_EXPIRED},
    {expire_identity, TF_ECOLLATERAL_EXPIRED},
    {use_other_fmspc, TF_ECOLLATERAL_PLATFORM},
    {want_newer_evaluation, TF_ECOLLATERAL_OLD},
    {break_status, TF_ECOLLATERAL_FORMAT},
    {use_other_qe, TF_ETCB_QE},
    {use_other_qe_product, TF_ETCB_QE},
    {debug_qe, TF_ETCB_QE},
    {use_qe_miscselect, TF_ETCB_QE},
    {use_low_qe, TF_ETCB_QE},
    {revoke_qe, TF_ETCB_REVOKED},
    {age_qe, TF_ETCB_STATUS},
    {revoke_level, TF_ETCB_REVOKED},
    {lower_component, TF_ETCB_STATUS},
    {lower_pce, TF_ETCB_LEVEL},
    {debug_enclave, TF_EEVIDENCE_DEBUG},
    {use_sample_signer, TF_EPOLICY_DENIED},
    {use_other_enclave, TF_EPOLICY_MEASUREMENT},
    {want_other_signer, TF_EPOLICY_SIGNER},
    {want_newer_enclave, TF_EPOLICY_VERSION},
    {want_attributes, TF_EPOLICY_ATTRIBUTES},
    {want_miscselect, TF_EPOLICY_ATTRIBUTES},
    {want_platform, TF_EPOLICY_PLATFORM},
    {want_newer_level, TF_ETCB_DATE},
};
static const struct row TDX_ROWS[] = {
    {name_other_tee, TF_ECOLLATERAL_KIND},   {raise_module, TF_ETCB_MODULE},
    {use_unknown_module, TF_ETCB_MODULE},    {use_module_signer, TF_ETCB_MODULE},
    {use_module_attributes, TF_ETCB_MODULE}, {age_module, TF_ETCB_STATUS},
    {debug_td, TF_EEVIDENCE_DEBUG},          {profile_td, TF_EEVIDENCE_DEBUG},
    {clear_sept, TF_EPOLICY_ATTRIBUTES},     {bind_service_td, TF_EPOLICY_ATTRIBUTES},
    {use_other_td, TF_EPOLICY_MEASUREMENT},
};

static void check_rows(const struct row *rows, size_t count, unsigned version,
                       bool is_tdx)
{
    struct tf_appraisal a;

    for (size_t i = 0; i < count; i++) {
        tf_err err = changed(version, is_tdx, rows[i].change, &a);
        if (!CHECK(err == rows[i].expected)) {
            (void)fprintf(stderr, "  row %zu: %s, not %s\n", i, tf_err_name(err),
                          tf_err_name(rows[i].expected));
        }
    }
}

static void test_each_fault_has_its_reason(void)
{
    check_rows(SGX_ROWS, sizeof(SGX_ROWS) / sizeof(SGX_ROWS[0]), 3, false);
    check_rows(TDX_ROWS, sizeof(TDX_ROWS) / sizeof(TDX_ROWS[0]), 5, true);
}

/* The same quote, platform and collateral, other policies. */
static void test_policy_of_statuses(void)
{
    struct pki *p = pki_open(3, false);
    struct tf_appraisal a;
    struct tf_tcb_rule *rule = &p->policy.tcb[0];

    p->level_status = "SWHardeningNeeded";
    p->level_advisories = "[\"INTEL-SA-00001\",\"INTEL-SA-00002\"]";
    pki_issue(p);
    CHECK(pki_judge(p, NULL, &a) == TF_ECHAIN_ROOT); /* no policy names the test root */
    CHECK(pki_judge(p, &p->policy, &a) == TF_ETCB_STATUS);
    CHECK(a.tcb.advisories.count == 2);
    p->policy.tcb_count = 1;
    rule->status = TF_TCB_CONFIGURATION;
    CHECK(pki_judge(p, &p->policy, &a) == TF_ETCB_STATUS);
    rule->status = TF_TCB_SW_HARDENING;
    rule->has_advisories = true;
    rule->advisories.count = 1;
    (void)strcpy(rule->advisories.ids[0], "INTEL-SA-00002");
    CHECK(pki_judge(p, &p->policy, &a) == TF_ETCB_ADVISORY);
    rule->advisories.count = 2;
    (void)strcpy(rule->advisories.ids[1], "INTEL-SA-00001");
    CHECK(pki_judge(p, &p->policy, &a) == TF_OK);
    rule->has_until = true;
    rule->until = PKI_NOW;
    CHECK(pki_judge(p, &p->policy, &a) == TF_OK);
    rule->until = PKI_NOW - 1;
    CHECK(pki_judge(p, &p->policy, &a) == TF_ETCB_GRACE);
    /* A second rule for the same status may be wider. */
    p->policy.tcb_count = 2;
    p->policy.tcb[1].status = TF_TCB_SW_HARDENING;
    CHECK(pki_judge(p, &p->policy, &a) == TF_OK);
    pki_close(p);
}

/* Each register that the policy names, among its values; others may be anything. */
static void test_registers_of_a_guest(void)
{
    struct pki *p = pki_open(5, true);
    struct tf_appraisal a;

    pki_issue(p);
    CHECK(pki_judge(p, &p->policy, &a) == TF_OK);
    for (size_t i = 0; i < TF_RTMRS; i++) {
        p->policy.rtmr_counts[i] = 2;
        CHECK(pki_judge(p, &p->policy, &a) == TF_EPOLICY_RTMR);
        memset(p->policy.rtmrs[i][1], (int)(0xa0 + i), 48);
        CHECK(pki_judge(p, &p->policy, &a) == TF_OK);
        p->policy.rtmrs[i][1][47] ^= 1;
        CHECK(pki_judge(p, &p->policy, &a) == TF_EPOLICY_RTMR);
        p->policy.rtmrs[i][1][47] ^= 1;
    }
    pki_close(p);
    /* An enclave has none. */
    p = pki_open(3, false);
    p->policy.rtmr_counts[0] = 1;
    pki_issue(p);
    CHECK(pki_judge(p, &p->policy, &a) == TF_OK);
    pki_close(p);
}

static void test_platform_ids(void)
{
    struct pki *p = pki_open(3, false);
    struct tf_appraisal a;

    p->has_instance = true;
    p->policy.platform_count = 1;
    p->policy.platforms[0].size = 16;
    memset(p->policy.platforms[0].bytes, 0x99, 16); /* the PPID */
    pki_issue(p);
    CHECK(pki_judge(p, &p->policy, &a) == TF_OK && a.pck.has_instance);
    memcpy(p->policy.platforms[0].bytes, a.pck.instance_id, 16);
    CHECK(pki_judge(p, &p->policy, &a) == TF_OK);
    p->policy.platforms[0].bytes[0] ^= 1;
    CHECK(pki_judge(p, &p->policy, &a) == TF_EPOLICY_PLATFORM);
    pki_close(p);
}

/* Issues, then changes bytes that were signed. */
static void test_parts_of_two_quotes(void)
{
    struct pki *p = pki_open(3, false);
    struct pki *other = pki_open(3, false);
    struct tf_appraisal a;

    pki_issue(p);
    pki_issue(other);
    struct tf_collateral own = p->collateral;
    p->collateral = other->collateral;
    CHECK(pki_judge(p, &p->policy, &a) == TF_ECOLLATERAL_CRL);
    /* The other CA's root is trusted too: still it may not speak for this platform. */
    memcpy(p->policy.insecure_roots[1], other->policy.insecure_roots[0], TF_ROOT_SIZE);
    p->policy.insecure_root_count = 2;
    p->collateral.pck_crl_chain = own.pck_crl_chain;
    p->collateral.root_crl = own.root_crl;
    p->collateral.pck_crl = own.pck_crl;
    CHECK(pki_judge(p, &p->policy, &a) == TF_ECHAIN_ROOT);
    p->collateral = own;
    p->quote[48 + 64] ^= 1;
    CHECK(pki_judge(p, &p->policy, &a) == TF_EQUOTE_SIGNATURE);
    p->quote[48 + 64] ^= 1;
    p->quote[436 + 128 + 100] ^= 1;
    CHECK(pki_judge(p, &p->policy, &a) == TF_EQUOTE_QE);
    p->quote[436 + 128 + 100] ^= 1;
    /* Another attestation key that signs as well is not the one that the QE certified. */
    EVP_PKEY *key = p->attestation;
    p->attestation = other->attestation;
    uint8_t signature[64];
    pki_sign(p->attestation, p->quote, 432, signature);
    memcpy(p->quote + 436, signature, 64);
    memcpy(p->quote + 500, other->quote + 500, 64);
    CHECK(pki_judge(p, &p->policy, &a) == TF_EQUOTE_QE);
    p->attestation = key;
    pki_close(other);
    pki_close(p);
}

/* REPORTDATA[32..64) of the QE must be zero even when the PCK signs it. */
static void test_qe_report_data_tail(void)
{
    struct pki *p = pki_open(4, false);
    struct tf_appraisal a;

    p->qe.report_data[63] = 1;
    pki_issue(p);
    CHECK(pki_judge(p, &p->policy, &a) == TF_EQUOTE_QE);
    pki_close(p);
}

int main(void)
{
    RUN(test_all_kinds_are_good);
    RUN(test_each_fault_has_its_reason);
    RUN(test_policy_of_statuses);
    RUN(test_registers_of_a_guest);
    RUN(test_platform_ids);
    RUN(test_parts_of_two_quotes);
    RUN(test_qe_report_data_tail);
    return test_end();
}
