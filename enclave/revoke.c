/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/revoke.h"

#include <stdlib.h>
#include <string.h>

#include "lib/revocations.h"

/* Whether a lease is in force whose signer the lists name. Hold the lock. */
static bool is_lease_revoked(const struct tf_instance *instance,
                             const struct tf_entry *entry)
{
    return entry->leased_until != 0 &&
           tf_revocations_have_signer(&instance->revocations,
                                      instance->leases[entry->lease].signer);
}

bool tf_revoke_names(const struct tf_instance *instance, const struct tf_lambda *lambda)
{
    const struct tf_revocable what = {lambda->name, lambda->version, lambda->digest,
                                      lambda->signer, lambda->member};

    return tf_revocations_have_bundle(&instance->revocations, &what);
}

/* Takes from an entry what the lists name now: its lambda, or a grant or lease of a key.
 * @return whether the lambda has left. Hold the lock. */
static bool apply(struct tf_instance *instance, struct tf_entry *entry)
{
    if (tf_revoke_names(instance, entry->lambda)) {
        tf_instance_empty(instance, entry);
        return true;
    }
    if (entry->grant != NULL &&
        tf_revocations_have_signer(&instance->revocations, entry->grant->signer)) {
        tf_instance_put_grant(instance, entry, NULL);
    } else if (is_lease_revoked(instance, entry)) {
        entry->leased_until = 0;
        tf_instance_change(instance, entry);
    }
    return false;
}

/* The same of all; `names` is told of the first lambdas that left. Hold the lock. */
static void drop_revoked(struct tf_instance *instance, struct tf_json_writer *names)
{
    size_t named = 0;

    for (struct tf_entry *entry = tf_list_first(&instance->entries); entry != NULL;
         entry = tf_list_next(&entry->link)) {
        if (entry->lambda != NULL && apply(instance, entry) && named++ < TF_NAMED_MAX) {
            tf_json_put_string(names, NULL, entry->name);
        }
    }
}

/* Hold the lock. */
static tf_err put(struct tf_instance *instance, const struct tf_revocations *list,
                  size_t signer, struct tf_json_writer *dropped, bool *is_new)
{
    struct tf_revocations **place = &instance->revocations.lists[signer];
    tf_err err =
        tf_revocations_check(&instance->revocations, &instance->domain, signer, list);

    if (err != TF_OK) {
        return err;
    }
    *is_new = *place == NULL || (*place)->serial != list->serial;
    if (!*is_new) {
        return TF_OK;
    }
    if (*place == NULL) {
        *place = tf_shared_alloc(sizeof(**place));
    }
    if (*place == NULL) {
        return TF_ENOMEM;
    }
    **place = *list;
    drop_revoked(instance, dropped);
    tf_instance_touch(instance);
    return TF_OK;
}

tf_err tf_revoke_take(struct tf_instance *instance, struct tf_str list,
                      struct tf_json_writer *answer, bool *is_new)
{
    struct tf_revocations *parsed = malloc(sizeof(*parsed) + TF_REVOCATIONS_SCRATCH);
    size_t signer = 0;

    if (parsed == NULL) {
        return TF_ENOMEM;
    }
    tf_err err = tf_revocations_open(list.data, list.size, &instance->domain,
                                     (uint8_t *)(parsed + 1), parsed, &signer);
    if (err == TF_OK) {
        tf_json_open_object(answer, NULL);
        tf_json_put_string(answer, "signer", instance->domain.publishers[signer].keyid);
        tf_json_put_integer(answer, "serial", parsed->serial);
        tf_json_open_array(answer, "dropped");
        tf_lock_take(&instance->lock);
        err = put(instance, parsed, signer, answer, is_new);
        tf_lock_give(&instance->lock);
        tf_json_close_array(answer);
        tf_json_close_object(answer);
    }
    free(parsed);
    return err;
}

bool tf_revoke_has(struct tf_instance *instance, const char *keyid, uint64_t serial)
{
    bool is_there = false;

    tf_lock_take(&instance->lock);
    for (size_t i = 0; i < instance->domain.publisher_count; i++) {
        const struct tf_revocations *list = instance->revocations.lists[i];
        if (list != NULL && strcmp(instance->domain.publishers[i].keyid, keyid) == 0) {
            is_there = list->serial >= serial;
        }
    }
    tf_lock_give(&instance->lock);
    return is_there;
}

void tf_revoke_write(struct tf_instance *instance, struct tf_json_writer *w)
{
    tf_json_open_array(w, "revocations");
    tf_lock_take(&instance->lock);
    for (size_t i = 0; i < instance->domain.publisher_count; i++) {
        const struct tf_revocations *list = instance->revocations.lists[i];
        if (list != NULL) {
            tf_json_open_object(w, NULL);
            tf_json_put_string(w, "signer", instance->domain.publishers[i].keyid);
            tf_json_put_integer(w, "serial", list->serial);
            tf_json_close_object(w);
        }
    }
    tf_lock_give(&instance->lock);
    tf_json_close_array(w);
}
