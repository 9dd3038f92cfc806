/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stock.h - what a worker is given from the store when it starts (revocation lists, then
 * the envelopes of bundles and sealed grants, one after the other) and when its enclave
 * wants a bundle; and what the enclave hands over to be kept.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct tf_worker;

/** The worker is ready: sends it what is stored, then has it serve. */
void tf_stock_begin(struct tf_worker *worker);

/** The enclave wants a bundle: sends the file with this digest (body of a WANT packet) to
 * the thread that asks, or says that there is none. */
void tf_stock_bring(struct tf_worker *worker, unsigned thread, uint64_t id,
                    const uint8_t *body, size_t size);

/** Keeps what a grant became, so that a restart needs nobody. `body` is a SEALED packet.
 */
void tf_stock_keep_sealed(struct tf_worker *worker, const uint8_t *body, size_t size);
