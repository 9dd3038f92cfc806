/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation lists in a running instance, and what those try who have something revoked.
 */
#include "enclave/revoke.h"

#include "test/native/native.h"
#include "test/native/rig.h"
#include "test/test.h"

/* Of a lambda that no test revokes: without one there is no such name. */
static const char management[] = "other.manage.tfaas.internal";

static const struct rig_lambda hello = {.name = "hello",
                                        .version = 7,
                                        .code = "echo",
                                        .domains = {"hello.example", "hallo.example"}};

static const struct rig_lambda other = {
    .name = "other", .version = 1, .code = "echo", .domains = {"other.example"}};

static struct rig_lambda version(uint64_t number)
{
    struct rig_lambda lambda = hello;
    lambda.version = number;
    return lambda;
}

/* Posts a list over a management connection. @return the status; the body in *out. */
static int post(struct rig *rig, const struct fixture_key *by,
                const struct tf_revocations *list, char **out)
{
    struct fixture_bytes envelope = fixture_revocations(by, list);
    CHECK(rig_load(rig, 0, &other) == TF_OK);
    struct rig_client *client = rig_connect(rig, 0, management);
    int status =
        rig_post(rig, client, "/v1/revocations", (const char *)envelope.data, out);
    rig_hang_up(rig, client);
    free(envelope.data);
    return status;
}

static struct tf_revocations signer_list(uint64_t serial, const struct fixture_key *key)
{
    struct tf_revocations list = {.serial = serial, .signer_count = 1};
    memcpy(list.signers[0], key->publisher.keyid, sizeof(list.signers[0]));
    return list;
}

static struct tf_revocations version_list(uint64_t serial, uint64_t below)
{
    return (struct tf_revocations){.serial = serial,
                                   .version_count = 1,
                                   .versions = {{.name = "hello", .below = below}}};
}

/* The digest of what the last RESULT said was loaded. */
static struct tf_revocations digest_list(struct rig *rig, uint64_t serial)
{
    struct tf_revocations list = {.serial = serial, .digest_count = 1};
    char *text = rig_result(rig);
    const char *hex = strstr(text, "\"digest\":\"");
    CHECK(hex != NULL && tf_hex_parse(hex + 10, 64, list.digests[0], 32) == TF_OK);
    free(text);
    return list;
}

static void a_revoked_bundle_stops_at_once(void)
{
    struct rig *rig = rig_open();
    rig_serve_hello(rig);
    CHECK(rig_load(rig, 0, &hello) == TF_OK); /* the same again: tells its digest */
    struct tf_revocations list = digest_list(rig, 1);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    CHECK(rig_is_up(client));
    char *answer = rig_ask(rig, client, "GET / HTTP/1.1\r\nHost: hello.example\r\n\r\n");
    CHECK(strncmp(answer, "HTTP/1.1 200", 12) == 0);
    free(answer);
    CHECK(rig_revoke(rig, &rig->publisher, &list) == TF_OK);
    answer = rig_result(rig);
    CHECK(strstr(answer, "\"serial\":1,\"dropped\":[\"hello\"]}") != NULL);
    CHECK(strstr(answer, rig->publisher.publisher.keyid) != NULL);
    free(answer);
    answer = rig_ask(rig, client, "GET / HTTP/1.1\r\nHost: hello.example\r\n\r\n");
    CHECK(strncmp(answer, "HTTP/1.1 200", 12) != 0);
    free(answer);
    client = rig_connect(rig, 0, "hello.example");
    CHECK(!rig_is_up(client) && client->alert == SSL_AD_UNRECOGNIZED_NAME);
    CHECK(rig_load(rig, 0, &hello) == TF_EREVOKED);
    struct rig_lambda newer = version(8);
    CHECK(rig_load(rig, 0, &newer) == TF_OK);
    rig_close(rig);
}

static void a_list_by_the_management_endpoint(void)
{
    struct rig *rig = rig_open();
    char *answer = NULL;
    rig_serve_hello(rig);
    struct tf_revocations list = version_list(3, 8);
    rig_log_clear(rig);
    CHECK(post(rig, &rig->publisher, &list, &answer) == 200);
    CHECK(strstr(answer, "\"serial\":3,\"dropped\":[\"hello\"]}") != NULL);
    const struct rig_frame *frame = rig_last(rig, TF_MSG_REVOKED);
    if (CHECK(frame != NULL)) {
        struct tf_msg_revoked message;
        struct fixture_bytes envelope = fixture_revocations(&rig->publisher, &list);
        const uint8_t *at = frame->payload + sizeof(message);
        memcpy(&message, frame->payload, sizeof(message));
        CHECK(message.answer_size == strlen(answer));
        CHECK(memcmp(at, answer, message.answer_size) == 0);
        CHECK(frame->size == sizeof(message) + message.answer_size + envelope.size);
        CHECK(memcmp(at + message.answer_size, envelope.data, envelope.size) == 0);
        free(envelope.data);
    }
    free(answer);
    /* Once more: it is in force, and the store has it. */
    rig_log_clear(rig);
    CHECK(post(rig, &rig->publisher, &list, &answer) == 200);
    CHECK(strstr(answer, "\"dropped\":[]}") != NULL);
    CHECK(rig_last(rig, TF_MSG_REVOKED) == NULL);
    free(answer);
    CHECK(tf_revoke_has(tf_instance_self(), rig->publisher.publisher.keyid, 3));
    CHECK(!tf_revoke_has(tf_instance_self(), rig->publisher.publisher.keyid, 4));
    CHECK(!tf_revoke_has(tf_instance_self(), rig->stranger.publisher.keyid, 0));
    rig_close(rig);
}

