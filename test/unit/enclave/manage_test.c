/* SPDX-License-Identifier: Apache-2.0 */
/* The management endpoint: evidence for this connection and no other. */
#include "abi/sgx.h"
#include "test/native/native.h"
#include "test/native/rig.h"
#include "test/test.h"

static const char management[] = "hello.manage.tfaas.internal";

/* 32 zero bytes */
static const char attest[] =
    "{\"nonce\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}";

static struct rig *loaded(void)
{
    const struct rig_lambda hello = {
        .name = "hello", .version = 7, .code = "echo", .domains = {"hello.example"}};
    struct rig *rig = rig_open();

    if (rig_load(rig, 0, &hello) != TF_OK) {
        abort();
    }
    rig_log_clear(rig); /* of the REPORT about the certificate */
    return rig;
}

/* Parses an answer to attest: the claims as text, on the heap. */
static char *claims_of(const char *answer)
{
    json_t *document = NULL;

    if (tf_json_parse(answer, strlen(answer), &document) != TF_OK) {
        return NULL;
    }
    const char *coded = json_string_value(json_object_get(document, "claims"));
    char *claims = calloc(1, strlen(coded) + 1);
    size_t size = 0;
    if (!json_is_object(json_object_get(document, "evidence")) ||
        tf_base64_parse(coded, strlen(coded), (uint8_t *)claims, strlen(coded), &size) !=
            TF_OK) {
        free(claims);
        claims = NULL;
    }
    json_decref(document);
    return claims;
}

static void expect_base64(const char *claims, const char *field, const void *data)
{
    char coded[64];
    char expected[128];

    tf_base64_write(data, 32, coded);
    (void)snprintf(expected, sizeof(expected), "\"%s\":\"%s\"", field, coded);
    CHECK(strstr(claims, expected) != NULL);
}

static void expect_hex(const char *claims, const char *field, const void *data)
{
    char coded[65];
    char expected[128];

    tf_hex_write(data, 32, coded);
    (void)snprintf(expected, sizeof(expected), "\"%s\":\"%s\"", field, coded);
    CHECK(strstr(claims, expected) != NULL);
}

static void claims_bind_connection_key_and_domain(void)
{
    struct rig *rig = loaded();
    uint8_t exporter[32];
    uint8_t digest[TF_SHA256_SIZE];
    uint8_t spki[256];
    static const uint8_t nonce[32];
    char *answer = NULL;

    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_post(rig, client, "/v1/attest", attest, &answer) == 200);
    CHECK(strstr(answer, "{\"evidence\":{\"type\":\"test\"},\"claims\":\"") == answer);
    char *claims = claims_of(answer);
    CHECK(claims != NULL);
    /* The report is over the claims, for the target that INIT named. */
    const struct sgx_report *report = (const void *)rig_last(rig, TF_MSG_REPORT)->payload;
    static const uint8_t zeros[32];
    tf_sha256(claims, strlen(claims), digest);
    CHECK(rig_last(rig, TF_MSG_REPORT)->size == sizeof(*report));
    CHECK(memcmp(report->report_data, digest, sizeof(digest)) == 0);
    CHECK(memcmp(report->report_data + 32, zeros, sizeof(zeros)) == 0);
    CHECK(report->mac[0] == 0x51);
    expect_base64(claims, "nonce", nonce);
    CHECK(SSL_export_keying_material(client->ssl, exporter, sizeof(exporter),
                                     "EXPORTER-tfaas-attest", 21, (const uint8_t *)"", 0,
                                     1) == 1);
    expect_base64(claims, "exporter", exporter);
    X509 *cert = SSL_get1_peer_certificate(client->ssl);
    uint8_t *at = spki;
    int size = i2d_PUBKEY(X509_get0_pubkey(cert), &at);
    tf_sha256(spki, (size_t)size, digest);
    expect_hex(claims, "spki", digest);
    CHECK(X509_verify(cert, X509_get0_pubkey(cert)) == 1);
    char name[64];
    (void)X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name,
                                    sizeof(name));
    CHECK(strcmp(name, "tfaas management") == 0);
    X509_free(cert);
    expect_hex(claims, "domain", tf_native_cpu.config_id);
    CHECK(strstr(claims, "{\"name\":\"hello\",\"version\":7,\"digest\":\"") != NULL);
    CHECK(strstr(claims, "\"domains\":[\"hello.example\"],\"granted\":false,"
                         "\"serial\":0,\"leased_until\":0}") != NULL);
    CHECK(strstr(claims, "\"lvi\":\"off\",\"time\":0,\"revocations\":[],") != NULL);
    free(claims);
    free(answer);
    rig_close(rig);
}

