/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/lease.h"

#include <stdlib.h>
#include <string.h>

#include "enclave/conn.h"
#include "enclave/revoke.h"
#include "enclave/thread.h"
#include "lib/dsse.h"
#include "lib/json.h"
#include "lib/lease.h"

static const uint64_t UNBOUND = UINT64_MAX; /* requests left */

/* --- use ------------------------------------------------------------------------- */

uint64_t tf_lease_until(const struct tf_thread *thread, const struct tf_tenure *tenure)
{
    const struct tf_lease *lease = &thread->instance->leases[tenure->lease];

    return tf_anchor_now(thread, tenure->lambda->member) < tenure->leased_until &&
                   __atomic_load_n(&lease->left, __ATOMIC_RELAXED) != 0
               ? tenure->leased_until
               : 0;
}

bool tf_lease_use(const struct tf_thread *thread, const struct tf_tenure *tenure)
{
    struct tf_lease *lease = &thread->instance->leases[tenure->lease];
    uint64_t left = __atomic_load_n(&lease->left, __ATOMIC_RELAXED);

    if (!tenure->grant->is_leased) {
        return true;
    }
    while (left != 0 && left != UNBOUND &&
           !__atomic_compare_exchange_n(&lease->left, &left, left - 1, true,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return left != 0;
}

void tf_lease_hand_over(const struct tf_instance *instance, struct tf_entry *entry,
                        const struct tf_grant *next)
{
    const struct tf_grant *last = entry->grant;

    if (last == NULL || !last->is_leased || !next->is_leased ||
        strcmp(last->signer, next->signer) != 0 ||
        strcmp(instance->leases[entry->lease].signer, next->signer) != 0) {
        entry->leased_until = 0;
    }
}

/* Hold the lock. */
static void end(struct tf_instance *instance, struct tf_entry *entry)
{
    if (entry->leased_until != 0) {
        entry->leased_until = 0;
        tf_instance_change(instance, entry);
    }
}

/* Hold the lock. */
static void end_member(struct tf_instance *instance, size_t member)
{
    for (struct tf_entry *entry = tf_list_first(&instance->entries); entry != NULL;
         entry = tf_list_next(&entry->link)) {
        if (entry->member == member) {
            end(instance, entry);
        }
    }
    tf_instance_touch(instance); /* the anchor has changed, too */
}

void tf_lease_note_clock(struct tf_thread *thread)
{
    struct tf_instance *instance = thread->instance;

    for (size_t member = 0; member < TF_MEMBERS_MAX; member++) {
        struct tf_anchor *anchor = &instance->anchors[member];
        if (!tf_anchor_note(anchor, thread->now)) {
            continue;
        }
        tf_lock_take(&instance->lock);
        if (tf_anchor_rebase(anchor, thread->now)) {
            end_member(instance, member);
        }
        tf_lock_give(&instance->lock);
    }
}

/* --- checks ---------------------------------------------------------------------- */

static tf_err check(const struct tf_conn *conn, const struct tf_lease_statement *lease)
{
    struct tf_instance *instance = conn->thread->instance;

    if (memcmp(lease->instance, instance->id, sizeof(instance->id)) != 0 ||
        !tf_crypto_equal(lease->exporter, conn->exporter, sizeof(lease->exporter))) {
        return TF_ELEASE_INSTANCE;
    }
    for (size_t i = 0; i < lease->revocation_count; i++) {
        const struct tf_lease_revocation *must = &lease->revocations[i];
        if (!tf_revoke_has(instance, must->signer, must->serial)) {
            return TF_EREVOCATION_OLD;
        }
    }
    return TF_OK;
}

/* --- the table: hold the lock ---------------------------------------------------- */

/* The signer's place; there is one for each key of the domain. */
static size_t place_of(struct tf_instance *instance, const char *signer)
{
    size_t i = 0;

    while (instance->leases[i].signer[0] != '\0' &&
           strcmp(instance->leases[i].signer, signer) != 0) {
        i++;
    }
    memcpy(instance->leases[i].signer, signer, sizeof(instance->leases[i].signer));
    return i;
}

/* Drops what is below. */
static void confirm(struct tf_instance *instance, struct tf_entry *entry,
                    const struct tf_lease_lambda *lambda)
{
    if (lambda->serial > entry->serial) {
        entry->serial = lambda->serial;
    }
    if (lambda->version_floor > entry->least) {
        entry->least = lambda->version_floor;
    }
    if (entry->lambda != NULL && entry->lambda->version < entry->least) {
        tf_instance_empty(instance, entry);
    } else if (entry->grant != NULL && entry->grant->serial < entry->serial) {
        tf_instance_put_grant(instance, entry, NULL);
    }
}

/* Puts the lease on the entry's grant. @return whether that is the one it is for. */
static bool extend(struct tf_instance *instance, struct tf_entry *entry, size_t place,
                   uint64_t serial, uint64_t until)
{
    if (entry->grant == NULL || !entry->grant->is_leased ||
        entry->grant->serial != serial) {
        return false;
    }
    entry->lease = place;
    entry->leased_until = until;
    tf_instance_change(instance, entry);
    return true;
}

static void end_leases(struct tf_instance *instance, size_t place)
{
    for (struct tf_entry *entry = tf_list_first(&instance->entries); entry != NULL;
         entry = tf_list_next(&entry->link)) {
        if (entry->lease == place) {
            end(instance, entry);
        }
    }
}

static tf_err put(struct tf_conn *conn, const struct tf_lease_statement *lease,
                  const char *signer, struct tf_json_writer *w)
{
    struct tf_instance *instance = conn->thread->instance;
    size_t place = place_of(instance, signer);
    size_t member = tf_descriptor_member(&instance->domain, signer);
    struct tf_anchor *anchor = &instance->anchors[member];

    /* Under the same lock as what follows: a list may come in on another thread. */
    if (tf_revocations_have_signer(&instance->revocations, signer)) {
        return TF_EREVOKED;
    }
    if (lease->time < anchor->signed_time ||
        instance->leases[place].number > conn->leases_seen) {
        return TF_ELEASE_OLD;
    }
    for (size_t i = 0; i < lease->lambda_count; i++) {
        if (tf_instance_entry(instance, member, lease->lambdas[i].name) == NULL) {
            return TF_ELIMIT;
        }
    }
    end_leases(instance, place);
    conn->leases_seen = instance->lease_count + 1;
    __atomic_store_n(&instance->lease_count, conn->leases_seen, __ATOMIC_RELEASE);
    instance->leases[place].number = conn->leases_seen;
    __atomic_store_n(&instance->leases[place].left,
                     lease->requests == 0 ? UNBOUND : lease->requests, __ATOMIC_RELAXED);
    for (size_t i = 0; i < lease->lambda_count; i++) {
        const struct tf_lease_lambda *lambda = &lease->lambdas[i];
        struct tf_entry *entry = tf_instance_entry(instance, member, lambda->name);
        confirm(instance, entry, lambda);
        if (extend(instance, entry, place, lambda->serial, lease->until)) {
            tf_json_put_string(w, NULL, entry->name);
        }
    }
    tf_anchor_set(anchor, lease->time, conn->thread->now);
    tf_instance_touch(instance);
    return TF_OK;
}

/* --- a lease comes in ------------------------------------------------------------ */

static tf_err accept(struct tf_conn *conn, const struct tf_lease_statement *lease,
                     const char *signer, struct tf_json_writer *answer)
{
    struct tf_thread *thread = conn->thread;

    tf_err err = check(conn, lease);
    if (err != TF_OK) {
        return err;
    }
    tf_json_open_object(answer, NULL);
    tf_json_open_array(answer, "leased");
    tf_lock_take(&thread->instance->lock);
    err = put(conn, lease, signer, answer);
    tf_lock_give(&thread->instance->lock);
    if (err != TF_OK) {
        return err;
    }
    tf_view_sync(thread);
    size_t member = tf_descriptor_member(&thread->instance->domain, signer);
    tf_json_close_array(answer);
    tf_json_put_integer(answer, "until", lease->until);
    tf_json_put_integer(answer, "time", tf_anchor_now(thread, member));
    tf_json_close_object(answer);
    return TF_OK;
}

tf_err tf_lease_take(struct tf_conn *conn, struct tf_str body,
                     struct tf_json_writer *answer)
{
    enum { SCRATCH = 2 * TF_LEASE_MAX + 256 };
    const struct tf_dsse_rule rule = {.type = TF_DSSE_LEASE,
                                      .payload_max = TF_LEASE_MAX,
                                      .domain = &conn->thread->instance->domain,
                                      .with_attesters = true,
                                      .bad_format = TF_ELEASE_FORMAT,
                                      .bad_signer = TF_ELEASE_SIGNER};
    struct tf_lease_statement *lease = malloc(sizeof(*lease) + SCRATCH);
    struct tf_dsse dsse;

    if (lease == NULL) {
        return TF_ENOMEM;
    }
    tf_err err = tf_dsse_open(body.data, body.size, &rule, (uint8_t *)(lease + 1), &dsse);
    if (err == TF_OK) {
        err = tf_lease_parse((const char *)dsse.payload, dsse.payload_size, lease);
    }
    if (err == TF_OK) {
        err = accept(conn, lease, dsse.signer, answer);
    }
    free(lease);
    return err;
}
