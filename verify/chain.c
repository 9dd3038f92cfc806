/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/chain.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "lib/bytes.h"
#include "verify/dates.h"

const struct tf_chain_rules TF_CHAIN_INTEL = {.signature = NID_ecdsa_with_SHA256,
                                              .hash = NID_sha256};
const struct tf_chain_rules TF_CHAIN_AMD = {
    .signature = NID_rsassaPss, .hash = NID_sha384, .has_bare_leaves = true};

/* --- one certificate ---------------------------------------------------------------- */

/* OpenSSL takes some BER and keeps what it does not understand. That the same bytes come
 * out again shows that nothing was overlooked: a changed byte is then a changed meaning.
 */
static bool encodes_to(const X509 *cert, const uint8_t *der, size_t size)
{
    unsigned char *again = NULL;
    int again_size = i2d_X509(cert, &again);
    bool is_same =
        again_size > 0 && (size_t)again_size == size && memcmp(again, der, size) == 0;

    OPENSSL_free(again);
    return is_same;
}

static tf_err add_der(struct tf_chain *chain, const uint8_t *der, size_t size)
{
    const unsigned char *at = der;

    if (chain->count == TF_CHAIN_CERTS || size > TF_CERT_MAX) {
        return TF_ECHAIN_FORMAT;
    }
    X509 *cert = d2i_X509(NULL, &at, (long)size);
    if (cert == NULL || !encodes_to(cert, der, size)) {
        X509_free(cert);
        return TF_ECHAIN_FORMAT;
    }
    chain->certs[chain->count++] = cert;
    return TF_OK;
}

bool tf_cert_is_same(const X509 *a, const X509 *b)
{
    return X509_cmp(a, b) == 0;
}

bool tf_cert_is_named(const X509 *cert, const char *name)
{
    char text[64];
    const X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) {
        return false;
    }
    int size = X509_NAME_get_text_by_NID(subject, NID_commonName, text, sizeof(text));
    return size >= 0 && (size_t)size == strlen(name) && strcmp(text, name) == 0;
}

bool tf_cert_extension(const X509 *cert, const char *oid, struct tf_bytes *out)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    int at = object == NULL ? -1 : X509_get_ext_by_OBJ(cert, object, -1);
    bool is_only = at >= 0 && X509_get_ext_by_OBJ(cert, object, at) < 0;

    ASN1_OBJECT_free(object);
    if (!is_only) {
        return false;
    }
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_get_ext(cert, at));
    *out = (struct tf_bytes){ASN1_STRING_get0_data(value),
                             (size_t)ASN1_STRING_length(value)};
    return true;
}

static int64_t seconds_of(const ASN1_TIME *date)
{
    struct tm tm;

    if (date == NULL || ASN1_TIME_to_tm(date, &tm) != 1) {
        return INT64_MIN;
    }
    return tf_date_days(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) * 86400 +
           (int64_t)tm.tm_hour * 3600 + (int64_t)tm.tm_min * 60 + tm.tm_sec;
}

int64_t tf_cert_end(const X509 *cert)
{
    return seconds_of(X509_get0_notAfter(cert));
}

static bool is_valid_at(const X509 *cert, int64_t time)
{
    int64_t start = seconds_of(X509_get0_notBefore(cert));

    return start != INT64_MIN && start <= time && time <= tf_cert_end(cert);
}

/* --- PEM ---------------------------------------------------------------------------- */

static const char BEGIN[] = "-----BEGIN CERTIFICATE-----\n";
static const char END[] = "-----END CERTIFICATE-----";
enum { PEM_LINE = 64 };

static bool has_prefix(const struct tf_reader *r, const char *text, size_t size)
{
    return tf_reader_left(r) >= size && memcmp(r->data + r->at, text, size) == 0;
}

/* The bytes before the next end of line; moves behind it. NULL if there is none. */
static const char *read_line(struct tf_reader *r, size_t *size)
{
    const uint8_t *line = r->data + r->at;
    const uint8_t *end = memchr(line, '\n', tf_reader_left(r));

    if (end == NULL) {
        return NULL;
    }
    *size = (size_t)(end - line);
    (void)tf_read_bytes(r, *size + 1);
    return (const char *)line;
}

/* Lines of 64 characters and one of at most so many (RFC 7468, section 3, strict). */
static bool read_base64(struct tf_reader *r, uint8_t *der, size_t *der_size)
{
    char text[2 * TF_CERT_MAX];
    size_t size = 0;
    size_t line_size = PEM_LINE;

    while (!has_prefix(r, END, sizeof(END) - 1)) {
        bool was_full = line_size == PEM_LINE;
        const char *line = read_line(r, &line_size);
        if (line == NULL || line_size == 0 || line_size > PEM_LINE || !was_full ||
            size + line_size > sizeof(text)) {
            return false;
        }
        memcpy(text + size, line, line_size);
        size += line_size;
    }
    return tf_base64_parse(text, size, der, TF_CERT_MAX, der_size) == TF_OK;
}

