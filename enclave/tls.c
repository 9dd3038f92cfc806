/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/tls.h"

#include <string.h>

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>

#include "enclave/conn.h"
#include "enclave/emit.h"
#include "enclave/http_text.h"
#include "enclave/js/env.h"
#include "enclave/resident.h"
#include "enclave/thread.h"
#include "enclave/ticket.h"

enum {
    UNRECOGNIZED_NAME = 112,
    APPLICATION_DATA = 23,            /* RFC 8446 5.1 */
    HEAD_SIZE = 5,                    /* of a record */
    RECORD_EXTRA = HEAD_SIZE + 1 + 16 /* what a record has beside its data: type, tag */
};

static const char management_suffix[] = ".manage.tfaas.internal";
static const char exporter_label[] = "EXPORTER-tfaas-attest";

/* wolfSSL wants bytes of the peer: first those kept from earlier frames. */
static int on_recv(WOLFSSL *ssl, char *out, int cap, void *user)
{
    struct tf_conn *conn = user;

    (void)ssl;
    size_t size = tf_conn_take_input(conn, out, (size_t)cap);
    return size == 0 ? WOLFSSL_CBIO_ERR_WANT_READ : (int)size;
}

static int on_send(WOLFSSL *ssl, char *data, int size, void *user)
{
    struct tf_conn *conn = user;

    (void)ssl;
    size_t sent = tf_conn_put_output(conn, data, (size_t)size);
    return sent == 0 ? WOLFSSL_CBIO_ERR_WANT_WRITE : (int)sent;
}

/* The name in lower case. @return whether there is one that can be a DNS name. */
static bool take_name(WOLFSSL *ssl, char out[static TF_DNS_MAX + 1])
{
    void *name = NULL;
    size_t size = wolfSSL_SNI_GetRequest(ssl, WOLFSSL_SNI_HOST_NAME, &name);

    if (name == NULL || size == 0 || size > TF_DNS_MAX) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        out[i] = tf_http_lower(((const char *)name)[i]);
    }
    out[size] = '\0';
    return true;
}

/* LAMBDA.manage.tfaas.internal of a lambda that is loaded. */
static bool is_management(struct tf_thread *thread, const char *name)
{
    char lambda[TF_NAME_MAX + 1];
    const char *dot = strchr(name, '.');

    if (dot == NULL || strcmp(dot, management_suffix) != 0 || dot - name > TF_NAME_MAX) {
        return false;
    }
    memcpy(lambda, name, (size_t)(dot - name));
    lambda[dot - name] = '\0';
    tf_lock_take(&thread->instance->lock);
    bool is_there = tf_instance_find(thread->instance, lambda) != NULL;
    tf_lock_give(&thread->instance->lock);
    return is_there;
}

/* The certificate for a granted name; its context is made when first needed. */
static bool use_grant(struct tf_conn *conn, WOLFSSL *ssl, const char *name)
{
    struct tf_resident *resident = tf_view_grant(conn->thread, name);

    if (resident == NULL) {
        return false;
    }
    struct WOLFSSL_CTX *context = tf_resident_context(conn->thread, resident);
    if (context == NULL || wolfSSL_set_SSL_CTX(ssl, context) == NULL) {
        return false;
    }
    conn->entry = resident->entry;
    conn->grant_ordinal = resident->now.grant->ordinal;
    tf_resident_guess(conn->thread, resident);
    tf_view_trim(conn->thread, resident);
    return true;
}

/* Runs after the ClientHello's extensions were read and before tickets are looked at, so
 * that a ticket is judged by the grant in force now. After a HelloRetryRequest it runs
 * again with the first hello's name. */
static int on_name(WOLFSSL *ssl, int *alert, void *user)
{
    struct tf_conn *conn = wolfSSL_GetIOReadCtx(ssl);
    char name[TF_DNS_MAX + 1];

    (void)user;
    *alert = UNRECOGNIZED_NAME;
    if (conn == NULL || !take_name(ssl, name)) {
        return fatal_return;
    }
    tf_view_sync(conn->thread);
    if (is_management(conn->thread, name)) {
        conn->is_management = true;
        (void)wolfSSL_no_ticket_TLSv13(ssl);
        wolfSSL_KeepArrays(ssl); /* for the exporter */
    } else if (!use_grant(conn, ssl, name)) {
        return fatal_return;
    }
    memcpy(conn->sni, name, strlen(name) + 1);
    return noack_return;
}

void tf_tls_context_close(struct WOLFSSL_CTX *context)
{
    wolfSSL_CTX_free(context);
}

