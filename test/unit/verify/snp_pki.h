/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_pki.h - a certificate authority like AMD's for tests, with a processor that makes
 * reports: what the genuine vectors do not have - Turin, VLEK, report version 5,
 * revocation. A test opens it, changes what it wants wrong in `struct snp_pki`, has it
 * issue everything, and judges. Its root is named in the policy for tests only. Trusts
 * its callers.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "test/unit/verify/pki_der.h"
#include "verify/dates.h"
#include "verify/snp.h"

enum { SNP_DAY = 86400, SNP_DER_MAX = 4096 };
static const int64_t SNP_NOW = (int64_t)20605 * SNP_DAY;

struct snp_pki {
    EVP_PKEY *ark;
    EVP_PKEY *ask;
    EVP_PKEY *vek;
    bool has_keys;       /* they are its own */
    const char *product; /* "Turin" */
    const char *ark_name;
    const char *ask_name;
    const char *vek_name;
    bool has_chip_id; /* in the certificate */
    bool has_wrapped_id;
    uint8_t chip_id[64];
    size_t chip_id_size;
    uint8_t spl[5]; /* 3.1, 3.2, 3.3, 3.8, 3.9 */
    bool is_ask_revoked;
    bool has_crl;
    int64_t crl_start;
    int64_t crl_end;
    int64_t vek_end;
    uint8_t report[TF_SNP_REPORT_SIZE];
    uint8_t der[4][SNP_DER_MAX];
    size_t size[4];
    struct tf_policy policy;
};

static inline void snp_pki_sign_pss(X509 *cert, X509_CRL *crl, EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey = NULL;

    (void)EVP_DigestSignInit(ctx, &pkey, EVP_sha384(), NULL, key);
    (void)EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING);
    (void)EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, 48);
    if (cert != NULL) {
        (void)X509_sign_ctx(cert, ctx);
    } else {
        (void)X509_CRL_sign_ctx(crl, ctx);
    }
    EVP_MD_CTX_free(ctx);
}

static inline void snp_pki_add_extension(X509 *cert, const char *oid, const uint8_t *data,
                                         size_t size)
{
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);

    (void)ASN1_OCTET_STRING_set(value, data, (int)size);
    X509_EXTENSION *e = X509_EXTENSION_create_by_OBJ(NULL, object, 0, value);
    (void)X509_add_ext(cert, e, -1);
    X509_EXTENSION_free(e);
    ASN1_OBJECT_free(object);
    ASN1_OCTET_STRING_free(value);
}

static inline void snp_pki_add_vek_extensions(const struct snp_pki *s, X509 *cert)
{
    static const char *const oids[] = {"1.3.6.1.4.1.3704.1.3.1", "1.3.6.1.4.1.3704.1.3.2",
                                       "1.3.6.1.4.1.3704.1.3.3", "1.3.6.1.4.1.3704.1.3.8",
                                       "1.3.6.1.4.1.3704.1.3.9"};
    uint8_t der[1024];
    size_t size = pki_der(der, 0x16, s->product, strlen(s->product));

    snp_pki_add_extension(cert, "1.3.6.1.4.1.3704.1.2", der, size);
    for (size_t i = 0; i < 5; i++) {
        snp_pki_add_extension(cert, oids[i], der, pki_der(der, 0x02, &s->spl[i], 1));
    }
    if (!s->has_chip_id) {
        return;
    }
    memcpy(der, s->chip_id, s->chip_id_size);
    size = s->has_wrapped_id ? pki_der(der, 0x04, s->chip_id, s->chip_id_size)
                             : s->chip_id_size;
    snp_pki_add_extension(cert, "1.3.6.1.4.1.3704.1.4", der, size);
}

static inline void snp_pki_set_name(X509_NAME *name, const char *text)
{
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                     (const unsigned char *)text, -1, -1, 0);
}

