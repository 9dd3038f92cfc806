/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scene.h - one relying party's connection to one simulated enclave, for tests: a root
 * key of a simulator, a report, claims and a policy that fit. A test changes one thing,
 * has it judged, and puts nothing back: a scene is made anew for each case. Trusts its
 * callers.
 */
#pragma once

#include <stdio.h>
#include <string.h>

#include "abi/sgx.h"
#include "test/fixture.h"
#include "verify/verify.h"

enum { SCENE_CLAIMS_CAP = 200 << 10, SCENE_EVIDENCE_CAP = 8192, SCENE_LAMBDA_CAP = 1024 };

static const char SCENE_LABEL[] =
    "tfaas SIMULATED SGX evidence v1"; /* with its zero byte */
static const char SCENE_DIGEST[] =
    "00000000000000000000000000000000000000000000000000000000000000d1";
static const char SCENE_SIGNER[] =
    "00000000000000000000000000000000000000000000000000000000000000c1";

struct scene {
    struct fixture_key root;
    struct sgx_report report;
    uint8_t signature[64];
    struct tf_policy policy;
    struct tf_verify_input input;
    char lambdas[4 * SCENE_LAMBDA_CAP];  /* JSON array: what the enclave says it runs */
    char domain[2 * TF_SHA256_SIZE + 1]; /* what the claims say */
    char group[4096]; /* fields of claims about one, each after a comma; "": none */
    char claims[SCENE_CLAIMS_CAP];
    char evidence[SCENE_EVIDENCE_CAP];
};

/** One lambda's claim as JSON; `out` has SCENE_LAMBDA_CAP bytes. */
static inline void scene_lambda(char *out, const char *name, const char *signer)
{
    (void)snprintf(out, SCENE_LAMBDA_CAP,
                   "{\"name\":\"%s\",\"version\":7,\"digest\":\"%s\",\"signer\":\"%s\","
                   "\"domains\":[\"%s.example\"],\"granted\":false,\"serial\":0,"
                   "\"leased_until\":0}",
                   name, SCENE_DIGEST, signer, name);
}

/** Sets the claims' list of lambdas to one object. */
static inline void scene_set_lambda(struct scene *s, const char *name, const char *signer)
{
    char one[SCENE_LAMBDA_CAP];

    scene_lambda(one, name, signer);
    (void)snprintf(s->lambdas, sizeof(s->lambdas), "[%s]", one);
}

/** Writes the claims of this connection and binds them into the report. */
static inline void scene_claim(struct scene *s)
{
    char nonce[64];
    char exporter[64];
    char spki[65];

    tf_base64_write(s->input.nonce, sizeof(s->input.nonce), nonce);
    tf_base64_write(s->input.exporter, sizeof(s->input.exporter), exporter);
    tf_hex_write(s->input.spki, sizeof(s->input.spki), spki);
    (void)snprintf(s->claims, sizeof(s->claims),
                   "{\"tfaas\":\"claims.v1\",\"nonce\":\"%s\",\"exporter\":\"%s\","
                   "\"spki\":\"%s\",\"domain\":\"%s\",\"receipts\":\"%s\","
                   "\"instance\":\"000102030405060708090a0b0c0d0e0f\","
                   "\"engine\":\"quickjs\",\"lvi\":\"off\",\"time\":0%s,\"revocations\":"
                   "[{\"signer\":\"%s\",\"serial\":3}],\"lambdas\":%s}",
                   nonce, exporter, spki, s->domain, SCENE_DIGEST, s->group, SCENE_SIGNER,
                   s->lambdas);
    s->input.claims_size = strlen(s->claims);
    tf_sha256(s->claims, s->input.claims_size, s->report.report_data);
}

/** Signs the report with the root. */
static inline void scene_sign(struct scene *s)
{
    uint8_t message[sizeof(SCENE_LABEL) + SGX_REPORT_BODY_SIZE];
    uint8_t signature[128];

    memcpy(message, SCENE_LABEL, sizeof(SCENE_LABEL));
    memcpy(message + sizeof(SCENE_LABEL), &s->report, SGX_REPORT_BODY_SIZE);
    (void)fixture_sign(&s->root, message, sizeof(message), signature);
    memcpy(s->signature, signature, sizeof(s->signature));
}

/** Writes the evidence out of report, root and signature as they are. */
static inline void scene_write_evidence(struct scene *s)
{
    struct tf_json_writer w;

    tf_json_writer_init(&w, s->evidence, sizeof(s->evidence));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "type", "tfaas-simulated-sgx-report.v1");
    tf_json_put_boolean(&w, "simulated", true);
    tf_json_put_base64(&w, "root", s->root.publisher.spki, s->root.publisher.spki_size);
    tf_json_put_base64(&w, "report", &s->report, SGX_REPORT_BODY_SIZE);
    tf_json_put_base64(&w, "signature", s->signature, sizeof(s->signature));
    tf_json_close_object(&w);
    if (tf_json_take(&w, &s->input.evidence_size)) {
        abort();
    }
}

/** Claims, signature and evidence anew, after something was changed. */
static inline void scene_refresh(struct scene *s)
{
    scene_claim(s);
    scene_sign(s);
    scene_write_evidence(s);
}

static inline void scene_fill_report(struct sgx_report *report)
{
    memset(report->mrenclave, 0xe1, 32);
    memset(report->mrsigner, 0x51, 32);
    memset(report->config_id, 0xd0, 32);
    report->isv_prod_id = 3;
    report->isv_svn = 5;
    report->attributes.flags =
        SGX_FLAGS_INIT | SGX_FLAGS_MODE64BIT | (uint64_t)SGX_FLAGS_KSS;
    report->attributes.xfrm = 3;
}

static inline void scene_fill_policy(struct scene *s)
{
    struct tf_policy *policy = &s->policy;

    policy->measurement_count = 2;
    memset(policy->measurements[0], 0xe0, 32);
    memset(policy->measurements[1], 0xe1, 32);
    policy->has_signer = true;
    memset(policy->signer, 0x51, 32);
    policy->product = 3;
    policy->min_svn = 5;
    memset(policy->domain, 0xd0, 32);
    policy->publisher_count = 2;
    (void)snprintf(policy->publishers[0], sizeof(policy->publishers[0]), "%s",
                   SCENE_DIGEST);
    (void)snprintf(policy->publishers[1], sizeof(policy->publishers[1]), "%s",
                   SCENE_SIGNER);
    memcpy(policy->sim_root, s->root.publisher.spki, s->root.publisher.spki_size);
    policy->sim_root_size = s->root.publisher.spki_size;
}

/** A scene with a good verdict. End with scene_close. */
static inline struct scene *scene_open(void)
{
    struct scene *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        abort();
    }
    s->root = fixture_key_open("ED25519");
    scene_fill_report(&s->report);
    scene_fill_policy(s);
    scene_set_lambda(s, "hello", SCENE_SIGNER);
    tf_hex_write(s->policy.domain, 32, s->domain);
    s->input = (struct tf_verify_input){.evidence = s->evidence,
                                        .claims = s->claims,
                                        .policy = &s->policy,
                                        .lambda = "hello",
                                        .insecure_allow_simulated = true};
    memset(s->input.nonce, 1, sizeof(s->input.nonce));
    memset(s->input.exporter, 2, sizeof(s->input.exporter));
    memset(s->input.spki, 3, sizeof(s->input.spki));
    scene_refresh(s);
    return s;
}

static inline void scene_close(struct scene *s)
{
    fixture_key_close(&s->root);
    free(s);
}
