/* SPDX-License-Identifier: Apache-2.0 */
/* Leases: what they keep alive, what ends them, and what a host or another granter cannot
 * do with one. */
#include "enclave/instance.h"
#include "test/native/native.h"
#include "test/native/rig.h"
#include "test/test.h"

enum { SERIAL = 5 };

static const char management[] = "hello.manage.tfaas.internal";

static const struct rig_lambda hello = {
    .name = "hello", .version = 7, .code = "echo", .domains = {"hello.example"}};
static const struct rig_lambda second = {
    .name = "second", .version = 1, .code = "echo", .domains = {"second.example"}};

static const struct rig_grant leased = {.is_leased = true, .serial = SERIAL};
static const struct tf_lease_statement of_hello = {.lambdas = {{"hello", SERIAL, 7}},
                                                   .lambda_count = 1};

/* hello, granted by the attester under a lease that is still to come. */
static struct rig *granted(void)
{
    struct rig *rig = rig_open();
    struct rig_grant grant = leased;

    grant.signer = &rig->attester;
    if (rig_load(rig, 0, &hello) != TF_OK ||
        rig_grant(rig, rig_connect(rig, 0, management), &grant, NULL) != 200) {
        abort();
    }
    return rig;
}

static int post(struct rig *rig, const struct tf_lease_statement *lease)
{
    struct rig_client *client = rig_connect(rig, 0, management);
    int status = rig_lease(rig, client, lease, NULL, NULL);

    rig_hang_up(rig, client);
    return status;
}

/* The same with a lease in force. */
static struct rig *serving(void)
{
    struct rig *rig = granted();

    if (post(rig, &of_hello) != 200) {
        abort();
    }
    return rig;
}

static bool serves(struct rig *rig, const char *name)
{
    struct rig_client *client = rig_connect(rig, 0, name);
    bool is_up = rig_is_up(client);

    rig_hang_up(rig, client);
    return is_up;
}

/* The status of a request on a connection that is open. */
static int ask(struct rig *rig, struct rig_client *client)
{
    char *text = rig_ask(rig, client, "GET / HTTP/1.1\r\nHost: hello.example\r\n\r\n");
    int status = strncmp(text, "HTTP/1.1 ", 9) == 0 ? atoi(text + 9) : 0;

    free(text);
    return status;
}

/* Whether a lease like this is refused so, and hello stays unserved. */
static bool is_refused(struct rig *rig, const struct tf_lease_statement *lease,
                       const struct fixture_key *signer, tf_err err)
{
    struct rig_client *client = rig_connect(rig, 0, management);
    char *answer = NULL;
    int status = rig_lease(rig, client, lease, signer, &answer);
    bool is_so =
        status == 400 && rig_is_error(answer, err) && !serves(rig, "hello.example");

    free(answer);
    rig_hang_up(rig, client);
    return is_so;
}

static void a_leased_grant_serves_only_under_a_lease(void)
{
    struct rig *rig = granted();
    char *answer = NULL;

    CHECK(!serves(rig, "hello.example"));
    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_lease(rig, client, &of_hello, NULL, &answer) == 200);
    CHECK(strcmp(answer, "{\"leased\":[\"hello\"],\"until\":1790000600,"
                         "\"time\":1790000000}") == 0);
    free(answer);
    struct rig_client *visitor = rig_connect(rig, 0, "hello.example");
    CHECK(ask(rig, visitor) == 200);
    rig->now += 599;
    CHECK(ask(rig, visitor) == 200);
    rig->now += 1;
    CHECK(!serves(rig, "hello.example"));
    CHECK(ask(rig, visitor) == 421); /* nor on a connection from before */
    CHECK(rig_lease(rig, client, &of_hello, NULL, NULL) == 200);
    CHECK(serves(rig, "hello.example"));
    rig_close(rig);
}

static void a_lease_is_seen_by_all_threads(void)
{
    struct rig *rig = granted();

    rig_thread_make(rig, 1);
    (void)rig_init(rig, 1);
    CHECK(!rig_is_up(rig_connect(rig, 1, "hello.example")));
    CHECK(post(rig, &of_hello) == 200);
    CHECK(rig_is_up(rig_connect(rig, 1, "hello.example")));
    CHECK(post(rig, &(struct tf_lease_statement){0}) == 200);
    CHECK(!rig_is_up(rig_connect(rig, 1, "hello.example")));
    rig_close(rig);
}

