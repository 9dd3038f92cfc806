/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched.h - whose turn it is: requests wait by lambda, begin in a free lane, and run a
 * quantum of steps at a time.
 *
 * After about a quantum, of one lambda or of many, the thread goes back to its sockets.
 * Next is always the lambda that has used least, counted in steps while it had something
 * to do: one that asks for little is served at once beside any number that compute, and
 * those share what is left. What takes less than a quantum is answered where its last
 * byte is taken, as if there were no scheduler, as long as nobody waits.
 *
 * Going back costs a transition, so while the host brings nothing, entries grow by a
 * quantum each, as long as they stay below half a millisecond by the host's clock, which
 * is only a hint: who asks seldom waits for that, who asks often for little more than a
 * quantum.
 *
 * A lambda has as many lanes as its manifest says (TF_RUNS_DEFAULT), and a second one
 * only while another stays free. One whose bundle is not at hand has none, its requests
 * wait. More than TF_WAITING_MAX requests of one lambda are refused with 503 and
 * Retry-After.
 *
 * When all lanes are held, a lambda without one takes that of an invocation that has had
 * its quantum. That one is put back: it begins anew later, which nobody notices, for
 * nothing of it has left the enclave. What was put back may hold all lanes but one, and
 * then keeps its lane for 2, 4, 8... quanta: so long ones end too, at twice their cost,
 * and what is short has always a lane to end in.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "enclave/resident.h"

struct tf_conn;
struct tf_lane;
struct tf_thread;

/** A connection's place in a queue. Zeroed: in none. */
struct tf_waiting {
    struct tf_queue *queue;
    struct tf_link link;
};

/** A thread's scheduler. */
struct tf_sched {
    uint64_t turns;
    uint64_t spent;    /* steps in this entry, about */
    uint64_t clock;    /* how much the lambda that ran last had used when it was chosen */
    uint64_t written;  /* the out ring's head at the start of this entry */
    uint64_t gave_way; /* the last entry in which a lambda that computes had to wait */
    uint64_t quanta;   /* that this entry may take */
    uint64_t began;    /* the host's time at its start, ns */
    bool is_asked;     /* the host brought something */
    size_t waiting_count;  /* in all queues */
    struct tf_list queues; /* those that are not empty, oldest first */
    struct tf_queue again; /* of lambdas that are replaced or gone */
    const struct tf_entry *warm[TF_GUESSES_MAX + 1]; /* to be made ready, oldest first */
    size_t warm_count;
    uint64_t warm_entry; /* the thread's entry in which the last one was added */
};

/** Answers the connection's request, or lets it wait: then exchange.is_waiting is set,
 *  and tf_serve_resume follows. */
void tf_sched_submit(struct tf_conn *conn, struct tf_resident *resident);

/** Refuses all requests of the lambda that wait. */
void tf_sched_refuse(struct tf_thread *thread, struct tf_resident *resident, tf_err err);

/** Has the lambda's top level run when there is nothing else to do, from the next entry
 *  on: what this one writes leaves first. @return false: too many wait for that. */
bool tf_sched_warm(struct tf_thread *thread, const struct tf_resident *resident);

/** Gives the resident, whose bundle is open, a lane to load in, which it keeps until it
 *  has: like that of a request that was put back for the last time. @return NULL: there
 *  is none. */
struct tf_lane *tf_sched_try(struct tf_thread *thread, struct tf_resident *resident);

/** The connection ends: so does its request. */
void tf_sched_cancel(struct tf_conn *conn);

/** Takes the requests in a lambda's queue back, to look for their lambda anew. */
void tf_sched_reassign(struct tf_thread *thread, struct tf_queue *queue);

/** An entry begins, at the thread's time. */
void tf_sched_begin(struct tf_thread *thread);

/** Runs whose turn it is for what is left of this entry. */
void tf_sched_run(struct tf_thread *thread);

/** Whether there is something to do without new input. */
bool tf_sched_has_work(const struct tf_thread *thread);
