/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h - an end to code that does not come to one: a thread that looks at the CPU time
 * of threads whose code cannot count its steps. Time of the CPU, not of the host's clock;
 * looked at every few milliseconds, so a limit is exceeded by about that much.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/** One thread's; lies in memory that stays as long as the process. */
struct tf_watch {
    pthread_mutex_t lock; /* around all but `next` */
    clockid_t clock;      /* of the thread */
    bool is_armed;
    bool is_fired;
    uint64_t start; /* CPU time, ns */
    uint64_t limit; /* the same; UINT64_MAX: none */
    void (*fire)(void *user);
    void *user;
    struct tf_watch *next;
};

/** The calling thread's, made at its first use. NULL: there is no memory or no thread. */
struct tf_watch *tf_watch_self(void);

/**
 * Calls `fire` once, from another thread, when the calling thread has used `ns` of CPU
 * time; ends the process if it is still armed another 2 s of CPU time later.
 */
void tf_watch_arm(struct tf_watch *watch, uint64_t ns, void (*fire)(void *user),
                  void *user);

/** After this `fire` is not called any more. @return CPU time used, ns. */
uint64_t tf_watch_disarm(struct tf_watch *watch, bool *is_fired);
