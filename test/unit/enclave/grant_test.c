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
    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_grant(rig, client, &(struct rig_grant){.floor = 7}, NULL) == 200);
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, blob.data, blob.size) == TF_EGRANT_OLD);
    struct fixture_bytes later = sealed(rig);
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, later.data, later.size) ==
          TF_OK); /* the same */
    /* Not even when the lambda went meanwhile. */
    CHECK(rig_drop(rig, 0, "hello") == TF_OK && rig_load(rig, 0, &hello) == TF_OK);
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, blob.data, blob.size) == TF_EGRANT_OLD);
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, later.data, later.size) == TF_OK);
    free(blob.data);
    free(later.data);
    rig_close(rig);
}

static void a_serial_stands_for_one_grant(void)
{
    struct rig *rig = rig_open();
    char *answer = NULL;

    rig_serve_hello(rig);
    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_grant(rig, client, &(struct rig_grant){.serial = 1}, &answer) == 400);
    CHECK(rig_is_error(answer, TF_EGRANT_OLD)); /* another key under the same serial */
    free(answer);
    CHECK(rig_grant(rig, client, &(struct rig_grant){.serial = 9}, NULL) == 200);
    CHECK(rig_grant(rig, client, &(struct rig_grant){.serial = 8}, &answer) == 400);
    CHECK(rig_is_error(answer, TF_EGRANT_OLD));
    free(answer);
    rig_close(rig);
}

/* --- time
 * ------------------------------------------------------------------------------- */

static bool serves(struct rig *rig)
{
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    bool is_up = rig_is_up(client);

    rig_hang_up(rig, client);
    return is_up;
}

static void a_statement_from_before_the_last_one_is_refused(void)
{
    struct rig *rig = rig_open();
    char *answer = NULL;

    rig_serve_hello(rig);
    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_grant(rig, client,
                    &(struct rig_grant){.time = rig->now - 1, .not_before = 1},
                    &answer) == 400);
    CHECK(rig_is_error(answer, TF_EGRANT_OLD));
    free(answer);
    rig_close(rig);
}

/* The granter's clock counts, not the host's. */
static void a_host_that_lies_about_the_date_revives_no_grant(void)
{
    struct rig *rig = rig_open();

    rig->now -= 400 * 86400; /* the host's; the granter knows better */
    const struct rig_grant grant = {.time = 1790000000,
                                    .not_before = 1790000000,
                                    .not_after = 1790003600,
                                    .cert_now = 1790000000};
    CHECK(rig_load(rig, 0, &hello) == TF_OK);
    CHECK(rig_grant(rig, rig_connect(rig, 0, management), &grant, NULL) == 200);
    CHECK(serves(rig));
    rig->now += 3599;
    CHECK(serves(rig));
    rig->now += 1;
    CHECK(!serves(rig));
    rig->now -= 3600; /* back to where it was in force */
    CHECK(!serves(rig));
    rig->now += 10;
    CHECK(!serves(rig));
    rig_close(rig);
}

static void a_clock_turned_forward_ends_grants_and_extends_none(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    rig->now += 400 * 86400;
    CHECK(!serves(rig));
    rig->now -= 400 * 86400;
    CHECK(!serves(rig)); /* until somebody says what time it is */
    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_grant(rig, client, &(struct rig_grant){0}, NULL) == 200);
    CHECK(serves(rig));
    rig_close(rig);
}

static void a_host_whose_clock_knows_no_bounds_wraps_no_time(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    rig->now = UINT64_MAX / 1000000000;
    CHECK(!serves(rig));
    rig_close(rig);
}

static void a_grant_ends_with_its_certificate(void)
{
    struct rig *rig = rig_open();
    char *answer = NULL;
    const struct rig_grant late = {.not_after = 1790999999}; /* the leaf has one day */

    CHECK(rig_load(rig, 0, &hello) == TF_OK);
    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_grant(rig, client, &late, NULL) == 200);
    rig->now += 86399;
    CHECK(serves(rig));
    rig->now += 1;
    CHECK(!serves(rig));
    client = rig_connect(rig, 0, management);
    const struct rig_grant over = {.not_after = 1790999999, .cert_now = 1790000000};
    CHECK(rig_grant(rig, client, &over, &answer) == 400);
    CHECK(rig_is_error(answer, TF_EGRANT_EXPIRED));
    free(answer);
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

/* --- secrets
 * ---------------------------------------------------------------------------- */

static const struct rig_lambda with_env = {.name = "hello",
                                           .version = 7,
                                           .code = "env",
                                           .domains = {"hello.example"},
                                           .env = "{\"A\":\"1\",\"B\":\"2\"}"};

/* Whether the lambda's variables are these lines. */
static bool has_env(struct rig *rig, const char *lines)
{
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    char *text = rig_ask(rig, client, "GET / HTTP/1.1\r\nHost: hello.example\r\n\r\n");
    const char *body = strstr(text, "\r\n\r\n");
    bool is_so = body != NULL && strcmp(body + 4, lines) == 0;

    if (!is_so) {
        (void)fprintf(stderr, "  env is %s\n", text);
    }
    free(text);
    rig_hang_up(rig, client);
    return is_so;
}

