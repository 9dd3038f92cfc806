/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pck.h - what Intel's PCK certificate says about the platform: its SGX extension
 * (1.2.840.113741.1.13.1, "SGX PCK Certificate and CRL Profile", section 1.3.5).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "lib/err.h"

struct tf_pck {
    uint8_t ppid[16];
    uint8_t component_svn[16];
    uint16_t pce_svn;
    uint8_t cpu_svn[16];
    uint8_t pce_id[2];
    uint8_t fmspc[6];
    uint8_t sgx_type;  /* 0 standard, 1 scalable, 2 scalable with integrity */
    bool has_instance; /* the next four are there: multi-package platforms */
    uint8_t instance_id[16];
    bool is_dynamic;
    bool has_cached_keys;
    bool has_smt;
};

/** Reads the extension of a certificate. @return TF_OK or TF_ECHAIN_FORMAT. */
TF_MUST_USE tf_err tf_pck_parse(const X509 *cert, struct tf_pck *out);
