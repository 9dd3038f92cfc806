/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grant.h - the right to serve names with a key: its JSON (doc/formats.md, "Management
 * endpoint"), its checks, and how it gets into the table. A grant holds a private key, so
 * whoever has one wipes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "enclave/instance.h"
#include "enclave/js/js.h"
#include "lib/err.h"
#include "lib/json.h"

struct tf_thread;

/** A grant that is in no table, with room for all that it may point to. It must not be
 *  copied. */
struct tf_grant_draft {
    struct tf_grant grant;
    char names[TF_DOMAINS_MAX][TF_DNS_MAX + 1];
    char chain[TF_CHAIN_MAX + 1];
    char key[TF_KEY_TEXT_MAX + 1];
    char secrets[TF_SECRETS_SIZE];
};

/** Parses a statement, grant.v1 JSON: fields and bounds only. Untrusted, not kept.
 *  @param signer  key id of who signed it.
 *  @param out  zeros on failure. @return TF_OK, TF_ENOMEM, or TF_EGRANT_FORMAT. */
TF_MUST_USE tf_err tf_grant_parse(struct tf_str statement, const char *signer,
                                  struct tf_grant_draft *out);

/** Sets the grant's key, PEM. @return TF_OK or TF_EGRANT_KEY if it is too long. */
TF_MUST_USE tf_err tf_grant_set_key(struct tf_grant_draft *draft, struct tf_str pem);

/** Seals a grant, as the statement that it was parsed from, for tf_grant_unseal.
 *  @param blob  gets a block that the caller frees.
 *  @return TF_OK, TF_ELIMIT, TF_ENOMEM, TF_ESEAL_NONE, TF_EINTERNAL. */
TF_MUST_USE tf_err tf_grant_seal(const struct tf_grant *grant, struct tf_str statement,
                                 uint8_t **blob, size_t *size);

/**
 * Checks a grant against the lambda, its own certificate, the time and what was confirmed
 * before, and puts a copy in the table: it is in force for all threads.
 *
 * @param is_sealed  it comes from the host's store. A fresh one anchors the time.
 * @param grant  gets its certificate's end.
 * @return TF_OK; TF_EREVOKED (its signer); TF_EGRANT_LAMBDA, _DOMAIN, _FORMAT, _KEY,
 * _EXPIRED; _OLD if its serial, or a fresh one's time, is behind what was accepted or
 * confirmed; TF_ENOMEM.
 */
TF_MUST_USE tf_err tf_grant_put(struct tf_thread *thread, struct tf_grant *grant,
                                bool is_sealed);

/** Opens a blob of TF_MSG_SEALED, untrusted, and puts the grant in the table.
 *  @param out  the grant, for the answer; the caller wipes it. */
TF_MUST_USE tf_err tf_grant_unseal(struct tf_thread *thread, const uint8_t *blob,
                                   size_t size, struct tf_grant_draft *out);

/** Writes {"granted", "names", "not_after"}. */
void tf_grant_answer_write(const struct tf_grant *grant, struct tf_json_writer *answer);
