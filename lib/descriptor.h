/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptor.h - a trust domain: whose code one enclave instance may run. The SHA-256 of the
 * descriptor's bytes is bound into the enclave at creation (KSS CONFIGID, first 32 bytes, rest
 * zero), so an escaped lambda cannot lie about it. Format: doc/formats.md.
 *
 * Publishers sign everything. Attesters sign grants and leases only: what lets a lambda
 * serve, never what runs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "lib/crypto.h"
#include "lib/err.h"

/** A key that may sign: a publisher's or an attester's. */
struct tf_publisher {
    uint8_t spki[TF_SPKI_MAX]; /* DER SubjectPublicKeyInfo */
    size_t spki_size;
    char keyid[2 * TF_SHA256_SIZE + 1]; /* hex SHA-256 of spki */
};

struct tf_descriptor {
    char name[TF_NAME_MAX + 1];
    struct tf_publisher publishers[TF_PUBLISHERS_MAX]; /* may sign bundles and grants */
    size_t publisher_count;
    struct tf_publisher attesters[TF_ATTESTERS_MAX]; /* may sign grants and leases */
    size_t attester_count;
    bool is_shared; /* may share an enclave with other domains that say so */
    uint8_t sha256[TF_SHA256_SIZE]; /* of the text */
};

/** Parses untrusted text. @return TF_OK or TF_EDOMAIN_FORMAT. Owns nothing afterwards. */
TF_MUST_USE tf_err tf_descriptor_parse(const char *text, size_t size,
                                       struct tf_descriptor *out);

/** The key of this id that may sign: a publisher's or, if `with_attesters`, an attester's.
 *  @return borrowed from the domain; NULL if there is none. */
const struct tf_publisher *tf_descriptor_find(const struct tf_descriptor *domain,
                                              const char *keyid, bool with_attesters);