/* A base context with this management certificate. @return NULL if there is no memory. */
static WOLFSSL_CTX *open_base(const struct tf_identity *identity, const uint8_t *cert,
                              size_t cert_size)
{
    WOLFSSL_CTX *ctx = wolfSSL_CTX_new(wolfTLSv1_3_server_method());

    if (ctx == NULL) {
        return NULL;
    }
    wolfSSL_CTX_SetIORecv(ctx, on_recv);
    wolfSSL_CTX_SetIOSend(ctx, on_send);
    wolfSSL_CTX_set_servername_callback(ctx, on_name);
    /* The server's messages leave in one piece. */
    wolfSSL_CTX_set_group_messages(ctx);
    /* One generator for all connections of the thread instead of one each. A resumption
     * takes a fresh key exchange too (not psk_ke), so that whoever learns the key of the
     * tickets some day cannot read what was recorded before. */
    if (wolfSSL_CTX_new_rng(ctx) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_only_dhe_psk(ctx) != 0 ||
        wolfSSL_CTX_use_certificate_buffer(ctx, cert, (long)cert_size,
                                           WOLFSSL_FILETYPE_ASN1) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_use_PrivateKey_buffer(ctx, identity->key, (long)identity->key_size,
                                          WOLFSSL_FILETYPE_ASN1) != WOLFSSL_SUCCESS ||
        tf_ticket_use(ctx) != TF_OK) {
        wolfSSL_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

tf_err tf_tls_start(struct tf_thread *thread)
{
    const struct tf_identity *identity = &thread->instance->identity;

    /* The generator of the thread's tickets and error ids is made now: later a client
     * could have filled the heap, and without a generator the enclave ends. */
    uint8_t first;
    tf_random(&first, sizeof(first));
    thread->context = open_base(identity, identity->cert, identity->cert_size);
    return thread->context == NULL ? TF_EINTERNAL : TF_OK;
}

/* Goes over to the certificate with evidence once there is one. Connections that are open
 * keep the old context until they end. */
static void update_base(struct tf_thread *thread)
{
    const struct tf_identity *identity = &thread->instance->identity;
    const uint8_t *attested = __atomic_load_n(&identity->attested, __ATOMIC_ACQUIRE);

    if (attested == NULL || thread->is_attested) {
        return;
    }
    WOLFSSL_CTX *ctx = open_base(identity, attested, identity->attested_size);
    if (ctx != NULL) { /* else the next connection tries again */
        wolfSSL_CTX_free(thread->context);
        thread->context = ctx;
        thread->is_attested = true;
    }
}

tf_err tf_tls_context_open(const struct tf_grant *grant, struct WOLFSSL_CTX **out)
{
    WOLFSSL_CTX *ctx = wolfSSL_CTX_new(wolfTLSv1_3_server_method());
    tf_err err = TF_EGRANT_FORMAT;

    if (ctx == NULL) {
        return TF_ENOMEM;
    }
    if (wolfSSL_CTX_use_certificate_chain_buffer_format(
            ctx, (const unsigned char *)grant->chain, (long)grant->chain_size,
            WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS) {
        goto out;
    }
    err = TF_EGRANT_KEY;
    if (wolfSSL_CTX_use_PrivateKey_buffer(ctx, (const unsigned char *)grant->key,
                                          (long)grant->key_size,
                                          WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS) {
        goto out;
    }
    err = tf_ticket_use(ctx) == TF_OK ? TF_OK : TF_ENOMEM;
out:
    if (err != TF_OK) {
        wolfSSL_CTX_free(ctx);
        return err;
    }
    *out = ctx;
    return TF_OK;
}

tf_err tf_tls_context_check(const struct WOLFSSL_CTX *context)
{
    return wolfSSL_CTX_check_private_key(context) == WOLFSSL_SUCCESS ? TF_OK
                                                                     : TF_EGRANT_KEY;
}

tf_err tf_tls_open(struct tf_conn *conn)
{
    static char protocols[] = "http/1.1";

    update_base(conn->thread);
    WOLFSSL *ssl = wolfSSL_new(conn->thread->context);

    if (ssl == NULL) {
        return TF_ENOMEM;
    }
    wolfSSL_SetIOReadCtx(ssl, conn);
    wolfSSL_SetIOWriteCtx(ssl, conn);
    if (wolfSSL_UseALPN(ssl, protocols, sizeof(protocols) - 1,
                        WOLFSSL_ALPN_FAILED_ON_MISMATCH) != WOLFSSL_SUCCESS) {
        wolfSSL_free(ssl);
        return TF_ENOMEM;
    }
    conn->ssl = ssl;
    return TF_OK;
}

void tf_tls_close(struct tf_conn *conn)
{
    wolfSSL_free(conn->ssl);
    conn->ssl = NULL;
}

/* What a call that did not succeed means. */
static tf_err reason(const struct tf_conn *conn, int rc, int *code)
{
    *code = wolfSSL_get_error(conn->ssl, rc);
    return *code == WOLFSSL_ERROR_WANT_READ || *code == WOLFSSL_ERROR_WANT_WRITE
               ? TF_AGAIN
               : TF_EIO;
}

tf_err tf_tls_accept(struct tf_conn *conn, int *code)
{
    int rc = wolfSSL_accept(conn->ssl);

    if (rc != WOLFSSL_SUCCESS) {
        return reason(conn, rc, code);
    }
    if (!conn->is_management) {
        return TF_OK;
    }
    rc = wolfSSL_export_keying_material(conn->ssl, conn->exporter, sizeof(conn->exporter),
                                        exporter_label, sizeof(exporter_label) - 1, NULL,
                                        0, 1);
    wolfSSL_FreeArrays(conn->ssl);
    *code = 0;
    return rc == WOLFSSL_SUCCESS ? TF_OK : TF_EIO;
}

/* wolfSSL takes no more than the record that it works on: what it has not taken is with
 * the connection. */
size_t tf_tls_input(const struct tf_conn *conn)
{
    int left = wolfSSL_pending(conn->ssl);

    return left > 0 ? (size_t)left : conn->kept.size - conn->kept_at + conn->input_size;
}

/* Decrypts a record of application data from the frame at hand, if that is whole.
 * @return bytes of plain text; 0: wolfSSL_read is to see to what there is. */
static size_t open_record(struct tf_conn *conn, void *out, size_t cap)
{
    const uint8_t *head = conn->input;

    if (conn->kept.size != conn->kept_at || conn->input_size < HEAD_SIZE ||
        head[0] != APPLICATION_DATA || head[1] != 3 || head[2] != 3) {
        return 0;
    }
    size_t size = HEAD_SIZE + ((size_t)head[3] << 8 | head[4]);
    if (size > conn->input_size) {
        return 0;
    }
    int rc = wolfSSL_open_record(conn->ssl, head, (word32)size, out,
                                 cap > TF_RECORD_MAX ? TF_RECORD_MAX : (word32)cap);
    if (rc <= 0) {
        return 0;
    }
    conn->input += size;
    conn->input_size -= size;
    return (size_t)rc;
}

tf_err tf_tls_read(struct tf_conn *conn, void *out, size_t cap, size_t *size)
{
    int code = 0;
    size_t opened = open_record(conn, out, cap);

    if (opened != 0) {
        *size = opened;
        return TF_OK;
    }
    int rc = wolfSSL_read(conn->ssl, out, cap > TF_RECORD_MAX ? TF_RECORD_MAX : (int)cap);
    if (rc > 0) {
        *size = (size_t)rc;
        return TF_OK;
    }
    tf_err err = reason(conn, rc, &code);
    if (err == TF_EIO && code == WOLFSSL_ERROR_ZERO_RETURN) {
        *size = 0;
        return TF_OK;
    }
    return err;
}

/* Encrypts what fits into one record for the ring, if that has room for it.
 * @return bytes taken; 0: wolfSSL_write is to see to it; below: an error. */
static int seal_record(struct tf_conn *conn, uint8_t *data, size_t size)
{
    uint8_t *record = conn->thread->record;

    size = size < TF_SEALED_MAX - RECORD_EXTRA ? size : TF_SEALED_MAX - RECORD_EXTRA;
    if (!tf_conn_has_room(conn, size + RECORD_EXTRA)) {
        return 0;
    }
    int rc = wolfSSL_seal_record(conn->ssl, data, (word32)size, record);
    if (rc < 0) {
        return rc == -1 ? 0 : rc;
    }
    /* There was room: what is short of it now is the ring's error, which ends all. */
    return tf_conn_put_output(conn, record, (size_t)rc) == (size_t)rc ? (int)size : -1;
}

tf_err tf_tls_write(struct tf_conn *conn, uint8_t *data, size_t size, size_t *taken)
{
    int code = 0;
    int sealed = seal_record(conn, data, size);
    if (sealed < 0) {
        return TF_EIO;
    }
    if (sealed > 0) {
        *taken = (size_t)sealed;
        return TF_OK;
    }
    int rc =
        wolfSSL_write(conn->ssl, data, size > TF_RECORD_MAX ? TF_RECORD_MAX : (int)size);

    if (rc > 0) {
        *taken = (size_t)rc;
        return TF_OK;
    }
    return reason(conn, rc, &code);
}

tf_err tf_tls_shutdown(struct tf_conn *conn)
{
    int code = 0;
    int rc = wolfSSL_shutdown(conn->ssl);

    if (rc == WOLFSSL_SUCCESS || rc == WOLFSSL_SHUTDOWN_NOT_DONE) {
        return TF_OK; /* ours is out; nobody waits for the peer's */
    }
    return reason(conn, rc, &code) == TF_AGAIN && code == WOLFSSL_ERROR_WANT_WRITE
               ? TF_AGAIN
               : TF_OK;
}
