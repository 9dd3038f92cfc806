/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revocations.h - what a publisher takes back: bundles by digest, versions of a name,
 * keys that signed. A list is signed by a publisher of the trust domain; of each
 * publisher the one with the highest serial is in force, and together they count. A
 * publisher ranks by its place in the descriptor: it may revoke itself, those after it,
 * and attesters; so the key that lies in a safe comes first. Format: doc/formats.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "lib/crypto.h"
#include "lib/descriptor.h"
#include "lib/err.h"
#include "lib/json.h"

enum {
    TF_KEYID_SIZE = 2 * TF_SHA256_SIZE, /* hex digits of a key's id */
    TF_REVOCATIONS_SCRATCH = 2 * TF_REVOCATIONS_MAX + 256
};

/** Old versions of a lambda. */
struct tf_revoked_version {
    char name[TF_NAME_MAX + 1];
    uint64_t below; /* versions less than this are revoked */
};

/** One list, decoded. What is not used is zero. */
struct tf_revocations {
    uint64_t serial; /* grows with every list of one publisher */
    uint64_t member; /* the signer's, in the descriptor; not in the JSON */
    uint64_t digest_count;
    uint64_t version_count;
    uint64_t signer_count;
    uint8_t digests[TF_REVOKED_DIGESTS_MAX][TF_SHA256_SIZE];
    struct tf_revoked_version versions[TF_REVOKED_VERSIONS_MAX];
    char signers[TF_REVOKED_SIGNERS_MAX][TF_KEYID_SIZE + 1];
};

/** The lists in force, at the index of their publisher in the descriptor. */
struct tf_revocation_set {
    struct tf_revocations *lists[TF_GROUP_PUBLISHERS_MAX]; /* NULL: none */
};

/** What is known of a bundle, to be looked up. */
struct tf_revocable {
    const char *name;
    uint64_t version;
    const uint8_t *digest; /* TF_SHA256_SIZE bytes */
    const char *signer;    /* keyid */
    size_t member;         /* the signer's: other members' lists do not reach it */
};

/** Parses the JSON of a list: fields and bounds. Untrusted, not kept.
 *  @return TF_OK, TF_ENOMEM or TF_EREVOCATION_FORMAT. */
TF_MUST_USE tf_err tf_revocations_parse(const char *text, size_t size,
                                        struct tf_revocations *out);

/** Writes a list into an open document; `key` as in json.h. */
void tf_revocations_put(struct tf_json_writer *w, const char *key,
                        const struct tf_revocations *list);

/** Writes the JSON of a list. @return TF_OK or TF_ELIMIT. */
TF_MUST_USE tf_err tf_revocations_write(const struct tf_revocations *list, char *out,
                                        size_t cap, size_t *size);

/**
 * Opens a signed list, untrusted and not kept, and checks that its signer ranks above
 * every key that it revokes, or is that key.
 *
 * @param scratch  TF_REVOCATIONS_SCRATCH bytes.
 * @param signer   the index of the publisher who signed.
 * @return TF_OK; TF_EREVOCATION_FORMAT; TF_EREVOCATION_SIGNER for a stranger's list and
 * for one that reaches too far; TF_ENOMEM.
 */
TF_MUST_USE tf_err tf_revocations_open(const char *text, size_t size,
                                       const struct tf_descriptor *domain,
                                       uint8_t *scratch, struct tf_revocations *out,
                                       size_t *signer);

/**
 * Whether `list` of publisher `signer` may take the place of the one in force. The same
 * list again may; what a revoked publisher said counts on, but it may say nothing new.
 * @return TF_OK; TF_EREVOKED; TF_EREVOCATION_OLD for a lower serial, and for the same
 * serial with another content.
 */
TF_MUST_USE tf_err tf_revocations_check(const struct tf_revocation_set *set,
                                        const struct tf_descriptor *domain, size_t signer,
                                        const struct tf_revocations *list);

/** Whether a list names the key. */
bool tf_revocations_have_signer(const struct tf_revocation_set *set, const char *keyid);

/** Whether a list names the bundle, its version, or who signed it. */
bool tf_revocations_have_bundle(const struct tf_revocation_set *set,
                                const struct tf_revocable *bundle);
