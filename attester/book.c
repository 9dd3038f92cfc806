/* SPDX-License-Identifier: Apache-2.0 */
#include "attester/book.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attester/logfile.h"
#include "client/keys.h"
#include "client/report.h"

enum { ENTRIES_FIRST = 64, SAME_SECONDS = 3600, OTHER_SECONDS = 60 };

/* What was last said about a lambda at a machine. */
struct refusal {
    char lambda[TF_NAME_MAX + 1];
    char machine[TF_TLOG_MACHINE_MAX + 1];
    char reason[TF_TLOG_REASON_MAX + 1];
    time_t at;
};

struct tf_book {
    pthread_mutex_t lock;
    struct tf_logfile log;
    struct tf_entry *entries; /* by growing serial */
    size_t entry_count;
    size_t entry_cap;
    struct refusal *refusals;
    size_t refusal_count;
    size_t refusal_cap;
    char policy[2 * TF_SHA256_SIZE + 1]; /* the last that the log has */
};

/* Room for one more element. @return the array, or NULL: then it is as it was. */
static void *grow(void *array, size_t count, size_t *cap, size_t size)
{
    if (count < *cap) {
        return array;
    }
    size_t more = *cap == 0 ? ENTRIES_FIRST : 2 * *cap;
    void *grown = realloc(array, more * size);
    if (grown != NULL) {
        *cap = more;
    }
    return grown;
}

static struct tf_entry *find(const struct tf_book *book, uint64_t serial)
{
    size_t low = 0;
    size_t high = book->entry_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (book->entries[middle].serial == serial) {
            return &book->entries[middle];
        }
        if (book->entries[middle].serial < serial) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static bool add(struct tf_book *book, const struct tf_tlog_line *line)
{
    const struct tf_tlog_event *e = &line->event;
    struct tf_entry *entries =
        grow(book->entries, book->entry_count, &book->entry_cap, sizeof(entries[0]));

    if (entries == NULL) {
        return false;
    }
    book->entries = entries;
    struct tf_entry *entry = &entries[book->entry_count++];
    *entry = (struct tf_entry){.serial = e->serial,
                               .version = e->version,
                               .issued = line->time,
                               .not_after = e->not_after,
                               .state = TF_ENTRY_OPEN};
    memcpy(entry->lambda, e->lambda, sizeof(entry->lambda));
    memcpy(entry->instance, e->instance, sizeof(entry->instance));
    memcpy(entry->machine, e->machine, sizeof(entry->machine));
    memcpy(entry->digest, e->digest, sizeof(entry->digest));
    return true;
}

/* Keeps what a line says; the log's reader has checked that it fits. */
static bool take(const struct tf_tlog_line *line, void *user)
{
    struct tf_book *book = user;
    const struct tf_tlog_event *e = &line->event;

    if (e->kind == TF_TLOG_INTENT) {
        return add(book, line);
    }
    if (e->kind == TF_TLOG_START || e->kind == TF_TLOG_POLICY) {
        memcpy(book->policy, e->policy, sizeof(book->policy));
    }
    struct tf_entry *entry = find(book, e->serial);
    if (entry == NULL) {
        return true; /* it is about no grant */
    }
    if (e->kind == TF_TLOG_GRANTED) {
        entry->state = TF_ENTRY_GRANTED;
    } else if (e->kind == TF_TLOG_VOID) {
        entry->state = TF_ENTRY_VOID;
    } else if (e->kind == TF_TLOG_STOPPED) {
        entry->is_stopped = true;
    } else if (e->kind == TF_TLOG_UPDATE) {
        entry->version = e->version;
        memcpy(entry->digest, e->digest, sizeof(entry->digest));
    }
    return true;
}

/* Writes a line and keeps what it says. The caller holds the lock. */
static tf_err note(struct tf_book *book, const struct tf_tlog_event *event)
{
    struct tf_tlog_line line = {.time = (uint64_t)time(NULL), .event = *event};
    tf_err err = tf_logfile_append(&book->log, event);

    if (err == TF_OK && !take(&line, book)) {
        err = TF_ENOMEM;
    }
    return err;
}

static tf_err note_start(struct tf_book *book, EVP_PKEY *key, const char *policy,
                         uint64_t cut)
{
    struct tf_tlog_event start = {.kind = TF_TLOG_START, .cut = cut};

    start.key_size = tf_key_spki(key, start.key);
    (void)snprintf(start.policy, sizeof(start.policy), "%s", policy);
    return note(book, &start);
}

tf_err tf_book_open(const char *folder, EVP_PKEY *key, const char *policy,
                    struct tf_book **out)
{
    struct tf_book *book = calloc(1, sizeof(*book));
    uint64_t cut = 0;

