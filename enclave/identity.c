/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/identity.h"

#include <stdlib.h>
#include <string.h>

#include "enclave/cert.h"
#include "enclave/emit.h"
#include "enclave/enclu.h"
#include "enclave/thread.h"
#include "lib/json.h"

enum {
    QUOTE_MIN = 1 << 8, /* so that its size takes two bytes in CBOR */
    QUOTE_MAX = TF_EVIDENCE_MAX / 4 * 3,
    CLAIMS_SIZE = 19 + TF_SHA256_SIZE,
    EVIDENCE_MAX = 7 + QUOTE_MAX + 2 + CLAIMS_SIZE
};

static const char type_of_quotes[] = "tfaas-dcap-quote.v1";

/* CBOR: {"pubkey-hash": bytes of [1, SHA-256 of the SubjectPublicKeyInfo]}. */
static void write_claims(const struct tf_identity *identity, uint8_t out[CLAIMS_SIZE])
{
    static const uint8_t head[] = {0xa1, 0x6b, 'p', 'u',  'b',  'k',  'e', 'y',  '-', 'h',
                                   'a',  's',  'h', 0x58, 0x24, 0x82, 1,   0x58, 0x20};

    static_assert(sizeof(head) + TF_SHA256_SIZE == CLAIMS_SIZE, "all of it");
    memcpy(out, head, sizeof(head));
    memcpy(out + sizeof(head), identity->spki_sha256, TF_SHA256_SIZE);
}

/* Tagged CBOR: 60000([quote, claims]). @return bytes written. */
static size_t write_evidence(const struct tf_identity *identity, const uint8_t *quote,
                             size_t size, uint8_t out[EVIDENCE_MAX])
{
    const uint8_t head[] = {0xd9,         0xea, 0x60, 0x82, 0x59, (uint8_t)(size >> 8),
                            (uint8_t)size};
    const uint8_t between[] = {0x58, CLAIMS_SIZE};
    size_t at = sizeof(head) + size;

    memcpy(out, head, sizeof(head));
    memcpy(out + sizeof(head), quote, size);
    memcpy(out + at, between, sizeof(between));
    write_claims(identity, out + at + sizeof(between));
    return at + sizeof(between) + CLAIMS_SIZE;
}

/* Whether it is this thread's turn to ask; then nobody else does. */
static bool takes_turn(struct tf_instance *instance)
{
    tf_lock_take(&instance->lock);
    bool is_free = !instance->identity.is_asked;
    instance->identity.is_asked = true;
    tf_lock_give(&instance->lock);
    return is_free;
}

static void give_turn(struct tf_instance *instance)
{
    tf_lock_take(&instance->lock);
    instance->identity.is_asked = false;
    tf_lock_give(&instance->lock);
}

void tf_identity_ask(struct tf_thread *thread)
{
    static const struct sgx_target_info nobody;
    struct tf_instance *instance = thread->instance;
    uint8_t claims[CLAIMS_SIZE];
    uint8_t report_data[64] = {0};
    struct sgx_report report;

    if (memcmp(&thread->target, &nobody, sizeof(nobody)) == 0 || !takes_turn(instance)) {
        return;
    }
    write_claims(&instance->identity, claims);
    tf_sha256(claims, sizeof(claims), report_data);
    tf_ereport(&thread->target, report_data, &report);
    thread->asks_identity =
        tf_emit_frame(thread, TF_MSG_REPORT, TF_ID_IDENTITY,
                      tf_part(&report, sizeof(report)), tf_part(NULL, 0));
    if (!thread->asks_identity) {
        give_turn(instance);
    }
}

struct quote {
    uint8_t bytes[QUOTE_MAX];
    size_t size;
};

static void take_quote(struct tf_json_fields *f, void *user)
{
    struct quote *out = user;

    tf_json_constant(f, "type", type_of_quotes);
    out->size = tf_json_base64(f, "quote", out->bytes, sizeof(out->bytes));
    f->bad |= out->size < QUOTE_MIN;
}

/* Makes the certificate with the quote, for all threads. */
static tf_err attest(struct tf_instance *instance, const struct quote *quote)
{
    uint8_t *evidence = malloc(EVIDENCE_MAX);
    uint8_t *cert = malloc(TF_ATTESTED_DER_MAX);
    size_t cert_size = 0;
    tf_err err = TF_ENOMEM;

    if (evidence != NULL && cert != NULL) {
        size_t evidence_size =
            write_evidence(&instance->identity, quote->bytes, quote->size, evidence);
        err = tf_cert_identity_attest(&instance->identity, evidence, evidence_size, cert,
                                      &cert_size);
    }
    if (err == TF_OK) {
        tf_lock_take(&instance->lock);
        uint8_t *shared = tf_shared_alloc(cert_size);
        if (shared != NULL) {
            memcpy(shared, cert, cert_size);
            instance->identity.attested_size = cert_size;
            __atomic_store_n(&instance->identity.attested, shared, __ATOMIC_RELEASE);
        }
        err = shared == NULL ? TF_ENOMEM : TF_OK;
        tf_lock_give(&instance->lock);
    }
    free(cert);
    free(evidence);
    return err;
}

tf_err tf_identity_quote(struct tf_thread *thread, const uint8_t *data, size_t size)
{
    if (!thread->asks_identity) {
        return TF_EHOST;
    }
    thread->asks_identity = false;
    struct quote *quote = malloc(sizeof(*quote));
    tf_err err = size > TF_EVIDENCE_MAX ? TF_EQUOTE : quote == NULL ? TF_ENOMEM : TF_OK;

    if (err == TF_OK) {
        err = tf_json_read((const char *)data, size, take_quote, quote, TF_EQUOTE);
    }
    if (err == TF_OK) {
        err = attest(thread->instance, quote);
    }
    free(quote);
    if (err != TF_OK) {
        give_turn(thread->instance); /* the next target may bring one */
    }
    return TF_OK;
}
