/* SPDX-License-Identifier: Apache-2.0 */
#include "client/channel.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "abi/limits.h"
#include "client/keys.h"
#include "client/report.h"
#include "lib/bytes.h"
#include "lib/json.h"
#include "lib/names.h"
#include "verify/ratls.h"

enum { ANSWER_MAX = 320 << 10, TIMEOUT_SECONDS = 30, REFUSAL_MAX = 47 };

struct tf_channel_client {
    SSL_CTX *ctx;
    BIO *bio;
    SSL *ssl;              /* the BIO's */
    long long deadline_ms; /* of what is under way; of the steady clock */
    uint8_t exporter[TF_EXPORTER_SIZE];
    uint8_t spki[TF_SHA256_SIZE];
    char refusal[REFUSAL_MAX + 1];
    tf_err certificate; /* of tf_ratls_parse */
};

/* Whether the certificate carries evidence about its own key. */
static tf_err check_certificate(const X509 *cert)
{
    struct tf_ratls ratls;
    uint8_t *der = NULL;
    int size = i2d_X509(cert, &der);
    tf_err err = size <= 0 ? TF_ECHAIN_FORMAT : tf_ratls_parse(der, (size_t)size, &ratls);

    if (err == TF_OK) {
        tf_ratls_wipe(&ratls);
    }
    OPENSSL_free(der);
    return err;
}

static bool bind_key(struct tf_channel_client *c, const X509 *cert)
{
    uint8_t *spki = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);

    if (size <= 0) {
        return false;
    }
    tf_sha256(spki, (size_t)size, c->spki);
    OPENSSL_free(spki);
    return true;
}

static bool bind_values(struct tf_channel_client *c)
{
    static const char label[] = "EXPORTER-tfaas-attest";
    X509 *peer = SSL_get1_peer_certificate(c->ssl);
    bool is_bound = peer != NULL && bind_key(c, peer);

    if (is_bound) {
        c->certificate = check_certificate(peer);
    }
    X509_free(peer);
    return is_bound &&
           SSL_export_keying_material(c->ssl, c->exporter, sizeof(c->exporter), label,
                                      sizeof(label) - 1, NULL, 0, 1) == 1;
}

static long long now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Before what takes its time, and may have to try again: SSL_get_error says so only if no
 * older error is queued. */
static void begin(struct tf_channel_client *c)
{
    ERR_clear_error();
    c->deadline_ms = now_ms() + TIMEOUT_SECONDS * 1000LL;
}

/* After an operation that did not get on: waits until it can. False if it never will, or
 * not in time. */
static bool wait_to_retry(const struct tf_channel_client *c)
{
    struct pollfd socket = {.events = BIO_should_read(c->bio) ? POLLIN : POLLOUT};
    long long left = c->deadline_ms - now_ms();

    return BIO_should_retry(c->bio) && left > 0 && BIO_get_fd(c->bio, &socket.fd) >= 0 &&
           poll(&socket, 1, (int)left) > 0;
}

static bool connect_socket(const struct tf_channel_client *c)
{
    int fd = -1;

    return BIO_do_connect_retry(BIO_next(c->bio), TIMEOUT_SECONDS, -1) == 1 &&
           BIO_get_fd(c->bio, &fd) >= 0 && BIO_socket_nbio(fd, 1) == 1;
}

static bool handshake(struct tf_channel_client *c, const char *connect, const char *name)
{
    begin(c);
    c->ctx = SSL_CTX_new(TLS_client_method());
    if (c->ctx == NULL || SSL_CTX_set_min_proto_version(c->ctx, TLS1_3_VERSION) != 1) {
        return false;
    }
    (void)SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_OFF);
    c->bio = BIO_new_ssl_connect(c->ctx);
    if (c->bio == NULL || BIO_get_ssl(c->bio, &c->ssl) != 1) {
        return false;
    }
    (void)BIO_set_conn_hostname(c->bio, connect);
    if (SSL_set_tlsext_host_name(c->ssl, name) != 1 || !connect_socket(c)) {
        return false;
    }
    while (BIO_do_handshake(c->bio) != 1) {
        if (!wait_to_retry(c)) {
            return false;
        }
    }
    return bind_values(c);
}

static struct tf_channel_client *open_channel(const char *connect, const char *name)
{
    struct tf_channel_client *c = calloc(1, sizeof(*c));

    if (c != NULL && !handshake(c, connect, name)) {
        tf_channel_close(c);
        return NULL;
    }
    return c;
}

struct tf_channel_client *tf_channel_try(const char *connect, const char *lambda)
{
    char name[TF_DNS_MAX + 1];

    (void)snprintf(name, sizeof(name), "%s.manage.tfaas.internal", lambda);
    return open_channel(connect, name);
}

