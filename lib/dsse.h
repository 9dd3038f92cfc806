/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dsse.h - Dead Simple Signing Envelope v1.0 (secure-systems-lab/dsse): JSON with a
 * base64 payload, a payload type, and signatures over PAE = "DSSEv1 " len(type) type
 * len(payload) payload. The type binds a signature to one use.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/descriptor.h"
#include "lib/err.h"

#define TF_DSSE_MANIFEST    "application/vnd.tfaas.manifest.v1+json"
#define TF_DSSE_GRANT       "application/vnd.tfaas.grant.v1+json"
#define TF_DSSE_LEASE       "application/vnd.tfaas.lease.v1+json"
#define TF_DSSE_RECEIPT     "application/vnd.tfaas.receipt.v1+json"
#define TF_DSSE_USAGE       "application/vnd.tfaas.usage.v1+json"
#define TF_DSSE_LOGS        "application/vnd.tfaas.logs.v1+json"
#define TF_DSSE_REVOCATIONS "application/vnd.tfaas.revocations.v1+json"

struct tf_dsse {
    uint8_t *payload; /* decoded, into the caller's scratch */
    size_t payload_size;
    uint8_t *pae; /* into the caller's scratch */
    size_t pae_size;
    uint8_t digest[TF_SHA256_SIZE];      /* SHA-256 of the PAE */
    char signer[2 * TF_SHA256_SIZE + 1]; /* whose signature verified */
};

/**
 * Opens an envelope: parses, checks the type, verifies.
 *
 * @param text     untrusted, not kept.
 * @param type     the one payload type accepted here.
 * @param payload_max  a larger payload is refused with `too_large`.
 * @param bad_format, bad_signer  codes of what is in the envelope, in place of TF_EDSSE_*
 *                 and `too_large`; TF_OK for none.
 * @param domain   its publishers may sign; NULL: signatures are not checked and may be
 *                 none, signer is "".
 * @param with_attesters  its attesters may too.
 * @param scratch  2 * payload_max + 256 bytes; `out` points into it.
 * @return TF_OK; TF_EDSSE_FORMAT, TF_EDSSE_TYPE, `too_large`; TF_EDSSE_SIGNER if no
 * signature names a key that may sign, TF_EDSSE_SIGNATURE if one does and none
 * verifies.
 */
struct tf_dsse_rule {
    const char *type;
    size_t payload_max;
    tf_err too_large;
    const struct tf_descriptor *domain;
    bool with_attesters;
    tf_err bad_format;
    tf_err bad_signer;
};
TF_MUST_USE tf_err tf_dsse_open(const char *text, size_t size,
                                const struct tf_dsse_rule *rule, uint8_t *scratch,
                                struct tf_dsse *out);

/**
 * Writes the PAE of (type, payload) into `out`.
 * @return its size; 0 if `cap` is too small.
 */
size_t tf_dsse_pae_write(const char *type, const void *payload, size_t payload_size,
                         uint8_t *out, size_t cap);
