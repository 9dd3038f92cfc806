/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sigstruct.h"

#include <stdbool.h>
#include <string.h>

#include "lib/crypto.h"
#include "lib/rsa3.h"

enum { SIGNED_HEAD = 128, EXPONENT = 3, VENDOR_INTEL = 0x8086 };

static const uint8_t header[16] = {6, 0, 0, 0, 0xe1, 0, 0, 0, 0, 0, 1};
static const uint8_t header2[16] = {1, 1, 0, 0, 0x60, 0, 0, 0, 0x60, 0, 0, 0, 1};

void tf_sigstruct_init(struct sgx_sigstruct *sig, const struct sgx_secs *secs,
                       const struct tf_sigstruct_identity *identity)
{
    memset(sig, 0, sizeof(*sig));
    memcpy(sig->header, header, sizeof(header));
    memcpy(sig->header2, header2, sizeof(header2));
    sig->date = identity->date;
    sig->exponent = EXPONENT;
    sig->miscselect = secs->miscselect;
    sig->miscmask = UINT32_MAX;
    sig->attributes = secs->attributes;
    sig->attributes.flags |= identity->insecure_debug ? (uint64_t)SGX_FLAGS_DEBUG : 0;
    sig->attribute_mask.flags = UINT64_MAX;
    sig->attribute_mask.xfrm = UINT64_MAX;
    memcpy(sig->enclave_hash, identity->mrenclave, sizeof(sig->enclave_hash));
    memcpy(sig->isv_ext_prod_id, identity->ext_prod_id, sizeof(sig->isv_ext_prod_id));
    memcpy(sig->isv_family_id, identity->family_id, sizeof(sig->isv_family_id));
    sig->isv_prod_id = identity->prod_id;
    sig->isv_svn = identity->svn;
}

void tf_sigstruct_message(const struct sgx_sigstruct *sig,
                          uint8_t message[static TF_SIGSTRUCT_SIGNED])
{
    const size_t body = offsetof(struct sgx_sigstruct, miscselect);
    memcpy(message, sig, SIGNED_HEAD);
    memcpy(message + SIGNED_HEAD, (const uint8_t *)sig + body,
           TF_SIGSTRUCT_SIGNED - SIGNED_HEAD);
}

void tf_sigstruct_mrsigner(const struct sgx_sigstruct *sig, uint8_t mrsigner[static 32])
{
    tf_sha256(sig->modulus, sizeof(sig->modulus), mrsigner);
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    uint8_t seen = 0;
    for (size_t i = 0; i < size; i++) {
        seen |= bytes[i];
    }
    return seen == 0;
}

/* The first check of EINIT in the SDM. We use no CET, so its two fields count as
 * reserved. */
static bool is_structure_good(const struct sgx_sigstruct *sig)
{
    return memcmp(sig->header, header, sizeof(header)) == 0 &&
           memcmp(sig->header2, header2, sizeof(header2)) == 0 &&
           (sig->vendor == 0 || sig->vendor == VENDOR_INTEL) &&
           sig->exponent == EXPONENT && is_zero(sig->reserved1, sizeof(sig->reserved1)) &&
           is_zero(sig->reserved2, sizeof(sig->reserved2)) &&
           is_zero(sig->reserved3, sizeof(sig->reserved3)) &&
           is_zero(sig->reserved4, sizeof(sig->reserved4));
}

static bool is_signature_good(const struct sgx_sigstruct *sig)
{
    struct tf_rsa3_signature rsa;
    uint8_t message[TF_SIGSTRUCT_SIGNED];
    memcpy(rsa.modulus, sig->modulus, TF_RSA3_SIZE);
    memcpy(rsa.signature, sig->signature, TF_RSA3_SIZE);
    memcpy(rsa.q1, sig->q1, TF_RSA3_SIZE);
    memcpy(rsa.q2, sig->q2, TF_RSA3_SIZE);
    tf_sigstruct_message(sig, message);
    return tf_rsa3_check(&rsa, message, sizeof(message)) == TF_OK;
}

uint32_t tf_sigstruct_einit(const struct sgx_sigstruct *sig, const struct sgx_secs *secs)
{
    if (!is_structure_good(sig)) {
        return SGX_INVALID_SIG_STRUCT;
    }
    if (!is_signature_good(sig)) {
        return SGX_INVALID_SIGNATURE;
    }
    if ((secs->attributes.flags & SGX_FLAGS_KSS) == 0 &&
        (!is_zero(sig->isv_family_id, sizeof(sig->isv_family_id)) ||
         !is_zero(sig->isv_ext_prod_id, sizeof(sig->isv_ext_prod_id)))) {
        return SGX_INVALID_SIG_STRUCT;
    }
    if (memcmp(sig->enclave_hash, secs->mrenclave, sizeof(sig->enclave_hash)) != 0) {
        return SGX_INVALID_MEASUREMENT;
    }
    uint64_t flags = secs->attributes.flags ^ sig->attributes.flags;
    uint64_t xfrm = secs->attributes.xfrm ^ sig->attributes.xfrm;
    uint32_t misc = secs->miscselect ^ sig->miscselect;
    if ((flags & sig->attribute_mask.flags) != 0 ||
        (xfrm & sig->attribute_mask.xfrm) != 0 || (misc & sig->miscmask) != 0) {
        return SGX_INVALID_ATTRIBUTE;
    }
    return SGX_SUCCESS;
}
