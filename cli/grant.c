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
#include "cli/cert.h"
#include "cli/channel.h"
#include "cli/cli.h"
#include "cli/keys.h"
#include "lib/dsse.h"
#include "lib/json.h"

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
    struct tf_list names; /* empty: all that the lambda's manifest has */
    uint64_t days;
    uint64_t floor; /* 0: the version that was attested */
    bool is_pinned;
    bool allow_sim;
};

/* What the statement says about key and certificate. */
struct material {
    char *chain; /* PEM */
    size_t chain_size;
    uint8_t *key; /* PEM, upload mode only; wiped */
    size_t key_size;
};

static void take_names(const struct options *o, const struct tf_verdict *v,
                       const char **names, size_t *count)
{
    if (o->names.count > 0) {
        *count = o->names.count < TF_DOMAINS_MAX ? o->names.count : TF_DOMAINS_MAX;
        memcpy(names, o->names.items, *count * sizeof(names[0]));
        return;
    }
    *count = v->lambda.domain_count;
    for (size_t i = 0; i < *count; i++) {
        names[i] = v->lambda.domains[i];
    }
}

/* Has the enclave make a key for the names; its CSR comes back, owned by the caller. */
static char *ask_csr(struct tf_channel_client *channel, const struct options *o,
                     const char **names, size_t count)
{
    char body[4096];
    struct tf_json_writer w;
    size_t size = 0;
    json_t *answer = NULL;
    char *csr = NULL;

    tf_json_writer_init(&w, body, sizeof(body));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "lambda", o->lambda);
    tf_json_open_array(&w, "names");
    for (size_t i = 0; i < count; i++) {
        tf_json_put_string(&w, NULL, names[i]);
    }
    tf_json_close_array(&w);
    tf_json_close_object(&w);
    if (tf_json_take(&w, &size) == TF_OK &&
        tf_channel_post(channel, "/v1/csr", body, size, &answer) == TF_OK) {
        const char *text = json_string_value(json_object_get(answer, "csr"));
        csr = text == NULL ? NULL : strdup(text);
    }
    json_decref(answer);
    return csr;
}

static tf_err certify(struct tf_channel_client *channel, const struct options *o,
                      const char **names, size_t count, struct material *m)
{
    char *chain = NULL;
    tf_err err = TF_EUSAGE;
    X509 *ca = tf_cert_load(o->ca_cert);
    EVP_PKEY *ca_key = tf_key_load(o->ca_key);
    char *csr = ca == NULL || ca_key == NULL ? NULL : ask_csr(channel, o, names, count);

    if (csr != NULL) {
        struct tf_cert_order order = {.ca = ca,
                                      .ca_key = ca_key,
                                      .names = names,
                                      .name_count = count,
                                      .days = (long)o->days};
        err = tf_cert_issue(&order, csr, &chain);
    }
    if (err == TF_OK) {
        m->chain = strdup(chain);
        m->chain_size = strlen(chain);
    }
    OPENSSL_free(chain);
    free(csr);
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    return err;
}

static tf_err load_material(const struct options *o, struct material *m)
{
    tf_err err =
        tf_file_read(o->cert, TF_CHAIN_MAX, (uint8_t **)&m->chain, &m->chain_size);

    return err == TF_OK ? tf_file_read(o->tls_key, TF_CHAIN_MAX, &m->key, &m->key_size)
                        : err;
}

/* Opens the statement and writes all of it but the channel, the chain and the key. */
static void write_statement(struct tf_json_writer *w, const struct options *o,
                            const struct tf_verdict *v)
{
    const char *names[TF_LIST_MAX];
    size_t count = 0;
    uint64_t now = (uint64_t)time(NULL);

    take_names(o, v, names, &count);
    tf_json_open_object(w, NULL);
    tf_json_put_string(w, "tfaas", "grant.v1");
    tf_json_put_string(w, "lambda", o->lambda);
    tf_json_open_array(w, "names");
    for (size_t i = 0; i < count; i++) {
        tf_json_put_string(w, NULL, names[i]);
    }
    tf_json_close_array(w);
    tf_json_put_string(w, "digest", o->is_pinned ? v->lambda.digest : "");
    tf_json_put_integer(w, "version_floor", o->floor == 0 ? v->lambda.version : o->floor);
    tf_json_put_integer(w, "not_before", now - BACKDATE_SECONDS);
    tf_json_put_integer(w, "not_after", now + o->days * DAY_SECONDS);
}

