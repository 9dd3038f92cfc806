/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h - what tfaas-attester is told to do: one strict JSON file (doc/formats.md,
 * Attester's configuration). The user's own, still parsed strictly: a misspelt field must
 * not become a default. Files that it names are read later, by who needs them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "client/collateral_fetch.h"
#include "lib/err.h"

struct json_t; /* jansson's */

enum {
    TF_CONFIG_MACHINES_MAX = 64,
    TF_CONFIG_LISTS_MAX = TF_PUBLISHERS_MAX,
    TF_CONFIG_COMMAND_MAX = 32
};

/** A lambda that is to be granted wherever it is found. */
struct tf_wanted {
    const char *name;
    const char *names[TF_DOMAINS_MAX]; /* count 0: all of the manifest's */
    size_t name_count;
    const char *digest;  /* the one bundle that is accepted; NULL: what the policy says */
    const char *secrets; /* path; NULL: none */
};

/** All strings point into `document`; NULL for what is not there. */
struct tf_config {
    struct json_t *document;
    const char *policy; /* path */
    const char *key;    /* path: signs grants, leases and the log */
    const char *log;    /* folder */
    const char *machines[TF_CONFIG_MACHINES_MAX]; /* HOST:PORT */
    size_t machine_count;
    struct tf_wanted lambdas[TF_NAMED_MAX];
    size_t lambda_count;
    uint64_t lease_seconds;
    uint64_t certificate_seconds;
    uint64_t requests;          /* a lease is good for so many; 0: any number */
    const char *ca_key;         /* issuer "ca" */
    const char *ca_certificate; /* issuer "ca" */
    const char *command[TF_CONFIG_COMMAND_MAX + 1]; /* issuer "acme"; ends with NULL */
    uint64_t command_seconds;
    struct tf_collateral_source collateral;
    const char *domain; /* path of the descriptor; not NULL with revocations */
    const char *revocations[TF_CONFIG_LISTS_MAX]; /* paths */
    size_t revocation_count;
    bool insecure_allow_simulated;
};

/** Parses a text. @return TF_OK (end with tf_config_wipe), TF_ECONFIG after a message, or
 *  TF_ENOMEM. */
TF_MUST_USE tf_err tf_config_parse(const char *text, size_t size, struct tf_config *out);

/** The same for a file. @return also TF_EIO and TF_ELIMIT, after a message. */
TF_MUST_USE tf_err tf_config_load(const char *path, struct tf_config *out);
void tf_config_wipe(struct tf_config *config);
