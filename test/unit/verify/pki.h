/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pki.h - a certificate authority like Intel's for tests, with a platform that makes
 * quotes and collateral that fits. A test opens it, changes what it wants wrong in
 * `struct pki`, has it issue everything, and judges. Its root is named in the policy for
 * tests only. Trusts its callers.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "abi/sgx.h"
#include "lib/bytes.h"
#include "test/unit/verify/pki_cert.h"
#include "test/unit/verify/pki_der.h"
#include "verify/dates.h"
#include "verify/dcap.h"

enum { PKI_TEXT = 16 << 10, PKI_QUOTE = 16 << 10 };

struct pki {
    struct pki_id root;
    struct pki_id ca;
    struct pki_id pck;
    struct pki_id tcb; /* signs TCB info and QE identity */
    EVP_PKEY *attestation;
    const char *crl_url; /* in the root's certificate, if not NULL: "URI:..." */

    /* The platform. */
    uint8_t ppid[16];
    uint8_t components[16];
    unsigned pce_svn;
    uint8_t fmspc[6];
    bool has_instance;
    uint8_t instance[16];

    /* Quote. */
    unsigned version;
    bool is_tdx;
    bool has_td15;
    struct sgx_report sgx;
    struct sgx_report qe;
    uint8_t td[TF_TD15_BODY_SIZE];

    /* Collateral: level 0 asks for `components`, level 1 for nothing. */
    const char *info_id;
    unsigned info_version;
    uint8_t info_fmspc[6];
    int64_t info_start;
    int64_t info_end;
    unsigned evaluation;
    const char *level_status;
    const char *level_advisories; /* JSON */
    int64_t level_date;
    uint8_t level_components[16];
    uint8_t level_tdx[16];
    unsigned level_pce_svn;
    const char *identity_id;
    unsigned identity_version;
    int64_t identity_start;
    int64_t identity_end;
    const char *qe_status;
    unsigned qe_svn; /* of its one level */
    const char *module_status;
    unsigned module_svn;
    int64_t crl_start; /* and when what is revoked was */
    int64_t root_crl_end;
    int64_t pck_crl_end;
    bool has_foreign_crl; /* the PCK CRL signed by the root's key */

    /* What pki_issue makes. */
    char tcb_info[PKI_TEXT];
    char qe_identity[PKI_TEXT];
    uint8_t quote[PKI_QUOTE];
    size_t quote_size;
    struct tf_collateral collateral;
    unsigned char *der[2];
    BIO *pem[4];
    struct tf_policy policy;
};

/* --- the SGX extension -------------------------------------------------------------- */

static inline size_t pki_tcb_field(const struct pki *p, uint8_t *out)
{
    uint8_t list[1024];
    uint8_t value[32];
    size_t at = 0;

    for (uint8_t i = 1; i <= 18; i++) {
        const uint8_t path[2] = {2, i};
        uint32_t number = i == 17 ? p->pce_svn : i < 17 ? p->components[i - 1] : 0;
        const uint8_t bytes[2] = {(uint8_t)(number >> 8), (uint8_t)number};
        size_t skip = bytes[0] == 0 && bytes[1] < 0x80 ? 1 : 0;
        size_t size = i == 18 ? pki_der(value, 0x04, p->components, 16)
                              : pki_der(value, 0x02, bytes + skip, 2 - skip);
        at += pki_field(list + at, path, 2, value, size);
    }
    return pki_der(out, 0x30, list, at);
}

/** The SGX extension of a PCK certificate. */
static inline size_t pki_extension(const struct pki *p, uint8_t *out)
{
    static const uint8_t path[] = {1, 2, 3, 4, 5, 6};
    uint8_t list[2048];
    uint8_t value[1024];
    size_t at = 0;

    at += pki_field(list + at, path, 1, value, pki_der(value, 0x04, p->ppid, 16));
    at += pki_field(list + at, path + 1, 1, value, pki_tcb_field(p, value));
    at += pki_field(list + at, path + 2, 1, value, pki_der(value, 0x04, "\0", 2));
    at += pki_field(list + at, path + 3, 1, value, pki_der(value, 0x04, p->fmspc, 6));
    at += pki_field(list + at, path + 4, 1, value, pki_der(value, 0x0a, "\0", 1));
    if (p->has_instance) {
        at += pki_field(list + at, path + 5, 1, value,
                        pki_der(value, 0x04, p->instance, 16));
    }
    return pki_der(out, 0x30, list, at);
}

