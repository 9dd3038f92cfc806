/* SPDX-License-Identifier: Apache-2.0 */
#include "attester/visit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attester/grant.h"
#include "attester/lists.h"
#include "attester/policy.h"
#include "attester/say.h"
#include "client/channel.h"
#include "client/lease.h"
#include "lib/bytes.h"

/* What one visit holds. */
struct visit {
    const struct tf_attester *attester;
    const char *machine;
    struct tf_policy_now policy;
    struct tf_lists lists;
    struct tf_place *places; /* one for each lambda of the configuration */
    size_t count;
    time_t ends; /* when leases are due again; of the monotonic clock */
    struct tf_served *served;
};

time_t tf_steady_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void note_platform(const struct tf_appraisal *a, struct tf_tlog_event *e)
{
    struct tf_bytes measurement = tf_appraisal_measurement(a);

    e->is_simulated = a->is_simulated;
    if (2 * measurement.size < sizeof(e->measurement)) {
        tf_hex_write(measurement.data, measurement.size, e->measurement);
    }
    if (a->has_pck) {
        tf_hex_write(a->pck.ppid, sizeof(a->pck.ppid), e->platform);
    } else if (a->tee == TF_TEE_SNP) {
        tf_hex_write(a->snp.chip_id, sizeof(a->snp.chip_id), e->platform);
    }
}

/* Which is refused goes into the log, and so does that its grant is leased no longer. Not
 * a word of what a bad enclave claims is believed: the grant is the one of the book. */
static void refuse(const struct visit *v, struct tf_place *place, tf_err reason)
{
    const char *lambda = place->wanted->name;
    struct tf_tlog_event e = {.kind = TF_TLOG_REFUSED};
    struct tf_entry entry;

    place->is_good = false;
    (void)snprintf(e.lambda, sizeof(e.lambda), "%s", lambda);
    (void)snprintf(e.machine, sizeof(e.machine), "%s", v->machine);
    (void)snprintf(e.reason, sizeof(e.reason), "%s", tf_err_name(reason));
    note_platform(&place->attestation.verdict.appraisal, &e);
    tf_say("refused", "lambda=%s machine=%s code=%s", lambda, v->machine, e.reason);
    tf_err err = tf_book_refuse(v->attester->book, &e);
    if (err == TF_OK &&
        tf_book_granted_at(v->attester->book, lambda, v->machine, &entry)) {
        err = tf_book_stop(v->attester->book, entry.serial, reason);
    }
    if (err != TF_OK) {
        tf_say("log-failed", "code=%s", tf_err_name(err));
    }
}

/* What this attester asks for beyond the policy. */
static tf_err judge(const struct visit *v, const struct tf_place *place)
{
    const struct tf_verdict *verdict = &place->attestation.verdict;

    if (verdict->result != TF_OK) {
        return verdict->result;
    }
    if (place->wanted->digest != NULL &&
        strcmp(place->wanted->digest, verdict->lambda.digest) != 0) {
        return TF_EPOLICY_DIGEST;
    }
    if (verdict->lambda.version < tf_book_floor(v->attester->book, place->wanted->name)) {
        return TF_EVERSION_FLOOR;
    }
    return TF_OK;
}

static void attest(const struct visit *v, struct tf_place *place)
{
    const struct tf_config *config = v->attester->config;
    const struct tf_attest_rules rules = {.policy = &v->policy.policy,
                                          .source = &config->collateral,
                                          .insecure_allow_simulated =
                                              config->insecure_allow_simulated};

    place->channel = tf_channel_try(v->machine, place->wanted->name);
    if (place->channel == NULL) {
        return; /* not deployed there, or the machine is down: nothing to judge */
    }
    tf_err err = tf_channel_attest(place->channel, place->wanted->name, &rules,
                                   &place->attestation);
    if (err != TF_OK) {
        tf_say("attest-failed", "lambda=%s machine=%s code=%s", place->wanted->name,
               v->machine, tf_err_name(err));
        return;
    }
    place->late = tf_steady_now() + (time_t)config->lease_seconds;
    err = judge(v, place);
    if (err != TF_OK) {
        refuse(v, place, err);
        return;
    }
    /* Before anything is granted: what is revoked goes, and a lease would be refused. */
    err = tf_lists_post(&v->lists, place->channel, &place->attestation.verdict);
    if (err != TF_OK) {
        tf_say("list-failed", "machine=%s code=%s", v->machine,
               tf_grant_failure(place->channel, err));
        return;
    }
    place->is_good = true;
}

/* The good places of one instance whose grant is in force; `serial` 0 is none. */
static size_t collect(const struct visit *v, const struct tf_place *first,
                      struct tf_leased *out)
{
    const char *instance = first->attestation.verdict.instance;
    size_t count = 0;

    for (size_t i = 0; i < v->count; i++) {
        const struct tf_place *place = &v->places[i];
        if (place->is_good && place->serial != 0 && tf_steady_now() < place->late &&
            strcmp(place->attestation.verdict.instance, instance) == 0) {
            out[count++] = (struct tf_leased){
                .lambda = place->wanted->name,
                .serial = place->serial,
                .version_floor = tf_book_floor(v->attester->book, place->wanted->name)};
        }
    }
    return count;
}

/* Over whose channel the instance's lease goes: an instance takes no second one of a
 * signer from a connection that was there before the first. */