static void an_older_list_put_back(void)
{
    struct rig *rig = rig_open();
    char *answer = NULL;
    struct tf_revocations nothing = {.serial = 1};
    struct tf_revocations list = version_list(2, 8);
    CHECK(rig_revoke(rig, &rig->publisher, &list) == TF_OK);
    CHECK(rig_revoke(rig, &rig->publisher, &nothing) == TF_EREVOCATION_OLD);
    nothing.serial = 2; /* the serial used twice */
    CHECK(post(rig, &rig->publisher, &nothing, &answer) == 400);
    CHECK(rig_is_error(answer, TF_EREVOCATION_OLD));
    free(answer);
    CHECK(rig_load(rig, 0, &hello) == TF_EREVOKED);
    nothing.serial = 3;
    CHECK(rig_revoke(rig, &rig->publisher, &nothing) == TF_OK); /* taken back for good */
    CHECK(rig_load(rig, 0, &hello) == TF_OK);
    rig_close(rig);
}

static void a_list_of_a_stranger(void)
{
    struct rig *rig = rig_open();
    char *answer = NULL;
    rig_serve_hello(rig);
    struct tf_revocations list = version_list(1, 8);
    CHECK(post(rig, &rig->stranger, &list, &answer) == 400);
    CHECK(rig_is_error(answer, TF_EREVOCATION_SIGNER));
    free(answer);
    CHECK(rig_revoke(rig, &rig->stranger, &list) == TF_EREVOCATION_SIGNER);
    CHECK(rig_is_up(rig_connect(rig, 0, "hello.example")));
    rig_close(rig);
}

static void a_publisher_revokes_one_listed_before_it(void)
{
    struct rig *rig = rig_open_pair();
    rig_serve_hello(rig); /* signed by the first */
    struct tf_revocations list = signer_list(1, &rig->publisher);
    CHECK(rig_revoke(rig, &rig->stranger, &list) == TF_EREVOCATION_SIGNER);
    CHECK(rig_is_up(rig_connect(rig, 0, "hello.example")));
    CHECK(rig_revoke(rig, &rig->publisher, &list) == TF_OK); /* itself */
    CHECK(!rig_is_up(rig_connect(rig, 0, "hello.example")));
    CHECK(rig_load(rig, 0, &hello) == TF_EREVOKED);
    struct rig_lambda again = hello;
    again.key = &rig->stranger;
    CHECK(rig_load(rig, 0, &again) == TF_OK);
    rig_close(rig);
}

static void a_revoked_key_signs_a_newer_list(void)
{
    struct rig *rig = rig_open_pair();
    struct tf_revocations first = version_list(1, 5);
    struct tf_revocations newer = version_list(2, 100);
    struct tf_revocations revoke = signer_list(1, &rig->stranger);
    char *answer = NULL;
    rig_serve_hello(rig);
    CHECK(rig_revoke(rig, &rig->stranger, &first) == TF_OK);
    CHECK(rig_revoke(rig, &rig->publisher, &revoke) == TF_OK);
    CHECK(rig_revoke(rig, &rig->stranger, &newer) == TF_EREVOKED);
    CHECK(post(rig, &rig->stranger, &newer, &answer) == 400);
    CHECK(rig_is_error(answer, TF_EREVOKED));
    free(answer);
    CHECK(rig_is_up(rig_connect(rig, 0, "hello.example")));
    CHECK(rig_revoke(rig, &rig->stranger, &first) == TF_OK); /* it counts on */
    CHECK(rig_drop(rig, 0, "hello") == TF_OK);
    rig_close(rig);
}

static void a_revoked_key_signs_bundles_and_grants(void)
{
    struct rig *rig = rig_open_pair();
    struct rig_lambda theirs = hello;
    struct tf_revocations revoke = signer_list(1, &rig->stranger);
    const struct rig_grant grant = {.signer = &rig->stranger};
    char *answer = NULL;
    theirs.key = &rig->stranger;
    CHECK(rig_load(rig, 0, &hello) == TF_OK);
    CHECK(rig_revoke(rig, &rig->publisher, &revoke) == TF_OK);
    struct rig_client *client = rig_connect(rig, 0, "hello.manage.tfaas.internal");
    CHECK(rig_grant(rig, client, &grant, &answer) == 400);
    CHECK(rig_is_error(answer, TF_EREVOKED));
    free(answer);
    theirs.version = 8;
    CHECK(rig_load(rig, 0, &theirs) == TF_EREVOKED);
    CHECK(!tf_revocations_have_signer(&tf_instance_self()->revocations,
                                      rig->publisher.publisher.keyid));
    rig_close(rig);
}

