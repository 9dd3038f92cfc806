/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/revocations.h"

#include "test/fixture.h"
#include "test/test.h"

enum { TEXT_MAX = 64 << 10 };

#define HASH "abababababababababababababababababababababababababababababababab"

static uint8_t scratch[TF_REVOCATIONS_SCRATCH];

/* The root, the online key after it, and nobody. */
static struct {
    struct fixture_key root;
    struct fixture_key online;
    struct fixture_key attester;
    struct fixture_key stranger;
    struct tf_descriptor domain;
} world;

static void open_world(void)
{
    world.root = fixture_key_open("ED25519");
    world.online = fixture_key_open("P-256");
    world.attester = fixture_key_open("ED25519");
    world.stranger = fixture_key_open("ED25519");
    world.domain.publisher_count = 2;
    world.domain.publishers[0] = world.root.publisher;
    world.domain.publishers[1] = world.online.publisher;
    world.domain.attester_count = 1;
    world.domain.attesters[0] = world.attester.publisher;
}

static void close_world(void)
{
    fixture_key_close(&world.root);
    fixture_key_close(&world.online);
    fixture_key_close(&world.attester);
    fixture_key_close(&world.stranger);
}

static tf_err parse(const char *text)
{
    struct tf_revocations out;
    return tf_revocations_parse(text, strlen(text), &out);
}

static void a_list_of_each(void)
{
    static const char text[] =
        "{\"tfaas\":\"revocations.v1\",\"serial\":3,\"digests\":[\"" HASH
        "\"],\"versions\":[{\"name\":\"hello\",\"below\":7}],\"signers\":[\"" HASH "\"]}";
    struct tf_revocations out;
    char back[1024];
    size_t size = 0;
    CHECK(tf_revocations_parse(text, strlen(text), &out) == TF_OK);
    CHECK(out.serial == 3 && out.digest_count == 1 && out.digests[0][31] == 0xab);
    CHECK(out.version_count == 1 && strcmp(out.versions[0].name, "hello") == 0);
    CHECK(out.versions[0].below == 7);
    CHECK(out.signer_count == 1 && strcmp(out.signers[0], HASH) == 0);
    CHECK(tf_revocations_write(&out, back, sizeof(back), &size) == TF_OK);
    CHECK(size == strlen(text) && memcmp(back, text, size) == 0);
    CHECK(tf_revocations_write(&out, back, 100, &size) == TF_ELIMIT);
}

#define LIST(digests, versions, signers)                                                 \
    "{\"tfaas\":\"revocations.v1\",\"serial\":1,\"digests\":" digests                    \
    ",\"versions\":" versions ",\"signers\":" signers "}"

static void lists_that_are_none(void)
{
    CHECK(parse(LIST("[]", "[]", "[]")) == TF_OK);
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"tfaas\":\"revocations.v2\",\"serial\":1,\"digests\":[],\"versions\":[],"
        "\"signers\":[]}",
        "{\"tfaas\":\"revocations.v1\",\"serial\":0,\"digests\":[],\"versions\":[],"
        "\"signers\":[]}",
        "{\"tfaas\":\"revocations.v1\",\"serial\":9007199254740992,\"digests\":[],"
        "\"versions\":[],\"signers\":[]}",
        "{\"tfaas\":\"revocations.v1\",\"digests\":[],\"versions\":[],\"signers\":[]}",
        "{\"tfaas\":\"revocations.v1\",\"serial\":1,\"digests\":[],\"versions\":[]}",
        "{\"tfaas\":\"revocations.v1\",\"serial\":1,\"digests\":[],\"versions\":[],"
        "\"signers\":[],\"more\":[]}",
        "{\"tfaas\":\"revocations.v1\",\"serial\":1,\"serial\":2,\"digests\":[],"
        "\"versions\":[],\"signers\":[]}",
        LIST("[\"abab\"]", "[]", "[]"),
        LIST("[\"ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB\"]",
             "[]", "[]"),
        LIST("[7]", "[]", "[]"),
        LIST("{}", "[]", "[]"),
        LIST("[]", "[{\"name\":\"hello\"}]", "[]"),
        LIST("[]", "[{\"name\":\"Hello\",\"below\":7}]", "[]"),
        LIST("[]", "[{\"name\":\"\",\"below\":7}]", "[]"),
        LIST("[]", "[{\"name\":\"hello\",\"below\":0}]", "[]"),
        LIST("[]", "[{\"name\":\"hello\",\"below\":-1}]", "[]"),
        LIST("[]", "[{\"name\":\"hello\",\"below\":7,\"above\":1}]", "[]"),
        LIST("[]", "[\"hello\"]", "[]"),
        LIST("[]", "[]", "[\"" HASH "ab\"]"),
        LIST("[]", "[]", "[null]"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(parse(bad[i]) == TF_EREVOCATION_FORMAT);
    }
}

