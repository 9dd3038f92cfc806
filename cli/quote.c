/* SPDX-License-Identifier: Apache-2.0 */
/* quote.c - the verb `quote`: judges a CPU vendor's evidence out of a file. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/collateral.h"
#include "cli/quote.h"
#include "client/policy.h"
#include "verify/collateral.h"
#include "verify/dates.h"
#include "verify/dcap.h"
#include "verify/snp.h"

struct options {
    const char *crl;
    const char *policy;
    const char *at;
    bool is_json;
    struct tf_collateral_source source;
};

static void judge_quote(const struct tf_collateral_wanted *wanted,
                        const struct tf_collateral_found *found, struct tf_appraisal *out)
{
    const struct tf_dcap_input in = {.quote = wanted->evidence->data,
                                     .quote_size = wanted->evidence->size,
                                     .collateral =
                                         found->has_intel ? &found->intel : NULL,
                                     .time = wanted->time,
                                     .policy = wanted->policy};

    (void)!tf_dcap_verify(&in, out);
}

static void judge_report(const struct tf_collateral_wanted *wanted,
                         const struct tf_collateral_found *found,
                         const struct tf_bytes *crl, struct tf_appraisal *out)
{
    const struct tf_evidence *e = wanted->evidence;
    const struct tf_bytes own = {(const uint8_t *)e->certificates, e->certificates_size};
    const struct tf_bytes *pem = own.size > 0 ? &own : &found->snp_certificates;
    struct tf_bytes parts[3] = {*pem};
    struct tf_snp_input in = {.report = e->data,
                              .report_size = e->size,
                              .crl = crl->size > 0 ? *crl : found->snp_crl,
                              .time = wanted->time,
                              .policy = wanted->policy};

    (void)!tf_snp_split(pem, parts);
    in.vek = parts[0];
    in.ask = parts[1];
    in.ark = parts[2];
    (void)!tf_snp_verify(&in, out);
}

static tf_err judge(const struct options *o, const struct tf_collateral_wanted *wanted,
                    struct tf_appraisal *out)
{
    struct tf_collateral_found found;
    uint8_t *crl = NULL;
    size_t crl_size = 0;
    tf_err err =
        o->crl == NULL ? TF_OK : tf_file_read(o->crl, TF_CRL_MAX, &crl, &crl_size);

    if (err != TF_OK) {
        return err;
    }
    err = tf_collateral_find(&o->source, wanted, &found);
    if (err == TF_OK ||
        err == TF_ECOLLATERAL_FETCH) { /* the verdict says that it lacks */
        err = TF_OK;
        if (wanted->evidence->kind == TF_EVIDENCE_SNP) {
            const struct tf_bytes list = {crl, crl_size};
            judge_report(wanted, &found, &list, out);
        } else {
            judge_quote(wanted, &found, out);
        }
    }
    tf_collateral_found_wipe(&found);
    free(crl);
    return err;
}

static tf_err read_time(const char *text, int64_t *out)
{
    if (text == NULL) {
        *out = (int64_t)time(NULL);
        return TF_OK;
    }
    if (tf_date_parse(text, out) != TF_OK) {
        (void)tf_report(TF_EUSAGE, "--at wants a date such as 2026-01-31T00:00:00Z");
        return TF_EUSAGE;
    }
    return TF_OK;
}

int tf_cmd_quote(int argc, char **argv)
{
    struct options o = {.source = tf_default_collateral()};
    const char *operands[2] = {NULL, NULL};
    const struct tf_option options[] = {TF_TEXT("crl", &o.crl),
                                        TF_TEXT("policy", &o.policy),
                                        TF_TEXT("at", &o.at),
                                        TF_FLAG("json", &o.is_json),
                                        TF_COLLATERAL_OPTIONS(&o.source),
                                        {0}};
    struct tf_policy policy;
    struct tf_evidence evidence;
    struct tf_collateral_wanted wanted = {.evidence = &evidence};
    struct tf_appraisal appraisal;

    if (!tf_options(argc, argv, options, operands, 2)) {
        return TF_EXIT_USAGE;
    }
    if (strcmp(operands[0], "verify") != 0) {
        return tf_report(TF_EUSAGE, "quote verify wants FILE");
    }
    tf_err err = read_time(o.at, &wanted.time);
    if (err == TF_OK && o.policy != NULL) {
        err = tf_policy_load(o.policy, &policy);
        wanted.policy = &policy;
    }
    if (err == TF_OK) {
        err = tf_evidence_load(operands[1], &evidence);
    }
    if (err == TF_OK) {
        err = judge(&o, &wanted, &appraisal);
    }
    if (err != TF_OK) {
        return tf_exit(err);
    }
    tf_appraisal_print(&appraisal, o.policy != NULL, o.is_json);
    return tf_exit_of(appraisal.result);
}
