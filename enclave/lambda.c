/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/lambda.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "enclave/js/js.h"
#include "enclave/revoke.h"

tf_err tf_lambda_check_grant(const struct tf_lambda *lambda, const struct tf_grant *grant)
{
    if (grant == NULL) {
        return TF_OK;
    }
    if (lambda->version < grant->version_floor) {
        return TF_EVERSION_FLOOR;
    }
    if (grant->has_digest &&
        memcmp(grant->digest, lambda->digest, sizeof(lambda->digest)) != 0) {
        return TF_EGRANT_LAMBDA;
    }
    for (size_t i = 0; i < grant->names.count; i++) {
        if (!tf_names_have(&lambda->domains, grant->names.text[i])) {
            return TF_EGRANT_DOMAIN;
        }
    }
    return TF_OK;
}

static tf_err check_floor(const struct tf_entry *floor, const struct tf_lambda *lambda)
{
    if (lambda->version < floor->version || lambda->version < floor->least) {
        return TF_EVERSION_FLOOR;
    }
    if (lambda->version > floor->version) {
        return TF_OK;
    }
    return memcmp(floor->digest, lambda->digest, sizeof(floor->digest)) == 0
               ? TF_OK
               : TF_EVERSION_REUSED;
}

/* Signed by another key it is not the same: that key may be revoked later. */
static bool is_there(const struct tf_lambda *lambda)
{
    const struct tf_lambda *old = lambda->entry->lambda;

    return old != NULL && old->version == lambda->version &&
           strcmp(old->signer, lambda->signer) == 0;
}

/* Whether the lambda may be in the table now; finds its entry. Hold the lock. */
static tf_err check(struct tf_instance *instance, struct tf_lambda *lambda)
{
    const struct tf_entry *holder = tf_instance_find(instance, lambda->name);

    if (tf_revoke_names(instance, lambda)) {
        return TF_EREVOKED;
    }
    if (holder != NULL && holder->member != lambda->member) {
        return TF_ENAME_TAKEN;
    }
    struct tf_entry *entry = tf_instance_entry(instance, lambda->member, lambda->name);
    if (entry == NULL) {
        return TF_ELIMIT;
    }
    lambda->entry = entry;
    tf_err err = check_floor(entry, lambda);
    if (err != TF_OK || is_there(lambda)) {
        return err;
    }
    err = tf_lambda_check_grant(lambda, entry->grant);
    if (err != TF_OK) {
        return err;
    }
    return entry->lambda == NULL && instance->lambda_count == TF_LAMBDAS_MAX ? TF_ELIMIT
                                                                             : TF_OK;
}

static struct tf_lambda *make(const struct tf_bundle *bundle, size_t member)
{
    const struct tf_manifest *manifest = &bundle->manifest;
    const size_t rows_size = manifest->domain_count * sizeof(manifest->domains[0]);
    struct tf_lambda *lambda = tf_shared_alloc(sizeof(*lambda) + rows_size);

    if (lambda == NULL) {
        return NULL;
    }
    memset(lambda, 0, sizeof(*lambda));
    lambda->refs = 1;
    lambda->version = manifest->version;
    memcpy(lambda->digest, bundle->digest, sizeof(lambda->digest));
    memcpy(lambda->signer, bundle->signer, sizeof(lambda->signer));
    lambda->member = member;
    memcpy(lambda->name, manifest->name, sizeof(lambda->name));
    static_assert(sizeof(lambda->rows[0]) == sizeof(manifest->domains[0]), "same rows");
    memcpy(lambda->rows, manifest->domains, rows_size);
    lambda->domains = (struct tf_names){lambda->rows, manifest->domain_count};
    lambda->steps = manifest->steps;
    lambda->memory = manifest->memory;
    lambda->body = manifest->body;
    lambda->concurrency = manifest->concurrency;
    lambda->is_reused = manifest->is_reused;
    return lambda;
}

tf_err tf_lambda_make(struct tf_instance *instance, const struct tf_bundle *bundle,
                      struct tf_lambda **out)
{
    tf_err err = TF_ENOMEM;

    tf_lock_take(&instance->lock);
    struct tf_lambda *lambda =
        make(bundle, tf_descriptor_member(&instance->domain, bundle->signer));
    if (lambda != NULL) {
        err = check(instance, lambda);
    }
    if (err == TF_OK) {
        *out = lambda;
    } else {
        tf_lambda_release(lambda);
    }
    tf_lock_give(&instance->lock);
    return err;
}

tf_err tf_lambda_put(struct tf_instance *instance, struct tf_lambda *lambda)
{
    tf_lock_take(&instance->lock);
    tf_err err = check(instance, lambda);
    if (err == TF_OK && !is_there(lambda)) {
        struct tf_entry *entry = lambda->entry;
        entry->version = lambda->version;
        memcpy(entry->digest, lambda->digest, sizeof(entry->digest));
        lambda->refs++;
        tf_instance_put_lambda(instance, entry, lambda);
    }
    tf_lock_give(&instance->lock);
    return err;
}

void tf_lambda_write(const struct tf_lambda *lambda, struct tf_json_writer *w)
{
    tf_json_put_string(w, "name", lambda->name);
    tf_json_put_integer(w, "version", lambda->version);
    tf_json_put_hex(w, "digest", lambda->digest, sizeof(lambda->digest));
    tf_json_put_string(w, "signer", lambda->signer);
    tf_json_open_array(w, "domains");
    for (size_t i = 0; i < lambda->domains.count; i++) {
        tf_json_put_string(w, NULL, lambda->domains.text[i]);
    }
    tf_json_close_array(w);
}

void tf_lambda_describe(const struct tf_lambda *lambda, struct tf_json_writer *w)
{
    tf_json_open_object(w, NULL);
    tf_lambda_write(lambda, w);
    tf_json_put_string(w, "engine", tf_js_engine());
    tf_json_close_object(w);
}

tf_err tf_lambda_open(const struct tf_lambda *lambda, const uint8_t *bytes, size_t size,
                      struct tf_bundle **out)
{
    uint8_t *scratch = malloc(tf_bundle_scratch(size));
    struct tf_bundle *bundle = calloc(1, sizeof(*bundle));
    tf_err err = TF_ENOMEM;

    if (scratch != NULL && bundle != NULL) {
        err = tf_bundle_check(bytes, size, NULL, tf_js_engine(), scratch, bundle);
    }
    free(scratch);
    if (err == TF_OK &&
        memcmp(bundle->digest, lambda->digest, sizeof(bundle->digest)) != 0) {
        tf_bundle_wipe(bundle);
        err = TF_EBUNDLE_OTHER;
    }
    if (err != TF_OK) {
        free(bundle);
        return err;
    }
    *out = bundle;
    return TF_OK;
}

tf_err tf_lambda_drop(struct tf_instance *instance, const char *name)
{
    tf_err err = TF_ENOTFOUND;

    tf_lock_take(&instance->lock);
    struct tf_entry *entry = tf_instance_find(instance, name);
    if (entry != NULL) {
        tf_instance_empty(instance, entry);
        err = TF_OK;
    }
    tf_lock_give(&instance->lock);
    return err;
}
