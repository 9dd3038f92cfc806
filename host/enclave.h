/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enclave.h - one enclave instance, loaded and entered by the worker. host/load.c walks
 * the image and calls a backend's operations: the simulator's (host/enclave_sim.c) or
 * those of Linux's SGX driver (host/enclave_sgx.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/channel.h"
#include "abi/sgx.h"
#include "lib/err.h"

struct tf_enclave;
struct tf_backend;  /* host/backend.h */
struct tf_sgx_port; /* host/sgx.h */

struct tf_enclave_options {
    const struct tf_backend *backend; /* NULL: the simulator */
    const char *image_path;
    const char *sigstruct_path;
    unsigned threads;     /* a native core: how many will run; an image says itself */
    const char *tsm_path; /* the same: configfs-tsm gives evidence; NULL: the simulator */
    uint8_t config_id[64]; /* SHA-256 of the domain descriptor, then zeros */
    uint16_t config_svn;   /* KSS: version of what config_id names; part of the keys */
    struct tf_sgx_port *sgx_port; /* hardware: what stands in for the kernel; NULL: it */
    /* AESM's socket: has REPORTs quoted there. NULL: the backend's own quotes, or where
     * it has none TF_AESM_PATH. Kept until close. */
    const char *aesm_path;
    const char *sim_dir; /* machine.key and root.pem live here; made when missing */
    bool is_strict; /* ENCLU traps and is emulated; else sites are patched after EINIT */
    uint64_t transition_cycles; /* burnt per EENTER and EEXIT pair; default 10000 */
};

/** Loads, measures, checks the SIGSTRUCT, initialises. @return TF_EIMAGE_*, TF_EIO,
 *  TF_EPLATFORM after a line on stderr for each thing that this machine lacks. */
TF_MUST_USE tf_err tf_enclave_open(const struct tf_enclave_options *options,
                                   struct tf_enclave **out);

/** Takes the enclave down: no thread may be inside or enter again. NULL is fine. */
void tf_enclave_close(struct tf_enclave *enclave);

/** TCS count. */
unsigned tf_enclave_threads(const struct tf_enclave *enclave);

/** Whether this is the simulator (for every status output). */
bool tf_enclave_is_simulated(const struct tf_enclave *enclave);

/** MRENCLAVE and MRSIGNER as initialised. */
void tf_enclave_identity(const struct tf_enclave *enclave, uint8_t mrenclave[static 32],
                         uint8_t mrsigner[static 32]);

/** Prepares the calling thread to enter (signal stack, signal mask, seccomp once per
 * process). */
TF_MUST_USE tf_err tf_enclave_thread_init(struct tf_enclave *enclave);

struct tf_enclave_exit {
    enum tf_exit exit;
    tf_err err; /* with TF_EXIT_DEAD: the enclave's reason; TF_EINTERNAL after a fault */
};

/** EENTER on TCS `thread`; returns after EEXIT. A fault inside ends the process with one
 * line on stderr that names it (the supervisor rebuilds the instance). */
void tf_enclave_enter(struct tf_enclave *enclave, unsigned thread,
                      struct tf_channel *channel, uint64_t now_ns,
                      struct tf_enclave_exit *out);

/** Who quotes, for the log: AESM's socket, or "simulator". @param code  the errorCode in
 * its last answer, 0 for none. Not while it is asked. */
const char *tf_enclave_quoted_by(const struct tf_enclave *enclave, uint32_t *code);

/** TARGETINFO of the quoting side, for TF_MSG_INIT and TF_MSG_TARGET. May take up to
 *  TF_EVIDENCE_WAIT_MS. @return as tf_aesm_target_info(). */
TF_MUST_USE tf_err tf_enclave_target_info(struct tf_enclave *enclave,
                                          struct sgx_target_info *out);

/**
 * Turns a REPORT (its MAC is checked) into evidence JSON (doc/formats.md). May take up to
 * three times TF_EVIDENCE_WAIT_MS (AESM lost its key): not for an event loop, and one
 * at a time, with tf_enclave_target_info.
 * @param out  TF_EVIDENCE_MAX bytes. @return TF_OK and `size`, TF_EEVIDENCE_FORMAT, or as
 *         tf_aesm_quote().
 */
TF_MUST_USE tf_err tf_enclave_quote(struct tf_enclave *enclave,
                                    const struct sgx_report *report, char *out,
                                    size_t *size);
