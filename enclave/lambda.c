/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/lambda.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "enclave/js/js.h"
#include "enclave/revoke.h"
#include "enclave/shelf.h"

static bool has_domain(const struct tf_manifest *manifest, const char *name)
{
    for (size_t i = 0; i < manifest->domain_count; i++) {
        if (strcmp(manifest->domains[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether a grant that is in force may go over to the new bundle. */
static tf_err check_grant(const struct tf_grant *grant, const struct tf_bundle *bundle)
{
    if (grant == NULL) {
        return TF_OK;
    }
    if (bundle->manifest.version < grant->version_floor) {
        return TF_EVERSION_FLOOR;
    }
    if (grant->has_digest &&
        memcmp(grant->digest, bundle->digest, sizeof(bundle->digest)) != 0) {
        return TF_EGRANT_LAMBDA;
    }
    for (size_t i = 0; i < grant->names.count; i++) {
        if (!has_domain(&bundle->manifest, grant->names.text[i])) {
            return TF_EGRANT_DOMAIN;
        }
    }
    return TF_OK;
}

static tf_err check_floor(const struct tf_entry *floor, const struct tf_bundle *bundle)
{
    if (bundle->manifest.version < floor->version ||
        bundle->manifest.version < floor->least) {
        return TF_EVERSION_FLOOR;
    }
    if (bundle->manifest.version > floor->version) {
        return TF_OK;
    }
    return memcmp(floor->digest, bundle->digest, sizeof(floor->digest)) == 0
               ? TF_OK
               : TF_EVERSION_REUSED;
}

static void raise_floor(struct tf_entry *floor, const struct tf_bundle *bundle)
{
    floor->version = bundle->manifest.version;
    memcpy(floor->digest, bundle->digest, sizeof(floor->digest));
}

static struct tf_lambda *make(const struct tf_bundle *bundle, struct tf_entry *entry)
{
    const struct tf_manifest *manifest = &bundle->manifest;
    const size_t rows_size = manifest->domain_count * sizeof(manifest->domains[0]);
    struct tf_lambda *lambda = tf_shared_alloc(sizeof(*lambda) + rows_size);

    if (lambda == NULL) {
        return NULL;
    }
    memset(lambda, 0, sizeof(*lambda));
    lambda->refs = 1;
    lambda->entry = entry;
    lambda->version = manifest->version;
    memcpy(lambda->digest, bundle->digest, sizeof(lambda->digest));
    memcpy(lambda->signer, bundle->signer, sizeof(lambda->signer));
    lambda->member = entry->member;
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

/* Only introduced, a lambda has no bytes. */
static void stock(struct tf_instance *instance, struct tf_lambda *lambda, uint8_t *bytes,
                  size_t size)
{
    if (bytes != NULL) {
        tf_shelf_put(&instance->shelf, lambda, bytes, size);
    }
}

/* Hold the lock. */
static tf_err put(struct tf_instance *instance, const struct tf_bundle *bundle,
                  uint8_t *bytes, size_t size)
{
    const char *name = bundle->manifest.name;
    size_t member = tf_descriptor_member(&instance->domain, bundle->signer);
    const struct tf_entry *holder = tf_instance_find(instance, name);

    tf_err err = tf_revoke_check_bundle(instance, bundle);
    if (err != TF_OK) {
        return err;
    }
    if (holder != NULL && holder->member != member) {
        return TF_ENAME_TAKEN;
    }
    struct tf_entry *entry = tf_instance_entry(instance, member, name);
    if (entry == NULL) {
        return TF_ELIMIT;
    }
    err = check_floor(entry, bundle);
    if (err != TF_OK) {
        return err;
    }
    /* Signed by another key it is not the same: that key may be revoked later. */
    if (entry->lambda != NULL && entry->lambda->version == bundle->manifest.version &&
        strcmp(entry->lambda->signer, bundle->signer) == 0) {
        stock(instance, entry->lambda, bytes, size); /* the same again */
        return TF_OK;
    }
    err = check_grant(entry->grant, bundle);
    if (err != TF_OK) {
        return err;
    }
    if (entry->lambda == NULL && instance->lambda_count == TF_LAMBDAS_MAX) {
        return TF_ELIMIT;
    }
    struct tf_lambda *lambda = make(bundle, entry);
    if (lambda == NULL) {
        return TF_ENOMEM;
    }
    raise_floor(entry, bundle);
    stock(instance, lambda, bytes, size);
    tf_instance_put_lambda(instance, entry, lambda);
    return TF_OK;
}

tf_err tf_lambda_put(struct tf_instance *instance, const struct tf_bundle *bundle,
                     uint8_t *bytes, size_t size)
{
    tf_lock_take(&instance->lock);
    tf_err err = put(instance, bundle, bytes, size);
    tf_lock_give(&instance->lock);
    return err;
}

tf_err tf_lambda_verify(const struct tf_lambda *lambda, const uint8_t *bytes, size_t size,
                        struct tf_bundle *out)
{
    uint8_t *scratch = malloc(tf_bundle_scratch(size));

    if (scratch == NULL) {
        return TF_ENOMEM;
    }
    tf_err err = tf_bundle_check(bytes, size, NULL, tf_js_engine(), scratch, out);
    free(scratch);
    if (err == TF_OK && memcmp(out->digest, lambda->digest, sizeof(out->digest)) != 0) {
        tf_bundle_wipe(out);
        err = TF_EBUNDLE_OTHER;
    }
    return err;
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
