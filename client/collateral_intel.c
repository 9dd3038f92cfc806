/* SPDX-License-Identifier: Apache-2.0 */
/* collateral_intel.c - Intel's collateral for a quote: file, cache, PCS or PCCS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "client/collateral_cache.h"
#include "client/collateral_vendor.h"
#include "client/file.h"
#include "client/pcs.h"
#include "client/report.h"
#include "lib/bytes.h"
#include "lib/err_text.h"
#include "verify/dcap.h"

enum { FMSPC_HEX = 13 };

/* The platform that is asked about. */
struct platform {
    bool is_tdx;
    bool is_platform_ca;
    char fmspc[FMSPC_HEX];
};

/* One collateral file, and what the evidence is with it. Owned. */
struct candidate {
    tf_collateral_origin origin; /* TF_COLLATERAL_NONE: there is none */
    int64_t fetched;
    char *text;
    size_t size;
    struct tf_collateral parsed;
    bool is_usable; /* the evidence could be judged with it */
    bool is_good;   /* and chains, collateral and TCB are as they should be */
    bool is_known;  /* it could, at the latest when it was fetched */
    int64_t issued; /* TCB info and identity; 0: a revoked certificate ended it before */
    int64_t root_crl_start;
    int64_t pck_crl_start;
};

static void wipe(struct candidate *c)
{
    if (c->origin != TF_COLLATERAL_NONE) {
        tf_collateral_wipe(&c->parsed);
    }
    free(c->text);
    memset(c, 0, sizeof(*c));
}

/* What the evidence is with this collateral, or with none. */
static tf_err judge(const struct tf_collateral_wanted *wanted,
                    const struct tf_collateral *collateral, struct tf_appraisal *out)
{
    const struct tf_dcap_input in = {.quote = wanted->evidence->data,
                                     .quote_size = wanted->evidence->size,
                                     .collateral = collateral,
                                     .time = wanted->time,
                                     .policy = wanted->policy};

    return tf_dcap_verify(&in, out);
}

static bool is_usable(const struct tf_appraisal *a)
{
    for (size_t i = 0; i < a->reason_count; i++) {
        if (tf_collateral_is_blamed(a->reasons[i])) {
            return false;
        }
    }
    return true;
}

/* Takes a file over: afterwards `text` is the candidate's, or freed. */
static tf_err take(const struct tf_collateral_wanted *wanted, char *text, size_t size,
                   struct candidate *out)
{
    struct tf_appraisal a;
    tf_err err = tf_collateral_parse(text, size, &out->parsed);

    if (err != TF_OK) {
        free(text);
        return err;
    }
    out->text = text;
    out->size = size;
    (void)!judge(wanted, &out->parsed, &a);
    out->is_usable = is_usable(&a);
    out->is_known = out->is_usable;
    out->is_good = true;
    for (size_t i = 0; i < a.reason_count; i++) {
        tf_err reason = a.reasons[i];
        out->is_good =
            out->is_good && (reason < TF_ECHAIN_FORMAT || reason > TF_ETCB_DATE);
    }
    out->issued = a.tcb.issued;
    out->root_crl_start = tf_collateral_crl_start(&out->parsed.root_crl);
    out->pck_crl_start = tf_collateral_crl_start(&out->parsed.pck_crl);
    return TF_OK;
}

/* --- the service -------------------------------------------------------------------- */

/* The URL of a place where a list is; false if it names none. */
static bool read_url(const DIST_POINT *point, char url[static TF_URL_TEXT_MAX])
{
    enum { FULL_NAME = 0 };

    if (point->distpoint == NULL || point->distpoint->type != FULL_NAME) {
        return false;
    }
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(point->distpoint->name.fullname, 0);
    if (name == NULL || name->type != GEN_URI) {
        return false;
    }
    int size = ASN1_STRING_length(name->d.uniformResourceIdentifier);
    return snprintf(url, TF_URL_TEXT_MAX, "%.*s", size,
                    ASN1_STRING_get0_data(name->d.uniformResourceIdentifier)) <
           TF_URL_TEXT_MAX;
}

/* Where the root's list is, as the root's certificate says. The chain was checked. */
static bool find_crl_url(const struct tf_collateral_wanted *wanted,
                         char url[static TF_URL_TEXT_MAX])
{
    struct tf_quote quote;
    struct tf_chain chain = {0};
    bool is_found = false;

    if (tf_quote_parse(wanted->evidence->data, wanted->evidence->size, &quote) == TF_OK &&
        tf_chain_parse(&quote.certs, 3, &chain) == TF_OK) {
        CRL_DIST_POINTS *points =
            X509_get_ext_d2i(chain.certs[2], NID_crl_distribution_points, NULL, NULL);
        is_found = sk_DIST_POINT_num(points) > 0 &&
                   read_url(sk_DIST_POINT_value(points, 0), url);
        CRL_DIST_POINTS_free(points);
    }
    tf_chain_wipe(&chain);
    return is_found;
}

