/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/cert.h"

#include <stdlib.h>
#include <string.h>

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>

#include "enclave/http_text.h"
#include "lib/bytes.h"

enum {
    P256_SIZE = 32,
    DAY = 86400,
    DAYS_VALID = 3650,
    SAN_MAX = 4 + TF_DOMAINS_MAX * (TF_DNS_MAX + 3)
};

/* A key, and the generator it needs; both are made for one operation. */
struct maker {
    WC_RNG rng;
    ecc_key key;
    Cert cert;
};

static void maker_close(struct maker *maker)
{
    if (maker != NULL) {
        (void)wc_ecc_free(&maker->key);
        (void)wc_FreeRng(&maker->rng);
        tf_wipe(maker, sizeof(*maker));
        free(maker);
    }
}

/* Without a key yet. */
static struct maker *maker_open(void)
{
    struct maker *maker = calloc(1, sizeof(*maker));
    if (maker == NULL) {
        return NULL;
    }
    if (wc_InitRng(&maker->rng) != 0 || wc_ecc_init(&maker->key) != 0 ||
        wc_ecc_set_rng(&maker->key, &maker->rng) != 0 || wc_InitCert(&maker->cert) != 0) {
        maker_close(maker); /* fine with what is still zeros */
        return NULL;
    }
    maker->cert.sigType = CTC_SHA256wECDSA;
    maker->cert.daysValid = DAYS_VALID;
    return maker;
}

static bool make_key(struct maker *maker)
{
    return wc_ecc_make_key_ex(&maker->rng, P256_SIZE, &maker->key, ECC_SECP256R1) == 0;
}

/* The management certificate. @return its size; 0 or less on failure. */
static int sign_identity(struct maker *maker, uint8_t *out, size_t cap)
{
    Cert *cert = &maker->cert;
    static const char name[] = "tfaas management";

    memcpy(cert->subject.commonName, name, sizeof(name));
    cert->selfSigned = 1;
    int body = wc_MakeCert(cert, out, (word32)cap, NULL, &maker->key, &maker->rng);
    return body < 0 ? body
                    : wc_SignCert(cert->bodySz, cert->sigType, out, (word32)cap, NULL,
                                  &maker->key, &maker->rng);
}

tf_err tf_cert_identity_make(struct tf_identity *out)
{
    uint8_t spki[TF_SPKI_MAX];
    struct maker *maker = maker_open();
    if (maker == NULL || !make_key(maker)) {
        maker_close(maker);
        return TF_EINTERNAL;
    }
    int cert_size = sign_identity(maker, out->cert, sizeof(out->cert));
    int key_size = wc_EccKeyToDer(&maker->key, out->key, sizeof(out->key));
    int spki_size = wc_EccPublicKeyToDer(&maker->key, spki, sizeof(spki), 1);
    maker_close(maker);
    if (cert_size <= 0 || key_size <= 0 || spki_size <= 0) {
        tf_wipe(out, sizeof(*out));
        return TF_EINTERNAL;
    }
    out->cert_size = (size_t)cert_size;
    out->key_size = (size_t)key_size;
    tf_sha256(spki, (size_t)spki_size, out->spki_sha256);
    return TF_OK;
}

tf_err tf_cert_identity_attest(const struct tf_identity *identity,
                               const uint8_t *evidence, size_t evidence_size,
                               uint8_t *out, size_t *size)
{
    /* 2.23.133.5.4.9: tcg-dice-TaggedEvidence */
    static const byte oid[] = {0x67, 0x81, 0x05, 0x05, 0x04, 0x09};
    struct maker *maker = maker_open();
    word32 at = 0;
    if (maker == NULL) {
        return TF_ENOMEM;
    }
    /* wolfSSL reads both and does not say so. */
    CertOidField *extension = &maker->cert.extCustom;
    memcpy(&extension->oid, &(const byte *){oid}, sizeof(extension->oid));
    memcpy(&extension->val, &evidence, sizeof(extension->val));
    extension->oidSz = sizeof(oid);
    extension->valSz = (int)evidence_size;
    int cert_size = wc_EccPrivateKeyDecode(identity->key, &at, &maker->key,
                                           (word32)identity->key_size) == 0
                        ? sign_identity(maker, out, TF_ATTESTED_DER_MAX)
                        : -1;
    maker_close(maker);
    if (cert_size <= 0) {
        return TF_EINTERNAL;
    }
    *size = (size_t)cert_size;
    return TF_OK;
}

