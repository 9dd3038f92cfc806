/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/grant.h"

#include <stdlib.h>
#include <string.h>

#include "enclave/cert.h"
#include "enclave/lambda.h"
#include "enclave/lease.h"
#include "enclave/resident.h"
#include "enclave/seal.h"
#include "enclave/thread.h"
#include "enclave/tls.h"
#include "lib/bytes.h"
#include "lib/crypto.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/revocations.h"

enum {
    SIGNER_SIZE = sizeof(((struct tf_grant *)0)->signer),
    SEALED_HEAD = SIGNER_SIZE + sizeof(uint16_t)
};

/* --- JSON ------------------------------------------------------------------------ */

/* "" or 64 hex digits. */
static void take_digest(struct tf_json_fields *f, struct tf_grant *out)
{
    const char *text = tf_json_string(f, "digest", 0, sizeof(out->digest) * 2);

    out->has_digest = text != NULL && text[0] != '\0';
    f->bad |= out->has_digest &&
              tf_hex_parse(text, strlen(text), out->digest, sizeof(out->digest)) != TF_OK;
}

/* jansson frees without overwriting. */
static void wipe_secrets(const json_t *document)
{
    json_t *secrets = json_object_get(document, "secrets");

    tf_json_string_wipe(json_object_get(document, "key"));
    for (void *at = json_object_iter(secrets); at != NULL;
         at = json_object_iter_next(secrets, at)) {
        tf_json_string_wipe(json_object_iter_value(at));
    }
}

static void take_fields(struct tf_json_fields *f, void *user)
{
    struct tf_grant_draft *draft = user;
    struct tf_grant *out = &draft->grant;

    tf_json_constant(f, "tfaas", "grant.v1");
    tf_json_copy(f, "lambda", out->lambda, sizeof(out->lambda));
    out->names.text = draft->names;
    out->names.count = tf_json_rows(f, "names", 1, TF_DOMAINS_MAX, draft->names[0],
                                    sizeof(draft->names[0]));
    for (size_t i = 0; i < out->names.count; i++) {
        f->bad |= !tf_dns_is_valid(draft->names[i], strlen(draft->names[i]));
    }
    take_digest(f, out);
    out->version_floor = tf_json_integer(f, "version_floor", 0, TF_JSON_INTEGER_MAX);
    out->not_before = tf_json_integer(f, "not_before", 0, TF_JSON_INTEGER_MAX);
    out->not_after = tf_json_integer(f, "not_after", 0, TF_JSON_INTEGER_MAX);
    out->serial = tf_json_integer(f, "serial", 1, TF_JSON_INTEGER_MAX);
    out->time = tf_json_integer(f, "time", 1, TF_TIME_MAX);
    out->is_leased = tf_json_boolean(f, "lease");
    tf_secrets_parse(f, "secrets", draft->secrets, &out->secrets);
    tf_json_bytes(f, "exporter", out->exporter, sizeof(out->exporter));
    tf_json_copy(f, "chain", draft->chain, sizeof(draft->chain));
    tf_json_copy(f, "key", draft->key, sizeof(draft->key));
    out->chain = draft->chain;
    out->chain_size = strlen(draft->chain);
    out->key = draft->key;
    out->key_size = strlen(draft->key);
    wipe_secrets(f->object);
}

tf_err tf_grant_parse(struct tf_str statement, const char *signer,
                      struct tf_grant_draft *out)
{
    memset(out, 0, sizeof(*out));
    tf_err err =
        tf_json_read(statement.data, statement.size, take_fields, out, TF_EGRANT_FORMAT);
    if (err != TF_OK) {
        tf_wipe(out, sizeof(*out));
        return err;
    }
    memcpy(out->grant.signer, signer, SIGNER_SIZE);
    return TF_OK;
}

void tf_grant_answer_write(const struct tf_grant *grant, struct tf_json_writer *answer)
{
    tf_json_open_object(answer, NULL);
    tf_json_put_string(answer, "granted", grant->lambda);
    tf_json_open_array(answer, "names");
    for (size_t i = 0; i < grant->names.count; i++) {
        tf_json_put_string(answer, NULL, grant->names.text[i]);
    }
    tf_json_close_array(answer);
    tf_json_put_integer(answer, "not_after", grant->not_after);
    tf_json_close_object(answer);
}

tf_err tf_grant_set_key(struct tf_grant_draft *draft, struct tf_str pem)
{
    if (pem.size >= sizeof(draft->key)) {
        return TF_EGRANT_KEY;
    }
    memcpy(draft->key, pem.data, pem.size);
    draft->key[pem.size] = '\0';
    draft->grant.key_size = pem.size;
    return TF_OK;
}

/* --- checks ---------------------------------------------------------------------- */