/* A PCCS has the root's list itself; with Intel it is where the certificate says. */
static tf_err ask_root_crl(const struct tf_collateral_source *source,
                           const struct tf_collateral_wanted *wanted,
                           struct tf_fetched *out)
{
    char url[TF_URL_TEXT_MAX];
    const struct tf_fetch what = {
        .url = url, .cacert = source->cacert, .max = (size_t)2 * TF_CRL_MAX};
    tf_err err = tf_collateral_ask(source, "/sgx/certification/v4/rootcacrl",
                                   (size_t)2 * TF_CRL_MAX, out);

    if (err != TF_ENOTFOUND) {
        return err;
    }
    return find_crl_url(wanted, url) ? tf_fetch(&what, out) : TF_ENOTFOUND;
}

/* The answers while they come in. */
struct answers {
    struct tf_fetched tcb_info;
    struct tf_fetched qe_identity;
    struct tf_fetched pck_crl;
    struct tf_fetched root_crl;
};

static tf_err ask_all(const struct tf_collateral_source *source,
                      const struct tf_collateral_wanted *wanted,
                      const struct platform *platform, struct answers *out)
{
    const char *tee = platform->is_tdx ? "tdx" : "sgx";
    char path[128];

    (void)snprintf(path, sizeof(path), "/%s/certification/v4/tcb?fmspc=%s", tee,
                   platform->fmspc);
    tf_err err = tf_collateral_ask(source, path, TF_SIGNED_JSON_MAX, &out->tcb_info);
    if (err == TF_OK) {
        (void)snprintf(path, sizeof(path), "/%s/certification/v4/qe/identity", tee);
        err = tf_collateral_ask(source, path, TF_SIGNED_JSON_MAX, &out->qe_identity);
    }
    if (err == TF_OK) {
        (void)snprintf(path, sizeof(path),
                       "/sgx/certification/v4/pckcrl?ca=%s&encoding=der",
                       platform->is_platform_ca ? "platform" : "processor");
        err = tf_collateral_ask(source, path, (size_t)2 * TF_CRL_MAX, &out->pck_crl);
    }
    return err == TF_OK ? ask_root_crl(source, wanted, &out->root_crl) : err;
}

static struct tf_bytes bytes_of(const struct tf_fetched *fetched)
{
    return (struct tf_bytes){fetched->body, fetched->size};
}

static tf_err fetch(const struct tf_collateral_source *source,
                    const struct tf_collateral_wanted *wanted,
                    const struct platform *platform, char **text, size_t *size)
{
    struct answers a = {0};
    tf_err err = ask_all(source, wanted, platform, &a);
    const struct tf_pcs_answers parts = {
        .tcb_info = {bytes_of(&a.tcb_info), a.tcb_info.issuer_chain},
        .qe_identity = {bytes_of(&a.qe_identity), a.qe_identity.issuer_chain},
        .pck_crl = {bytes_of(&a.pck_crl), a.pck_crl.issuer_chain},
        .root_crl = bytes_of(&a.root_crl)};

    if (err == TF_OK) {
        err = tf_pcs_compose(&parts, text, size);
    }
    tf_fetched_wipe(&a.tcb_info);
    tf_fetched_wipe(&a.qe_identity);
    tf_fetched_wipe(&a.pck_crl);
    tf_fetched_wipe(&a.root_crl);
    if (err != TF_OK) {
        (void)tf_report(TF_ECOLLATERAL_FETCH, "%s, for FMSPC %s (%s): %s",
                        source->service, platform->fmspc, tf_err_name(err),
                        tf_err_text(err));
        return TF_ECOLLATERAL_FETCH;
    }
    return TF_OK;
}

/* --- all of it ---------------------------------------------------------------------- */

static tf_err take_file(const struct tf_collateral_source *source,
                        const struct tf_collateral_wanted *wanted, struct candidate *out)
{
    uint8_t *text = NULL;
    size_t size = 0;
    tf_err err = tf_file_read(source->file, TF_COLLATERAL_MAX, &text, &size);

    if (err != TF_OK) {
        return err;
    }
    err = take(wanted, (char *)text, size, out);
    if (err != TF_OK) {
        (void)tf_report(err, "%s", source->file);
        return err;
    }
    out->origin = TF_COLLATERAL_FILE;
    return TF_OK;
}

