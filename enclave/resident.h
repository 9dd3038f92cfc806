/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resident.h - one thread's view of the table of lambdas and grants, and what it made of
 * them: parsed bundles, snapshots of JavaScript heaps, TLS contexts. Everything is made
 * when first needed and belongs to the thread.
 */
#pragma once

#include <stdbool.h>

#include "abi/limits.h"
#include "enclave/instance.h"
#include "enclave/js/slot.h"
#include "enclave/stats.h"
#include "lib/bundle.h"

struct tf_conn;
struct tf_thread;
struct WOLFSSL_CTX;

/** Connections with a request that has not begun, oldest first (enclave/sched.h). */
struct tf_queue {
    struct tf_conn *first; /* linked through their `waiting` */
    struct tf_conn *last;
    size_t count;
};

/** One entry of the table as this thread sees it. */
struct tf_resident {
    struct tf_lambda *lambda; /* a reference; NULL: no such entry */
    struct tf_grant *grant;   /* a reference, or NULL */
    uint64_t leased_until;    /* as in the entry */
    size_t lease;
    struct WOLFSSL_CTX *context; /* for `grant`, owned; NULL until asked for */
    struct tf_bundle *bundle;    /* `lambda`, parsed; owned; NULL until first used */
    struct tf_js_file *files;    /* of `program`; owned */
    struct tf_js_var *vars;
    struct tf_secrets *secrets; /* the grant's, of `program`; owned; NULL: none */
    struct tf_js_program program;
    struct tf_snapshot snapshots[TF_SLOTS_MAX]; /* by slot, */
    bool is_loaded[TF_SLOTS_MAX];               /* if good */
    uint64_t used[TF_SLOTS_MAX];  /* of each: when, in uses of any by this thread */
    tf_err failure;               /* why its code does not load; TF_OK: not known to */
    struct tf_lambda_stats stats; /* of the name, across versions */

    /* The scheduler's. */
    unsigned home;   /* the slot that it gets if it may choose */
    unsigned runs;   /* invocations that have begun and not ended */
    bool is_retired; /* another version has its place; here until they end */
    struct tf_queue queue;
    uint64_t used_up; /* steps, about; at least what others had when it last came back */
};

/** What a thread knows of the table of lambdas, so that requests take no lock. */
struct tf_view {
    uint64_t epoch; /* of the table that `residents` mirrors */
    struct tf_anchor
        anchors[TF_MEMBERS_MAX]; /* as then; `latest` is read where it lives */
    uint64_t uses;
    struct tf_resident *residents[TF_LAMBDAS_MAX];          /* by index of the table */
    struct tf_resident pool[TF_LAMBDAS_MAX + TF_SLOTS_MAX]; /* each slot may keep one */
};

/** Prepares a zeroed view. */
void tf_view_init(struct tf_view *view);

/** Brings the thread's view up to date; cheap when nothing changed. */
void tf_view_sync(struct tf_thread *thread);

/** The lambda called `name`, or NULL. Borrowed until the next sync. */
struct tf_resident *tf_view_lambda(struct tf_thread *thread, const char *name);

/** The lambda whose grant covers the DNS name and is in force, or NULL. Borrowed until
 * the next sync. */
struct tf_resident *tf_view_grant(struct tf_thread *thread, const char *name);

/** Whether a grant is inside its validity, and its certificate not over, at `now`:
 * seconds, of tf_anchor_now. */
bool tf_grant_is_valid(const struct tf_grant *grant, uint64_t now);

/** Whether the lambda may serve its names now. */
bool tf_resident_is_granted(const struct tf_thread *thread,
                            const struct tf_resident *resident);

/** Parses a lambda's bundle if that was not done yet: for its limits.
 *  @return TF_OK, TF_ENOMEM, TF_EINTERNAL. */
TF_MUST_USE tf_err tf_resident_open(struct tf_thread *thread,
                                    struct tf_resident *resident);

/**
 * Has the lambda, whose bundle is open, ready in a snapshot for this slot.
 * @param slot  index; of a lane that is the resident's meanwhile.
 * @return TF_OK; TF_ENOMEM if there is no memory for it; else why its code does not load,
 *         remembered from the first time.
 */
TF_MUST_USE tf_err tf_resident_load(struct tf_thread *thread,
                                    struct tf_resident *resident, size_t slot,
                                    const struct tf_js_limits *limits);

/** What one run may use, by the manifest; nothing about pauses. */
struct tf_js_limits tf_resident_limits(const struct tf_thread *thread,
                                       const struct tf_resident *resident);

/** Notes that an invocation has begun, so that the lambda stays. */
void tf_resident_enter(struct tf_resident *resident);

/** Notes its end; a retired lambda goes with the last one. */
void tf_resident_leave(struct tf_thread *thread, struct tf_resident *resident);

/** Where an invocation that has ended is counted: with the name, whatever its version. */
struct tf_lambda_stats *tf_resident_stats(struct tf_thread *thread,
                                          struct tf_resident *resident);
