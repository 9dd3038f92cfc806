/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - what a relying party accepts: which enclaves, for which trust domain, signed
 * by whom. The file is the verifier's own; still it is parsed strictly (doc/formats.md,
 * Policy).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "lib/crypto.h"
#include "lib/err.h"

enum { TF_MEASUREMENTS_MAX = 16, TF_POLICY_MAX = 16 << 10 };

struct tf_policy {
    uint8_t measurements[TF_MEASUREMENTS_MAX][32]; /* accepted MRENCLAVE; count 0: any */
    size_t measurement_count;
    bool has_signer; /* then MRSIGNER, ISVPRODID and ISVSVN are checked */
    uint8_t signer[32];
    uint16_t product;
    uint16_t min_svn;
    uint8_t domain[32]; /* SHA-256 of the descriptor */
    char publishers[TF_PUBLISHERS_MAX][2 * TF_SHA256_SIZE + 1]; /* may have signed */
    size_t publisher_count;
    uint8_t sim_root[TF_SPKI_MAX]; /* Ed25519 SPKI of a simulator */
    size_t sim_root_size;          /* 0: no simulator is trusted */
};

/** Parses a policy file. @return TF_OK or TF_EPOLICY_FORMAT. Owns nothing afterwards. */
TF_MUST_USE tf_err tf_policy_parse(const char *text, size_t size, struct tf_policy *out);