bool tf_channel_serves(const char *connect, const char *name)
{
    struct tf_channel_client *c = open_channel(connect, name);

    tf_channel_close(c);
    return c != NULL;
}

struct tf_channel_client *tf_channel_open(const char *connect, const char *lambda)
{
    struct tf_channel_client *c = tf_channel_try(connect, lambda);

    if (c == NULL) {
        const char *why = ERR_reason_error_string(ERR_peek_last_error());
        (void)tf_report_next(
            TF_EIO,
            "Look whether the lambda is deployed there (`tfaas ls`), or name"
            " the address: --connect, TFAAS_CONNECT.",
            "no TLS with %s.manage.tfaas.internal at %s: %s", lambda, connect,
            why == NULL ? "connection failed" : why);
    }
    return c;
}

void tf_channel_close(struct tf_channel_client *channel)
{
    if (channel != NULL) {
        BIO_free_all(channel->bio);
        SSL_CTX_free(channel->ctx);
        free(channel);
    }
}

const uint8_t *tf_channel_exporter(const struct tf_channel_client *channel)
{
    return channel->exporter;
}

static bool send_all(const struct tf_channel_client *c, const char *data, size_t size)
{
    while (size > 0) {
        int n = BIO_write(c->bio, data, (int)size);
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        } else if (!wait_to_retry(c)) {
            return false;
        }
    }
    return BIO_flush(c->bio) == 1;
}

/* The value of Content-Length in a NUL-terminated head, or -1. */
static long content_length(const char *head)
{
    static const char field[] = "\r\ncontent-length:";

    for (const char *at = head; *at != '\0'; at++) {
        if (strncasecmp(at, field, sizeof(field) - 1) == 0) {
            return strtol(at + sizeof(field) - 1, NULL, 10);
        }
    }
    return -1;
}

/* A response on its way in; `buffer` has ANSWER_MAX bytes and one for a NUL. */
struct response {
    char *buffer;
    size_t size;
    char *body; /* NULL until the head is whole */
    size_t body_size;
};

/* Finds the end of the head, once it is there. False if the head is no good. */
static bool split(struct response *r)
{
    char *end = r->body != NULL ? NULL : strstr(r->buffer, "\r\n\r\n");

    if (end == NULL) {
        return true;
    }
    *end = '\0';
    long length = content_length(r->buffer);
    r->body = end + 4;
    r->body_size = (size_t)length;
    return length >= 0 && length <= ANSWER_MAX;
}

static bool is_whole(const struct response *r)
{
    return r->body != NULL && r->size >= (size_t)(r->body - r->buffer) + r->body_size;
}

/* Takes what is there, or waits until something is. */
static bool receive_more(const struct tf_channel_client *c, struct response *r)
{
    int room = (int)(ANSWER_MAX - r->size);
    int n = room > 0 ? BIO_read(c->bio, r->buffer + r->size, room) : 0;

    if (n <= 0) {
        return room > 0 && wait_to_retry(c);
    }
    r->size += (size_t)n;
    r->buffer[r->size] = '\0';
    return split(r);
}

static bool receive(const struct tf_channel_client *c, struct response *r)
{
    while (!is_whole(r)) {
        if (!receive_more(c, r)) {
            return false;
        }
    }
    return true;
}

static bool is_ok(const char *head)
{
    static const char ok[] = "HTTP/1.1 200 ";

    return strncmp(head, ok, sizeof(ok) - 1) == 0;
}

/* Keeps the code of a refusal if it can be one. */
static void keep_refusal(struct tf_channel_client *c, const char *code)
{
    size_t size = strlen(code);

    if (size <= REFUSAL_MAX &&
        strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789-") == size) {
        memcpy(c->refusal, code, size + 1);
    }
}

const char *tf_channel_refusal(const struct tf_channel_client *channel)
{
    return channel->refusal;
}

static tf_err exchange(struct tf_channel_client *c, const char *path, const char *body,
                       size_t size, char *buffer, json_t **answer)
{
    char head[512];
    struct response r = {.buffer = buffer};
    json_t *parsed = NULL;
    int n = snprintf(head, sizeof(head),
                     "POST %s HTTP/1.1\r\nhost: %s\r\ncontent-type: application/json\r\n"
                     "content-length: %zu\r\n\r\n",
                     path, SSL_get_servername(c->ssl, TLSEXT_NAMETYPE_host_name), size);

    begin(c);
    if (!send_all(c, head, (size_t)n) || !send_all(c, body, size) || !receive(c, &r) ||
        tf_json_parse(r.body, r.body_size, &parsed) != TF_OK) {
        (void)tf_report(TF_EIO, "the enclave's answer to %s did not arrive whole", path);
        return TF_EIO;
    }
    if (!is_ok(buffer)) {
        const char *code = json_string_value(json_object_get(parsed, "error"));
        keep_refusal(c, code == NULL ? "" : code);
        (void)tf_report_refusal(code == NULL ? "" : code);
        json_decref(parsed);
        return TF_EUSAGE;
    }
    *answer = parsed;
    return TF_OK;
}

