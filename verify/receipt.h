/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receipt.h - what an enclave signed about invocations (doc/formats.md, "Receipts"): a
 * receipt for one, or a statement of what all of a lambda's have used. Offline: the text
 * carries the public key, and whose key that is comes from an attestation of the instance
 * (tf_verdict.receipts), which the caller has seen good.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "lib/crypto.h"
#include "lib/err.h"

enum { TF_RECEIPT_TEXT_MAX = 1024, TF_RECEIPT_PAYLOAD_MAX = 640 };

/** A receipt or a statement of usage, decoded. */
struct tf_receipt {
    char payload[TF_RECEIPT_PAYLOAD_MAX + 1]; /* JSON, as it was signed */
    char lambda[TF_NAME_MAX + 1];
    char instance[33];                /* hex */
    char key[2 * TF_SHA256_SIZE + 1]; /* keyid of the key that signed */
    uint64_t time;                    /* the enclave's; 0: nobody has told it */
    uint64_t steps;
    uint64_t peak; /* bytes; of a statement: the highest of all */
    uint64_t bytes_in;
    uint64_t bytes_out;

    bool is_usage; /* a statement: the next three are set; else those behind them */
    uint64_t receipts;
    uint64_t ok;
    uint64_t failed;

    uint64_t version;
    char digest[2 * TF_SHA256_SIZE + 1];
    uint64_t serial; /* of this lambda's receipts of this instance; from 1, no gaps */
    bool is_ok;      /* the lambda answered */
    uint64_t status; /* of the answer */
};

/**
 * Opens a receipt or a statement and checks its signature.
 *
 * @param text   untrusted.
 * @param keyid  of the key that has to have signed: 64 lower-case hex digits.
 * @return TF_OK; TF_ERECEIPT_FORMAT; TF_ERECEIPT_KEY: it names another key;
 *         TF_ERECEIPT_SIGNATURE.
 */
TF_MUST_USE tf_err tf_receipt_open(const char *text, size_t size, const char *keyid,
                                   struct tf_receipt *out);
