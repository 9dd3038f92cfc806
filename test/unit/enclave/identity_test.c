/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence in the management certificate: a quote gets in, nothing else does. */
#include <stdio.h>

#include <openssl/x509.h>

#include "abi/sgx.h"
#include "test/native/native.h"
#include "test/native/rig.h"
#include "test/test.h"

enum { QUOTE_SIZE = 4700, EXTENSION_CAP = 16 << 10 };

static const char management[] = "hello.manage.tfaas.internal";

static struct rig *loaded(void)
{
    const struct rig_lambda hello = {
        .name = "hello", .version = 7, .code = "echo", .domains = {"hello.example"}};
    struct rig *rig = rig_open();

    if (rig_load(rig, 0, &hello) != TF_OK) {
        abort();
    }
    return rig;
}

static X509 *certificate(struct rig *rig, int thread)
{
    struct rig_client *client = rig_connect(rig, thread, management);
    X509 *cert = SSL_get1_peer_certificate(client->ssl);

    rig_hang_up(rig, client);
    return cert;
}

/* The evidence in a certificate. @return its size; 0: there is none. */
static size_t evidence_of(X509 *cert, uint8_t *out)
{
    ASN1_OBJECT *oid = OBJ_txt2obj("2.23.133.5.4.9", 1);
    int at = X509_get_ext_by_OBJ(cert, oid, -1);
    size_t size = 0;

    ASN1_OBJECT_free(oid);
    if (at >= 0) {
        X509_EXTENSION *extension = X509_get_ext(cert, at);
        const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
        size = (size_t)ASN1_STRING_length(value);
        CHECK(size <= EXTENSION_CAP && X509_EXTENSION_get_critical(extension) == 0);
        memcpy(out, ASN1_STRING_get0_data(value), size);
    }
    return size;
}

static bool has_evidence(struct rig *rig, int thread)
{
    static uint8_t evidence[EXTENSION_CAP];
    X509 *cert = certificate(rig, thread);
    size_t size = evidence_of(cert, evidence);

    X509_free(cert);
    return size != 0;
}

/* CBOR as RFC 8949 says, written by hand: {"pubkey-hash": bytes of [1, hash]}. */
static size_t expected_claims(X509 *cert, uint8_t *out)
{
    uint8_t spki[256];
    uint8_t *at = spki;
    int size = i2d_PUBKEY(X509_get0_pubkey(cert), &at);

    memcpy(out, "\xa1\x6bpubkey-hash\x58\x24\x82\x01\x58\x20", 19);
    tf_sha256(spki, (size_t)size, out + 19);
    return 19 + TF_SHA256_SIZE;
}

static tf_err answer(struct rig *rig, int thread, const char *type, const uint8_t *quote,
                     size_t size)
{
    char *text = malloc(TF_FRAME_MAX);
    struct tf_json_writer w;
    size_t text_size = 0;

    tf_json_writer_init(&w, text, TF_FRAME_MAX);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "type", type);
    tf_json_put_base64(&w, "quote", quote, size);
    tf_json_close_object(&w);
    if (tf_json_take(&w, &text_size) != TF_OK) {
        abort();
    }
    (void)rig_put(rig, thread, TF_MSG_QUOTE, TF_ID_IDENTITY, text, text_size);
    free(text);
    return rig_enter(rig, thread).err;
}

static void fill(uint8_t quote[QUOTE_SIZE])
{
    for (size_t i = 0; i < QUOTE_SIZE; i++) {
        quote[i] = (uint8_t)(i * 31 + i / 256);
    }
}

static void the_report_is_about_the_key(void)
{
    struct rig *rig = loaded();
    uint8_t claims[64];
    uint8_t data[64] = {0};
    const struct rig_frame *frame = rig_last(rig, TF_MSG_REPORT);
    X509 *cert = certificate(rig, 0);

    CHECK(frame->id == TF_ID_IDENTITY);
    tf_sha256(claims, expected_claims(cert, claims), data);
    const struct sgx_report *report = (const void *)frame->payload;
    CHECK(memcmp(report->report_data, data, sizeof(data)) == 0);
    CHECK(!has_evidence(rig, 0)); /* nobody waits for it */
    X509_free(cert);
    rig_close(rig);
}

