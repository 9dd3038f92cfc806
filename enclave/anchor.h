/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anchor.h - the enclave's time: what a granter signed, plus how far the host's clock has
 * gone since. The enclave has no clock of its own. A host that turns its clock back gains
 * nothing and loses the leases; one that turns it forward ends grants early; one that
 * stops it is bound by the number of requests that a lease allows.
 *
 * Until a first statement came in over a management connection, after each start, the
 * host's clock is all there is: a hint.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tf_thread;

/** Of one member of the descriptor: nobody's lying clock ends another's leases. Shared by
 * the threads; under the instance's lock but for `latest`. */
struct tf_anchor {
    uint64_t time;   /* ns since 1970 when the host's clock showed `host`; 0: no anchor */
    uint64_t host;   /* ns since 1970, untrusted */
    uint64_t latest; /* the furthest that the host's clock has been since, to the
                        millisecond; atomic */
    uint64_t signed_time; /* seconds since 1970: the latest in a statement accepted */
};

/** Seconds since 1970 in the enclave's time as the member has it; the host's without an
 *  anchor. Never falls while an anchor holds. By the thread's view: tf_view_sync first.
 */
uint64_t tf_anchor_now(const struct tf_thread *thread, size_t member);

/** The same to be told to others: 0 without an anchor. */
uint64_t tf_anchor_said(const struct tf_thread *thread, size_t member);

/** Anchors: a statement signed at `time` (seconds, at least `signed_time`) has been
 *  accepted just now. Hold the lock. */
void tf_anchor_set(struct tf_anchor *anchor, uint64_t time, uint64_t host_now);

/** Notes the host's clock at an entry, ns. Takes no lock.
 *  @return whether it fell so far behind itself that it was turned back. */
bool tf_anchor_note(struct tf_anchor *anchor, uint64_t host_now);

/** After a clock was turned back: goes on from the time that was reached. Hold the lock.
 *  @return false if another thread has done so meanwhile. */
bool tf_anchor_rebase(struct tf_anchor *anchor, uint64_t host_now);
