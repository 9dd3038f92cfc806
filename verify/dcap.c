/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/dcap.h"

#include <string.h>

#include "lib/crypto.h"
#include "verify/chain.h"

/* A verification under way: what the steps hand on. Owns what is not the input's. */
struct work {
    const struct tf_dcap_input *in;
    struct tf_appraisal *out;
    struct tf_quote quote;
    struct tf_chain pck; /* PCK certificate, its CA, the root */
    X509_CRL *root_crl;
    X509_CRL *pck_crl;
    bool has_info;
    struct tf_tcb_info info;
    bool has_identity;
    struct tf_identity identity;
    int64_t ends; /* the earliest end of what was relied on */
};

enum { PCK, CA, ROOT };

static void lower(int64_t *ends, int64_t end)
{
    *ends = end < *ends ? end : *ends;
}

/* --- 1: format ---------------------------------------------------------------------- */

static tf_err parse(struct work *w)
{
    struct tf_appraisal *out = w->out;
    tf_err err = tf_quote_parse(w->in->quote, w->in->quote_size, &w->quote);

    if (err != TF_OK) {
        return err;
    }
    if (w->quote.tee == TF_TEE_SGX) {
        memcpy(&out->sgx, w->quote.body.data, TF_SGX_BODY_SIZE);
        memcpy(out->report_data, out->sgx.report_data, sizeof(out->report_data));
    } else {
        err = tf_td_body_parse(&w->quote.body, &out->td);
        if (err != TF_OK) {
            return err;
        }
        memcpy(out->report_data, out->td.report_data, sizeof(out->report_data));
    }
    out->tee = w->quote.tee;
    out->version = w->quote.version;
    out->is_debug = tf_appraisal_is_debug(out);
    return TF_OK;
}

/* --- 2: PCK chain ------------------------------------------------------------------- */

static bool is_pck_ca(const X509 *cert)
{
    return tf_cert_is_named(cert, "Intel SGX PCK Platform CA") ||
           tf_cert_is_named(cert, "Intel SGX PCK Processor CA");
}

static tf_err check_pck_chain(struct work *w)
{
    tf_root root = TF_ROOT_NONE;
    tf_err err = tf_chain_parse(&w->quote.certs, 3, &w->pck);

    if (err == TF_OK) {
        err = tf_chain_check(&w->pck, &TF_CHAIN_INTEL, w->in->policy, w->in->time, &root);
    }
    if (err != TF_OK) {
        return err;
    }
    if (root != TF_ROOT_INTEL_SGX && root != TF_ROOT_NONE) {
        return TF_ECHAIN_ROOT; /* another vendor's */
    }
    if (!tf_cert_is_named(w->pck.certs[PCK], "Intel SGX PCK Certificate") ||
        !is_pck_ca(w->pck.certs[CA]) ||
        !tf_cert_is_named(w->pck.certs[ROOT], "Intel SGX Root CA")) {
        return TF_ECHAIN_LINK;
    }
    w->out->is_test_root = root == TF_ROOT_NONE;
    w->out->is_platform_ca =
        tf_cert_is_named(w->pck.certs[CA], "Intel SGX PCK Platform CA");
    for (size_t i = 0; i < w->pck.count; i++) {
        lower(&w->ends, tf_cert_end(w->pck.certs[i]));
    }
    err = tf_pck_parse(w->pck.certs[PCK], &w->out->pck);
    w->out->has_pck = err == TF_OK;
    return err;
}

/* --- 3: revocation ------------------------------------------------------------------ */

/* The collateral names the CRL's issuer too; it must be the CA of this very PCK. */
static tf_err check_crl_issuer(const struct work *w)
{
    struct tf_chain chain;
    tf_err err = tf_chain_parse(&w->in->collateral->pck_crl_chain, 2, &chain);

    if (err == TF_OK && (!tf_cert_is_same(chain.certs[0], w->pck.certs[CA]) ||
                         !tf_cert_is_same(chain.certs[1], w->pck.certs[ROOT]))) {
        err = TF_ECOLLATERAL_CRL;
    }
    tf_chain_wipe(&chain);
    return err;
}

