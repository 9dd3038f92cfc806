/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpu.c - enclave/enclu.h without ENCLU. A report has the layout of SGX's, says what the
 * host half was told to measure, and carries no MAC: the evidence over its REPORTDATA is
 * made by the VM's hardware (or, on a simulated one, by nobody), never by this process.
 * Sealing keys come from a key of the place, if it has one.
 */
#include "enclave/enclu.h"

#include <string.h>
#include <sys/random.h>

#include "enclave/native/place.h"
#include "lib/crypto.h"

/** As in enclave/enclu.c: entropy for the DRBG, here the kernel's of the protected VM. */
int tf_seed(unsigned char *out, unsigned size);

static __thread struct tf_thread_page *own_page;

void tf_native_be(struct tf_thread_page *page)
{
    own_page = page;
}

struct tf_thread_page *tf_self(void)
{
    return own_page;
}

void tf_ereport(const struct sgx_target_info *target,
                const uint8_t report_data[static 64], struct sgx_report *out)
{
    const struct tf_native_place *place = tf_native_place();

    (void)target;
    memset(out, 0, sizeof(*out));
    memcpy(out->mrenclave, place->measurement, sizeof(place->measurement));
    memcpy(out->config_id, place->config_id, sizeof(out->config_id));
    memcpy(out->report_data, report_data, sizeof(out->report_data));
}

/* What mmap gave is zeros that the kernel brings when they are touched. */
void tf_accept(void *memory, size_t size)
{
    (void)memory;
    (void)size;
}

/* Bound to measurement and trust domain, as the policy of enclave/seal.c asks. */
uint32_t tf_egetkey(const struct sgx_key_request *request, uint8_t key[static 16])
{
    const struct tf_native_place *place = tf_native_place();
    struct tf_sha256 ctx;
    uint8_t digest[TF_SHA256_SIZE];

    if (!place->has_seal) {
        return SGX_INVALID_KEYNAME;
    }
    tf_sha256_init(&ctx);
    tf_sha256_feed(&ctx, place->seal, sizeof(place->seal));
    tf_sha256_feed(&ctx, request, sizeof(*request));
    tf_sha256_feed(&ctx, place->measurement, sizeof(place->measurement));
    tf_sha256_feed(&ctx, place->config_id, sizeof(place->config_id));
    tf_sha256_take(&ctx, digest);
    memcpy(key, digest, 16);
    tf_wipe(digest, sizeof(digest));
    return SGX_SUCCESS;
}

int tf_seed(unsigned char *out, unsigned size)
{
    while (size != 0) {
        ssize_t got = getrandom(out, size, 0);
        if (got <= 0) {
            return -1;
        }
        out += got;
        size -= (unsigned)got;
    }
    return 0;
}