/* A DER tag and length, X.690 8.1.3; content of at most 64 KiB. @return bytes written. */
static size_t write_der_head(uint8_t tag, size_t size, uint8_t out[static 4])
{
    out[0] = tag;
    if (size < 0x80) {
        out[1] = (uint8_t)size;
        return 2;
    }
    if (size <= UINT8_MAX) {
        out[1] = 0x81;
        out[2] = (uint8_t)size;
        return 3;
    }
    out[1] = 0x82;
    out[2] = (uint8_t)(size >> 8);
    out[3] = (uint8_t)size;
    return 4;
}

/* GeneralNames (RFC 5280 4.2.1.6): a SEQUENCE of [2] dNSName. */
static size_t write_san(const struct tf_names *names, uint8_t *out)
{
    uint8_t list[SAN_MAX + 4];
    uint8_t head[4];
    size_t at = 0;

    for (size_t i = 0; i < names->count; i++) {
        size_t size = strlen(names->text[i]);
        at += write_der_head(0x82, size, list + at);
        memcpy(list + at, names->text[i], size);
        at += size;
    }
    size_t head_size = write_der_head(0x30, at, head);
    memcpy(out, head, head_size);
    memcpy(out + head_size, list, at);
    return head_size + at;
}

/* PEM as wolfSSL writes it has no NUL at its end. @return whether it fits. */
static bool write_pem(const uint8_t *der, int der_size, int type, char *out, size_t cap)
{
    int size = wc_DerToPem(der, (word32)der_size, (byte *)out, (word32)cap - 1, type);
    if (size <= 0 || (size_t)size >= cap) {
        return false;
    }
    out[size] = '\0';
    return true;
}

static tf_err make_csr(struct maker *maker, uint8_t *der, size_t cap, struct tf_csr *out)
{
    Cert *cert = &maker->cert;
    uint8_t key[TF_KEY_DER_MAX];

    int body = wc_MakeCertReq(cert, der, (word32)cap, NULL, &maker->key);
    if (body < 0) {
        return TF_EINTERNAL;
    }
    int size = wc_SignCert(cert->bodySz, cert->sigType, der, (word32)cap, NULL,
                           &maker->key, &maker->rng);
    int key_size = wc_EccKeyToDer(&maker->key, key, sizeof(key));
    bool is_written =
        size > 0 && key_size > 0 &&
        write_pem(der, size, CERTREQ_TYPE, out->pem, sizeof(out->pem)) &&
        write_pem(key, key_size, ECC_PRIVATEKEY_TYPE, out->key_pem, sizeof(out->key_pem));
    tf_wipe(key, sizeof(key));
    return is_written ? TF_OK : TF_EINTERNAL;
}

tf_err tf_cert_csr_make(const struct tf_names *names, struct tf_csr *out)
{
    enum { DER_MAX = SAN_MAX + 1024 };
    uint8_t *der = malloc(DER_MAX);
    struct maker *maker = maker_open();
    if (der == NULL || maker == NULL || !make_key(maker)) {
        free(der);
        maker_close(maker);
        return TF_ENOMEM;
    }
    /* commonName holds 64 characters (RFC 5280, upper bounds); the names are in the SAN.
     */
    if (strlen(names->text[0]) <= 64) {
        memcpy(maker->cert.subject.commonName, names->text[0],
               strlen(names->text[0]) + 1);
    } else {
        memcpy(maker->cert.subject.commonName, "tfaas", sizeof("tfaas"));
    }
    maker->cert.altNamesSz = (int)write_san(names, maker->cert.altNames);
    tf_err err = make_csr(maker, der, DER_MAX, out);
    if (err != TF_OK) {
        tf_cert_csr_wipe(out);
    }
    maker_close(maker);
    free(der);
    return err;
}

