/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/dsse.h"

#include "test/fixture.h"
#include "test/test.h"

enum { PAYLOAD_MAX = 100 };

static const char payload[] = "hello, payload";
static uint8_t scratch[2 * PAYLOAD_MAX + 256];

/* A domain of two publishers and an attester; a key of nobody. */
static struct {
    struct fixture_key publishers[2];
    struct fixture_key attester;
    struct fixture_key stranger;
    struct tf_descriptor domain;
} world;

static void open_world(void)
{
    world.publishers[0] = fixture_key_open("ED25519");
    world.publishers[1] = fixture_key_open("P-256");
    world.attester = fixture_key_open("ED25519");
    world.stranger = fixture_key_open("ED25519");
    world.domain.publisher_count = 2;
    world.domain.publishers[0] = world.publishers[0].publisher;
    world.domain.publishers[1] = world.publishers[1].publisher;
    world.domain.attester_count = 1;
    world.domain.attesters[0] = world.attester.publisher;
}

static void close_world(void)
{
    fixture_key_close(&world.publishers[0]);
    fixture_key_close(&world.publishers[1]);
    fixture_key_close(&world.attester);
    fixture_key_close(&world.stranger);
}

static tf_err open_text(const char *text, size_t size, const struct tf_descriptor *domain,
                        struct tf_dsse *out)
{
    const struct tf_dsse_rule rule = {.type = TF_DSSE_GRANT,
                                      .payload_max = PAYLOAD_MAX,
                                      .too_large = TF_EGRANT_FORMAT,
                                      .domain = domain};
    return tf_dsse_open(text, size, &rule, scratch, out);
}

static tf_err open_string(const char *text)
{
    struct tf_dsse out = {.pae_size = 77};
    tf_err err = open_text(text, strlen(text), &world.domain, &out);
    CHECK(err == TF_OK || out.pae_size == 77);
    return err;
}

/* The example of the DSSE specification's protocol document. */
static void test_pae_as_specified(void)
{
    uint8_t out[64];
    static const char expected[] =
        "DSSEv1 29 http://example.com/HelloWorld 11 hello world";
    size_t size = tf_dsse_pae_write("http://example.com/HelloWorld", "hello world", 11,
                                    out, sizeof(out));
    CHECK(size == strlen(expected) && memcmp(out, expected, size) == 0);
    for (size_t cap = 0; cap < size; cap++) {
        CHECK(tf_dsse_pae_write("http://example.com/HelloWorld", "hello world", 11, out,
                                cap) == 0);
    }
    CHECK(tf_dsse_pae_write("t", "", 0, out, sizeof(out)) == strlen("DSSEv1 1 t 0 "));
}

static void test_both_kinds_of_signature_open(void)
{
    for (size_t i = 0; i < 2; i++) {
        struct tf_dsse dsse;
        uint8_t digest[TF_SHA256_SIZE];
        struct fixture_bytes text = fixture_envelope(&world.publishers[i], TF_DSSE_GRANT,
                                                     payload, sizeof(payload));
        CHECK(open_text((char *)text.data, text.size, &world.domain, &dsse) == TF_OK);
        CHECK(dsse.payload_size == sizeof(payload));
        CHECK(memcmp(dsse.payload, payload, sizeof(payload)) == 0);
        CHECK(strcmp(dsse.signer, world.publishers[i].publisher.keyid) == 0);
        tf_sha256(dsse.pae, dsse.pae_size, digest);
        CHECK(memcmp(digest, dsse.digest, sizeof(digest)) == 0);
        free(text.data);
    }
}

static void test_other_type_is_refused(void)
{
    struct tf_dsse dsse;
    struct fixture_bytes text = fixture_envelope(&world.publishers[0], TF_DSSE_MANIFEST,
                                                 payload, sizeof(payload));
    CHECK(open_text((char *)text.data, text.size, &world.domain, &dsse) == TF_EDSSE_TYPE);
    free(text.data);
}

/* A signature for one type does not carry over by renaming the type. */
static void test_type_is_signed(void)
{
    uint8_t pae[256];
    char text[1024];
    struct fixture_signature signature = {.keyid = world.publishers[0].publisher.keyid};
    size_t size = tf_dsse_pae_write(TF_DSSE_MANIFEST, payload, sizeof(payload), pae, 256);
    signature.size = fixture_sign(&world.publishers[0], pae, size, signature.bytes);
    struct tf_json_writer w;
    tf_json_writer_init(&w, text, sizeof(text));
    fixture_put_envelope(&w, TF_DSSE_GRANT, payload, sizeof(payload), &signature);
    CHECK(tf_json_take(&w, NULL) == TF_OK);
    CHECK(open_string(text) == TF_EDSSE_SIGNATURE);
}

static void test_stranger_is_no_signer(void)
{
    struct tf_dsse dsse;
    struct fixture_bytes text =
        fixture_envelope(&world.stranger, TF_DSSE_GRANT, payload, sizeof(payload));
    CHECK(open_text((char *)text.data, text.size, &world.domain, &dsse) ==
          TF_EDSSE_SIGNER);
    CHECK(open_text((char *)text.data, text.size, NULL, &dsse) == TF_OK);
    CHECK(dsse.signer[0] == '\0');
    free(text.data);
}

