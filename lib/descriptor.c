/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/descriptor.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/spki.h"

static tf_err parse_key(const char *text, struct tf_publisher *out)
{
    const uint8_t *key = NULL;
    if (text == NULL || tf_base64_parse(text, strlen(text), out->spki, sizeof(out->spki),
                                        &out->spki_size)) {
        return TF_EDOMAIN_FORMAT;
    }
    if (tf_spki_parse(out->spki, out->spki_size, &key) == TF_SPKI_OTHER) {
        return TF_EDOMAIN_FORMAT;
    }
    uint8_t digest[TF_SHA256_SIZE];
    tf_sha256(out->spki, out->spki_size, digest);
    tf_hex_write(digest, sizeof(digest), out->keyid);
    return TF_OK;
}

static const struct tf_publisher *find(const struct tf_publisher *keys, size_t count,
                                       const char *keyid)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i].keyid, keyid) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

const struct tf_publisher *tf_descriptor_find(const struct tf_descriptor *domain,
                                              const char *keyid, bool with_attesters)
{
    const struct tf_publisher *key =
        find(domain->publishers, domain->publisher_count, keyid);
    return key != NULL || !with_attesters
               ? key
               : find(domain->attesters, domain->attester_count, keyid);
}

size_t tf_descriptor_member(const struct tf_descriptor *domain, const char *keyid)
{
    const struct tf_publisher *key = tf_descriptor_find(domain, keyid, true);

    return key == NULL ? TF_MEMBERS_MAX : key->member;
}

/* Appends the keys of an array, of the last member; one key has one role, once. */
static tf_err parse_keys(const json_t *array, struct tf_descriptor *domain,
                         struct tf_publisher *keys, size_t max, size_t *count)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *text = tf_json_string_at(array, i, 1, tf_base64_size(TF_SPKI_MAX));
        if (*count == max || parse_key(text, &keys[*count]) ||
            tf_descriptor_find(domain, keys[*count].keyid, true) != NULL) {
            return TF_EDOMAIN_FORMAT;
        }
        keys[*count].member = domain->member_count;
        (*count)++;
    }
    return TF_OK;
}

/* Appends a member. */
static tf_err parse_document(const json_t *document, struct tf_descriptor *out)
{
    struct tf_member *member = &out->members[out->member_count];
    struct tf_json_fields f;
    const json_t *attesters = NULL;
    tf_json_fields_init(&f, document);
    const char *kind = tf_json_string(&f, "tfaas", 1, TF_NAME_MAX);
    const char *name = tf_json_string(&f, "name", 1, TF_NAME_MAX);
    const json_t *publishers = tf_json_array(&f, "publishers", 1, TF_PUBLISHERS_MAX);
    if (tf_json_has(&f, "attesters")) {
        attesters = tf_json_array(&f, "attesters", 0, TF_ATTESTERS_MAX);
    }
    if (tf_json_has(&f, "sharing")) {
        const char *sharing = tf_json_string(&f, "sharing", 1, TF_NAME_MAX);
        member->is_shared = sharing != NULL && strcmp(sharing, "shared") == 0;
        f.bad |= !member->is_shared;
    }
    if (!tf_json_fields_end(&f) || strcmp(kind, "domain.v1") != 0 ||
        !tf_name_is_valid(name, strlen(name))) {
        return TF_EDOMAIN_FORMAT;
    }
    memcpy(member->name, name, strlen(name) + 1);
    tf_err err = parse_keys(publishers, out, out->publishers, TF_GROUP_PUBLISHERS_MAX,
                            &out->publisher_count);
    if (err == TF_OK) {
        err = parse_keys(attesters, out, out->attesters, TF_GROUP_ATTESTERS_MAX,
                         &out->attester_count);
    }
    out->member_count += err == TF_OK;
    return err;
}

/* Appends the member whose descriptor's text this is the BASE64 of; `text` has room. */
static tf_err parse_member(const char *coded, char *text, struct tf_descriptor *out)
{
    struct tf_member *member = &out->members[out->member_count];
    json_t *document = NULL;
    size_t size = 0;

    if (coded == NULL || tf_base64_parse(coded, strlen(coded), (uint8_t *)text,
                                         TF_DESCRIPTOR_MAX, &size)) {
        return TF_EDOMAIN_FORMAT;
    }
    tf_err err = tf_json_parse(text, size, &document);
    if (err) {
        return err == TF_ENOMEM ? err : TF_EDOMAIN_FORMAT;
    }
    err = parse_document(document, out);
    json_decref(document);
    tf_sha256(text, size, member->sha256);
    return err == TF_OK && !member->is_shared ? TF_EDOMAIN_FORMAT : err;
}

static tf_err parse_group(const json_t *document, struct tf_descriptor *out)
{
    struct tf_json_fields f;
    tf_json_fields_init(&f, document);
    const char *kind = tf_json_string(&f, "tfaas", 1, TF_NAME_MAX);
    const json_t *members = tf_json_array(&f, "members", 2, TF_MEMBERS_MAX);
    if (!tf_json_fields_end(&f) || strcmp(kind, "domain-group.v1") != 0) {
        return TF_EDOMAIN_FORMAT;
    }
    char *text = malloc(TF_DESCRIPTOR_MAX);
    tf_err err = text == NULL ? TF_ENOMEM : TF_OK;
    for (size_t i = 0; err == TF_OK && i < json_array_size(members); i++) {
        err =
            parse_member(tf_json_string_at(members, i, 1, TF_DESCRIPTOR_MAX), text, out);
    }
    free(text);
    return err;
}

tf_err tf_descriptor_parse(const char *text, size_t size, struct tf_descriptor *out)
{
    json_t *document = NULL;
    if (size > TF_DESCRIPTOR_MAX || tf_json_parse(text, size, &document)) {
        return TF_EDOMAIN_FORMAT;
    }
    struct tf_descriptor descriptor = {0};
    bool is_group = json_object_get(document, "members") != NULL;
    tf_err err = is_group ? parse_group(document, &descriptor)
                          : parse_document(document, &descriptor);
    json_decref(document);
    if (err) {
        return err;
    }
    tf_sha256(text, size, descriptor.sha256);
    if (!is_group) {
        memcpy(descriptor.members[0].sha256, descriptor.sha256, TF_SHA256_SIZE);
    }
    *out = descriptor;
    return TF_OK;
}
