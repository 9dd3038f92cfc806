/* SPDX-License-Identifier: Apache-2.0 */
/* TLS clients on memory, and the moving of bytes between them and the enclave. */
#include <stdio.h>

#include <openssl/err.h>

#include "test/native/rig.h"

static SSL_CTX *client_context(void)
{
    static SSL_CTX *ctx;

    if (ctx == NULL) {
        ctx = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    }
    return ctx;
}

/* @return whether anything moved. */
static bool push(struct rig *rig, struct rig_client *client)
{
    uint8_t bytes[16000];
    bool has_moved = false;
    int size;

    while (!client->is_closed && BIO_ctrl_pending(client->from_client) > 0) {
        struct tf_ring *ring = &rig->threads[client->thread].channel->in;
        if (TF_RING_SIZE - (ring->head - ring->tail) < 20000) {
            return has_moved;
        }
        size = BIO_read(client->from_client, bytes, sizeof(bytes));
        if (size <= 0) {
            break;
        }
        (void)rig_put(rig, client->thread, TF_MSG_DATA, client->id, bytes, (size_t)size);
        has_moved = true;
    }
    if (!client->is_holding && client->unacked != 0 && !client->is_closed) {
        (void)rig_put(rig, client->thread, TF_MSG_SENT, client->id, &client->unacked, 8);
        client->unacked = 0;
        has_moved = true;
    }
    return has_moved;
}

static void shake_hands(struct rig_client *client)
{
    if (SSL_is_init_finished(client->ssl) || client->alert != 0) {
        return;
    }
    ERR_clear_error();
    (void)SSL_do_handshake(client->ssl);
    int reason = ERR_GET_REASON(ERR_peek_error());
    if (reason > SSL_AD_REASON_OFFSET) {
        client->alert = reason - SSL_AD_REASON_OFFSET;
    }
}

void rig_settle(struct rig *rig)
{
    for (int round = 0; round < 10000; round++) {
        bool has_moved = false;
        for (int i = 0; i < RIG_CLIENTS; i++) {
            struct rig_client *client = rig->clients[i];
            if (client != NULL) {
                shake_hands(client);
                has_moved |= push(rig, client);
            }
        }
        for (int i = 0; i < RIG_THREADS; i++) {
            struct rig_thread *thread = &rig->threads[i];
            if (thread->page == NULL || thread->last.exit == TF_EXIT_DEAD) {
                continue;
            }
            if (has_moved || (thread->last.exit == TF_EXIT_MORE && !thread->is_stuck)) {
                (void)rig_enter(rig, i);
                has_moved = true;
            }
        }
        if (!has_moved) {
            return;
        }
    }
    (void)fprintf(stderr, "rig_settle: it never settles\n");
    abort();
}

struct rig_client *rig_dial(struct rig *rig, int index, const struct rig_dial *dial)
{
    static uint64_t generation = 1;
    int slot = 0;

    while (rig->clients[slot] != NULL) {
        slot++;
        if (slot == RIG_CLIENTS) {
            abort();
        }
    }
    struct rig_client *client = calloc(1, sizeof(*client));
    rig->clients[slot] = client;
    client->thread = index;
    client->id = (uint64_t)slot | ++generation << 32;
    client->ssl = SSL_new(client_context());
    client->to_client = BIO_new(BIO_s_mem());
    client->from_client = BIO_new(BIO_s_mem());
    SSL_set_bio(client->ssl, client->to_client, client->from_client);
    SSL_set_connect_state(client->ssl);
    if (dial->sni != NULL) {
        (void)SSL_set_tlsext_host_name(client->ssl, dial->sni);
    }
    if (dial->alpn != NULL) {
        uint8_t list[64];
        list[0] = (uint8_t)strlen(dial->alpn);
        memcpy(list + 1, dial->alpn, list[0]);
        (void)SSL_set_alpn_protos(client->ssl, list, list[0] + 1u);
    }
    if (dial->session != NULL) {
        (void)SSL_set_session(client->ssl, dial->session);
    }
    if (dial->groups != NULL) {
        (void)SSL_set1_groups_list(client->ssl, dial->groups);
    }
    if (dial->suites != NULL) {
        (void)SSL_set_ciphersuites(client->ssl, dial->suites);
    }
    (void)rig_put(rig, index, TF_MSG_OPEN, client->id, NULL, 0);
    rig_settle(rig);
    return client;
}

