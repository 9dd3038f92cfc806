/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receipt_test.c - whatever somebody with a good key writes, a receipt is read strictly;
 * and with any other key, not at all. What enclaves write:
 * test/unit/enclave/receipt_test.c.
 */
#include "verify/receipt.h"

#include <stdio.h>
#include <string.h>

#include "test/fixture.h"
#include "test/test.h"

#define DIGEST   "00000000000000000000000000000000000000000000000000000000000000d1"
#define INSTANCE "000102030405060708090a0b0c0d0e0f"

static const char one_tail[] =
    "\"version\":3,\"digest\":\"" DIGEST "\",\"serial\":7,\"ok\":false,\"status\":503,"
    "\"steps\":1,\"peak\":2,\"in\":3,\"out\":4}";
static const char usage_tail[] = "\"receipts\":5,\"ok\":6,\"failed\":7,\"steps\":1,"
                                 "\"peak\":2,\"in\":3,\"out\":4}";

static void write_payload(const struct fixture_key *key, const char *kind,
                          const char *tail, char out[static TF_RECEIPT_TEXT_MAX])
{
    char spki[2 * TF_SPKI_MAX];

    tf_base64_write(key->publisher.spki, key->publisher.spki_size, spki);
    (void)snprintf(out, TF_RECEIPT_TEXT_MAX,
                   "{\"tfaas\":\"%s\",\"lambda\":\"hello\",\"instance\":\"" INSTANCE
                   "\",\"key\":\"%s\",\"time\":9,%s",
                   kind, spki, tail);
}

static tf_err open_signed(const struct fixture_key *key, const char *type,
                          const char *payload, struct tf_receipt *out)
{
    char text[4 * TF_RECEIPT_TEXT_MAX];
    uint8_t message[2 * TF_RECEIPT_TEXT_MAX];
    uint8_t signature[128];
    size_t size = strlen(payload);
    size_t at = tf_base64_size(size);
    size_t message_size =
        tf_dsse_pae_write(type, payload, size, message, sizeof(message));
    size_t signature_size = fixture_sign(key, message, message_size, signature);

    tf_base64_write(payload, size, text);
    text[at++] = '.';
    tf_base64_write(signature, signature_size, text + at);
    return tf_receipt_open(text, at + tf_base64_size(signature_size),
                           key->publisher.keyid, out);
}

static void both_kinds_are_read(void)
{
    struct fixture_key key = fixture_key_open("ED25519");
    char payload[TF_RECEIPT_TEXT_MAX];
    struct tf_receipt r;

    write_payload(&key, "receipt.v1", one_tail, payload);
    CHECK(open_signed(&key, TF_DSSE_RECEIPT, payload, &r) == TF_OK);
    CHECK(!r.is_usage && strcmp(r.lambda, "hello") == 0 && r.version == 3);
    CHECK(r.serial == 7 && !r.is_ok && r.status == 503 && r.time == 9);
    CHECK(r.steps == 1 && r.peak == 2 && r.bytes_in == 3 && r.bytes_out == 4);
    CHECK(strcmp(r.digest, DIGEST) == 0 && strcmp(r.instance, INSTANCE) == 0);
    CHECK(strcmp(r.payload, payload) == 0);
    CHECK(open_signed(&key, TF_DSSE_USAGE, payload, &r) == TF_ERECEIPT_SIGNATURE);
    write_payload(&key, "usage.v1", usage_tail, payload);
    CHECK(open_signed(&key, TF_DSSE_USAGE, payload, &r) == TF_OK);
    CHECK(r.is_usage && r.receipts == 5 && r.ok == 6 && r.failed == 7);
    CHECK(open_signed(&key, TF_DSSE_RECEIPT, payload, &r) == TF_ERECEIPT_SIGNATURE);
    fixture_key_close(&key);
}

