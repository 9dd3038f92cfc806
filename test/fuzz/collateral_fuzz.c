/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile collateral. The first byte says which parser reads the rest: the file, TCB
 * info, an enclave identity, a PCK certificate, a revocation list, a service's response,
 * a policy.
 */
#include <stdlib.h>
#include <string.h>

#include "verify/chain.h"
#include "verify/collateral.h"
#include "verify/pck.h"
#include "verify/policy.h"
#include "verify/tcb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_file(const char *text, size_t size)
{
    struct tf_collateral c;

    if (tf_collateral_parse(text, size, &c) == TF_OK) {
        tf_collateral_wipe(&c);
    }
}

static void read_info(const char *text, size_t size)
{
    struct tf_tcb_info info;
    struct tf_tcb_level level;
    struct tf_advisories advisories = {0};
    uint8_t components[TF_TCB_COMPONENTS];
    struct tf_td_body td = {.tee_tcb_svn = {3, 1, 3}};
    const struct tf_tcb_state state = {components, 11, &td};
    bool has_level = false;

    memset(components, 5, sizeof(components));
    if (tf_tcb_info_parse(text, size, &info) != TF_OK) {
        return;
    }
    (void)!tf_tcb_match(&info, &state, &level, &advisories);
    (void)!tf_tcb_match_module(&info, &td, &has_level, &level, &advisories);
    if (advisories.count > TF_ADVISORIES_MAX) {
        __builtin_trap();
    }
    tf_tcb_info_wipe(&info);
}

static void read_identity(const char *text, size_t size)
{
    struct tf_identity identity;
    struct tf_tcb_level level;
    struct tf_advisories advisories = {0};
    uint8_t report[TF_QE_REPORT_SIZE] = {0};

    if (tf_identity_parse(text, size, &identity) == TF_OK) {
        memcpy(report + 128, identity.mrsigner, sizeof(identity.mrsigner));
        memcpy(report + 48, identity.attributes, sizeof(identity.attributes));
        (void)!tf_identity_match(&identity, report, &level, &advisories);
        tf_identity_wipe(&identity);
    }
}

static void read_certificate(const struct tf_bytes *bytes)
{
    struct tf_chain chain = {0};
    struct tf_pck pck;

    if (tf_chain_add(&chain, bytes) == TF_OK) {
        (void)!tf_pck_parse(chain.certs[0], &pck);
    }
    tf_chain_wipe(&chain);
}

static void read_list(const struct tf_bytes *bytes)
{
    X509_CRL *crl = NULL;

    if (tf_crl_parse(bytes, &crl) == TF_OK) {
        (void)tf_crl_end(crl);
        X509_CRL_free(crl);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const char *text = (const char *)data + 1;
    const struct tf_bytes bytes = {data + 1, size - 1};
    struct tf_bytes body;
    char signature[2 * TF_P256_SIGNATURE_SIZE + 1];
    static struct tf_policy policy;

    switch (data[0] % 7) {
    case 0:
        read_file(text, size - 1);
        break;
    case 1:
        read_info(text, size - 1);
        break;
    case 2:
        read_identity(text, size - 1);
        break;
    case 3:
        read_certificate(&bytes);
        break;
    case 4:
        read_list(&bytes);
        break;
    case 5:
        (void)!tf_collateral_split(text, size - 1, "tcbInfo", &body, signature);
        break;
    default:
        (void)!tf_policy_parse(text, size - 1, &policy);
    }
    return 0;
}
