/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aes_vaes.c - see aes_vaes.h. The assembly is BoringSSL's, from the source of ring
 * (deps/lock). It takes whole blocks; here is what that leaves: the powers of the hash
 * key, the associated data, the last block and the tag (NIST SP 800-38D, section 7).
 */
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/cpuid.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#define WOLFSSL_MISC_INCLUDED
#include <wolfcrypt/src/misc.c>

#include "aes_vaes.h"

enum {
    BLOCK = AES_BLOCK_SIZE,
    LONG = 512 /* bytes; below, what is done in C here costs more than it gains */
};

/* The assembly. `powers` is aes->gcm.powers; `hash` what GHASH has come to, as bytes. */
void gcm_init_vpclmulqdq_avx2(void *powers, const word64 key[2]);
void gcm_ghash_vpclmulqdq_avx2_1(byte *hash, const void *powers, const byte *block,
                                 size_t size);
/* Whole blocks, at least one; the first is encrypted with `counter`. */
void aes_gcm_enc_update_vaes_avx2(const byte *in, byte *out, size_t size,
                                  const word32 *key, const byte *counter,
                                  const void *powers, byte *hash);
void aes_gcm_dec_update_vaes_avx2(const byte *in, byte *out, size_t size,
                                  const word32 *key, const byte *counter,
                                  const void *powers, byte *hash);
/* wolfSSL's, of aes_asm.S. */
void AES_ECB_encrypt_AESNI(const byte *in, byte *out, unsigned long size, const byte *key,
                           int rounds);

/* A message on its way. */
struct gcm {
    Aes *aes;
    byte counter[BLOCK];
    byte hash[BLOCK];
    byte mask[BLOCK]; /* of the tag */
};

int tf_vaes_fits(const Aes *aes, word32 size, word32 iv_size)
{
    return size >= LONG && iv_size == GCM_NONCE_MID_SZ && aes->use_aesni &&
           (cpuid_get_flags() & CPUID_VAES) != 0;
}

static void put_number(byte *to, word64 number)
{
    number = ByteReverseWord64(number);
    XMEMCPY(to, &number, sizeof(number));
}

/* A block of the key stream; the counter goes on. */
static void next_mask(struct gcm *gcm, word32 counter, byte *mask)
{
    counter = ByteReverseWord32(counter);
    XMEMCPY(gcm->counter + GCM_NONCE_MID_SZ, &counter, sizeof(counter));
    AES_ECB_encrypt_AESNI(gcm->counter, mask, BLOCK, (const byte *)gcm->aes->key,
                          (int)gcm->aes->rounds);
}

/* Hashes at most a block, and zeros up to its end. */
static void hash_block(struct gcm *gcm, const byte *data, word32 size)
{
    byte block[BLOCK] = {0};

    XMEMCPY(block, data, size);
    gcm_ghash_vpclmulqdq_avx2_1(gcm->hash, gcm->aes->gcm.powers, block, BLOCK);
}

static void begin(struct gcm *gcm, Aes *aes, const byte *iv, const byte *aad,
                  word32 aad_size)
{
    const word32 first = 1;

    XMEMSET(gcm, 0, sizeof(*gcm));
    gcm->aes = aes;
    if (!aes->gcm.hasPowers) {
        word64 key[2];
        XMEMCPY(key, aes->gcm.H, sizeof(key));
        ByteReverseWords64(key, key, sizeof(key));
        gcm_init_vpclmulqdq_avx2(aes->gcm.powers, key);
        aes->gcm.hasPowers = 1;
        ForceZero(key, sizeof(key));
    }
    XMEMCPY(gcm->counter, iv, GCM_NONCE_MID_SZ);
    next_mask(gcm, first, gcm->mask);
    gcm->counter[BLOCK - 1]++; /* of the message's first block */
    while (aad_size > 0) {
        word32 part = aad_size < BLOCK ? aad_size : BLOCK;
        hash_block(gcm, aad, part);
        aad += part;
        aad_size -= part;
    }
}

/* What is left of the message behind its whole blocks. */
static void last_block(struct gcm *gcm, byte *out, const byte *in, word32 whole,
                       word32 size, int is_encrypting)
{
    byte mask[BLOCK];
    byte cipher[BLOCK];

    if (size == whole) {
        return;
    }
    next_mask(gcm, 2 + whole / BLOCK, mask);
    for (word32 i = 0; i < size - whole; i++) {
        byte from = in[whole + i];
        out[whole + i] = from ^ mask[i];
        cipher[i] = is_encrypting ? out[whole + i] : from;
    }
    hash_block(gcm, cipher, size - whole);
    ForceZero(mask, sizeof(mask));
}

/* Leaves the tag in gcm->hash. */
static void finish(struct gcm *gcm, word32 aad_size, word32 size)
{
    byte lengths[BLOCK];

    put_number(lengths, (word64)aad_size * 8);
    put_number(lengths + sizeof(word64), (word64)size * 8);
    hash_block(gcm, lengths, sizeof(lengths));
    xorbuf(gcm->hash, gcm->mask, BLOCK);
    ForceZero(gcm->mask, BLOCK);
}

void tf_vaes_encrypt(Aes *aes, byte *out, const byte *in, word32 size, const byte *iv,
                     byte *tag, word32 tag_size, const byte *aad, word32 aad_size)
{
    const word32 whole = size / BLOCK * BLOCK;
    struct gcm gcm;

    begin(&gcm, aes, iv, aad, aad_size);
    aes_gcm_enc_update_vaes_avx2(in, out, whole, aes->key, gcm.counter, aes->gcm.powers,
                                 gcm.hash);
    last_block(&gcm, out, in, whole, size, 1);
    finish(&gcm, aad_size, size);
    XMEMCPY(tag, gcm.hash, tag_size);
}

int tf_vaes_decrypt(Aes *aes, byte *out, const byte *in, word32 size, const byte *iv,
                    const byte *tag, word32 tag_size, const byte *aad, word32 aad_size)
{
    const word32 whole = size / BLOCK * BLOCK;
    struct gcm gcm;

    begin(&gcm, aes, iv, aad, aad_size);
    aes_gcm_dec_update_vaes_avx2(in, out, whole, aes->key, gcm.counter, aes->gcm.powers,
                                 gcm.hash);
    last_block(&gcm, out, in, whole, size, 0);
    finish(&gcm, aad_size, size);
    if (ConstantCompare(gcm.hash, tag, (int)tag_size) != 0) {
        ForceZero(out, size);
        return AES_GCM_AUTH_E;
    }
    return 0;
}
