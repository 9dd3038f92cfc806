/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/verify.h"

#include <string.h>

#include "abi/sgx.h"
#include "lib/bytes.h"
#include "lib/json.h"
#include "verify/claims.h"

/* doc/formats.md, Simulated evidence. The zero byte at the end is part of the label. */
static const char SIM_TYPE[] = "tfaas-simulated-sgx-report.v1";
static const char SIM_LABEL[] = "tfaas SIMULATED SGX evidence v1";

enum { SIM_SIGNATURE_SIZE = 64 };

struct evidence {
    uint8_t root[TF_SPKI_MAX];
    size_t root_size;
    uint8_t signature[SIM_SIGNATURE_SIZE];
    struct sgx_report report; /* key_id and mac are not part of evidence: zero */
};

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

static bool parse_evidence(const char *text, size_t size, struct evidence *out)
{
    json_t *document = NULL;
    struct tf_json_fields f;

    if (size > TF_EVIDENCE_MAX || tf_json_parse(text, size, &document) != TF_OK) {
        return false;
    }
    memset(out, 0, sizeof(*out));
    tf_json_fields_init(&f, document);
    const char *type = tf_json_string(&f, "type", 1, 64);
    bool is_good = type != NULL && strcmp(type, SIM_TYPE) == 0;
    is_good = tf_json_boolean(&f, "simulated") && is_good;
    out->root_size = tf_json_base64(&f, "root", out->root, sizeof(out->root));
    is_good = tf_json_base64(&f, "report", (uint8_t *)&out->report,
                             SGX_REPORT_BODY_SIZE) == SGX_REPORT_BODY_SIZE &&
              is_good;
    is_good = tf_json_base64(&f, "signature", out->signature, sizeof(out->signature)) ==
                  sizeof(out->signature) &&
              is_good;
    is_good = tf_json_fields_end(&f) && is_good;
    json_decref(document);
    return is_good;
}

static bool is_signed_by_root(const struct evidence *e, const struct tf_policy *policy)
{
    uint8_t message[sizeof(SIM_LABEL) + SGX_REPORT_BODY_SIZE];

    if (policy->sim_root_size == 0 || policy->sim_root_size != e->root_size ||
        memcmp(policy->sim_root, e->root, e->root_size) != 0) {
        return false;
    }
    memcpy(message, SIM_LABEL, sizeof(SIM_LABEL));
    memcpy(message + sizeof(SIM_LABEL), &e->report, SGX_REPORT_BODY_SIZE);
    return tf_signature_check(policy->sim_root, policy->sim_root_size, message,
                              sizeof(message), e->signature,
                              sizeof(e->signature)) == TF_OK;
}

static void keep_identity(const struct sgx_report *r, struct tf_verdict *v)
{
    v->has_identity = true;
    v->is_simulated = true;
    v->is_debug = (r->attributes.flags & SGX_FLAGS_DEBUG) != 0;
    memcpy(v->mrenclave, r->mrenclave, sizeof(v->mrenclave));
    memcpy(v->mrsigner, r->mrsigner, sizeof(v->mrsigner));
    memcpy(v->config_id, r->config_id, sizeof(v->config_id));
    v->product = r->isv_prod_id;
    v->svn = r->isv_svn;
}

static void keep_claims(const struct tf_claims *c, struct tf_verdict *v)
{
    v->has_claims = true;
    tf_hex_write(c->domain, sizeof(c->domain), v->domain);
    tf_hex_write(c->instance, sizeof(c->instance), v->instance);
    memcpy(v->engine, c->engine, sizeof(v->engine));
    v->has_lambda = c->has_lambda;
    v->lambda = c->lambda;
}

static void check_binding(const struct tf_verify_input *in, const struct sgx_report *r,
                          const struct tf_claims *c, struct tf_verdict *v)
{
    uint8_t expected[sizeof(r->report_data)] = {0};

    tf_sha256(in->claims, in->claims_size, expected);
    require(v,
            memcmp(expected, r->report_data, sizeof(expected)) == 0 &&
                memcmp(c->nonce, in->nonce, sizeof(c->nonce)) == 0 &&
                memcmp(c->exporter, in->exporter, sizeof(c->exporter)) == 0 &&
                memcmp(c->spki, in->spki, sizeof(c->spki)) == 0,
            TF_EEVIDENCE_BINDING);
}

static void check_enclave(const struct tf_policy *p, const struct sgx_report *r,
                          struct tf_verdict *v)
{
    /* A policy about guests only accepts no enclave. */
    bool is_listed = p->measurement_count == 0 && p->has_signer;

    for (size_t i = 0; i < p->measurement_count; i++) {
        is_listed = is_listed || memcmp(p->measurements[i], r->mrenclave, 32) == 0;
    }
    require(v, is_listed, TF_EPOLICY_MEASUREMENT);
    if (p->has_signer) {
        require(v,
                memcmp(p->signer, r->mrsigner, 32) == 0 && p->product == r->isv_prod_id,
                TF_EPOLICY_SIGNER);
        require(v, r->isv_svn >= p->min_svn, TF_EPOLICY_VERSION);
    }
}

static void check_domain(const struct tf_policy *p, const struct sgx_report *r,
                         const struct tf_claims *c, struct tf_verdict *v)
{
    uint8_t expected[sizeof(r->config_id)] = {0};

    memcpy(expected, p->domain, sizeof(p->domain));
    require(v,
            memcmp(expected, r->config_id, sizeof(expected)) == 0 &&
                memcmp(p->domain, c->domain, sizeof(p->domain)) == 0,
            TF_EPOLICY_DOMAIN);
}

static void check_lambda(const struct tf_policy *p, const struct tf_claims *c,
                         struct tf_verdict *v)
{
    bool is_signed = false;

    for (size_t i = 0; c->has_lambda && i < p->publisher_count; i++) {
        is_signed = is_signed || strcmp(p->publishers[i], c->lambda.signer) == 0;
    }
    require(v, is_signed, TF_EPOLICY_LAMBDA);
}

tf_err tf_verify(const struct tf_verify_input *input, struct tf_verdict *out)
{
    struct evidence e;
    struct tf_claims c;

    memset(out, 0, sizeof(*out));
    if (!parse_evidence(input->evidence, input->evidence_size, &e)) {
        refuse(out, TF_EEVIDENCE_FORMAT);
        return out->result;
    }
    keep_identity(&e.report, out);
    if (tf_claims_parse(input->claims, input->claims_size, input->lambda, &c) != TF_OK) {
        refuse(out, TF_EEVIDENCE_FORMAT);
        return out->result;
    }
    keep_claims(&c, out);
    require(out, input->insecure_allow_simulated, TF_EEVIDENCE_SIMULATED);
    require(out, is_signed_by_root(&e, input->policy), TF_EEVIDENCE_ROOT);
    require(out, !out->is_debug, TF_EEVIDENCE_DEBUG);
    check_binding(input, &e.report, &c, out);
    check_enclave(input->policy, &e.report, out);
    check_domain(input->policy, &e.report, &c, out);
    check_lambda(input->policy, &c, out);
    return out->result;
}
