/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instance.h - what the threads of one enclave share: the trust domain, the management
 * identity, the key of session tickets, and the table of lambdas and their grants.
 *
 * A lambda or a grant in the table never changes: it is replaced, and stays until no
 * thread holds a reference. `epoch` grows with every change of the table, so that a
 * thread can tell without the lock that its view (enclave/resident.h) is current.
 *
 * Where domains share the enclave, a `member` is an index of the descriptor's: what one
 * member signed, its time included, reaches only what belongs to it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "enclave/anchor.h"
#include "enclave/receipt.h"
#include "enclave/secrets.h"
#include "enclave/shared.h"
#include "lib/descriptor.h"
#include "lib/err.h"
#include "lib/lease.h"
#include "lib/revocations.h"

enum {
    TF_INSTANCE_ID_SIZE = 16,
    TF_FLOORS_MAX = 4 * TF_LAMBDAS_MAX, /* names that this instance has ever heard of */
    TF_KEY_TEXT_MAX = 2 << 10,          /* a private key, PEM */
    TF_KEY_DER_MAX = 160,               /* a P-256 private key, SEC1 DER */
    TF_CERT_DER_MAX = 1024,             /* the management certificate without evidence */
    TF_ATTESTED_DER_MAX = 14 << 10,     /* and with it */
    TF_TICKET_NAME_SIZE = 16,
    TF_TICKET_KEY_SIZE = 32
};

/** DNS names, lower case. */
struct tf_names {
    char text[TF_DOMAINS_MAX][TF_DNS_MAX + 1];
    size_t count;
};

/** A verified bundle. Lies in shared memory. */
struct tf_lambda {
    size_t refs; /* of the table and the threads; under the lock */
    uint64_t version;
    uint8_t digest[TF_SHA256_SIZE];
    char signer[2 * TF_SHA256_SIZE + 1];
    size_t member; /* the signer's */
    char name[TF_NAME_MAX + 1];
    struct tf_names domains; /* that it may be granted */
    struct tf_usage *usage;  /* of its name, in the instance; under `usage_lock` */
    uint8_t *bytes;          /* the .tfb; owned, in shared memory */
    size_t size;
};

/** The right, and the key, to serve names. Lies in shared memory and is wiped there. */
struct tf_grant {
    size_t refs; /* under the lock */
    uint64_t
        ordinal; /* of this instance: tells grants apart, ends tickets of older ones */
    uint64_t serial; /* the granter's; grows */
    uint64_t time;   /* the granter's clock when it signed, seconds since 1970 */
    bool is_leased;  /* serves only under a lease; is never sealed */
    char signer[2 * TF_SHA256_SIZE + 1]; /* keyid */
    size_t member;                       /* the signer's */
    char lambda[TF_NAME_MAX + 1];
    struct tf_names names;
    bool has_digest;
    uint8_t digest[TF_SHA256_SIZE]; /* the one bundle that it is for, if has_digest */
    uint64_t version_floor;
    uint64_t not_before; /* seconds since 1970 */
    uint64_t not_after;
    uint64_t leaf_end;                /* notAfter of the certificate, likewise */
    uint8_t exporter[TF_SHA256_SIZE]; /* of the connection that it was made for */
    size_t chain_size;
    size_t key_size;
    char chain[TF_CHAIN_MAX + 1]; /* PEM, leaf first */
    char key[TF_KEY_TEXT_MAX +
             1]; /* PEM; secret; empty while the CSR's key is not filled in */
    struct tf_secrets secrets;
};

struct tf_entry {
    struct tf_lambda *lambda; /* NULL: the entry is free, and has no grant */
    struct tf_grant *grant;
    uint64_t leased_until; /* seconds since 1970; 0: no lease */
    size_t lease;          /* which of the instance's, if leased_until is not 0 */
};

/** What is common to all lambdas that a signer's last lease names. */
struct tf_lease {
    char signer[2 * TF_SHA256_SIZE + 1]; /* keyid; "": nobody's yet */
    uint64_t left;                       /* requests that may still be served; atomic */
    uint64_t number; /* which of all that the instance has taken; 0: none yet */
};

