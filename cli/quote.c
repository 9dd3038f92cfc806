/* SPDX-License-Identifier: Apache-2.0 */
/* quote.c - the verb `quote`: judges a CPU vendor's evidence out of files, offline. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/quote.h"
#include "client/channel.h"
#include "lib/bytes.h"
#include "verify/collateral.h"
#include "verify/dates.h"
#include "verify/dcap.h"
#include "verify/ratls.h"
#include "verify/snp.h"

enum { EVIDENCE_MAX = 128 << 10 };

struct options {
    const char *evidence;
    const char *collateral;
    const char *crl;
    const char *policy;
    const char *at;
    bool is_json;
};

struct file {
    uint8_t *data;
    size_t size;
};

static tf_err judge_quote(const struct tf_bytes *quote, const struct file *collateral,
                          const struct tf_policy *policy, int64_t time,
                          struct tf_appraisal *out)
{
    struct tf_collateral parsed;
    tf_err err =
        tf_collateral_parse((const char *)collateral->data, collateral->size, &parsed);

    if (err != TF_OK) {
        return err;
    }
    const struct tf_dcap_input in = {.quote = quote->data,
                                     .quote_size = quote->size,
                                     .collateral = &parsed,
                                     .time = time,
                                     .policy = policy};
    (void)!tf_dcap_verify(&in, out);
    tf_collateral_wipe(&parsed);
    return TF_OK;
}

static tf_err judge_report(const struct options *o, const struct file *report,
                           const struct file *chain, struct tf_snp_input *in,
                           struct tf_appraisal *out)
{
    const struct tf_bytes pem = {chain->data, chain->size};
    struct tf_bytes parts[3];
    struct file crl = {0};
    tf_err err = tf_snp_split(&pem, parts);

    if (err != TF_OK) {
        return err;
    }
    if (o->crl != NULL) {
        err = tf_file_read(o->crl, TF_CRL_MAX, &crl.data, &crl.size);
        if (err != TF_OK) {
            return err;
        }
    }
    in->report = report->data;
    in->report_size = report->size;
    in->vek = parts[0];
    in->ask = parts[1];
    in->ark = parts[2];
    in->crl = (struct tf_bytes){crl.data, crl.size};
    (void)!tf_snp_verify(in, out);
    free(crl.data);
    return TF_OK;
}

/* A certificate begins as PEM or as a DER SEQUENCE; quotes and reports with a version. */
static tf_err judge(const struct options *o, const struct file *evidence,
                    const struct file *collateral, struct tf_snp_input *in,
                    struct tf_appraisal *out)
{
    struct tf_ratls ratls;
    const struct tf_bytes quote = {evidence->data, evidence->size};

    if (tf_snp_is_report(evidence->data, evidence->size)) {
        return judge_report(o, evidence, collateral, in, out);
    }
    if (evidence->data[0] != '-' && evidence->data[0] != 0x30) {
        return judge_quote(&quote, collateral, in->policy, in->time, out);
    }
    tf_err err = tf_ratls_parse(evidence->data, evidence->size, &ratls);
    if (err != TF_OK) {
        return err;
    }
    err = judge_quote(&ratls.quote, collateral, in->policy, in->time, out);
    tf_ratls_wipe(&ratls);
    return err;
}

static tf_err judge_files(const struct options *o, const struct tf_policy *policy,
                          int64_t at, struct tf_appraisal *out)
{
    struct file evidence = {0};
    struct file collateral = {0};
    struct tf_snp_input in = {.time = at, .policy = policy};
    tf_err err = tf_file_read(o->evidence, EVIDENCE_MAX, &evidence.data, &evidence.size);

    if (err == TF_OK) {
        err = tf_file_read(o->collateral, TF_COLLATERAL_MAX, &collateral.data,
                           &collateral.size);
    }
    if (err == TF_OK) {
        err = judge(o, &evidence, &collateral, &in, out);
        if (err != TF_OK) {
            (void)tf_report(err, "%s with %s", o->evidence, o->collateral);
        }
    }
    free(evidence.data);
    free(collateral.data);
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
    struct options o = {0};
    const char *operands[2] = {NULL, NULL};
    const struct tf_option options[] = {
        TF_TEXT("collateral", &o.collateral), TF_TEXT("crl", &o.crl),
        TF_TEXT("policy", &o.policy),         TF_TEXT("at", &o.at),
        TF_FLAG("json", &o.is_json),          {0}};
    struct tf_policy policy;
    struct tf_appraisal appraisal;
    int64_t at = 0;

    if (!tf_options(argc, argv, options, operands, 2)) {
        return TF_EXIT_USAGE;
    }
    o.evidence = operands[1];
    if (strcmp(operands[0], "verify") != 0 || o.collateral == NULL) {
        return tf_report(TF_EUSAGE, "quote verify wants FILE and --collateral");
    }
    tf_err err = read_time(o.at, &at);
    if (err == TF_OK && o.policy != NULL) {
        err = tf_policy_load(o.policy, &policy);
    }
    if (err == TF_OK) {
        err = judge_files(&o, o.policy == NULL ? NULL : &policy, at, &appraisal);
    }
    if (err != TF_OK) {
        return tf_exit(err);
    }
    tf_appraisal_print(&appraisal, o.policy != NULL, o.is_json);
    return appraisal.result == TF_OK ? TF_EXIT_OK : TF_EXIT_REFUSED;
}
