/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instance.h - what the threads of one enclave share: the trust domain, the management
 * identity, the key of session tickets, and the table of lambdas and their grants.
 *
 * The table has an entry for each name of each member that the instance has heard of. An
 * entry stays where it is for ever, found by the hash of its name or of a DNS name that
 * it is granted. A lambda or a grant in it never changes: it is replaced, and stays until
 * no thread holds a reference. `epoch` grows with every change of the table, so that a
 * thread can tell without the lock that its view (enclave/resident.h) is current; what
 * has changed since, a list of entries says, the latest first.
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
#include "lib/list.h"
#include "lib/map.h"
#include "lib/revocations.h"

enum {
    TF_INSTANCE_ID_SIZE = 16,
    TF_KEY_TEXT_MAX = 2 << 10,      /* a private key, PEM */
    TF_KEY_DER_MAX = 160,           /* a P-256 private key, SEC1 DER */
    TF_CERT_DER_MAX = 1024,         /* the management certificate without evidence */
    TF_ATTESTED_DER_MAX = 14 << 10, /* and with it */
    TF_TICKET_NAME_SIZE = 16,
    TF_TICKET_KEY_SIZE = 32
};

/** DNS names, lower case; whose they are, the owner says. */
struct tf_names {
    char (*text)[TF_DNS_MAX + 1];
    size_t count;
};

/** A verified bundle. Lies in shared memory. */
struct tf_lambda {
    size_t refs; /* of the table and the threads; under the lock */
    struct tf_entry *entry;
    uint64_t version;
    uint8_t digest[TF_SHA256_SIZE];
    char signer[2 * TF_SHA256_SIZE + 1];
    size_t member; /* the signer's */
    char name[TF_NAME_MAX + 1];
    uint64_t steps; /* the manifest's limits */
    uint64_t memory;
    uint64_t body;
    uint64_t concurrency;
    bool is_reused; /* the manifest's "reuse" */

    /* The shelf's (enclave/shelf.h). */
    uint8_t *bytes; /* the .tfb; owned, in shared memory; NULL: it is not at hand */
    size_t size;
    size_t users;        /* threads that use the bytes */
    struct tf_link idle; /* of the bytes that nobody uses */

    struct tf_names domains; /* that it may be granted; in `rows` */
    char rows[][TF_DNS_MAX + 1];
};

/** A DNS name that a grant in the table serves. */
struct tf_served {
    struct tf_map_node node;
    struct tf_entry *entry;
    const char *name; /* in the grant */
};

/** The right, and the key, to serve names. In the table it is one block of shared memory
 *  with all that it points to, wiped there; before that see struct tf_grant_draft. */
struct tf_grant {
    size_t refs;      /* under the lock */
    size_t size;      /* of the block */
    uint64_t ordinal; /* of the instance: tells grants apart; tickets end with theirs */
    uint64_t serial;  /* the granter's; grows */
    uint64_t time;    /* the granter's clock when it signed, seconds since 1970 */
    bool is_leased;   /* serves only under a lease; is never sealed */
    char signer[2 * TF_SHA256_SIZE + 1]; /* keyid */
    size_t member;                       /* the signer's */
    char lambda[TF_NAME_MAX + 1];
    bool has_digest;
    uint8_t digest[TF_SHA256_SIZE]; /* the one bundle that it is for, if has_digest */
    uint64_t version_floor;
    uint64_t not_before; /* seconds since 1970 */
    uint64_t not_after;
    uint64_t leaf_end;                /* notAfter of the certificate, likewise */
    uint8_t exporter[TF_SHA256_SIZE]; /* of the connection that it was made for */
    struct tf_names names;
    struct tf_served *served; /* one for each name, in the instance's map */
    const char *chain;        /* PEM, leaf first; NUL-terminated */
    size_t chain_size;
    const char *key; /* PEM; secret; "" while the CSR's key is not filled in */
    size_t key_size;
    struct tf_secrets secrets;
};

/** What a lambda's publisher may read (enclave/logs.h). */
struct tf_log {
    struct tf_list lines; /* the oldest first */
    uint64_t count;       /* written so far, under this name */
    size_t held[2];       /* bytes that are kept: of the console, of failures */
};

/** What an instance remembers of a member's name, what that may not fall below, and the
 *  lambda that has the name now. Never freed. */
struct tf_entry {
    char name[TF_NAME_MAX + 1];
    size_t member;
    size_t index;                   /* in the order of arrival */
    uint64_t version;               /* the highest that was accepted */
    uint8_t digest[TF_SHA256_SIZE]; /* of that one */
    uint64_t least;                 /* the lowest that a granter lets run */
    uint64_t serial;                /* the highest of a grant, accepted or confirmed */
    struct tf_usage usage;
    struct tf_log log;

