/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receipt.h - what invocations used, signed: a receipt for one of them when the request
 * asks for it, and a statement of the sum over all of a lambda's. Both are signed with a
 * key of this instance's start, whose hash is among the attested claims; doc/formats.md
 * ("Receipts") has the text, verify/receipt.h reads it.
 *
 * Totals are of a lambda's name, over all threads and versions since the instance's
 * start. Each thread adds to a share of its own; a statement adds the shares up.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enclave/stats.h"
#include "lib/crypto.h"
#include "lib/err.h"

struct tf_conn;
struct tf_instance;
struct tf_lambda;
struct tf_thread;

enum {
    TF_RECEIPT_SEED_SIZE = 32,
    TF_RECEIPT_SPKI_SIZE = 44, /* RFC 8410 */
    TF_RECEIPT_MAX = 1024      /* a receipt's or statement's text, with its NUL */
};

/** Ed25519; made at the instance's start, constant then. */
struct tf_receipt_key {
    uint8_t seed[TF_RECEIPT_SEED_SIZE]; /* secret */
    uint8_t spki[TF_RECEIPT_SPKI_SIZE];
    uint8_t id[TF_SHA256_SIZE]; /* SHA-256 of the SPKI */
};

/** What invocations of a name have used; lies in the instance. */
struct tf_usage {
    struct tf_stats_share shares[TF_STATS_SHARES];
    uint64_t receipts; /* made: the serial of the last one; atomic */
};

/** Makes a key. @return TF_OK or TF_EINTERNAL. */
TF_MUST_USE tf_err tf_receipt_key_make(struct tf_receipt_key *out);

/**
 * Adds an invocation that has ended, well or not, to its lambda's totals. If the
 * connection's request asked for a receipt, the answer that follows will carry it;
 * without memory for that there is none, and no serial is used up.
 *
 * @param conn  NULL: nobody waits for the answer.
 * @return whether one was signed.
 */
bool tf_receipt_note(struct tf_thread *thread, struct tf_conn *conn,
                     const struct tf_lambda *lambda, const struct tf_invocation *done);

/**
 * Signs the totals of a lambda's name.
 * @return TF_OK and the text; TF_ENOTFOUND: this instance never had such a lambda;
 *         TF_EINTERNAL.
 */
TF_MUST_USE tf_err tf_receipt_usage(struct tf_thread *thread, const char *lambda,
                                    char out[static TF_RECEIPT_MAX], size_t *size);
