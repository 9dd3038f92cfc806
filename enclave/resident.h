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

struct tf_thread;
struct WOLFSSL_CTX;

/** One entry of the table as this thread sees it; at the same index. */
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
    struct tf_snapshot snapshot;
    bool is_loaded;               /* `snapshot` is good or remembers why not */
    uint64_t used;                /* when, in uses of any lambda by this thread */
    struct tf_lambda_stats stats; /* of the name, across versions */
};

struct tf_view {
    uint64_t epoch;          /* of the table that `residents` mirrors */
    struct tf_anchor anchor; /* as it was then; `latest` is read where it lives */
    uint64_t uses;
    struct tf_resident residents[TF_LAMBDAS_MAX];
};

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

/** Drops the snapshot that was used longest ago. @return whether there was one. */
bool tf_resident_drop_oldest(struct tf_thread *thread, const struct tf_resident *except);

/** Parses a lambda's bundle if that was not done yet: for its limits.
 *  @return TF_OK, TF_ENOMEM, TF_EINTERNAL. */
TF_MUST_USE tf_err tf_resident_open(struct tf_thread *thread,
                                    struct tf_resident *resident);

/**
 * Has the lambda ready in a snapshot.
 * @return TF_OK; TF_ENOMEM if there is no memory for it; else why its code does not load,
 *         remembered from the first time.
 */
TF_MUST_USE tf_err tf_resident_load(struct tf_thread *thread,
                                    struct tf_resident *resident);

/** What one run may use, by the manifest. */
struct tf_js_limits tf_resident_limits(const struct tf_thread *thread,
                                       const struct tf_resident *resident);
