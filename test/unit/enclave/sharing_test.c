/* SPDX-License-Identifier: Apache-2.0 */
/* Two domains in one enclave: what one of them tries with what belongs to the other. */
#include "enclave/instance.h"
#include "test/native/native.h"
#include "test/native/rig.h"
#include "test/test.h"

static const char management[] = "mine.manage.tfaas.internal";

/* The first member's and the second's. */
static const struct rig_lambda mine = {
    .name = "mine", .version = 7, .code = "echo", .domains = {"mine.example"}};
static const struct rig_lambda theirs = {
    .name = "theirs", .version = 7, .code = "echo", .domains = {"theirs.example"}};

static const struct rig_grant my_grant = {
    .lambda = "mine", .names = {"mine.example"}, .is_leased = true, .serial = 5};
static const struct rig_grant their_grant = {
    .lambda = "theirs", .names = {"theirs.example"}, .is_leased = true, .serial = 5};

static const struct tf_lease_statement my_lease = {.lambdas = {{"mine", 5, 0}},
                                                   .lambda_count = 1};
static const struct tf_lease_statement their_lease = {.lambdas = {{"theirs", 5, 0}},
                                                      .lambda_count = 1};

static tf_err load_theirs(struct rig *rig, const struct rig_lambda *lambda)
{
    struct rig_lambda signed_by_them = *lambda;

    signed_by_them.key = &rig->stranger;
    return rig_load(rig, 0, &signed_by_them);
}

/* Posts a grant. @return whether the answer is this error; TF_OK: a good one. */
static bool grants(struct rig *rig, const struct rig_grant *grant,
                   const struct fixture_key *signer, tf_err err)
{
    struct rig_client *client = rig_connect(rig, 0, management);
    struct rig_grant signed_by = *grant;
    char *answer = NULL;

    signed_by.signer = signer;
    int status = rig_grant(rig, client, &signed_by, &answer);
    bool is_so =
        err == TF_OK ? status == 200 : status == 400 && rig_is_error(answer, err);
    free(answer);
    rig_hang_up(rig, client);
    return is_so;
}

static bool leases(struct rig *rig, const struct tf_lease_statement *lease,
                   const struct fixture_key *signer, const char *leased)
{
    struct rig_client *client = rig_connect(rig, 0, management);
    char *answer = NULL;
    int status = rig_lease(rig, client, lease, signer, &answer);
    bool is_so = status == 200 && strstr(answer, leased) == answer;

    free(answer);
    rig_hang_up(rig, client);
    return is_so;
}

static bool serves(struct rig *rig, const char *name)
{
    struct rig_client *client = rig_connect(rig, 0, name);
    bool is_up = rig_is_up(client);

    rig_hang_up(rig, client);
    return is_up;
}

/* Both serve under a lease of their own publisher. */
static struct rig *serving(void)
{
    struct rig *rig = rig_open_shared();

    if (rig_load(rig, 0, &mine) != TF_OK || load_theirs(rig, &theirs) != TF_OK ||
        !grants(rig, &my_grant, &rig->publisher, TF_OK) ||
        !grants(rig, &their_grant, &rig->stranger, TF_OK) ||
        !leases(rig, &my_lease, &rig->publisher, "{\"leased\":[\"mine\"],") ||
        !leases(rig, &their_lease, &rig->stranger, "{\"leased\":[\"theirs\"],")) {
        abort();
    }
    return rig;
}

static void two_members_serve_in_one_instance(void)
{
    struct rig *rig = serving();

    CHECK(serves(rig, "mine.example") && serves(rig, "theirs.example"));
    rig_close(rig);
}

static void a_member_grants_the_other_s_lambda(void)
{
    struct rig *rig = serving();
    struct rig_grant next = my_grant;

    next.serial = 6;
    CHECK(grants(rig, &next, &rig->stranger, TF_EGRANT_LAMBDA));
    next = their_grant;
    next.serial = 6;
    CHECK(grants(rig, &next, &rig->publisher, TF_EGRANT_LAMBDA));
    CHECK(grants(rig, &next, &rig->attester, TF_EGRANT_LAMBDA));
    CHECK(grants(rig, &next, &rig->stranger, TF_OK));
    rig_close(rig);
}

