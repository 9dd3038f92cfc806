/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grant.c - the verb `grant`: on one connection, attest, have the enclave make a key,
 * certify it (or hand over a key), and say so in a signed statement that is good on this
 * connection only. Nothing is sent before the verdict on this very connection was good.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "abi/limits.h"
#include "cli/attest.h"
#include "cli/cli.h"
#include "cli/collateral.h"
#include "client/cert.h"
#include "client/channel.h"
#include "client/grant.h"
#include "client/keys.h"
#include "client/policy.h"
#include "lib/names.h"

enum { DAYS_DEFAULT = 30, DAYS_MAX = 825, DAY_SECONDS = 86400, BACKDATE_SECONDS = 300 };

struct options {
    const char *lambda;
    const char *policy;
    const char *key; /* signs the grant */
    const char *ca_key;
    const char *ca_cert;
    const char *tls_key;
    const char *cert;
    const char *connect;
    struct tf_list names;        /* empty: all that the lambda's manifest has */
    struct tf_list secrets;      /* NAME=VALUE */
    struct tf_list secret_files; /* NAME=FILE */
    uint64_t days;
    uint64_t floor; /* 0: the version that was attested */
    bool is_pinned;
    bool allow_sim;
    struct tf_collateral_source source;
};

/* What this machine brings: all loaded before the first byte is sent. */
struct inputs {
    struct tf_policy policy;
    EVP_PKEY *key;    /* signs the grant */
    X509 *ca;         /* CSR mode */
    EVP_PKEY *ca_key; /* CSR mode */
    char *chain;      /* PEM; in CSR mode once there is one */
    size_t chain_size;
    uint8_t *tls_key; /* PEM, upload mode */
    size_t tls_key_size;
    struct tf_grant_secret secrets[2 * TF_LIST_MAX]; /* into `variables` */
    size_t secret_count;
    char variables[TF_SECRETS_SIZE]; /* secret: names and values */
    size_t variables_size;
};

static tf_err load_ca(const struct options *o, struct inputs *in)
{
    in->ca = tf_cert_load(o->ca_cert);
    in->ca_key = in->ca == NULL ? NULL : tf_key_load(o->ca_key);
    if (in->ca_key == NULL) {
        return TF_EUSAGE;
    }
    if (X509_check_private_key(in->ca, in->ca_key) != 1) {
        (void)tf_report(TF_EUSAGE, "%s is not the key of %s", o->ca_key, o->ca_cert);
        return TF_EUSAGE;
    }
    return TF_OK;
}

/* The enclave has no clock that it trusts, so this is the place to look. */
static tf_err check_validity(const char *path)
{
    X509 *leaf = tf_cert_load(path);
    tf_err err = TF_EUSAGE;

    if (leaf != NULL) {
        err = X509_cmp_current_time(X509_get0_notBefore(leaf)) < 0 &&
                      X509_cmp_current_time(X509_get0_notAfter(leaf)) > 0
                  ? TF_OK
                  : TF_EGRANT_EXPIRED;
    }
    if (err == TF_EGRANT_EXPIRED) {
        (void)tf_report(err, "%s", path);
    }
    X509_free(leaf);
    return err;
}

/* Appends text and a NUL. @return where it is; NULL after a message. */
static const char *keep(struct inputs *in, const void *text, size_t size)
{
    char *at = in->variables + in->variables_size;

    if (size >= sizeof(in->variables) - in->variables_size) {
        (void)tf_report(TF_ELIMIT, "all --secret and --secret-file: at most %d bytes",
                        TF_SECRETS_SIZE);
        return NULL;
    }
    memcpy(at, text, size);
    at[size] = '\0';
    in->variables_size += size + 1;
    return at;
}

static const char *keep_file(struct inputs *in, const char *path)
{
    uint8_t *data = NULL;
    const char *value = NULL;
    size_t size = 0;

    if (tf_file_read(path, TF_SECRETS_SIZE, &data, &size) != TF_OK) {
        return NULL;
    }
    if (memchr(data, 0, size) == NULL) {
        value = keep(in, data, size);
    } else {
        (void)tf_report(TF_EUSAGE, "%s has a zero byte", path);
    }
    tf_wipe(data, size);
    free(data);
    return value;
}