static void a_quote_gets_into_the_certificate_of_all_threads(void)
{
    static uint8_t evidence[EXTENSION_CAP];
    uint8_t quote[QUOTE_SIZE];
    uint8_t claims[64];
    uint8_t head[7] = {0xd9, 0xea, 0x60, 0x82, 0x59, QUOTE_SIZE >> 8, QUOTE_SIZE & 255};
    struct rig *rig = loaded();
    X509 *plain = certificate(rig, 0);

    rig_thread_make(rig, 1);
    (void)rig_init(rig, 1);
    fill(quote);
    CHECK(answer(rig, 0, "tfaas-dcap-quote.v1", quote, sizeof(quote)) == TF_OK);
    for (int thread = 0; thread < 2; thread++) {
        X509 *cert = certificate(rig, thread);
        size_t size = evidence_of(cert, evidence);
        size_t claims_size = expected_claims(cert, claims);
        CHECK(size == sizeof(head) + QUOTE_SIZE + 2 + claims_size);
        CHECK(memcmp(evidence, head, sizeof(head)) == 0);
        CHECK(memcmp(evidence + sizeof(head), quote, QUOTE_SIZE) == 0);
        CHECK(memcmp(evidence + sizeof(head) + QUOTE_SIZE, "\x58\x33", 2) == 0);
        CHECK(memcmp(evidence + size - claims_size, claims, claims_size) == 0);
        CHECK(X509_verify(cert, X509_get0_pubkey(cert)) == 1);
        CHECK(EVP_PKEY_eq(X509_get0_pubkey(cert), X509_get0_pubkey(plain)) == 1);
        X509_free(cert);
    }
    X509_free(plain);
    rig_close(rig);
}

static void a_connection_outlives_the_change(void)
{
    uint8_t quote[QUOTE_SIZE];
    struct rig *rig = loaded();
    struct rig_client *client = rig_connect(rig, 0, management);

    fill(quote);
    CHECK(answer(rig, 0, "tfaas-dcap-quote.v1", quote, sizeof(quote)) == TF_OK);
    CHECK(has_evidence(rig, 0));
    CHECK(rig_post(rig, client, "/v1/other", "{}", NULL) == 404);
    rig_close(rig);
}

static void simulated_evidence_stays_out(void)
{
    uint8_t quote[QUOTE_SIZE];
    struct rig *rig = loaded();

    fill(quote);
    CHECK(answer(rig, 0, "tfaas-simulated-sgx-report.v1", quote, sizeof(quote)) == TF_OK);
    CHECK(!has_evidence(rig, 0));
    /* And it is asked again when there is somebody else to ask. */
    uint8_t target[sizeof(struct sgx_target_info)];
    memset(target, 0x52, sizeof(target));
    rig_log_clear(rig);
    (void)rig_put(rig, 0, TF_MSG_TARGET, 0, target, sizeof(target));
    CHECK(rig_enter(rig, 0).err == TF_OK);
    CHECK(rig_last(rig, TF_MSG_REPORT) != NULL);
    CHECK(answer(rig, 0, "tfaas-dcap-quote.v1", quote, sizeof(quote)) == TF_OK);
    CHECK(has_evidence(rig, 0));
    rig_close(rig);
}

static void what_is_no_quote_stays_out(void)
{
    static const char *const bad[] = {"", "{}", "[]", "\"}",
                                      "{\"type\":\"tfaas-dcap-quote.v1\"}"};
    uint8_t quote[QUOTE_SIZE];
    static uint8_t large[TF_EVIDENCE_MAX];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct rig *rig = loaded();
        (void)rig_put(rig, 0, TF_MSG_QUOTE, TF_ID_IDENTITY, bad[i], strlen(bad[i]));
        CHECK(rig_enter(rig, 0).err == TF_OK);
        CHECK(!has_evidence(rig, 0));
        rig_close(rig);
    }
    fill(quote);
    struct rig *rig = loaded();
    CHECK(answer(rig, 0, "tfaas-dcap-quote.v1", quote, 255) == TF_OK);
    CHECK(!has_evidence(rig, 0));
    rig_close(rig);
    rig = loaded();
    CHECK(answer(rig, 0, "tfaas-dcap-quote.v1", large, sizeof(large)) == TF_OK);
    CHECK(!has_evidence(rig, 0));
    rig_close(rig);
}

static void a_quote_that_nobody_asked_for_ends_the_enclave(void)
{
    uint8_t quote[QUOTE_SIZE];
    struct rig *rig = loaded();

    rig_thread_make(rig, 1);
    (void)rig_init(rig, 1);
    fill(quote);
    CHECK(answer(rig, 1, "tfaas-dcap-quote.v1", quote, sizeof(quote)) == TF_EHOST);
    CHECK(answer(rig, 0, "tfaas-dcap-quote.v1", quote, sizeof(quote)) == TF_OK);
    CHECK(answer(rig, 0, "tfaas-dcap-quote.v1", quote, sizeof(quote)) == TF_EHOST);
    rig_close(rig);
}

static void the_largest_quote_fits(void)
{
    enum { LARGEST = 12 << 10 };
    static uint8_t quote[LARGEST];
    struct rig *rig = loaded();

    CHECK(answer(rig, 0, "tfaas-dcap-quote.v1", quote, LARGEST - 64) == TF_OK);
    CHECK(has_evidence(rig, 0));
    rig_close(rig);
}

int main(void)
{
    RUN(the_report_is_about_the_key);
    RUN(a_quote_gets_into_the_certificate_of_all_threads);
    RUN(a_connection_outlives_the_change);
    RUN(simulated_evidence_stays_out);
    RUN(what_is_no_quote_stays_out);
    RUN(a_quote_that_nobody_asked_for_ends_the_enclave);
    RUN(the_largest_quote_fits);
    return test_end();
}
