/* SPDX-License-Identifier: Apache-2.0 */
#include "attester/issuer.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "abi/limits.h"
#include "attester/run.h"
#include "attester/visit.h"
#include "client/cert.h"
#include "client/keys.h"
#include "client/report.h"
#include "lib/bytes.h"

enum { WAIT_FIRST = 60, WAIT_MAX = 3600 };

struct tf_issuer {
    const struct tf_config *config;
    X509 *ca; /* NULL: ACME */
    EVP_PKEY *ca_key;
    pthread_mutex_t lock; /* one ACME order at a time, and the two below */
    time_t wait_until;    /* of the monotonic clock */
    time_t wait;          /* seconds; 0: the last order was good */
};

tf_err tf_issuer_open(const struct tf_config *config, struct tf_issuer **out)
{
    struct tf_issuer *issuer = calloc(1, sizeof(*issuer));

    if (issuer == NULL) {
        return TF_ENOMEM;
    }
    (void)pthread_mutex_init(&issuer->lock, NULL);
    issuer->config = config;
    if (config->ca_key != NULL) {
        issuer->ca = tf_cert_load(config->ca_certificate);
        issuer->ca_key = issuer->ca == NULL ? NULL : tf_key_load(config->ca_key);
        if (issuer->ca_key == NULL) {
            tf_issuer_close(issuer);
            return TF_EUSAGE;
        }
        if (X509_check_private_key(issuer->ca, issuer->ca_key) != 1) {
            (void)tf_report(TF_ECONFIG, "%s is not the key of %s", config->ca_key,
                            config->ca_certificate);
            tf_issuer_close(issuer);
            return TF_ECONFIG;
        }
    }
    *out = issuer;
    return TF_OK;
}

void tf_issuer_close(struct tf_issuer *issuer)
{
    if (issuer != NULL) {
        X509_free(issuer->ca);
        EVP_PKEY_free(issuer->ca_key);
        (void)pthread_mutex_destroy(&issuer->lock);
        free(issuer);
    }
}

static tf_err issue_ca(struct tf_issuer *issuer, const char *csr,
                       const char *const *names, size_t name_count, char **chain)
{
    const struct tf_cert_order order = {.ca = issuer->ca,
                                        .ca_key = issuer->ca_key,
                                        .names = names,
                                        .name_count = name_count,
                                        .seconds =
                                            (long)issuer->config->certificate_seconds};
    char *pem = NULL;
    tf_err err = tf_cert_issue(&order, csr, &pem);

    if (err == TF_OK) {
        *chain = strdup(pem);
        err = *chain == NULL ? TF_ENOMEM : TF_OK;
    }
    OPENSSL_free(pem);
    return err;
}

/* The CSR as a file beside the log, for the command. @return whether it was written. */
static bool save_csr(const struct tf_config *config, const char *csr,
                     char path[static PATH_MAX])
{
    size_t size = strlen(csr);

    if (snprintf(path, PATH_MAX, "%s/csr-XXXXXX", config->log) >= PATH_MAX) {
        return false;
    }
    int fd = mkstemp(path);
    if (fd < 0) {
        return false;
    }
    bool is_good = write(fd, csr, size) == (ssize_t)size;
    if (close(fd) != 0 || !is_good) {
        (void)unlink(path);
        return false;
    }
    return true;
}

static tf_err run_command(const struct tf_config *config, const char *csr, char **chain)
{
    const char *argv[TF_CONFIG_COMMAND_MAX + 1] = {NULL};
    char path[PATH_MAX];
    char *out = malloc(TF_CHAIN_MAX);

    if (out == NULL) {
        return TF_ENOMEM;
    }
    if (!save_csr(config, csr, path)) {
        (void)tf_report(TF_EIO, "%s: no file can be made there", config->log);
        free(out);
        return TF_EIO;
    }
    for (size_t i = 0; config->command[i] != NULL; i++) {
        argv[i] = strcmp(config->command[i], "{csr}") == 0 ? path : config->command[i];
    }
    tf_err err = tf_run(argv, (unsigned)config->command_seconds, out, TF_CHAIN_MAX);
    (void)unlink(path);
    if (err != TF_OK) {
        free(out);
        return TF_EISSUER;
    }
    *chain = out;
    return TF_OK;
}