static void a_member_leases_the_other_s_lambda(void)
{
    struct rig *rig = serving();
    struct tf_lease_statement high = my_lease;

    CHECK(
        leases(rig, &(struct tf_lease_statement){0}, &rig->publisher, "{\"leased\":[],"));
    CHECK(!serves(rig, "mine.example") && serves(rig, "theirs.example"));
    CHECK(leases(rig, &my_lease, &rig->stranger, "{\"leased\":[],"));
    CHECK(!serves(rig, "mine.example"));
    /* Nor does it raise the other's serial or version floor. */
    high.lambdas[0].serial = 900;
    high.lambdas[0].version_floor = 900;
    CHECK(leases(rig, &high, &rig->stranger, "{\"leased\":[],"));
    CHECK(leases(rig, &my_lease, &rig->publisher, "{\"leased\":[\"mine\"],"));
    CHECK(serves(rig, "mine.example"));
    rig_close(rig);
}

static void a_member_ends_the_other_s_lease(void)
{
    struct rig *rig = serving();

    CHECK(
        leases(rig, &(struct tf_lease_statement){0}, &rig->stranger, "{\"leased\":[],"));
    CHECK(serves(rig, "mine.example") && !serves(rig, "theirs.example"));
    rig_close(rig);
}

static void a_member_s_time_is_far_ahead(void)
{
    struct rig *rig = serving();
    struct tf_lease_statement ahead = their_lease;

    ahead.time = rig->now + UINT64_C(400) * 86400;
    CHECK(leases(rig, &ahead, &rig->stranger, "{\"leased\":[\"theirs\"],"));
    CHECK(!serves(rig, "theirs.example")); /* by their time their grant is over */
    CHECK(serves(rig, "mine.example"));
    CHECK(leases(rig, &my_lease, &rig->publisher, "{\"leased\":[\"mine\"],"));
    rig->now += 599;
    CHECK(serves(rig, "mine.example"));
    rig->now += 1; /* nor does a lie stretch them */
    CHECK(!serves(rig, "mine.example"));
    rig_close(rig);
}

static void a_clock_turned_back_ends_the_leases_of_both(void)
{
    struct rig *rig = serving();

    rig->now += 100;
    CHECK(serves(rig, "mine.example") && serves(rig, "theirs.example"));
    rig->now -= 6;
    CHECK(!serves(rig, "mine.example") && !serves(rig, "theirs.example"));
    rig_close(rig);
}

static void a_member_revokes_the_other_s_bundle(void)
{
    struct rig *rig = serving();
    struct tf_revocations list = {.serial = 1,
                                  .digest_count = 1,
                                  .version_count = 1,
                                  .versions = {{.name = "mine", .below = 900}}};

    memcpy(list.digests[0], tf_instance_find(tf_instance_self(), "mine")->lambda->digest,
           TF_SHA256_SIZE);
    CHECK(rig_revoke(rig, &rig->stranger, &list) == TF_OK);
    CHECK(serves(rig, "mine.example"));
    struct rig_lambda next = mine;
    next.version = 8;
    CHECK(rig_load(rig, 0, &next) == TF_OK);
    CHECK(rig_revoke(rig, &rig->publisher, &list) == TF_OK);
    CHECK(!serves(rig, "mine.example") && serves(rig, "theirs.example"));
    rig_close(rig);
}

static void a_member_revokes_the_other_s_key(void)
{
    struct rig *rig = serving();
    struct tf_revocations list = {.serial = 1, .signer_count = 1};

    memcpy(list.signers[0], rig->stranger.publisher.keyid, sizeof(list.signers[0]));
    CHECK(rig_revoke(rig, &rig->publisher, &list) == TF_EREVOCATION_SIGNER);
    memcpy(list.signers[0], rig->attester.publisher.keyid, sizeof(list.signers[0]));
    CHECK(rig_revoke(rig, &rig->stranger, &list) == TF_EREVOCATION_SIGNER);
    CHECK(rig_revoke(rig, &rig->publisher, &list) == TF_OK);
    rig_close(rig);
}

static void a_member_takes_the_other_s_name(void)
{
    struct rig *rig = serving();
    struct rig_lambda same = mine;

    same.version = 8;
    CHECK(load_theirs(rig, &same) == TF_ENAME_TAKEN);
    CHECK(serves(rig, "mine.example"));
    /* Once it is free it may have it, and the other's floor does not count. */
    CHECK(rig_drop(rig, 0, "mine") == TF_OK);
    same.version = 1;
    CHECK(load_theirs(rig, &same) == TF_OK);
    CHECK(rig_load(rig, 0, &mine) == TF_ENAME_TAKEN);
    CHECK(!serves(rig, "mine.example"));
    rig_close(rig);
}

