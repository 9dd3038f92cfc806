/* SPDX-License-Identifier: Apache-2.0 */
/* attest.c - the verb `attest`: who is this enclave, what does it run, and is that good?
 */
#include "cli/attest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/collateral.h"
#include "client/channel.h"
#include "lib/bytes.h"
#include "lib/json.h"
#include "verify/dates.h"

static void print_screen(const struct tf_verdict *v)
{
    const struct tf_appraisal *a = &v->appraisal;
    char measurement[65];
    char signer[65];

    tf_hex_write(a->sgx.mrenclave, 32, measurement);
    tf_hex_write(a->sgx.mrsigner, 32, signer);
    if (a->tee != TF_TEE_NONE) {
        (void)printf("platform     %s\n",
                     a->is_simulated ? "SIMULATED: nothing protects it from its operator"
                                     : "SGX");
        (void)printf("enclave      MRENCLAVE %s%s\n", measurement,
                     a->is_debug ? " (DEBUG)" : "");
        (void)printf("signed by    MRSIGNER  %s, product %u, version %u\n", signer,
                     a->sgx.isv_prod_id, a->sgx.isv_svn);
    }
    if (v->has_claims) {
        (void)printf("engine       %s, LVI %s, instance %s\ntrust domain %s\n", v->engine,
                     v->lvi, v->instance, v->domain);
    }
    if (v->has_lambda) {
        char lease[TF_DATE_SIZE + 16] = "";
        if (v->lambda.leased_until != 0) {
            memcpy(lease, ", until ", sizeof(", until "));
            tf_date_write((int64_t)v->lambda.leased_until, lease + strlen(lease));
        }
        (void)printf("lambda       %s version %" PRIu64 "%s%s\ndigest       %s\n"
                     "publisher    %s\nnames       ",
                     v->lambda.name, v->lambda.version,
                     v->lambda.is_granted ? ", granted" : ", no key yet", lease,
                     v->lambda.digest, v->lambda.signer);
        for (size_t i = 0; i < v->lambda.domain_count; i++) {
            (void)printf(" %s", v->lambda.domains[i]);
        }
        (void)putchar('\n');
    }
    (void)printf("verdict      %s\n", v->result == TF_OK ? "GOOD" : "BAD");
    for (size_t i = 0; i < v->reason_count; i++) {
        (void)printf("  because    %s: %s\n", tf_err_name(v->reasons[i]),
                     tf_err_text(v->reasons[i]));
        if (tf_err_hint(v->reasons[i])[0] != '\0') {
            (void)printf("  next       %s\n", tf_err_hint(v->reasons[i]));
        }
    }
}

static void write_lambda(struct tf_json_writer *w, const struct tf_lambda_claim *l)
{
    tf_json_open_object(w, "lambda");
    tf_json_put_string(w, "name", l->name);
    tf_json_put_integer(w, "version", l->version);
    tf_json_put_string(w, "digest", l->digest);
    tf_json_put_string(w, "signer", l->signer);
    tf_json_put_boolean(w, "granted", l->is_granted);
    tf_json_put_integer(w, "serial", l->serial);
    tf_json_put_integer(w, "leased_until", l->leased_until);
    tf_json_close_object(w);
}

static void print_json(const struct tf_verdict *v)
{
    const struct tf_appraisal *a = &v->appraisal;
    char text[4096];
    struct tf_json_writer w;

    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "verdict", v->result == TF_OK ? "good" : "bad");
    tf_json_open_array(&w, "reasons");
    for (size_t i = 0; i < v->reason_count; i++) {
        tf_json_put_string(&w, NULL, tf_err_name(v->reasons[i]));
    }
    tf_json_close_array(&w);
    tf_json_put_boolean(&w, "simulated", a->is_simulated);
    tf_json_put_boolean(&w, "debug", a->is_debug);
    tf_json_put_hex(&w, "mrenclave", a->sgx.mrenclave, 32);
    tf_json_put_hex(&w, "mrsigner", a->sgx.mrsigner, 32);
    tf_json_put_integer(&w, "product", a->sgx.isv_prod_id);
    tf_json_put_integer(&w, "svn", a->sgx.isv_svn);
    tf_json_put_string(&w, "domain", v->domain);
    tf_json_put_string(&w, "instance", v->instance);
    tf_json_put_string(&w, "engine", v->engine);
    tf_json_put_string(&w, "lvi", v->lvi);
    tf_json_put_integer(&w, "time", v->time);
    if (v->has_lambda) {
        write_lambda(&w, &v->lambda);
    }
    tf_json_close_object(&w);
    if (tf_json_take(&w, NULL) == TF_OK) {
        (void)puts(text);
    }
}

void tf_verdict_print(const struct tf_verdict *verdict, bool is_json)
{
    if (is_json) {
        print_json(verdict);
    } else {
        print_screen(verdict);
    }
}

int tf_cmd_attest(int argc, char **argv)
{
    const char *name = NULL;
    const char *policy_path = NULL;
    const char *connect = tf_default_connect();
    bool allow_sim = false;
    bool is_json = false;
    struct tf_collateral_source source = tf_default_collateral();
    const struct tf_option options[] = {
        TF_TEXT("policy", &policy_path),  TF_TEXT("connect", &connect),
        TF_FLAG("allow-sim", &allow_sim), TF_FLAG("json", &is_json),
        TF_COLLATERAL_OPTIONS(&source),   {0}};
    struct tf_policy policy;
    struct tf_attestation attestation;

    if (!tf_options(argc, argv, options, &name, 1)) {
        return TF_EXIT_USAGE;
    }
    if (policy_path == NULL) {
        return tf_missing("attest", "policy");
    }
    tf_err err = tf_policy_load(policy_path, &policy);
    if (err != TF_OK) {
        return tf_exit(err);
    }
    struct tf_channel_client *channel = tf_channel_open(connect, name);
    if (channel == NULL) {
        return TF_EXIT_USAGE;
    }
    const struct tf_attest_rules rules = {
        .policy = &policy, .source = &source, .insecure_allow_simulated = allow_sim};
    err = tf_channel_attest(channel, name, &rules, &attestation);
    tf_channel_close(channel);
    if (err != TF_OK) {
        return err == TF_EIO ? TF_EXIT_USAGE : TF_EXIT_REFUSED;
    }
    tf_verdict_print(&attestation.verdict, is_json);
    return attestation.verdict.result == TF_OK ? TF_EXIT_OK : TF_EXIT_REFUSED;
}
