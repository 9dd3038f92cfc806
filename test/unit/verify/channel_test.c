/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of CPU vendors as it comes over the channel, made by test authorities: each
 * thing that can be wrong with what is judged, bound or run has its own reason. What can
 * be wrong with quotes and reports by themselves is in dcap_test.c and snp_test.c. */
#include "verify/verify.h"

#include "test/test.h"
#include "test/unit/verify/pki.h"
#include "test/unit/verify/scene.h"
#include "test/unit/verify/snp_pki.h"

enum {
    TD_MRCONFIGID = 184,
    TD_REPORTDATA = 520,
    SNP_REPORTDATA = 0x50,
    SNP_HOST_DATA = 0xc0
};

/* A connection to an enclave or trust domain on a platform of the test authority. */
struct channel {
    struct scene *scene;
    struct pki *pki;
};

/* Binds the claims, has the quote signed, and wraps it. */
static void refresh(struct channel *c)
{
    struct scene *s = c->scene;
    struct tf_json_writer w;

    scene_claim(s);
    c->pki->sgx = s->report;
    memcpy(c->pki->td + TD_REPORTDATA, s->report.report_data, 64);
    pki_issue(c->pki);
    tf_json_writer_init(&w, s->evidence, sizeof(s->evidence));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "type", "tfaas-dcap-quote.v1");
    tf_json_put_base64(&w, "quote", c->pki->quote, c->pki->quote_size);
    tf_json_close_object(&w);
    if (tf_json_take(&w, &s->input.evidence_size) != TF_OK) {
        abort();
    }
}

static struct channel channel_open(unsigned version, bool is_tdx)
{
    struct channel c = {.scene = scene_open(), .pki = pki_open(version, is_tdx)};
    struct tf_policy *policy = &c.scene->policy;

    policy->sim_root_size = 0;
    policy->insecure_root_count = 1;
    memcpy(policy->insecure_roots, c.pki->policy.insecure_roots, TF_ROOT_SIZE);
    policy->guest_count = 1;
    memcpy(policy->guests, c.pki->policy.guests, 48);
    memset(c.pki->td + TD_MRCONFIGID, 0xd0, 32);
    c.scene->input.insecure_allow_simulated = false;
    c.scene->input.time = PKI_NOW;
    c.scene->input.collateral = &c.pki->collateral;
    refresh(&c);
    return c;
}

static void channel_close(struct channel *c)
{
    scene_close(c->scene);
    pki_close(c->pki);
}

/* Judges; the verdict must have exactly the one reason, or none for TF_OK. */
static bool scene_has_only(const struct scene *s, tf_err reason)
{
    struct tf_verdict v;
    tf_err result = tf_verify(&s->input, &v);

    if (result != reason || v.reason_count != (reason == TF_OK ? 0 : 1)) {
        (void)fprintf(stderr, "  %s and %zu reason(s), not %s\n", tf_err_name(result),
                      v.reason_count, tf_err_name(reason));
        return false;
    }
    return v.result == reason;
}

static bool has_only(const struct channel *c, tf_err reason)
{
    return scene_has_only(c->scene, reason);
}

static void test_good_quotes(void)
{
    struct tf_verdict v;

    for (unsigned version = 3; version <= 5; version++) {
        for (unsigned tdx = 0; tdx < (version == 3 ? 1 : 2); tdx++) {
            struct channel c = channel_open(version, tdx != 0);
            CHECK(has_only(&c, TF_OK));
            CHECK(tf_verify(&c.scene->input, &v) == TF_OK && v.has_lambda);
            CHECK(v.appraisal.is_test_root && !v.appraisal.is_simulated);
            CHECK(v.appraisal.has_tcb && v.appraisal.pck.fmspc[0] == 0xf5);
            CHECK(v.appraisal.is_platform_ca);
            CHECK(v.appraisal.tcb.issued == PKI_NOW - PKI_DAY);
            CHECK(v.appraisal.tcb.next_update == PKI_NOW + 10 * PKI_DAY);
            CHECK(tf_appraisal_measurement(&v.appraisal).size == (tdx ? 48 : 32));
            channel_close(&c);
        }
    }
}

