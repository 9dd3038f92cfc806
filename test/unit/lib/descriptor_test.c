/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/descriptor.h"

#include "test/fixture.h"
#include "test/test.h"

static tf_err parse(const char *text)
{
    struct tf_descriptor out = {.publisher_count = 77};
    tf_err err = tf_descriptor_parse(text, strlen(text), &out);
    CHECK(err == TF_OK || out.publisher_count == 77);
    return err;
}

static void test_good_descriptor(void)
{
    char text[2048];
    struct tf_descriptor out;
    uint8_t digest[TF_SHA256_SIZE];
    struct fixture_key keys[2] = {fixture_key_open("ED25519"), fixture_key_open("P-256")};
    size_t size = fixture_domain_write(text, sizeof(text), keys, 2);
    CHECK(tf_descriptor_parse(text, size, &out) == TF_OK);
    CHECK(strcmp(out.members[0].name, "acme") == 0 && out.publisher_count == 2);
    tf_sha256(text, size, digest);
    CHECK(memcmp(out.sha256, digest, sizeof(digest)) == 0);
    for (size_t i = 0; i < 2; i++) {
        CHECK(strcmp(out.publishers[i].keyid, keys[i].publisher.keyid) == 0);
        CHECK(out.publishers[i].spki_size == keys[i].publisher.spki_size);
        CHECK(memcmp(out.publishers[i].spki, keys[i].publisher.spki,
                     keys[i].publisher.spki_size) == 0);
        fixture_key_close(&keys[i]);
    }
}

/* `sharing` is a field with its comma, or "". */
static size_t write_domain(char *text, size_t cap, const struct fixture_key *publisher,
                           const struct fixture_key *attesters, size_t count,
                           const char *sharing)
{
    char keys[1024] = "";
    char coded[256];
    for (size_t i = 0; i < count; i++) {
        tf_base64_write(attesters[i].publisher.spki, attesters[i].publisher.spki_size,
                        coded);
        (void)snprintf(keys + strlen(keys), sizeof(keys) - strlen(keys), "%s\"%s\"",
                       i == 0 ? "" : ",", coded);
    }
    tf_base64_write(publisher->publisher.spki, publisher->publisher.spki_size, coded);
    return (size_t)snprintf(text, cap,
                            "{\"tfaas\":\"domain.v1\",\"name\":\"acme\",\"publishers\":"
                            "[\"%s\"],\"attesters\":[%s]%s}",
                            coded, keys, sharing);
}

static void test_attesters_and_sharing(void)
{
    char text[2048];
    struct tf_descriptor out;
    struct fixture_key keys[TF_ATTESTERS_MAX + 2];
    for (size_t i = 0; i < TF_ATTESTERS_MAX + 2; i++) {
        keys[i] = fixture_key_open("P-256");
    }
    size_t size = write_domain(text, sizeof(text), &keys[0], &keys[1], TF_ATTESTERS_MAX,
                               ",\"sharing\":\"shared\"");
    CHECK(tf_descriptor_parse(text, size, &out) == TF_OK);
    CHECK(out.attester_count == TF_ATTESTERS_MAX && out.members[0].is_shared);
    const char *attester = keys[1].publisher.keyid;
    CHECK(tf_descriptor_find(&out, attester, true) == &out.attesters[0]);
    CHECK(tf_descriptor_find(&out, attester, false) == NULL);
    CHECK(tf_descriptor_find(&out, keys[0].publisher.keyid, false) == out.publishers);
    size = write_domain(text, sizeof(text), &keys[0], NULL, 0, "");
    CHECK(tf_descriptor_parse(text, size, &out) == TF_OK && !out.members[0].is_shared);
    size = write_domain(text, sizeof(text), &keys[0], &keys[1], TF_ATTESTERS_MAX + 1, "");
    CHECK(tf_descriptor_parse(text, size, &out) == TF_EDOMAIN_FORMAT);
    size = write_domain(text, sizeof(text), &keys[0], keys, 1, "");
    CHECK(tf_descriptor_parse(text, size, &out) == TF_EDOMAIN_FORMAT); /* in both roles */
    size = write_domain(text, sizeof(text), &keys[0], NULL, 0, ",\"sharing\":\"own\"");
    CHECK(tf_descriptor_parse(text, size, &out) == TF_EDOMAIN_FORMAT);
    size = write_domain(text, sizeof(text), &keys[0], NULL, 0, ",\"sharing\":true");
    CHECK(tf_descriptor_parse(text, size, &out) == TF_EDOMAIN_FORMAT);
    for (size_t i = 0; i < TF_ATTESTERS_MAX + 2; i++) {
        fixture_key_close(&keys[i]);
    }
}

