/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets a handshake, with which certificate, and what a session ticket opens. */
#include <openssl/err.h>

#include "enclave/local.h"
#include "test/native/rig.h"
#include "test/test.h"

enum { UNRECOGNIZED_NAME = 112, NO_APPLICATION_PROTOCOL = 120 };

static const char management[] = "hello.manage.tfaas.internal";
static const char request[] = "GET / HTTP/1.1\r\nHost: hello.example\r\n\r\n";

static bool is_unrecognized(struct rig *rig, const char *sni)
{
    struct rig_client *client = rig_connect(rig, 0, sni);
    bool is_so =
        !rig_is_up(client) && client->is_closed && client->alert == UNRECOGNIZED_NAME;
    rig_hang_up(rig, client);
    return is_so;
}

static void without_a_grant_there_is_no_handshake(void)
{
    struct rig *rig = rig_open();

    CHECK(is_unrecognized(rig, "hello.example"));
    CHECK(is_unrecognized(rig, management));
    rig_serve_hello(rig);
    CHECK(!is_unrecognized(rig, "hello.example"));
    CHECK(!is_unrecognized(rig, management));
    CHECK(!is_unrecognized(rig, "HELLO.Example"));
    CHECK(is_unrecognized(rig, "hallo.example")); /* in the manifest, not in the grant */
    CHECK(is_unrecognized(rig, "other.manage.tfaas.internal"));
    CHECK(is_unrecognized(rig, "manage.tfaas.internal"));
    CHECK(is_unrecognized(rig, "hello.example.manage.tfaas.internal"));
    CHECK(is_unrecognized(rig, NULL));
    const struct tf_msg_event *event = (const void *)rig_last(rig, TF_MSG_EVENT)->payload;
    CHECK(event->event == TF_EVENT_HANDSHAKE);
    rig_close(rig);
}

static void an_expired_grant_serves_nobody(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    rig->now += 3599;
    CHECK(!is_unrecognized(rig, "hello.example"));
    rig->now += 1;
    CHECK(is_unrecognized(rig, "hello.example"));
    char *text = rig_ask(rig, client, request); /* nor on a connection from before */
    CHECK(strncmp(text, "HTTP/1.1 421 ", 13) == 0);
    free(text);
    rig->now -= 3601; /* a clock that runs backwards, to before the grant */
    CHECK(is_unrecognized(rig, "hello.example"));
    rig_close(rig);
}

static void alpn_is_http_1_1_or_absent(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    struct rig_client *client =
        rig_dial(rig, 0, &(struct rig_dial){.sni = "hello.example", .alpn = "h2"});
    CHECK(!rig_is_up(client) && client->alert == NO_APPLICATION_PROTOCOL);
    client = rig_dial(rig, 0, &(struct rig_dial){.sni = "hello.example"});
    CHECK(rig_is_up(client));
    client = rig_connect(rig, 0, "hello.example");
    const unsigned char *chosen = NULL;
    unsigned size = 0;
    SSL_get0_alpn_selected(client->ssl, &chosen, &size);
    CHECK(size == 8 && memcmp(chosen, "http/1.1", 8) == 0);
    rig_close(rig);
}

static void a_hello_retry_request_works(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    struct rig_client *client = rig_dial(
        rig, 0, &(struct rig_dial){.sni = "hello.example", .groups = "X448:P-256"});
    CHECK(rig_is_up(client));
    client = rig_dial(rig, 0,
                      &(struct rig_dial){.sni = "other.example", .groups = "X448:P-256"});
    CHECK(!rig_is_up(client) && client->alert == UNRECOGNIZED_NAME);
    rig_close(rig);
}

/* Grants so, and whether the name then answers with a key of that kind. */
static bool is_served(const struct rig_grant *grant, int kind)
{
    struct rig *rig = rig_open();
    char *answer = NULL;

    rig_serve_hello(rig);
    struct rig_client *client = rig_connect(rig, 0, management);
    int status = rig_grant(rig, client, grant, &answer);
    if (status != 200) {
        (void)fprintf(stderr, "%s\n", answer);
    }
    free(answer);
    client = rig_connect(rig, 0, "hello.example");
    bool is_so = status == 200 && rig_is_up(client);
    if (is_so) {
        X509 *cert = SSL_get1_peer_certificate(client->ssl);
        is_so = EVP_PKEY_id(X509_get0_pubkey(cert)) == kind;
        X509_free(cert);
        char *text = rig_ask(rig, client, request);
        is_so = is_so && strncmp(text, "HTTP/1.1 200 ", 13) == 0;
        free(text);
    }
    rig_close(rig);
    return is_so;
}

