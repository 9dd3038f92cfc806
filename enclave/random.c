/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random.c - random numbers: wolfCrypt's Hash_DRBG (SP 800-90A), one per thread, seeded
 * and reseeded through tf_seed. Never from the host. Without entropy there is no enclave.
 */
#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/random.h>

#include "enclave/heap.h"
#include "enclave/js/env.h"
#include "enclave/local.h"
#include "enclave/panic.h"

enum { CHUNK = 4096 }; /* below RNG_MAX_BLOCK_LEN */

/* This thread's generator, made at its first use. */
static WC_RNG *generator(void)
{
    struct tf_local *local = tf_local_self();

    if (local->rng == NULL) {
        WC_RNG *rng = tf_heap_alloc(sizeof(*rng));
        if (rng == NULL || wc_InitRng(rng) != 0) {
            tf_panic(TF_PANIC_ENTROPY);
        }
        local->rng = rng;
    }
    return local->rng;
}

void tf_random(void *out, size_t size)
{
    WC_RNG *rng = generator();
    unsigned char *at = out;

    while (size != 0) {
        size_t part = size < CHUNK ? size : CHUNK;
        if (wc_RNG_GenerateBlock(rng, at, (word32)part) != 0) {
            tf_panic(TF_PANIC_ENTROPY);
        }
        at += part;
        size -= part;
    }
}