/* Good evidence of another moment, connection or instance, or with other claims. */
static void check_binding(struct scene *s)
{
    struct tf_verify_input *in = &s->input;

    in->nonce[0] ^= 1;
    CHECK(scene_has_only(s, TF_EEVIDENCE_NONCE));
    in->nonce[0] ^= 1;
    in->exporter[31] ^= 1;
    CHECK(scene_has_only(s, TF_EEVIDENCE_CHANNEL));
    in->exporter[31] ^= 1;
    in->spki[31] ^= 1;
    CHECK(scene_has_only(s, TF_EEVIDENCE_KEY));
    in->spki[31] ^= 1;
    s->claims[in->claims_size++] = ' ';
    CHECK(scene_has_only(s, TF_EEVIDENCE_BINDING));
    in->claims_size--;
    CHECK(scene_has_only(s, TF_OK));
}

static void check_lambda(struct scene *s)
{
    struct tf_policy *policy = &s->policy;

    policy->publisher_count = 1;
    CHECK(scene_has_only(s, TF_EPOLICY_LAMBDA));
    policy->publisher_count = 2;
    policy->digest_count = 1;
    CHECK(scene_has_only(s, TF_EPOLICY_DIGEST));
    policy->digest_count = 0;
    policy->min_version = 8;
    CHECK(scene_has_only(s, TF_EPOLICY_DIGEST));
    policy->min_version = 0;
    policy->domain[31] ^= 1;
    CHECK(scene_has_only(s, TF_EPOLICY_DOMAIN));
    policy->domain[31] ^= 1;
    CHECK(scene_has_only(s, TF_OK));
}

static void check_collateral(struct channel *c)
{
    struct tf_verify_input *in = &c->scene->input;
    struct tf_verdict v;

    in->collateral = NULL;
    CHECK(has_only(c, TF_ECOLLATERAL_FETCH));
    CHECK(tf_verify(in, &v) != TF_OK && v.appraisal.has_pck && v.has_lambda);
    in->collateral = &c->pki->collateral;
    in->time = PKI_NOW + 11 * PKI_DAY;
    CHECK(has_only(c, TF_ECOLLATERAL_EXPIRED));
    in->time = PKI_NOW;
    c->scene->policy.insecure_root_count = 0;
    CHECK(has_only(c, TF_ECHAIN_ROOT));
    c->scene->policy.insecure_root_count = 1;
    CHECK(has_only(c, TF_OK));
}

static void check_tcb(struct channel *c)
{
    struct tf_policy *policy = &c->scene->policy;

    c->pki->level_status = "OutOfDate";
    refresh(c);
    CHECK(has_only(c, TF_ETCB_STATUS));
    policy->tcb_count = 1;
    policy->tcb[0] = (struct tf_tcb_rule){
        .status = TF_TCB_OUT_OF_DATE, .has_until = true, .until = PKI_NOW - 1};
    CHECK(has_only(c, TF_ETCB_GRACE));
    policy->tcb[0].until = PKI_NOW;
    CHECK(has_only(c, TF_OK));
    policy->platform_count = 1;
    policy->platforms[0].size = 16;
    CHECK(has_only(c, TF_EPOLICY_PLATFORM));
    policy->platform_count = 0;
    policy->tcb_count = 0;
    c->pki->level_status = "UpToDate";
    refresh(c);
    CHECK(has_only(c, TF_OK));
}