/* Rotation without a gap: the same bundle signed with the next key takes the place of the
 * old one, a grant by the next key that of the old one; then the old key goes. */
static void a_bundle_signed_anew_outlives_its_first_key(void)
{
    struct rig *rig = rig_open_pair();
    struct rig_lambda again = hello;
    struct tf_revocations revoke = signer_list(1, &rig->publisher);
    again.key = &rig->stranger;
    rig_serve_hello(rig);
    CHECK(rig_load(rig, 0, &again) == TF_OK);
    CHECK(rig_is_up(rig_connect(rig, 0, "hello.example")));
    struct rig_client *client = rig_connect(rig, 0, "hello.manage.tfaas.internal");
    CHECK(rig_grant(rig, client, &(struct rig_grant){.signer = &rig->stranger}, NULL) ==
          200);
    CHECK(rig_revoke(rig, &rig->publisher, &revoke) == TF_OK);
    CHECK(rig_is_up(rig_connect(rig, 0, "hello.example")));
    rig_close(rig);
}

/* What a stolen key granted goes with the key, also when the store brings it back. */
static void a_revoked_key_leaves_no_grant_behind(void)
{
    struct rig *rig = rig_open_pair();
    struct rig_lambda again = hello;
    struct tf_revocations revoke = signer_list(1, &rig->publisher);
    again.key = &rig->stranger;
    rig_serve_hello(rig);
    const struct rig_frame *sealed = rig_last(rig, TF_MSG_SEALED);
    size_t head = sizeof(struct tf_msg_sealed) + strlen("hello");
    struct fixture_bytes grant = {malloc(sealed->size), sealed->size - head};
    memcpy(grant.data, sealed->payload + head, grant.size);
    CHECK(rig_load(rig, 0, &again) == TF_OK);
    CHECK(rig_revoke(rig, &rig->publisher, &revoke) == TF_OK);
    CHECK(!rig_is_up(rig_connect(rig, 0, "hello.example")));
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, grant.data, grant.size) == TF_EREVOKED);
    CHECK(!rig_is_up(rig_connect(rig, 0, "hello.example")));
    free(grant.data);
    rig_close(rig);
}

static void a_revoked_bundle_put_back_after_a_restart(void)
{
    struct rig *rig = rig_open();
    struct tf_revocations list = version_list(1, 8);
    rig_serve_hello(rig);
    const struct rig_frame *sealed = rig_last(rig, TF_MSG_SEALED);
    size_t head = sizeof(struct tf_msg_sealed) + strlen("hello");
    struct fixture_bytes grant = {malloc(sealed->size), sealed->size - head};
    memcpy(grant.data, sealed->payload + head, grant.size);
    rig_forget();
    rig_thread_make(rig, 0);
    CHECK(rig_init(rig, 0).exit == TF_EXIT_IDLE);
    CHECK(rig_revoke(rig, &rig->publisher, &list) == TF_OK);
    CHECK(rig_load(rig, 0, &hello) == TF_EREVOKED);
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, grant.data, grant.size) == TF_EGRANT_LAMBDA);
    free(grant.data);
    rig_close(rig);
}

static void a_list_too_large_for_the_store(void)
{
    static uint8_t bytes[TF_REVOCATIONS_ENVELOPE_MAX + 1];
    struct rig *rig = rig_open();
    memset(bytes, ' ', sizeof(bytes));
    CHECK(rig_blob(rig, 0, TF_BLOB_REVOCATIONS, bytes, sizeof(bytes)) == TF_ELIMIT);
    CHECK(rig_blob(rig, 0, TF_BLOB_REVOCATIONS, bytes, sizeof(bytes) - 1) ==
          TF_EREVOCATION_FORMAT);
    rig_close(rig);
}

int main(void)
{
    RUN(a_revoked_bundle_stops_at_once);
    RUN(a_list_by_the_management_endpoint);
    RUN(an_older_list_put_back);
    RUN(a_list_of_a_stranger);
    RUN(a_publisher_revokes_one_listed_before_it);
    RUN(a_revoked_key_signs_a_newer_list);
    RUN(a_revoked_key_signs_bundles_and_grants);
    RUN(a_bundle_signed_anew_outlives_its_first_key);
    RUN(a_revoked_key_leaves_no_grant_behind);
    RUN(a_revoked_bundle_put_back_after_a_restart);
    RUN(a_list_too_large_for_the_store);
    return test_end();
}
