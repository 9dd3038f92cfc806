/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/ticket.h"

#include <stdbool.h>
#include <string.h>

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/aes.h>

#include "enclave/conn.h"
#include "enclave/js/env.h"
#include "lib/bytes.h"

enum {
    NONCE_SIZE = 12, /* the rest of the 16 bytes of iv stays zero */
    TAG_SIZE = 16,   /* likewise of the 32 bytes of mac */
    KEY_USES =
        1 << 20,   /* then the next key; far below the 2^32 random nonces of AES-GCM */
    LIFETIME = 500 /* seconds, told to the client; wolfSSL takes no older ticket */
};

static void make_key(struct tf_ticket_key *key)
{
    tf_random(key->name, sizeof(key->name));
    tf_random(key->key, sizeof(key->key));
    key->used = 0;
}

void tf_ticket_start(struct tf_instance *instance)
{
    make_key(&instance->tickets[0]);
    make_key(&instance->tickets[1]);
}

/* Copies the key to encrypt with, after 2^20 tickets a new one. */
static void current_key(struct tf_instance *instance, struct tf_ticket_key *out)
{
    tf_lock_take(&instance->lock);
    if (instance->tickets[0].used == KEY_USES) {
        instance->tickets[1] = instance->tickets[0];
        make_key(&instance->tickets[0]);
    }
    instance->tickets[0].used++;
    *out = instance->tickets[0];
    tf_lock_give(&instance->lock);
}

static bool key_of(struct tf_instance *instance, const uint8_t *name,
                   struct tf_ticket_key *out)
{
    bool is_found = false;

    tf_lock_take(&instance->lock);
    for (size_t i = 0; i < 2 && !is_found; i++) {
        if (memcmp(instance->tickets[i].name, name, TF_TICKET_NAME_SIZE) == 0) {
            *out = instance->tickets[i];
            is_found = true;
        }
    }
    tf_lock_give(&instance->lock);
    return is_found;
}

struct binding {
    uint8_t ordinal[8];
    char name[TF_DNS_MAX + 1]; /* zero-padded, so the encoding has one reading */
};

static void bind(const struct tf_conn *conn, struct binding *out)
{
    memset(out, 0, sizeof(*out));
    tf_store_u64(out->ordinal, conn->grant_ordinal);
    memcpy(out->name, conn->sni, strlen(conn->sni));
}

static int seal(const struct tf_conn *conn, uint8_t *name, uint8_t *iv, uint8_t *mac,
                uint8_t *ticket, word32 size)
{
    struct tf_ticket_key key;
    struct binding binding;
    Aes aes;

    current_key(tf_instance_self(), &key);
    bind(conn, &binding);
    memcpy(name, key.name, TF_TICKET_NAME_SIZE);
    memset(iv, 0, WOLFSSL_TICKET_IV_SZ);
    memset(mac, 0, WOLFSSL_TICKET_MAC_SZ);
    tf_random(iv, NONCE_SIZE);
    int rc = wc_AesInit(&aes, NULL, INVALID_DEVID);
    if (rc == 0) {
        rc = wc_AesGcmSetKey(&aes, key.key, sizeof(key.key));
    }
    if (rc == 0) {
        rc = wc_AesGcmEncrypt(&aes, ticket, ticket, size, iv, NONCE_SIZE, mac, TAG_SIZE,
                              (const byte *)&binding, sizeof(binding));
    }
    wc_AesFree(&aes);
    tf_wipe(&aes, sizeof(aes));
    tf_wipe(&key, sizeof(key));
    return rc == 0 ? WOLFSSL_TICKET_RET_OK : WOLFSSL_TICKET_RET_FATAL;
}

static int unseal(const struct tf_conn *conn, const uint8_t *name, const uint8_t *iv,
                  const uint8_t *mac, uint8_t *ticket, word32 size)
{
    struct tf_ticket_key key;
    struct binding binding;
    Aes aes;

    if (!key_of(tf_instance_self(), name, &key)) {
        return WOLFSSL_TICKET_RET_REJECT;
    }
    bind(conn, &binding);
    int rc = wc_AesInit(&aes, NULL, INVALID_DEVID);
    if (rc == 0) {
        rc = wc_AesGcmSetKey(&aes, key.key, sizeof(key.key));
    }
    if (rc == 0) {
        rc = wc_AesGcmDecrypt(&aes, ticket, ticket, size, iv, NONCE_SIZE, mac, TAG_SIZE,
                              (const byte *)&binding, sizeof(binding));
    }
    wc_AesFree(&aes);
    tf_wipe(&aes, sizeof(aes));
    tf_wipe(&key, sizeof(key));
    return rc == 0 ? WOLFSSL_TICKET_RET_OK : WOLFSSL_TICKET_RET_REJECT;
}

/* wolfSSL runs the name callback (enclave/tls.c) before it looks at tickets, so the name
 * and the grant of the connection are known here. */
/* NOLINTNEXTLINE(readability-function-size): the signature is wolfSSL's */
static int on_ticket(WOLFSSL *ssl, unsigned char *name, unsigned char *iv,
                     unsigned char *mac, int is_encrypting, unsigned char *ticket,
                     int size, int *out_size, void *user)
{
    const struct tf_conn *conn = wolfSSL_GetIOReadCtx(ssl);

    (void)user;
    if (conn == NULL || size < 0 || conn->is_management || conn->sni[0] == '\0') {
        return WOLFSSL_TICKET_RET_REJECT;
    }
    *out_size = size;
    return is_encrypting != 0 ? seal(conn, name, iv, mac, ticket, (word32)size)
                              : unseal(conn, name, iv, mac, ticket, (word32)size);
}

tf_err tf_ticket_use(struct WOLFSSL_CTX *ctx)
{
    if (wolfSSL_CTX_set_TicketEncCb(ctx, on_ticket) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_set_TicketHint(ctx, LIFETIME) != WOLFSSL_SUCCESS) {
        return TF_EINTERNAL;
    }
    return TF_OK;
}
