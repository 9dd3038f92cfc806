/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enclu.c - enclave/enclu.h for tests in an ordinary process: one thread, reports without
 * a meaningful MAC, keys that are a hash of the request.
 */
#include "enclave/enclu.h"

#include <string.h>
#include <sys/random.h>

#include "lib/crypto.h"

static _Alignas(TF_PAGE) uint8_t page[TF_PAGE];

struct tf_thread_page *tf_self(void)
{
    return (void *)page;
}

void tf_ereport(const struct sgx_target_info *target,
                const uint8_t report_data[static 64], struct sgx_report *out)
{
    memset(out, 0, sizeof(*out));
    memset(out->cpu_svn, 1, sizeof(out->cpu_svn));
    out->attributes.flags = SGX_FLAGS_INIT | SGX_FLAGS_MODE64BIT | SGX_FLAGS_KSS;
    out->attributes.xfrm = TF_XFRM;
    out->isv_svn = 1;
    memcpy(out->report_data, report_data, sizeof(out->report_data));
    memcpy(out->mac, target->mrenclave, sizeof(out->mac));
}

uint32_t tf_egetkey(const struct sgx_key_request *request, uint8_t key[static 16])
{
    uint8_t digest[TF_SHA256_SIZE];

    tf_sha256(request, sizeof(*request), digest);
    memcpy(key, digest, 16);
    return SGX_SUCCESS;
}

int tf_seed(unsigned char *out, unsigned size)
{
    return getrandom(out, size, 0) == (ssize_t)size ? 0 : -1;
}
