/* SPDX-License-Identifier: Apache-2.0 */
#include "attester/grant.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attester/say.h"
#include "attester/secrets.h"
#include "attester/visit.h"
#include "client/grant.h"

enum { BACKDATE_SECONDS = 300 };

const char *tf_grant_failure(const struct tf_channel_client *channel, tf_err err)
{
    const char *refusal = tf_channel_refusal(channel);

    return refusal[0] != '\0' ? refusal : tf_err_name(err);
}

static void log_failed(tf_err err)
{
    if (err != TF_OK) {
        tf_say("log-failed", "code=%s", tf_err_name(err));
    }
}

/* An intent without an outcome at this machine: the instance knows. If it is another one
 * now, the one that was meant is gone. */
static void settle_open(const struct tf_attester *attester, const char *machine,
                        const struct tf_verdict *verdict)
{
    struct tf_entry entry;

    while (tf_book_open_at(attester->book, verdict->lambda.name, machine, &entry)) {
        bool has_it = strcmp(entry.instance, verdict->instance) == 0 &&
                      entry.serial == verdict->lambda.serial;
        tf_err err = tf_book_settle(attester->book, entry.serial,
                                    has_it ? NULL : tf_err_name(TF_ENOTFOUND));
        tf_say("resolved", "serial=%" PRIu64 " outcome=%s", entry.serial,
               has_it ? "granted" : "void");
        if (err != TF_OK) {
            log_failed(err);
            return;
        }
    }
}

/* Whether the grant that the instance claims to have is one of ours, for it. */
static bool is_ours(const struct tf_attester *attester, const struct tf_verdict *verdict,
                    struct tf_entry *entry)
{
    if (verdict->lambda.serial == 0 ||
        !tf_book_find(attester->book, verdict->lambda.serial, entry) ||
        strcmp(entry->instance, verdict->instance) != 0 ||
        strcmp(entry->lambda, verdict->lambda.name) != 0) {
        return false;
    }
    if (entry->state != TF_ENTRY_GRANTED) { /* it arrived after it was given up */
        log_failed(tf_book_settle(attester->book, entry->serial, NULL));
    }
    return true;
}

/* A certificate is renewed at two thirds of its life. */
static bool is_old(const struct tf_entry *entry, uint64_t now)
{
    return now >= entry->issued + (entry->not_after - entry->issued) / 3 * 2;
}

void tf_grant_look(const struct tf_attester *attester, const char *machine,
                   struct tf_place *place)
{
    const struct tf_verdict *verdict = &place->attestation.verdict;
    const struct tf_lambda_claim *claim = &verdict->lambda;
    uint64_t now = (uint64_t)time(NULL);
    struct tf_entry entry;

    settle_open(attester, machine, verdict);
    if (!is_ours(attester, verdict, &entry)) {
        /* Leased by another attester of the domain: two would only take turns. */
        place->is_due = !(claim->is_granted && claim->leased_until > 0);
        if (!place->is_due) {
            tf_say("left-alone", "lambda=%s machine=%s serial=%" PRIu64, claim->name,
                   machine, claim->serial);
        }
        return;
    }
    log_failed(
        tf_book_update(attester->book, entry.serial, claim->version, claim->digest));
    place->serial = now < entry.not_after ? entry.serial : 0;
    place->is_due = is_old(&entry, now);
}

static size_t take_names(const struct tf_place *place, const char **names)
{
    const struct tf_lambda_claim *claim = &place->attestation.verdict.lambda;

    if (place->wanted->name_count > 0) {
        memcpy(names, place->wanted->names, sizeof(place->wanted->names));
        return place->wanted->name_count;
    }
    for (size_t i = 0; i < claim->domain_count; i++) {
        names[i] = claim->domains[i];
    }
    return claim->domain_count;
}

const char *tf_grant_name(const struct tf_place *place)
{
    const char *names[TF_DOMAINS_MAX] = {""};

    (void)take_names(place, names);
    return names[0];
}

static void fill_intent(const struct tf_place *place, const char *machine,
                        const char *const *names, size_t name_count,
                        struct tf_tlog_event *e)
{
    const struct tf_verdict *verdict = &place->attestation.verdict;