static tf_err check_crls(struct work *w)
{
    const struct tf_collateral *c = w->in->collateral;

    if (c == NULL) {
        return TF_ECOLLATERAL_FETCH;
    }
    tf_err err = check_crl_issuer(w);
    if (err == TF_OK) {
        err = tf_crl_parse(&c->root_crl, &w->root_crl);
    }
    if (err == TF_OK) {
        err = tf_crl_parse(&c->pck_crl, &w->pck_crl);
    }
    if (err == TF_OK) {
        err = tf_crl_check(w->root_crl, w->pck.certs[ROOT], &TF_CHAIN_INTEL, w->in->time);
    }
    if (err == TF_OK) {
        err = tf_crl_check(w->pck_crl, w->pck.certs[CA], &TF_CHAIN_INTEL, w->in->time);
    }
    if (err != TF_OK) {
        return err;
    }
    lower(&w->ends, tf_crl_end(w->root_crl));
    lower(&w->ends, tf_crl_end(w->pck_crl));
    return tf_crl_lists(w->root_crl, w->pck.certs[CA]) ||
                   tf_crl_lists(w->pck_crl, w->pck.certs[PCK])
               ? TF_ECHAIN_REVOKED
               : TF_OK;
}

/* --- 4: TCB info and QE identity ---------------------------------------------------- */

static tf_err check_head(struct work *w, const struct tf_signed_head *head,
                         const char *id, unsigned version)
{
    if (strcmp(head->id, id) != 0 || head->version != version) {
        return TF_ECOLLATERAL_KIND;
    }
    if (w->in->time < head->issued || w->in->time > head->expires) {
        return TF_ECOLLATERAL_EXPIRED;
    }
    lower(&w->ends, head->expires);
    lower(&w->out->tcb.issued, head->issued);
    lower(&w->out->tcb.next_update, head->expires);
    return TF_OK;
}

static tf_err check_statement(struct work *w, const struct tf_statement *statement)
{
    const struct tf_statement_rules rules = {.policy = w->in->policy,
                                             .root = w->pck.certs[ROOT],
                                             .root_crl = w->root_crl,
                                             .time = w->in->time};

    return tf_statement_check(statement, &rules, &w->ends);
}

static tf_err check_tcb_info(struct work *w)
{
    const struct tf_collateral *c = w->in->collateral;
    const struct tf_statement statement = {&c->tcb_chain, &c->tcb_info, c->tcb_signature};
    tf_err err = check_statement(w, &statement);

    if (err == TF_OK) {
        err =
            tf_tcb_info_parse((const char *)c->tcb_info.data, c->tcb_info.size, &w->info);
    }
    if (err != TF_OK) {
        return err;
    }
    w->has_info = true;
    w->out->tcb.evaluation = w->info.head.evaluation;
    w->out->tcb.issued = w->info.head.issued;
    w->out->tcb.next_update = w->info.head.expires;
    return check_head(w, &w->info.head, w->quote.tee == TF_TEE_SGX ? "SGX" : "TDX", 3);
}

static tf_err check_qe_identity(struct work *w)
{
    const struct tf_collateral *c = w->in->collateral;
    const struct tf_statement statement = {&c->qe_chain, &c->qe_identity,
                                           c->qe_signature};
    tf_err err = check_statement(w, &statement);

    if (err == TF_OK) {
        err = tf_identity_parse((const char *)c->qe_identity.data, c->qe_identity.size,
                                &w->identity);
    }
    if (err != TF_OK) {
        return err;
    }
    w->has_identity = true;
    if (w->identity.head.evaluation < w->out->tcb.evaluation) {
        w->out->tcb.evaluation = w->identity.head.evaluation;
    }
    return check_head(w, &w->identity.head, w->quote.tee == TF_TEE_SGX ? "QE" : "TD_QE",
                      2);
}

/* --- 5 to 7: quoting enclave, quote ------------------------------------------------- */

