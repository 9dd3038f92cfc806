/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/instance.h"

#include <string.h>

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/ssl.h>

#include "enclave/cert.h"
#include "enclave/enclu.h"
#include "enclave/js/env.h"
#include "enclave/ticket.h"

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

void tf_instance_touch(struct tf_instance *instance)
{
    __atomic_store_n(&instance->epoch, instance->epoch + 1, __ATOMIC_RELEASE);
}

struct tf_entry *tf_instance_find(struct tf_instance *instance, const char *name)
{
    for (size_t i = 0; i < TF_LAMBDAS_MAX; i++) {
        struct tf_entry *entry = &instance->entries[i];
        if (entry->lambda != NULL && strcmp(entry->lambda->name, name) == 0) {
            return entry;
        }
    }
    return NULL;
}

void tf_instance_empty(struct tf_entry *entry)
{
    tf_lambda_release(entry->lambda);
    tf_grant_release(entry->grant);
    *entry = (struct tf_entry){0};
}

static struct tf_floor *name_floor(struct tf_floor *floor, size_t member,
                                   const char *name)
{
    memcpy(floor->name, name, strlen(name) + 1);
    floor->member = member;
    return floor;
}

struct tf_floor *tf_instance_floor(struct tf_instance *instance, size_t member,
                                   const char *name)
{
    size_t share = TF_FLOORS_MAX / instance->domain.member_count;

    for (size_t i = 0; i < TF_FLOORS_MAX; i++) {
        struct tf_floor *floor = &instance->floors[i];
        if (floor->name[0] == '\0') {
            return share == 0 ? NULL : name_floor(floor, member, name);
        }
        if (floor->member != member) {
            continue;
        }
        if (strcmp(floor->name, name) == 0) {
            return floor;
        }
        share--;
    }
    return NULL;
}

void tf_lambda_release(struct tf_lambda *lambda)
{
    if (lambda != NULL && --lambda->refs == 0) {
        tf_shared_free(lambda->bytes);
        tf_shared_free(lambda);
    }
}

void tf_grant_release(struct tf_grant *grant)
{
    if (grant != NULL && --grant->refs == 0) {
        tf_wipe(grant, sizeof(*grant));
        tf_shared_free(grant);
    }
}