/* --- who may lease what
 * ----------------------------------------------------------------- */

static void a_stranger_s_lease_is_refused(void)
{
    struct rig *rig = granted();

    CHECK(is_refused(rig, &of_hello, &rig->stranger, TF_ELEASE_SIGNER));
    rig_close(rig);
}

static void an_attester_signs_no_bundle(void)
{
    struct rig *rig = rig_open();
    struct rig_lambda lambda = hello;

    lambda.key = &rig->attester;
    CHECK(rig_load(rig, 0, &lambda) == TF_EDSSE_SIGNER);
    rig_close(rig);
}

/* A clone has the same image, domain and store, but not the same id. */
static void a_lease_of_another_instance_is_refused(void)
{
    struct rig *rig = granted();
    struct tf_lease_statement lease = of_hello;

    memset(lease.instance, 0xc1, sizeof(lease.instance));
    CHECK(is_refused(rig, &lease, NULL, TF_ELEASE_INSTANCE));
    rig_close(rig);
}

static void a_replayed_lease_is_refused(void)
{
    struct rig *rig = granted();
    struct rig_client *first = rig_connect(rig, 0, management);
    struct tf_lease_statement lease = of_hello;

    CHECK(SSL_export_keying_material(first->ssl, lease.exporter, sizeof(lease.exporter),
                                     "EXPORTER-tfaas-attest", 21, (const uint8_t *)"", 0,
                                     1) == 1);
    CHECK(is_refused(rig, &lease, NULL, TF_ELEASE_INSTANCE));
    CHECK(rig_lease(rig, first, &lease, NULL, NULL) == 200); /* where it belongs */
    rig_close(rig);
}

/* Held back by the host while a later one went through on another connection. */
static void a_lease_from_before_the_last_one_is_refused(void)
{
    struct rig *rig = granted();
    struct tf_lease_statement before = of_hello;

    CHECK(post(rig, &(struct tf_lease_statement){0}) == 200);
    before.time = rig->now - 1;
    CHECK(is_refused(rig, &before, NULL, TF_ELEASE_OLD));
    rig_close(rig);
}

/* A host lets none through of the leases of many visits, each with its own bound of
 * requests, to use them up one after the other once the attester has stopped. */
static void leases_held_back_are_worth_one(void)
{
    struct rig *rig = granted();
    struct tf_lease_statement lease = of_hello;
    struct rig_client *held[3];
    char *answer = NULL;

    lease.requests = 1;
    for (int i = 0; i < 3; i++) {
        held[i] = rig_connect(rig, 0, management);
    }
    CHECK(rig_lease(rig, held[0], &lease, NULL, NULL) == 200);
    struct rig_client *visitor = rig_connect(rig, 0, "hello.example");
    CHECK(ask(rig, visitor) == 200);
    CHECK(ask(rig, visitor) == 421);
    CHECK(rig_lease(rig, held[1], &lease, NULL, &answer) == 400);
    CHECK(rig_is_error(answer, TF_ELEASE_OLD));
    free(answer);
    CHECK(rig_lease(rig, held[2], &lease, NULL, NULL) == 400);
    CHECK(!serves(rig, "hello.example"));
    /* Who is there now leases, on a new connection or the one of its last lease. */
    CHECK(post(rig, &lease) == 200);
    CHECK(rig_lease(rig, held[0], &lease, NULL, NULL) == 400);
    struct rig_client *now = rig_connect(rig, 0, management);
    CHECK(rig_lease(rig, now, &lease, NULL, NULL) == 200);
    CHECK(rig_lease(rig, now, &lease, NULL, NULL) == 200);
    CHECK(serves(rig, "hello.example"));
    rig_close(rig);
}

static void a_lease_out_of_its_bounds_is_refused(void)
{
    struct rig *rig = granted();
    struct tf_lease_statement lease = of_hello;

    lease.until = rig->now + TF_LEASE_SECONDS_MAX + 1;
    CHECK(is_refused(rig, &lease, NULL, TF_ELEASE_FORMAT));
    lease.until = rig->now - 1;
    CHECK(is_refused(rig, &lease, NULL, TF_ELEASE_FORMAT));
    lease = of_hello;
    lease.lambdas[1] = lease.lambdas[0];
    lease.lambda_count = 2;
    CHECK(is_refused(rig, &lease, NULL, TF_ELEASE_FORMAT));
    lease.until = rig->now + TF_LEASE_SECONDS_MAX;
    lease.lambda_count = 1;
    CHECK(post(rig, &lease) == 200);
    rig_close(rig);
}

