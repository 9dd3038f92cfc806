/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/revocations.h"

#include <string.h>

#include "lib/bytes.h"
#include "lib/dsse.h"
#include "lib/json.h"
#include "lib/names.h"

/* --- JSON ----------------------------------------------------------------------------
 */

/* Element `i`: exactly 64 lower-case hex digits. */
static bool parse_hash(const json_t *array, size_t i, uint8_t out[static TF_SHA256_SIZE])
{
    const char *text = tf_json_string_at(array, i, TF_KEYID_SIZE, TF_KEYID_SIZE);

    return text != NULL &&
           tf_hex_parse(text, TF_KEYID_SIZE, out, TF_SHA256_SIZE) == TF_OK;
}

static void take_digests(struct tf_json_fields *f, struct tf_revocations *out)
{
    const json_t *array = tf_json_array(f, "digests", 0, TF_REVOKED_DIGESTS_MAX);

    out->digest_count = json_array_size(array);
    for (size_t i = 0; i < out->digest_count; i++) {
        f->bad |= !parse_hash(array, i, out->digests[i]);
    }
}

static void take_versions(struct tf_json_fields *f, struct tf_revocations *out)
{
    const json_t *array = tf_json_array(f, "versions", 0, TF_REVOKED_VERSIONS_MAX);

    out->version_count = json_array_size(array);
    for (size_t i = 0; i < out->version_count; i++) {
        struct tf_revoked_version *one = &out->versions[i];
        struct tf_json_fields of;
        tf_json_fields_init(&of, json_array_get(array, i));
        tf_json_copy(&of, "name", one->name, sizeof(one->name));
        one->below = tf_json_integer(&of, "below", 1, TF_JSON_INTEGER_MAX);
        f->bad |=
            !tf_json_fields_end(&of) || !tf_name_is_valid(one->name, strlen(one->name));
    }
}

static void take_signers(struct tf_json_fields *f, struct tf_revocations *out)
{
    const json_t *array = tf_json_array(f, "signers", 0, TF_REVOKED_SIGNERS_MAX);

    out->signer_count = json_array_size(array);
    for (size_t i = 0; i < out->signer_count; i++) {
        uint8_t hash[TF_SHA256_SIZE] = {0};
        f->bad |= !parse_hash(array, i, hash);
        tf_hex_write(hash, sizeof(hash), out->signers[i]);
    }
}

static void take_fields(struct tf_json_fields *f, void *user)
{
    struct tf_revocations *out = user;

    tf_json_constant(f, "tfaas", "revocations.v1");
    out->serial = tf_json_integer(f, "serial", 1, TF_JSON_INTEGER_MAX);
    take_digests(f, out);
    take_versions(f, out);
    take_signers(f, out);
}

tf_err tf_revocations_parse(const char *text, size_t size, struct tf_revocations *out)
{
    memset(out, 0, sizeof(*out));
    tf_err err = size > TF_REVOCATIONS_MAX
                     ? TF_EREVOCATION_FORMAT
                     : tf_json_read(text, size, take_fields, out, TF_EREVOCATION_FORMAT);
    if (err != TF_OK) {
        memset(out, 0, sizeof(*out));
    }
    return err;
}

/* --- who may say so ------------------------------------------------------------------
 */

enum { ATTESTER = TF_GROUP_PUBLISHERS_MAX, STRANGER };

/* A publisher's place; all attesters stand behind the last publisher. */
static size_t rank_of(const struct tf_descriptor *domain, const char *keyid)
{
    for (size_t i = 0; i < domain->publisher_count; i++) {
        if (strcmp(domain->publishers[i].keyid, keyid) == 0) {
            return i;
        }
    }
    return tf_descriptor_find(domain, keyid, true) != NULL ? ATTESTER : STRANGER;
}

/* A key that the signer's domain does not list signs nothing here: naming it is a
 * mistake.
 */
static bool may_revoke(const struct tf_descriptor *domain, size_t signer,
                       const struct tf_revocations *list)
{
    for (size_t i = 0; i < list->signer_count; i++) {
        size_t rank = rank_of(domain, list->signers[i]);
        if (rank == STRANGER || rank < signer ||
            tf_descriptor_member(domain, list->signers[i]) !=
                domain->publishers[signer].member) {
            return false;
        }
    }
    return true;
}

