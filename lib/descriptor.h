/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptor.h - a trust domain: whose code one enclave instance may run. The SHA-256 of the
 * descriptor's bytes is bound into the enclave at creation (KSS CONFIGID, first 32 bytes, rest
 * zero), so an escaped lambda cannot lie about it. Format: doc/formats.md.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "lib/crypto.h"
#include "lib/err.h"

struct tf_publisher {
    uint8_t spki[TF_SPKI_MAX]; /* DER SubjectPublicKeyInfo */
    size_t spki_size;
    char keyid[2 * TF_SHA256_SIZE + 1]; /* hex SHA-256 of spki */
};

struct tf_descriptor {
    char name[TF_NAME_MAX + 1];
    struct tf_publisher publishers[TF_PUBLISHERS_MAX]; /* may sign bundles and grants */
    size_t publisher_count;
    uint8_t sha256[TF_SHA256_SIZE]; /* of the text */
};

/** Parses untrusted text. @return TF_OK or TF_EDOMAIN_FORMAT. Owns nothing afterwards. */
TF_MUST_USE tf_err tf_descriptor_parse(const char *text, size_t size,
                                       struct tf_descriptor *out);
