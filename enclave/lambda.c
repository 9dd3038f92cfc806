/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/lambda.h"

#include <assert.h>
#include <string.h>

#include "enclave/revoke.h"

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

static tf_err check_floor(const struct tf_floor *floor, const struct tf_bundle *bundle)
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

static void raise_floor(struct tf_floor *floor, const struct tf_bundle *bundle)
{
    floor->version = bundle->manifest.version;
    memcpy(floor->digest, bundle->digest, sizeof(floor->digest));
}

static struct tf_entry *find_free(struct tf_instance *instance)
{
    for (size_t i = 0; i < TF_LAMBDAS_MAX; i++) {
        if (instance->entries[i].lambda == NULL) {
            return &instance->entries[i];
        }
    }
    return NULL;
}

static struct tf_lambda *make(const struct tf_bundle *bundle, size_t member,
                              uint8_t *bytes, size_t size)
{
    const struct tf_manifest *manifest = &bundle->manifest;
    struct tf_lambda *lambda = tf_shared_alloc(sizeof(*lambda));

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
    static_assert(sizeof(lambda->domains.text) == sizeof(manifest->domains), "same rows");
    memcpy(lambda->domains.text, manifest->domains, sizeof(lambda->domains.text));
    lambda->domains.count = manifest->domain_count;
    lambda->bytes = bytes;
    lambda->size = size;
    return lambda;
}

/* Hold the lock. */
static tf_err put(struct tf_instance *instance, const struct tf_bundle *bundle,
                  uint8_t *bytes, size_t size)
{
    const char *name = bundle->manifest.name;
    size_t member = tf_descriptor_member(&instance->domain, bundle->signer);
    struct tf_entry *entry = tf_instance_find(instance, name);

    tf_err err = tf_revoke_check_bundle(instance, bundle);
    if (err != TF_OK) {
        return err;
    }
    if (entry != NULL && entry->lambda->member != member) {
        return TF_ENAME_TAKEN;
    }
    struct tf_floor *floor = tf_instance_floor(instance, member, name);
    if (floor == NULL) {
        return TF_ELIMIT;
    }
    err = check_floor(floor, bundle);
    if (err != TF_OK) {
        return err;
    }
    /* Signed by another key it is not the same: that key may be revoked later. */
    if (entry != NULL && entry->lambda->version == bundle->manifest.version &&
        strcmp(entry->lambda->signer, bundle->signer) == 0) {
        tf_shared_free(bytes); /* the same again */
        return TF_OK;
    }
    err = entry == NULL ? TF_OK : check_grant(entry->grant, bundle);
    if (err != TF_OK) {
        return err;
    }
    entry = entry != NULL ? entry : find_free(instance);
    if (entry == NULL) {
        return TF_ELIMIT;
    }
    struct tf_lambda *lambda = make(bundle, member, bytes, size);
    if (lambda == NULL) {
        return TF_ENOMEM;
    }
    lambda->usage = &floor->usage;
    raise_floor(floor, bundle);
    tf_lambda_release(entry->lambda);
    entry->lambda = lambda;
    tf_instance_touch(instance);
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

tf_err tf_lambda_drop(struct tf_instance *instance, const char *name)
{
    tf_err err = TF_ENOTFOUND;

    tf_lock_take(&instance->lock);
    struct tf_entry *entry = tf_instance_find(instance, name);
    if (entry != NULL) {
        tf_instance_empty(entry);
        tf_instance_touch(instance);
        err = TF_OK;
    }
    tf_lock_give(&instance->lock);
    return err;
}
