/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/revocations.h"

#include <string.h>

#include "lib/bytes.h"
#include "lib/dsse.h"
#include "lib/json.h"
#include "lib/names.h"

static const char version_tag[] = "revocations.v1";

/* --- JSON ----------------------------------------------------------------------------
 */

/* Element `i`: exactly 64 lower-case hex digits. */
static bool parse_hash(const json_t *array, size_t i, uint8_t out[static TF_SHA256_SIZE])
{
    const char *text = tf_json_string_at(array, i, TF_KEYID_SIZE, TF_KEYID_SIZE);

    return text != NULL &&
           tf_hex_parse(text, TF_KEYID_SIZE, out, TF_SHA256_SIZE) == TF_OK;
}

static bool parse_digests(struct tf_json_fields *f, struct tf_revocations *out)
{
    const json_t *array = tf_json_array(f, "digests", 0, TF_REVOKED_DIGESTS_MAX);

    out->digest_count = json_array_size(array);
    for (size_t i = 0; i < out->digest_count; i++) {
        if (!parse_hash(array, i, out->digests[i])) {
            return false;
        }
    }
    return array != NULL;
}

static bool parse_version(const json_t *object, struct tf_revoked_version *out)
{
    struct tf_json_fields f;

    tf_json_fields_init(&f, object);
    tf_json_copy(&f, "name", out->name, sizeof(out->name));
    out->below = tf_json_integer(&f, "below", 1, TF_JSON_INTEGER_MAX);
    return tf_json_fields_end(&f) && tf_name_is_valid(out->name, strlen(out->name));
}

static bool parse_versions(struct tf_json_fields *f, struct tf_revocations *out)
{
    const json_t *array = tf_json_array(f, "versions", 0, TF_REVOKED_VERSIONS_MAX);

    out->version_count = json_array_size(array);
    for (size_t i = 0; i < out->version_count; i++) {
        if (!parse_version(json_array_get(array, i), &out->versions[i])) {
            return false;
        }
    }
    return array != NULL;
}

static bool parse_signers(struct tf_json_fields *f, struct tf_revocations *out)
{
    const json_t *array = tf_json_array(f, "signers", 0, TF_REVOKED_SIGNERS_MAX);

    out->signer_count = json_array_size(array);
    for (size_t i = 0; i < out->signer_count; i++) {
        uint8_t hash[TF_SHA256_SIZE];
        if (!parse_hash(array, i, hash)) {
            return false;
        }
        tf_hex_write(hash, sizeof(hash), out->signers[i]);
    }
    return array != NULL;
}

static bool parse_fields(const json_t *document, struct tf_revocations *out)
{
    const size_t tag_size = sizeof(version_tag) - 1;
    struct tf_json_fields f;

    tf_json_fields_init(&f, document);
    const char *tag = tf_json_string(&f, "tfaas", tag_size, tag_size);
    out->serial = tf_json_integer(&f, "serial", 1, TF_JSON_INTEGER_MAX);
    return parse_digests(&f, out) && parse_versions(&f, out) && parse_signers(&f, out) &&
           tf_json_fields_end(&f) && memcmp(tag, version_tag, tag_size) == 0;
}

tf_err tf_revocations_parse(const char *text, size_t size, struct tf_revocations *out)
{
    json_t *document = NULL;

    memset(out, 0, sizeof(*out));
    tf_err err =
        size > TF_REVOCATIONS_MAX ? TF_ELIMIT : tf_json_parse(text, size, &document);
    if (err != TF_OK) {
        return err == TF_ENOMEM ? err : TF_EREVOCATION_FORMAT;
    }
    if (!parse_fields(document, out)) {
        memset(out, 0, sizeof(*out));
        err = TF_EREVOCATION_FORMAT;
    }
    json_decref(document);
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
                                      .too_large = TF_EREVOCATION_FORMAT,
                                      .domain = domain};
    struct tf_dsse dsse;

    if (size > TF_REVOCATIONS_ENVELOPE_MAX) {
        return TF_EREVOCATION_FORMAT;
    }
    tf_err err = tf_dsse_open(text, size, &rule, scratch, &dsse);
    if (err == TF_EDSSE_SIGNER || err == TF_EDSSE_SIGNATURE) {
        return TF_EREVOCATION_SIGNER;
    }
    if (err != TF_OK) {
        return err == TF_ENOMEM ? err : TF_EREVOCATION_FORMAT;
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