/* An array of `count` times `item`. */
static void repeat(char *out, const char *item, size_t count)
{
    char *at = out;
    *at++ = '[';
    for (size_t i = 0; i < count; i++) {
        at += sprintf(at, "%s%s", i == 0 ? "" : ",", item);
    }
    (void)strcpy(at, "]");
}

static tf_err parse_many(size_t digests, size_t versions, size_t signers)
{
    static char text[TEXT_MAX];
    static char parts[3][TEXT_MAX / 2];
    repeat(parts[0], "\"" HASH "\"", digests);
    repeat(parts[1], "{\"name\":\"hello\",\"below\":7}", versions);
    repeat(parts[2], "\"" HASH "\"", signers);
    (void)snprintf(text, sizeof(text),
                   "{\"tfaas\":\"revocations.v1\",\"serial\":1,\"digests\":%.*s,"
                   "\"versions\":%.*s,\"signers\":%.*s}",
                   20000, parts[0], 20000, parts[1], 20000, parts[2]);
    return parse(text);
}

static void more_than_a_list_may_have(void)
{
    CHECK(parse_many(TF_REVOKED_DIGESTS_MAX, 0, 0) == TF_OK);
    CHECK(parse_many(TF_REVOKED_DIGESTS_MAX - 40, TF_REVOKED_VERSIONS_MAX,
                     TF_REVOKED_SIGNERS_MAX) == TF_OK);
    CHECK(parse_many(TF_REVOKED_DIGESTS_MAX + 1, 0, 0) == TF_EREVOCATION_FORMAT);
    CHECK(parse_many(0, TF_REVOKED_VERSIONS_MAX + 1, 0) == TF_EREVOCATION_FORMAT);
    CHECK(parse_many(0, 0, TF_REVOKED_SIGNERS_MAX + 1) == TF_EREVOCATION_FORMAT);
    static char text[TF_REVOCATIONS_MAX + 1];
    memset(text, ' ', sizeof(text));
    memcpy(text, LIST("[]", "[]", "[]"), strlen(LIST("[]", "[]", "[]")));
    CHECK(tf_revocations_parse(text, sizeof(text) - 1, &(struct tf_revocations){0}) ==
          TF_OK);
    CHECK(tf_revocations_parse(text, sizeof(text), &(struct tf_revocations){0}) ==
          TF_EREVOCATION_FORMAT);
}

/* The largest list there is fits what carries it. */
static void the_largest_list_fits_its_envelope(void)
{
    static struct tf_revocations list;
    list.serial = TF_JSON_INTEGER_MAX;
    list.digest_count = TF_REVOKED_DIGESTS_MAX;
    list.version_count = TF_REVOKED_VERSIONS_MAX;
    list.signer_count = TF_REVOKED_SIGNERS_MAX;
    for (size_t i = 0; i < list.version_count; i++) {
        memset(list.versions[i].name, 'a', TF_NAME_MAX);
        list.versions[i].below = TF_JSON_INTEGER_MAX;
    }
    for (size_t i = 0; i < list.signer_count; i++) {
        memcpy(list.signers[i], world.online.publisher.keyid, sizeof(list.signers[i]));
    }
    struct fixture_bytes envelope = fixture_revocations(&world.root, &list);
    struct tf_revocations out;
    size_t signer = 77;
    CHECK(envelope.size < TF_REVOCATIONS_ENVELOPE_MAX - 1024);
    CHECK(tf_revocations_open((const char *)envelope.data, envelope.size, &world.domain,
                              scratch, &out, &signer) == TF_OK);
    CHECK(signer == 0 && memcmp(&out, &list, sizeof(out)) == 0);
    free(envelope.data);
}

/* Opens a list of `serial` that names one key. */
static tf_err open_signed(const struct fixture_key *by, const struct fixture_key *revoked,
                          size_t *signer)
{
    struct tf_revocations list = {.serial = 1, .signer_count = 1};
    struct tf_revocations out;
    memcpy(list.signers[0], revoked->publisher.keyid, sizeof(list.signers[0]));
    struct fixture_bytes envelope = fixture_revocations(by, &list);
    tf_err err = tf_revocations_open((const char *)envelope.data, envelope.size,
                                     &world.domain, scratch, &out, signer);
    free(envelope.data);
    return err;
}

static void a_publisher_revokes_one_listed_before_it(void)
{
    size_t signer = 77;
    CHECK(open_signed(&world.online, &world.root, &signer) == TF_EREVOCATION_SIGNER);
    CHECK(signer == 77);
    CHECK(open_signed(&world.online, &world.online, &signer) == TF_OK && signer == 1);
    CHECK(open_signed(&world.root, &world.online, &signer) == TF_OK && signer == 0);
    CHECK(open_signed(&world.root, &world.root, &signer) == TF_OK && signer == 0);
    CHECK(open_signed(&world.root, &world.stranger, &signer) == TF_EREVOCATION_SIGNER);
}