struct rig_client *rig_connect(struct rig *rig, int index, const char *sni)
{
    return rig_dial(rig, index, &(struct rig_dial){.sni = sni, .alpn = "http/1.1"});
}

struct rig_client *rig_connect_untried(struct rig *rig, int index,
                                       const struct rig_lambda *lambda)
{
    if (rig_introduce(rig, index, lambda) != TF_OK) {
        abort();
    }
    struct rig_client *client = rig_connect(rig, index, lambda->domains[0]);
    const struct rig_frame *want = rig_last(rig, TF_MSG_WANT);
    if (want == NULL || rig_bring(rig, index, want->id, lambda) != TF_OK) {
        abort();
    }
    return client;
}

bool rig_is_up(const struct rig_client *client)
{
    return SSL_is_init_finished(client->ssl) && !client->is_closed;
}

void rig_send(struct rig *rig, struct rig_client *client, const void *data, size_t size)
{
    (void)SSL_write(client->ssl, data, (int)size);
    rig_settle(rig);
}

size_t rig_recv(struct rig *rig, struct rig_client *client, char *out, size_t cap)
{
    size_t size = 0;

    rig_settle(rig);
    ERR_clear_error();
    while (size < cap) {
        int got = SSL_read(client->ssl, out + size, (int)(cap - size));
        if (got <= 0) {
            break;
        }
        size += (size_t)got;
    }
    return size;
}

void rig_hang_up(struct rig *rig, struct rig_client *client)
{
    if (!client->is_closed) {
        (void)rig_put(rig, client->thread, TF_MSG_CLOSE, client->id, NULL, 0);
        (void)rig_enter(rig, client->thread);
    }
    for (int i = 0; i < RIG_CLIENTS; i++) {
        if (rig->clients[i] == client) {
            rig->clients[i] = NULL;
        }
    }
    /* Else OpenSSL takes the session for broken and never resumes it. */
    SSL_set_shutdown(client->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(client->ssl);
    free(client);
}

char *rig_ask(struct rig *rig, struct rig_client *client, const char *request)
{
    char *out = calloc(1, RIG_SINK + 1);

    rig_send(rig, client, request, strlen(request));
    (void)rig_recv(rig, client, out, RIG_SINK);
    return out;
}

int rig_post(struct rig *rig, struct rig_client *client, const char *path,
             const char *body, char **out)
{
    char head[512];
    char *text = calloc(1, RIG_SINK + 1);

    (void)snprintf(
        head, sizeof(head), "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n\r\n",
        path, SSL_get_servername(client->ssl, TLSEXT_NAMETYPE_host_name), strlen(body));
    rig_send(rig, client, head, strlen(head));
    for (size_t at = 0; at < strlen(body); at += 16000) {
        size_t part = strlen(body) - at;
        rig_send(rig, client, body + at, part < 16000 ? part : 16000);
    }
    const struct rig_frame *report = rig_last(rig, TF_MSG_REPORT);
    if (report != NULL && report->id == client->id) {
        static const char evidence[] = "{\"type\":\"test\"}";
        (void)rig_put(rig, client->thread, TF_MSG_QUOTE, client->id, evidence,
                      sizeof(evidence) - 1);
        (void)rig_enter(rig, client->thread);
    }
    (void)rig_recv(rig, client, text, RIG_SINK);
    int status = strncmp(text, "HTTP/1.1 ", 9) == 0 ? atoi(text + 9) : 0;
    if (out != NULL) {
        char *split = strstr(text, "\r\n\r\n");
        *out = strdup(split == NULL ? "" : split + 4);
    }
    free(text);
    return status;
}