static void keys_of_both_kinds_and_forms_serve(void)
{
    const struct rig_grant p256 = {.is_upload = true};
    const struct rig_grant p256_pkcs8 = {.is_upload = true, .is_pkcs8 = true};
    const struct rig_grant ed25519 = {
        .is_upload = true, .is_pkcs8 = true, .kind = "ED25519"};
    const struct rig_grant rsa_ca = {.ca = "RSA"};
    const struct rig_grant ed_ca = {.ca = "ED25519"};

    CHECK(is_served(&p256, EVP_PKEY_EC));
    CHECK(is_served(&p256_pkcs8, EVP_PKEY_EC));
    CHECK(is_served(&ed25519, EVP_PKEY_ED25519));
    CHECK(is_served(&rsa_ca, EVP_PKEY_EC));
    CHECK(is_served(&ed_ca, EVP_PKEY_EC));
}

static bool has_ticket(const struct rig_client *client)
{
    return SSL_SESSION_is_resumable(SSL_get0_session(client->ssl)) == 1;
}

/* A client without TCP_NODELAY keeps its request back until the end of its handshake is
 * acknowledged: with nothing to send, 40 ms later. */
static void a_ticket_answers_the_end_of_a_handshake(void)
{
    struct rig *rig = rig_open();
    char byte;

    rig_serve_hello(rig);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    CHECK(rig_recv(rig, client, &byte, sizeof(byte)) == 0 && has_ticket(client));
    rig_close(rig);
}

/* The session of a connection that has answered one request, so its ticket is there. */
static SSL_SESSION *session_of(struct rig *rig, const char *sni)
{
    struct rig_client *client = rig_connect(rig, 0, sni);
    free(rig_ask(rig, client, request));
    SSL_SESSION *session = SSL_get1_session(client->ssl);
    rig_hang_up(rig, client);
    return session;
}

/* 1: up and resumed; 0: up by a full handshake; -1: not up. */
static int resume(struct rig *rig, int index, const char *sni, SSL_SESSION *session)
{
    struct rig_client *client =
        rig_dial(rig, index,
                 &(struct rig_dial){.sni = sni, .alpn = "http/1.1", .session = session});
    int is_resumed = rig_is_up(client) ? SSL_session_reused(client->ssl) : -1;
    rig_hang_up(rig, client);
    return is_resumed;
}

/* @return whether it was up, answered, and resumed if there was a session; `out` is the
 * next session, or NULL. */
static bool goes_well(struct rig *rig, const struct rig_dial *dial, SSL_SESSION **out)
{
    const bool is_with_ticket = dial->session != NULL;
    struct rig_client *client = rig_dial(rig, 0, dial);
    bool is_up = rig_is_up(client);

    *out = NULL;
    if (is_up) {
        char *text = rig_ask(rig, client, request);
        is_up = strncmp(text, "HTTP/1.1 200 ", 13) == 0;
        free(text);
        *out = SSL_get1_session(client->ssl);
    }
    bool is_resumed = is_up && SSL_session_reused(client->ssl) == 1;
    rig_hang_up(rig, client);
    return is_up && is_resumed == is_with_ticket;
}

/* The transcript is hashed by the suite that is chosen (deps/patches/wolfssl/0004). */
static void each_suite_is_served_again_and_resumed(void)
{
    static const char *const suites[] = {"TLS_AES_128_GCM_SHA256",
                                         "TLS_AES_256_GCM_SHA384",
                                         "TLS_CHACHA20_POLY1305_SHA256"};
    static const char *const groups[] = {NULL, "X448:P-256"};
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    for (size_t i = 0; i < 6; i++) {
        struct rig_dial dial = {
            .sni = "hello.example", .groups = groups[i / 3], .suites = suites[i % 3]};
        SSL_SESSION *next = NULL;
        CHECK(goes_well(rig, &dial, &dial.session));
        CHECK(goes_well(rig, &dial, &next));
        SSL_SESSION_free(next);
        next = NULL;
        dial.suites = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:"
                      "TLS_CHACHA20_POLY1305_SHA256";
        dial.groups = NULL;
        CHECK(goes_well(rig, &dial, &next)); /* in the ticket's suite */
        SSL_SESSION_free(next);
        SSL_SESSION_free(dial.session);
    }
    rig_close(rig);
}

/* OpenSSL leaves a ticket out of its second hello when the suite that the first one led
 * to has another hash (deps/patches/wolfssl/0011). */
