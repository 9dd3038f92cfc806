/* SPDX-License-Identifier: Apache-2.0 */
/* failures.c - the verb `failures`: why a lambda's requests failed, which the enclave
 * tells its publisher alone. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/attest.h"
#include "cli/cli.h"
#include "cli/collateral.h"
#include "client/channel.h"
#include "client/keys.h"
#include "client/policy.h"
#include "lib/dsse.h"
#include "lib/json.h"

struct options {
    const char *name;
    const char *policy;
    const char *key;
    const char *connect;
    bool allow_sim;
    bool is_json;
    struct tf_collateral_source source;
};

/* The question, good on this connection. @param out  owned by the caller: free. */
static tf_err write_question(const struct tf_channel_client *channel, const char *lambda,
                             EVP_PKEY *key, char **out, size_t *out_size)
{
    char text[TF_NAME_MAX + 128];
    struct tf_json_writer w;
    size_t size = 0;

    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "tfaas", "failures.v1");
    tf_json_put_string(&w, "lambda", lambda);
    tf_json_put_base64(&w, "exporter", tf_channel_exporter(channel), TF_SHA256_SIZE);
    tf_json_close_object(&w);
    tf_err err = tf_json_take(&w, &size);
    if (err != TF_OK) {
        (void)tf_report(TF_EUSAGE, "a lambda's name has at most %d characters",
                        (int)TF_NAME_MAX);
        return TF_EUSAGE;
    }
    return tf_envelope_make(key, TF_DSSE_FAILURES, text, size, out, out_size);
}

/* In the words of an enclave that was attested. */
static void print_one(const json_t *failure)
{
    const char *id = json_string_value(json_object_get(failure, "id"));
    const char *code = json_string_value(json_object_get(failure, "error"));
    const char *message = json_string_value(json_object_get(failure, "message"));
    time_t at = (time_t)json_integer_value(json_object_get(failure, "time"));
    char when[32] = "";
    struct tm parts;

    if (id == NULL || code == NULL || message == NULL || gmtime_r(&at, &parts) == NULL) {
        return;
    }
    (void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &parts);
    (void)printf("%s  %-16s  %7" JSON_INTEGER_FORMAT "  %-12s  %s\n", when, id,
                 json_integer_value(json_object_get(failure, "version")), code, message);
}

static void show(const struct options *o, const json_t *answer)
{
    const json_t *list = json_object_get(answer, "failures");
    const json_t *failure = NULL;
    size_t i = 0;

    if (o->is_json) {
        (void)json_dumpf(answer, stdout, JSON_COMPACT);
        (void)putchar('\n');
        return;
    }
    if (json_array_size(list) == 0) {
        (void)printf("no failure of %s is known to this instance\n", o->name);
        return;
    }
    (void)printf("%-20s  %-16s  %7s  %-12s  %s\n", "TIME", "ID", "VERSION", "ERROR",
                 "MESSAGE");
    json_array_foreach(list, i, failure)
    {
        print_one(failure);
    }
}

static tf_err run(struct tf_channel_client *channel, const struct options *o,
                  const struct tf_policy *policy, EVP_PKEY *key)
{
    const struct tf_attest_rules rules = {
        .policy = policy, .source = &o->source, .insecure_allow_simulated = o->allow_sim};
    struct tf_attestation attestation;
    json_t *answer = NULL;
    char *question = NULL;
    size_t size = 0;

    tf_err err = tf_attested(channel, o->name, &rules, o->is_json, &attestation);
    if (err == TF_OK) {
        err = write_question(channel, o->name, key, &question, &size);
    }
    if (err == TF_OK) {
        err = tf_channel_post(channel, "/v1/failures", question, size, &answer);
    }
    if (err == TF_OK) {
        show(o, answer);
    }
    json_decref(answer);
    free(question);
    return err;
}

int tf_cmd_failures(int argc, char **argv)
{
    struct options o = {.connect = tf_default_connect(),
                        .source = tf_default_collateral()};
    const struct tf_option options[] = {TF_TEXT("policy", &o.policy),
                                        TF_TEXT("key", &o.key),
                                        TF_TEXT("connect", &o.connect),
                                        TF_FLAG("allow-sim", &o.allow_sim),
                                        TF_COLLATERAL_OPTIONS(&o.source),
                                        TF_FLAG("json", &o.is_json),
                                        {0}};
    struct tf_policy policy;
    struct tf_channel_client *channel = NULL;
    EVP_PKEY *key = NULL;
    int status = TF_EXIT_USAGE;

    if (!tf_options(argc, argv, options, &o.name, 1)) {
        return TF_EXIT_USAGE;
    }
    if (o.policy == NULL || o.key == NULL) {
        return tf_missing("failures", o.policy == NULL ? "policy" : "key");
    }
    if (tf_policy_load(o.policy, &policy) == TF_OK) {
        key = tf_key_load(o.key);
    }
    if (key != NULL) {
        channel = tf_channel_open(o.connect, o.name);
    }
    if (channel != NULL) {
        status = tf_exit_of(run(channel, &o, &policy, key));
    }
    tf_channel_close(channel);
    EVP_PKEY_free(key);
    return status;
}
