/* SPDX-License-Identifier: Apache-2.0 */
/* collateral_amd.c - AMD's certificates and revocation list for a report: from the
 * evidence, a file, the cache, or the KDS (AMD 57230). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "client/collateral_cache.h"
#include "client/collateral_vendor.h"
#include "client/file.h"
#include "client/report.h"
#include "lib/bytes.h"
#include "verify/snp.h"

enum { CHAIN_MAX = 32 << 10, PATH_SIZE = 320 };

/* What the report is with these certificates and this list; either may be none. */
static tf_err judge(const struct tf_collateral_wanted *wanted, const struct tf_bytes *pem,
                    const struct tf_bytes *crl, struct tf_appraisal *out)
{
    struct tf_bytes parts[3] = {*pem};

    (void)!tf_snp_split(pem, parts);
    const struct tf_snp_input in = {.report = wanted->evidence->data,
                                    .report_size = wanted->evidence->size,
                                    .vek = parts[0],
                                    .ask = parts[1],
                                    .ark = parts[2],
                                    .crl = *crl,
                                    .time = wanted->time,
                                    .policy = wanted->policy};

    return tf_snp_verify(&in, out);
}

/* Whether the certificates are this chip's and good, whatever the report says. */
static bool is_chain_good(tf_err result)
{
    return !tf_collateral_is_blamed(result) && result != TF_ECOLLATERAL_FETCH &&
           (result < TF_ESNP_FORMAT || result > TF_ESNP_TCB);
}

static bool is_pem_good(const struct tf_collateral_wanted *wanted,
                        const struct tf_bytes *pem, struct tf_appraisal *a)
{
    const struct tf_bytes none = {NULL, 0};

    return is_chain_good(judge(wanted, pem, &none, a));
}

/* --- certificates ------------------------------------------------------------------- */

/* The path that names chip and TCB (AMD 57230, chapter 4). */
static void vcek_path(const struct tf_snp_claims *snp, tf_root product,
                      char out[static PATH_SIZE])
{
    struct tf_snp_tcb tcb = tf_snp_tcb_of(product, snp->reported_bytes);
    char chip[2 * sizeof(snp->chip_id) + 1];
    char fmc[16] = "";

    tf_hex_write(snp->chip_id, product == TF_ROOT_AMD_TURIN ? 8 : sizeof(snp->chip_id),
                 chip);
    if (product == TF_ROOT_AMD_TURIN) {
        (void)snprintf(fmc, sizeof(fmc), "fmcSPL=%02u&", tcb.fmc);
    }
    (void)snprintf(out, PATH_SIZE,
                   "/vcek/v1/%s/%s?%sblSPL=%02u&teeSPL=%02u&snpSPL=%02u&ucodeSPL=%02u",
                   tf_root_product(product), chip, fmc, tcb.bootloader, tcb.tee, tcb.snp,
                   tcb.microcode);
}

/* The certificate as PEM, with its chain behind it. @param out  owned: free. */
static bool join(const struct tf_fetched *der, const struct tf_fetched *chain,
                 uint8_t **out, size_t *size)
{
    const unsigned char *at = der->body;
    X509 *cert = d2i_X509(NULL, &at, (long)der->size);
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    bool is_good = cert != NULL && bio != NULL && PEM_write_bio_X509(bio, cert) == 1 &&
                   BIO_write(bio, chain->body, (int)chain->size) == (int)chain->size;
    long joined = is_good ? BIO_get_mem_data(bio, &data) : 0;

    *out = joined > 0 ? malloc((size_t)joined) : NULL;
    if (*out != NULL) {
        memcpy(*out, data, (size_t)joined);
        *size = (size_t)joined;
    }
    BIO_free(bio);
    X509_free(cert);
    return *out != NULL;
}