static void a_lease_is_for_one_grant(void)
{
    struct rig *rig = granted();
    struct tf_lease_statement lease = of_hello;
    char *answer = NULL;

    lease.lambdas[0].serial = SERIAL - 1;
    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_lease(rig, client, &lease, NULL, &answer) == 200);
    CHECK(strstr(answer, "{\"leased\":[],") == answer);
    free(answer);
    CHECK(!serves(rig, "hello.example"));
    rig_close(rig);
}

static void a_lease_wants_the_revocation_lists_that_it_names(void)
{
    struct rig *rig = granted();
    struct tf_lease_statement lease = of_hello;
    const struct tf_revocations list = {.serial = 3};

    lease.revocation_count = 1;
    lease.revocations[0].serial = 3;
    memcpy(lease.revocations[0].signer, rig->publisher.publisher.keyid,
           sizeof(lease.revocations[0].signer));
    CHECK(is_refused(rig, &lease, NULL, TF_EREVOCATION_OLD));
    CHECK(rig_revoke(rig, &rig->publisher, &list) == TF_OK);
    lease.revocations[0].serial = 4;
    CHECK(is_refused(rig, &lease, NULL, TF_EREVOCATION_OLD));
    lease.revocations[0].serial = 3;
    CHECK(post(rig, &lease) == 200);
    CHECK(serves(rig, "hello.example"));
    rig_close(rig);
}

static void a_revoked_attester_leases_nothing(void)
{
    struct rig *rig = rig_open();
    struct rig_grant grant = leased;
    struct tf_revocations list = {.serial = 1, .signer_count = 1};

    CHECK(rig_load(rig, 0, &hello) == TF_OK);
    CHECK(rig_grant(rig, rig_connect(rig, 0, management), &grant, NULL) == 200);
    memcpy(list.signers[0], rig->attester.publisher.keyid, sizeof(list.signers[0]));
    CHECK(rig_revoke(rig, &rig->publisher, &list) == TF_OK);
    CHECK(is_refused(rig, &of_hello, NULL, TF_EREVOKED));
    rig_close(rig);
}

/* Stolen, say: the lease that it has given would last up to seven days. */
static void a_lease_ends_when_its_attester_is_revoked(void)
{
    struct rig *rig = rig_open();
    struct tf_revocations list = {.serial = 1, .signer_count = 1};

    CHECK(rig_load(rig, 0, &hello) == TF_OK);
    CHECK(rig_grant(rig, rig_connect(rig, 0, management), &leased, NULL) == 200);
    CHECK(post(rig, &of_hello) == 200);
    struct rig_client *visitor = rig_connect(rig, 0, "hello.example");
    CHECK(ask(rig, visitor) == 200);
    memcpy(list.signers[0], rig->attester.publisher.keyid, sizeof(list.signers[0]));
    CHECK(rig_revoke(rig, &rig->publisher, &list) == TF_OK);
    CHECK(ask(rig, visitor) == 421);
    CHECK(!serves(rig, "hello.example"));
    /* The grant is the publisher's, and may be leased by a key that is trusted. */
    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_lease(rig, client, &of_hello, &rig->publisher, NULL) == 200);
    CHECK(serves(rig, "hello.example"));
    rig_close(rig);
}

/* --- how a lease ends
 * ------------------------------------------------------------------- */

static void a_clock_turned_back_ends_all_leases(void)
{
    struct rig *rig = serving();
    struct rig_client *visitor = rig_connect(rig, 0, "hello.example");

    rig->now += 300;
    CHECK(ask(rig, visitor) == 200);
    rig->now -= 5; /* what a late thread may show */
    CHECK(ask(rig, visitor) == 200);
    rig->now -= 1;
    CHECK(!serves(rig, "hello.example"));
    rig->now += 6; /* it is not enough to put it right again */
    CHECK(!serves(rig, "hello.example"));
    CHECK(post(rig, &of_hello) == 200);
    CHECK(serves(rig, "hello.example"));
    rig_close(rig);
}

