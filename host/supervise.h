/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervise.h - the worker processes: one per (engine, trust domain) with something
 * deployed, and while it is rolled its heir (roll.h). Started on demand, given their
 * stored bundles and sealed grants, restarted when they die, at first after 0.1 s, then
 * after twice as long each time, up to 5 s.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/daemon.h"
#include "host/link.h"
#include "host/log.h"
#include "host/registry.h"
#include "lib/err.h"

enum tf_worker_state {
    TF_WORKER_STOPPED,  /* nothing is deployed for it */
    TF_WORKER_STARTING, /* until READY */
    TF_WORKER_LOADING,  /* stored bundles and grants are on their way */
    TF_WORKER_SERVING,
    TF_WORKER_STOPPING, /* its links are closed; it ends soon */
    TF_WORKER_BACKOFF   /* died; starts again later */
};

/* A question to one thread of a worker, answered by RESULT. */
struct tf_call {
    enum tf_link_type type;
    uint64_t id; /* WANTED: of the WANT; else 0: a new one */
    unsigned thread;
    int fd;           /* a file: taken over; else -1 */
    const char *text; /* the packet's body, or NULL; copied */
    unsigned timeout_ms;
    /** Called once: with the enclave's code and JSON (may be empty), or with TF_EIO (the
     *  worker died) or TF_AGAIN (time-out) and nothing. */
    void (*done)(void *user, tf_err err, const char *json, size_t size);
    void *user;
};

/* What one thread of the enclave counts beside lambdas. */
struct tf_thread_counts {
    uint64_t handshakes;
    uint64_t handshakes_failed;
    uint64_t connections; /* open now */
    uint64_t accepted;    /* by itself */
    uint64_t entries;
    uint64_t held;                   /* bytes that it keeps of lambdas, about */
    uint64_t evicted;                /* lambdas that it gave up for others */
    uint64_t loads[TF_LOAD_BUCKETS]; /* as in host/worker.h */
    uint64_t load_us;
    uint64_t poll_us; /* spent asking for work, instead of asleep */
};

struct tf_worker_link {
    struct tf_watch watch;
    struct tf_worker *worker;
    unsigned index;
};

struct tf_pending_call;

struct tf_worker {
    struct tf_daemon *daemon;
    const struct tf_engine *engine;
    char domain[TF_STORE_HEX + 1];
    enum tf_worker_state state;
    bool is_wanted;          /* start again once it has stopped */
    struct tf_worker *elder; /* borrowed: it is to take over from this one; else NULL */
    char trying[TF_NAME_MAX + 1]; /* then: the lambda that it tries (tryout.h), or "" */
    bool was_lent;                /* the listening socket: may hand connections back */
    bool is_retired;    /* another took over: it drains, and then is free for reuse */
    unsigned quiet;     /* while it drains: threads without connections, one bit each */
    uint64_t drain_end; /* loop's clock */
    pid_t pid;
    struct tf_watch process; /* pidfd */
    struct tf_worker_link links[TF_THREADS_MAX];
    unsigned link_count;
    unsigned threads; /* that serve: as READY said, at most link_count */
    unsigned next_thread;
    unsigned wants; /* calls under way that bring a bundle: each an open file */
    unsigned told;  /* threads that know how the listening socket is lent, one bit each */
    uint64_t starts;
    uint64_t backoff_ms;
    uint64_t serving_since;        /* loop's clock */
    tf_err last_error;             /* why it ended last, if it said so */
    char offered[TF_NAME_MAX + 1]; /* while loading: the lambda under way */
    char lists[TF_GROUP_PUBLISHERS_MAX]
              [TF_STORE_HEX + 1]; /* whose lists are yet to be sent */
    size_t list_count;
    struct tf_timer restart;
    struct tf_timer overdue; /* kills what neither starts nor ends in time */
    struct tf_timer call_timer;
    struct tf_timer look;          /* asks what is granted */
    uint64_t looks;                /* so far */
    struct tf_pending_call *calls; /* owned */
    struct tf_log_limit log_limit; /* of the enclave's events */
    uint64_t last_id;
    uint64_t sealed;              /* blobs taken into the store */
    struct tf_thread_counts base; /* of earlier processes */
    struct tf_thread_counts last[TF_THREADS_MAX];
};

/** @return the worker's state as a stable word. */
const char *tf_worker_state_name(enum tf_worker_state state);

/** The worker of a place, made if need be, not started. NULL: too many, or no such
 * engine. */
struct tf_worker *tf_supervise_worker(struct tf_daemon *daemon, const char *engine,
                                      const char *domain);

/** A new worker that is to take over from `elder`, with this engine and domain, not
 *  started. `engine` is kept. @return NULL: too many. */
struct tf_worker *tf_supervise_heir(struct tf_worker *elder,
                                    const struct tf_engine *engine, const char *domain);

/** Whether a worker counts in lists: it serves, or will; not the heir, not the retired.
 */
bool tf_supervise_is_current(const struct tf_worker *worker);

/** Ends a worker that nothing leads to any more; it finishes what it has, within a
 *  second. */
void tf_supervise_stop(struct tf_worker *worker);

/** Adds the counters of the last process to the base, for it ends. */
void tf_supervise_fold(struct tf_worker *worker);

/** Starts a worker that is stopped; fine in any state. */
void tf_supervise_start(struct tf_worker *worker);

/** The worker has all that is stored for it: connections may come. */
void tf_supervise_serve(struct tf_worker *worker);

/** Starts the workers of all stored lambdas. */
void tf_supervise_start_all(struct tf_daemon *daemon);

/** Stops a worker that no lambda needs any more. */
void tf_supervise_release(struct tf_worker *worker);

/** Ends a worker's process so that a new one takes up what is in the store. */
void tf_supervise_restart(struct tf_worker *worker);

/** Asks a thread of a worker that is loading or serving. `call` is copied. */
void tf_supervise_call(struct tf_worker *worker, const struct tf_call *call);

/**
 * Passes an accepted socket to a thread of the worker.
 * @param name  whoever asks for it is this worker's own; "": not always.
 * @return TF_OK; TF_AGAIN if it does not serve yet or its links are full.
 */
TF_MUST_USE tf_err tf_supervise_pass(struct tf_worker *worker, int fd, const char *name);

/**
 * Tells the threads that have not been told (worker->told) to listen on `fd` themselves,
 * or with -1 to stop; either way to forget names.
 * @return TF_OK; TF_AGAIN: not all could be told.
 */
TF_MUST_USE tf_err tf_supervise_lend(struct tf_worker *worker, int fd);

/** Tells all workers to end. */
void tf_supervise_stop_all(struct tf_daemon *daemon);

/** Whether no worker's process is left. */
bool tf_supervise_is_quiet(const struct tf_daemon *daemon);

/** Kills what is left (SIGKILL to own children only) and frees all. */
void tf_supervise_wipe(struct tf_daemon *daemon);

/* calls.c: the questions under way. */

/** A RESULT came. `body` is its u32 code, u32 zero, JSON. */
void tf_calls_answer(struct tf_worker *worker, uint64_t id, const uint8_t *body,
                     size_t size);

/** The worker is gone: ends all of them with TF_EIO. */
void tf_calls_fail(struct tf_worker *worker);

/* spawn.c */

/** Starts the process with its links. @return TF_OK, TF_EIO. */
TF_MUST_USE tf_err tf_worker_spawn(struct tf_worker *worker, int *pidfd);
