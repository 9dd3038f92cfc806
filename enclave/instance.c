/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/instance.h"

#include <stddef.h>
#include <string.h>

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/ssl.h>

#include "enclave/cert.h"
#include "enclave/enclu.h"
#include "enclave/js/env.h"
#include "enclave/logs.h"
#include "enclave/shelf.h"
#include "enclave/ticket.h"

enum { BUCKETS = TF_LAMBDAS_MAX / 2 };

/* The only mutable global of the core (style rule 22): threads have nothing else in
 * common by which they could find it. */
static struct tf_instance the_instance;

bool tf_names_have(const struct tf_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->text[i], name) == 0) {
            return true;
        }
    }
    return false;
}

struct tf_instance *tf_instance_self(void)
{
    return &the_instance;
}

/* SDM 38.15: REPORT.CONFIGID is what the enclave was created with, whoever asks. */
static tf_err check_config(const struct tf_descriptor *domain)
{
    static const uint8_t zeros[64];
    struct sgx_target_info target;
    struct sgx_report report;

    memset(&target, 0, sizeof(target));
    tf_ereport(&target, zeros, &report);
    bool is_same = memcmp(report.config_id, domain->sha256, TF_SHA256_SIZE) == 0 &&
                   memcmp(report.config_id + TF_SHA256_SIZE, zeros,
                          sizeof(report.config_id) - TF_SHA256_SIZE) == 0;
    tf_wipe(&report, sizeof(report));
    return is_same ? TF_OK : TF_EDOMAIN_MISMATCH;
}

/* Claims bring a group to the relying party, which looks for its own domain in it. */
static tf_err keep_group(struct tf_instance *instance, const char *text, size_t size)
{
    instance->group = tf_shared_alloc(size);
    if (instance->group == NULL) {
        return TF_ENOMEM;
    }
    memcpy(instance->group, text, size);
    instance->group_size = size;
    return TF_OK;
}

static tf_err open_map(struct tf_map *map)
{
    const size_t size = BUCKETS * sizeof(struct tf_map_node *);
    struct tf_map_node **buckets = tf_shared_alloc(size);

    if (buckets == NULL) {
        return TF_ENOMEM;
    }
    uint64_t key;
    memset(buckets, 0, size);
    tf_random(&key, sizeof(key));
    tf_map_init(map, buckets, BUCKETS, key);
    return TF_OK;
}

static tf_err open_table(struct tf_instance *instance)
{
    tf_err err = open_map(&instance->names);

    return err == TF_OK ? open_map(&instance->served) : err;
}

/* The other threads wait for this once, on the lock: there is nothing they could do. */
static tf_err start(struct tf_instance *instance, const struct tf_descriptor *domain,
                    const char *text, size_t size)
{
    tf_err err = check_config(domain);
    if (err != TF_OK) {
        return err;
    }
    err = domain->member_count > 1 ? keep_group(instance, text, size) : TF_OK;
    if (err != TF_OK) {
        return err;
    }
    err = open_table(instance);
    if (err != TF_OK) {
        return err;
    }
    /* wolfSSL is built without locks: it is set up here, before a second thread can use
     * it (deps/wolfssl/user_settings.h). */
    if (wolfSSL_Init() != WOLFSSL_SUCCESS) {
        return TF_EINTERNAL;
    }
    err = tf_cert_identity_make(&instance->identity);
    if (err != TF_OK) {
        return err;
    }
    err = tf_receipt_key_make(&instance->receipts);
    if (err != TF_OK) {
        return err;
    }
    tf_random(instance->id, sizeof(instance->id));
    tf_ticket_start(instance);
    instance->domain = *domain;
    instance->is_started = true;
    return TF_OK;
}

tf_err tf_instance_start(struct tf_instance *instance, const char *text, size_t size)
{
    struct tf_descriptor domain;
    tf_err err = tf_descriptor_parse(text, size, &domain);
    if (err != TF_OK) {
        return err;
    }
    tf_lock_take(&instance->lock);
    if (!instance->is_started) {
        err = start(instance, &domain, text, size);
    } else if (memcmp(instance->domain.sha256, domain.sha256, TF_SHA256_SIZE) != 0) {
        err = TF_EDOMAIN_MISMATCH;
    }
    tf_lock_give(&instance->lock);
    return err;
}

uint64_t tf_instance_epoch(const struct tf_instance *instance)
{
    return __atomic_load_n(&instance->epoch, __ATOMIC_ACQUIRE);
}

static struct tf_tenure read(const struct tf_entry *entry)
{
    if (entry->lambda != NULL) {
        entry->lambda->refs++;
    }
    if (entry->grant != NULL) {
        entry->grant->refs++;
    }
    return (struct tf_tenure){entry->lambda, entry->grant, entry->leased_until,
                              entry->lease};
}

struct tf_tenure tf_instance_read(struct tf_instance *instance,
                                  const struct tf_entry *entry)
{
    tf_lock_take(&instance->lock);
    struct tf_tenure tenure = read(entry);
    tf_lock_give(&instance->lock);
    return tenure;
}

void tf_instance_leave(struct tf_instance *instance, struct tf_tenure *tenure)
{
    tf_lock_take(&instance->lock);
    tf_lambda_release(tenure->lambda);
    tf_grant_release(tenure->grant);
    tf_lock_give(&instance->lock);
    *tenure = (struct tf_tenure){0};
}