/* NAME=VALUE, or NAME=FILE. */
static tf_err load_secret(const char *text, bool is_file, struct inputs *in)
{
    struct tf_grant_secret secret = {0};
    const char *equals = strchr(text, '=');

    if (equals != NULL && equals != text) {
        secret.name = keep(in, text, (size_t)(equals - text));
    }
    for (size_t i = 0; i < in->secret_count && secret.name != NULL; i++) {
        if (strcmp(in->secrets[i].name, secret.name) == 0) {
            secret.name = NULL;
        }
    }
    if (secret.name == NULL) {
        (void)tf_report(TF_EUSAGE, "--secret%s wants NAME=%s, each NAME once",
                        is_file ? "-file" : "", is_file ? "FILE" : "VALUE");
        return TF_EUSAGE;
    }
    secret.value =
        is_file ? keep_file(in, equals + 1) : keep(in, equals + 1, strlen(equals + 1));
    in->secrets[in->secret_count++] = secret;
    return secret.value == NULL ? TF_EUSAGE : TF_OK;
}

static tf_err load_secrets(const struct options *o, struct inputs *in)
{
    tf_err err = TF_OK;

    for (size_t i = 0; i < o->secrets.count && err == TF_OK; i++) {
        err = load_secret(o->secrets.items[i], false, in);
    }
    for (size_t i = 0; i < o->secret_files.count && err == TF_OK; i++) {
        err = load_secret(o->secret_files.items[i], true, in);
    }
    return err;
}

/* @return TF_OK, or an error after a message; wipe_inputs in either case. */
static tf_err load_inputs(const struct options *o, struct inputs *in)
{
    tf_err err = tf_policy_load(o->policy, &in->policy);

    if (err == TF_OK) {
        in->key = tf_key_load(o->key);
        err = in->key == NULL ? TF_EUSAGE : TF_OK;
    }
    if (err == TF_OK) {
        err = load_secrets(o, in);
    }
    if (err == TF_OK && o->tls_key == NULL) {
        return load_ca(o, in);
    }
    if (err == TF_OK) {
        err = check_validity(o->cert);
    }
    if (err == TF_OK) {
        err =
            tf_file_read(o->cert, TF_CHAIN_MAX, (uint8_t **)&in->chain, &in->chain_size);
    }
    if (err == TF_OK) {
        err = tf_file_read(o->tls_key, TF_CHAIN_MAX, &in->tls_key, &in->tls_key_size);
    }
    return err;
}

static void wipe_inputs(struct inputs *in)
{
    EVP_PKEY_free(in->key);
    X509_free(in->ca);
    EVP_PKEY_free(in->ca_key);
    if (in->tls_key != NULL) {
        tf_wipe(in->tls_key, in->tls_key_size);
    }
    free(in->tls_key);
    free(in->chain);
    tf_wipe(in->variables, sizeof(in->variables));
}

static void take_names(const struct options *o, const struct tf_verdict *v,
                       const char **names, size_t *count)
{
    if (o->names.count > 0) {
        *count = o->names.count;
        memcpy(names, o->names.items, *count * sizeof(names[0]));
        return;
    }
    *count = v->lambda.domain_count;
    for (size_t i = 0; i < *count; i++) {
        names[i] = v->lambda.domains[i];
    }
}

static tf_err certify(struct tf_channel_client *channel, const struct options *o,
                      struct inputs *in, const char **names, size_t count)
{
    char *chain = NULL;
    char *csr = NULL;
    const struct tf_cert_order order = {.ca = in->ca,
                                        .ca_key = in->ca_key,
                                        .names = names,
                                        .name_count = count,
                                        .seconds = (long)o->days * DAY_SECONDS};
    tf_err err = tf_grant_ask_csr(channel, o->lambda, names, count, &csr);

    if (err == TF_OK) {
        err = tf_cert_issue(&order, csr, &chain);
    }
    if (err == TF_OK) {
        in->chain_size = strlen(chain);
        in->chain = strdup(chain);
        err = in->chain == NULL ? TF_ENOMEM : TF_OK;
    }
    OPENSSL_free(chain);
    free(csr);
    return err;
}

static tf_err send_grant(struct tf_channel_client *channel, const struct options *o,
                         const struct tf_verdict *v, const struct inputs *in)
{
    const char *names[TF_LIST_MAX];
    struct timespec at;

    (void)clock_gettime(CLOCK_REALTIME, &at);
    uint64_t now = (uint64_t)at.tv_sec;
    struct tf_grant_order order = {.lambda = o->lambda,
                                   .serial = now * 1000 + (uint64_t)at.tv_nsec / 1000000,
                                   .time = now,
                                   .names = names,
                                   .digest = o->is_pinned ? v->lambda.digest : "",
                                   .version_floor =
                                       o->floor == 0 ? v->lambda.version : o->floor,
                                   .not_before = now - BACKDATE_SECONDS,
                                   .not_after = now + o->days * DAY_SECONDS,
                                   .chain = in->chain,
                                   .chain_size = in->chain_size,
                                   .key = (const char *)in->tls_key,
                                   .key_size = in->tls_key_size,
                                   .secrets = in->secrets,
                                   .secret_count = in->secret_count};

    take_names(o, v, names, &order.name_count);
    return tf_grant_send(channel, in->key, &order);
}

