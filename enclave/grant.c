/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/grant.h"

#include <stdlib.h>
#include <string.h>

#include "enclave/cert.h"
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

static const char version_tag[] = "grant.v1";

/* --- JSON ------------------------------------------------------------------------ */

static bool parse_names(struct tf_json_fields *f, struct tf_grant_draft *out)
{
    const json_t *names = tf_json_array(f, "names", 1, TF_DOMAINS_MAX);
    size_t count = names == NULL ? 0 : json_array_size(names);

    out->grant.names = (struct tf_names){out->names, count};
    for (size_t i = 0; i < count; i++) {
        const char *name = tf_json_string_at(names, i, 1, TF_DNS_MAX);
        if (name == NULL || !tf_dns_is_valid(name, strlen(name))) {
            return false;
        }
        memcpy(out->names[i], name, strlen(name) + 1);
    }
    return names != NULL;
}

/* "" or 64 hex digits. */
static bool parse_digest(struct tf_json_fields *f, struct tf_grant *out)
{
    const char *text = tf_json_string(f, "digest", 0, sizeof(out->digest) * 2);

    if (text == NULL) {
        return false;
    }
    out->has_digest = text[0] != '\0';
    return !out->has_digest ||
           tf_hex_parse(text, strlen(text), out->digest, sizeof(out->digest)) == TF_OK;
}

static bool parse_fields(const json_t *document, bool is_sealed,
                         struct tf_grant_draft *draft)
{
    const size_t tag_size = sizeof(version_tag) - 1;
    struct tf_grant *out = &draft->grant;
    struct tf_json_fields f;

    tf_json_fields_init(&f, document);
    const char *tag = tf_json_string(&f, "tfaas", tag_size, tag_size);
    tf_json_copy(&f, "lambda", out->lambda, sizeof(out->lambda));
    bool is_good = parse_names(&f, draft) && parse_digest(&f, out);
    out->version_floor = tf_json_integer(&f, "version_floor", 0, TF_JSON_INTEGER_MAX);
    out->not_before = tf_json_integer(&f, "not_before", 0, TF_JSON_INTEGER_MAX);
    out->not_after = tf_json_integer(&f, "not_after", 0, TF_JSON_INTEGER_MAX);
    out->serial = tf_json_integer(&f, "serial", 1, TF_JSON_INTEGER_MAX);
    out->time = tf_json_integer(&f, "time", 1, TF_TIME_MAX);
    out->is_leased = tf_json_boolean(&f, "lease");
    tf_secrets_parse(&f, "secrets", draft->secrets, &out->secrets);
    size_t exporter =
        tf_json_base64(&f, "exporter", out->exporter, sizeof(out->exporter));
    tf_json_copy(&f, "chain", draft->chain, sizeof(draft->chain));
    tf_json_copy(&f, "key", draft->key, sizeof(draft->key));
    if (is_sealed) {
        tf_json_copy(&f, "signer", out->signer, sizeof(out->signer));
    }
    out->chain = draft->chain;
    out->chain_size = strlen(draft->chain);
    out->key = draft->key;
    out->key_size = strlen(draft->key);
    return tf_json_fields_end(&f) && is_good && exporter == sizeof(out->exporter) &&
           memcmp(tag, version_tag, sizeof(version_tag)) == 0;
}

/* jansson frees without overwriting. */
static void wipe_document(json_t *document)
{
    json_t *secrets = json_object_get(document, "secrets");

    tf_json_string_wipe(json_object_get(document, "key"));
    for (void *at = json_object_iter(secrets); at != NULL;
         at = json_object_iter_next(secrets, at)) {
        tf_json_string_wipe(json_object_iter_value(at));
    }
    json_decref(document);
}

tf_err tf_grant_parse(const char *text, size_t size, bool is_sealed,
                      struct tf_grant_draft *out)
{
    json_t *document = NULL;

    memset(out, 0, sizeof(*out));
    tf_err err = tf_json_parse(text, size, &document);
    if (err != TF_OK) {
        return err == TF_ENOMEM ? err : TF_EGRANT_FORMAT;
    }
    if (!parse_fields(document, is_sealed, out)) {
        tf_wipe(out, sizeof(*out));
        err = TF_EGRANT_FORMAT;
    }
    wipe_document(document);
    return err;
}

static void write_names(struct tf_json_writer *w, const struct tf_grant *grant)
{
    tf_json_open_array(w, "names");
    for (size_t i = 0; i < grant->names.count; i++) {
        tf_json_put_string(w, NULL, grant->names.text[i]);
    }
    tf_json_close_array(w);
}

tf_err tf_grant_write(const struct tf_grant *grant, char *out, size_t cap, size_t *size)
{
    struct tf_json_writer w;

    tf_json_writer_init(&w, out, cap);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "tfaas", version_tag);
    tf_json_put_string(&w, "lambda", grant->lambda);
    write_names(&w, grant);
    if (grant->has_digest) {
        tf_json_put_hex(&w, "digest", grant->digest, sizeof(grant->digest));
    } else {
        tf_json_put_string(&w, "digest", "");
    }
    tf_json_put_integer(&w, "version_floor", grant->version_floor);
    tf_json_put_integer(&w, "not_before", grant->not_before);
    tf_json_put_integer(&w, "not_after", grant->not_after);
    tf_json_put_base64(&w, "exporter", grant->exporter, sizeof(grant->exporter));
    tf_json_put_string(&w, "chain", grant->chain);
    tf_json_put_string(&w, "key", grant->key);
    tf_json_put_integer(&w, "serial", grant->serial);
    tf_json_put_integer(&w, "time", grant->time);
    tf_json_put_boolean(&w, "lease", grant->is_leased);
    tf_secrets_write(&w, "secrets", &grant->secrets);
    tf_json_put_string(&w, "signer", grant->signer);
    tf_json_close_object(&w);
    return tf_json_take(&w, size);
}

tf_err tf_grant_answer_write(const struct tf_grant *grant, char *out, size_t cap,
                             size_t *size)
{
    struct tf_json_writer w;

    tf_json_writer_init(&w, out, cap);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "granted", grant->lambda);
    write_names(&w, grant);
    tf_json_put_integer(&w, "not_after", grant->not_after);
    tf_json_close_object(&w);
    return tf_json_take(&w, size);
}

tf_err tf_grant_set_key(struct tf_grant_draft *draft, const char *pem)
{
    size_t size = strlen(pem);

    if (size >= sizeof(draft->key)) {
        return TF_EGRANT_KEY;
    }
    memcpy(draft->key, pem, size + 1);
    draft->grant.key = draft->key;
    draft->grant.key_size = size;
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
    if (entry == NULL || entry->member != grant->member ||
        entry->lambda->version < grant->version_floor ||
        (grant->has_digest &&
         memcmp(entry->lambda->digest, grant->digest, sizeof(grant->digest)) != 0)) {
        return TF_EGRANT_LAMBDA;
    }
    for (size_t i = 0; i < grant->names.count; i++) {
        if (!tf_names_have(&entry->lambda->domains, grant->names.text[i])) {
            return TF_EGRANT_DOMAIN;
        }
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
        err = tf_grant_parse((const char *)plain, plain_size, true, out);
        tf_wipe(plain, plain_size);
    }
    free(plain);
    if (err == TF_OK && out->grant.is_leased) {
        err = TF_ESEAL; /* no enclave seals one */
    }
    return err == TF_OK ? tf_grant_put(thread, &out->grant, true) : err;
}