static bool read_pem(struct tf_reader *r, uint8_t *der, size_t *size)
{
    if (!has_prefix(r, BEGIN, sizeof(BEGIN) - 1)) {
        return false;
    }
    (void)tf_read_bytes(r, sizeof(BEGIN) - 1);
    if (!read_base64(r, der, size)) {
        return false;
    }
    (void)tf_read_bytes(r, sizeof(END) - 1);
    if (has_prefix(r, "\n", 1)) {
        (void)tf_read_bytes(r, 1);
        return true;
    }
    return tf_reader_left(r) == 0;
}

tf_err tf_chain_parse(const struct tf_bytes *pem, size_t count, struct tf_chain *out)
{
    uint8_t der[TF_CERT_MAX];
    size_t size = 0;
    struct tf_reader r;

    memset(out, 0, sizeof(*out));
    tf_reader_init(&r, pem->data, pem->size);
    while (out->count < count) {
        if (!read_pem(&r, der, &size) || add_der(out, der, size) != TF_OK) {
            return TF_ECHAIN_FORMAT;
        }
    }
    bool is_end = tf_reader_left(&r) == 0 ||
                  (tf_reader_left(&r) == 1 && has_prefix(&r, "", 1)); /* its NUL */
    return is_end ? TF_OK : TF_ECHAIN_FORMAT;
}

tf_err tf_chain_add(struct tf_chain *chain, const struct tf_bytes *cert)
{
    uint8_t der[TF_CERT_MAX];
    size_t size = 0;
    struct tf_reader r;

    tf_reader_init(&r, cert->data, cert->size);
    if (!has_prefix(&r, BEGIN, sizeof(BEGIN) - 1)) {
        return add_der(chain, cert->data, cert->size);
    }
    if (!read_pem(&r, der, &size) || tf_reader_left(&r) != 0) {
        return TF_ECHAIN_FORMAT;
    }
    return add_der(chain, der, size);
}

void tf_chain_wipe(struct tf_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        X509_free(chain->certs[i]);
    }
    memset(chain, 0, sizeof(*chain));
}

/* --- links -------------------------------------------------------------------------- */

static bool is_link(X509 *cert, X509 *issuer, const struct tf_chain_rules *rules)
{
    int hash = NID_undef;
    EVP_PKEY *key = X509_get0_pubkey(issuer);

    return X509_get_signature_info(cert, &hash, NULL, NULL, NULL) == 1 &&
           X509_get_signature_nid(cert) == rules->signature && hash == rules->hash &&
           key != NULL &&
           X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) ==
               0 &&
           X509_verify(cert, key) == 1;
}

/* RFC 5280, sections 4.2.1.3 and 4.2.1.9. `below` is the number of CAs under this one. */
static bool may_issue(X509 *cert, long below)
{
    uint32_t flags = X509_get_extension_flags(cert);
    long path = X509_get_pathlen(cert);

    return (flags & EXFLAG_CA) != 0 &&
           (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL)) == 0 &&
           (path < 0 || path >= below) && (flags & EXFLAG_KUSAGE) != 0 &&
           (X509_get_key_usage(cert) & KU_KEY_CERT_SIGN) != 0;
}

static bool may_sign(X509 *cert, const struct tf_chain_rules *rules)
{
    uint32_t flags = X509_get_extension_flags(cert);

    if ((flags & (EXFLAG_INVALID | EXFLAG_CRITICAL | EXFLAG_CA)) != 0) {
        return false;
    }
    return rules->has_bare_leaves ||
           ((flags & (EXFLAG_BCONS | EXFLAG_KUSAGE)) == (EXFLAG_BCONS | EXFLAG_KUSAGE) &&
            (X509_get_key_usage(cert) & KU_DIGITAL_SIGNATURE) != 0);
}

static tf_err check_root(const X509 *root, const struct tf_policy *policy, tf_root *out)
{
    uint8_t hash[TF_SHA256_SIZE];
    unsigned char *spki = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(root), &spki);

    if (size <= 0) {
        return TF_ECHAIN_ROOT;
    }
    tf_sha256(spki, (size_t)size, hash);
    OPENSSL_free(spki);
    *out = tf_root_find(hash);
    if (*out == TF_ROOT_NONE &&
        (policy == NULL ||
         !tf_root_is_listed(hash, policy->insecure_roots, policy->insecure_root_count))) {
        return TF_ECHAIN_ROOT;
    }
    return TF_OK;
}

tf_err tf_chain_check(const struct tf_chain *chain, const struct tf_chain_rules *rules,
                      const struct tf_policy *policy, int64_t time, tf_root *root)
{
    tf_root found = TF_ROOT_NONE;
    size_t last = chain->count - 1;
    tf_err err = check_root(chain->certs[last], policy, &found);

    if (err != TF_OK) {
        return err;
    }
    for (size_t i = last + 1; i-- > 0;) {
        X509 *cert = chain->certs[i];
        bool is_good = i == 0 ? may_sign(cert, rules) : may_issue(cert, (long)i - 1);
        if (!is_good || !is_link(cert, chain->certs[i == last ? i : i + 1], rules)) {
            return TF_ECHAIN_LINK;
        }
        if (!is_valid_at(cert, time)) {
            return TF_ECHAIN_VALIDITY;
        }
    }
    *root = found;
    return TF_OK;
}

