/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane.h - where an invocation runs: a slot for its JavaScript heap, a stack of its own,
 * and the request. It can stop after each quantum of steps and go on later, or never: all
 * that it holds while it stands is in the lane. A thread has a few; enclave/sched.h says
 * whose turn it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enclave/fiber.h"
#include "enclave/js/slot.h"

struct tf_conn;
struct tf_resident;
struct tf_thread;

/** One invocation's place on a thread: a slot of the engine and a fiber to run it on. */
struct tf_lane {
    struct tf_thread *thread;
    size_t index; /* of its slot among the thread's */
    struct tf_slot slot;
    struct tf_fiber fiber;

    struct tf_conn *conn;         /* who asked; NULL: nobody, it only loads */
    struct tf_resident *resident; /* of the lambda; NULL: the lane is free */
    char *url;                    /* owned; of the request */
    struct tf_js_request request; /* the rest of it lies in the connection */
    struct tf_js_limits limits;
    uint64_t clock; /* the host's time when it began, ns: the lambda's stands still */
    uint64_t turn;  /* when it last ran, in turns of this thread; 0: not yet */
    uint64_t pauses;
    uint64_t run; /* that it is by what it has written (enclave/logs.h); 0: nothing */

    struct tf_js_response response; /* once it has ended; in the slot */
    struct tf_js_report report;
    tf_err err;
    bool is_loaded; /* the lambda's code is good: `err` is of the call */
};

/** Prepares the lanes of a thread over the slots of its page. */
void tf_lanes_init(struct tf_thread *thread);

/** Has the lane answer the connection's request; runs nothing yet.
 *  @return TF_OK; TF_EHTTP_HEADERS: the URL is too long or there is no memory. */
TF_MUST_USE tf_err tf_lane_begin(struct tf_lane *lane, struct tf_conn *conn,
                                 struct tf_resident *resident);

/** Has the lane make the lambda, whose bundle is open, ready for its slot. */
void tf_lane_warm(struct tf_lane *lane, struct tf_resident *resident);

/** Runs for up to a quantum. @return whether the invocation has ended. */
bool tf_lane_step(struct tf_lane *lane);

/** Frees the lane: an invocation that has ended, or, with its connection gone, never
 * will. */
void tf_lane_free(struct tf_lane *lane);

/** Zeroes what invocations left in the lanes that are free: for when a lambda goes for
 * good. Else it stays there until the next invocation, which does not see it. */
void tf_lanes_wipe(struct tf_thread *thread);
