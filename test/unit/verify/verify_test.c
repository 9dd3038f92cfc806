/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/verify.h"

#include <string.h>

#include "test/test.h"
#include "test/unit/verify/scene.h"

/* Judges; the verdict must have exactly the one reason, or none for TF_OK. */
static bool has_only(struct scene *s, tf_err reason)
{
    struct tf_verdict v;
    tf_err result = tf_verify(&s->input, &v);

    return result == reason && v.result == reason &&
           v.reason_count == (reason == TF_OK ? 0 : 1) &&
           (reason == TF_OK || v.reasons[0] == reason);
}

static tf_err judge(const struct scene *s)
{
    struct tf_verdict v;

    return tf_verify(&s->input, &v);
}

static void test_good_verdict(void)
{
    struct scene *s = scene_open();
    struct tf_verdict v;

    CHECK(tf_verify(&s->input, &v) == TF_OK && v.result == TF_OK && v.reason_count == 0);
    CHECK(v.appraisal.tee == TF_TEE_SGX && v.appraisal.is_simulated);
    CHECK(!v.appraisal.is_debug && !v.appraisal.is_genuine && !v.appraisal.has_tcb);
    CHECK(memcmp(&v.appraisal.sgx, &s->report, SGX_REPORT_BODY_SIZE) == 0);
    struct tf_bytes measured = tf_appraisal_measurement(&v.appraisal);
    CHECK(measured.size == 32 && memcmp(measured.data, s->report.mrenclave, 32) == 0);
    CHECK(v.has_claims && strcmp(v.engine, "quickjs") == 0);
    CHECK(strcmp(v.domain, s->domain) == 0);
    CHECK(strcmp(v.instance, "000102030405060708090a0b0c0d0e0f") == 0);
    CHECK(v.has_lambda && strcmp(v.lambda.name, "hello") == 0 && v.lambda.version == 7);
    CHECK(strcmp(v.lambda.digest, SCENE_DIGEST) == 0);
    CHECK(strcmp(v.lambda.signer, SCENE_SIGNER) == 0);
    CHECK(v.lambda.domain_count == 1 &&
          strcmp(v.lambda.domains[0], "hello.example") == 0);
    CHECK(!v.lambda.is_granted);
    scene_close(s);
}

/* No bit of the report can be changed: its signature covers all of it. */
static void test_changed_report(void)
{
    struct scene *s = scene_open();
    uint8_t *bytes = (uint8_t *)&s->report;

    for (size_t i = 0; i < SGX_REPORT_BODY_SIZE; i++) {
        bytes[i] ^= (uint8_t)(1u << i % 8);
        scene_write_evidence(s);
        CHECK(judge(s) == TF_EEVIDENCE_ROOT);
        bytes[i] ^= (uint8_t)(1u << i % 8);
    }
    scene_write_evidence(s);
    CHECK(has_only(s, TF_OK));
    scene_close(s);
}

static void test_changed_signature(void)
{
    struct scene *s = scene_open();

    for (size_t i = 0; i < sizeof(s->signature); i++) {
        s->signature[i] ^= (uint8_t)(1u << i % 8);
        scene_write_evidence(s);
        CHECK(has_only(s, TF_EEVIDENCE_ROOT));
        s->signature[i] ^= (uint8_t)(1u << i % 8);
    }
    scene_close(s);
}

/* Claims are exactly the hashed bytes: no byte of them may differ, be added or be lost.
 */
static void test_changed_claims(void)
{
    struct scene *s = scene_open();
    size_t size = s->input.claims_size;

    for (size_t i = 0; i < size; i++) {
        s->claims[i] ^= 1;
        CHECK(judge(s) != TF_OK);
        s->claims[i] ^= 1;
    }
    s->claims[size] = ' ';
    s->input.claims_size = size + 1;
    CHECK(has_only(s, TF_EEVIDENCE_BINDING));
    s->input.claims_size = size - 1;
    CHECK(has_only(s, TF_EEVIDENCE_FORMAT));
    scene_close(s);
}

/* Good evidence of another connection, moment or endpoint. */
static void test_replayed_relayed_other_key(void)
{
    struct scene *s = scene_open();

    s->input.nonce[31] ^= 1;
    CHECK(has_only(s, TF_EEVIDENCE_NONCE));
    s->input.nonce[31] ^= 1;
    s->input.exporter[0] ^= 0x80;
    CHECK(has_only(s, TF_EEVIDENCE_CHANNEL));
    s->input.exporter[0] ^= 0x80;
    s->input.spki[17] ^= 4;
    CHECK(has_only(s, TF_EEVIDENCE_KEY));
    s->input.spki[17] ^= 4;
    CHECK(has_only(s, TF_OK));
    scene_close(s);
}