/* Each row changes one thing before it is signed. */
static void what_is_not_exact_is_refused(void)
{
    static const struct {
        const char *from;
        const char *to;
    } rows[] = {
        {"receipt.v1", "receipt.v2"},
        {"receipt.v1", "usage.v1"},
        {"{\"tfaas\"", "[\"tfaas\""},
        {"\"hello\"", "\"Hello\""},
        {"\"hello\"", "\"hello\\u0000\""},
        {"\"instance\":\"00", "\"instance\":\""},
        {"\"instance\":\"00", "\"instance\":\"0G"},
        {"\"key\":\"MCow", "\"key\":\""},
        {"\"time\":9", "\"time\":-1"},
        {"\"version\":3", "\"version\":0"},
        {"\"serial\":7", "\"serial\":0"},
        {"\"serial\":7", "\"serial\":7.0"},
        {"\"serial\":7", "\"serial\":9007199254740992"},
        {"\"ok\":false", "\"ok\":0"},
        {"\"status\":503", "\"status\":99"},
        {"\"status\":503", "\"status\":600"},
        {"\"steps\":1", "\"steps\":1,\"steps\":2"},
        {"\"steps\":1", "\"steps\":1,\"more\":2"},
        {"\"out\":4", "\"out\":null"},
        {",\"out\":4", ""},
        {"\"out\":4}", "\"out\":4}}"},
    };
    struct fixture_key key = fixture_key_open("ED25519");

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char payload[2 * TF_RECEIPT_TEXT_MAX];
        char rest[TF_RECEIPT_TEXT_MAX];
        struct tf_receipt r = {.lambda = "untouched"};
        write_payload(&key, "receipt.v1", one_tail, payload);
        char *at = strstr(payload, rows[i].from);
        if (CHECK(at != NULL)) {
            (void)snprintf(rest, sizeof(rest), "%s", at + strlen(rows[i].from));
            (void)snprintf(at, sizeof(payload) - (size_t)(at - payload), "%s%s",
                           rows[i].to, rest);
            if (!CHECK(open_signed(&key, TF_DSSE_RECEIPT, payload, &r) ==
                       TF_ERECEIPT_FORMAT)) {
                (void)fprintf(stderr, "  with %s\n", rows[i].to);
            }
            CHECK(strcmp(r.lambda, "untouched") == 0);
        }
    }
    fixture_key_close(&key);
}

static void other_keys_are_refused(void)
{
    struct fixture_key key = fixture_key_open("ED25519");
    struct fixture_key other = fixture_key_open("ED25519");
    struct fixture_key p256 = fixture_key_open("P-256");
    char payload[TF_RECEIPT_TEXT_MAX];
    struct tf_receipt r;

    write_payload(&other, "receipt.v1", one_tail, payload);
    CHECK(open_signed(&key, TF_DSSE_RECEIPT, payload, &r) == TF_ERECEIPT_KEY);
    write_payload(&key, "receipt.v1", one_tail, payload);
    other.publisher = key.publisher; /* says the key, and has another */
    CHECK(open_signed(&other, TF_DSSE_RECEIPT, payload, &r) == TF_ERECEIPT_SIGNATURE);
    write_payload(&p256, "receipt.v1", one_tail, payload);
    CHECK(open_signed(&p256, TF_DSSE_RECEIPT, payload, &r) == TF_ERECEIPT_FORMAT);
    fixture_key_close(&key);
    fixture_key_close(&other);
    fixture_key_close(&p256);
}

static void what_is_no_receipt_is_refused(void)
{
    static const char *const texts[] = {
        "", ".", "..", "e30=", "e30=.", ".e30=", "e30=.e30="};
    char big[TF_RECEIPT_TEXT_MAX + 1];
    struct tf_receipt r;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        CHECK(tf_receipt_open(texts[i], strlen(texts[i]), DIGEST, &r) ==
              TF_ERECEIPT_FORMAT);
    }
    memset(big, 'A', sizeof(big));
    CHECK(tf_receipt_open(big, sizeof(big), DIGEST, &r) == TF_ERECEIPT_FORMAT);
    big[900] = '.'; /* a payload longer than any */
    CHECK(tf_receipt_open(big, sizeof(big) - 1, DIGEST, &r) == TF_ERECEIPT_FORMAT);
}

int main(void)
{
    RUN(both_kinds_are_read);
    RUN(what_is_not_exact_is_refused);
    RUN(other_keys_are_refused);
    RUN(what_is_no_receipt_is_refused);
    return test_end();
}
