/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aes_vaes.h - AES-GCM of what is long, with VAES and VPCLMULQDQ in vectors of 256 bits:
 * twice as fast as wolfSSL's own code, which stays for what is short and for processors
 * without them. Both compute the same. Called by aes.c alone (0007-gcm-with-vaes.patch).
 */
#pragma once

#include <wolfssl/wolfcrypt/aes.h>

/** Whether a message of `size` bytes is for the functions below: it is long, its nonce
 *  has 12 bytes, and cpuid_get_flags() has CPUID_VAES just now. */
int tf_vaes_fits(const Aes *aes, word32 size, word32 iv_size);

/** As wc_AesGcmEncrypt, for what fits. `out` is `in`, or another place. */
void tf_vaes_encrypt(Aes *aes, byte *out, const byte *in, word32 size, const byte *iv,
                     byte *tag, word32 tag_size, const byte *aad, word32 aad_size);

/** As wc_AesGcmDecrypt, for what fits; what does not verify is wiped again.
 *  @return 0 or AES_GCM_AUTH_E */
int tf_vaes_decrypt(Aes *aes, byte *out, const byte *in, word32 size, const byte *iv,
                    const byte *tag, word32 tag_size, const byte *aad, word32 aad_size);
