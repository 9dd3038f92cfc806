/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.h - leases in force (lib/lease.h): a leased grant serves as long as somebody whom
 * the trust domain lets attest keeps saying so to this very instance. A lease ends by the
 * enclave's time (enclave/anchor.h), by the number of requests that it allows, when its
 * signer's next one leaves the lambda out, and at once when the host turns its clock
 * back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enclave/js/js.h"
#include "lib/err.h"
#include "lib/json.h"

struct tf_conn;
struct tf_entry;
struct tf_grant;
struct tf_instance;
struct tf_tenure;
struct tf_thread;

/**
 * Takes a signed lease, untrusted, from a management connection: confirms serials and
 * floors, drops what is below them, and puts it in force in the place of its signer's
 * last one.
 *
 * @param answer  {"leased", "until", "time"}, on TF_OK.
 * @return TF_OK; TF_ELEASE_FORMAT, _SIGNER; _INSTANCE for another instance or connection;
 *         _OLD if a later statement was accepted, or one of that signer since this
 *         connection began: what a host held back on many is worth one lease, not many;
 * TF_EREVOKED (its signer); TF_EREVOCATION_OLD for a list that this instance does not
 * have; TF_ELIMIT; TF_ENOMEM.
 */
TF_MUST_USE tf_err tf_lease_take(struct tf_conn *conn, struct tf_str body,
                                 struct tf_json_writer *answer);

/** Until when the lambda is leased, seconds since 1970; 0: it is not. By the thread's
 * view: tf_view_sync first. */
uint64_t tf_lease_until(const struct tf_thread *thread, const struct tf_tenure *tenure);

/** Counts a request against the lease, if its grant needs one.
 *  @return whether it may be served. */
bool tf_lease_use(const struct tf_thread *thread, const struct tf_tenure *tenure);

/** Ends the lease of an entry whose grant is replaced, unless it goes over to the new
 * one: also leased, and both and the lease of one signer. Hold the lock, call before. */
void tf_lease_hand_over(const struct tf_instance *instance, struct tf_entry *entry,
                        const struct tf_grant *next);

/** Ends all leases, if the host's clock was turned back. Call at each entry. */
void tf_lease_note_clock(struct tf_thread *thread);
