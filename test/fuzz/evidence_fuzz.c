/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile evidence and claims. Input that begins with '{' is evidence, a zero byte and
 * claims. Any other is a flag byte, a report and claims: then the envelope is made here,
 * and for an odd flag the report binds the claims and is signed by the root of the policy
 * (a published key), so that the checks behind the signature are reached. The values that
 * the policy and the connection want are zeros.
 */
#include <stdlib.h>
#include <string.h>

#include "abi/sgx.h"
#include "test/fixture.h"
#include "verify/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EVIDENCE_CAP = 4096, KEYID_SIZE = 2 * TF_SHA256_SIZE };

static const char LABEL[] = "tfaas SIMULATED SGX evidence v1"; /* with its zero byte */

static void fill_policy(const struct fixture_key *root, struct tf_policy *policy)
{
    policy->measurement_count = 1;
    policy->publisher_count = 1;
    memset(policy->publishers[0], '0', KEYID_SIZE);
    memcpy(policy->sim_root, root->publisher.spki, root->publisher.spki_size);
    policy->sim_root_size = root->publisher.spki_size;
}

/* What a bad and a good verdict promise (verify/verify.h). */
static void check(const struct tf_verify_input *in)
{
    struct tf_verdict v;
    tf_err result = tf_verify(in, &v);

    if (result != v.result || (result == TF_OK) != (v.reason_count == 0) ||
        v.reason_count > TF_REASONS_MAX || (result != TF_OK && v.reasons[0] != result)) {
        __builtin_trap();
    }
    if (result == TF_OK &&
        (!v.has_lambda || v.appraisal.is_debug || v.appraisal.sgx.mrenclave[0] != 0 ||
         strcmp(v.lambda.name, in->lambda) != 0 ||
         strcmp(v.lambda.signer, in->policy->publishers[0]) != 0)) {
        __builtin_trap();
    }
}

static void write_evidence(const struct fixture_key *root,
                           const struct sgx_report *report, bool is_signed, char *out,
                           size_t *size)
{
    uint8_t message[sizeof(LABEL) + SGX_REPORT_BODY_SIZE];
    uint8_t signature[128] = {0};
    struct tf_json_writer w;

    memcpy(message, LABEL, sizeof(LABEL));
    memcpy(message + sizeof(LABEL), report, SGX_REPORT_BODY_SIZE);
    if (is_signed) {
        (void)fixture_sign(root, message, sizeof(message), signature);
    }
    tf_json_writer_init(&w, out, EVIDENCE_CAP);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "type", "tfaas-simulated-sgx-report.v1");
    tf_json_put_boolean(&w, "simulated", true);
    tf_json_put_base64(&w, "root", root->publisher.spki, root->publisher.spki_size);
    tf_json_put_base64(&w, "report", report, SGX_REPORT_BODY_SIZE);
    tf_json_put_base64(&w, "signature", signature, 64);
    tf_json_close_object(&w);
    if (tf_json_take(&w, size)) {
        __builtin_trap();
    }
}

static void check_report(const struct fixture_key *root, struct tf_verify_input *in,
                         const uint8_t *data, size_t size)
{
    char evidence[EVIDENCE_CAP];
    struct sgx_report report = {0};
    bool is_signed = (data[0] & 1) != 0;
    size_t report_size =
        size - 1 < SGX_REPORT_BODY_SIZE ? size - 1 : SGX_REPORT_BODY_SIZE;

    memcpy(&report, data + 1, report_size);
    in->claims_size = size - 1 - report_size;
    uint8_t *claims = malloc(in->claims_size + 1);
    memcpy(claims, data + 1 + report_size, in->claims_size);
    if (is_signed) {
        memset(report.report_data, 0, sizeof(report.report_data));
        tf_sha256(claims, in->claims_size, report.report_data);
    }
    write_evidence(root, &report, is_signed, evidence, &in->evidence_size);
    in->evidence = evidence;
    in->claims = (const char *)claims;
    check(in);
    in->evidence = NULL;
    in->claims = NULL;
    free(claims);
}

static void check_texts(struct tf_verify_input *in, const uint8_t *data, size_t size)
{
    const uint8_t *zero = memchr(data, 0, size);
    size_t first = zero == NULL ? size : (size_t)(zero - data);
    size_t second = zero == NULL ? 0 : size - first - 1;
    char *evidence = malloc(first + 1); /* copies: their ends are traps */
    char *claims = malloc(second + 1);

    memcpy(evidence, data, first);
    memcpy(claims, data + size - second, second);
    in->evidence = evidence;
    in->evidence_size = first;
    in->claims = claims;
    in->claims_size = second;
    check(in);
    free(evidence);
    free(claims);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture_key root;
    static struct tf_policy policy;
    struct tf_verify_input in = {
        .policy = &policy, .lambda = "hello", .insecure_allow_simulated = true};

    if (root.key == NULL) {
        root = fixture_key_published();
        fill_policy(&root, &policy);
    }
    if (size == 0) {
        return 0;
    }
    if (data[0] == '{') {
        check_texts(&in, data, size);
    } else {
        check_report(&root, &in, data, size);
    }
    return 0;
}