    e->version = verdict->lambda.version;
    memcpy(e->lambda, verdict->lambda.name, sizeof(e->lambda));
    memcpy(e->digest, verdict->lambda.digest, sizeof(e->digest));
    memcpy(e->instance, verdict->instance, sizeof(e->instance));
    (void)snprintf(e->machine, sizeof(e->machine), "%s", machine);
    for (size_t i = 0; i < name_count; i++) {
        (void)snprintf(e->names[i], sizeof(e->names[i]), "%s", names[i]);
    }
    e->name_count = name_count;
}

/* Sends the grant that the log announces, and logs what became of it. An answer that is
 * lost leaves it open for the next visit. */
static bool send(const struct tf_attester *attester, struct tf_place *place,
                 const struct tf_grant_order *order)
{
    tf_err err = tf_grant_send(place->channel, attester->key, order);

    if (err == TF_EIO) {
        tf_say("grant-unknown", "lambda=%s serial=%" PRIu64, order->lambda,
               order->serial);
        return false;
    }
    const char *failure = err == TF_OK ? NULL : tf_grant_failure(place->channel, err);
    tf_say(err == TF_OK ? "granted" : "grant-failed",
           "lambda=%s instance=%s serial=%" PRIu64 " code=%s", order->lambda,
           place->attestation.verdict.instance, order->serial,
           failure == NULL ? "ok" : failure);
    log_failed(tf_book_settle(attester->book, order->serial, failure));
    if (err == TF_OK) {
        place->serial = order->serial;
    }
    return err == TF_OK;
}

static bool announce_and_send(const struct tf_attester *attester, struct tf_place *place,
                              const struct tf_grant_order *order,
                              struct tf_tlog_event *intent)
{
    struct tf_grant_order full = *order;
    struct tf_secret_file secrets;

    if (tf_secret_file_load(place->wanted->secrets, &secrets) != TF_OK) {
        return false;
    }
    tf_err err = tf_book_intend(attester->book, intent);
    bool is_granted = false;
    if (err == TF_OK) {
        full.serial = intent->serial;
        full.secrets = secrets.items;
        full.secret_count = secrets.count;
        is_granted = send(attester, place, &full);
    }
    log_failed(err);
    tf_secret_file_wipe(&secrets);
    return is_granted;
}

bool tf_grant_place(const struct tf_attester *attester, const char *machine,
                    struct tf_place *place, struct tf_tlog_event *intent)
{
    const char *names[TF_DOMAINS_MAX];
    size_t name_count = take_names(place, names);
    const struct tf_lambda_claim *claim = &place->attestation.verdict.lambda;
    struct tf_certified certified = {0};
    char *csr = NULL;
    bool is_granted = false;

    tf_err err = tf_grant_ask_csr(place->channel, claim->name, names, name_count, &csr);
    if (err == TF_OK) {
        err = tf_issuer_certify(attester->issuer, csr, names, name_count, &certified);
    }
    /* A machine that was slow on purpose gets no secrets on a verdict of long ago. */
    if (err == TF_OK &&
        tf_steady_now() >= place->late + (time_t)attester->config->command_seconds) {
        err = TF_AGAIN;
    }
    if (err == TF_OK) {
        uint64_t now = (uint64_t)time(NULL);
        uint64_t until = now + attester->config->certificate_seconds;
        const struct tf_grant_order order = {
            .lambda = claim->name,
            .is_leased = true,
            .names = names,
            .name_count = name_count,
            .digest = place->wanted->digest == NULL ? "" : place->wanted->digest,
            .version_floor = claim->version,
            .time = now,
            .not_before = now - BACKDATE_SECONDS,
            .not_after = certified.not_after < until ? certified.not_after : until,
            .chain = certified.chain,
            .chain_size = certified.chain_size};
        fill_intent(place, machine, names, name_count, intent);
        memcpy(intent->certificate, certified.certificate, sizeof(intent->certificate));
        intent->not_after = order.not_after;
        is_granted = announce_and_send(attester, place, &order, intent);
    } else {
        tf_say("not-granted", "lambda=%s machine=%s code=%s", claim->name, machine,
               tf_grant_failure(place->channel, err));
    }
    free(certified.chain);
    free(csr);
    return is_granted;
}