/* --- revocation --------------------------------------------------------------------- */

tf_err tf_crl_parse(const struct tf_bytes *der, X509_CRL **out)
{
    const unsigned char *at = der->data;
    unsigned char *again = NULL;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der->size);
    int size = crl == NULL ? -1 : i2d_X509_CRL(crl, &again);
    bool is_same =
        size > 0 && (size_t)size == der->size && memcmp(again, der->data, der->size) == 0;

    OPENSSL_free(again);
    if (!is_same) {
        X509_CRL_free(crl);
        return TF_ECOLLATERAL_CRL;
    }
    *out = crl;
    return TF_OK;
}

/* An extension that narrows the list down, or any other critical one, is not understood.
 */
static bool has_odd_extension(const X509_CRL *crl)
{
    for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
        if (X509_EXTENSION_get_critical(X509_CRL_get_ext(crl, i)) != 0) {
            return true;
        }
    }
    return X509_CRL_get_ext_by_NID(crl, NID_issuing_distribution_point, -1) >= 0 ||
           X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0;
}

int64_t tf_crl_start(const X509_CRL *crl)
{
    return seconds_of(X509_CRL_get0_lastUpdate(crl));
}

int64_t tf_crl_end(const X509_CRL *crl)
{
    return seconds_of(X509_CRL_get0_nextUpdate(crl));
}

tf_err tf_crl_check(X509_CRL *crl, X509 *issuer, const struct tf_chain_rules *rules,
                    int64_t time)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);

    if (key == NULL || X509_CRL_get_signature_nid(crl) != rules->signature ||
        has_odd_extension(crl) || (X509_get_key_usage(issuer) & KU_CRL_SIGN) == 0 ||
        X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) != 0 ||
        X509_CRL_verify(crl, key) != 1) {
        return TF_ECOLLATERAL_CRL;
    }
    int64_t start = tf_crl_start(crl);

    return start != INT64_MIN && start <= time && time <= tf_crl_end(crl)
               ? TF_OK
               : TF_ECOLLATERAL_EXPIRED;
}

bool tf_crl_lists(X509_CRL *crl, X509 *cert)
{
    X509_REVOKED *entry = NULL;

    /* 2 would say "removed from the list": only delta lists, which are refused, say so.
     */
    return X509_CRL_get0_by_cert(crl, &entry, cert) != 0;
}

/* --- signatures --------------------------------------------------------------------- */

/* ECDSA-Sig-Value of r and s (RFC 3279, section 2.2.3). @return its size, 0 if none. */
static size_t write_signature(const uint8_t *r, const uint8_t *s, size_t size,
                              unsigned char *out, size_t cap)
{
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *big_r = BN_bin2bn(r, (int)size, NULL);
    BIGNUM *big_s = BN_bin2bn(s, (int)size, NULL);
    int written = 0;

    if (signature != NULL && ECDSA_SIG_set0(signature, big_r, big_s) == 1) {
        big_r = NULL; /* the signature's now */
        big_s = NULL;
        int need = i2d_ECDSA_SIG(signature, NULL);
        if (need > 0 && (size_t)need <= cap) {
            written = i2d_ECDSA_SIG(signature, &out);
        }
    }
    BN_free(big_r);
    BN_free(big_s);
    ECDSA_SIG_free(signature);
    return written > 0 ? (size_t)written : 0;
}

bool tf_ecdsa_check(EVP_PKEY *key, const struct tf_bytes *message, const uint8_t *r,
                    const uint8_t *s, size_t size)
{
    unsigned char der[128];
    const EVP_MD *hash = size == 32 ? EVP_sha256() : EVP_sha384();
    size_t der_size = write_signature(r, s, size, der, sizeof(der));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_good =
        der_size > 0 && ctx != NULL && EVP_PKEY_is_a(key, "EC") &&
        (size_t)EVP_PKEY_get_bits(key) == 8 * size &&
        EVP_DigestVerifyInit(ctx, NULL, hash, NULL, key) == 1 &&
        EVP_DigestVerify(ctx, der, der_size, message->data, message->size) == 1;

    EVP_MD_CTX_free(ctx);
    return is_good;
}

EVP_PKEY *tf_p256_key(const uint8_t xy[static TF_P256_XY_SIZE])
{
    /* SEQUENCE { SEQUENCE { id-ecPublicKey, secp256r1 }, BIT STRING { 4, x, y } } */
    static const uint8_t prefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a,
                                     0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                     0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
                                     0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
    uint8_t spki[sizeof(prefix) + TF_P256_XY_SIZE];
    const unsigned char *at = spki;

    memcpy(spki, prefix, sizeof(prefix));
    memcpy(spki + sizeof(prefix), xy, TF_P256_XY_SIZE);
    return d2i_PUBKEY(NULL, &at, sizeof(spki));
}
