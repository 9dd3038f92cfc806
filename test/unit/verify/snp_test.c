/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of a test authority like AMD's: each thing that can be wrong with one gives its
 * own reason. Genuine ones are in vectors_test.c. */
#include "verify/snp.h"

#include "test/test.h"
#include "test/unit/verify/snp_pki.h"

static struct snp_pki *keys;

/* Issues and judges. */
static tf_err issued(struct snp_pki *s, struct tf_appraisal *a)
{
    snp_pki_issue(s);
    tf_err err = snp_pki_judge(s, a);
    CHECK(err == a->result && !a->is_genuine);
    return err;
}

static void use_vlek(struct snp_pki *s)
{
    s->report[0x48] = 1 << 2;
    memset(s->report + 0x1a0, 0, 64);
    s->ask_name = "SEV-VLEK-Turin";
    s->vek_name = "SEV-VLEK";
    s->has_chip_id = false;
}

static void test_good(void)
{
    struct tf_appraisal a;
    struct snp_pki *s = snp_pki_open(keys);

    CHECK(issued(s, &a) == TF_OK && a.tee == TF_TEE_SNP && a.version == 5);
    CHECK(a.is_test_root && a.snp.product == TF_ROOT_AMD_TURIN && !a.snp.is_vlek);
    CHECK(a.snp.reported.fmc == 6 && a.snp.reported.microcode == 72);
    CHECK(a.expires == SNP_NOW + 30 * SNP_DAY);
    s->has_wrapped_id = true; /* as an OCTET STRING */
    CHECK(issued(s, &a) == TF_OK);
    s->report[0] = 3;
    CHECK(issued(s, &a) == TF_OK && a.version == 3);
    use_vlek(s);
    CHECK(issued(s, &a) == TF_OK && a.snp.is_vlek);
    /* A list of platforms cannot be met by a provider's key. */
    s->policy.platform_count = 1;
    s->policy.platforms[0].size = 64;
    CHECK(issued(s, &a) == TF_EPOLICY_PLATFORM);
    snp_pki_close(s);
}

/* --- one thing wrong ---------------------------------------------------------------- */

static void forget_root(struct snp_pki *s)
{
    s->policy.insecure_root_count = 0;
}
static void name_other_product(struct snp_pki *s)
{
    s->product = "Genoa";
}
static void lengthen_product(struct snp_pki *s)
{
    s->product = "Turing";
}
static void use_other_ark(struct snp_pki *s)
{
    s->ark_name = "ARK-Naples";
}
static void use_other_processor(struct snp_pki *s)
{
    s->report[0x188] = 0x19;
}
static void use_asvk(struct snp_pki *s)
{
    s->ask_name = "SEV-VLEK-Turin";
}
static void claim_vlek(struct snp_pki *s)
{
    s->report[0x48] = 1 << 2;
}
static void claim_no_key(struct snp_pki *s)
{
    s->report[0x48] = 7 << 2;
}
static void give_vlek_a_chip(struct snp_pki *s)
{
    use_vlek(s);
    s->has_chip_id = true;
}
static void use_other_chip(struct snp_pki *s)
{
    s->report[0x1a0] ^= 1;
}
static void lengthen_chip(struct snp_pki *s)
{
    s->report[0x1a8] = 1;
}
static void raise_tcb(struct snp_pki *s)
{
    s->report[0x187]++;
}
static void raise_fmc(struct snp_pki *s)
{
    s->report[0x180]++;
}
static void lower_committed(struct snp_pki *s)
{
    s->report[0x1e3]--;
}
static void want_newer(struct snp_pki *s)
{
    s->policy.snp[0].minimum.snp++;
}
static void want_other_product(struct snp_pki *s)
{
    s->policy.snp[0].product = TF_ROOT_AMD_MILAN;
}
static void revoke_ask(struct snp_pki *s)
{
    s->is_ask_revoked = true;
}
static void expire_crl(struct snp_pki *s)
{
    s->crl_end = SNP_NOW - 1;
}
static void expire_vek(struct snp_pki *s)
{
    s->vek_end = SNP_NOW - 1;
}
static void use_version(struct snp_pki *s)
{
    s->report[0] = 4;
}
static void use_algorithm(struct snp_pki *s)
{
    s->report[0x34] = 2;
}
static void debug(struct snp_pki *s)
{
    s->report[0x0a] |= 8;
}
static void migrate(struct snp_pki *s)
{
    s->report[0x0a] |= 4;
}
static void lower_privilege(struct snp_pki *s)
{
    s->report[0x30] = 1;
}
static void use_other_guest(struct snp_pki *s)
{
    s->report[0x90] ^= 1;
}