static struct tf_place *lessor_of(const struct visit *v, struct tf_place *place)
{
    const char *instance = place->attestation.verdict.instance;

    for (size_t i = 0; i < v->count; i++) {
        if (v->places[i].is_lessor &&
            strcmp(v->places[i].attestation.verdict.instance, instance) == 0) {
            return &v->places[i];
        }
    }
    return place;
}

/* The first lease of an instance in this visit: one of its names shows that it serves. */
static void note_served(const struct visit *v, const struct tf_place *place)
{
    struct tf_served *served = v->served;

    if (served->count < TF_SERVED_MAX) {
        (void)snprintf(served->names[served->count], sizeof(served->names[0]), "%s",
                       tf_grant_name(place));
        served->count++;
    }
}

static void lease_instance(const struct visit *v, struct tf_place *place)
{
    struct tf_place *first = lessor_of(v, place);
    const struct tf_config *config = v->attester->config;
    const struct tf_verdict *verdict = &first->attestation.verdict;
    struct tf_leased lambdas[TF_NAMED_MAX];
    uint64_t now = (uint64_t)time(NULL);
    const struct tf_lease_order order = {.instance = verdict->instance,
                                         .time = now,
                                         .until = now + config->lease_seconds,
                                         .requests = config->requests,
                                         .lambdas = lambdas,
                                         .lambda_count = collect(v, first, lambdas),
                                         .lists = v->lists.named,
                                         .list_count = v->lists.count};
    /* A machine that is slow on purpose gets nothing for it. */
    tf_err err = tf_steady_now() >= first->late
                     ? TF_AGAIN
                     : tf_lease_send(first->channel, v->attester->key, &order);

    if (err == TF_OK && !first->is_lessor) {
        first->is_lessor = true;
        note_served(v, first);
    }
    if (err != TF_OK) {
        tf_say("lease-failed", "instance=%s machine=%s code=%s", verdict->instance,
               v->machine, tf_grant_failure(first->channel, err));
        return;
    }
    for (size_t i = 0; i < order.lambda_count; i++) {
        tf_book_resume(v->attester->book, lambdas[i].serial);
    }
    tf_say("leased", "instance=%s machine=%s lambdas=%zu until=%" PRIu64,
           verdict->instance, v->machine, order.lambda_count, order.until);
}

/* One statement for each instance: a lambda that it does not name loses its lease. */
static void lease_all(const struct visit *v)
{
    for (size_t i = 0; i < v->count; i++) {
        struct tf_place *place = &v->places[i];
        bool is_first = place->is_good && place->serial != 0;
        for (size_t j = 0; j < i && is_first; j++) {
            const struct tf_place *other = &v->places[j];
            is_first = !other->is_good || other->serial == 0 ||
                       strcmp(other->attestation.verdict.instance,
                              place->attestation.verdict.instance) != 0;
        }
        if (is_first) {
            lease_instance(v, place);
        }
    }
}

/* Grants what needs it, each leased at once. Certificates may take their time, so the
 * rest waits for the next visit when the leases of the machine are due again. */
static void grant_all(const struct visit *v)
{
    for (size_t i = 0; i < v->count; i++) {
        struct tf_place *place = &v->places[i];
        struct tf_tlog_event intent = {0};
        if (!place->is_good || !place->is_due || tf_steady_now() >= v->ends) {
            continue;
        }
        note_platform(&place->attestation.verdict.appraisal, &intent);
        if (tf_grant_place(v->attester, v->machine, place, &intent)) {
            lease_instance(v, place);
        }
    }
}

/* Leases first: they are what ends. */
static void go_round(struct visit *v)
{
    size_t found = 0;

    for (size_t i = 0; i < v->count; i++) {
        v->places[i].wanted = &v->attester->config->lambdas[i];
        attest(v, &v->places[i]);
        found += v->places[i].channel != NULL;
        if (v->places[i].is_good) {
            tf_grant_look(v->attester, v->machine, &v->places[i]);
        }
    }
    lease_all(v);
    grant_all(v);
    /* A name that is spelt wrong is found nowhere, a machine that is down has nothing. */
    tf_say("visited", "machine=%s found=%zu of=%zu", v->machine, found, v->count);
    for (size_t i = 0; i < v->count; i++) {
        tf_channel_close(v->places[i].channel);
    }
}

void tf_visit(const struct tf_attester *attester, const char *machine,
              struct tf_served *served)
{
    struct visit v = {.attester = attester,
                      .machine = machine,
                      .served = served,
                      .count = attester->config->lambda_count,
                      .ends = tf_steady_now() +
                              (time_t)(attester->config->lease_seconds / 3)};

    tf_err err = tf_policy_now(attester->config->policy, &v.policy);
    if (err == TF_OK) {
        err = tf_book_policy(attester->book, v.policy.hash);
    }
    if (err == TF_OK) {
        err = tf_lists_load(attester->config, &v.lists);
    }
    if (err != TF_OK) {
        tf_say("not-visited", "machine=%s code=%s", machine, tf_err_name(err));
        return;
    }
    v.places = calloc(v.count, sizeof(v.places[0]));
    if (v.places != NULL) {
        go_round(&v);
    }
    free(v.places);
    tf_lists_wipe(&v.lists);
}
