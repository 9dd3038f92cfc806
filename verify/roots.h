/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roots.h - the vendors' root keys, built in. A chain is worth something only if it ends
 * at one of them: the certificate around the key is checked too, but names nobody.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TF_ROOT_SIZE = 32, TF_INSECURE_ROOTS_MAX = 4 };

/** What a root's key may certify. */
typedef enum tf_root {
    TF_ROOT_NONE,
    TF_ROOT_INTEL_SGX, /* PCKs, TCB info, QE identities of SGX and TDX */
    TF_ROOT_AMD_MILAN,
    TF_ROOT_AMD_GENOA, /* also Bergamo and Siena */
    TF_ROOT_AMD_TURIN
} tf_root;

/** The root with this SHA-256 of its DER SubjectPublicKeyInfo, or TF_ROOT_NONE. */
tf_root tf_root_find(const uint8_t spki_sha256[static TF_ROOT_SIZE]);

/** Whether `hash` is among `count` keys that a policy names for tests only. */
bool tf_root_is_listed(const uint8_t hash[static TF_ROOT_SIZE],
                       const uint8_t (*list)[TF_ROOT_SIZE], size_t count);