#define KEY FIXTURE_SPKI

static void test_bad_descriptors(void)
{
    CHECK(parse(FIXTURE_DOMAIN) == TF_OK);
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"tfaas\":\"domain.v2\",\"name\":\"a\",\"publishers\":[\"" KEY "\"]}",
        "{\"tfaas\":\"domain.v1\",\"name\":\"\",\"publishers\":[\"" KEY "\"]}",
        "{\"tfaas\":\"domain.v1\",\"name\":\"A b\",\"publishers\":[\"" KEY "\"]}",
        "{\"tfaas\":\"domain.v1\",\"name\":\"a\",\"publishers\":[]}",
        "{\"tfaas\":\"domain.v1\",\"name\":\"a\",\"publishers\":[7]}",
        "{\"tfaas\":\"domain.v1\",\"name\":\"a\",\"publishers\":[\"AAAA\"]}",
        "{\"tfaas\":\"domain.v1\",\"name\":\"a\",\"publishers\":[\"" KEY "\",\"" KEY
        "\"]}",
        "{\"tfaas\":\"domain.v1\",\"name\":\"a\",\"publishers\":[\"" KEY "\"],\"x\":1}",
        "{\"tfaas\":\"domain.v1\",\"name\":\"a\",\"name\":\"b\",\"publishers\":[\"" KEY
        "\"]}",
        "{\"name\":\"a\",\"publishers\":[\"" KEY "\"]}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(parse(bad[i]) == TF_EDOMAIN_FORMAT);
    }
}

static void test_size_and_count_are_limited(void)
{
    static char text[TF_DESCRIPTOR_MAX + 2];
    struct fixture_key keys[TF_PUBLISHERS_MAX + 1];
    struct tf_descriptor out;
    for (size_t i = 0; i <= TF_PUBLISHERS_MAX; i++) {
        keys[i] = fixture_key_open("ED25519");
    }
    size_t size = fixture_domain_write(text, sizeof(text), keys, TF_PUBLISHERS_MAX + 1);
    CHECK(tf_descriptor_parse(text, size, &out) == TF_EDOMAIN_FORMAT);
    size = fixture_domain_write(text, sizeof(text), keys, TF_PUBLISHERS_MAX);
    CHECK(tf_descriptor_parse(text, size, &out) == TF_OK);
    memset(text + size, ' ', sizeof(text) - size);
    CHECK(tf_descriptor_parse(text, TF_DESCRIPTOR_MAX, &out) == TF_OK);
    CHECK(tf_descriptor_parse(text, TF_DESCRIPTOR_MAX + 1, &out) == TF_EDOMAIN_FORMAT);
    for (size_t i = 0; i <= TF_PUBLISHERS_MAX; i++) {
        fixture_key_close(&keys[i]);
    }
}

/* --- groups ------------------------------------------------------------------------- */

/* Two publishers' texts in a group; either may be changed before. */
struct pair {
    struct fixture_key keys[3];
    char first[1024];
    char second[1024];
};

static struct pair pair_open(void)
{
    struct pair pair;
    for (size_t i = 0; i < 3; i++) {
        pair.keys[i] = fixture_key_open("ED25519");
    }
    fixture_shared_write(pair.first, sizeof(pair.first), &pair.keys[0], &pair.keys[1]);
    fixture_shared_write(pair.second, sizeof(pair.second), &pair.keys[2], NULL);
    return pair;
}

static tf_err join(const struct pair *pair, size_t count, struct tf_descriptor *out)
{
    static char text[TF_DESCRIPTOR_MAX];
    const char *const members[] = {pair->first, pair->second};
    return tf_descriptor_parse(
        text, fixture_group_write(text, sizeof(text), members, count), out);
}

static void pair_close(struct pair *pair)
{
    for (size_t i = 0; i < 3; i++) {
        fixture_key_close(&pair->keys[i]);
    }
}