/* REPORTDATA has 64 bytes: what follows the hash is zero. */
static void test_more_report_data(void)
{
    struct scene *s = scene_open();

    s->report.report_data[63] = 1;
    scene_sign(s);
    scene_write_evidence(s);
    CHECK(has_only(s, TF_EEVIDENCE_BINDING));
    scene_close(s);
}

static void test_simulated_not_allowed(void)
{
    struct scene *s = scene_open();

    s->input.insecure_allow_simulated = false;
    CHECK(has_only(s, TF_EEVIDENCE_SIMULATED));
    scene_close(s);
}

static void test_other_root(void)
{
    struct scene *s = scene_open();
    struct fixture_key mine = s->root;

    s->root =
        fixture_key_open("ED25519"); /* evidence names its own, and is signed by it */
    scene_refresh(s);
    CHECK(has_only(s, TF_EEVIDENCE_ROOT));
    fixture_key_close(&s->root);
    s->root = mine;
    scene_refresh(s);
    s->policy.sim_root_size = 0; /* a policy that trusts no simulator, with --allow-sim */
    CHECK(has_only(s, TF_EEVIDENCE_ROOT));
    scene_close(s);
}

/* The right root named, another one's signature. */
static void test_stranger_names_the_root(void)
{
    struct scene *s = scene_open();
    struct fixture_key mine = s->root;

    s->root = fixture_key_open("ED25519");
    scene_refresh(s);
    struct fixture_key stranger = s->root;
    s->root = mine;
    scene_write_evidence(s);
    CHECK(has_only(s, TF_EEVIDENCE_ROOT));
    fixture_key_close(&stranger);
    scene_close(s);
}

static void test_debug(void)
{
    struct scene *s = scene_open();
    struct tf_verdict v;

    s->report.attributes.flags |= SGX_FLAGS_DEBUG;
    scene_refresh(s);
    CHECK(has_only(s, TF_EEVIDENCE_DEBUG));
    CHECK(tf_verify(&s->input, &v) != TF_OK && v.appraisal.is_debug);
    scene_close(s);
}

static void test_measurement(void)
{
    struct scene *s = scene_open();

    s->policy.measurements[1][31] ^= 1;
    CHECK(has_only(s, TF_EPOLICY_MEASUREMENT));
    s->policy.measurement_count = 0; /* then the signer decides */
    CHECK(has_only(s, TF_OK));
    /* A policy about guests accepts no enclave. */
    s->policy.has_signer = false;
    s->policy.guest_count = 1;
    CHECK(has_only(s, TF_EPOLICY_MEASUREMENT));
    scene_close(s);
}

static void test_signer_product_version(void)
{
    struct scene *s = scene_open();

    s->policy.signer[0] ^= 1;
    CHECK(has_only(s, TF_EPOLICY_SIGNER));
    s->policy.signer[0] ^= 1;
    s->policy.product = 4;
    CHECK(has_only(s, TF_EPOLICY_SIGNER));
    s->policy.product = 3;
    s->policy.min_svn = 6;
    CHECK(has_only(s, TF_EPOLICY_VERSION));
    s->policy.min_svn = 4;
    CHECK(has_only(s, TF_OK));
    s->policy.has_signer = false; /* then none of the three counts */
    s->policy.signer[0] ^= 1;
    s->policy.product = 4;
    s->policy.min_svn = 9;
    CHECK(has_only(s, TF_OK));
    scene_close(s);
}

/* The domain must be in CONFIGID, with nothing behind it, and in the claims. */
static void test_trust_domain(void)
{
    struct scene *s = scene_open();

    s->report.config_id[0] ^= 1;
    scene_refresh(s);
    CHECK(has_only(s, TF_EPOLICY_DOMAIN));
    s->report.config_id[0] ^= 1;
    s->report.config_id[63] = 1;
    scene_refresh(s);
    CHECK(has_only(s, TF_EPOLICY_DOMAIN));
    s->report.config_id[63] = 0;
    s->domain[0] ^= 1;
    scene_refresh(s);
    CHECK(has_only(s, TF_EPOLICY_DOMAIN));
    scene_close(s);
}