static tf_err finish(struct tf_channel_client *channel, const struct options *o,
                     const struct tf_verdict *v, struct inputs *in)
{
    const char *names[TF_LIST_MAX];
    size_t count = 0;

    take_names(o, v, names, &count);
    tf_err err = o->tls_key != NULL ? TF_OK : certify(channel, o, in, names, count);
    if (err == TF_OK) {
        err = send_grant(channel, o, v, in);
    }
    if (err != TF_OK) {
        return err;
    }
    (void)printf("granted %s%s:", o->lambda,
                 v->appraisal.is_simulated ? " (SIMULATED)" : "");
    for (size_t i = 0; i < count; i++) {
        (void)printf(" %s", names[i]);
    }
    (void)printf(" for %llu day(s)\n", (unsigned long long)o->days);
    return TF_OK;
}

static int attest_and_grant(struct tf_channel_client *channel, const struct options *o,
                            struct inputs *in)
{
    const struct tf_attest_rules rules = {.policy = &in->policy,
                                          .source = &o->source,
                                          .insecure_allow_simulated = o->allow_sim};
    struct tf_attestation attestation;
    const struct tf_verdict *verdict = &attestation.verdict;
    tf_err err = tf_channel_attest(channel, o->lambda, &rules, &attestation);

    if (err == TF_OK && verdict->result != TF_OK) {
        tf_attestation_print(&attestation, false);
        return tf_report(verdict->result, "nothing was granted");
    }
    if (err == TF_OK) {
        err = finish(channel, o, verdict, in);
    }
    /* On this channel TF_EUSAGE is the enclave's refusal. */
    return err == TF_EUSAGE ? TF_EXIT_REFUSED : tf_exit(err);
}

static int grant(const struct options *o)
{
    struct inputs in = {0};
    int status = tf_exit(load_inputs(o, &in));

    if (status == TF_EXIT_OK) {
        struct tf_channel_client *channel = tf_channel_open(o->connect, o->lambda);
        status = channel == NULL ? TF_EXIT_USAGE : attest_and_grant(channel, o, &in);
        tf_channel_close(channel);
    }
    wipe_inputs(&in);
    return status;
}

int tf_cmd_grant(int argc, char **argv)
{
    struct options o = {.connect = tf_default_connect(),
                        .days = DAYS_DEFAULT,
                        .source = tf_default_collateral()};
    const struct tf_option options[] = {
        TF_TEXT("policy", &o.policy),     TF_TEXT("key", &o.key),
        TF_TEXT("ca-key", &o.ca_key),     TF_TEXT("ca-cert", &o.ca_cert),
        TF_TEXT("tls-key", &o.tls_key),   TF_TEXT("cert", &o.cert),
        TF_LIST("names", &o.names),       TF_NUMBER("days", &o.days),
        TF_LIST("secret", &o.secrets),    TF_LIST("secret-file", &o.secret_files),
        TF_NUMBER("floor", &o.floor),     TF_FLAG("pin", &o.is_pinned),
        TF_TEXT("connect", &o.connect),   TF_FLAG("allow-sim", &o.allow_sim),
        TF_COLLATERAL_OPTIONS(&o.source), {0}};

    if (!tf_options(argc, argv, options, &o.lambda, 1)) {
        return TF_EXIT_USAGE;
    }
    if (o.policy == NULL || o.key == NULL) {
        return tf_missing("grant", o.policy == NULL ? "policy" : "key");
    }
    bool has_ca = o.ca_key != NULL && o.ca_cert != NULL;
    bool has_upload = o.tls_key != NULL && o.cert != NULL;
    if (has_ca == has_upload || o.days < 1 || o.days > DAYS_MAX) {
        return tf_report(
            TF_EUSAGE,
            "either --ca-key and --ca-cert (the key is made in the enclave) or"
            " --tls-key and --cert; --days from 1 to %d",
            (int)DAYS_MAX);
    }
    for (size_t i = 0; i < o.names.count; i++) {
        if (o.names.count > TF_DOMAINS_MAX ||
            !tf_dns_is_valid(o.names.items[i], strlen(o.names.items[i]))) {
            return tf_report(TF_EUSAGE, "--names are DNS names in lower case, at most %d",
                             (int)TF_DOMAINS_MAX);
        }
    }
    return grant(&o);
}