static void secrets_are_variables_of_their_grant(void)
{
    const struct rig_grant first = {.secrets = {{"B", "two"}, {"C", "\"3\""}}};
    const struct rig_grant second = {.secrets = {{"C", "four"}}};
    struct rig *rig = rig_open();

    CHECK(rig_load(rig, 0, &with_env) == TF_OK);
    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_grant(rig, client, &(struct rig_grant){0}, NULL) == 200);
    CHECK(has_env(rig, "A=1\nB=2\n"));
    CHECK(rig_grant(rig, client, &first, NULL) == 200);
    CHECK(has_env(rig, "A=1\nB=two\nC=\"3\"\n"));
    CHECK(rig_grant(rig, client, &second, NULL) == 200);
    CHECK(has_env(rig, "A=1\nB=2\nC=four\n"));
    CHECK(rig_grant(rig, client, &(struct rig_grant){0}, NULL) == 200);
    CHECK(has_env(rig, "A=1\nB=2\n"));
    rig_close(rig);
}

static void secrets_come_back_with_the_sealed_grant(void)
{
    const struct rig_grant grant = {.secrets = {{"C", "three"}, {"D", ""}}};
    struct rig *rig = rig_open();

    CHECK(rig_load(rig, 0, &with_env) == TF_OK);
    CHECK(rig_grant(rig, rig_connect(rig, 0, management), &grant, NULL) == 200);
    struct fixture_bytes blob = sealed(rig);
    restart(rig);
    CHECK(rig_load(rig, 0, &with_env) == TF_OK);
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, blob.data, blob.size) == TF_OK);
    CHECK(has_env(rig, "A=1\nB=2\nC=three\nD=\n"));
    free(blob.data);
    rig_close(rig);
}

static void no_secret_leaves_the_enclave(void)
{
    static const char marker[] = "password of the clinic";
    const struct rig_grant grant = {.secrets = {{"PASSWORD", marker}}};
    struct rig *rig = rig_open();

    CHECK(rig_load(rig, 0, &with_env) == TF_OK);
    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_grant(rig, client, &grant, NULL) == 200);
    CHECK(has_env(rig, "A=1\nB=2\nPASSWORD=password of the clinic\n"));
    CHECK(!has_host_seen(rig, marker));
    rig_close(rig);
}

/* Nor does it stay in the thread's heap, where a snapshot held it. */
static void a_secret_that_was_replaced_is_wiped(void)
{
    static const char marker[] = "password of the clinic";
    const struct rig_grant grant = {.secrets = {{"PASSWORD", marker}}};
    struct rig *rig = rig_open();
    const struct tf_thread_page *page = (const void *)rig->threads[0].page;
    const void *heap = (const void *)(uintptr_t)page->heap;

    CHECK(rig_load(rig, 0, &with_env) == TF_OK);
    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_grant(rig, client, &grant, NULL) == 200);
    CHECK(has_env(rig, "A=1\nB=2\nPASSWORD=password of the clinic\n"));
    CHECK(memmem(heap, page->heap_size, marker, strlen(marker)) != NULL);
    CHECK(rig_grant(rig, client, &(struct rig_grant){0}, NULL) == 200);
    CHECK(has_env(rig, "A=1\nB=2\n"));
    CHECK(memmem(heap, page->heap_size, marker, strlen(marker)) == NULL);
    rig_close(rig);
}

static void secrets_have_bounds(void)
{
    static char large[TF_SECRETS_SIZE];
    const struct rig_grant fits = {.secrets = {{"A", large}}};
    const struct rig_grant no_name = {.secrets = {{"", "x"}}};
    const struct rig_grant twice = {.secrets = {{"A", "x"}, {"A", "y"}}};

    memset(large, 'x', sizeof(large) - 1);
    CHECK(is_refused(&fits, TF_EGRANT_FORMAT));
    CHECK(is_refused(&no_name, TF_EGRANT_FORMAT));
    CHECK(is_refused(&twice, TF_EGRANT_FORMAT));
    large[sizeof(large) - sizeof("A") - 1] = '\0';
    struct rig *rig = rig_open();
    CHECK(rig_load(rig, 0, &with_env) == TF_OK);
    CHECK(rig_grant(rig, rig_connect(rig, 0, management), &fits, NULL) == 200);
    rig_close(rig);
}

/* --- what the host sees
 * ----------------------------------------------------------------- */

static void no_key_leaves_the_enclave(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    const struct tf_grant *grant = tf_instance_find(tf_instance_self(), "hello")->grant;
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
    RUN(a_serial_stands_for_one_grant);
    RUN(a_statement_from_before_the_last_one_is_refused);
    RUN(a_host_that_lies_about_the_date_revives_no_grant);
    RUN(a_clock_turned_forward_ends_grants_and_extends_none);
    RUN(a_host_whose_clock_knows_no_bounds_wraps_no_time);
    RUN(a_grant_ends_with_its_certificate);
    RUN(secrets_are_variables_of_their_grant);
    RUN(secrets_come_back_with_the_sealed_grant);
    RUN(no_secret_leaves_the_enclave);
    RUN(a_secret_that_was_replaced_is_wiped);
    RUN(secrets_have_bounds);
    RUN(no_key_leaves_the_enclave);
    RUN(no_request_or_answer_leaves_the_enclave);
    return test_end();
}