static void test_sgx(void)
{
    struct channel c = channel_open(3, false);
    struct sgx_report *report = &c.scene->report;

    check_binding(c.scene);
    check_lambda(c.scene);
    check_collateral(&c);
    check_tcb(&c);
    report->mrenclave[0] ^= 1;
    refresh(&c);
    CHECK(has_only(&c, TF_EPOLICY_MEASUREMENT));
    report->mrenclave[0] ^= 1;
    report->mrsigner[0] ^= 1;
    refresh(&c);
    CHECK(has_only(&c, TF_EPOLICY_SIGNER));
    report->mrsigner[0] ^= 1;
    report->isv_svn--;
    refresh(&c);
    CHECK(has_only(&c, TF_EPOLICY_VERSION));
    report->isv_svn++;
    report->attributes.flags |= SGX_FLAGS_DEBUG;
    refresh(&c);
    CHECK(has_only(&c, TF_EEVIDENCE_DEBUG));
    report->attributes.flags &= ~(uint64_t)SGX_FLAGS_DEBUG;
    report->config_id[63] = 1; /* behind the domain's hash there are zeros */
    refresh(&c);
    CHECK(has_only(&c, TF_EPOLICY_DOMAIN));
    channel_close(&c);
}

static void test_tdx(void)
{
    struct channel c = channel_open(5, true);

    check_binding(c.scene);
    check_lambda(c.scene);
    check_collateral(&c);
    check_tcb(&c);
    c.pki->td[136] ^= 1;
    refresh(&c);
    CHECK(has_only(&c, TF_EPOLICY_MEASUREMENT));
    c.pki->td[136] ^= 1;
    c.pki->td[120] = 1;
    refresh(&c);
    CHECK(has_only(&c, TF_EEVIDENCE_DEBUG));
    c.pki->td[120] = 0;
    c.pki->td[TD_MRCONFIGID] ^= 1;
    refresh(&c);
    CHECK(has_only(&c, TF_EPOLICY_DOMAIN));
    c.pki->td[TD_MRCONFIGID] ^= 1;
    c.pki->td[TD_MRCONFIGID + 47] = 1;
    refresh(&c);
    CHECK(has_only(&c, TF_EPOLICY_DOMAIN));
    channel_close(&c);
}

/* --- SEV-SNP ------------------------------------------------------------------------ */

/* Binds the claims, has the report signed, and wraps it with these certificates. */
static void refresh_snp(struct scene *s, struct snp_pki *pki, const char *certificates)
{
    struct tf_json_writer w;

    scene_claim(s);
    memcpy(pki->report + SNP_REPORTDATA, s->report.report_data, 64);
    snp_pki_issue(pki);
    tf_json_writer_init(&w, s->evidence, sizeof(s->evidence));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "type", "tfaas-sev-snp-report.v1");
    tf_json_put_base64(&w, "report", pki->report, sizeof(pki->report));
    tf_json_put_string(&w, "certificates", certificates);
    tf_json_close_object(&w);
    if (tf_json_take(&w, &s->input.evidence_size) != TF_OK) {
        abort();
    }
}

static void fill_snp_policy(struct scene *s, const struct snp_pki *pki)
{
    s->policy.sim_root_size = 0;
    s->policy.insecure_root_count = 1;
    memcpy(s->policy.insecure_roots, pki->policy.insecure_roots, TF_ROOT_SIZE);
    s->policy.guest_count = 1;
    memcpy(s->policy.guests, pki->policy.guests, 48);
    s->policy.snp_count = 1;
    s->policy.snp[0] = pki->policy.snp[0];
    s->input.insecure_allow_simulated = false;
    s->input.time = SNP_NOW;
}

/* Certificates come with the evidence, or from elsewhere; the list always from elsewhere.
 */
