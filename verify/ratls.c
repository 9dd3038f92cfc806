/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/ratls.h"

#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "abi/sgx.h"
#include "lib/bytes.h"
#include "verify/cbor.h"
#include "verify/chain.h"

static const char EVIDENCE_OID[] = "2.23.133.5.4.9";

enum {
    TAG_QUOTE = 60000,
    HASH_SHA256 = 1, /* IANA "Named Information Hash Algorithm Registry" */
    HASH_SHA384 = 7,
    HASH_SHA512 = 8,
    CLAIMS_MAX = 16
};

/* The certificate is its maker's own, so it is read leniently: only the evidence in it
 * and its key are believed, and both are bound by the CPU. */
static X509 *read_certificate(const uint8_t *data, size_t size)
{
    const unsigned char *at = data;

    if (size > TF_RATLS_MAX) {
        return NULL;
    }
    if (size > 0 && data[0] == 0x30) {
        return d2i_X509(NULL, &at, (long)size);
    }
    BIO *bio = BIO_new_mem_buf(data, (int)size);
    X509 *cert = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return cert;
}

static bool read_evidence(const X509 *cert, struct tf_ratls *out)
{
    struct tf_bytes value;
    struct tf_reader r;

    if (!tf_cert_extension(cert, EVIDENCE_OID, &value)) {
        return false;
    }
    tf_reader_init(&r, value.data, value.size);
    bool is_good = tf_cbor_head(&r, TF_CBOR_TAG) == TAG_QUOTE;
    is_good = tf_cbor_head(&r, TF_CBOR_ARRAY) == 2 && is_good;
    out->quote = tf_cbor_string(&r, TF_CBOR_BYTES);
    out->claims = tf_cbor_string(&r, TF_CBOR_BYTES);
    return is_good && !r.bad && tf_reader_left(&r) == 0;
}

static bool is_text(const struct tf_bytes *bytes, const char *text)
{
    return bytes->size == strlen(text) && memcmp(bytes->data, text, bytes->size) == 0;
}

static bool hash_key(const X509 *cert, uint64_t algorithm, uint8_t *hash,
                     unsigned int *size)
{
    unsigned char *spki = NULL;
    const EVP_MD *md = algorithm == HASH_SHA256   ? EVP_sha256()
                       : algorithm == HASH_SHA384 ? EVP_sha384()
                       : algorithm == HASH_SHA512 ? EVP_sha512()
                                                  : NULL;
    int spki_size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
    bool is_good = md != NULL && spki_size > 0 &&
                   EVP_Digest(spki, (size_t)spki_size, hash, size, md, NULL) == 1;

    OPENSSL_free(spki);
    return is_good;
}

/* "pubkey-hash": the bytes of CBOR [algorithm, hash]. */
static bool is_key_hash(const X509 *cert, const struct tf_bytes *value)
{
    struct tf_reader r;
    uint8_t expected[EVP_MAX_MD_SIZE];
    unsigned int size = 0;

    tf_reader_init(&r, value->data, value->size);
    bool is_pair = tf_cbor_head(&r, TF_CBOR_ARRAY) == 2;
    uint64_t algorithm = tf_cbor_head(&r, TF_CBOR_UNSIGNED);
    struct tf_bytes hash = tf_cbor_string(&r, TF_CBOR_BYTES);
    return is_pair && !r.bad && tf_reader_left(&r) == 0 &&
           hash_key(cert, algorithm, expected, &size) && hash.size == size &&
           memcmp(hash.data, expected, size) == 0;
}

/* A map of strings; other claims than these two are the application's. */
static tf_err read_claims(const X509 *cert, struct tf_ratls *out)
{
    struct tf_reader r;
    size_t keys = 0;
    size_t nonces = 0;
    bool is_bound = false;

    tf_reader_init(&r, out->claims.data, out->claims.size);
    uint64_t count = tf_cbor_head(&r, TF_CBOR_MAP);
    for (uint64_t i = 0; i < count && i < CLAIMS_MAX && !r.bad; i++) {
        struct tf_bytes name = tf_cbor_string(&r, TF_CBOR_TEXT);
        struct tf_bytes value = tf_cbor_string(&r, TF_CBOR_BYTES);
        if (!r.bad && is_text(&name, "pubkey-hash")) {
            keys++;
            is_bound = is_key_hash(cert, &value);
        } else if (!r.bad && is_text(&name, "nonce")) {
            nonces++;
            out->nonce = value;
        }
    }
    if (r.bad || tf_reader_left(&r) != 0 || count > CLAIMS_MAX || keys != 1 ||
        nonces > 1 || out->nonce.size > TF_RATLS_NONCE_MAX) {
        return TF_EEVIDENCE_FORMAT;
    }
    return is_bound ? TF_OK : TF_EEVIDENCE_BINDING;
}

static tf_err check_report_data(const struct tf_ratls *ratls)
{
    struct tf_quote quote;
    struct tf_td_body td;
    uint8_t expected[64] = {0};
    const uint8_t *data = NULL;
    tf_err err = tf_quote_parse(ratls->quote.data, ratls->quote.size, &quote);

    if (err != TF_OK) {
        return err;
    }
    if (quote.tee == TF_TEE_SGX) {
        data = quote.body.data + offsetof(struct sgx_report, report_data);
    } else {
        err = tf_td_body_parse(&quote.body, &td);
        if (err != TF_OK) {
            return err;
        }
        data = td.report_data;
    }
    tf_sha256(ratls->claims.data, ratls->claims.size, expected);
    return memcmp(data, expected, sizeof(expected)) == 0 ? TF_OK : TF_EEVIDENCE_BINDING;
}

static tf_err check(struct tf_ratls *ratls)
{
    if (!read_evidence(ratls->cert, ratls)) {
        return TF_EEVIDENCE_FORMAT;
    }
    tf_err err = read_claims(ratls->cert, ratls);
    return err == TF_OK ? check_report_data(ratls) : err;
}

tf_err tf_ratls_parse(const uint8_t *data, size_t size, struct tf_ratls *out)
{
    struct tf_ratls ratls = {.cert = read_certificate(data, size)};

    if (ratls.cert == NULL) {
        return TF_ECHAIN_FORMAT;
    }
    tf_err err = check(&ratls);
    if (err != TF_OK) {
        tf_ratls_wipe(&ratls);
        return err;
    }
    *out = ratls;
    return TF_OK;
}

void tf_ratls_wipe(struct tf_ratls *ratls)
{
    X509_free(ratls->cert);
    memset(ratls, 0, sizeof(*ratls));
}
