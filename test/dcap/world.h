/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.h - a world with DCAP in a folder, for tests: a root of its own, a platform that
 * is certified under it, a quoting enclave for a simulated machine, and collateral that
 * says of the platform what FOLDER/world.json wants. The keys stay in the folder, so that
 * the world is the same one after a restart. Trusts its callers.
 *
 * world.json is read again at each question; all is optional, what is missing is well:
 *
 *     status, qe_status, module_status   TCB status of the platform, QE, TDX module
 *     advisories                         of the platform's level: ["INTEL-SA-00615"]
 *     tcb_date, issued, next_update, crl_next_update   dates, 2026-01-31T23:59:59Z
 *     evaluation                         tcbEvaluationDataNumber
 *     fmspc, ppid, instance              hex: 6, 16, 16 bytes (platform instance id)
 *     ca                                 "platform" or "processor"
 *     pck_revoked, ca_revoked            true: listed
 *     aesm        "good", "busy", "no-key", "key-lost", "short", "oversized",
 *                 "other-field", "other-report", "hang"
 *     aesm_delay_ms                      before each quote
 *     qe                                 a number: another quoting enclave
 *     http        "good", "error", "garbage", "hang"
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "host/sim.h"
#include "test/unit/verify/pki.h"

enum { WORLD_PATH = 512, WORLD_WORD = 48, WORLD_TEXT = 2048 };

struct world {
    char dir[WORLD_PATH];
    const char *config; /* what is read for world.json; NULL: FOLDER/world.json */
    struct tf_sim_machine machine; /* whose REPORTs are quoted */
    struct pki *sgx;
    struct pki *tdx; /* the same keys; for its collateral */
    pthread_mutex_t lock;

    /* Out of world.json. */
    char status[WORLD_WORD];
    char qe_status[WORLD_WORD];
    char module_status[WORLD_WORD];
    char advisories[WORLD_TEXT]; /* JSON */
    char aesm[WORLD_WORD];
    unsigned delay_ms;
    unsigned qe;
    char http[WORLD_WORD];
    bool has_key; /* what AESM loads in an InitQuoteEx, and "key-lost" loses */
    bool has_lost_key;
};

/** Opens the folder, making the keys when missing, and writes root.pem (certificate) and
 *  root.sha256 (of its SPKI, hex: for `insecure_allow_roots`) there.
 *  @param sim_dir  STATE/sim of the simulated machine, or NULL.
 *  @param config   in place of FOLDER/world.json, kept; or NULL.
 *  @return whether it went well. */
bool world_open(struct world *w, const char *dir, const char *sim_dir,
                const char *config);

/** Reads world.json and makes everything anew; under the lock. @return false, after a
 *  line on stderr, if it says what is not in the table above. */
bool world_refresh(struct world *w);
