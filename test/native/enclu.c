/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enclu.c - enclave/enclu.h for tests in an ordinary process: reports without a
 * meaningful MAC, keys that are a hash of all that EGETKEY would use.
 */
#include "enclave/enclu.h"

#include <stdalign.h>
#include <string.h>
#include <sys/random.h>

#include "lib/crypto.h"
#include "test/native/native.h"

/** As in enclave/enclu.c. */
int tf_seed(unsigned char *out, unsigned size);

struct tf_native_cpu tf_native_cpu = {.isv_svn = 1, .cpu_svn = 1};

static alignas(TF_PAGE) uint8_t page[TF_PAGE];

struct tf_thread_page *tf_self(void)
{
    return tf_native_cpu.self != NULL ? tf_native_cpu.self : (void *)page;
}

void tf_ereport(const struct sgx_target_info *target,
                const uint8_t report_data[static 64], struct sgx_report *out)
{
    memset(out, 0, sizeof(*out));
    memset(out->cpu_svn, tf_native_cpu.cpu_svn, sizeof(out->cpu_svn));
    memcpy(out->mrenclave, tf_native_cpu.mrenclave, sizeof(out->mrenclave));
    memcpy(out->config_id, tf_native_cpu.config_id, sizeof(out->config_id));
    out->attributes.flags = SGX_FLAGS_INIT | SGX_FLAGS_MODE64BIT | SGX_FLAGS_KSS;
    out->attributes.xfrm = TF_XFRM;
    out->isv_svn = tf_native_cpu.isv_svn;
    memcpy(out->report_data, report_data, sizeof(out->report_data));
    memcpy(out->mac, target->mrenclave, sizeof(out->mac));
}

/* A test's memory has been used before. */
void tf_accept(void *memory, size_t size)
{
    memset(memory, 0, size);
}

uint32_t tf_egetkey(const struct sgx_key_request *request, uint8_t key[static 16])
{
    struct tf_sha256 ctx;
    uint8_t digest[TF_SHA256_SIZE];

    if (request->isv_svn > tf_native_cpu.isv_svn) {
        return SGX_INVALID_ISVSVN;
    }
    for (size_t i = 0; i < sizeof(request->cpu_svn); i++) {
        if (request->cpu_svn[i] > tf_native_cpu.cpu_svn) {
            return SGX_INVALID_CPUSVN;
        }
    }
    tf_sha256_init(&ctx);
    tf_sha256_feed(&ctx, request, sizeof(*request));
    tf_sha256_feed(&ctx, tf_native_cpu.mrenclave, sizeof(tf_native_cpu.mrenclave));
    tf_sha256_feed(&ctx, tf_native_cpu.config_id, sizeof(tf_native_cpu.config_id));
    tf_sha256_take(&ctx, digest);
    memcpy(key, digest, 16);
    return SGX_SUCCESS;
}

int tf_seed(unsigned char *out, unsigned size)
{
    if (tf_native_cpu.is_repeatable) {
        for (unsigned i = 0; i < size; i++) {
            out[i] =
                (unsigned char)(i * 7 + i / 8 + 1); /* passes the DRBG's health test */
        }
        return 0;
    }
    return getrandom(out, size, 0) == (ssize_t)size ? 0 : -1;
}
