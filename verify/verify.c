/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/verify.h"

#include <string.h>

#include "lib/bytes.h"
#include "verify/claims.h"
#include "verify/dcap.h"
#include "verify/evidence.h"
#include "verify/simulated.h"
#include "verify/snp.h"

static void refuse(struct tf_verdict *v, tf_err reason)
{
    if (v->reason_count < TF_REASONS_MAX) {
        v->reasons[v->reason_count++] = reason;
    }
    if (v->result == TF_OK) {
        v->result = reason;
    }
}

static void require(struct tf_verdict *v, bool claim, tf_err reason)
{
    if (!claim) {
        refuse(v, reason);
    }
}

/* --- the evidence by itself --------------------------------------------------------- */

static void appraise_quote(const struct tf_verify_input *in, const struct tf_evidence *e,
                           struct tf_appraisal *out)
{
    const struct tf_dcap_input dcap = {.quote = e->data,
                                       .quote_size = e->size,
                                       .collateral = in->collateral,
                                       .time = in->time,
                                       .policy = in->policy};

    (void)!tf_dcap_verify(&dcap, out);
}

/* What the host brought goes first: it is of that very chip. */
static void appraise_report(const struct tf_verify_input *in, const struct tf_evidence *e,
                            struct tf_appraisal *out)
{
    const struct tf_bytes own = {(const uint8_t *)e->certificates, e->certificates_size};
    const struct tf_bytes *pem = own.size > 0 ? &own : &in->snp_certificates;
    struct tf_bytes parts[3] = {*pem}; /* if these are not three, no certificate */
    struct tf_snp_input snp = {.report = e->data,
                               .report_size = e->size,
                               .crl = in->snp_crl,
                               .time = in->time,
                               .policy = in->policy};

    (void)!tf_snp_split(pem, parts);
    snp.vek = parts[0];
    snp.ask = parts[1];
    snp.ark = parts[2];
    (void)!tf_snp_verify(&snp, out);
}

static void appraise(const struct tf_verify_input *in, const struct tf_evidence *e,
                     struct tf_verdict *v)
{
    struct tf_appraisal *a = &v->appraisal;

    switch (e->kind) {
    case TF_EVIDENCE_SIMULATED:
    case TF_EVIDENCE_SIMULATED_NATIVE:
        (void)!tf_simulated_verify(e, in->insecure_allow_simulated, in->policy, a);
        break;
    case TF_EVIDENCE_DCAP:
        appraise_quote(in, e, a);
        break;
    case TF_EVIDENCE_SNP:
        appraise_report(in, e, a);
        break;
    }
    for (size_t i = 0; i < a->reason_count; i++) {
        refuse(v, a->reasons[i]);
    }
}

/* --- what the enclave says ---------------------------------------------------------- */

static void keep_claims(const struct tf_claims *c, struct tf_verdict *v)
{
    v->has_claims = true;
    tf_hex_write(c->domain, sizeof(c->domain), v->domain);
    tf_hex_write(c->instance, sizeof(c->instance), v->instance);
    tf_hex_write(c->receipts, sizeof(c->receipts), v->receipts);
    memcpy(v->engine, c->engine, sizeof(v->engine));
    memcpy(v->lvi, c->lvi, sizeof(v->lvi));
    v->time = c->time;
    v->member_count = c->has_group ? c->group.member_count : 1;
    memcpy(v->revocations, c->revocations, sizeof(v->revocations));
    v->revocation_count = c->revocation_count;
    v->has_lambda = c->has_lambda;
    v->lambda = c->lambda;
}

static void check_binding(const struct tf_verify_input *in, const struct tf_claims *c,
                          struct tf_verdict *v)
{
    uint8_t expected[sizeof(v->appraisal.report_data)] = {0};

    tf_sha256(in->claims, in->claims_size, expected);
    require(v, memcmp(expected, v->appraisal.report_data, sizeof(expected)) == 0,
            TF_EEVIDENCE_BINDING);
    require(v, memcmp(c->nonce, in->nonce, sizeof(c->nonce)) == 0, TF_EEVIDENCE_NONCE);
    require(v, memcmp(c->exporter, in->exporter, sizeof(c->exporter)) == 0,
            TF_EEVIDENCE_CHANNEL);
    require(v, memcmp(c->spki, in->spki, sizeof(c->spki)) == 0, TF_EEVIDENCE_KEY);
}

/* Whether the policy's domain is what the claims say is served, or one that may share it.
 */
static bool is_served(const struct tf_policy *p, const struct tf_claims *c,
                      struct tf_verdict *v)
{
    if (!c->has_group) {
        return memcmp(p->domain, c->domain, sizeof(p->domain)) == 0;
    }
    if (!p->allow_sharing || memcmp(c->group.sha256, c->domain, sizeof(c->domain)) != 0) {
        return false;
    }
    for (size_t i = 0; i < c->group.member_count; i++) {
        if (memcmp(p->domain, c->group.members[i].sha256, sizeof(p->domain)) == 0) {
            v->time = c->times[i];
            return true;
        }
    }
    return false;
}

static void check_domain(const struct tf_policy *p, const struct tf_claims *c,
                         struct tf_verdict *v)
{
    uint8_t expected[sizeof(v->appraisal.sgx.config_id)] = {0};
    struct tf_bytes bound = tf_appraisal_config(&v->appraisal);

    memcpy(expected, c->domain, sizeof(c->domain));
    require(v,
            bound.size >= sizeof(c->domain) &&
                memcmp(expected, bound.data, bound.size) == 0 && is_served(p, c, v),
            TF_EPOLICY_DOMAIN);
}

static bool is_digest_listed(const struct tf_policy *p, const char *digest)
{
    char listed[2 * TF_SHA256_SIZE + 1];

    for (size_t i = 0; i < p->digest_count; i++) {
        tf_hex_write(p->digests[i], sizeof(p->digests[i]), listed);
        if (strcmp(listed, digest) == 0) {
            return true;
        }
    }
    return p->digest_count == 0;
}

static void check_lambda(const struct tf_policy *p, const struct tf_claims *c,
                         struct tf_verdict *v)
{
    bool is_signed = false;

    for (size_t i = 0; c->has_lambda && i < p->publisher_count; i++) {
        is_signed = is_signed || strcmp(p->publishers[i], c->lambda.signer) == 0;
    }
    require(v, is_signed, TF_EPOLICY_LAMBDA);
    if (c->has_lambda) {
        require(v,
                is_digest_listed(p, c->lambda.digest) &&
                    c->lambda.version >= p->min_version,
                TF_EPOLICY_DIGEST);
    }
}

tf_err tf_verify(const struct tf_verify_input *input, struct tf_verdict *out)
{
    struct tf_evidence evidence;
    struct tf_claims claims;

    memset(out, 0, sizeof(*out));
    if (tf_evidence_parse(input->evidence, input->evidence_size, &evidence) != TF_OK) {
        refuse(out, TF_EEVIDENCE_FORMAT);
        return out->result;
    }
    appraise(input, &evidence, out);
    if (out->appraisal.tee == TF_TEE_NONE) {
        return out->result;
    }
    if (tf_claims_parse(input->claims, input->claims_size, input->lambda, &claims) !=
        TF_OK) {
        refuse(out, TF_EEVIDENCE_FORMAT);
        return out->result;
    }
    keep_claims(&claims, out);
    check_binding(input, &claims, out);
    check_domain(input->policy, &claims, out);
    check_lambda(input->policy, &claims, out);
    return out->result;
}