/* Whether another lambda holds one of the names. */
static bool is_taken(const struct tf_instance *instance, const struct tf_grant *grant)
{
    for (size_t i = 0; i < grant->names.count; i++) {
        const struct tf_entry *other = tf_instance_served(instance, grant->names.text[i]);
        if (other != NULL && strcmp(other->name, grant->lambda) != 0) {
            return true;
        }
    }
    return false;
}

/* Hold the lock. */
static tf_err check_lambda(struct tf_instance *instance, const struct tf_grant *grant)
{
    const struct tf_entry *entry = tf_instance_find(instance, grant->lambda);

    if (tf_revocations_have_signer(&instance->revocations, grant->signer)) {
        return TF_EREVOKED;
    }
    if (entry == NULL || entry->member != grant->member) {
        return TF_EGRANT_LAMBDA;
    }
    tf_err err = tf_lambda_check_grant(entry->lambda, grant);
    if (err != TF_OK) {
        return err == TF_EVERSION_FLOOR ? TF_EGRANT_LAMBDA : err;
    }
    return is_taken(instance, grant) ? TF_EGRANT_DOMAIN : TF_OK;
}

static tf_err check_certificate(struct tf_grant *grant)
{
    struct WOLFSSL_CTX *context = NULL;

    tf_err err = tf_cert_leaf_check(grant->chain, grant->chain_size, &grant->names,
                                    &grant->leaf_end);
    if (err != TF_OK) {
        return err;
    }
    err = tf_tls_context_open(grant, &context);
    if (err == TF_OK) {
        err = tf_tls_context_check(context);
    }
    tf_tls_context_close(context);
    return err;
}

static bool have_same(const struct tf_names *a, const struct tf_names *b)
{
    bool is_same = a->count == b->count;

    for (size_t i = 0; i < a->count && is_same; i++) {
        is_same = strcmp(a->text[i], b->text[i]) == 0;
    }
    return is_same;
}

static bool is_same(const struct tf_grant *a, const struct tf_grant *b)
{
    return a->is_leased == b->is_leased && have_same(&a->names, &b->names) &&
           a->version_floor == b->version_floor && a->not_before == b->not_before &&
           a->not_after == b->not_after && a->has_digest == b->has_digest &&
           memcmp(a->digest, b->digest, sizeof(a->digest)) == 0 &&
           strcmp(a->chain, b->chain) == 0 && strcmp(a->signer, b->signer) == 0 &&
           a->key_size == b->key_size && tf_crypto_equal(a->key, b->key, a->key_size) &&
           tf_secrets_are_equal(&a->secrets, &b->secrets);
}

/* --- the table ------------------------------------------------------------------- */

static void *append(uint8_t **at, const void *bytes, size_t size)
{
    uint8_t *copy = *at;

    if (size != 0) {
        memcpy(copy, bytes, size);
    }
    *at += size;
    return copy;
}

/* In one block with all that it points to. Hold the lock. */
static struct tf_grant *copy_of(const struct tf_grant *grant)
{
    const size_t names_size = grant->names.count * sizeof(grant->names.text[0]);
    const size_t served_size = grant->names.count * sizeof(grant->served[0]);
    const size_t size = sizeof(*grant) + served_size + names_size + grant->chain_size +
                        1 + grant->key_size + 1 + grant->secrets.size;
    struct tf_grant *copy = tf_shared_alloc(size);

    if (copy == NULL) {
        return NULL;
    }
    *copy = *grant;
    copy->refs = 1;
    copy->size = size;
    copy->served = (void *)(copy + 1);
    memset(copy->served, 0, served_size);
    uint8_t *at = (uint8_t *)copy->served + served_size;
    copy->names.text = append(&at, grant->names.text, names_size);
    copy->chain = append(&at, grant->chain, grant->chain_size + 1);
    copy->key = append(&at, grant->key, grant->key_size + 1);
    copy->secrets.text = append(&at, grant->secrets.text, grant->secrets.size);
    return copy;
}

/* Hold the lock. */
static tf_err replace(struct tf_instance *instance, struct tf_entry *entry,
                      const struct tf_grant *grant)
{
    struct tf_grant *copy = copy_of(grant);

    if (copy == NULL) {
        return TF_ENOMEM;
    }
    copy->ordinal = ++instance->ordinal;
    tf_lease_hand_over(instance, entry, grant);
    tf_instance_put_grant(instance, entry, copy);
    return TF_OK;
}

