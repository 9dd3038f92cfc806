/* SPDX-License-Identifier: Apache-2.0 */
/* attest.c - the verb `attest`: who is this enclave, what does it run, and is that good?
 */
#include "cli/attest.h"

#include <stdio.h>

#include "cli/cli.h"
#include "cli/collateral.h"
#include "cli/quote.h"
#include "cli/screen.h"
#include "client/channel.h"
#include "client/policy.h"
#include "lib/json.h"

enum { JSON_MAX = 32 << 10 };

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

static void write_revocations(struct tf_json_writer *w, const struct tf_verdict *v)
{
    tf_json_open_array(w, "revocations");
    for (size_t i = 0; i < v->revocation_count; i++) {
        tf_json_open_object(w, NULL);
        tf_json_put_string(w, "signer", v->revocations[i].signer);
        tf_json_put_integer(w, "serial", v->revocations[i].serial);
        tf_json_close_object(w);
    }
    tf_json_close_array(w);
}

static void write_collateral(struct tf_json_writer *w, const struct tf_attestation *t)
{
    static const char *const origins[] = {[TF_COLLATERAL_NONE] = "none",
                                          [TF_COLLATERAL_FILE] = "file",
                                          [TF_COLLATERAL_CACHE] = "cache",
                                          [TF_COLLATERAL_SERVICE] = "service"};

    tf_json_open_object(w, "collateral");
    tf_json_put_string(w, "from", origins[t->origin]);
    tf_json_put_integer(w, "fetched", (uint64_t)t->fetched);
    tf_json_put_integer(w, "issued", (uint64_t)t->verdict.appraisal.tcb.issued);
    tf_json_put_integer(w, "next_update", (uint64_t)t->verdict.appraisal.tcb.next_update);
    tf_json_close_object(w);
}

static void write_sgx(struct tf_json_writer *w, const struct sgx_report *r)
{
    tf_json_put_hex(w, "mrenclave", r->mrenclave, 32);
    tf_json_put_hex(w, "mrsigner", r->mrsigner, 32);
    tf_json_put_integer(w, "product", r->isv_prod_id);
    tf_json_put_integer(w, "svn", r->isv_svn);
}

static void write_claims(struct tf_json_writer *w, const struct tf_verdict *v)
{
    tf_json_put_string(w, "domain", v->domain);
    tf_json_put_string(w, "instance", v->instance);
    tf_json_put_string(w, "receipts", v->receipts);
    tf_json_put_string(w, "engine", v->engine);
    tf_json_put_string(w, "lvi", v->lvi);
    tf_json_put_integer(w, "time", v->time);
    write_revocations(w, v);
    if (v->has_lambda) {
        write_lambda(w, &v->lambda);
    }
}

static void print_json(const struct tf_attestation *t)
{
    const struct tf_verdict *v = &t->verdict;
    const struct tf_appraisal *a = &v->appraisal;
    char text[JSON_MAX];
    struct tf_json_writer w;

    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "verdict", v->result == TF_OK ? "good" : "bad");
    tf_json_open_array(&w, "reasons");
    for (size_t i = 0; i < v->reason_count; i++) {
        tf_json_put_string(&w, NULL, tf_err_name(v->reasons[i]));
    }
    tf_json_close_array(&w);
    tf_json_put_integer(&w, "at", (uint64_t)t->time);
    tf_json_put_boolean(&w, "simulated", a->is_simulated);
    tf_json_put_boolean(&w, "native", a->is_native);
    tf_json_put_boolean(&w, "debug", a->is_debug);
    if (a->tee == TF_TEE_SGX) {
        write_sgx(&w, &a->sgx);
    }
    write_claims(&w, v);
    tf_json_put_string(&w, "ra_tls",
                       t->certificate == TF_OK ? "good"
                       : t->certificate == TF_EEVIDENCE_FORMAT
                           ? "none"
                           : tf_err_name(t->certificate));
    write_collateral(&w, t);
    tf_json_open_object(&w, "evidence");
    tf_appraisal_put(&w, a);
    tf_json_close_object(&w);
    tf_json_close_object(&w);
    if (tf_json_take(&w, NULL) == TF_OK) {
        (void)puts(text);
    }
}

void tf_attestation_print(const struct tf_attestation *attestation, bool is_json)
{
    if (is_json) {
        print_json(attestation);
    } else {
        tf_screen_print(attestation);
    }
}

tf_err tf_attested(struct tf_channel_client *channel, const char *lambda,
                   const struct tf_attest_rules *rules, bool is_json,
                   struct tf_attestation *out)
{
    if (tf_channel_attest(channel, lambda, rules, out) != TF_OK) {
        return TF_EIO;
    }
    if (out->verdict.result != TF_OK) {
        tf_attestation_print(out, is_json);
    }
    return out->verdict.result;
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
    struct tf_channel_client *channel = NULL;
    if (tf_policy_load(policy_path, &policy) == TF_OK) {
        channel = tf_channel_open(connect, name);
    }
    if (channel == NULL) {
        return TF_EXIT_USAGE;
    }
    const struct tf_attest_rules rules = {
        .policy = &policy, .source = &source, .insecure_allow_simulated = allow_sim};
    tf_err err = tf_channel_attest(channel, name, &rules, &attestation);
    tf_channel_close(channel);
    if (err != TF_OK) {
        return TF_EXIT_USAGE;
    }
    tf_attestation_print(&attestation, is_json);
    return tf_exit_of(attestation.verdict.result);
}
