/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel.h - a client of an enclave's management endpoint (doc/formats.md): TLS 1.3 to
 * the enclave, the values of that connection that evidence must bind, JSON requests over
 * it. The certificate proves nothing by itself and is not checked here; tf_channel_attest
 * is what makes the connection trustworthy. A handshake has 30 s, and so has a request:
 * all of it, so that a host gains nothing by a byte now and then.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "client/collateral_fetch.h"
#include "lib/err.h"
#include "verify/verify.h"

struct tf_channel_client;

/** Connects to ADDR:PORT with the SNI LAMBDA.manage.tfaas.internal.
 *  @return owned, tf_channel_close; NULL after a message. */
struct tf_channel_client *tf_channel_open(const char *connect, const char *lambda);
/** The same without a message: for who looks whether a lambda is there. */
struct tf_channel_client *tf_channel_try(const char *connect, const char *lambda);
/** Whether ADDR:PORT serves the DNS name, to anybody: a handshake succeeds. It proves
 *  nothing of who answers. */
bool tf_channel_serves(const char *connect, const char *name);
void tf_channel_close(struct tf_channel_client *channel);

/** The code of the enclave's last refusal on this channel, such as "grant-old", in
 *  [a-z0-9-]; "" if there was none. It stays valid until the next request. */
const char *tf_channel_refusal(const struct tf_channel_client *channel);

/** This connection's TLS exporter (label EXPORTER-tfaas-attest, RFC 8446 7.5). */
const uint8_t *tf_channel_exporter(const struct tf_channel_client *channel);

/**
 * POSTs `body`.
 * @param answer  owned by the caller: json_decref.
 * @return TF_OK; TF_EIO or TF_EUSAGE (refused by the enclave) after a message.
 */
TF_MUST_USE tf_err tf_channel_post(struct tf_channel_client *channel, const char *path,
                                   const char *body, size_t size, json_t **answer);

/**
 * Signs a statement, which may hold secrets, as a DSSE envelope of `type` and POSTs that.
 * What the enclave answers but for a refusal is not looked at.
 * @return as tf_channel_post and tf_envelope_make.
 */
TF_MUST_USE tf_err tf_channel_post_signed(struct tf_channel_client *channel,
                                          const char *path, EVP_PKEY *signer,
                                          const char *type, const char *statement,
                                          size_t size);

/** By what a relying party judges. All the caller's. */
struct tf_attest_rules {
    const struct tf_policy *policy;
    const struct tf_collateral_source *source; /* NULL: no collateral is at hand */
    bool insecure_allow_simulated;
};

/** What came out. */
struct tf_attestation {
    struct tf_verdict verdict;
    int64_t time;                /* of the judgement: this machine's clock */
    tf_collateral_origin origin; /* of the collateral */
    int64_t fetched;             /* the collateral, by cache or service; 0 else */
    /* Of tf_ratls_parse for the certificate of this connection: TF_OK, it carries
     * evidence about its key; TF_EEVIDENCE_FORMAT, none. */
    tf_err certificate;
};

/** Asks for evidence under a fresh nonce, finds the collateral, and judges.
 *  @return TF_OK and the verdict, good or bad (out->verdict.result); TF_EIO, TF_EUSAGE or
 *          TF_EEVIDENCE_FORMAT after a message. */
TF_MUST_USE tf_err tf_channel_attest(struct tf_channel_client *channel,
                                     const char *lambda,
                                     const struct tf_attest_rules *rules,
                                     struct tf_attestation *out);
