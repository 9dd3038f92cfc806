/* SPDX-License-Identifier: Apache-2.0 */
/* Grants that must not be: forged, replayed, for other names, keys, times; and old ones
 * that the host brings back from its store. */
#include "enclave/instance.h"
#include "test/native/native.h"
#include "test/native/rig.h"
#include "test/test.h"

static const char management[] = "hello.manage.tfaas.internal";

static const struct rig_lambda hello = {.name = "hello",
                                        .version = 7,
                                        .code = "echo",
                                        .domains = {"hello.example", "hallo.example"}};

/* Whether a grant like this is refused so on a fresh instance, and hello stays unserved.
 */
static bool is_refused(const struct rig_grant *grant, tf_err err)
{
    struct rig *rig = rig_open();
    char *answer = NULL;

    if (rig_load(rig, 0, &hello) != TF_OK) {
        abort();
    }
    struct rig_client *client = rig_connect(rig, 0, management);
    int status = rig_grant(rig, client, grant, &answer);
    bool is_so = status == 400 && rig_is_error(answer, err) &&
                 rig_last(rig, TF_MSG_SEALED) == NULL && !client->is_closed;
    struct rig_client *visitor = rig_connect(rig, 0, "hello.example");
    is_so = is_so && !rig_is_up(visitor);
    free(answer);
    rig_close(rig);
    return is_so;
}

static void a_stranger_s_grant_is_refused(void)
{
    struct fixture_key stranger = fixture_key_open("P-256");

    CHECK(is_refused(&(struct rig_grant){.signer = &stranger}, TF_EGRANT_SIGNER));
    fixture_key_close(&stranger);
}

static void a_grant_for_another_connection_is_refused(void)
{
    const uint8_t exporter[32] = {1};

    CHECK(is_refused(&(struct rig_grant){.exporter = exporter}, TF_EGRANT_CHANNEL));
}

static void a_replayed_grant_is_refused(void)
{
    struct rig *rig = rig_open();
    char *answer = NULL;
    uint8_t exporter[32];

    rig_serve_hello(rig);
    struct rig_client *first = rig_connect(rig, 0, management);
    struct rig_client *second = rig_connect(rig, 0, management);
    CHECK(SSL_export_keying_material(first->ssl, exporter, sizeof(exporter),
                                     "EXPORTER-tfaas-attest", 21, (const uint8_t *)"", 0,
                                     1) == 1);
    CHECK(rig_grant(rig, second, &(struct rig_grant){.exporter = exporter}, &answer) ==
          400);
    CHECK(rig_is_error(answer, TF_EGRANT_CHANNEL));
    free(answer);
    rig_close(rig);
}

static void a_grant_must_fit_the_lambda(void)
{
    static const char zeros[] =
        "0000000000000000000000000000000000000000000000000000000000000000";

    CHECK(is_refused(&(struct rig_grant){.lambda = "other"}, TF_EGRANT_LAMBDA));
    CHECK(is_refused(&(struct rig_grant){.digest = zeros}, TF_EGRANT_LAMBDA));
    CHECK(is_refused(&(struct rig_grant){.floor = 8}, TF_EGRANT_LAMBDA));
    CHECK(is_refused(&(struct rig_grant){.names = {"bank.example"}, .is_upload = true},
                     TF_EGRANT_DOMAIN));
    CHECK(is_refused(&(struct rig_grant){.digest = "00"}, TF_EGRANT_FORMAT));
    CHECK(is_refused(&(struct rig_grant){.names = {"Not a name"}, .is_upload = true},
                     TF_EGRANT_FORMAT));
    CHECK(is_refused(&(struct rig_grant){.has_extra_field = true}, TF_EGRANT_FORMAT));
}

static void the_certificate_must_be_for_exactly_the_names(void)
{
    CHECK(is_refused(&(struct rig_grant){.san = {"hello.example", "bank.example"}},
                     TF_EGRANT_DOMAIN));
    CHECK(is_refused(&(struct rig_grant){.san = {"hello.example", "hallo.example"}},
                     TF_EGRANT_DOMAIN));
    CHECK(is_refused(&(struct rig_grant){.names = {"hello.example", "hallo.example"},
                                         .san = {"hello.example"}},
                     TF_EGRANT_DOMAIN));
    CHECK(is_refused(&(struct rig_grant){.san = {"*.example"}}, TF_EGRANT_DOMAIN));
    CHECK(is_refused(&(struct rig_grant){.chain = "not PEM"}, TF_EGRANT_FORMAT));
    CHECK(is_refused(&(struct rig_grant){.chain = "-----BEGIN CERTIFICATE-----\nAAAA\n"
                                                  "-----END CERTIFICATE-----\n"},
                     TF_EGRANT_FORMAT));
}