static void test_each_fault_has_its_reason(void)
{
    static const struct {
        void (*change)(struct snp_pki *);
        tf_err expected;
    } rows[] = {
        {forget_root, TF_ECHAIN_ROOT},
        {name_other_product, TF_ESNP_PRODUCT},
        {lengthen_product, TF_ESNP_PRODUCT},
        {use_other_ark, TF_ESNP_PRODUCT},
        {use_other_processor, TF_ESNP_PRODUCT},
        {use_asvk, TF_ESNP_KEY},
        {claim_vlek, TF_ESNP_KEY},
        {give_vlek_a_chip, TF_ESNP_KEY},
        {claim_no_key, TF_EQUOTE_KIND},
        {use_other_chip, TF_ESNP_CHIP},
        {lengthen_chip, TF_ESNP_CHIP},
        {raise_tcb, TF_ESNP_TCB},
        {raise_fmc, TF_ESNP_TCB},
        {lower_committed, TF_ESNP_OLD},
        {want_newer, TF_ESNP_OLD},
        {want_other_product, TF_ESNP_OLD},
        {revoke_ask, TF_ECHAIN_REVOKED},
        {expire_crl, TF_ECOLLATERAL_EXPIRED},
        {expire_vek, TF_ECHAIN_VALIDITY},
        {use_version, TF_EQUOTE_KIND},
        {use_algorithm, TF_EQUOTE_KIND},
        {debug, TF_EEVIDENCE_DEBUG},
        {migrate, TF_ESNP_GUEST},
        {lower_privilege, TF_ESNP_GUEST},
        {use_other_guest, TF_EPOLICY_MEASUREMENT},
    };
    struct tf_appraisal a;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct snp_pki *s = snp_pki_open(keys);
        rows[i].change(s);
        tf_err err = issued(s, &a);
        if (!CHECK(err == rows[i].expected)) {
            (void)fprintf(stderr, "  row %zu: %s\n", i, tf_err_name(err));
        }
        snp_pki_close(s);
    }
}

/* The part behind the signed one. */
static void test_signature_area(void)
{
    struct tf_appraisal a;
    struct snp_pki *s = snp_pki_open(keys);

    CHECK(issued(s, &a) == TF_OK);
    s->report[TF_SNP_SIGNED_SIZE] ^= 1;
    CHECK(snp_pki_judge(s, &a) == TF_ESNP_SIGNATURE);
    s->report[TF_SNP_SIGNED_SIZE] ^= 1;
    s->report[TF_SNP_SIGNED_SIZE + 71] = 1;
    CHECK(snp_pki_judge(s, &a) == TF_ESNP_FORMAT);
    s->report[TF_SNP_SIGNED_SIZE + 71] = 0;
    s->report[TF_SNP_REPORT_SIZE - 1] = 1;
    CHECK(snp_pki_judge(s, &a) == TF_ESNP_FORMAT);
    s->report[TF_SNP_REPORT_SIZE - 1] = 0;
    CHECK(snp_pki_judge(s, &a) == TF_OK);
    snp_pki_close(s);
}

int main(void)
{
    keys = snp_pki_open(NULL);
    RUN(test_good);
    RUN(test_each_fault_has_its_reason);
    RUN(test_signature_area);
    snp_pki_close(keys);
    return test_end();
}