/* --- certificates and lists --------------------------------------------------------- */

static inline void pki_add_sgx(const struct pki *p, X509 *cert)
{
    uint8_t der[2048];
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    ASN1_OBJECT *oid = OBJ_txt2obj("1.2.840.113741.1.13.1", 1);

    (void)ASN1_OCTET_STRING_set(value, der, (int)pki_extension(p, der));
    X509_EXTENSION *e = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value);
    (void)X509_add_ext(cert, e, -1);
    X509_EXTENSION_free(e);
    ASN1_OBJECT_free(oid);
    ASN1_OCTET_STRING_free(value);
}

/** Issues `id` by `by`; a CA unless it is PCK or TCB signing. */
static inline void pki_certify(struct pki *p, struct pki_id *id, const struct pki_id *by)
{
    X509 *cert = X509_new();
    ASN1_TIME *start = pki_time(id->start);
    ASN1_TIME *end = pki_time(id->end);
    bool is_ca = id == &p->root || id == &p->ca;

    (void)X509_set_version(cert, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(cert), id->serial);
    (void)X509_set1_notBefore(cert, start);
    (void)X509_set1_notAfter(cert, end);
    (void)X509_set_pubkey(cert, id->key);
    (void)X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                                     (const unsigned char *)id->name, -1, -1, 0);
    (void)X509_NAME_add_entry_by_txt(X509_get_issuer_name(cert), "CN", MBSTRING_ASC,
                                     (const unsigned char *)by->name, -1, -1, 0);
    pki_add(cert, NID_basic_constraints,
            is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    pki_add(cert, NID_key_usage,
            is_ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
    if (id == &p->pck) {
        pki_add_sgx(p, cert);
    }
    if (id == &p->root && p->crl_url != NULL) {
        pki_add(cert, NID_crl_distribution_points, p->crl_url);
    }
    (void)X509_sign(cert, by->key, EVP_sha256());
    ASN1_TIME_free(start);
    ASN1_TIME_free(end);
    X509_free(id->cert);
    id->cert = cert;
}

/** PEM of up to three certificates in memory of `p->pem[slot]`. */
static inline struct tf_bytes pki_pem(struct pki *p, size_t slot,
                                      const struct pki_id *const *ids, size_t count)
{
    char *data = NULL;

    BIO_free(p->pem[slot]);
    p->pem[slot] = BIO_new(BIO_s_mem());
    for (size_t i = 0; i < count; i++) {
        (void)PEM_write_bio_X509(p->pem[slot], ids[i]->cert);
    }
    long size = BIO_get_mem_data(p->pem[slot], &data);
    return (struct tf_bytes){(uint8_t *)data, (size_t)size};
}

/* --- collateral --------------------------------------------------------------------- */

static inline size_t pki_components(char *out, size_t cap, const char *key,
                                    const uint8_t *svn)
{
    size_t at = (size_t)snprintf(out, cap, "\"%s\":[", key);

    for (size_t i = 0; i < 16; i++) {
        at += (size_t)snprintf(out + at, cap - at, "%s{\"svn\":%u}", i == 0 ? "" : ",",
                               svn[i]);
    }
    return at + (size_t)snprintf(out + at, cap - at, "]");
}

static inline size_t pki_level(const struct pki *p, char *out, size_t cap, bool is_first)
{
    static const uint8_t zeros[16];
    char date[TF_DATE_SIZE];
    size_t at = (size_t)snprintf(out, cap, "{\"tcb\":{");

    tf_date_write(p->level_date, date);
    at += pki_components(out + at, cap - at, "sgxtcbcomponents",
                         is_first ? p->level_components : zeros);
    if (p->is_tdx) {
        out[at++] = ',';
        at += pki_components(out + at, cap - at, "tdxtcbcomponents",
                             is_first ? p->level_tdx : zeros);
    }
    return at + (size_t)snprintf(out + at, cap - at,
                                 ",\"pcesvn\":%u},\"tcbDate\":\"%s\","
                                 "\"tcbStatus\":\"%s\",\"advisoryIDs\":%s}",
                                 is_first ? p->level_pce_svn : 5, date,
                                 is_first ? p->level_status : "OutOfDate",
                                 is_first ? p->level_advisories : "[\"INTEL-SA-00009\"]");
}

#define PKI_ZEROS_48                                                                     \
    "000000000000000000000000000000000000000000000000"                                   \
    "000000000000000000000000000000000000000000000000"

static inline void pki_write_info(struct pki *p)
{
    static const char module[] =
        "\"mrsigner\":\"" PKI_ZEROS_48 "\",\"attributes\":\"0000000000000000\","
        "\"attributesMask\":\"FFFFFFFFFFFFFFFF\"";
    char start[TF_DATE_SIZE];
    char end[TF_DATE_SIZE];
    char fmspc[13];
    size_t at = 0;
    const size_t cap = sizeof(p->tcb_info);

    tf_date_write(p->info_start, start);
    tf_date_write(p->info_end, end);
    tf_hex_write(p->info_fmspc, 6, fmspc);
    at += (size_t)snprintf(p->tcb_info, cap,
                           "{\"id\":\"%s\",\"version\":%u,\"issueDate\":\"%s\","
                           "\"nextUpdate\":\"%s\",\"fmspc\":\"%s\",\"pceId\":\"0000\","
                           "\"tcbType\":0,\"tcbEvaluationDataNumber\":%u,",
                           p->info_id, p->info_version, start, end, fmspc, p->evaluation);
    if (p->is_tdx) {
        at += (size_t)snprintf(
            p->tcb_info + at, cap - at,
            "\"tdxModule\":{%s},\"tdxModuleIdentities\":[{\"id\":\"TDX_01\",%s,"
            "\"tcbLevels\":[{\"tcb\":{\"isvsvn\":%u},\"tcbDate\":\"2025-01-01T00:00:"
            "00Z\","
            "\"tcbStatus\":\"%s\",\"advisoryIDs\":[\"INTEL-SA-00007\"]}]}],",
            module, module, p->module_svn, p->module_status);
    }
    at += (size_t)snprintf(p->tcb_info + at, cap - at, "\"tcbLevels\":[");
    at += pki_level(p, p->tcb_info + at, cap - at, true);
    p->tcb_info[at++] = ',';
    at += pki_level(p, p->tcb_info + at, cap - at, false);
    (void)snprintf(p->tcb_info + at, cap - at, "]}");
}

static inline void pki_write_identity(struct pki *p)
{
    char signer[65];
    char start[TF_DATE_SIZE];
    char end[TF_DATE_SIZE];
    uint8_t wanted[32];

    memset(wanted, 0x8c, sizeof(wanted));
    tf_hex_write(wanted, sizeof(wanted), signer);
    tf_date_write(p->identity_start, start);
    tf_date_write(p->identity_end, end);
    (void)snprintf(
        p->qe_identity, sizeof(p->qe_identity),
        "{\"id\":\"%s\",\"version\":%u,\"issueDate\":\"%s\",\"nextUpdate\":\"%s\","
        "\"tcbEvaluationDataNumber\":%u,\"miscselect\":\"00000000\","
        "\"miscselectMask\":\"FFFFFFFF\","
        "\"attributes\":\"11000000000000000000000000000000\","
        "\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\","
        "\"mrsigner\":\"%s\",\"isvprodid\":1,\"tcbLevels\":[{\"tcb\":"
        "{\"isvsvn\":%u},\"tcbDate\":\"2025-01-01T00:00:00Z\","
        "\"tcbStatus\":\"%s\"}]}",
        p->identity_id, p->identity_version, start, end, p->evaluation, signer, p->qe_svn,
        p->qe_status);
}

static inline struct tf_bytes pki_text(const char *text)
{
    return (struct tf_bytes){(const uint8_t *)text, strlen(text)};
}

static inline void pki_write_collateral(struct pki *p)
{
    const struct pki_id *crl[] = {&p->ca, &p->root};
    const struct pki_id *signer[] = {&p->tcb, &p->root};
    const int64_t root_times[] = {p->crl_start, p->root_crl_end};
    const int64_t pck_times[] = {p->crl_start, p->pck_crl_end};
    struct tf_collateral *c = &p->collateral;

    pki_write_info(p);
    pki_write_identity(p);
    c->tcb_info = pki_text(p->tcb_info);
    c->qe_identity = pki_text(p->qe_identity);
    pki_sign(p->tcb.key, p->tcb_info, c->tcb_info.size, c->tcb_signature);
    pki_sign(p->tcb.key, p->qe_identity, c->qe_identity.size, c->qe_signature);
    c->pck_crl_chain = pki_pem(p, 1, crl, 2);
    c->tcb_chain = pki_pem(p, 2, signer, 2);
    c->qe_chain = c->tcb_chain;
    OPENSSL_free(p->der[0]);
    OPENSSL_free(p->der[1]);
    c->root_crl = pki_crl(&p->root, p->root.key, root_times, &p->ca, &p->tcb);
    c->pck_crl = pki_crl(&p->ca, p->has_foreign_crl ? p->root.key : p->ca.key, pck_times,
                         &p->pck, &p->pck);
    memcpy(&p->der[0], &c->root_crl.data, sizeof(p->der[0]));
    memcpy(&p->der[1], &c->pck_crl.data, sizeof(p->der[1]));
}

/* --- quote -------------------------------------------------------------------------- */

static inline void pki_put(struct pki *p, const void *data, size_t size)
{
    memcpy(p->quote + p->quote_size, data, size);
    p->quote_size += size;
}

static inline void pki_put_number(struct pki *p, uint32_t value, size_t size)
{
    uint8_t bytes[4];

    tf_store_u32(bytes, value);
    pki_put(p, bytes, size);
}

static inline void pki_put_signed_part(struct pki *p)
{
    static const uint8_t vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                       0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
    static const uint8_t zeros[20];
    size_t td_size = p->has_td15 ? TF_TD15_BODY_SIZE : TF_TD10_BODY_SIZE;

    p->quote_size = 0;
    pki_put_number(p, p->version, 2);
    pki_put_number(p, 2, 2);
    pki_put_number(p, p->is_tdx ? 0x81 : 0, 4);
    pki_put_number(p, 0, 4);
    pki_put(p, vendor, 16);
    pki_put(p, zeros, 20);
    if (p->version == 5) {
        pki_put_number(p, !p->is_tdx ? 1 : p->has_td15 ? 3 : 2, 2);
        pki_put_number(p, p->is_tdx ? (uint32_t)td_size : TF_SGX_BODY_SIZE, 4);
    }
    if (p->is_tdx) {
        pki_put(p, p->td, td_size);
    } else {
        pki_put(p, &p->sgx, TF_SGX_BODY_SIZE);
    }
}

/** The quote, certified by the PCK as it is now. */
static inline void pki_write_quote(struct pki *p)
{
    const struct pki_id *chain[] = {&p->pck, &p->ca, &p->root};
    uint8_t signature[64];
    uint8_t point[65];
    uint8_t auth[32] = {1, 2, 3};
    uint8_t bound[96];
    struct tf_bytes pem = pki_pem(p, 0, chain, 3);
    uint32_t inner = (uint32_t)(TF_QE_REPORT_SIZE + 64 + 2 + 32 + 6 + pem.size);

    pki_put_signed_part(p);
    pki_sign(p->attestation, p->quote, p->quote_size, signature);
    (void)EVP_PKEY_get_octet_string_param(p->attestation, "pub", point, sizeof(point),
                                          NULL);
    pki_put_number(p, 128 + inner + (p->version == 3 ? 0 : 6), 4);
    pki_put(p, signature, 64);
    pki_put(p, point + 1, 64);
    if (p->version != 3) {
        pki_put_number(p, 6, 2);
        pki_put_number(p, inner, 4);
    }
    memcpy(bound, point + 1, 64);
    memcpy(bound + 64, auth, 32);
    tf_sha256(bound, sizeof(bound), p->qe.report_data);
    pki_sign(p->pck.key, &p->qe, TF_QE_REPORT_SIZE, signature);
    pki_put(p, &p->qe, TF_QE_REPORT_SIZE);
    pki_put(p, signature, 64);
    pki_put_number(p, 32, 2);
    pki_put(p, auth, 32);
    pki_put_number(p, 5, 2);
    pki_put_number(p, (uint32_t)pem.size, 4);
    pki_put(p, pem.data, pem.size);
}

/** Makes certificates, collateral and quote anew. */
static inline void pki_issue(struct pki *p)
{
    pki_certify(p, &p->root, &p->root);
    pki_certify(p, &p->ca, &p->root);
    pki_certify(p, &p->pck, &p->ca);
    pki_certify(p, &p->tcb, &p->root);
    pki_write_collateral(p);
    pki_write_quote(p);
}

static inline void pki_fill_collateral(struct pki *p)
{
    p->info_id = p->is_tdx ? "TDX" : "SGX";
    p->info_version = 3;
    memcpy(p->info_fmspc, p->fmspc, 6);
    p->info_start = PKI_NOW - PKI_DAY;
    p->info_end = PKI_NOW + 10 * PKI_DAY;
    p->evaluation = 18;
    p->level_status = "UpToDate";
    p->level_advisories = "[]";
    p->level_date = (int64_t)20089 * PKI_DAY; /* 2025-01-01 */
    memset(p->level_components, 5, 16);
    memset(p->level_tdx, 3, 16);
    p->level_pce_svn = 11;
    p->identity_id = p->is_tdx ? "TD_QE" : "QE";
    p->identity_version = 2;
    p->identity_start = PKI_NOW - PKI_DAY;
    p->identity_end = PKI_NOW + 20 * PKI_DAY;
    p->qe_status = "UpToDate";
    p->qe_svn = 8;
    p->module_status = "UpToDate";
    p->module_svn = 3;
    p->crl_start = PKI_NOW - 2 * PKI_DAY;
    p->root_crl_end = PKI_NOW + 30 * PKI_DAY;
    p->pck_crl_end = PKI_NOW + 30 * PKI_DAY;
}

static inline void pki_fill_policy(struct pki *p)
{
    unsigned char *spki = NULL;
    int size = i2d_PUBKEY(p->root.key, &spki);

    tf_sha256(spki, (size_t)size, p->policy.insecure_roots[0]);
    OPENSSL_free(spki);
    p->policy.insecure_root_count = 1;
    p->policy.measurement_count = 1;
    memset(p->policy.measurements[0], 0xe1, 32);
    p->policy.guest_count = 1;
    memset(p->policy.guests[0], 0x7d, 48);
}

/** A good platform. Issue it with pki_issue; end with pki_close. */
static inline struct pki *pki_open(unsigned version, bool is_tdx)
{
    struct pki *p = calloc(1, sizeof(*p));

    p->version = version;
    p->is_tdx = is_tdx;
    p->root = pki_id_open("Intel SGX Root CA", 1);
    p->ca = pki_id_open("Intel SGX PCK Platform CA", 2);
    p->pck = pki_id_open("Intel SGX PCK Certificate", 3);
    p->tcb = pki_id_open("Intel SGX TCB Signing", 4);
    p->attestation = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    memset(p->ppid, 0x99, 16);
    p->instance[0] = 0x77;
    memset(p->components, 5, 16);
    memset(p->fmspc, 0xf5, 6);
    p->pce_svn = 11;
    p->sgx.attributes.flags = SGX_FLAGS_INIT | SGX_FLAGS_MODE64BIT;
    p->sgx.attributes.xfrm = 3;
    memset(p->sgx.mrenclave, 0xe1, 32);
    memset(p->sgx.mrsigner, 0x51, 32);
    p->qe.attributes.flags =
        SGX_FLAGS_INIT | SGX_FLAGS_MODE64BIT | (uint64_t)SGX_FLAGS_PROVISIONKEY;
    memset(p->qe.mrsigner, 0x8c, 32);
    p->qe.isv_prod_id = 1;
    p->qe.isv_svn = 8;
    memset(p->td, 3, 16); /* TEE_TCB_SVN */
    p->td[1] = 1;
    p->td[120 + 3] = 0x10; /* SEPT_VE_DISABLE */
    memset(p->td + 136, 0x7d, 48);
    for (uint8_t i = 0; i < 4; i++) {
        memset(p->td + 328 + (size_t)48 * i, 0xa0 + i, 48); /* RTMR0 to 3 */
    }
    pki_fill_collateral(p);
    pki_fill_policy(p);
    return p;
}

/** Judges what was issued. */
static inline tf_err pki_judge(const struct pki *p, const struct tf_policy *policy,
                               struct tf_appraisal *a)
{
    const struct tf_dcap_input in = {.quote = p->quote,
                                     .quote_size = p->quote_size,
                                     .collateral = &p->collateral,
                                     .time = PKI_NOW,
                                     .policy = policy};

    return tf_dcap_verify(&in, a);
}

static inline void pki_close(struct pki *p)
{
    struct pki_id *const ids[] = {&p->root, &p->ca, &p->pck, &p->tcb};

    for (size_t i = 0; i < 4; i++) {
        EVP_PKEY_free(ids[i]->key);
        X509_free(ids[i]->cert);
        BIO_free(p->pem[i]);
    }
    EVP_PKEY_free(p->attestation);
    OPENSSL_free(p->der[0]);
    OPENSSL_free(p->der[1]);
    free(p);
}
