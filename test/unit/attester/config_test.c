/* SPDX-License-Identifier: Apache-2.0 */
#include "attester/config.h"

#include <stdio.h>
#include <string.h>

#include "test/test.h"

#define LAMBDAS "\"lambdas\":[{\"name\":\"shop\"}]"
#define CA      "\"issuer\":{\"type\":\"ca\",\"key\":\"k\",\"certificate\":\"c\"}"
#define REST(machines_, lambdas_, issuer_, more_)                                        \
    "{\"policy\":\"p\",\"key\":\"k\",\"log\":\"l\",\"machines\":" machines_ "," lambdas_ \
    "," issuer_ ",\"lease_seconds\":600,\"certificate_seconds\":3600" more_ "}"
#define WITH(more_)     REST("[\"h:1\"]", LAMBDAS, CA, more_)
#define ISSUER(issuer_) REST("[\"h:1\"]", LAMBDAS, "\"issuer\":" issuer_, "")
#define LAMBDA(lambda_) REST("[\"h:1\"]", "\"lambdas\":[" lambda_ "]", CA, "")

static tf_err parse(const char *text, struct tf_config *config)
{
    return tf_config_parse(text, strlen(text), config);
}

/* Parses and forgets. */
static tf_err verdict(const char *text)
{
    struct tf_config config;
    tf_err err = parse(text, &config);
    if (err == TF_OK) {
        tf_config_wipe(&config);
    }
    return err;
}

static void test_a_small_one(void)
{
    struct tf_config config;

    CHECK(parse(WITH(""), &config) == TF_OK);
    CHECK(strcmp(config.policy, "p") == 0 && strcmp(config.ca_certificate, "c") == 0);
    CHECK(config.machine_count == 1 && strcmp(config.machines[0], "h:1") == 0);
    CHECK(config.lambda_count == 1 && config.lambdas[0].name_count == 0);
    CHECK(config.lease_seconds == 600 && config.requests == 12000000);
    CHECK(!config.insecure_allow_simulated && config.command[0] == NULL);
    tf_config_wipe(&config);
}

static void test_a_full_one(void)
{
    static const char text[] = REST(
        "[\"h:1\",\"[::1]:2\"]",
        "\"lambdas\":[{\"name\":\"shop\",\"names\":[\"a.test\",\"b.test\"],\"digest\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\","
        "\"secrets\":\"s\"},{\"name\":\"cart\"}]",
        "\"issuer\":{\"type\":\"acme\",\"command\":[\"acme\",\"{csr}\"],\"seconds\":9}",
        ",\"collateral\":{\"service\":\"https://"
        "x\",\"max_age_seconds\":2},\"domain\":\"d\","
        "\"revocations\":[\"r\"],\"requests\":7,\"insecure_allow_simulated\":true");
    struct tf_config config;

    CHECK(parse(text, &config) == TF_OK);
    CHECK(config.machine_count == 2 && config.lambda_count == 2);
    CHECK(config.lambdas[0].name_count == 2 && config.lambdas[1].digest == NULL);
    CHECK(strcmp(config.command[1], "{csr}") == 0 && config.command[2] == NULL);
    CHECK(config.command_seconds == 9 && config.ca_key == NULL);
    CHECK(config.collateral.max_age == 2 && config.collateral.file == NULL);
    CHECK(config.revocation_count == 1 && config.requests == 7);
    CHECK(config.insecure_allow_simulated);
    tf_config_wipe(&config);
}

static void test_a_misspelt_field_is_no_default(void)
{
    CHECK(verdict(WITH(",\"reqests\":7")) == TF_ECONFIG);
    CHECK(verdict(WITH(",\"lease_seconds\":600")) == TF_ECONFIG); /* twice */
    CHECK(verdict(LAMBDA("{\"name\":\"shop\",\"pin\":true}")) == TF_ECONFIG);
    CHECK(verdict(WITH(",\"collateral\":{\"max_age\":1}")) == TF_ECONFIG);
    CHECK(verdict(ISSUER("{\"type\":\"ca\",\"key\":\"k\",\"certificate\":\"c\","
                         "\"x\":1}")) == TF_ECONFIG);
    CHECK(verdict("{}") == TF_ECONFIG && verdict("") == TF_ECONFIG);
}

static void test_values_out_of_bounds(void)
{
    CHECK(verdict(REST("[]", LAMBDAS, CA, "")) == TF_ECONFIG);
    CHECK(verdict(REST("[\"h\"]", LAMBDAS, CA, "")) == TF_ECONFIG);
    CHECK(verdict(REST("[\":1\"]", LAMBDAS, CA, "")) == TF_ECONFIG);
    CHECK(verdict(REST("[\"h:\"]", LAMBDAS, CA, "")) == TF_ECONFIG);
    CHECK(verdict(LAMBDA("{\"name\":\"Shop\"}")) == TF_ECONFIG);
    CHECK(verdict(LAMBDA("{\"name\":\"shop\"},{\"name\":\"shop\"}")) == TF_ECONFIG);
    CHECK(verdict(LAMBDA("{\"name\":\"shop\",\"names\":[]}")) == TF_ECONFIG);
    CHECK(verdict(LAMBDA("{\"name\":\"shop\",\"names\":[\"a b\"]}")) == TF_ECONFIG);
    CHECK(verdict(LAMBDA("{\"name\":\"shop\",\"digest\":\"00\"}")) == TF_ECONFIG);
    CHECK(verdict(ISSUER("{\"type\":\"none\"}")) == TF_ECONFIG);
    CHECK(verdict(ISSUER("{\"type\":\"acme\",\"command\":[\"acme\"]}")) == TF_ECONFIG);
    CHECK(verdict(WITH(",\"revocations\":[\"r\"]")) == TF_ECONFIG); /* whose? */
}

int main(void)
{
    RUN(test_a_small_one);
    RUN(test_a_full_one);
    RUN(test_a_misspelt_field_is_no_default);
    RUN(test_values_out_of_bounds);
    return test_end();
}