tf_err tf_channel_post(struct tf_channel_client *channel, const char *path,
                       const char *body, size_t size, json_t **answer)
{
    char *buffer = malloc(ANSWER_MAX + 1);

    if (buffer == NULL) {
        return TF_ENOMEM;
    }
    channel->refusal[0] = '\0';
    tf_err err = exchange(channel, path, body, size, buffer, answer);
    free(buffer);
    return err;
}

tf_err tf_channel_post_signed(struct tf_channel_client *channel, const char *path,
                              EVP_PKEY *signer, const char *type, const char *statement,
                              size_t size)
{
    char *envelope = NULL;
    size_t envelope_size = 0;
    json_t *answer = NULL;
    tf_err err =
        tf_envelope_make(signer, type, statement, size, &envelope, &envelope_size);

    if (err != TF_OK) {
        return err;
    }
    err = tf_channel_post(channel, path, envelope, envelope_size, &answer);
    tf_wipe(envelope, envelope_size);
    free(envelope);
    json_decref(answer);
    return err;
}

/* Puts the evidence, as text, and the claims, decoded, into the input. */
static bool take_answer(const json_t *answer, char **evidence, uint8_t **claims,
                        struct tf_verify_input *in)
{
    const char *encoded = json_string_value(json_object_get(answer, "claims"));

    *evidence = json_dumps(json_object_get(answer, "evidence"), JSON_COMPACT);
    *claims = encoded == NULL ? NULL : malloc(strlen(encoded) + 1);
    if (*evidence == NULL || *claims == NULL ||
        tf_base64_parse(encoded, strlen(encoded), *claims, strlen(encoded),
                        &in->claims_size) != TF_OK) {
        return false;
    }
    in->evidence = *evidence;
    in->evidence_size = strlen(*evidence);
    in->claims = (const char *)*claims;
    return true;
}

/* Judges what the enclave answered. Without collateral the verdict says that it lacks. */
static void judge(const struct tf_verify_input *asked,
                  const struct tf_attest_rules *rules, struct tf_attestation *out)
{
    struct tf_verify_input in = *asked;
    struct tf_evidence evidence;
    const struct tf_collateral_wanted wanted = {
        .evidence = &evidence, .policy = rules->policy, .time = in.time};
    struct tf_collateral_found found = {0};

    if (rules->source != NULL &&
        tf_evidence_parse(in.evidence, in.evidence_size, &evidence) == TF_OK) {
        (void)!tf_collateral_find(rules->source, &wanted, &found);
    }
    in.collateral = found.has_intel ? &found.intel : NULL;
    in.snp_certificates = found.snp_certificates;
    in.snp_crl = found.snp_crl;
    (void)!tf_verify(&in, &out->verdict);
    out->time = in.time;
    out->origin = found.origin;
    out->fetched = found.fetched;
    tf_collateral_found_wipe(&found);
}

tf_err tf_channel_attest(struct tf_channel_client *channel, const char *lambda,
                         const struct tf_attest_rules *rules, struct tf_attestation *out)
{
    struct tf_verify_input in = {.policy = rules->policy,
                                 .lambda = lambda,
                                 .insecure_allow_simulated =
                                     rules->insecure_allow_simulated};
    char body[256];
    char nonce[64];
    json_t *answer = NULL;
    char *evidence = NULL;
    uint8_t *claims = NULL;

    if (!tf_name_is_valid(lambda, strlen(lambda))) {
        return TF_EUSAGE;
    }
    if (RAND_bytes(in.nonce, sizeof(in.nonce)) != 1) {
        return TF_EINTERNAL;
    }
    memcpy(in.exporter, channel->exporter, sizeof(in.exporter));
    memcpy(in.spki, channel->spki, sizeof(in.spki));
    tf_base64_write(in.nonce, sizeof(in.nonce), nonce);
    int size = snprintf(body, sizeof(body), "{\"nonce\":\"%s\",\"lambdas\":[\"%s\"]}",
                        nonce, lambda);
    tf_err err = tf_channel_post(channel, "/v1/attest", body, (size_t)size, &answer);
    if (err == TF_OK && !take_answer(answer, &evidence, &claims, &in)) {
        err = TF_EEVIDENCE_FORMAT;
        (void)tf_report(err, "the enclave's answer has no evidence and claims");
    }
    if (err == TF_OK) {
        in.time = (int64_t)time(NULL); /* not when it was asked: a host may let it wait */
        judge(&in, rules, out);
        out->certificate = channel->certificate;
    }
    free(evidence);
    free(claims);
    json_decref(answer);
    return err;
}
