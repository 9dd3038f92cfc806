/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cert.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "abi/limits.h"
#include "client/file.h"
#include "client/report.h"

enum {
    CA_SECONDS = 3650 * 86400,
    SERIAL_SIZE = 16,
    BACKDATE_SECONDS = 3600,
    COMMON_NAME_MAX = 64
};

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool is_good = extension != NULL && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return is_good;
}

static bool set_serial(X509 *cert)
{
    uint8_t bytes[SERIAL_SIZE];

    if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
        return false;
    }
    bytes[0] &= 0x7f; /* positive, RFC 5280 section 4.1.2.2 */
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool is_good =
        number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
    BN_free(number);
    return is_good;
}

/* A version 3 certificate with serial, validity, subject and key; not yet signed. */
static X509 *prepare(const char *common_name, EVP_PKEY *key, long seconds)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_NAME_new();
    bool is_good =
        cert != NULL && name != NULL && X509_set_version(cert, X509_VERSION_3) == 1 &&
        set_serial(cert) &&
        X509_gmtime_adj(X509_getm_notBefore(cert), -BACKDATE_SECONDS) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(cert), seconds) != NULL &&
        X509_set_pubkey(cert, key) == 1 &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                   (const unsigned char *)common_name, -1, -1, 0) == 1 &&
        X509_set_subject_name(cert, name) == 1;

    X509_NAME_free(name);
    if (!is_good) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

/* Digest for signing with `key`: Ed25519 has its own. */
static const EVP_MD *digest_for(const EVP_PKEY *key)
{
    return EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
}

X509 *tf_cert_load(const char *path)
{
    uint8_t *pem = NULL;
    size_t size = 0;

    if (tf_file_read(path, TF_CHAIN_MAX, &pem, &size) != TF_OK) {
        return NULL;
    }
    BIO *bio = BIO_new_mem_buf(pem, (int)size);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    (void)BIO_free(bio);
    free(pem);
    if (cert == NULL) {
        (void)tf_report(TF_EFORMAT, "%s: no PEM certificate", path);
    }
    return cert;
}

static bool is_wanted(const struct tf_cert_order *order, const ASN1_STRING *name)
{
    for (size_t i = 0; i < order->name_count; i++) {
        if (strlen(order->names[i]) == (size_t)ASN1_STRING_length(name) &&
            memcmp(order->names[i], ASN1_STRING_get0_data(name),
                   strlen(order->names[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the CSR asks for exactly as many DNS names as ordered, each of them ordered. */
static bool asks_for_names(const struct tf_cert_order *order, X509_REQ *csr)
{
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(csr);
    GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    bool is_good = names != NULL && sk_GENERAL_NAME_num(names) == (int)order->name_count;

    for (int i = 0; is_good && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        is_good = name->type == GEN_DNS && is_wanted(order, name->d.dNSName);
    }
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return is_good;
}

static bool set_leaf_extensions(const struct tf_cert_order *order, X509 *leaf)
{
    char names[TF_DOMAINS_MAX * (TF_DNS_MAX + 5)] = "";
    size_t at = 0;

    for (size_t i = 0; i < order->name_count && at < sizeof(names); i++) {
        at += (size_t)snprintf(names + at, sizeof(names) - at, "%sDNS:%s",
                               i == 0 ? "" : ",", order->names[i]);
    }
    return at < sizeof(names) &&
           add_extension(leaf, order->ca, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(leaf, order->ca, NID_key_usage, "critical,digitalSignature") &&
           add_extension(leaf, order->ca, NID_ext_key_usage, "serverAuth") &&
           add_extension(leaf, order->ca, NID_subject_alt_name, names) &&
           add_extension(leaf, order->ca, NID_authority_key_identifier, "keyid");
}

static X509 *issue(const struct tf_cert_order *order, X509_REQ *csr)
{
    EVP_PKEY *key = X509_REQ_get0_pubkey(csr);
    char group[32] = "";

    if (key == NULL || X509_REQ_verify(csr, key) != 1 ||
        EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1 ||
        strcmp(group, "prime256v1") != 0 || !asks_for_names(order, csr)) {
        (void)tf_report(TF_EGRANT_FORMAT, "the enclave's CSR is not what was asked for");
        return NULL;
    }
    /* A common name has at most 64 characters (RFC 5280 A.1); clients look at the names.
     */
    const char *common_name =
        strlen(order->names[0]) <= COMMON_NAME_MAX ? order->names[0] : "tfaas lambda";
    X509 *leaf = prepare(common_name, key, order->seconds);
    if (leaf == NULL || !set_leaf_extensions(order, leaf) ||
        X509_set_issuer_name(leaf, X509_get_subject_name(order->ca)) != 1 ||
        X509_sign(leaf, order->ca_key, digest_for(order->ca_key)) == 0) {
        (void)tf_report(TF_EINTERNAL, "OpenSSL made no certificate");
        X509_free(leaf);
        return NULL;
    }
    return leaf;
}

/* PEM of both certificates as one string. */
static char *encode(X509 *leaf, X509 *ca)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    char *out = NULL;

    if (bio != NULL && PEM_write_bio_X509(bio, leaf) == 1 &&
        PEM_write_bio_X509(bio, ca) == 1) {
        long size = BIO_get_mem_data(bio, &bytes);
        out = OPENSSL_strndup(bytes, (size_t)size);
    }
    (void)BIO_free(bio);
    return out;
}

tf_err tf_cert_issue(const struct tf_cert_order *order, const char *csr, char **chain)
{
    BIO *bio = BIO_new_mem_buf(csr, -1);
    X509_REQ *request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    X509 *leaf = NULL;

    (void)BIO_free(bio);
    if (request == NULL) {
        return (void)tf_report(TF_EGRANT_FORMAT, "the CSR does not parse"),
               TF_EGRANT_FORMAT;
    }
    leaf = issue(order, request);
    X509_REQ_free(request);
    char *pem = leaf == NULL ? NULL : encode(leaf, order->ca);
    X509_free(leaf);
    if (pem == NULL) {
        return TF_EGRANT_FORMAT;
    }
    *chain = pem;
    return TF_OK;
}

X509 *tf_cert_make_ca(const char *name, EVP_PKEY *key)
{
    X509 *cert = prepare(name, key, CA_SECONDS);

    if (cert == NULL || X509_set_issuer_name(cert, X509_get_subject_name(cert)) != 1 ||
        !add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
        !add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(cert, cert, NID_subject_key_identifier, "hash") ||
        X509_sign(cert, key, digest_for(key)) == 0) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}
