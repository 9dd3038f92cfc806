/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.h - what a granter says to one running instance, again and again: these lambdas
 * may serve their leased grants until then, and this is the least that it has confirmed.
 * Format: doc/formats.md. Parses and writes; what a lease does is in enclave/lease.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "lib/crypto.h"
#include "lib/err.h"

enum {
    TF_LEASE_INSTANCE_SIZE = 16, /* bytes of an instance's id */
    TF_LEASE_SIGNERS_MAX = TF_PUBLISHERS_MAX + TF_ATTESTERS_MAX,
    TF_LEASE_SECONDS_MAX = 7 * 86400
};

/** What is confirmed about a lambda. */
struct tf_lease_lambda {
    char name[TF_NAME_MAX + 1];
    uint64_t serial;        /* of the grant that may serve; none below it may */
    uint64_t version_floor; /* no bundle below it may run */
};

/** A revocation list that there must be. */
struct tf_lease_revocation {
    char signer[2 * TF_SHA256_SIZE + 1];
    uint64_t serial;
};

/** A lease, decoded. Holds no secret. */
struct tf_lease_statement {
    uint8_t instance[TF_LEASE_INSTANCE_SIZE];
    uint8_t exporter[TF_SHA256_SIZE]; /* of the connection that it was made for */
    uint64_t time;                    /* the granter's clock, seconds since 1970 */
    uint64_t until;                   /* likewise */
    uint64_t requests; /* that may be served under it, of all lambdas together; 0: any */
    struct tf_lease_lambda lambdas[TF_NAMED_MAX]; /* none twice */
    size_t lambda_count;
    struct tf_lease_revocation revocations[TF_LEASE_SIGNERS_MAX];
    size_t revocation_count;
};

/** Parses untrusted JSON. @return TF_OK, TF_ENOMEM, TF_ELEASE_FORMAT. */
TF_MUST_USE tf_err tf_lease_parse(const char *text, size_t size,
                                  struct tf_lease_statement *out);

/** Writes it, to be signed. @return TF_OK or TF_ELIMIT. */
TF_MUST_USE tf_err tf_lease_write(const struct tf_lease_statement *lease, char *out,
                                  size_t cap, size_t *size);
