/* SPDX-License-Identifier: Apache-2.0 */
/* pki_cert.h - certificates' keys, revocation lists and raw signatures, for pki.h. Trusts
 * its callers. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "lib/bytes.h"
#include "verify/quote.h"

enum { PKI_DAY = 86400 };

/** The time of verification: 2026-06-01. */
static const int64_t PKI_NOW = (int64_t)20605 * PKI_DAY;

/** A certificate and its key. */
struct pki_id {
    const char *name;
    EVP_PKEY *key;
    X509 *cert;
    long serial;
    int64_t start;
    int64_t end;
    bool is_revoked;
};

static inline ASN1_TIME *pki_time(int64_t seconds)
{
    return ASN1_TIME_set(NULL, (time_t)seconds);
}

static inline void pki_add(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    (void)X509_add_ext(cert, e, -1);
    X509_EXTENSION_free(e);
}

static inline void pki_revoke(X509_CRL *crl, const struct pki_id *id, int64_t when)
{
    if (id->is_revoked) {
        X509_REVOKED *entry = X509_REVOKED_new();
        ASN1_TIME *date = pki_time(when);
        (void)X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(id->cert));
        (void)X509_REVOKED_set_revocationDate(entry, date);
        (void)X509_CRL_add0_revoked(crl, entry);
        ASN1_TIME_free(date);
    }
}

/** A list by `by`, over two certificates, from times[0] to times[1]. @return its DER, to
 * be freed by OPENSSL_free. */
static inline struct tf_bytes pki_crl(const struct pki_id *by, EVP_PKEY *key,
                                      const int64_t times[static 2],
                                      const struct pki_id *a, const struct pki_id *b)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *from = pki_time(times[0]);
    ASN1_TIME *to = pki_time(times[1]);
    unsigned char *der = NULL;

    (void)X509_CRL_set_version(crl, 1);
    (void)X509_CRL_set_issuer_name(crl, X509_get_subject_name(by->cert));
    (void)X509_CRL_set1_lastUpdate(crl, from);
    (void)X509_CRL_set1_nextUpdate(crl, to);
    pki_revoke(crl, a, times[0]);
    pki_revoke(crl, b, times[0]);
    (void)X509_CRL_sign(crl, key, EVP_sha256());
    int size = i2d_X509_CRL(crl, &der);
    X509_CRL_free(crl);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    return (struct tf_bytes){der, (size_t)size};
}

/** A raw signature, r || s. */
static inline void pki_sign(EVP_PKEY *key, const void *data, size_t size, uint8_t out[64])
{
    uint8_t der[128];
    size_t der_size = sizeof(der);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    (void)EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key);
    (void)EVP_DigestSign(ctx, der, &der_size, data, size);
    EVP_MD_CTX_free(ctx);
    const unsigned char *at = der;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)der_size);
    (void)BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, 32);
    (void)BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + 32, 32);
    ECDSA_SIG_free(signature);
}

static inline struct pki_id pki_id_open(const char *name, long serial)
{
    return (struct pki_id){.name = name,
                           .key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"),
                           .serial = serial,
                           .start = PKI_NOW - 365 * PKI_DAY,
                           .end = PKI_NOW + 365 * PKI_DAY};
}
