/* SPDX-License-Identifier: Apache-2.0 */
/*
 * book.h - what this attester has granted: the transparency log, and in memory what can
 * be asked of it. Nothing else is kept across a restart, so a crash loses nothing that
 * the log does not have. Functions may be called from several threads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "lib/err.h"
#include "verify/tlog.h"

struct tf_book;

/** A grant that was logged. */
struct tf_entry {
    uint64_t serial;
    uint64_t version;
    uint64_t issued; /* seconds since 1970 */
    uint64_t not_after;
    enum { TF_ENTRY_OPEN, TF_ENTRY_GRANTED, TF_ENTRY_VOID } state;
    bool is_stopped; /* its lease is not renewed, and the log says so */
    char lambda[TF_NAME_MAX + 1];
    char instance[32 + 1];
    char machine[TF_TLOG_MACHINE_MAX + 1];
    char digest[2 * TF_SHA256_SIZE + 1];
};

/**
 * Opens FOLDER/log.jsonl (attester/logfile.h), reads it, and logs a start.
 * @param key     signs; borrowed, kept until tf_book_close.
 * @param policy  hex SHA-256 of the policy file.
 * @return TF_OK, or an error after a message.
 */
TF_MUST_USE tf_err tf_book_open(const char *folder, EVP_PKEY *key, const char *policy,
                                struct tf_book **out);
void tf_book_close(struct tf_book *book);

/** The entry of a serial. @return false if there is none. */
bool tf_book_find(struct tf_book *book, uint64_t serial, struct tf_entry *out);

/** The latest grant of a lambda at a machine. @return false if there is none. */
bool tf_book_granted_at(struct tf_book *book, const char *lambda, const char *machine,
                        struct tf_entry *out);

/** The latest intent there of which nobody knows what became. @return as above. */
bool tf_book_open_at(struct tf_book *book, const char *lambda, const char *machine,
                     struct tf_entry *out);

/** The highest version of a lambda that was granted; 0: none. */
uint64_t tf_book_floor(struct tf_book *book, const char *lambda);

/** Logs that a grant will be sent, under a serial that no grant had. Only after TF_OK may
 *  it be sent. @param intent  its serial is set here. */
TF_MUST_USE tf_err tf_book_intend(struct tf_book *book, struct tf_tlog_event *intent);

/** Logs what became of an intent: NULL granted, else the code of why not. */
TF_MUST_USE tf_err tf_book_settle(struct tf_book *book, uint64_t serial,
                                  const char *reason);

/** Logs that another version of the lambda serves under a grant; says nothing twice. */
TF_MUST_USE tf_err tf_book_update(struct tf_book *book, uint64_t serial, uint64_t version,
                                  const char *digest);

/** Logs that a lease is not renewed, once; tf_book_resume forgets it. */
TF_MUST_USE tf_err tf_book_stop(struct tf_book *book, uint64_t serial, tf_err reason);
void tf_book_resume(struct tf_book *book, uint64_t serial);

/** Logs the policy that holds now, if it is another one than the log's last. */
TF_MUST_USE tf_err tf_book_policy(struct tf_book *book, const char *policy);

/** Logs a bad verdict: of one lambda and machine one a minute, the same reason one an
 *  hour, so that a host cannot fill the disk. */
TF_MUST_USE tf_err tf_book_refuse(struct tf_book *book,
                                  const struct tf_tlog_event *refusal);