static void a_ticket_left_out_of_a_second_hello_is_forgotten(void)
{
    struct rig *rig = rig_open();
    struct rig_dial dial = {.sni = "hello.example", .suites = "TLS_AES_128_GCM_SHA256"};

    rig_serve_hello(rig);
    CHECK(goes_well(rig, &dial, &dial.session));
    dial.suites = "TLS_AES_256_GCM_SHA384";
    dial.groups = "X448:P-256";
    struct rig_client *client = rig_dial(rig, 0, &dial);
    CHECK(rig_is_up(client) && SSL_session_reused(client->ssl) == 0);
    char *text = rig_ask(rig, client, request);
    CHECK(strncmp(text, "HTTP/1.1 200 ", 13) == 0);
    free(text);
    SSL_SESSION_free(dial.session);
    rig_close(rig);
}

static void a_ticket_resumes_on_every_thread(void)
{
    struct rig *rig = rig_open();

    rig_thread_make(rig, 1);
    (void)rig_init(rig, 1);
    rig_serve_hello(rig);
    SSL_SESSION *session = session_of(rig, "hello.example");
    CHECK(SSL_SESSION_has_ticket(session));
    CHECK(SSL_SESSION_get_max_early_data(session) == 0);
    CHECK(resume(rig, 0, "hello.example", session) == 1);
    CHECK(resume(rig, 1, "hello.example", session) == 1);
    SSL_SESSION_free(session);
    rig_close(rig);
}

static void a_ticket_of_one_name_opens_no_other(void)
{
    const struct rig_grant both = {.names = {"hello.example", "hallo.example"}};
    const struct rig_lambda second = {
        .name = "second", .version = 1, .code = "echo", .domains = {"second.example"}};
    const struct rig_grant grant = {.lambda = "second", .names = {"second.example"}};
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    CHECK(rig_load(rig, 0, &second) == TF_OK);
    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_grant(rig, client, &both, NULL) == 200);
    CHECK(rig_grant(rig, client, &grant, NULL) == 200);
    SSL_SESSION *session = session_of(rig, "hello.example");
    CHECK(resume(rig, 0, "hello.example", session) == 1);
    CHECK(resume(rig, 0, "hallo.example", session) == 0); /* the same grant and key */
    CHECK(resume(rig, 0, "second.example", session) == 0);
    CHECK(resume(rig, 0, management, session) == 0);
    CHECK(resume(rig, 0, "other.example", session) == -1);
    SSL_SESSION_free(session);
    rig_close(rig);
}

static void a_ticket_dies_with_its_grant(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    SSL_SESSION *session = session_of(rig, "hello.example");
    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_grant(rig, client, &(struct rig_grant){0}, NULL) == 200);
    CHECK(resume(rig, 0, "hello.example", session) == 0);
    SSL_SESSION_free(session);
    session = session_of(rig, "hello.example");
    rig->now += 3600;
    CHECK(resume(rig, 0, "hello.example", session) == -1);
    SSL_SESSION_free(session);
    rig_close(rig);
}

static void management_gives_no_tickets(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    SSL_SESSION *session = session_of(rig, management);
    CHECK(!SSL_SESSION_has_ticket(session));
    SSL_SESSION_free(session);
    rig_close(rig);
}

/* Were it made when first needed, clients could fill the heap before: see enclave/tls.c.
 */
static void a_thread_starts_with_its_generator(void)
{
    struct rig *rig = rig_open();

    rig_thread_make(rig, 1);
    (void)rig_init(rig, 1);
    for (int i = 0; i < 2; i++) {
        const struct tf_local *local =
            (const void *)(rig->threads[i].page + TF_LOCAL_OFFSET);
        CHECK(local->rng != NULL);
    }
    rig_close(rig);
}

/* Whether a ClientHello of TLS 1.2 for this name ends the connection at once. */
static bool refuses_tls_1_2(struct rig *rig, const char *name)
{
    static uint64_t id = 60;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    BIO *out = BIO_new(BIO_s_mem());
    uint8_t hello[1000];

    id += UINT64_C(1) << 32;
    (void)SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    (void)SSL_set_tlsext_host_name(ssl, name);
    (void)SSL_connect(ssl);
    int size = BIO_read(out, hello, sizeof(hello));
    rig_log_clear(rig);
    (void)rig_put(rig, 0, TF_MSG_OPEN, id, NULL, 0);
    (void)rig_put(rig, 0, TF_MSG_DATA, id, hello, (size_t)size);
    bool is_idle = rig_enter(rig, 0).exit == TF_EXIT_IDLE;
    const struct rig_frame *frame = rig_last(rig, TF_MSG_CLOSE);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return is_idle && frame != NULL && frame->id == id;
}

static void tls_1_2_is_refused(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    CHECK(refuses_tls_1_2(rig, "hello.example"));
    CHECK(refuses_tls_1_2(rig, management));
    rig_close(rig);
}