/* Certificate `which` of 0 VEK, 1 ASK, 2 ARK into s->der. */
static inline X509 *snp_pki_certify(struct snp_pki *s, size_t which)
{
    const char *const names[] = {s->vek_name, s->ask_name, s->ark_name, s->ark_name};
    EVP_PKEY *const subject[] = {s->vek, s->ask, s->ark, s->ark};
    X509 *cert = X509_new();
    ASN1_TIME *start = ASN1_TIME_set(NULL, (time_t)(SNP_NOW - SNP_DAY));
    ASN1_TIME *end =
        ASN1_TIME_set(NULL, (time_t)(which == 0 ? s->vek_end : SNP_NOW + 900 * SNP_DAY));
    unsigned char *at = s->der[which];

    (void)X509_set_version(cert, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(cert), (long)which + 1);
    (void)X509_set1_notBefore(cert, start);
    (void)X509_set1_notAfter(cert, end);
    (void)X509_set_pubkey(cert, subject[which]);
    snp_pki_set_name(X509_get_subject_name(cert), names[which]);
    snp_pki_set_name(X509_get_issuer_name(cert), names[which + 1]);
    if (which == 0) {
        snp_pki_add_vek_extensions(s, cert);
    } else {
        X509_EXTENSION *ca =
            X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
        X509_EXTENSION *use = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage,
                                                  "critical,keyCertSign,cRLSign");
        (void)X509_add_ext(cert, ca, -1);
        (void)X509_add_ext(cert, use, -1);
        X509_EXTENSION_free(ca);
        X509_EXTENSION_free(use);
    }
    snp_pki_sign_pss(cert, NULL, subject[which + 1]);
    s->size[which] = (size_t)i2d_X509(cert, &at);
    ASN1_TIME_free(start);
    ASN1_TIME_free(end);
    return cert;
}

static inline void snp_pki_list_revoked(struct snp_pki *s, X509 *ark, X509 *ask)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)s->crl_start);
    ASN1_TIME *to = ASN1_TIME_set(NULL, (time_t)s->crl_end);
    unsigned char *at = s->der[3];

    (void)X509_CRL_set_version(crl, 1);
    (void)X509_CRL_set_issuer_name(crl, X509_get_subject_name(ark));
    (void)X509_CRL_set1_lastUpdate(crl, from);
    (void)X509_CRL_set1_nextUpdate(crl, to);
    if (s->is_ask_revoked) {
        X509_REVOKED *entry = X509_REVOKED_new();
        (void)X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(ask));
        (void)X509_REVOKED_set_revocationDate(entry, from);
        (void)X509_CRL_add0_revoked(crl, entry);
    }
    snp_pki_sign_pss(NULL, crl, s->ark);
    s->size[3] = (size_t)i2d_X509_CRL(crl, &at);
    X509_CRL_free(crl);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
}

static inline void snp_pki_put_number(const BIGNUM *number, uint8_t *out)
{
    (void)BN_bn2lebinpad(number, out, 72);
}

static inline void snp_pki_sign_report(struct snp_pki *s)
{
    uint8_t der[160];
    size_t size = sizeof(der);
    const unsigned char *at = der;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    (void)EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, s->vek);
    (void)EVP_DigestSign(ctx, der, &size, s->report, TF_SNP_SIGNED_SIZE);
    EVP_MD_CTX_free(ctx);
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)size);
    snp_pki_put_number(ECDSA_SIG_get0_r(signature), s->report + TF_SNP_SIGNED_SIZE);
    snp_pki_put_number(ECDSA_SIG_get0_s(signature), s->report + TF_SNP_SIGNED_SIZE + 72);
    ECDSA_SIG_free(signature);
}

/** A Turin with a VCEK, under a policy that accepts it, with the keys of `other` unless
 *  that is NULL: RSA keys take long to make. Issue it with snp_pki_issue; end with
 *  snp_pki_close, the one that made the keys last. */
