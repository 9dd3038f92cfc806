/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resident.h - one thread's view of the lambdas that it serves, and what it made of them:
 * parsed bundles, snapshots of JavaScript heaps, TLS contexts. Everything is made when
 * first needed and belongs to the thread. What was used longest ago goes when it is too
 * much together, unless a request needs it.
 */
#pragma once

#include <stdbool.h>

#include "abi/limits.h"
#include "enclave/instance.h"
#include "enclave/js/slot.h"
#include "enclave/program.h"
#include "lib/bundle.h"
#include "lib/list.h"

struct tf_conn;
struct tf_thread;
struct WOLFSSL_CTX;

/** Connections with a request that has not begun, oldest first (enclave/sched.h). */
struct tf_queue {
    struct tf_list conns; /* by their `waiting` */
    size_t count;
    struct tf_resident *resident; /* whose it is; NULL: the thread's own */
    struct tf_link link;          /* of those that are not empty */
};

/** An entry of the table that this thread serves, as it sees it. */
struct tf_resident {
    struct tf_entry *entry;
    struct tf_tenure now;        /* what the entry has; never without a lambda */
    struct WOLFSSL_CTX *context; /* for the grant, owned; NULL until asked for */
    struct tf_bundle *bundle;    /* the lambda, parsed; owned; NULL until first used */
    struct tf_program program;   /* of the bundle */
    struct tf_snapshot snapshots[TF_SLOTS_MAX]; /* by slot, */
    bool is_loaded[TF_SLOTS_MAX];               /* if good */
    tf_err failure; /* why its code does not load; TF_OK: not known to */
    size_t held;    /* bytes of all that, about */
    bool is_wanted; /* its bundle was asked for (enclave/want.h) */
    bool is_guess;  /* made ready for a ClientHello: no request has needed it yet */
    uint64_t want;  /* by which its bundle came, until its code has run; 0: none */

    struct tf_link use;
    struct tf_resident *next; /* of those to be looked at again */

    /* The scheduler's. */
    unsigned runs;   /* invocations that have begun and not ended */
    bool is_retired; /* another version has its place; here until they end */
    struct tf_queue queue;
    uint64_t used_up; /* steps, about; at least what others had when it last came back */
};

/** What a thread knows of the table of lambdas, so that requests take no lock. */
struct tf_view {
    uint64_t epoch;                           /* of the table that the residents show */
    struct tf_anchor anchors[TF_MEMBERS_MAX]; /* as then; not their `latest` */
    struct tf_resident **places; /* by index of the entry; owned; NULL: nothing */
    size_t cap;
    struct tf_list uses; /* residents; first the one used longest ago */
    size_t held;         /* bytes that residents have, about */
    size_t budget;       /* what that should not exceed */
    size_t guess_count;
    uint64_t evicted; /* residents that were given up for others so far */
};

/** Brings the thread's view up to date; cheap when nothing changed. */
void tf_view_sync(struct tf_thread *thread);

/** What this thread has of an entry, made if need be, and now the last one used; NULL: it
 *  has no lambda, or there is no memory. Borrowed until the next sync or trim. */
struct tf_resident *tf_view_entry(struct tf_thread *thread, struct tf_entry *entry);

/**
 * A resident beside the view, which leaves with its last invocation: of a lambda that is
 * not in the table, with the grant of the one that is.
 * @param bytes  the lambda's bundle, in shared memory; taken, as from the shelf.
 * @return NULL: no memory, and nothing was taken.
 */
struct tf_resident *tf_resident_beside(struct tf_thread *thread, struct tf_lambda *lambda,
                                       uint8_t *bytes, size_t size);

/** What this thread has of an entry already, or NULL. */
struct tf_resident *tf_view_have(const struct tf_thread *thread,
                                 const struct tf_entry *entry);

/** The lambda whose grant covers the DNS name and is in force, or NULL. Borrowed
 *  likewise. */
struct tf_resident *tf_view_grant(struct tf_thread *thread, const char *name);

/** Drops what was used longest ago until the thread is within its budget: all but `keep`
 *  (or NULL) and what requests need. */
void tf_view_trim(struct tf_thread *thread, const struct tf_resident *keep);

/** Whether a grant is inside its validity, and its certificate not over, at `now`:
 *  seconds, of tf_anchor_now. */
bool tf_grant_is_valid(const struct tf_grant *grant, uint64_t now);

/** Whether the lambda may serve its names now. */
bool tf_tenure_is_granted(const struct tf_thread *thread, const struct tf_tenure *tenure);

/** The context for the grant, made if need be. @return NULL: no memory. */
struct WOLFSSL_CTX *tf_resident_context(struct tf_thread *thread,
                                        struct tf_resident *resident);

/** Verifies and parses the lambda's bundle if that was not done yet.
 *  @return TF_OK; TF_AGAIN: it is not at hand; TF_ENOMEM, TF_EINTERNAL. */
TF_MUST_USE tf_err tf_resident_open(struct tf_thread *thread,
                                    struct tf_resident *resident);

/** The same with the bundle verified already, in bytes that were taken from the shelf for
 * the resident (tf_shelf_take). Takes both, and `bundle` is of malloc, in any case.
 * @return TF_OK, TF_ENOMEM. */
TF_MUST_USE tf_err tf_resident_adopt(struct tf_thread *thread,
                                     struct tf_resident *resident,
                                     struct tf_bundle *bundle);

/** A ClientHello names the lambda: has it made ready, as far as strangers may cause that.
 */
void tf_resident_guess(struct tf_thread *thread, struct tf_resident *resident);

/** A request needs the lambda. */
void tf_resident_use(struct tf_thread *thread, struct tf_resident *resident);

/**
 * Has the lambda, whose bundle is open, ready in a snapshot for this slot.
 * @param slot  index; of a lane that is the resident's meanwhile.
 * @return TF_OK; TF_ENOMEM if there is no memory for it; else why its code does not load,
 *         remembered from the first time.
 */
TF_MUST_USE tf_err tf_resident_load(struct tf_thread *thread,
                                    struct tf_resident *resident, size_t slot,
                                    const struct tf_js_limits *limits);

/** Whether it is known if the code loads: it did in a slot, or why it does not. */
bool tf_resident_is_settled(const struct tf_resident *resident);

/** What one run may use, by the manifest; nothing about pauses. */
struct tf_js_limits tf_resident_limits(const struct tf_thread *thread,
                                       const struct tf_resident *resident);

/** Notes that an invocation has begun, so that the lambda stays. */
void tf_resident_enter(struct tf_resident *resident);

/** Notes its end; a retired lambda goes with the last one. */
void tf_resident_leave(struct tf_thread *thread, struct tf_resident *resident);