static void a_member_takes_the_other_s_dns_name(void)
{
    struct rig *rig = serving();
    struct rig_lambda thief = {
        .name = "thief", .version = 1, .code = "echo", .domains = {"mine.example"}};
    struct rig_grant grant = {.lambda = "thief", .names = {"mine.example"}};

    CHECK(load_theirs(rig, &thief) == TF_OK);
    CHECK(grants(rig, &grant, &rig->stranger, TF_EGRANT_DOMAIN));
    rig_close(rig);
}

/* One that names ever new lambdas uses up its own share only. */
static void a_member_fills_the_table_of_floors(void)
{
    struct rig *rig = serving();
    struct tf_lease_statement many = {.lambda_count = TF_NAMED_MAX};
    struct rig_client *client = rig_connect(rig, 0, management);
    char *answer = NULL;
    int status = 200;

    for (unsigned round = 0; status == 200 && round < TF_FLOORS_MAX; round++) {
        for (unsigned i = 0; i < TF_NAMED_MAX; i++) {
            (void)snprintf(many.lambdas[i].name, sizeof(many.lambdas[i].name), "n%u",
                           round * TF_NAMED_MAX + i);
            many.lambdas[i].serial = 1;
        }
        free(answer);
        status = rig_lease(rig, client, &many, &rig->stranger, &answer);
    }
    CHECK(status == 400 && rig_is_error(answer, TF_ELIMIT));
    free(answer);
    struct rig_lambda next = {
        .name = "next", .version = 1, .code = "echo", .domains = {"next.example"}};
    CHECK(load_theirs(rig, &next) == TF_ELIMIT);
    CHECK(rig_load(rig, 0, &next) == TF_OK);
    rig_close(rig);
}

static void a_member_s_attester_signs_no_bundle(void)
{
    struct rig *rig = rig_open_shared();
    struct rig_lambda lambda = theirs;

    lambda.key = &rig->attester;
    CHECK(rig_load(rig, 0, &lambda) == TF_EDSSE_SIGNER);
    rig_close(rig);
}

/* Sealed grants come back to the member whose they were. */
static void a_restart_keeps_the_members_apart(void)
{
    struct rig *rig = rig_open_shared();
    struct rig_grant grant = {.lambda = "theirs", .names = {"theirs.example"}};

    CHECK(rig_load(rig, 0, &mine) == TF_OK && load_theirs(rig, &theirs) == TF_OK);
    CHECK(grants(rig, &grant, &rig->stranger, TF_OK));
    const struct rig_frame *frame = rig_last(rig, TF_MSG_SEALED);
    size_t head = sizeof(struct tf_msg_sealed) + strlen("theirs");
    struct fixture_bytes blob = {malloc(frame->size), frame->size - head};
    memcpy(blob.data, frame->payload + head, blob.size);
    rig_forget();
    rig_thread_make(rig, 0);
    CHECK(rig_init(rig, 0).exit == TF_EXIT_IDLE);
    struct rig_lambda same = theirs; /* the name, of the other member this time */
    CHECK(rig_load(rig, 0, &same) == TF_OK);
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, blob.data, blob.size) == TF_EGRANT_LAMBDA);
    CHECK(rig_drop(rig, 0, "theirs") == TF_OK && load_theirs(rig, &theirs) == TF_OK);
    CHECK(rig_blob(rig, 0, TF_BLOB_GRANT, blob.data, blob.size) == TF_OK);
    CHECK(serves(rig, "theirs.example"));
    free(blob.data);
    rig_close(rig);
}

int main(void)
{
    RUN(two_members_serve_in_one_instance);
    RUN(a_member_grants_the_other_s_lambda);
    RUN(a_member_leases_the_other_s_lambda);
    RUN(a_member_ends_the_other_s_lease);
    RUN(a_member_s_time_is_far_ahead);
    RUN(a_clock_turned_back_ends_the_leases_of_both);
    RUN(a_member_revokes_the_other_s_bundle);
    RUN(a_member_revokes_the_other_s_key);
    RUN(a_member_takes_the_other_s_name);
    RUN(a_member_takes_the_other_s_dns_name);
    RUN(a_member_fills_the_table_of_floors);
    RUN(a_member_s_attester_signs_no_bundle);
    RUN(a_restart_keeps_the_members_apart);
    return test_end();
}