static void a_grant_shows_in_the_claims(void)
{
    struct rig *rig = rig_open();
    char *answer = NULL;

    rig_serve_hello(rig);
    rig->now += 5;
    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_post(rig, client, "/v1/attest", attest, &answer) == 200);
    char *claims = claims_of(answer);
    CHECK(strstr(claims, "\"granted\":true,\"serial\":1,\"leased_until\":0}") != NULL);
    CHECK(strstr(claims, "\"time\":1790000005,") != NULL);
    free(claims);
    free(answer);
    rig_close(rig);
}

static void reports_are_for_the_target_named_last(void)
{
    struct rig *rig = loaded();
    uint8_t target[sizeof(struct sgx_target_info)];

    memset(target, 0x77, sizeof(target));
    struct rig_client *client = rig_connect(rig, 0, management);
    (void)rig_put(rig, 0, TF_MSG_TARGET, 0, target, sizeof(target));
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_IDLE);
    CHECK(rig_post(rig, client, "/v1/attest", attest, NULL) == 200);
    const struct sgx_report *report = (const void *)rig_last(rig, TF_MSG_REPORT)->payload;
    CHECK(report->mac[0] == 0x77);
    rig_close(rig);
}

static void threads_show_one_key(void)
{
    struct rig *rig = loaded();
    X509 *certs[2];

    rig_thread_make(rig, 1);
    (void)rig_init(rig, 1);
    for (int i = 0; i < 2; i++) {
        certs[i] = SSL_get1_peer_certificate(rig_connect(rig, i, management)->ssl);
    }
    CHECK(X509_cmp(certs[0], certs[1]) == 0);
    X509_free(certs[0]);
    X509_free(certs[1]);
    rig_close(rig);
}

static void bad_requests_are_refused(void)
{
    struct rig *rig = loaded();
    struct rig_client *client = rig_connect(rig, 0, management);
    char *answer = NULL;

    CHECK(rig_post(rig, client, "/v1/attest", "{\"nonce\":\"AAAA\"}", &answer) == 400);
    CHECK(rig_is_error(answer, TF_EFORMAT));
    free(answer);
    CHECK(rig_post(rig, client, "/v1/attest", "", &answer) == 400);
    free(answer);
    CHECK(rig_post(rig, client, "/v1/other", "{}", &answer) == 404);
    CHECK(rig_is_error(answer, TF_ENOTFOUND));
    free(answer);
    CHECK(rig_post(rig, client, "/v1/grant", "{}", &answer) == 400);
    CHECK(rig_is_error(answer, TF_EGRANT_FORMAT));
    free(answer);
    CHECK(rig_last(rig, TF_MSG_REPORT) == NULL);
    char *text =
        rig_ask(rig, client,
                "GET /v1/attest HTTP/1.1\r\nHost: hello.manage.tfaas.internal\r\n\r\n");
    CHECK(strncmp(text, "HTTP/1.1 404 ", 13) == 0);
    free(text);
    text = rig_ask(rig, client, "GET / HTTP/1.1\r\nHost: hello.example\r\n\r\n");
    CHECK(strncmp(text, "HTTP/1.1 421 ", 13) == 0);
    free(text);
    rig_close(rig);
}