static tf_err issue_acme(struct tf_issuer *issuer, const char *csr, char **chain)
{
    tf_err err = TF_AGAIN;

    (void)pthread_mutex_lock(&issuer->lock);
    if (issuer->wait == 0 || tf_steady_now() >= issuer->wait_until) {
        err = run_command(issuer->config, csr, chain);
        time_t longer = issuer->wait == 0 ? WAIT_FIRST : 2 * issuer->wait;
        issuer->wait = err == TF_OK ? 0 : longer < WAIT_MAX ? longer : WAIT_MAX;
        issuer->wait_until = tf_steady_now() + issuer->wait;
    }
    (void)pthread_mutex_unlock(&issuer->lock);
    return err;
}

static X509 *parse_leaf(const char *chain)
{
    BIO *bio = BIO_new_mem_buf(chain, -1);
    X509 *leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    (void)BIO_free(bio);
    return leaf;
}

/* Whether the leaf is for the key of the CSR. */
static bool is_for(X509 *leaf, const char *csr)
{
    BIO *bio = BIO_new_mem_buf(csr, -1);
    X509_REQ *request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    EVP_PKEY *key = request == NULL ? NULL : X509_REQ_get0_pubkey(request);
    bool is_good = key != NULL && EVP_PKEY_eq(X509_get0_pubkey(leaf), key) == 1;

    X509_REQ_free(request);
    (void)BIO_free(bio);
    return is_good;
}

static bool has_names(X509 *leaf, const char *const *names, size_t name_count)
{
    for (size_t i = 0; i < name_count; i++) {
        if (X509_check_host(leaf, names[i], 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                            NULL) != 1) {
            return false;
        }
    }
    return true;
}

/* Takes down what the grant and the log say of the leaf. @return false if it is not in
 * force now. */
static bool note_leaf(X509 *leaf, struct tf_certified *out)
{
    const ASN1_TIME *end = X509_get0_notAfter(leaf);
    uint8_t digest[TF_SHA256_SIZE];
    unsigned size = sizeof(digest);
    int days = 0;
    int seconds = 0;

    if (X509_cmp_current_time(X509_get0_notBefore(leaf)) >= 0 ||
        ASN1_TIME_diff(&days, &seconds, NULL, end) != 1 || days < 0 || seconds < 0 ||
        X509_digest(leaf, EVP_sha256(), digest, &size) != 1) {
        return false;
    }
    out->not_after = (uint64_t)time(NULL) + (uint64_t)days * 86400 + (uint64_t)seconds;
    tf_hex_write(digest, sizeof(digest), out->certificate);
    return true;
}

tf_err tf_issuer_certify(struct tf_issuer *issuer, const char *csr,
                         const char *const *names, size_t name_count,
                         struct tf_certified *out)
{
    struct tf_certified certified = {0};
    char *chain = NULL;
    tf_err err = issuer->ca != NULL ? issue_ca(issuer, csr, names, name_count, &chain)
                                    : issue_acme(issuer, csr, &chain);

    if (err != TF_OK) {
        return err;
    }
    X509 *leaf = parse_leaf(chain);
    if (leaf == NULL || !is_for(leaf, csr) || !has_names(leaf, names, name_count) ||
        !note_leaf(leaf, &certified)) {
        (void)tf_report(TF_EISSUER, "not a certificate that is valid now, for the key of"
                                    " the CSR and its names");
        X509_free(leaf);
        free(chain);
        return TF_EISSUER;
    }
    X509_free(leaf);
    certified.chain = chain;
    certified.chain_size = strlen(chain);
    *out = certified;
    return TF_OK;
}