static bool fetch_product(const struct tf_collateral_source *source,
                          const struct tf_snp_claims *snp, tf_root product, uint8_t **out,
                          size_t *size)
{
    struct tf_fetched vcek = {0};
    struct tf_fetched chain = {0};
    char path[PATH_SIZE];

    vcek_path(snp, product, path);
    tf_err err = tf_collateral_ask(source, path, TF_CERT_MAX, &vcek);
    if (err == TF_OK) {
        (void)snprintf(path, sizeof(path), "/vcek/v1/%s/cert_chain",
                       tf_root_product(product));
        err = tf_collateral_ask(source, path, CHAIN_MAX, &chain);
    }
    bool is_good = err == TF_OK && join(&vcek, &chain, out, size);
    tf_fetched_wipe(&vcek);
    tf_fetched_wipe(&chain);
    return is_good;
}

/* A report of version 2 does not say of which product it is. */
static bool fetch_certificates(const struct tf_collateral_source *source,
                               const struct tf_collateral_wanted *wanted,
                               const struct tf_snp_claims *snp, uint8_t **out,
                               size_t *size)
{
    static const tf_root products[] = {TF_ROOT_AMD_MILAN, TF_ROOT_AMD_GENOA,
                                       TF_ROOT_AMD_TURIN};
    struct tf_appraisal a;

    for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); i++) {
        if ((snp->product != TF_ROOT_NONE && snp->product != products[i]) ||
            !fetch_product(source, snp, products[i], out, size)) {
            continue;
        }
        const struct tf_bytes pem = {*out, *size};
        if (is_pem_good(wanted, &pem, &a)) {
            return true;
        }
        free(*out);
        *out = NULL;
    }
    (void)tf_report(TF_ECOLLATERAL_FETCH, "%s has no certificate for this processor",
                    source->service);
    return false;
}

static void keep(struct tf_collateral_found *out, uint8_t *data, size_t size,
                 tf_collateral_origin origin)
{
    out->snp[0] = data;
    out->snp_certificates = (struct tf_bytes){data, size};
    out->origin = origin;
}

/* They name a chip and its TCB, and hold for years: no age makes them worse. */
static tf_err find_certificates(const struct tf_collateral_source *source,
                                const struct tf_collateral_wanted *wanted,
                                const struct tf_snp_claims *snp,
                                struct tf_collateral_found *out)
{
    char name[TF_CACHE_NAME_MAX];
    char chip[2 * sizeof(snp->chip_id) + 1];
    char tcb[2 * sizeof(snp->reported_bytes) + 1];
    struct tf_appraisal a;
    uint8_t *data = NULL;
    size_t size = 0;

    tf_hex_write(snp->chip_id, sizeof(snp->chip_id), chip);
    tf_hex_write(snp->reported_bytes, sizeof(snp->reported_bytes), tcb);
    (void)snprintf(name, sizeof(name), "amd-%s-%s.pem", chip, tcb);
    if (tf_cache_load(source->cache, name, CHAIN_MAX, &data, &size, &out->fetched)) {
        const struct tf_bytes pem = {data, size};
        if (is_pem_good(wanted, &pem, &a)) {
            keep(out, data, size, TF_COLLATERAL_CACHE);
            return TF_OK;
        }
        free(data);
    }
    if (source->service == NULL || snp->is_vlek) {
        (void)tf_report(TF_ECOLLATERAL_FETCH,
                        "the host sent no certificates of the processor;"
                        " --collateral-service names a KDS, --collateral a file");
        return TF_ECOLLATERAL_FETCH;
    }
    if (!fetch_certificates(source, wanted, snp, &data, &size)) {
        return TF_ECOLLATERAL_FETCH;
    }
    keep(out, data, size, TF_COLLATERAL_SERVICE);
    out->fetched = wanted->time;
    tf_cache_store(source->cache, name, data, size);
    return TF_OK;
}

/* --- revocation --------------------------------------------------------------------- */

static bool is_crl_good(const struct tf_collateral_wanted *wanted,
                        const struct tf_bytes *pem, const struct tf_bytes *crl)
{
    struct tf_appraisal a;

    return is_chain_good(judge(wanted, pem, crl, &a));
}

