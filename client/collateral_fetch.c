/* SPDX-License-Identifier: Apache-2.0 */
#include "client/collateral_fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/collateral_vendor.h"
#include "client/report.h"

tf_err tf_collateral_find(const struct tf_collateral_source *source,
                          const struct tf_collateral_wanted *wanted,
                          struct tf_collateral_found *out)
{
    memset(out, 0, sizeof(*out));
    switch (wanted->evidence->kind) {
    case TF_EVIDENCE_DCAP:
        return tf_collateral_find_intel(source, wanted, out);
    case TF_EVIDENCE_SNP:
        return tf_collateral_find_amd(source, wanted, out);
    case TF_EVIDENCE_SIMULATED:
    case TF_EVIDENCE_SIMULATED_NATIVE:
        break;
    }
    return TF_OK; /* nobody vouches for it, so nobody is asked */
}

void tf_collateral_found_wipe(struct tf_collateral_found *found)
{
    if (found->has_intel) {
        tf_collateral_wipe(&found->intel);
    }
    free(found->text);
    free(found->snp[0]);
    free(found->snp[1]);
    memset(found, 0, sizeof(*found));
}

bool tf_collateral_is_blamed(tf_err reason)
{
    return reason >= TF_ECHAIN_FORMAT && reason <= TF_ECOLLATERAL_OLD &&
           reason != TF_ECHAIN_REVOKED;
}

bool tf_collateral_is_young(const struct tf_collateral_source *source, int64_t fetched,
                            int64_t time)
{
    int64_t age = time - fetched;

    /* A clock that was turned back says nothing about age. */
    return source->max_age == 0 || (age >= 0 && age <= source->max_age);
}

int64_t tf_collateral_crl_start(const struct tf_bytes *der)
{
    X509_CRL *crl = NULL;
    int64_t start = INT64_MIN;

    if (tf_crl_parse(der, &crl) == TF_OK) {
        start = tf_crl_start(crl);
        X509_CRL_free(crl);
    }
    return start;
}

/* Without what people copy along with it. */
static int base_size(const char *service)
{
    static const char path[] = "/sgx/certification/v4";
    enum { PATH_SIZE = sizeof(path) - 1 };
    size_t size = strlen(service);

    while (size > 0 && service[size - 1] == '/') {
        size--;
    }
    if (size >= PATH_SIZE && strncmp(service + size - PATH_SIZE, path, PATH_SIZE) == 0) {
        size -= PATH_SIZE;
    }
    return (int)size;
}

tf_err tf_collateral_ask(const struct tf_collateral_source *source, const char *path,
                         size_t max, struct tf_fetched *out)
{
    char url[TF_URL_TEXT_MAX];
    const struct tf_fetch what = {.url = url, .cacert = source->cacert, .max = max};

    if (snprintf(url, sizeof(url), "%.*s%s", base_size(source->service), source->service,
                 path) >= (int)sizeof(url)) {
        (void)tf_report(TF_EUSAGE, "%s: too long for a service", source->service);
        return TF_EUSAGE;
    }
    return tf_fetch(&what, out);
}