static void evidence_that_is_no_object_is_not_passed_on(void)
{
    static const char request[] =
        "POST /v1/attest HTTP/1.1\r\nHost: hello.manage.tfaas.internal\r\n"
        "Content-Length: 56\r\n\r\n";
    static const char *const bad[] = {"", "[]", "{\"a\":1}x", "\"}", "{\"a\":1,\"a\":1}"};
    struct rig *rig = loaded();
    struct rig_client *client = rig_connect(rig, 0, management);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[1024] = "";
        rig_log_clear(rig);
        rig_send(rig, client, request, sizeof(request) - 1);
        rig_send(rig, client, attest, sizeof(attest) - 1);
        CHECK(rig_last(rig, TF_MSG_REPORT) != NULL);
        (void)rig_put(rig, 0, TF_MSG_QUOTE, client->id, bad[i], strlen(bad[i]));
        CHECK(rig_enter(rig, 0).err == TF_OK);
        (void)rig_recv(rig, client, text, sizeof(text) - 1);
        CHECK(strncmp(text, "HTTP/1.1 503 ", 13) == 0);
        CHECK(rig_is_error(text, bad[i][0] == '\0' ? TF_EQUOTE : TF_EHOST));
    }
    (void)rig_put(rig, 0, TF_MSG_QUOTE, client->id, "{}", 2); /* nobody asked */
    CHECK(rig_enter(rig, 0).err == TF_EHOST);
    rig_close(rig);
}

static void *no_memory(size_t size)
{
    (void)size;
    return NULL;
}

/* Clients can use up the heap; that must not look like a host that lies. */
static void evidence_without_memory_is_refused(void)
{
    static const char request[] =
        "POST /v1/attest HTTP/1.1\r\nHost: hello.manage.tfaas.internal\r\n"
        "Content-Length: 56\r\n\r\n";
    static const char evidence[] = "{\"type\":\"test\"}";
    struct rig *rig = loaded();
    struct rig_client *client = rig_connect(rig, 0, management);
    char text[1024] = "";

    rig_send(rig, client, request, sizeof(request) - 1);
    rig_send(rig, client, attest, sizeof(attest) - 1);
    (void)rig_put(rig, 0, TF_MSG_QUOTE, client->id, evidence, sizeof(evidence) - 1);
    json_set_alloc_funcs(no_memory, free);
    CHECK(rig_enter(rig, 0).err == TF_OK);
    json_set_alloc_funcs(malloc, free);
    (void)rig_recv(rig, client, text, sizeof(text) - 1);
    CHECK(strncmp(text, "HTTP/1.1 503 ", 13) == 0);
    char *answer = NULL;
    rig_log_clear(rig);
    CHECK(rig_post(rig, client, "/v1/attest", attest, &answer) == 200);
    free(answer);
    rig_close(rig);
}

static void a_connection_may_go_while_evidence_is_made(void)
{
    static const char request[] =
        "POST /v1/attest HTTP/1.1\r\nHost: hello.manage.tfaas.internal\r\n"
        "Content-Length: 56\r\n\r\n";
    struct rig *rig = loaded();
    struct rig_client *client = rig_connect(rig, 0, management);
    uint64_t id = client->id;

    rig_send(rig, client, request, sizeof(request) - 1);
    rig_send(rig, client, attest, sizeof(attest) - 1);
    rig_hang_up(rig, client);
    (void)rig_put(rig, 0, TF_MSG_QUOTE, id, "{}", 2);
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_IDLE);
    rig_close(rig);
}

int main(void)
{
    RUN(claims_bind_connection_key_and_domain);
    RUN(a_grant_shows_in_the_claims);
    RUN(reports_are_for_the_target_named_last);
    RUN(threads_show_one_key);
    RUN(bad_requests_are_refused);
    RUN(evidence_that_is_no_object_is_not_passed_on);
    RUN(evidence_without_memory_is_refused);
    RUN(a_connection_may_go_while_evidence_is_made);
    return test_end();
}
