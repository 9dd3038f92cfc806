/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/enclu.h"

#include <stdalign.h>
#include <stdbool.h>
#include <string.h>

#include "enclave/panic.h"
#include "lib/crypto.h"

enum { TRIES = 10, SEED_TRIES = 1000, WORD = 8 };

/** Seed bytes from RDSEED, falling back to RDRAND, with retries and a stuck-value check.
 * The dependencies call it by name and declare it (deps/wolfssl, deps/jansson).
 *  @return 0, or -1: do not go on. */
int tf_seed(unsigned char *out, unsigned size);

/** In gate.S. */
uint64_t tf_enclu(uint64_t leaf, uint64_t rbx, uint64_t rcx, uint64_t rdx);

struct tf_thread_page *tf_self(void)
{
    struct tf_thread_page *page;

    __asm__("movq %%fs:0, %0" : "=r"(page)); /* page->self */
    return page;
}

void tf_ereport(const struct sgx_target_info *target,
                const uint8_t report_data[static 64], struct sgx_report *out)
{
    alignas(512) struct sgx_target_info aligned_target = *target;
    alignas(128) uint8_t aligned_data[64];
    alignas(512) struct sgx_report report;

    memcpy(aligned_data, report_data, sizeof(aligned_data));
    memset(&report, 0, sizeof(report));
    (void)tf_enclu(SGX_EREPORT, (uint64_t)(uintptr_t)&aligned_target,
                   (uint64_t)(uintptr_t)aligned_data, (uint64_t)(uintptr_t)&report);
    *out = report;
    tf_wipe(aligned_data, sizeof(aligned_data));
    tf_wipe(&report, sizeof(report));
}

uint32_t tf_egetkey(const struct sgx_key_request *request, uint8_t key[static 16])
{
    alignas(512) struct sgx_key_request aligned_request = *request;
    alignas(16) uint8_t aligned_key[16] = {0};

    uint64_t code = tf_enclu(SGX_EGETKEY, (uint64_t)(uintptr_t)&aligned_request,
                             (uint64_t)(uintptr_t)aligned_key, 0);
    if (code == SGX_SUCCESS) {
        memcpy(key, aligned_key, sizeof(aligned_key));
    }
    tf_wipe(aligned_key, sizeof(aligned_key));
    tf_wipe(&aligned_request, sizeof(aligned_request));
    return (uint32_t)code;
}

void tf_accept(void *memory, size_t size)
{
    alignas(64) const struct {
        uint64_t flags;
        uint64_t reserved[7];
    } secinfo = {.flags = SGX_SECINFO_NEW};
    uint64_t address = (uint64_t)(uintptr_t)memory;

    for (uint64_t end = address + size; address < end; address += TF_PAGE) {
        if (tf_enclu(SGX_EACCEPT, (uint64_t)(uintptr_t)&secinfo, address, 0) !=
            SGX_SUCCESS) {
            tf_panic(TF_PANIC_ACCEPT);
        }
    }
}

static bool rdseed(uint64_t *out)
{
    uint64_t value;
    unsigned char is_good;

    __asm__ volatile("rdseed %0; setc %1" : "=r"(value), "=qm"(is_good) : : "cc");
    *out = value;
    return is_good != 0;
}

static bool rdrand(uint64_t *out)
{
    uint64_t value;
    unsigned char is_good;

    __asm__ volatile("rdrand %0; setc %1" : "=r"(value), "=qm"(is_good) : : "cc");
    *out = value;
    return is_good != 0;
}

/* RDSEED may run dry when all cores ask; RDRAND (itself seeded by it) is the fallback. */
static bool draw(uint64_t *out)
{
    for (int i = 0; i < SEED_TRIES; i++) {
        if (rdseed(out)) {
            return true;
        }
        __builtin_ia32_pause();
    }
    for (int i = 0; i < TRIES; i++) {
        if (rdrand(out)) {
            return true;
        }
    }
    return false;
}

int tf_seed(unsigned char *out, unsigned size)
{
    uint64_t last = 0;

    for (unsigned at = 0; at < size; at += WORD) {
        uint64_t word;
        /* A stuck generator: some gave all ones after resume, some zeros
         * (CVE-2025-62626). A good one fails this with a probability of 3 in 2^64. */
        if (!draw(&word) || word == last || word == 0 || word == UINT64_MAX) {
            return -1;
        }
        last = word;
        memcpy(out + at, &word, size - at < WORD ? size - at : WORD);
    }
    return 0;
}
