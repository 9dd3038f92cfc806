/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigstruct.h - SIGSTRUCT (SDM 38.13): layout, the bytes that are signed, and EINIT's
 * checks. RSA itself needs big numbers: verification is here over lib/crypto_openssl's
 * BIGNUM backend (lib/rsa3.h); the private key stays in the CLI.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/sgx_load.h"
#include "lib/err.h"

enum { TF_SIGSTRUCT_SIGNED = 256 };

/** Fills header, masks (all ones) and identity; key, signature, Q1, Q2 stay zero. */
struct tf_sigstruct_identity {
    uint8_t mrenclave[32];
    uint16_t prod_id;
    uint16_t svn;            /* at least 1 */
    uint32_t date;           /* BCD yyyymmdd */
    uint8_t ext_prod_id[16]; /* KSS */
    uint8_t family_id[16];   /* KSS */
    bool insecure_debug;     /* the enclave is created with DEBUG: its memory is open */
};
void tf_sigstruct_init(struct sgx_sigstruct *sig, const struct sgx_secs *secs,
                       const struct tf_sigstruct_identity *identity);

/** The 256 bytes that are signed: [0, 128) and [900, 1028). */
void tf_sigstruct_message(const struct sgx_sigstruct *sig,
                          uint8_t message[static TF_SIGSTRUCT_SIGNED]);

/** SHA-256 of the modulus as stored. */
void tf_sigstruct_mrsigner(const struct sgx_sigstruct *sig, uint8_t mrsigner[static 32]);

/**
 * EINIT's checks in the SDM's order, without launch control.
 * @param secs  as given to ECREATE, MRENCLAVE filled with what was measured.
 * @return SGX_SUCCESS, SGX_INVALID_SIG_STRUCT, SGX_INVALID_SIGNATURE (RSA, Q1 or Q2),
 *         SGX_INVALID_MEASUREMENT, SGX_INVALID_ATTRIBUTE.
 */
TF_MUST_USE uint32_t tf_sigstruct_einit(const struct sgx_sigstruct *sig,
                                        const struct sgx_secs *secs);
