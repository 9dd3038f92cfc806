/* SPDX-License-Identifier: Apache-2.0 */
/* collateral.c - the verb `collateral`, and where collateral comes from. */
#include "cli/collateral.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/collateral_cache.h"
#include "client/policy.h"
#include "verify/ratls.h"
#include "verify/snp.h"

enum { FILE_MAX = 128 << 10 };

struct tf_collateral_source tf_default_collateral(void)
{
    const char *service = getenv("TFAAS_COLLATERAL");

    return (struct tf_collateral_source){
        .service = service == NULL || service[0] == '\0' ? NULL : service,
        .cache = tf_cache_folder()};
}

int tf_exit_of(tf_err result)
{
    return result == TF_ECOLLATERAL_FETCH ? TF_EXIT_USAGE : tf_exit(result);
}

/* --- evidence in a file ------------------------------------------------------------- */

/* Real quotes come in buffers filled up with zeros: these are left out. */
static tf_err keep_quote(const uint8_t *data, size_t size, struct tf_evidence *out)
{
    struct tf_quote quote;
    tf_err err = tf_quote_parse(data, size, &quote);

    if (err != TF_OK) {
        return err;
    }
    if (quote.size > sizeof(out->data)) {
        return TF_ELIMIT;
    }
    out->kind = TF_EVIDENCE_DCAP;
    out->size = quote.size;
    memcpy(out->data, data, quote.size);
    return TF_OK;
}

static tf_err keep_certificate(const uint8_t *data, size_t size, struct tf_evidence *out)
{
    struct tf_ratls ratls;
    tf_err err = tf_ratls_parse(data, size, &ratls);

    if (err == TF_OK) {
        err = keep_quote(ratls.quote.data, ratls.quote.size, out);
        tf_ratls_wipe(&ratls);
    }
    return err;
}

/* A certificate begins as PEM or as a DER SEQUENCE, ours with a brace; quotes and reports
 * begin with a version. */
static tf_err keep(const uint8_t *data, size_t size, struct tf_evidence *out)
{
    enum { DER_SEQUENCE = 0x30 };

    memset(out, 0, sizeof(*out));
    if (tf_snp_is_report(data, size)) {
        out->kind = TF_EVIDENCE_SNP;
        out->size = size;
        memcpy(out->data, data, size);
        return TF_OK;
    }
    if (size > 0 && data[0] == '{') {
        return tf_evidence_parse((const char *)data, size, out);
    }
    if (size > 0 && (data[0] == '-' || data[0] == DER_SEQUENCE)) {
        return keep_certificate(data, size, out);
    }
    return keep_quote(data, size, out);
}

tf_err tf_evidence_load(const char *path, struct tf_evidence *out)
{
    uint8_t *data = NULL;
    size_t size = 0;
    tf_err err = tf_file_read(path, FILE_MAX, &data, &size);

    if (err != TF_OK) {
        return err;
    }
    err = keep(data, size, out);
    if (err == TF_OK && out->kind != TF_EVIDENCE_DCAP && out->kind != TF_EVIDENCE_SNP) {
        err = TF_EEVIDENCE_SIMULATED;
    }
    if (err != TF_OK) {
        (void)tf_report(err, "%s", path);
    }
    free(data);
    return err;
}

/* --- the verb ----------------------------------------------------------------------- */

struct options {
    const char *quote;
    const char *policy;
    const char *out;
    struct tf_collateral_source source;
};

static tf_err write_out(const char *path, const struct tf_collateral_found *found)
{
    const struct tf_bytes pem = found->snp_certificates;

    if (found->has_intel) {
        return tf_file_write(path, found->text, found->text_size, 0644);
    }
    if (pem.size > 0) {
        return tf_file_write(path, pem.data, pem.size, 0644);
    }
    (void)tf_report(TF_ECOLLATERAL_FETCH,
                    "the evidence is not good, or brings its certificates itself;"
                    " `tfaas quote verify` says more");
    return TF_ECOLLATERAL_FETCH;
}

static tf_err fetch(const struct options *o)
{
    struct tf_policy policy;
    struct tf_evidence evidence;
    struct tf_collateral_found found;
    const struct tf_collateral_wanted wanted = {.evidence = &evidence,
                                                .policy =
                                                    o->policy == NULL ? NULL : &policy,
                                                .time = (int64_t)time(NULL)};
    tf_err err = o->policy == NULL ? TF_OK : tf_policy_load(o->policy, &policy);

    if (err == TF_OK) {
        err = tf_evidence_load(o->quote, &evidence);
    }
    if (err != TF_OK) {
        return err;
    }
    err = tf_collateral_find(&o->source, &wanted, &found);
    if (err == TF_OK) {
        err = write_out(o->out, &found);
    }
    tf_collateral_found_wipe(&found);
    return err;
}

int tf_cmd_collateral(int argc, char **argv)
{
    struct options o = {.source = tf_default_collateral()};
    const char *verb = NULL;
    const struct tf_option options[] = {TF_TEXT("quote", &o.quote),
                                        TF_TEXT("policy", &o.policy),
                                        TF_TEXT("out", &o.out),
                                        TF_TEXT("collateral-service", &o.source.service),
                                        TF_TEXT("collateral-cacert", &o.source.cacert),
                                        {0}};

    if (!tf_options(argc, argv, options, &verb, 1)) {
        return TF_EXIT_USAGE;
    }
    if (strcmp(verb, "fetch") != 0 || o.quote == NULL || o.out == NULL) {
        return tf_report(TF_EUSAGE, "collateral fetch wants --quote and --out");
    }
    o.source.max_age = -1;
    tf_err err = fetch(&o);
    if (err == TF_OK) {
        (void)printf("wrote %s\n", o.out);
    }
    return tf_exit_of(err);
}