/* A good list from the service that is not an older one, played back. */
static bool fetch_crl(const struct tf_collateral_source *source,
                      const struct tf_collateral_wanted *wanted,
                      const struct tf_bytes *pem, const char *path, int64_t newest,
                      struct tf_fetched *out)
{
    struct tf_fetched fetched = {0};

    if (tf_collateral_ask(source, path, TF_CRL_MAX, &fetched) != TF_OK) {
        return false;
    }
    const struct tf_bytes crl = {fetched.body, fetched.size};
    if (!is_crl_good(wanted, pem, &crl) || tf_collateral_crl_start(&crl) < newest) {
        tf_fetched_wipe(&fetched);
        return false;
    }
    *out = fetched;
    return true;
}

/* Without a list the report is judged without one, as the KDS may be out of reach. */
static void find_crl(const struct tf_collateral_source *source,
                     const struct tf_collateral_wanted *wanted,
                     const struct tf_bytes *pem, const struct tf_snp_claims *snp,
                     struct tf_collateral_found *out)
{
    const char *kind = snp->is_vlek ? "vlek" : "vcek";
    char name[TF_CACHE_NAME_MAX];
    char path[PATH_SIZE];
    struct tf_fetched fetched;
    uint8_t *data = NULL;
    size_t size = 0;
    int64_t when = 0;
    int64_t newest = INT64_MIN;

    (void)snprintf(name, sizeof(name), "amd-%s-%s.crl", kind,
                   tf_root_product(snp->product));
    (void)snprintf(path, sizeof(path), "/%s/v1/%s/crl", kind,
                   tf_root_product(snp->product));
    if (tf_cache_load(source->cache, name, TF_CRL_MAX, &data, &size, &when)) {
        const struct tf_bytes cached = {data, size};
        newest = is_crl_good(wanted, pem, &cached) ? tf_collateral_crl_start(&cached)
                                                   : INT64_MIN;
    }
    bool is_good = newest != INT64_MIN;
    if (source->service != NULL &&
        !(is_good && tf_collateral_is_young(source, when, wanted->time)) &&
        fetch_crl(source, wanted, pem, path, newest, &fetched)) {
        tf_cache_store(source->cache, name, fetched.body, fetched.size);
        free(data);
        data = fetched.body;
        size = fetched.size;
        free(fetched.issuer_chain);
        is_good = true;
    }
    if (!is_good) {
        free(data);
        return;
    }
    out->snp[1] = data;
    out->snp_crl = (struct tf_bytes){data, size};
}

static tf_err take_file(const char *path, struct tf_collateral_found *out)
{
    uint8_t *data = NULL;
    size_t size = 0;
    tf_err err = tf_file_read(path, CHAIN_MAX, &data, &size);

    if (err == TF_OK) {
        keep(out, data, size, TF_COLLATERAL_FILE);
    }
    return err;
}

tf_err tf_collateral_find_amd(const struct tf_collateral_source *source,
                              const struct tf_collateral_wanted *wanted,
                              struct tf_collateral_found *out)
{
    const struct tf_evidence *e = wanted->evidence;
    const struct tf_bytes own = {(const uint8_t *)e->certificates, e->certificates_size};
    const struct tf_bytes none = {NULL, 0};
    struct tf_appraisal a;

    if (judge(wanted, &none, &none, &a) != TF_ECOLLATERAL_FETCH) {
        return TF_OK; /* no report: no certificate makes it one */
    }
    if (own.size == 0) {
        tf_err err = source->file != NULL
                         ? take_file(source->file, out)
                         : find_certificates(source, wanted, &a.snp, out);
        if (err != TF_OK) {
            return err;
        }
    }
    const struct tf_bytes *pem = own.size > 0 ? &own : &out->snp_certificates;
    if (source->file == NULL && is_pem_good(wanted, pem, &a)) {
        find_crl(source, wanted, pem, &a.snp, out);
    }
    return TF_OK;
}