tf_err tf_revocations_open(const char *text, size_t size,
                           const struct tf_descriptor *domain, uint8_t *scratch,
                           struct tf_revocations *out, size_t *signer)
{
    const struct tf_dsse_rule rule = {.type = TF_DSSE_REVOCATIONS,
                                      .payload_max = TF_REVOCATIONS_MAX,
                                      .domain = domain,
                                      .bad_format = TF_EREVOCATION_FORMAT,
                                      .bad_signer = TF_EREVOCATION_SIGNER};
    struct tf_dsse dsse;

    if (size > TF_REVOCATIONS_ENVELOPE_MAX) {
        return TF_EREVOCATION_FORMAT;
    }
    tf_err err = tf_dsse_open(text, size, &rule, scratch, &dsse);
    if (err != TF_OK) {
        return err;
    }
    size_t rank = rank_of(domain, dsse.signer);
    if (rank >= ATTESTER) {
        return TF_EREVOCATION_SIGNER;
    }
    err = tf_revocations_parse((const char *)dsse.payload, dsse.payload_size, out);
    if (err != TF_OK) {
        return err;
    }
    if (!may_revoke(domain, rank, out)) {
        return TF_EREVOCATION_SIGNER;
    }
    out->member = domain->publishers[rank].member;
    *signer = rank;
    return TF_OK;
}

/* --- the lists in force --------------------------------------------------------------
 */

static bool are_equal(const struct tf_revocations *a, const struct tf_revocations *b)
{
    if (a->serial != b->serial || a->digest_count != b->digest_count ||
        a->version_count != b->version_count || a->signer_count != b->signer_count ||
        memcmp(a->digests, b->digests, sizeof(a->digests)) != 0 ||
        memcmp(a->signers, b->signers, sizeof(a->signers)) != 0) {
        return false;
    }
    for (size_t i = 0; i < a->version_count; i++) {
        if (a->versions[i].below != b->versions[i].below ||
            strcmp(a->versions[i].name, b->versions[i].name) != 0) {
            return false;
        }
    }
    return true;
}

tf_err tf_revocations_check(const struct tf_revocation_set *set,
                            const struct tf_descriptor *domain, size_t signer,
                            const struct tf_revocations *list)
{
    const struct tf_revocations *current = set->lists[signer];

    if (current != NULL && are_equal(current, list)) {
        return TF_OK;
    }
    if (tf_revocations_have_signer(set, domain->publishers[signer].keyid)) {
        return TF_EREVOKED;
    }
    return current != NULL && list->serial <= current->serial ? TF_EREVOCATION_OLD
                                                              : TF_OK;
}

static bool names_signer(const struct tf_revocations *list, const char *keyid)
{
    for (size_t i = 0; i < list->signer_count; i++) {
        if (strcmp(list->signers[i], keyid) == 0) {
            return true;
        }
    }
    return false;
}

bool tf_revocations_have_signer(const struct tf_revocation_set *set, const char *keyid)
{
    for (size_t i = 0; i < TF_GROUP_PUBLISHERS_MAX; i++) {
        if (set->lists[i] != NULL && names_signer(set->lists[i], keyid)) {
            return true;
        }
    }
    return false;
}

static bool names_bundle(const struct tf_revocations *list,
                         const struct tf_revocable *bundle)
{
    if (list->member != bundle->member) {
        return false;
    }
    for (size_t i = 0; i < list->digest_count; i++) {
        if (memcmp(list->digests[i], bundle->digest, TF_SHA256_SIZE) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < list->version_count; i++) {
        if (strcmp(list->versions[i].name, bundle->name) == 0 &&
            bundle->version < list->versions[i].below) {
            return true;
        }
    }
    return names_signer(list, bundle->signer);
}

bool tf_revocations_have_bundle(const struct tf_revocation_set *set,
                                const struct tf_revocable *bundle)
{
    for (size_t i = 0; i < TF_GROUP_PUBLISHERS_MAX; i++) {
        if (set->lists[i] != NULL && names_bundle(set->lists[i], bundle)) {
            return true;
        }
    }
    return false;
}