/* What has expired is no use, but was good once: nothing older comes after it. */
static void remember(const struct tf_collateral_wanted *wanted, struct candidate *cached)
{
    struct tf_collateral_wanted then = *wanted;
    struct tf_appraisal a;

    then.time = cached->fetched < wanted->time ? cached->fetched : wanted->time;
    (void)!judge(&then, &cached->parsed, &a);
    cached->is_known = is_usable(&a);
    cached->issued = a.tcb.issued;
}

static void take_cached(const struct tf_collateral_source *source,
                        const struct tf_collateral_wanted *wanted, const char *name,
                        struct candidate *out)
{
    uint8_t *text = NULL;
    size_t size = 0;

    if (tf_cache_load(source->cache, name, TF_COLLATERAL_MAX, &text, &size,
                      &out->fetched) &&
        take(wanted, (char *)text, size, out) == TF_OK) {
        out->origin = TF_COLLATERAL_CACHE;
        if (!out->is_usable) {
            remember(wanted, out);
        }
    }
}

static void take_fetched(const struct tf_collateral_source *source,
                         const struct tf_collateral_wanted *wanted,
                         const struct platform *platform, struct candidate *out)
{
    char *text = NULL;
    size_t size = 0;

    if (fetch(source, wanted, platform, &text, &size) == TF_OK &&
        take(wanted, text, size, out) == TF_OK) {
        out->origin = TF_COLLATERAL_SERVICE;
        out->fetched = wanted->time;
    }
}

/* Whether a part of it is an older one than was seen before: somebody plays it back. */
static bool is_older(const struct candidate *c, const struct candidate *than)
{
    return c->root_crl_start < than->root_crl_start ||
           c->pck_crl_start < than->pck_crl_start ||
           (c->issued != 0 && c->issued < than->issued);
}

static bool is_better(const struct candidate *fetched, const struct candidate *cached)
{
    if (fetched->origin == TF_COLLATERAL_NONE || !cached->is_known) {
        return fetched->origin != TF_COLLATERAL_NONE;
    }
    return (fetched->is_usable || !cached->is_usable) && !is_older(fetched, cached);
}

static void find(const struct tf_collateral_source *source,
                 const struct tf_collateral_wanted *wanted,
                 const struct platform *platform, struct candidate *out)
{
    char name[TF_CACHE_NAME_MAX];
    struct candidate fetched = {0};

    (void)snprintf(name, sizeof(name), "intel-%s-%s-%s.json",
                   platform->is_tdx ? "tdx" : "sgx", platform->fmspc,
                   platform->is_platform_ca ? "platform" : "processor");
    take_cached(source, wanted, name, out);
    if (source->service == NULL ||
        (out->is_good && tf_collateral_is_young(source, out->fetched, wanted->time))) {
        return;
    }
    take_fetched(source, wanted, platform, &fetched);
    if (!is_better(&fetched, out)) {
        wipe(&fetched);
        return;
    }
    if (fetched.is_usable) {
        tf_cache_store(source->cache, name, fetched.text, fetched.size);
    }
    wipe(out);
    *out = fetched;
}

static void describe(const struct tf_appraisal *a, struct platform *out)
{
    out->is_tdx = a->tee == TF_TEE_TDX;
    out->is_platform_ca = a->is_platform_ca;
    tf_hex_write(a->pck.fmspc, sizeof(a->pck.fmspc), out->fmspc);
}

/* Hands the collateral out. */
static void give(struct candidate *c, struct tf_collateral_found *out)
{
    out->origin = c->origin;
    out->fetched = c->fetched;
    out->has_intel = true;
    out->intel = c->parsed;
    out->text = c->text;
    out->text_size = c->size;
}

tf_err tf_collateral_find_intel(const struct tf_collateral_source *source,
                                const struct tf_collateral_wanted *wanted,
                                struct tf_collateral_found *out)
{
    struct tf_appraisal a;
    struct platform platform;
    struct candidate c = {0};

    if (source->file != NULL) {
        tf_err err = take_file(source, wanted, &c);
        if (err == TF_OK) {
            give(&c, out);
        }
        return err;
    }
    if (judge(wanted, NULL, &a) != TF_ECOLLATERAL_FETCH) {
        return TF_OK; /* no collateral makes it any better */
    }
    describe(&a, &platform);
    find(source, wanted, &platform, &c);
    if (c.origin != TF_COLLATERAL_NONE) {
        give(&c, out);
        return TF_OK;
    }
    if (source->service == NULL) {
        (void)tf_report(TF_ECOLLATERAL_FETCH,
                        "for %s of FMSPC %s; --collateral-service URL or"
                        " TFAAS_COLLATERAL names a PCS or PCCS, --collateral a file",
                        platform.is_tdx ? "TDX" : "SGX", platform.fmspc);
    }
    return TF_ECOLLATERAL_FETCH;
}