/** What an instance remembers of a member's name, and what that may not fall below;
 *  outlives lambda and grant, and stays where it is. */
struct tf_floor {
    char name[TF_NAME_MAX + 1]; /* "" ends the list */
    size_t member;
    uint64_t version;               /* the highest that was accepted */
    uint8_t digest[TF_SHA256_SIZE]; /* of that one */
    uint64_t least;                 /* the lowest that a granter lets run */
    uint64_t serial;                /* the highest of a grant, accepted or confirmed */
    struct tf_usage usage;          /* under `usage_lock` */
};

/** The key and the certificate of the management endpoint; made at the first INIT. */
struct tf_identity {
    uint8_t key[TF_KEY_DER_MAX]; /* secret */
    size_t key_size;
    uint8_t cert[TF_CERT_DER_MAX];
    size_t cert_size;
    uint8_t spki_sha256[TF_SHA256_SIZE];
    bool is_asked;     /* a thread has asked for evidence; under the lock */
    uint8_t *attested; /* the certificate with evidence, in shared memory; NULL: none.
                          Set once, atomically, after the size */
    size_t attested_size;
};

struct tf_ticket_key {
    uint8_t name[TF_TICKET_NAME_SIZE];
    uint8_t key[TF_TICKET_KEY_SIZE]; /* secret */
    uint64_t used;                   /* tickets made with it */
};

struct tf_instance {
    struct tf_lock lock;
    uint64_t epoch;   /* read it with tf_instance_epoch */
    uint64_t ordinal; /* the last one given out */
    bool is_started;
    struct tf_descriptor domain; /* this and the next two: constant once started */
    uint8_t id[TF_INSTANCE_ID_SIZE];
    char *group; /* the descriptor's text if it is a group; in shared memory; constant */
    size_t group_size;
    struct tf_identity identity;
    struct tf_receipt_key receipts;           /* constant once started */
    struct tf_lock usage_lock;                /* no other is taken under it */
    struct tf_anchor anchors[TF_MEMBERS_MAX]; /* by member */
    struct tf_lease
        leases[TF_GROUP_PUBLISHERS_MAX + TF_GROUP_ATTESTERS_MAX]; /* one for each key */
    uint64_t lease_count;                    /* taken so far; atomic */
    struct tf_ticket_key tickets[2];         /* current and previous; under the lock */
    struct tf_entry entries[TF_LAMBDAS_MAX]; /* under the lock */
    struct tf_floor floors[TF_FLOORS_MAX];   /* under the lock */
    struct tf_revocation_set revocations;    /* under the lock; in shared memory */
};

/** Whether `name` is among them. */
bool tf_names_have(const struct tf_names *names, const char *name);

/** The one of this enclave. */
struct tf_instance *tf_instance_self(void);

/**
 * Starts the instance for `domain`, or checks that it was started for the same one.
 *
 * @param text  the descriptor or the group, untrusted.
 * @return TF_OK; TF_ENOMEM; TF_EDOMAIN_FORMAT; TF_EDOMAIN_MISMATCH if CONFIGID is not its
 * SHA-256 followed by zeros, or a thread started with another; TF_EINTERNAL.
 */
TF_MUST_USE tf_err tf_instance_start(struct tf_instance *instance, const char *text,
                                     size_t size);

/** The table's version. */
uint64_t tf_instance_epoch(const struct tf_instance *instance);

/** Notes a change of the table. Hold the lock. */
void tf_instance_touch(struct tf_instance *instance);

/** The entry of the lambda called `name`, or NULL. Hold the lock. */
struct tf_entry *tf_instance_find(struct tf_instance *instance, const char *name);

/** Takes a lambda and its grant out of the table. Hold the lock, and touch. */
void tf_instance_empty(struct tf_entry *entry);

/** The floor of a member's name, made if it is new: version and serial 0. NULL: there is
 * no room in the member's share. Hold the lock. */
struct tf_floor *tf_instance_floor(struct tf_instance *instance, size_t member,
                                   const char *name);

/** Lets go of a reference (NULL is fine): frees with the last one, and wipes keys. Hold
 * the lock. */
void tf_lambda_release(struct tf_lambda *lambda);
void tf_grant_release(struct tf_grant *grant);
