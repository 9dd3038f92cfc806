/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grant.h - giving a lambda its certificate over an attested channel: the enclave's CSR
 * in, the signed statement of doc/formats.md out. The caller has seen a good verdict on
 * this very channel; nothing here asks again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "client/channel.h"
#include "lib/err.h"

/** A variable for the lambda's `env`. */
struct tf_grant_secret {
    const char *name;
    const char *value; /* secret */
};

/** What a grant says. All borrowed; `key` and `secrets` are secret. */
struct tf_grant_order {
    const char *lambda;
    uint64_t serial;          /* above that of the lambda's earlier grants */
    bool is_leased;           /* serves only while a lease is in force, and is not kept */
    const char *const *names; /* DNS names, at most TF_DOMAINS_MAX */
    size_t name_count;
    const char *digest; /* pins one bundle; "" does not */
    uint64_t version_floor;
    uint64_t time; /* now; seconds since 1970, as all times here */
    uint64_t not_before;
    uint64_t not_after;
    const char *chain; /* PEM, leaf first */
    size_t chain_size;
    const char *key; /* PEM of the leaf's key; size 0: that of the channel's last CSR */
    size_t key_size;
    const struct tf_grant_secret *secrets; /* names are not there twice */
    size_t secret_count;
};

/**
 * Has the enclave make a key for the names.
 * @param csr  PEM, untrusted, owned by the caller: free.
 * @return TF_OK, or an error after a message.
 */
TF_MUST_USE tf_err tf_grant_ask_csr(struct tf_channel_client *channel, const char *lambda,
                                    const char *const *names, size_t name_count,
                                    char **csr);

/**
 * Writes the statement, signs it with `signer` and sends it. Copies of a key are wiped.
 * @return TF_OK; TF_EUSAGE (refused by the enclave), TF_EIO or TF_ELIMIT after a message.
 */
TF_MUST_USE tf_err tf_grant_send(struct tf_channel_client *channel, EVP_PKEY *signer,
                                 const struct tf_grant_order *order);