static void test_lambda_missing(void)
{
    struct scene *s = scene_open();
    struct tf_verdict v;

    scene_set_lambda(s, "hellos", SCENE_SIGNER);
    scene_refresh(s);
    CHECK(has_only(s, TF_EPOLICY_LAMBDA));
    CHECK(tf_verify(&s->input, &v) != TF_OK && v.has_claims && !v.has_lambda);
    (void)snprintf(s->lambdas, sizeof(s->lambdas), "[]");
    scene_refresh(s);
    CHECK(has_only(s, TF_EPOLICY_LAMBDA));
    scene_close(s);
}

static void test_lambda_of_another_signer(void)
{
    struct scene *s = scene_open();

    s->policy.publisher_count = 1;
    CHECK(has_only(s, TF_EPOLICY_LAMBDA));
    scene_close(s);
}

static void test_digest_and_version_of_the_lambda(void)
{
    struct scene *s = scene_open();

    s->policy.digest_count = 2;
    CHECK(has_only(s, TF_EPOLICY_DIGEST));
    CHECK(tf_hex_parse(SCENE_DIGEST, 64, s->policy.digests[1], 32) == TF_OK);
    CHECK(has_only(s, TF_OK));
    s->policy.min_version = 7;
    CHECK(has_only(s, TF_OK));
    s->policy.min_version = 8;
    CHECK(has_only(s, TF_EPOLICY_DIGEST));
    s->policy.digest_count = 0;
    CHECK(has_only(s, TF_EPOLICY_DIGEST));
    scene_close(s);
}

/* Two statements about one lambda: the verifier believes neither. */
static void test_lambda_twice(void)
{
    struct scene *s = scene_open();
    char one[SCENE_LAMBDA_CAP];
    char two[SCENE_LAMBDA_CAP];

    scene_lambda(one, "hello", SCENE_SIGNER);
    scene_lambda(two, "other", SCENE_SIGNER);
    (void)snprintf(s->lambdas, sizeof(s->lambdas), "[%s,%s]", two, one);
    scene_refresh(s);
    CHECK(has_only(s, TF_OK));
    (void)snprintf(s->lambdas, sizeof(s->lambdas), "[%s,%s,%s]", one, two, one);
    scene_refresh(s);
    CHECK(has_only(s, TF_EEVIDENCE_FORMAT));
    scene_close(s);
}

/* All that fails is said, in the order of the checks; the first is the result. */
static void test_order_of_reasons(void)
{
    static const tf_err order[] = {
        TF_EEVIDENCE_SIMULATED, TF_EEVIDENCE_ROOT,    TF_EEVIDENCE_DEBUG,
        TF_EPOLICY_MEASUREMENT, TF_EPOLICY_SIGNER,    TF_EPOLICY_VERSION,
        TF_EPOLICY_ATTRIBUTES,  TF_EEVIDENCE_BINDING, TF_EEVIDENCE_NONCE,
        TF_EEVIDENCE_CHANNEL,   TF_EEVIDENCE_KEY,     TF_EPOLICY_DOMAIN,
        TF_EPOLICY_LAMBDA,      TF_EPOLICY_DIGEST};
    enum { ALL = sizeof(order) / sizeof(order[0]) };
    struct scene *s = scene_open();
    struct tf_verdict v;

    s->report.attributes.flags |= SGX_FLAGS_DEBUG;
    scene_refresh(s);
    s->report.report_data[63] = 1;
    scene_sign(s);
    scene_write_evidence(s);
    s->input.insecure_allow_simulated = false;
    s->policy.sim_root[40] ^= 1;
    s->input.nonce[0] ^= 1;
    s->input.exporter[0] ^= 1;
    s->input.spki[0] ^= 1;
    s->policy.has_attributes = true;
    s->policy.min_version = 8;
    s->policy.measurement_count = 1;
    s->policy.signer[0] ^= 1;
    s->policy.min_svn = 6;
    s->policy.domain[0] ^= 1;
    s->policy.publisher_count = 1;
    CHECK(tf_verify(&s->input, &v) == order[0] && v.result == order[0]);
    CHECK(v.reason_count == ALL && memcmp(v.reasons, order, sizeof(order)) == 0);
    scene_close(s);
}

/* --- domains that share the enclave ------------------------------------------------- */

