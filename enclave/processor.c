/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/processor.h"

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/cpuid.h>

#include "abi/channel.h"

void tf_processor_hint(uint32_t insecure_features)
{
    cpuid_select_flags(((insecure_features & TF_PROCESSOR_SHA) != 0 ? CPUID_SHA : 0U) |
                       ((insecure_features & TF_PROCESSOR_VAES) != 0 ? CPUID_VAES : 0U));
}