/* An attester signs what the rule lets it sign, and never a bundle's manifest. */
static void test_attester_signs_where_it_may(void)
{
    struct tf_dsse dsse;
    struct tf_dsse_rule rule = {.type = TF_DSSE_GRANT,
                                .payload_max = PAYLOAD_MAX,
                                .domain = &world.domain,
                                .with_attesters = true};
    struct fixture_bytes text =
        fixture_envelope(&world.attester, TF_DSSE_GRANT, payload, sizeof(payload));
    CHECK(tf_dsse_open((char *)text.data, text.size, &rule, scratch, &dsse) == TF_OK);
    CHECK(strcmp(dsse.signer, world.attester.publisher.keyid) == 0);
    rule.with_attesters = false;
    CHECK(tf_dsse_open((char *)text.data, text.size, &rule, scratch, &dsse) ==
          TF_EDSSE_SIGNER);
    rule.bad_signer = TF_ELEASE_SIGNER;
    rule.bad_format = TF_ELEASE_FORMAT;
    CHECK(tf_dsse_open((char *)text.data, text.size, &rule, scratch, &dsse) ==
          TF_ELEASE_SIGNER);
    CHECK(tf_dsse_open((char *)text.data, 1, &rule, scratch, &dsse) == TF_ELEASE_FORMAT);
    rule.type = TF_DSSE_LEASE;
    CHECK(tf_dsse_open((char *)text.data, text.size, &rule, scratch, &dsse) ==
          TF_ELEASE_FORMAT);
    free(text.data);
}

/* A stranger's signature under a publisher's name. */
static void test_borrowed_keyid_does_not_verify(void)
{
    struct tf_dsse dsse;
    struct fixture_key impostor = world.stranger;
    impostor.publisher = world.publishers[0].publisher;
    struct fixture_bytes text =
        fixture_envelope(&impostor, TF_DSSE_GRANT, payload, sizeof(payload));
    CHECK(open_text((char *)text.data, text.size, &world.domain, &dsse) ==
          TF_EDSSE_SIGNATURE);
    free(text.data);
}

static void test_payload_limit(void)
{
    static char large[PAYLOAD_MAX + 1];
    for (size_t size = PAYLOAD_MAX - 2; size <= PAYLOAD_MAX + 1; size++) {
        struct tf_dsse dsse;
        struct fixture_bytes text =
            fixture_envelope(&world.publishers[0], TF_DSSE_GRANT, large, size);
        CHECK(open_text((char *)text.data, text.size, &world.domain, &dsse) ==
              (size <= PAYLOAD_MAX ? TF_OK : TF_EGRANT_FORMAT));
        free(text.data);
    }
}

#define TYPE      "\"payloadType\":\"application/vnd.tfaas.grant.v1+json\""
#define ID        "0000000000000000000000000000000000000000000000000000000000000000"
#define SIGNATURE "{\"keyid\":\"" ID "\",\"sig\":\"AAAA\"}"

static void test_bad_envelopes(void)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{" TYPE "}",
        "{" TYPE ",\"payload\":\"AA==\",\"signatures\":[]}",
        "{" TYPE ",\"payload\":\"AA==\",\"signatures\":[{}]}",
        "{" TYPE ",\"payload\":\"AA\",\"signatures\":[" SIGNATURE "]}",
        "{" TYPE ",\"payload\":7,\"signatures\":[" SIGNATURE "]}",
        "{" TYPE ",\"payload\":\"AA==\",\"signatures\":[" SIGNATURE "],\"x\":1}",
        "{" TYPE "," TYPE ",\"payload\":\"AA==\",\"signatures\":[" SIGNATURE "]}",
        "{" TYPE ",\"payload\":\"AA==\",\"signatures\":[" SIGNATURE "," SIGNATURE
        "," SIGNATURE "," SIGNATURE "," SIGNATURE "]}",
        "{" TYPE
        ",\"payload\":\"AA==\",\"signatures\":[{\"keyid\":\"00\",\"sig\":\"AAAA\"}]}",
        "{" TYPE ",\"payload\":\"AA==\",\"signatures\":[{\"sig\":\"AAAA\"}]}",
        "{" TYPE ",\"payload\":\"AA==\",\"signatures\":[{\"keyid\":\"" ID
        "\",\"sig\":\"!\"}]}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(open_string(bad[i]) == TF_EDSSE_FORMAT);
    }
    CHECK(open_string("{" TYPE ",\"payload\":\"AA==\",\"signatures\":[" SIGNATURE "]}") ==
          TF_EDSSE_SIGNER);
}

/* No envelope with one byte changed opens: neither in the payload nor around it. */
static void test_no_changed_byte_opens(void)
{
    struct tf_dsse dsse;
    struct fixture_bytes text =
        fixture_envelope(&world.publishers[1], TF_DSSE_GRANT, payload, sizeof(payload));
    for (size_t i = 0; i < text.size; i++) {
        uint8_t original = text.data[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            text.data[i] = (uint8_t)(original ^ 1u << bit);
            CHECK(open_text((char *)text.data, text.size, &world.domain, &dsse) != TF_OK);
        }
        text.data[i] = original;
    }
    CHECK(open_text((char *)text.data, text.size, &world.domain, &dsse) == TF_OK);
    free(text.data);
}

int main(void)
{
    open_world();
    RUN(test_pae_as_specified);
    RUN(test_both_kinds_of_signature_open);
    RUN(test_other_type_is_refused);
    RUN(test_type_is_signed);
    RUN(test_stranger_is_no_signer);
    RUN(test_attester_signs_where_it_may);
    RUN(test_borrowed_keyid_does_not_verify);
    RUN(test_payload_limit);
    RUN(test_bad_envelopes);
    RUN(test_no_changed_byte_opens);
    close_world();
    return test_end();
}