static void a_clock_400_days_ahead_extends_nothing(void)
{
    struct rig *rig = serving();

    rig->now += UINT64_C(400) * 86400;
    CHECK(!serves(rig, "hello.example"));
    rig->now -= UINT64_C(400) * 86400;
    CHECK(!serves(rig, "hello.example"));
    rig_close(rig);
}

/* A clock 400 days back from the start: the lease lasts as long as it says. */
static void a_clock_400_days_behind_extends_nothing(void)
{
    struct rig *rig = granted();
    struct tf_lease_statement lease = of_hello;

    rig->now -= UINT64_C(400) * 86400;
    lease.time = 1790000000;
    CHECK(post(rig, &lease) == 200);
    CHECK(serves(rig, "hello.example"));
    rig->now += 599;
    CHECK(serves(rig, "hello.example"));
    rig->now += 1;
    CHECK(!serves(rig, "hello.example"));
    rig_close(rig);
}

static void a_clock_that_stands_still_is_bound_by_requests(void)
{
    struct rig *rig = granted();
    struct tf_lease_statement lease = of_hello;

    lease.requests = 3;
    CHECK(post(rig, &lease) == 200);
    rig_thread_make(rig, 1);
    (void)rig_init(rig, 1);
    struct rig_client *visitor = rig_connect(rig, 0, "hello.example");
    struct rig_client *other = rig_connect(rig, 1, "hello.example");
    CHECK(ask(rig, visitor) == 200);
    CHECK(ask(rig, other) == 200);
    CHECK(ask(rig, visitor) == 200);
    CHECK(ask(rig, visitor) == 421);
    CHECK(ask(rig, other) == 421);
    CHECK(!serves(rig, "hello.example"));
    CHECK(post(rig, &lease) == 200); /* which counts anew */
    CHECK(serves(rig, "hello.example"));
    rig_close(rig);
}

static void a_lambda_left_out_is_stopped(void)
{
    struct rig *rig = serving();
    struct tf_lease_statement both = {.lambdas = {{"hello", SERIAL, 0}, {"second", 1, 0}},
                                      .lambda_count = 2};
    struct rig_grant grant = {
        .lambda = "second", .names = {"second.example"}, .is_leased = true, .serial = 1};

    CHECK(rig_load(rig, 0, &second) == TF_OK);
    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_grant(rig, client, &grant, NULL) == 200);
    CHECK(rig_lease(rig, client, &both, NULL, NULL) == 200);
    CHECK(serves(rig, "hello.example") && serves(rig, "second.example"));
    /* Another signer's lease leaves them alone. */
    CHECK(rig_lease(rig, client, &(struct tf_lease_statement){0}, &rig->publisher,
                    NULL) == 200);
    CHECK(serves(rig, "hello.example") && serves(rig, "second.example"));
    CHECK(rig_lease(rig, client, &of_hello, NULL, NULL) == 200);
    CHECK(serves(rig, "hello.example") && !serves(rig, "second.example"));
    CHECK(rig_lease(rig, client, &(struct tf_lease_statement){0}, NULL, NULL) == 200);
    CHECK(!serves(rig, "hello.example"));
    rig_close(rig);
}

static void a_renewed_grant_keeps_its_lease(void)
{
    struct rig *rig = serving();
    struct rig_grant next = {
        .is_leased = true, .serial = SERIAL + 1, .signer = &rig->attester};

    struct rig_client *client = rig_connect(rig, 0, management);
    CHECK(rig_grant(rig, client, &next, NULL) == 200);
    CHECK(serves(rig, "hello.example")); /* without a gap */
    rig->now += 600;
    CHECK(!serves(rig, "hello.example"));
    next.serial++;
    CHECK(rig_grant(rig, client, &next, NULL) == 200);
    CHECK(!serves(rig, "hello.example")); /* but it begins none */
    rig_close(rig);
}

static void another_granter_s_grant_gets_no_lease(void)
{
    struct rig *rig = serving();
    struct rig_grant theirs = {.is_leased = true, .serial = SERIAL + 1};

    CHECK(rig_grant(rig, rig_connect(rig, 0, management), &theirs, NULL) == 200);
    CHECK(!serves(rig, "hello.example"));
    rig_close(rig);
}

/* --- nothing older comes back
 * ----------------------------------------------------------- */