void tf_cert_csr_wipe(struct tf_csr *csr)
{
    tf_wipe(csr, sizeof(*csr));
}

static bool is_name(const struct DNS_entry *entry, const char *name)
{
    return entry->type == ASN_DNS_TYPE &&
           tf_http_is((struct tf_str){entry->name, (size_t)entry->len}, name);
}

static bool is_among(const struct DNS_entry *entry, const struct tf_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (is_name(entry, names->text[i])) {
            return true;
        }
    }
    return false;
}

static bool has_name(const struct DNS_entry *list, const char *name)
{
    for (; list != NULL; list = list->next) {
        if (is_name(list, name)) {
            return true;
        }
    }
    return false;
}

static tf_err check_names(const DecodedCert *cert, const struct tf_names *names)
{
    if (cert->altEmailNames != NULL || cert->altDirNames != NULL) {
        return TF_EGRANT_DOMAIN;
    }
    for (const struct DNS_entry *entry = cert->altNames; entry != NULL;
         entry = entry->next) {
        if (!is_among(entry, names)) {
            return TF_EGRANT_DOMAIN;
        }
    }
    for (size_t i = 0; i < names->count; i++) {
        if (!has_name(cert->altNames, names->text[i])) {
            return TF_EGRANT_DOMAIN;
        }
    }
    return TF_OK;
}

/* Days from 1970-01-01 to a day of the Gregorian calendar, which repeats every 400 years
 * of 146097 days; years begin in March here, so that the leap day is a year's last. */
static int64_t days_of(const struct tm *at)
{
    int64_t year = at->tm_year + 1900 - (at->tm_mon < 2);
    int64_t month = (at->tm_mon + 10) % 12;

    return year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 +
           at->tm_mday - 1 - 719468;
}

/* A certificate's notAfter in seconds since 1970. @return whether it is one. */
static bool read_end(const DecodedCert *cert, uint64_t *end)
{
    const byte *date = NULL;
    byte format = 0;
    int size = 0;
    struct tm at;

    memset(&at, 0, sizeof(at));
    if (wc_GetDateInfo(cert->afterDate, cert->afterDateLen, &date, &format, &size) != 0 ||
        wc_GetDateAsCalendarTime(date, size, format, &at) != 0 || at.tm_year < 70) {
        return false;
    }
    int second = (at.tm_hour * 60 + at.tm_min) * 60 + at.tm_sec;
    *end = (uint64_t)(days_of(&at) * DAY + second);
    return true;
}

tf_err tf_cert_leaf_check(const char *chain, size_t size, const struct tf_names *names,
                          uint64_t *end)
{
    uint8_t *der = malloc(size + 1);
    DecodedCert *cert = malloc(sizeof(*cert));
    tf_err err = TF_ENOMEM;

    if (der == NULL || cert == NULL) {
        goto out;
    }
    err = TF_EGRANT_FORMAT;
    int der_size =
        wc_CertPemToDer((const byte *)chain, (int)size, der, (int)size, CERT_TYPE);
    if (der_size <= 0) {
        goto out;
    }
    wc_InitDecodedCert(cert, der, (word32)der_size, NULL);
    if (wc_ParseCert(cert, CERT_TYPE, NO_VERIFY, NULL) == 0) {
        err = read_end(cert, end) ? check_names(cert, names) : TF_EGRANT_FORMAT;
    }
    wc_FreeDecodedCert(cert);
out:
    free(cert);
    free(der);
    return err;
}