static void test_a_group_knows_whose_key_it_is(void)
{
    struct pair pair = pair_open();
    struct tf_descriptor out;
    uint8_t digest[TF_SHA256_SIZE];

    CHECK(join(&pair, 2, &out) == TF_OK && out.member_count == 2);
    CHECK(out.publisher_count == 2 && out.attester_count == 1);
    CHECK(tf_descriptor_member(&out, pair.keys[0].publisher.keyid) == 0);
    CHECK(tf_descriptor_member(&out, pair.keys[1].publisher.keyid) == 0);
    CHECK(tf_descriptor_member(&out, pair.keys[2].publisher.keyid) == 1);
    CHECK(tf_descriptor_member(&out, "nobody") == TF_MEMBERS_MAX);
    tf_sha256(pair.second, strlen(pair.second), digest);
    CHECK(memcmp(out.members[1].sha256, digest, sizeof(digest)) == 0);
    CHECK(memcmp(out.members[1].sha256, out.sha256, sizeof(digest)) != 0);
    CHECK(join(&pair, 1, &out) == TF_EDOMAIN_FORMAT); /* nobody shares with nobody */
    pair_close(&pair);
}

static void a_member_did_not_opt_in(void)
{
    struct pair pair = pair_open();
    struct tf_descriptor out = {.member_count = 77};

    (void)fixture_domain_write(pair.second, sizeof(pair.second), &pair.keys[2], 1);
    CHECK(join(&pair, 2, &out) == TF_EDOMAIN_FORMAT && out.member_count == 77);
    pair_close(&pair);
}

static void one_key_is_in_two_members(void)
{
    struct pair pair = pair_open();
    struct tf_descriptor out;

    fixture_shared_write(pair.second, sizeof(pair.second), &pair.keys[0], NULL);
    CHECK(join(&pair, 2, &out) == TF_EDOMAIN_FORMAT);
    fixture_shared_write(pair.second, sizeof(pair.second), &pair.keys[1], NULL);
    CHECK(join(&pair, 2, &out) == TF_EDOMAIN_FORMAT); /* the first's attester */
    fixture_shared_write(pair.second, sizeof(pair.second), &pair.keys[2], &pair.keys[0]);
    CHECK(join(&pair, 2, &out) == TF_EDOMAIN_FORMAT);
    pair_close(&pair);
}

static void a_group_is_in_a_group(void)
{
    struct pair pair = pair_open();
    struct tf_descriptor out;
    char inner[1024];
    const char *const members[] = {pair.first, pair.second};

    size_t size = fixture_group_write(inner, sizeof(inner) - 1, members, 2);
    inner[size] = '\0';
    memcpy(pair.second, inner, size + 1);
    fixture_shared_write(pair.first, sizeof(pair.first), &pair.keys[1], NULL);
    CHECK(size > 0 && join(&pair, 2, &out) == TF_EDOMAIN_FORMAT);
    pair_close(&pair);
}

static void test_bad_groups(void)
{
    CHECK(parse("{\"tfaas\":\"domain-group.v1\",\"members\":[]}") == TF_EDOMAIN_FORMAT);
    CHECK(parse("{\"tfaas\":\"domain-group.v1\",\"members\":{}}") == TF_EDOMAIN_FORMAT);
    CHECK(parse("{\"tfaas\":\"domain-group.v1\",\"members\":[\"e30=\",\"e30=\"]}") ==
          TF_EDOMAIN_FORMAT);
    CHECK(parse("{\"tfaas\":\"domain-group.v1\",\"members\":[1,2]}") ==
          TF_EDOMAIN_FORMAT);
    CHECK(parse("{\"tfaas\":\"domain-group.v1\"}") == TF_EDOMAIN_FORMAT);
}

int main(void)
{
    RUN(test_a_group_knows_whose_key_it_is);
    RUN(a_member_did_not_opt_in);
    RUN(one_key_is_in_two_members);
    RUN(a_group_is_in_a_group);
    RUN(test_bad_groups);
    RUN(test_good_descriptor);
    RUN(test_attesters_and_sharing);
    RUN(test_bad_descriptors);
    RUN(test_size_and_count_are_limited);
    return test_end();
}