    if (book == NULL) {
        return TF_ENOMEM;
    }
    (void)pthread_mutex_init(&book->lock, NULL);
    tf_err err = tf_logfile_open(&book->log, folder, key, take, book, &cut);
    if (err == TF_OK) {
        err = note_start(book, key, policy, cut);
    } else {
        book->log.fd = -1;
    }
    if (err != TF_OK) {
        tf_book_close(book);
        return err;
    }
    *out = book;
    return TF_OK;
}

void tf_book_close(struct tf_book *book)
{
    if (book != NULL) {
        tf_logfile_close(&book->log);
        (void)pthread_mutex_destroy(&book->lock);
        free(book->entries);
        free(book->refusals);
        free(book);
    }
}

bool tf_book_find(struct tf_book *book, uint64_t serial, struct tf_entry *out)
{
    (void)pthread_mutex_lock(&book->lock);
    const struct tf_entry *entry = find(book, serial);
    if (entry != NULL) {
        *out = *entry;
    }
    (void)pthread_mutex_unlock(&book->lock);
    return entry != NULL;
}

/* The latest entry of a lambda at a machine in one state. */
static bool last_at(struct tf_book *book, int state, const char *lambda,
                    const char *machine, struct tf_entry *out)
{
    bool is_found = false;

    (void)pthread_mutex_lock(&book->lock);
    for (size_t i = book->entry_count; i-- > 0 && !is_found;) {
        const struct tf_entry *entry = &book->entries[i];
        is_found = (int)entry->state == state && strcmp(entry->lambda, lambda) == 0 &&
                   strcmp(entry->machine, machine) == 0;
        if (is_found) {
            *out = *entry;
        }
    }
    (void)pthread_mutex_unlock(&book->lock);
    return is_found;
}

bool tf_book_granted_at(struct tf_book *book, const char *lambda, const char *machine,
                        struct tf_entry *out)
{
    return last_at(book, TF_ENTRY_GRANTED, lambda, machine, out);
}

bool tf_book_open_at(struct tf_book *book, const char *lambda, const char *machine,
                     struct tf_entry *out)
{
    return last_at(book, TF_ENTRY_OPEN, lambda, machine, out);
}

uint64_t tf_book_floor(struct tf_book *book, const char *lambda)
{
    uint64_t floor = 0;

    (void)pthread_mutex_lock(&book->lock);
    for (size_t i = 0; i < book->entry_count; i++) {
        const struct tf_entry *entry = &book->entries[i];
        if (entry->state == TF_ENTRY_GRANTED && entry->version > floor &&
            strcmp(entry->lambda, lambda) == 0) {
            floor = entry->version;
        }
    }
    (void)pthread_mutex_unlock(&book->lock);
    return floor;
}

/* Above every serial of the log, and not below the clock's milliseconds, so that grants
 * made by hand with `tfaas grant` mix with ours. */
static uint64_t next_serial(const struct tf_book *book)
{
    struct timespec now;
    uint64_t last =
        book->entry_count == 0 ? 0 : book->entries[book->entry_count - 1].serial;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    uint64_t clock = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    return clock > last ? clock : last + 1;
}

tf_err tf_book_intend(struct tf_book *book, struct tf_tlog_event *intent)
{
    (void)pthread_mutex_lock(&book->lock);
    intent->kind = TF_TLOG_INTENT;
    intent->serial = next_serial(book);
    tf_err err = note(book, intent);
    (void)pthread_mutex_unlock(&book->lock);
    return err;
}

tf_err tf_book_settle(struct tf_book *book, uint64_t serial, const char *reason)
{
    struct tf_tlog_event event = {.kind = reason == NULL ? TF_TLOG_GRANTED : TF_TLOG_VOID,
                                  .serial = serial};

    if (reason != NULL) {
        (void)snprintf(event.reason, sizeof(event.reason), "%s", reason);
    }
    (void)pthread_mutex_lock(&book->lock);
    tf_err err = note(book, &event);
    (void)pthread_mutex_unlock(&book->lock);
    return err;
}

tf_err tf_book_update(struct tf_book *book, uint64_t serial, uint64_t version,
                      const char *digest)
{
    struct tf_tlog_event event = {
        .kind = TF_TLOG_UPDATE, .serial = serial, .version = version};
    tf_err err = TF_OK;

    (void)snprintf(event.digest, sizeof(event.digest), "%s", digest);
    (void)pthread_mutex_lock(&book->lock);
    const struct tf_entry *entry = find(book, serial);
    if (entry != NULL && strcmp(entry->digest, digest) != 0) {
        err = note(book, &event);
    }
    (void)pthread_mutex_unlock(&book->lock);
    return err;
}

tf_err tf_book_stop(struct tf_book *book, uint64_t serial, tf_err reason)
{
    struct tf_tlog_event event = {.kind = TF_TLOG_STOPPED, .serial = serial};
    tf_err err = TF_OK;

    (void)snprintf(event.reason, sizeof(event.reason), "%s", tf_err_name(reason));
    (void)pthread_mutex_lock(&book->lock);
    const struct tf_entry *entry = find(book, serial);
    if (entry != NULL && entry->state == TF_ENTRY_GRANTED && !entry->is_stopped) {
        err = note(book, &event);
    }
    (void)pthread_mutex_unlock(&book->lock);
    return err;
}

void tf_book_resume(struct tf_book *book, uint64_t serial)
{
    (void)pthread_mutex_lock(&book->lock);
    struct tf_entry *entry = find(book, serial);
    if (entry != NULL) {
        entry->is_stopped = false;
    }
    (void)pthread_mutex_unlock(&book->lock);
}

tf_err tf_book_policy(struct tf_book *book, const char *policy)
{
    struct tf_tlog_event event = {.kind = TF_TLOG_POLICY};
    tf_err err = TF_OK;

    (void)snprintf(event.policy, sizeof(event.policy), "%s", policy);
    (void)pthread_mutex_lock(&book->lock);
    if (strcmp(book->policy, event.policy) != 0) {
        err = note(book, &event);
    }
    (void)pthread_mutex_unlock(&book->lock);
    return err;
}

static struct refusal *find_refusal(struct tf_book *book, const struct tf_tlog_event *e)
{
    for (size_t i = 0; i < book->refusal_count; i++) {
        struct refusal *said = &book->refusals[i];
        if (strcmp(said->lambda, e->lambda) == 0 &&
            strcmp(said->machine, e->machine) == 0) {
            return said;
        }
    }
    struct refusal *refusals = grow(book->refusals, book->refusal_count,
                                    &book->refusal_cap, sizeof(refusals[0]));
    if (refusals == NULL) {
        return NULL;
    }
    book->refusals = refusals;
    struct refusal *said = &refusals[book->refusal_count++];
    *said = (struct refusal){.at = 0};
    memcpy(said->lambda, e->lambda, sizeof(said->lambda));
    memcpy(said->machine, e->machine, sizeof(said->machine));
    return said;
}

tf_err tf_book_refuse(struct tf_book *book, const struct tf_tlog_event *refusal)
{
    struct timespec now;
    tf_err err = TF_OK;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)pthread_mutex_lock(&book->lock);
    struct refusal *said = find_refusal(book, refusal);
    if (said == NULL) {
        err = TF_ENOMEM;
    } else if (said->reason[0] == '\0' ||
               now.tv_sec - said->at >= (strcmp(said->reason, refusal->reason) == 0
                                             ? SAME_SECONDS
                                             : OTHER_SECONDS)) {
        said->at = now.tv_sec;
        memcpy(said->reason, refusal->reason, sizeof(said->reason));
        err = note(book, refusal);
    }
    (void)pthread_mutex_unlock(&book->lock);
    return err;
}