static void an_attester_revokes(void)
{
    size_t signer = 77;
    CHECK(open_signed(&world.attester, &world.attester, &signer) ==
          TF_EREVOCATION_SIGNER);
    CHECK(open_signed(&world.online, &world.attester, &signer) == TF_OK && signer == 1);
}

static void a_list_of_a_stranger(void)
{
    size_t signer = 77;
    CHECK(open_signed(&world.stranger, &world.online, &signer) == TF_EREVOCATION_SIGNER);
    CHECK(open_signed(&world.stranger, &world.stranger, &signer) ==
          TF_EREVOCATION_SIGNER);
}

static void a_signature_made_for_something_else(void)
{
    static const char text[] = LIST("[]", "[]", "[]");
    struct fixture_bytes envelope =
        fixture_envelope(&world.root, TF_DSSE_GRANT, text, strlen(text));
    struct tf_revocations out;
    size_t signer = 77;
    CHECK(tf_revocations_open((const char *)envelope.data, envelope.size, &world.domain,
                              scratch, &out, &signer) == TF_EREVOCATION_FORMAT);
    free(envelope.data);
    CHECK(tf_revocations_open("{}", 2, &world.domain, scratch, &out, &signer) ==
          TF_EREVOCATION_FORMAT);
}

static void an_older_list_put_back(void)
{
    struct tf_revocations current = {.serial = 5, .digest_count = 1};
    struct tf_revocations next = current;
    struct tf_revocation_set set = {.lists = {[1] = &current}};
    CHECK(tf_revocations_check(&set, &world.domain, 1, &next) == TF_OK); /* the same */
    next.digest_count = 0;
    CHECK(tf_revocations_check(&set, &world.domain, 1, &next) == TF_EREVOCATION_OLD);
    next.serial = 4;
    CHECK(tf_revocations_check(&set, &world.domain, 1, &next) == TF_EREVOCATION_OLD);
    CHECK(tf_revocations_check(&set, &world.domain, 0, &next) == TF_OK); /* another's */
    next.serial = 6;
    CHECK(tf_revocations_check(&set, &world.domain, 1, &next) == TF_OK);
}

static void a_revoked_key_signs_a_newer_list(void)
{
    struct tf_revocations root = {.serial = 1, .signer_count = 1};
    struct tf_revocations online = {.serial = 5, .digest_count = 1};
    struct tf_revocation_set set = {.lists = {&root, &online}};
    memcpy(root.signers[0], world.online.publisher.keyid, sizeof(root.signers[0]));
    const struct tf_revocable what = {"x", 1, online.digests[0], "", 0};
    CHECK(tf_revocations_have_bundle(&set, &what)); /* what it said counts on */
    struct tf_revocations next = online;
    CHECK(tf_revocations_check(&set, &world.domain, 1, &next) == TF_OK);
    next.serial = 6;
    CHECK(tf_revocations_check(&set, &world.domain, 1, &next) == TF_EREVOKED);
    next.serial = 2;
    CHECK(tf_revocations_check(&set, &world.domain, 0, &next) == TF_OK);
}

static void what_is_revoked(void)
{
    struct tf_revocations list = {.serial = 1,
                                  .digest_count = 1,
                                  .version_count = 1,
                                  .signer_count = 1,
                                  .digests = {{1}},
                                  .versions = {{.name = "hello", .below = 7}},
                                  .signers = {HASH}};
    const struct tf_revocation_set set = {.lists = {[7] = &list}};
    static const uint8_t good[TF_SHA256_SIZE] = {2};
    const struct tf_revocable all_good = {"hello", 7, good, "f", 0};
    struct tf_revocable what = all_good;
    CHECK(!tf_revocations_have_bundle(&set, &what));
    what.digest = list.digests[0];
    CHECK(tf_revocations_have_bundle(&set, &what));
    what = all_good;
    what.version = 6;
    CHECK(tf_revocations_have_bundle(&set, &what));
    what.name = "hell";
    CHECK(!tf_revocations_have_bundle(&set, &what));
    what.signer = HASH;
    CHECK(tf_revocations_have_bundle(&set, &what));
    CHECK(tf_revocations_have_signer(&set, HASH));
    CHECK(!tf_revocations_have_signer(&set, "f"));
}

int main(void)
{
    open_world();
    RUN(a_list_of_each);
    RUN(lists_that_are_none);
    RUN(more_than_a_list_may_have);
    RUN(the_largest_list_fits_its_envelope);
    RUN(a_publisher_revokes_one_listed_before_it);
    RUN(an_attester_revokes);
    RUN(a_list_of_a_stranger);
    RUN(a_signature_made_for_something_else);
    RUN(an_older_list_put_back);
    RUN(a_revoked_key_signs_a_newer_list);
    RUN(what_is_revoked);
    close_world();
    return test_end();
}