/* Writes, signs and sends the statement; every copy of an uploaded key is wiped. */
static tf_err send_grant(struct tf_channel_client *channel, const struct options *o,
                         const struct tf_verdict *v, const struct material *m)
{
    char statement[TF_GRANT_MAX];
    struct tf_json_writer w;
    size_t size = 0;
    char *envelope = NULL;
    size_t envelope_size = 0;
    json_t *answer = NULL;
    EVP_PKEY *key = tf_key_load(o->key);

    tf_json_writer_init(&w, statement, sizeof(statement));
    write_statement(&w, o, v);
    tf_json_put_base64(&w, "exporter", tf_channel_exporter(channel), TF_EXPORTER_SIZE);
    tf_json_put_text(&w, "chain", m->chain, m->chain_size);
    tf_json_put_text(&w, "key", (const char *)m->key, m->key_size);
    tf_json_close_object(&w);
    tf_err err = key == NULL ? TF_EUSAGE : tf_json_take(&w, &size);
    if (err == TF_OK) {
        err = tf_envelope_make(key, TF_DSSE_GRANT, statement, size, &envelope,
                               &envelope_size);
    }
    if (err == TF_OK) {
        err = tf_channel_post(channel, "/v1/grant", envelope, envelope_size, &answer);
    }
    tf_wipe(statement, sizeof(statement));
    if (envelope != NULL) {
        tf_wipe(envelope, envelope_size);
    }
    free(envelope);
    json_decref(answer);
    EVP_PKEY_free(key);
    return err;
}

static int finish(struct tf_channel_client *channel, const struct options *o,
                  const struct tf_verdict *v)
{
    const char *names[TF_LIST_MAX];
    size_t count = 0;
    struct material m = {0};

    take_names(o, v, names, &count);
    tf_err err =
        o->tls_key != NULL ? load_material(o, &m) : certify(channel, o, names, count, &m);
    if (err == TF_OK) {
        err = send_grant(channel, o, v, &m);
    }
    if (m.key != NULL) {
        tf_wipe(m.key, m.key_size);
    }
    free(m.key);
    free(m.chain);
    if (err != TF_OK) {
        return TF_EXIT_REFUSED;
    }
    (void)printf("granted %s%s:", o->lambda, v->is_simulated ? " (SIMULATED)" : "");
    for (size_t i = 0; i < count; i++) {
        (void)printf(" %s", names[i]);
    }
    (void)printf(" for %llu day(s)\n", (unsigned long long)o->days);
    return TF_EXIT_OK;
}

static int grant(const struct options *o)
{
    struct tf_policy policy;
    struct tf_verdict verdict;
    int status = TF_EXIT_REFUSED;

    if (tf_policy_load(o->policy, &policy) != TF_OK) {
        return TF_EXIT_USAGE;
    }
    struct tf_channel_client *channel = tf_channel_open(o->connect, o->lambda);
    if (channel == NULL) {
        return TF_EXIT_USAGE;
    }
    tf_err err = tf_channel_attest(channel, &policy, o->lambda, o->allow_sim, &verdict);
    if (err == TF_OK && verdict.result != TF_OK) {
        tf_verdict_print(&verdict, false);
        (void)tf_report(verdict.result, "nothing was granted");
    } else if (err == TF_OK) {
        status = finish(channel, o, &verdict);
    }
    tf_channel_close(channel);
    return status;
}

int tf_cmd_grant(int argc, char **argv)
{
    struct options o = {.connect = tf_default_connect(), .days = DAYS_DEFAULT};
    const struct tf_option options[] = {TF_TEXT("policy", &o.policy),
                                        TF_TEXT("key", &o.key),
                                        TF_TEXT("ca-key", &o.ca_key),
                                        TF_TEXT("ca-cert", &o.ca_cert),
                                        TF_TEXT("tls-key", &o.tls_key),
                                        TF_TEXT("cert", &o.cert),
                                        TF_LIST("names", &o.names),
                                        TF_NUMBER("days", &o.days),
                                        TF_NUMBER("floor", &o.floor),
                                        TF_FLAG("pin", &o.is_pinned),
                                        TF_TEXT("connect", &o.connect),
                                        TF_FLAG("allow-sim", &o.allow_sim),
                                        {0}};

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
    return grant(&o);
}