    struct tf_lambda *lambda; /* NULL: none is loaded, and there is no grant */
    struct tf_grant *grant;
    uint64_t leased_until; /* seconds since 1970; 0: no lease */
    size_t lease;          /* which of the instance's, if leased_until is not 0 */

    uint64_t changed; /* the epoch of the last change of the four above */
    struct tf_link change;
    struct tf_link link; /* by index */
    struct tf_map_node node;
};

/** What an entry has at one time, with references. */
struct tf_tenure {
    struct tf_lambda *lambda; /* NULL: nothing */
    struct tf_grant *grant;   /* or NULL */
    uint64_t leased_until;    /* as in the entry */
    size_t lease;
};

/** The bundles that are at hand; under the lock. */
struct tf_shelf {
    size_t held;         /* bytes of all */
    size_t budget;       /* what that should not exceed */
    struct tf_list idle; /* lambdas whose bytes nobody uses; first used longest ago */
};

/** What is common to all lambdas that a signer's last lease names. */
struct tf_lease {
    char signer[2 * TF_SHA256_SIZE + 1]; /* keyid; "": nobody's yet */
    uint64_t left;                       /* requests that may still be served; atomic */
    uint64_t number; /* which of all that the instance has taken; 0: none yet */
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
    struct tf_anchor anchors[TF_MEMBERS_MAX]; /* by member */
    /* One for each key. */
    struct tf_lease leases[TF_GROUP_PUBLISHERS_MAX + TF_GROUP_ATTESTERS_MAX];
    uint64_t lease_count;                 /* taken so far; atomic */
    struct tf_ticket_key tickets[2];      /* current and previous; under the lock */
    struct tf_revocation_set revocations; /* under the lock; in shared memory */

    /* The table; under the lock. */
    struct tf_map names;    /* entries; of members that had the same name, all */
    struct tf_map served;   /* struct tf_served, by DNS name */
    struct tf_list entries; /* by index */
    struct tf_list changes; /* entries, by their last change; the latest first */
    struct tf_shelf shelf;
    size_t logged[TF_MEMBERS_MAX]; /* bytes of all logs, by member */
    size_t lambda_count;
    size_t entry_counts[TF_MEMBERS_MAX]; /* by member */
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

/** Takes what the entry has now. Takes the lock. */
struct tf_tenure tf_instance_read(struct tf_instance *instance,
                                  const struct tf_entry *entry);

/** Gives its references back, and zeroes it. Takes the lock. */
void tf_instance_leave(struct tf_instance *instance, struct tf_tenure *tenure);

/** Walks over all lambdas: the entry after `last` (NULL: the first one) that has one, and
 *  what it has, to be left; or NULL. Takes the lock. */
struct tf_entry *tf_instance_next(struct tf_instance *instance,
                                  const struct tf_entry *last, struct tf_tenure *out);

/* What follows: hold the lock. */

/** Notes a change that is of no entry. */
void tf_instance_touch(struct tf_instance *instance);

/** Notes a change of an entry. */
void tf_instance_change(struct tf_instance *instance, struct tf_entry *entry);

/** The entry of the lambda called `name`, or NULL. */
struct tf_entry *tf_instance_find(const struct tf_instance *instance, const char *name);

/** The entry whose grant serves the DNS name, or NULL. */
struct tf_entry *tf_instance_served(const struct tf_instance *instance, const char *dns);

/** What is remembered of a name: of the member that has it now; if none has, of the
 *  first that had; or NULL. */
struct tf_entry *tf_instance_known(const struct tf_instance *instance, const char *name);

/** The entry of a member's name, made if it is new: version and serial 0. NULL: there is
 * no room in the member's share, or no memory. */
struct tf_entry *tf_instance_entry(struct tf_instance *instance, size_t member,
                                   const char *name);

/** Puts a lambda, whose reference it takes, in the place of the last one. */
void tf_instance_put_lambda(struct tf_instance *instance, struct tf_entry *entry,
                            struct tf_lambda *lambda);

/** Puts a grant, whose reference it takes, in the place of the last one; NULL: none, and
 * no lease. */
void tf_instance_put_grant(struct tf_instance *instance, struct tf_entry *entry,
                           struct tf_grant *grant);

/** Takes the lambda and its grant out of the table. */
void tf_instance_empty(struct tf_instance *instance, struct tf_entry *entry);

/** Lets go of a reference (NULL is fine): frees with the last one, and wipes keys. */
void tf_lambda_release(struct tf_lambda *lambda);
void tf_grant_release(struct tf_grant *grant);