static void the_key_must_be_the_certificate_s(void)
{
    EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    CHECK(is_refused(&(struct rig_grant){.other_key = other}, TF_EGRANT_KEY));
    CHECK(is_refused(&(struct rig_grant){.other_key = other, .is_upload = true},
                     TF_EGRANT_KEY));
    CHECK(is_refused(&(struct rig_grant){.other_key = ed25519, .is_upload = true},
                     TF_EGRANT_KEY));
    /* Kinds that are not served: the certificate is not even understood. */
    CHECK(is_refused(
        &(struct rig_grant){.kind = "P-384", .is_upload = true, .is_pkcs8 = true},
        TF_EGRANT_FORMAT));
    CHECK(is_refused(
        &(struct rig_grant){.kind = "RSA", .is_upload = true, .is_pkcs8 = true},
        TF_EGRANT_FORMAT));
    EVP_PKEY_free(other);
    EVP_PKEY_free(ed25519);
}

static void a_grant_outside_its_time_is_refused(void)
{
    CHECK(is_refused(&(struct rig_grant){.not_before = 1790000001}, TF_EGRANT_EXPIRED));
    CHECK(is_refused(&(struct rig_grant){.not_before = 1, .not_after = 1790000000},
                     TF_EGRANT_EXPIRED));
    CHECK(
        is_refused(&(struct rig_grant){.not_before = 1790000009, .not_after = 1790000001},
                   TF_EGRANT_EXPIRED));
}

static void two_lambdas_do_not_share_a_name(void)
{
    const struct rig_lambda second = {
        .name = "second", .version = 1, .code = "echo", .domains = {"hello.example"}};
    struct rig *rig = rig_open();
    char *answer = NULL;

    rig_serve_hello(rig);
    CHECK(rig_load(rig, 0, &second) == TF_OK);
    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_grant(rig, client, &(struct rig_grant){.lambda = "second"}, &answer) ==
          400);
    CHECK(rig_is_error(answer, TF_EGRANT_DOMAIN));
    free(answer);
    rig_close(rig);
}

static void without_a_request_there_is_no_key(void)
{
    struct rig *rig = rig_open();
    char *answer = NULL;

    CHECK(rig_load(rig, 0, &hello) == TF_OK);
    struct rig_client *client = rig_connect(rig, 0, management);
    char *body = NULL;
    CHECK(rig_post(rig, client, "/v1/csr",
                   "{\"lambda\":\"hello\",\"names\":[\"bank.example\"]}", &body) == 400);
    CHECK(rig_is_error(body, TF_EGRANT_DOMAIN));
    free(body);
    CHECK(rig_post(rig, client, "/v1/csr", "{\"lambda\":\"hullo\",\"names\":[\"a.b\"]}",
                   &body) == 400);
    CHECK(rig_is_error(body, TF_EGRANT_LAMBDA));
    free(body);
    CHECK(rig_post(rig, client, "/v1/csr", "{\"lambda\":\"hello\",\"names\":[]}",
                   &body) == 400);
    CHECK(rig_is_error(body, TF_EFORMAT));
    free(body);
    CHECK(rig_grant(rig, client, &(struct rig_grant){.has_no_key = true}, &answer) ==
          400);
    CHECK(rig_is_error(answer, TF_EGRANT_KEY));
    free(answer);
    rig_close(rig);
}

/* A chain that fits with an empty key, and no longer with the key filled in: it cannot be
 * sealed. What cannot be stored is not in force either, else a restart would end it
 * unasked, while the attester was told that there is no grant. */
static void a_grant_that_cannot_be_sealed_is_refused(void)
{
    enum { BYTES = 5320 };
    struct rig *rig = rig_open();
    char *answer = NULL;
    char *chain = calloc(1, BYTES + 1);

    CHECK(rig_load(rig, 0, &hello) == TF_OK);
    struct rig_client *client = rig_connect(rig, 0, management);
    memset(chain, 1, BYTES); /* each takes six bytes in JSON */
    const struct rig_grant grant = {.chain_end = chain};
    CHECK(rig_grant(rig, client, &grant, &answer) == 400);
    CHECK(rig_is_error(answer, TF_ELIMIT));
    CHECK(rig_last(rig, TF_MSG_SEALED) == NULL);
    CHECK(!rig_is_up(rig_connect(rig, 0, "hello.example")));
    free(answer);
    free(chain);
    rig_close(rig);
}

/* --- the host's store
 * ------------------------------------------------------------------- */

/* The sealed grant of a rig that serves hello; on the heap. */
static struct fixture_bytes sealed(const struct rig *rig)
{
    const struct rig_frame *frame = rig_last(rig, TF_MSG_SEALED);
    const struct tf_msg_sealed *message = (const void *)frame->payload;
    size_t head = sizeof(*message) + message->name_size;
    struct fixture_bytes blob = {malloc(frame->size), frame->size - head};

    CHECK(message->name_size == 5 &&
          memcmp(frame->payload + sizeof(*message), "hello", 5) == 0);
    memcpy(blob.data, frame->payload + head, blob.size);
    return blob;
}