/* A scene whose enclave serves the policy's domain and another. */
static struct scene *shared_scene(void)
{
    struct scene *s = scene_open();
    struct fixture_key keys[2] = {fixture_key_open("ED25519"), fixture_key_open("P-256")};
    char texts[2][512];
    const char *const members[] = {texts[0], texts[1]};
    char group[2048];
    char coded[3000];

    fixture_shared_write(texts[0], sizeof(texts[0]), &keys[0], NULL);
    fixture_shared_write(texts[1], sizeof(texts[1]), &keys[1], NULL);
    size_t size = fixture_group_write(group, sizeof(group), members, 2);
    tf_base64_write((const uint8_t *)group, size, coded);
    (void)snprintf(s->group, sizeof(s->group), ",\"group\":\"%s\",\"times\":[5,6]",
                   coded);
    tf_sha256(texts[1], strlen(texts[1]), s->policy.domain);
    memset(s->report.config_id, 0, sizeof(s->report.config_id));
    tf_sha256(group, size, s->report.config_id);
    tf_hex_write(s->report.config_id, TF_SHA256_SIZE, s->domain);
    s->policy.allow_sharing = true;
    scene_refresh(s);
    fixture_key_close(&keys[0]);
    fixture_key_close(&keys[1]);
    return s;
}

static void test_a_member_of_a_group(void)
{
    struct scene *s = shared_scene();
    struct tf_verdict v;

    CHECK(tf_verify(&s->input, &v) == TF_OK);
    CHECK(v.member_count == 2 && v.time == 6); /* its own */
    scene_close(s);
}

static void the_policy_says_nothing_of_sharing(void)
{
    struct scene *s = shared_scene();
    struct tf_verdict v;

    s->policy.allow_sharing = false;
    CHECK(tf_verify(&s->input, &v) == TF_EPOLICY_DOMAIN && v.reason_count == 1);
    memcpy(s->policy.domain, s->report.config_id, sizeof(s->policy.domain));
    CHECK(tf_verify(&s->input, &v) ==
          TF_EPOLICY_DOMAIN); /* nor by the group's own hash */
    s->policy.allow_sharing = true;
    CHECK(tf_verify(&s->input, &v) == TF_EPOLICY_DOMAIN);
    scene_close(s);
}

static void test_a_group_without_the_domain(void)
{
    struct scene *s = shared_scene();
    struct tf_verdict v;

    s->policy.domain[31] ^= 1;
    CHECK(tf_verify(&s->input, &v) == TF_EPOLICY_DOMAIN && v.reason_count == 1);
    scene_close(s);
}

/* The claims of one enclave and the CONFIGID of another, which strangers made. */
static void the_group_is_not_what_the_enclave_was_made_for(void)
{
    struct scene *s = shared_scene();
    struct tf_verdict v;

    s->report.config_id[0] ^= 1;
    scene_sign(s);
    scene_write_evidence(s);
    CHECK(tf_verify(&s->input, &v) == TF_EPOLICY_DOMAIN && v.reason_count == 1);
    tf_hex_write(s->report.config_id, TF_SHA256_SIZE, s->domain);
    scene_refresh(s); /* now the claims name that one, but bring the group */
    CHECK(tf_verify(&s->input, &v) == TF_EPOLICY_DOMAIN && v.reason_count == 1);
    scene_close(s);
}

static void test_a_policy_that_allows_sharing_needs_none(void)
{
    struct scene *s = scene_open();
    struct tf_verdict v;

    s->policy.allow_sharing = true;
    CHECK(tf_verify(&s->input, &v) == TF_OK && v.member_count == 1);
    scene_close(s);
}

static void test_malformed_groups(void)
{
    static const char *const bad[] = {",\"group\":\"\",\"times\":[0,0]",
                                      ",\"group\":\"e30=\",\"times\":[0,0]",
                                      ",\"group\":7,\"times\":[0,0]"};
    static const char *const times[] = {"[5]", "[5,6,7]", "[5,-1]", "[5,\"6\"]", "7"};
    struct tf_verdict v;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct scene *s = scene_open();
        (void)snprintf(s->group, sizeof(s->group), "%s", bad[i]);
        scene_refresh(s);
        CHECK(tf_verify(&s->input, &v) == TF_EEVIDENCE_FORMAT);
        scene_close(s);
    }
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        struct scene *s = shared_scene();
        (void)snprintf(strstr(s->group, "[5,6]"), 16, "%s", times[i]);
        scene_refresh(s);
        CHECK(tf_verify(&s->input, &v) == TF_EEVIDENCE_FORMAT);
        scene_close(s);
    }
}

