/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptor.h - a trust domain: whose code one enclave instance may run. The SHA-256 of
 * the descriptor's bytes is bound into the enclave at creation (KSS CONFIGID, first 32
 * bytes, rest zero), so an escaped lambda cannot lie about it. Format: doc/formats.md.
 *
 * Publishers sign everything. Attesters sign grants and leases only: what lets a lambda
 * serve, never what runs.
 *
 * Domains that all say so may share an enclave: then the bytes are a group of
 * descriptors, and each key counts for what belongs to its own member only.
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
    size_t member;                      /* whose key it is */
};

/** One domain. */
struct tf_member {
    char name[TF_NAME_MAX + 1];
    bool is_shared; /* may share an enclave with other domains that say so */
    uint8_t sha256[TF_SHA256_SIZE]; /* of its descriptor's text */
};

/** A domain, or a group of them. The keys are in the order of the members. */
struct tf_descriptor {
    struct tf_member members[TF_MEMBERS_MAX];
    size_t member_count; /* 1, or in a group 2 and more */
    struct tf_publisher publishers[TF_GROUP_PUBLISHERS_MAX]; /* sign bundles, grants */
    size_t publisher_count;
    struct tf_publisher attesters[TF_GROUP_ATTESTERS_MAX]; /* may sign grants, leases */
    size_t attester_count;
    uint8_t sha256[TF_SHA256_SIZE]; /* of the whole text */
};

/** Parses untrusted text: a descriptor, or a group of shared ones without a common key.
 *  @return TF_OK, TF_EDOMAIN_FORMAT or TF_ENOMEM. Owns nothing afterwards. */
TF_MUST_USE tf_err tf_descriptor_parse(const char *text, size_t size,
                                       struct tf_descriptor *out);

/** The key of this id that may sign: a publisher's or, if `with_attesters`, an
 * attester's.
 *  @return borrowed from the domain; NULL if there is none. */
const struct tf_publisher *tf_descriptor_find(const struct tf_descriptor *domain,
                                              const char *keyid, bool with_attesters);

/** Whose key it is: an index of `members`; TF_MEMBERS_MAX if it is nobody's. */
size_t tf_descriptor_member(const struct tf_descriptor *domain, const char *keyid);