static tf_err check_qe_report(struct work *w)
{
    const struct tf_quote *q = &w->quote;
    const struct tf_bytes report = {q->qe_report, TF_QE_REPORT_SIZE};
    struct sgx_report qe = {0};
    struct tf_sha256 hash;
    uint8_t expected[sizeof(qe.report_data)] = {0};

    if (!tf_ecdsa_check(X509_get0_pubkey(w->pck.certs[PCK]), &report, q->qe_signature,
                        q->qe_signature + 32, 32)) {
        return TF_EQUOTE_QE;
    }
    memcpy(&qe, q->qe_report, TF_QE_REPORT_SIZE);
    tf_sha256_init(&hash);
    tf_sha256_feed(&hash, q->key, TF_P256_XY_SIZE);
    tf_sha256_feed(&hash, q->auth.data, q->auth.size);
    tf_sha256_take(&hash, expected);
    return memcmp(expected, qe.report_data, sizeof(expected)) == 0 ? TF_OK : TF_EQUOTE_QE;
}

static tf_err match_qe(struct work *w)
{
    struct tf_tcb_claims *tcb = &w->out->tcb;

    return tf_identity_match(&w->identity, w->quote.qe_report, &tcb->qe,
                             &tcb->advisories);
}

static tf_err check_signature(struct work *w)
{
    const struct tf_quote *q = &w->quote;
    EVP_PKEY *key = tf_p256_key(q->key);
    bool is_good = key != NULL && tf_ecdsa_check(key, &q->signed_part, q->signature,
                                                 q->signature + 32, 32);

    EVP_PKEY_free(key);
    return is_good ? TF_OK : TF_EQUOTE_SIGNATURE;
}

/* --- 8 to 10: platform and TCB ------------------------------------------------------ */

static tf_err check_platform(struct work *w)
{
    const struct tf_pck *pck = &w->out->pck;

    return memcmp(pck->fmspc, w->info.fmspc, sizeof(pck->fmspc)) == 0 &&
                   memcmp(pck->pce_id, w->info.pce_id, sizeof(pck->pce_id)) == 0
               ? TF_OK
               : TF_ECOLLATERAL_PLATFORM;
}

static tf_err match_tcb(struct work *w)
{
    struct tf_tcb_claims *tcb = &w->out->tcb;
    const struct tf_td_body *td = w->quote.tee == TF_TEE_TDX ? &w->out->td : NULL;
    const struct tf_tcb_state state = {.component_svn = w->out->pck.component_svn,
                                       .pce_svn = w->out->pck.pce_svn,
                                       .td = td};
    tf_err err = tf_tcb_match(&w->info, &state, &tcb->platform, &tcb->advisories);

    if (err == TF_OK && td != NULL) {
        err = tf_tcb_match_module(&w->info, td, &tcb->has_module, &tcb->module,
                                  &tcb->advisories);
    }
    if (err != TF_OK) {
        return err;
    }
    tcb->status = tf_tcb_merge(tcb->platform.status, tcb->qe.status);
    if (tcb->has_module) {
        tcb->status = tf_tcb_merge(tcb->status, tcb->module.status);
    }
    w->out->has_tcb = true;
    return TF_OK;
}

/* --- all of it --------------------------------------------------------------------- */

static void wipe(struct work *w)
{
    tf_chain_wipe(&w->pck);
    X509_CRL_free(w->root_crl);
    X509_CRL_free(w->pck_crl);
    if (w->has_info) {
        tf_tcb_info_wipe(&w->info);
    }
    if (w->has_identity) {
        tf_identity_wipe(&w->identity);
    }
}

tf_err tf_dcap_verify(const struct tf_dcap_input *input, struct tf_appraisal *out)
{
    static tf_err (*const steps[])(struct work *) = {
        parse,          check_pck_chain,   check_crls,
        check_tcb_info, check_qe_identity, check_qe_report,
        match_qe,       check_signature,   check_platform,
        match_tcb};
    struct work w = {.in = input, .out = out, .ends = INT64_MAX};
    tf_err err = TF_OK;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; err == TF_OK && i < sizeof(steps) / sizeof(steps[0]); i++) {
        err = steps[i](&w);
    }
    wipe(&w);
    if (err != TF_OK) {
        tf_appraisal_refuse(out, err);
        return out->result;
    }
    out->is_genuine = !out->is_test_root;
    out->expires = w.ends;
    tf_appraisal_apply(out, input->policy, input->time);
    return out->result;
}