static void check_snp_certificates(struct scene *s, struct snp_pki *pki, const char *pem)
{
    struct tf_verify_input *in = &s->input;

    refresh_snp(s, pki, "");
    CHECK(scene_has_only(s, TF_ECOLLATERAL_FETCH));
    in->snp_certificates = (struct tf_bytes){(const uint8_t *)pem, strlen(pem)};
    CHECK(scene_has_only(s, TF_OK));
    in->snp_certificates.size--; /* no longer three */
    CHECK(scene_has_only(s, TF_ECHAIN_FORMAT));
    in->snp_certificates.size = 0;
    refresh_snp(s, pki, "-----BEGIN CERTIFICATE-----\n");
    CHECK(scene_has_only(s, TF_ECHAIN_FORMAT));
    pki->is_ask_revoked = true;
    refresh_snp(s, pki, pem);
    CHECK(scene_has_only(s, TF_OK)); /* nobody said so */
    in->snp_crl = snp_pki_part(pki, 3);
    CHECK(scene_has_only(s, TF_ECHAIN_REVOKED));
    in->snp_crl.size = 0;
}

static void test_snp(void)
{
    static char pem[TF_EVIDENCE_MAX];
    struct scene *s = scene_open();
    struct snp_pki *pki = snp_pki_open(NULL);
    struct tf_verdict v;

    memset(pki->report + SNP_HOST_DATA, 0xd0, 32);
    fill_snp_policy(s, pki);
    snp_pki_issue(pki);
    snp_pki_pem(pki, 0, 3, pem, sizeof(pem));
    refresh_snp(s, pki, pem);
    CHECK(scene_has_only(s, TF_OK));
    CHECK(tf_verify(&s->input, &v) == TF_OK && v.appraisal.tee == TF_TEE_SNP);
    CHECK(tf_appraisal_measurement(&v.appraisal).size == 48 && v.has_lambda);
    check_binding(s);
    check_lambda(s);
    pki->report[0x90] ^= 1;
    refresh_snp(s, pki, pem);
    CHECK(scene_has_only(s, TF_EPOLICY_MEASUREMENT));
    pki->report[0x90] ^= 1;
    pki->report[SNP_HOST_DATA + 31] ^= 1;
    refresh_snp(s, pki, pem);
    CHECK(scene_has_only(s, TF_EPOLICY_DOMAIN));
    pki->report[SNP_HOST_DATA + 31] ^= 1;
    check_snp_certificates(s, pki, pem);
    snp_pki_close(pki);
    scene_close(s);
}

/* A policy for simulators does not make quotes simulated, nor the other way round. */
static void test_simulation_is_not_hardware(void)
{
    struct channel c = channel_open(3, false);
    struct scene *s = c.scene;
    struct tf_verdict v;

    scene_refresh(s); /* simulated evidence for the policy of a test authority */
    CHECK(tf_verify(&s->input, &v) == TF_EEVIDENCE_SIMULATED && v.reason_count == 2);
    CHECK(v.reasons[1] == TF_EEVIDENCE_ROOT && v.appraisal.is_simulated);
    channel_close(&c);
}

/* Everything that is wrong is said, also behind a chain that is no good. */
static void test_order_of_reasons(void)
{
    static const tf_err order[] = {
        TF_ECHAIN_ROOT,    TF_EEVIDENCE_NONCE, TF_EEVIDENCE_CHANNEL, TF_EEVIDENCE_KEY,
        TF_EPOLICY_DOMAIN, TF_EPOLICY_LAMBDA,  TF_EPOLICY_DIGEST};
    struct channel c = channel_open(4, false);
    struct scene *s = c.scene;
    struct tf_verdict v;

    s->policy.insecure_root_count = 0;
    s->input.nonce[0] ^= 1;
    s->input.exporter[0] ^= 1;
    s->input.spki[0] ^= 1;
    s->policy.domain[0] ^= 1;
    s->policy.publisher_count = 1;
    s->policy.min_version = 8;
    CHECK(tf_verify(&s->input, &v) == order[0]);
    CHECK(v.reason_count == sizeof(order) / sizeof(order[0]) &&
          memcmp(v.reasons, order, sizeof(order)) == 0);
    channel_close(&c);
}

int main(void)
{
    RUN(test_good_quotes);
    RUN(test_sgx);
    RUN(test_tdx);
    RUN(test_snp);
    RUN(test_simulation_is_not_hardware);
    RUN(test_order_of_reasons);
    return test_end();
}
