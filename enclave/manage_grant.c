/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/manage_grant.h"

#include <stdlib.h>
#include <string.h>

#include "enclave/conn.h"
#include "enclave/emit.h"
#include "enclave/grant.h"
#include "enclave/seal.h"
#include "enclave/thread.h"
#include "lib/bytes.h"
#include "lib/dsse.h"

/* Opens the envelope; what is in it is then a publisher's or an attester's word. */
static tf_err open_grant(struct tf_conn *conn, struct tf_str body,
                         struct tf_grant_draft *out)
{
    enum { SCRATCH = 2 * TF_GRANT_MAX + 256 };
    const struct tf_dsse_rule rule = {.type = TF_DSSE_GRANT,
                                      .payload_max = TF_GRANT_MAX,
                                      .too_large = TF_EGRANT_FORMAT,
                                      .domain = &conn->thread->instance->domain,
                                      .with_attesters = true};
    struct tf_dsse dsse;
    uint8_t *scratch = malloc(SCRATCH);

    if (scratch == NULL) {
        return TF_ENOMEM;
    }
    tf_err err = tf_dsse_open(body.data, body.size, &rule, scratch, &dsse);
    if (err == TF_EDSSE_SIGNER || err == TF_EDSSE_SIGNATURE) {
        err = TF_EGRANT_SIGNER;
    } else if (err != TF_OK) {
        err = err == TF_ENOMEM ? err : TF_EGRANT_FORMAT;
    } else {
        err = tf_grant_parse((const char *)dsse.payload, dsse.payload_size, false, out);
    }
    if (err == TF_OK) {
        memcpy(out->grant.signer, dsse.signer, sizeof(out->grant.signer));
    }
    tf_wipe(scratch, SCRATCH);
    free(scratch);
    return err;
}

/* A sealed grant, for the host's store. */
struct stored {
    uint8_t *blob; /* owned */
    size_t size;
};

/* @return TF_OK, TF_ELIMIT, TF_ENOMEM, TF_ESEAL_NONE, TF_EINTERNAL. */
static tf_err seal_grant(const struct tf_grant *grant, struct stored *out)
{
    char *text = malloc(TF_GRANT_MAX);
    uint8_t *blob = malloc(TF_GRANT_MAX + TF_SEAL_OVERHEAD);
    size_t size = 0;
    tf_err err = TF_ENOMEM;

    if (text != NULL && blob != NULL) {
        err = tf_grant_write(grant, text, TF_GRANT_MAX, &size);
    }
    if (err == TF_OK) {
        err = tf_seal(text, size, blob);
    }
    if (text != NULL) {
        tf_wipe(text, TF_GRANT_MAX);
    }
    free(text);
    if (err != TF_OK) {
        free(blob);
        return err;
    }
    *out = (struct stored){blob, size + TF_SEAL_OVERHEAD};
    return TF_OK;
}

/* Hands it to the host's store: a request is taken up only when there is room for this
 * (has_turn in serve.c). */
static tf_err send_sealed(struct tf_thread *thread, const char *lambda,
                          const struct stored *stored)
{
    uint8_t head[sizeof(struct tf_msg_sealed) + TF_NAME_MAX];
    struct tf_msg_sealed message = {(uint32_t)strlen(lambda), 0};

    memcpy(head, &message, sizeof(message));
    memcpy(head + sizeof(message), lambda, message.name_size);
    bool is_sent = tf_emit_frame(thread, TF_MSG_SEALED, 0,
                                 tf_part(head, sizeof(message) + message.name_size),
                                 tf_part(stored->blob, stored->size));
    return is_sent ? TF_OK : TF_EINTERNAL;
}

/* Sealed before it is in force: what the attester is told failed must not serve, and what
 * serves must outlive a restart. But a leased grant must not. */
static tf_err put_and_store(struct tf_thread *thread, struct tf_grant *grant)
{
    struct stored stored = {0};

    if (grant->is_leased) {
        return tf_grant_put(thread, grant, false);
    }
    tf_err err = seal_grant(grant, &stored);
    if (err == TF_OK) {
        err = tf_grant_put(thread, grant, false);
    }
    if (err == TF_OK) {
        err = send_sealed(thread, grant->lambda, &stored);
    }
    free(stored.blob);
    return err;
}

static tf_err accept_grant(struct tf_conn *conn, const char *csr_key,
                           struct tf_grant_draft *draft)
{
    struct tf_grant *grant = &draft->grant;

    if (!tf_crypto_equal(grant->exporter, conn->exporter, sizeof(grant->exporter))) {
        return TF_EGRANT_CHANNEL;
    }
    /* With no key at all, the check of the certificate finds that it has none. */
    if (grant->key_size == 0 && csr_key != NULL) {
        tf_err err = tf_grant_set_key(draft, csr_key);
        if (err != TF_OK) {
            return err;
        }
    }
    return put_and_store(conn->thread, grant);
}

tf_err tf_manage_grant(struct tf_conn *conn, const char *csr_key, struct tf_str body,
                       char answer[static TF_MANAGE_GRANT_MAX], size_t *size)
{
    struct tf_grant_draft *draft = calloc(1, sizeof(*draft));

    if (draft == NULL) {
        return TF_ENOMEM;
    }
    tf_err err = open_grant(conn, body, draft);
    if (err == TF_OK) {
        err = accept_grant(conn, csr_key, draft);
    }
    if (err == TF_OK) {
        err = tf_grant_answer_write(&draft->grant, answer, TF_MANAGE_GRANT_MAX, size);
    }
    if (err == TF_OK) {
        tf_emit_event(conn->thread, TF_EVENT_GRANTED, TF_OK, 0);
    }
    tf_wipe(draft, sizeof(*draft));
    free(draft);
    return err;
}