static void replace_text(struct scene *s, const char *from, const char *to)
{
    char *at = strstr(s->evidence, from);
    char rest[SCENE_EVIDENCE_CAP];

    if (!CHECK(at != NULL)) {
        return;
    }
    (void)snprintf(rest, sizeof(rest), "%s", at + strlen(from));
    (void)snprintf(at, sizeof(s->evidence) - (size_t)(at - s->evidence), "%s%s", to,
                   rest);
    s->input.evidence_size = strlen(s->evidence);
}

static void judge_text(struct scene *s, const char *from, const char *to)
{
    replace_text(s, from, to);
    if (!CHECK(has_only(s, TF_EEVIDENCE_FORMAT))) {
        (void)fprintf(stderr, "  with %s\n", to);
    }
    scene_write_evidence(s);
}

/* What is signed says of which kind it is. */
static void test_an_enclave_does_not_pass_for_a_native_runtime(void)
{
    struct scene *s = scene_open();

    struct tf_verdict v;

    CHECK(tf_verify(&s->input, &v) == TF_OK && !v.appraisal.is_native);
    replace_text(s, "simulated-sgx-report", "simulated-native-report");
    CHECK(has_only(s, TF_EEVIDENCE_ROOT));
    CHECK(tf_verify(&s->input, &v) == TF_EEVIDENCE_ROOT && v.appraisal.is_native);
    scene_close(s);
}

static void test_malformed_evidence(void)
{
    struct scene *s = scene_open();
    struct tf_verdict v;

    judge_text(s, "report.v1", "report.v2");
    judge_text(s, "{\"type\"", "[\"type\"");
    judge_text(s, "\"type\"", "\"kind\"");
    judge_text(s, "\"simulated\":true", "\"simulated\":false");
    judge_text(s, "\"simulated\":true", "\"simulated\":1");
    judge_text(s, "\"simulated\":true", "\"simulated\":true,\"simulated\":true");
    judge_text(s, "\"simulated\":true", "\"simulated\":true,\"more\":0");
    judge_text(s, "\"simulated\":true,", "");
    judge_text(s, "\"report\":\"", "\"report\":\"AAAA");
    judge_text(s, "\"report\":\"", "\"report\":\" ");
    judge_text(s, "\"signature\":\"", "\"signature\":\"AAAA");
    judge_text(s, "\"}", "\"}}");
    judge_text(s, "\"}", "\"");
    judge_text(s, s->evidence, "");
    s->input.evidence_size = TF_EVIDENCE_MAX + 1; /* refused before it is read */
    CHECK(tf_verify(&s->input, &v) == TF_EEVIDENCE_FORMAT &&
          v.appraisal.tee == TF_TEE_NONE);
    scene_close(s);
}

/* What the report says is kept though the claims do not parse. */
static void test_identity_without_claims(void)
{
    struct scene *s = scene_open();
    struct tf_verdict v;

    s->claims[0] = '[';
    CHECK(tf_verify(&s->input, &v) == TF_EEVIDENCE_FORMAT && v.reason_count == 1);
    CHECK(v.appraisal.sgx.isv_svn == 5 && !v.has_claims && !v.has_lambda);
    scene_close(s);
}

int main(void)
{
    RUN(test_good_verdict);
    RUN(test_changed_report);
    RUN(test_changed_signature);
    RUN(test_changed_claims);
    RUN(test_replayed_relayed_other_key);
    RUN(test_more_report_data);
    RUN(test_simulated_not_allowed);
    RUN(test_other_root);
    RUN(test_stranger_names_the_root);
    RUN(test_debug);
    RUN(test_measurement);
    RUN(test_signer_product_version);
    RUN(test_trust_domain);
    RUN(test_lambda_missing);
    RUN(test_lambda_of_another_signer);
    RUN(test_digest_and_version_of_the_lambda);
    RUN(test_lambda_twice);
    RUN(test_order_of_reasons);
    RUN(test_an_enclave_does_not_pass_for_a_native_runtime);
    RUN(test_a_member_of_a_group);
    RUN(the_policy_says_nothing_of_sharing);
    RUN(test_a_group_without_the_domain);
    RUN(the_group_is_not_what_the_enclave_was_made_for);
    RUN(test_a_policy_that_allows_sharing_needs_none);
    RUN(test_malformed_groups);
    RUN(test_malformed_evidence);
    RUN(test_identity_without_claims);
    return test_end();
}
