/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/panic.h"

#include "enclave/entry.h"
#include "lib/err.h"

_Noreturn void tf_panic(unsigned code)
{
    __atomic_store_n(&tf_dead, (uint32_t)TF_EINTERNAL, __ATOMIC_SEQ_CST);
    for (;;) {
        __asm__ volatile("ud2" : : "D"((uint64_t)code));
    }
}
