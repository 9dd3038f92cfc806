/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aesm.h - a client of AESM, the daemon of Intel's SGX platform software that runs the
 * quoting enclave: REPORT in, ECDSA quote (DCAP, version 3) out. It speaks AESM's own
 * protocol, so nothing of Intel's is linked: over a UNIX socket, one request a
 * connection, each way a u32 length and a protobuf message (proto2; fields as in AESM's
 * messages.proto). What AESM answers is untrusted: a quote convinces only who verifies
 * it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/sgx.h"
#include "lib/err.h"

enum {
    TF_AESM_QUOTE_MAX =
        8 << 10, /* what AESM is asked for; quotes have about 4700 bytes */
    TF_AESM_FRAME_MAX = TF_AESM_QUOTE_MAX + 1024,
    TF_AESM_TIMEOUT_MS = 60000 /* its first quote may fetch certificates */
};

/** Where aesmd listens. */
#define TF_AESM_PATH "/var/run/aesmd/aesm.socket"

/** Which AESM; kept by the caller. */
struct tf_aesm {
    const char *path;    /* TF_AESM_PATH */
    unsigned timeout_ms; /* for one exchange, all of it */
    uint32_t code;       /* out: AESM's errorCode in the last answer, 0 for none */
    int caller;          /* > 0: tf_aesm_open's; else connections are made here */
};

/**
 * For who will not be allowed to connect (host/sandbox.h): from now on a process of our
 * own (host/helper.h) does, to aesm->path and nothing else.
 * @return TF_OK, TF_EIO.
 */
TF_MUST_USE tf_err tf_aesm_open(struct tf_aesm *aesm);

/** Ends it; also if there is none. */
void tf_aesm_close(struct tf_aesm *aesm);

/**
 * Which enclave a REPORT must be made for, to be quoted.
 *
 * @param out  untrusted; untouched on failure.
 * @return TF_OK; TF_ENOTFOUND if no AESM listens; TF_EIO if it hangs up, is silent or
 *         cannot be reached; TF_AGAIN if it is busy; TF_EFORMAT or TF_ELIMIT for an
 * answer that is none; TF_EQUOTE if it refuses (aesm->code); TF_EUSAGE for a bad path.
 */
TF_MUST_USE tf_err tf_aesm_target_info(struct tf_aesm *aesm, struct sgx_target_info *out);

/**
 * Has a REPORT quoted, which is made for tf_aesm_target_info()'s enclave. If AESM lost
 * its attestation key it is told to make it again, once.
 *
 * @param out   untrusted; `cap` bytes, written on success only.
 * @param size  of the quote, up to the end of its signature data.
 * @return as tf_aesm_target_info(); TF_EQUOTE_KIND for a quote of another version or key
 *         type; TF_EQUOTE_FORMAT for one that is cut off or is of another REPORT;
 * TF_ELIMIT also if it does not fit.
 */
TF_MUST_USE tf_err tf_aesm_quote(struct tf_aesm *aesm, const struct sgx_report *report,
                                 uint8_t *out, size_t cap, size_t *size);

/* --- the parsers of the two answers, for tests
 * ------------------------------------------
 */

/** @param bytes  untrusted: a frame without its length.
 *  @param code   errorCode; written if the message parses.
 *  @return TF_OK, TF_EFORMAT, TF_AGAIN, TF_EQUOTE. */
TF_MUST_USE tf_err tf_aesm_parse_target_info(const uint8_t *bytes, size_t size,
                                             struct sgx_target_info *out, uint32_t *code);
/** Likewise; @param quote  into `bytes`, cut to its own size.
 *  @return also TF_EQUOTE_KIND, TF_EQUOTE_FORMAT. */
TF_MUST_USE tf_err tf_aesm_parse_quote(const uint8_t *bytes, size_t size,
                                       const uint8_t **quote, size_t *quote_size,
                                       uint32_t *code);