/* What the lambda, the other grants and the serials say. Hold the lock. */
static tf_err put(struct tf_instance *instance, const struct tf_grant *grant)
{
    tf_err err = check_lambda(instance, grant);
    if (err != TF_OK) {
        return err;
    }
    struct tf_entry *entry = tf_instance_find(instance, grant->lambda);
    if (grant->serial < entry->serial) {
        return TF_EGRANT_OLD;
    }
    if (entry->grant != NULL && entry->grant->serial == grant->serial) {
        return is_same(entry->grant, grant) ? TF_OK : TF_EGRANT_OLD;
    }
    err = replace(instance, entry, grant);
    if (err == TF_OK) {
        entry->serial = grant->serial;
    }
    return err;
}

tf_err tf_grant_put(struct tf_thread *thread, struct tf_grant *grant, bool is_sealed)
{
    struct tf_instance *instance = thread->instance;

    grant->member = tf_descriptor_member(&instance->domain, grant->signer);
    if (grant->member == TF_MEMBERS_MAX) {
        return TF_EGRANT_SIGNER;
    }
    struct tf_anchor *anchor = &instance->anchors[grant->member];
    tf_lock_take(&instance->lock);
    tf_err err = check_lambda(instance, grant);
    tf_lock_give(&instance->lock);
    if (err == TF_OK) {
        err = check_certificate(grant);
    }
    if (err != TF_OK) {
        return err;
    }
    tf_view_sync(thread);
    if (!tf_grant_is_valid(grant, is_sealed ? tf_anchor_now(thread, grant->member)
                                            : grant->time)) {
        return TF_EGRANT_EXPIRED;
    }
    /* The lambda may have changed meanwhile: put() looks again. */
    tf_lock_take(&instance->lock);
    err = !is_sealed && grant->time < anchor->signed_time ? TF_EGRANT_OLD
                                                          : put(instance, grant);
    if (err == TF_OK) {
        if (!is_sealed) {
            tf_anchor_set(anchor, grant->time, thread->now);
        }
        tf_instance_touch(instance);
    }
    tf_lock_give(&instance->lock);
    return err;
}

/* --- sealed: who signed, the size of the key, the key, the statement --------------- */

tf_err tf_grant_seal(const struct tf_grant *grant, struct tf_str statement,
                     uint8_t **blob, size_t *size)
{
    const size_t plain_size = SEALED_HEAD + grant->key_size + statement.size;
    uint8_t *plain = malloc(plain_size);
    uint8_t *out = malloc(plain_size + TF_SEAL_OVERHEAD);
    tf_err err = plain_size > TF_GRANT_MAX ? TF_ELIMIT : TF_OK;

    if (plain == NULL || out == NULL) {
        err = TF_ENOMEM;
    }
    if (err == TF_OK) {
        memcpy(plain, grant->signer, SIGNER_SIZE);
        tf_store_u16(plain + SIGNER_SIZE, (uint16_t)grant->key_size);
        memcpy(plain + SEALED_HEAD, grant->key, grant->key_size);
        memcpy(plain + SEALED_HEAD + grant->key_size, statement.data, statement.size);
        err = tf_seal(plain, plain_size, out);
        tf_wipe(plain, plain_size);
    }
    free(plain);
    if (err != TF_OK) {
        free(out);
        return err;
    }
    *blob = out;
    *size = plain_size + TF_SEAL_OVERHEAD;
    return TF_OK;
}

static tf_err open_sealed(const uint8_t *plain, size_t size, struct tf_grant_draft *out)
{
    struct tf_reader r;

    tf_reader_init(&r, plain, size);
    const char *signer = (const char *)tf_read_bytes(&r, SIGNER_SIZE);
    size_t key_size = tf_read_u16(&r);
    const char *key = (const char *)tf_read_bytes(&r, key_size);
    struct tf_str statement = {NULL, tf_reader_left(&r)};
    statement.data = (const char *)tf_read_bytes(&r, statement.size);
    if (r.bad || signer[SIGNER_SIZE - 1] != '\0') {
        return TF_ESEAL;
    }
    tf_err err = tf_grant_parse(statement, signer, out);
    return err == TF_OK ? tf_grant_set_key(out, (struct tf_str){key, key_size}) : err;
}

tf_err tf_grant_unseal(struct tf_thread *thread, const uint8_t *blob, size_t size,
                       struct tf_grant_draft *out)
{
    uint8_t *plain = malloc(size + 1);
    size_t plain_size = 0;

    memset(out, 0, sizeof(*out));
    if (plain == NULL) {
        return TF_ENOMEM;
    }
    tf_err err = tf_unseal(blob, size, plain, &plain_size);
    if (err == TF_OK) {
        err = open_sealed(plain, plain_size, out);
        tf_wipe(plain, plain_size);
    }
    free(plain);
    if (err == TF_OK && out->grant.is_leased) {
        err = TF_ESEAL; /* no enclave seals one */
    }
    return err == TF_OK ? tf_grant_put(thread, &out->grant, true) : err;
}
