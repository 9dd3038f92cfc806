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

/* A grant that comes in. */
struct arrival {
    struct tf_grant_draft draft;
    struct tf_str statement; /* what was signed; in `scratch` */
    uint8_t scratch[2 * TF_GRANT_MAX + 256];
};

/* Opens the envelope; what is in it is then a publisher's or an attester's word. */
static tf_err open_grant(const struct tf_conn *conn, struct tf_str body,
                         struct arrival *out)
{
    const struct tf_dsse_rule rule = {.type = TF_DSSE_GRANT,
                                      .payload_max = TF_GRANT_MAX,
                                      .domain = &conn->thread->instance->domain,
                                      .with_attesters = true,
                                      .bad_format = TF_EGRANT_FORMAT,
                                      .bad_signer = TF_EGRANT_SIGNER};
    struct tf_dsse dsse;

    tf_err err = tf_dsse_open(body.data, body.size, &rule, out->scratch, &dsse);
    if (err != TF_OK) {
        return err;
    }
    out->statement = (struct tf_str){(const char *)dsse.payload, dsse.payload_size};
    return tf_grant_parse(out->statement, dsse.signer, &out->draft);
}

/* Hands it to the host's store: a request is taken up only when there is room for this
 * (has_turn in serve.c). */
static tf_err send_sealed(struct tf_thread *thread, const char *lambda,
                          const uint8_t *blob, size_t size)
{
    uint8_t head[sizeof(struct tf_msg_sealed) + TF_NAME_MAX];
    struct tf_msg_sealed message = {(uint32_t)strlen(lambda), 0};

    memcpy(head, &message, sizeof(message));
    memcpy(head + sizeof(message), lambda, message.name_size);
    bool is_sent = tf_emit_frame(thread, TF_MSG_SEALED, 0,
                                 tf_part(head, sizeof(message) + message.name_size),
                                 tf_part(blob, size));
    return is_sent ? TF_OK : TF_EINTERNAL;
}

/* Sealed before it is in force: what the attester is told failed must not serve, and what
 * serves must outlive a restart. But a leased grant must not. */
static tf_err put_and_store(struct tf_thread *thread, struct arrival *arrival)
{
    struct tf_grant *grant = &arrival->draft.grant;
    uint8_t *blob = NULL;
    size_t size = 0;

    if (grant->is_leased) {
        return tf_grant_put(thread, grant, false);
    }
    tf_err err = tf_grant_seal(grant, arrival->statement, &blob, &size);
    if (err == TF_OK) {
        err = tf_grant_put(thread, grant, false);
    }
    if (err == TF_OK) {
        err = send_sealed(thread, grant->lambda, blob, size);
    }
    free(blob);
    return err;
}

static tf_err accept_grant(struct tf_conn *conn, struct tf_str csr_key,
                           struct arrival *arrival)
{
    const struct tf_grant *grant = &arrival->draft.grant;

    if (!tf_crypto_equal(grant->exporter, conn->exporter, sizeof(grant->exporter))) {
        return TF_EGRANT_CHANNEL;
    }
    /* With no key at all, the check of the certificate finds that it has none. */
    if (grant->key_size == 0 && csr_key.size != 0) {
        tf_err err = tf_grant_set_key(&arrival->draft, csr_key);
        if (err != TF_OK) {
            return err;
        }
    }
    return put_and_store(conn->thread, arrival);
}

tf_err tf_manage_grant(struct tf_conn *conn, struct tf_str csr_key, struct tf_str body,
                       struct tf_json_writer *answer)
{
    struct arrival *arrival = malloc(sizeof(*arrival));

    if (arrival == NULL) {
        return TF_ENOMEM;
    }
    tf_err err = open_grant(conn, body, arrival);
    if (err == TF_OK) {
        err = accept_grant(conn, csr_key, arrival);
    }
    if (err == TF_OK) {
        tf_grant_answer_write(&arrival->draft.grant, answer);
        tf_emit_event(conn->thread, TF_EVENT_GRANTED, TF_OK, 0,
                      arrival->draft.grant.lambda);
    }
    tf_wipe(arrival, sizeof(*arrival));
    free(arrival);
    return err;
}
