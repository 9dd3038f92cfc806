/* SPDX-License-Identifier: Apache-2.0 */
/* usage.c - the verb `usage`: what a lambda has used, in the word of the enclave that ran
 * it. */
#include <stdio.h>
#include <string.h>

#include "cli/attest.h"
#include "cli/cli.h"
#include "cli/collateral.h"
#include "cli/receipt.h"
#include "client/channel.h"
#include "client/policy.h"
#include "lib/json.h"

struct options {
    const char *name;
    const char *policy;
    const char *connect;
    const char *out;
    bool allow_sim;
    bool is_json;
    struct tf_collateral_source source;
};

/* Asks the enclave. @param text  borrowed from `answer`, which the caller owns. */
static tf_err ask(struct tf_channel_client *channel, const char *lambda, json_t **answer,
                  const char **text)
{
    char body[TF_NAME_MAX + 32];
    struct tf_json_writer w;
    size_t size = 0;

    tf_json_writer_init(&w, body, sizeof(body));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "lambda", lambda);
    tf_json_close_object(&w);
    tf_err err = tf_json_take(&w, &size);
    if (err == TF_OK) {
        err = tf_channel_post(channel, "/v1/usage", body, size, answer);
    }
    if (err != TF_OK) {
        return err;
    }
    *text = json_string_value(json_object_get(*answer, "usage"));
    if (*text == NULL) {
        (void)tf_report(TF_ERECEIPT_FORMAT, "the enclave's answer has no statement");
        return TF_ERECEIPT_FORMAT;
    }
    return TF_OK;
}

/* The statement has to be of the instance that was attested, about this lambda. */
static tf_err check(const struct options *o, const struct tf_verdict *v, const char *text,
                    struct tf_receipt *out)
{
    tf_err err = tf_receipt_open(text, strlen(text), v->receipts, out);

    if (err == TF_OK && strcmp(out->instance, v->instance) != 0) {
        err = TF_ERECEIPT_KEY;
    }
    if (err == TF_OK && (!out->is_usage || strcmp(out->lambda, o->name) != 0)) {
        err = TF_ERECEIPT_FORMAT;
    }
    if (err != TF_OK) {
        (void)tf_report(err, "the statement of usage");
    }
    return err;
}

static tf_err show(const struct options *o, const char *text,
                   const struct tf_receipt *receipt)
{
    char line[TF_RECEIPT_TEXT_MAX + 2];
    int size = snprintf(line, sizeof(line), "%s\n", text);

    tf_receipt_print(receipt, o->is_json);
    return o->out == NULL ? TF_OK : tf_file_write(o->out, line, (size_t)size, 0644);
}

static tf_err run(struct tf_channel_client *channel, const struct options *o,
                  const struct tf_policy *policy)
{
    const struct tf_attest_rules rules = {
        .policy = policy, .source = &o->source, .insecure_allow_simulated = o->allow_sim};
    struct tf_attestation attestation;
    struct tf_receipt receipt;
    json_t *answer = NULL;
    const char *text = NULL;

    tf_err err = tf_attested(channel, o->name, &rules, o->is_json, &attestation);
    if (err == TF_OK) {
        err = ask(channel, o->name, &answer, &text);
    }
    if (err == TF_OK) {
        err = check(o, &attestation.verdict, text, &receipt);
    }
    if (err == TF_OK) {
        err = show(o, text, &receipt);
    }
    json_decref(answer);
    return err;
}

int tf_cmd_usage(int argc, char **argv)
{
    struct options o = {.connect = tf_default_connect(),
                        .source = tf_default_collateral()};
    const struct tf_option options[] = {TF_TEXT("policy", &o.policy),
                                        TF_TEXT("connect", &o.connect),
                                        TF_TEXT("out", &o.out),
                                        TF_FLAG("allow-sim", &o.allow_sim),
                                        TF_COLLATERAL_OPTIONS(&o.source),
                                        TF_FLAG("json", &o.is_json),
                                        {0}};
    struct tf_policy policy;
    struct tf_channel_client *channel = NULL;

    if (!tf_options(argc, argv, options, &o.name, 1)) {
        return TF_EXIT_USAGE;
    }
    if (o.policy == NULL) {
        return tf_missing("usage", "policy");
    }
    if (tf_policy_load(o.policy, &policy) == TF_OK) {
        channel = tf_channel_open(o.connect, o.name);
    }
    if (channel == NULL) {
        return TF_EXIT_USAGE;
    }
    tf_err err = run(channel, &o, &policy);
    tf_channel_close(channel);
    return tf_exit_of(err);
}