static inline struct snp_pki *snp_pki_open(const struct snp_pki *other)
{
    struct snp_pki *s = calloc(1, sizeof(*s));
    unsigned char *spki = NULL;
    static const uint8_t tcb[8] = {6, 2, 1, 4,
                                   0, 0, 0, 72}; /* FMC, BL, TEE, SNP, ucode */
    static const uint8_t spl[5] = {2, 1, 4, 72, 6};

    s->has_keys = other == NULL;
    s->ark =
        s->has_keys ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048) : other->ark;
    s->ask =
        s->has_keys ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048) : other->ask;
    s->vek = s->has_keys ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384") : other->vek;
    s->product = "Turin";
    s->ark_name = "ARK-Turin";
    s->ask_name = "SEV-Turin";
    s->vek_name = "SEV-VCEK";
    s->has_chip_id = true;
    s->chip_id_size = 8;
    memset(s->chip_id, 0xc1, 8);
    memcpy(s->spl, spl, sizeof(spl));
    s->has_crl = true;
    s->crl_start = SNP_NOW - SNP_DAY;
    s->crl_end = SNP_NOW + 30 * SNP_DAY;
    s->vek_end = SNP_NOW + 900 * SNP_DAY;
    s->report[0] = 5;
    s->report[0x0a] = 2; /* POLICY: the bit that is always 1 */
    s->report[0x34] = 1;
    memset(s->report + 0x90, 0x3e, 48);
    memcpy(s->report + 0x180, tcb, 8);
    memcpy(s->report + 0x1e0, tcb, 8);
    s->report[0x188] = 0x1a; /* CPUID: family, model */
    s->report[0x189] = 0x02;
    memset(s->report + 0x1a0, 0xc1, 8);
    int size = i2d_PUBKEY(s->ark, &spki);
    tf_sha256(spki, (size_t)size, s->policy.insecure_roots[0]);
    OPENSSL_free(spki);
    s->policy.insecure_root_count = 1;
    s->policy.guest_count = 1;
    memset(s->policy.guests[0], 0x3e, 48);
    s->policy.snp_count = 1;
    s->policy.snp[0] = (struct tf_snp_rule){TF_ROOT_AMD_TURIN, {6, 2, 1, 4, 72}};
    return s;
}

static inline struct tf_bytes snp_pki_part(const struct snp_pki *s, size_t i)
{
    return (struct tf_bytes){s->der[i], s->size[i]};
}

static inline tf_err snp_pki_judge(const struct snp_pki *s, struct tf_appraisal *a)
{
    const struct tf_snp_input in = {.report = s->report,
                                    .report_size = sizeof(s->report),
                                    .vek = snp_pki_part(s, 0),
                                    .ask = snp_pki_part(s, 1),
                                    .ark = snp_pki_part(s, 2),
                                    .crl = snp_pki_part(s, 3),
                                    .time = SNP_NOW,
                                    .policy = &s->policy};

    return tf_snp_verify(&in, a);
}

/** Makes certificates, list and signature anew. */
static inline void snp_pki_issue(struct snp_pki *s)
{
    X509 *ark = snp_pki_certify(s, 2);
    X509 *ask = snp_pki_certify(s, 1);

    X509_free(snp_pki_certify(s, 0));
    if (s->has_crl) {
        snp_pki_list_revoked(s, ark, ask);
    }
    X509_free(ark);
    X509_free(ask);
    snp_pki_sign_report(s);
}

/** PEM of `count` certificates from number `first` on (VEK, ASK, ARK), NUL-terminated. */
static inline void snp_pki_pem(const struct snp_pki *s, size_t first, size_t count,
                               char *out, size_t cap)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;

    for (size_t i = first; i < first + count; i++) {
        const unsigned char *at = s->der[i];
        X509 *cert = d2i_X509(NULL, &at, (long)s->size[i]);
        (void)PEM_write_bio_X509(bio, cert);
        X509_free(cert);
    }
    long size = BIO_get_mem_data(bio, &data);
    (void)snprintf(out, cap, "%.*s", (int)size, data);
    BIO_free(bio);
}

static inline void snp_pki_close(struct snp_pki *s)
{
    if (s->has_keys) {
        EVP_PKEY_free(s->ark);
        EVP_PKEY_free(s->ask);
        EVP_PKEY_free(s->vek);
    }
    free(s);
}