struct tf_entry *tf_instance_next(struct tf_instance *instance,
                                  const struct tf_entry *last, struct tf_tenure *out)
{
    tf_lock_take(&instance->lock);
    struct tf_entry *entry =
        last == NULL ? tf_list_first(&instance->entries) : tf_list_next(&last->link);
    while (entry != NULL && entry->lambda == NULL) {
        entry = tf_list_next(&entry->link);
    }
    if (entry != NULL) {
        *out = read(entry);
    }
    tf_lock_give(&instance->lock);
    return entry;
}

void tf_instance_touch(struct tf_instance *instance)
{
    __atomic_store_n(&instance->epoch, instance->epoch + 1, __ATOMIC_RELEASE);
}

void tf_instance_change(struct tf_instance *instance, struct tf_entry *entry)
{
    tf_instance_touch(instance);
    entry->changed = instance->epoch;
    if (entry->change.of != NULL) {
        tf_list_remove(&instance->changes, &entry->change);
    }
    tf_list_add_first(&instance->changes, &entry->change, entry);
}

static struct tf_entry *entry_of(struct tf_map_node *node)
{
    return (void *)((uint8_t *)node - offsetof(struct tf_entry, node));
}

struct tf_entry *tf_instance_known(const struct tf_instance *instance, const char *name)
{
    struct tf_map_node *node =
        tf_map_first(&instance->names, tf_map_hash(&instance->names, name));
    struct tf_entry *found = NULL;

    for (; node != NULL; node = tf_map_next(node)) {
        struct tf_entry *entry = entry_of(node);
        if (strcmp(entry->name, name) == 0 && (found == NULL || found->lambda == NULL)) {
            found = entry;
        }
    }
    return found;
}

struct tf_entry *tf_instance_find(const struct tf_instance *instance, const char *name)
{
    struct tf_entry *entry = tf_instance_known(instance, name);

    return entry != NULL && entry->lambda != NULL ? entry : NULL;
}

struct tf_entry *tf_instance_served(const struct tf_instance *instance, const char *dns)
{
    struct tf_map_node *node =
        tf_map_first(&instance->served, tf_map_hash(&instance->served, dns));

    for (; node != NULL; node = tf_map_next(node)) {
        struct tf_served *served =
            (void *)((uint8_t *)node - offsetof(struct tf_served, node));
        if (strcmp(served->name, dns) == 0) {
            return served->entry;
        }
    }
    return NULL;
}

/* A new entry at the end. */
static struct tf_entry *add_entry(struct tf_instance *instance, size_t member,
                                  const char *name)
{
    struct tf_entry *entry = tf_shared_alloc(sizeof(*entry));

    if (entry == NULL) {
        return NULL;
    }
    const struct tf_entry *last = tf_list_last(&instance->entries);
    *entry =
        (struct tf_entry){.member = member, .index = last == NULL ? 0 : last->index + 1};
    memcpy(entry->name, name, strlen(name) + 1);
    tf_list_add_last(&instance->entries, &entry->link, entry);
    instance->entry_counts[member]++;
    tf_map_put(&instance->names, &entry->node, tf_map_hash(&instance->names, name));
    return entry;
}

struct tf_entry *tf_instance_entry(struct tf_instance *instance, size_t member,
                                   const char *name)
{
    struct tf_map_node *node =
        tf_map_first(&instance->names, tf_map_hash(&instance->names, name));

    for (; node != NULL; node = tf_map_next(node)) {
        struct tf_entry *entry = entry_of(node);
        if (entry->member == member && strcmp(entry->name, name) == 0) {
            return entry;
        }
    }
    if (instance->entry_counts[member] >= TF_FLOORS_MAX / instance->domain.member_count) {
        return NULL;
    }
    return add_entry(instance, member, name);
}

void tf_instance_put_lambda(struct tf_instance *instance, struct tf_entry *entry,
                            struct tf_lambda *lambda)
{
    instance->lambda_count += (lambda != NULL) - (size_t)(entry->lambda != NULL);
    tf_lambda_release(entry->lambda);
    tf_logs_forget(instance, entry, 0);
    entry->lambda = lambda;
    tf_instance_change(instance, entry);
}

void tf_instance_put_grant(struct tf_instance *instance, struct tf_entry *entry,
                           struct tf_grant *grant)
{
    struct tf_grant *old = entry->grant;

    for (size_t i = 0; old != NULL && i < old->names.count; i++) {
        tf_map_remove(&instance->served, &old->served[i].node);
    }
    tf_grant_release(old);
    entry->grant = grant;
    if (grant == NULL) {
        entry->leased_until = 0;
    }
    for (size_t i = 0; grant != NULL && i < grant->names.count; i++) {
        grant->served[i].entry = entry;
        grant->served[i].name = grant->names.text[i];
        tf_map_put(&instance->served, &grant->served[i].node,
                   tf_map_hash(&instance->served, grant->names.text[i]));
    }
    tf_instance_change(instance, entry);
}

void tf_instance_empty(struct tf_instance *instance, struct tf_entry *entry)
{
    tf_instance_put_grant(instance, entry, NULL);
    tf_instance_put_lambda(instance, entry, NULL);
}

void tf_lambda_release(struct tf_lambda *lambda)
{
    if (lambda != NULL && --lambda->refs == 0) {
        tf_shelf_drop(&the_instance.shelf, lambda);
        tf_shared_free(lambda);
    }
}

void tf_grant_release(struct tf_grant *grant)
{
    if (grant != NULL && --grant->refs == 0) {
        tf_wipe(grant, grant->size);
        tf_shared_free(grant);
    }
}