static void a_leased_grant_is_not_in_the_store(void)
{
    struct rig *rig = serving();

    CHECK(rig_last(rig, TF_MSG_SEALED) == NULL);
    rig_close(rig);
}

/* The sealed grant of a rig; on the heap. */
static struct fixture_bytes sealed(const struct rig *rig)
{
    const struct rig_frame *frame = rig_last(rig, TF_MSG_SEALED);
    size_t head = sizeof(struct tf_msg_sealed) + strlen("hello");
    struct fixture_bytes blob = {malloc(frame->size), frame->size - head};

    memcpy(blob.data, frame->payload + head, blob.size);
    return blob;
}

/* An old copy of the store, brought back after a restart and after the attester spoke. */
static void an_older_serial_from_the_store_is_refused(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    struct fixture_bytes blob = sealed(rig);
    rig_forget();
    rig_thread_make(rig, 0);
    CHECK(rig_init(rig, 0).exit == TF_EXIT_IDLE);
    CHECK(rig_load(rig, 0, &hello) == TF_OK);
    CHECK(post(rig, &of_hello) == 200); /* serial 5 is the least */
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, blob.data, blob.size) == TF_EGRANT_OLD);
    CHECK(!serves(rig, "hello.example"));
    free(blob.data);
    rig_close(rig);
}

static void a_grant_below_the_confirmed_serial_goes_at_once(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig); /* serial 1, without a lease */
    struct rig_client *visitor = rig_connect(rig, 0, "hello.example");
    CHECK(ask(rig, visitor) == 200);
    CHECK(post(rig, &of_hello) == 200);
    CHECK(ask(rig, visitor) == 421);
    CHECK(!serves(rig, "hello.example"));
    rig_close(rig);
}

static void a_bundle_below_the_confirmed_floor_goes_at_once(void)
{
    struct rig *rig = serving();
    struct tf_lease_statement lease = of_hello;
    struct rig_lambda newer = hello;

    lease.lambdas[0].version_floor = 8;
    CHECK(rig_load(rig, 0, &second) == TF_OK); /* for its management name */
    CHECK(post(rig, &lease) == 200);
    CHECK(!serves(rig, "hello.example"));
    CHECK(rig_load(rig, 0, &hello) == TF_EVERSION_FLOOR);
    newer.version = 8;
    CHECK(rig_load(rig, 0, &newer) == TF_OK);
    rig_close(rig);
}

static void a_floor_holds_for_what_is_not_loaded_yet(void)
{
    struct rig *rig = serving();
    struct tf_lease_statement lease = {
        .lambdas = {{"hello", SERIAL, 7}, {"second", 9, 2}}, .lambda_count = 2};

    CHECK(post(rig, &lease) == 200);
    CHECK(rig_load(rig, 0, &second) == TF_EVERSION_FLOOR);
    rig_close(rig);
}

int main(void)
{
    RUN(a_leased_grant_serves_only_under_a_lease);
    RUN(a_lease_is_seen_by_all_threads);
    RUN(a_stranger_s_lease_is_refused);
    RUN(an_attester_signs_no_bundle);
    RUN(a_lease_of_another_instance_is_refused);
    RUN(a_replayed_lease_is_refused);
    RUN(a_lease_from_before_the_last_one_is_refused);
    RUN(leases_held_back_are_worth_one);
    RUN(a_lease_out_of_its_bounds_is_refused);
    RUN(a_lease_is_for_one_grant);
    RUN(a_lease_wants_the_revocation_lists_that_it_names);
    RUN(a_revoked_attester_leases_nothing);
    RUN(a_lease_ends_when_its_attester_is_revoked);
    RUN(a_clock_turned_back_ends_all_leases);
    RUN(a_clock_400_days_ahead_extends_nothing);
    RUN(a_clock_400_days_behind_extends_nothing);
    RUN(a_clock_that_stands_still_is_bound_by_requests);
    RUN(a_lambda_left_out_is_stopped);
    RUN(a_renewed_grant_keeps_its_lease);
    RUN(another_granter_s_grant_gets_no_lease);
    RUN(a_leased_grant_is_not_in_the_store);
    RUN(an_older_serial_from_the_store_is_refused);
    RUN(a_grant_below_the_confirmed_serial_goes_at_once);
    RUN(a_bundle_below_the_confirmed_floor_goes_at_once);
    RUN(a_floor_holds_for_what_is_not_loaded_yet);
    return test_end();
}