/* The same enclave, started again: nothing in its memory, the same keys from the CPU. */
static void restart(struct rig *rig)
{
    rig_forget();
    rig_thread_make(rig, 0);
    CHECK(rig_init(rig, 0).exit == TF_EXIT_IDLE);
}

static void a_restart_needs_nobody(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    struct fixture_bytes blob = sealed(rig);
    restart(rig);
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, blob.data, blob.size) == TF_EGRANT_LAMBDA);
    CHECK(rig_load(rig, 0, &hello) == TF_OK);
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, blob.data, blob.size) == TF_OK);
    char *text = rig_result(rig);
    CHECK(strcmp(text, "{\"granted\":\"hello\",\"names\":[\"hello.example\"],"
                       "\"not_after\":1790003600}") == 0);
    free(text);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    CHECK(rig_is_up(client));
    restart(rig);
    rig->now += 3600;
    CHECK(rig_load(rig, 0, &hello) == TF_OK);
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, blob.data, blob.size) == TF_EGRANT_EXPIRED);
    free(blob.data);
    rig_close(rig);
}

static void a_sealed_grant_opens_in_this_enclave_only(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    struct fixture_bytes blob = sealed(rig);
    tf_native_cpu.mrenclave[0] ^= 1;
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, blob.data, blob.size) == TF_ESEAL);
    tf_native_cpu.mrenclave[0] ^= 1;
    tf_native_cpu.config_id[0] ^= 1;
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, blob.data, blob.size) == TF_ESEAL);
    tf_native_cpu.config_id[0] ^= 1;
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, blob.data, blob.size) == TF_OK);
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, blob.data, 50) == TF_ESEAL);
    free(blob.data);
    rig_close(rig);
}

static void an_old_sealed_grant_replaces_no_later_one(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    struct fixture_bytes blob = sealed(rig);
    rig->now += 10;
    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_grant(rig, client, &(struct rig_grant){.floor = 7}, NULL) == 200);
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, blob.data, blob.size) == TF_EGRANT_EXPIRED);
    free(blob.data);
    blob = sealed(rig);
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, blob.data, blob.size) == TF_OK); /* the same */
    free(blob.data);
    rig_close(rig);
}

/* Whether `needle` is in any frame that the host has seen, or in the rings. */
static bool has_host_seen(const struct rig *rig, const char *needle)
{
    const struct tf_channel *channel = rig->threads[0].channel;

    for (size_t i = 0; i < rig->log_count; i++) {
        if (memmem(rig->log[i].payload, rig->log[i].size, needle, strlen(needle)) !=
            NULL) {
            return true;
        }
    }
    return memmem(channel, sizeof(*channel), needle, strlen(needle)) != NULL;
}

static void no_key_leaves_the_enclave(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    const struct tf_grant *grant = NULL;
    for (size_t i = 0; i < TF_LAMBDAS_MAX; i++) {
        grant = tf_instance_self()->entries[i].grant != NULL
                    ? tf_instance_self()->entries[i].grant
                    : grant;
    }
    char line[65] = ""; /* of the key's PEM, the first after the header */
    memcpy(line, strchr(grant->key, '\n') + 1, 64);
    CHECK(strncmp(grant->key, "-----BEGIN EC PRIVATE KEY-----", 30) == 0);
    CHECK(!has_host_seen(rig, line));
    CHECK(!has_host_seen(rig, "PRIVATE KEY"));
    CHECK(has_host_seen(rig, "hello")); /* the search works */
    rig_close(rig);
}

static void no_request_or_answer_leaves_the_enclave(void)
{
    static const char marker[] = "the patient is called Ada";
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    char *text = rig_ask(rig, client,
                         "POST / HTTP/1.1\r\nHost: hello.example\r\n"
                         "Content-Length: 25\r\n\r\nthe patient is called Ada");
    CHECK(strstr(text, "HTTP/1.1 200") == text && strstr(text, marker) != NULL);
    CHECK(!has_host_seen(rig, marker));
    CHECK(!has_host_seen(rig, "HTTP/1.1"));
    free(text);
    rig_close(rig);
}

int main(void)
{
    RUN(a_stranger_s_grant_is_refused);
    RUN(a_grant_for_another_connection_is_refused);
    RUN(a_replayed_grant_is_refused);
    RUN(a_grant_must_fit_the_lambda);
    RUN(the_certificate_must_be_for_exactly_the_names);
    RUN(the_key_must_be_the_certificate_s);
    RUN(a_grant_outside_its_time_is_refused);
    RUN(two_lambdas_do_not_share_a_name);
    RUN(without_a_request_there_is_no_key);
    RUN(a_grant_that_cannot_be_sealed_is_refused);
    RUN(a_restart_needs_nobody);
    RUN(a_sealed_grant_opens_in_this_enclave_only);
    RUN(an_old_sealed_grant_replaces_no_later_one);
    RUN(no_key_leaves_the_enclave);
    RUN(no_request_or_answer_leaves_the_enclave);
    return test_end();
}