static bool is_answered(struct rig *rig, struct rig_client *client)
{
    char *text = rig_ask(rig, client, request);
    bool is_so = strncmp(text, "HTTP/1.1 200 ", 13) == 0;
    free(text);
    return is_so;
}

/* The request as a record that has not been sent. @return its size. */
static size_t take_record(struct rig_client *client, uint8_t *out, size_t cap)
{
    CHECK(SSL_write(client->ssl, request, (int)strlen(request)) > 0);
    int size = BIO_read(client->from_client, out, (int)cap);
    CHECK(size > 0);
    return (size_t)size;
}

/* What is not one whole record of data takes another way than what is; both have to agree
 * about what came before. */
static void records_of_all_kinds_follow_each_other(void)
{
    struct rig *rig = rig_open();
    uint8_t record[1024];
    char answer[1024];

    rig_serve_hello(rig);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    for (int round = 0; round < 3; round++) {
        CHECK(is_answered(rig, client));
        CHECK(is_answered(rig, client));
        CHECK(SSL_key_update(client->ssl, round == 0 ? SSL_KEY_UPDATE_NOT_REQUESTED
                                                     : SSL_KEY_UPDATE_REQUESTED) == 1);
        CHECK(is_answered(rig, client));
        CHECK(SSL_set_block_padding(client->ssl, 300) == 1);
        CHECK(is_answered(rig, client));
        size_t size = take_record(client, record, sizeof(record));
        for (size_t at = 0; at < size; at++) {
            CHECK(rig_put(rig, 0, TF_MSG_DATA, client->id, record + at, 1));
        }
        (void)rig_enter(rig, 0);
        CHECK(rig_recv(rig, client, answer, sizeof(answer)) > 0);
        CHECK(memcmp(answer, "HTTP/1.1 200 ", 13) == 0);
        CHECK(SSL_set_block_padding(client->ssl, 0) == 1);
    }
    rig_close(rig);
}

/* @return whether the connection ended with an alert about the record. */
static bool is_refused(struct rig *rig, struct rig_client *client, const uint8_t *record,
                       size_t size)
{
    char answer[1024];

    (void)rig_put(rig, 0, TF_MSG_DATA, client->id, record, size);
    (void)rig_enter(rig, 0);
    return rig_recv(rig, client, answer, sizeof(answer)) == 0 && client->is_closed &&
           ERR_GET_REASON(ERR_peek_error()) == SSL_R_SSLV3_ALERT_BAD_RECORD_MAC;
}

static void a_record_is_neither_changed_nor_played_again(void)
{
    struct rig *rig = rig_open();
    uint8_t record[1024];

    rig_serve_hello(rig);
    for (size_t i = 0; i < 4; i++) {
        struct rig_client *client = rig_connect(rig, 0, "hello.example");
        CHECK(is_answered(rig, client));
        size_t size = take_record(client, record, sizeof(record));
        if (i == 3) {
            char answer[1024];
            CHECK(rig_put(rig, 0, TF_MSG_DATA, client->id, record, size));
            (void)rig_enter(rig, 0);
            CHECK(rig_recv(rig, client, answer, sizeof(answer)) > 0);
        } else {
            const size_t places[] = {5, size / 2, size - 1};
            record[places[i]] ^= 1;
        }
        CHECK(is_refused(rig, client, record, size));
        rig_hang_up(rig, client);
    }
    rig_close(rig);
}

static void nothing_is_taken_before_the_handshake(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    SSL_SESSION *session = session_of(rig, "hello.example");
    CHECK(SSL_SESSION_has_ticket(session));
    CHECK(SSL_SESSION_get_max_early_data(session) == 0); /* 0-RTT */
    SSL_SESSION_free(session);
    rig_close(rig);
}

int main(void)
{
    RUN(without_a_grant_there_is_no_handshake);
    RUN(an_expired_grant_serves_nobody);
    RUN(alpn_is_http_1_1_or_absent);
    RUN(a_hello_retry_request_works);
    RUN(keys_of_both_kinds_and_forms_serve);
    RUN(a_ticket_answers_the_end_of_a_handshake);
    RUN(each_suite_is_served_again_and_resumed);
    RUN(a_ticket_left_out_of_a_second_hello_is_forgotten);
    RUN(a_ticket_resumes_on_every_thread);
    RUN(a_ticket_of_one_name_opens_no_other);
    RUN(a_ticket_dies_with_its_grant);
    RUN(management_gives_no_tickets);
    RUN(a_thread_starts_with_its_generator);
    RUN(tls_1_2_is_refused);
    RUN(records_of_all_kinds_follow_each_other);
    RUN(a_record_is_neither_changed_nor_played_again);
    RUN(nothing_is_taken_before_the_handshake);
    return test_end();
}
