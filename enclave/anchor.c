/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/anchor.h"

#include "enclave/thread.h"

static const uint64_t NS_PER_S = 1000000000;

/* Threads read the clock, then enter: one may be late by this much and honest. */
static const uint64_t SLACK_NS = UINT64_C(5) * 1000000000;

static uint64_t load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* What the clock has to go on by before that is noted: else each entry of each thread
 * would write the same line of memory. Nobody asks for less than seconds. */
static const uint64_t STEP_NS = 1000000;

/* A host whose clock is out of all bounds ends everything; the sum must not wrap. */
static uint64_t reached(const struct tf_anchor *at, uint64_t latest)
{
    uint64_t gone = latest > at->host ? latest - at->host : 0;

    return gone < UINT64_MAX - at->time ? at->time + gone : UINT64_MAX;
}

uint64_t tf_anchor_now(const struct tf_thread *thread, size_t member)
{
    const struct tf_anchor *seen = &thread->view.anchors[member];

    if (seen->time == 0) {
        return thread->now / NS_PER_S;
    }
    return reached(seen, load(&thread->instance->anchors[member].latest)) / NS_PER_S;
}

uint64_t tf_anchor_said(const struct tf_thread *thread, size_t member)
{
    return thread->view.anchors[member].time == 0 ? 0 : tf_anchor_now(thread, member);
}

void tf_anchor_set(struct tf_anchor *anchor, uint64_t time, uint64_t host_now)
{
    anchor->signed_time = time;
    anchor->host = host_now;
    __atomic_store_n(&anchor->latest, host_now, __ATOMIC_RELEASE);
    __atomic_store_n(&anchor->time, time * NS_PER_S, __ATOMIC_RELEASE);
}

bool tf_anchor_note(struct tf_anchor *anchor, uint64_t host_now)
{
    uint64_t latest = load(&anchor->latest);

    if (load(&anchor->time) == 0) {
        return false;
    }
    while (host_now > latest && host_now - latest >= STEP_NS &&
           !__atomic_compare_exchange_n(&anchor->latest, &latest, host_now, true,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    }
    return latest > SLACK_NS && host_now < latest - SLACK_NS;
}

bool tf_anchor_rebase(struct tf_anchor *anchor, uint64_t host_now)
{
    uint64_t latest = load(&anchor->latest);

    if (latest <= SLACK_NS || host_now >= latest - SLACK_NS) {
        return false;
    }
    __atomic_store_n(&anchor->time, reached(anchor, latest), __ATOMIC_RELEASE);
    anchor->host = host_now;
    __atomic_store_n(&anchor->latest, host_now, __ATOMIC_RELEASE);
    return true;
}
