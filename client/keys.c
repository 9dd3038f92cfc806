/* SPDX-License-Identifier: Apache-2.0 */
#include "client/keys.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "client/file.h"
#include "client/report.h"
#include "lib/bytes.h"
#include "lib/dsse.h"
#include "lib/json.h"

enum { PEM_FILE_MAX = 16 << 10 };

static bool is_accepted(const EVP_PKEY *key)
{
    char group[32] = "";

    if (EVP_PKEY_get_id(key) == EVP_PKEY_ED25519) {
        return true;
    }
    return EVP_PKEY_get_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

tf_err tf_keys_hide(void)
{
    const struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        (void)tf_report(TF_EINTERNAL, "core files cannot be turned off");
        return TF_EINTERNAL;
    }
    return TF_OK;
}

EVP_PKEY *tf_key_make(const char *algorithm)
{
    EVP_PKEY *key = NULL;

    if (strcmp(algorithm, "ed25519") == 0) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    } else if (strcmp(algorithm, "p256") == 0) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    } else {
        (void)tf_report(TF_EUSAGE, "--alg is ed25519 or p256, not `%s`", algorithm);
        return NULL;
    }
    if (key == NULL) {
        (void)tf_report(TF_EINTERNAL, "OpenSSL made no key");
    }
    return key;
}

EVP_PKEY *tf_key_load(const char *path)
{
    uint8_t *pem = NULL;
    size_t size = 0;

    if (tf_file_read(path, PEM_FILE_MAX, &pem, &size) != TF_OK) {
        return NULL;
    }
    BIO *bio = BIO_new_mem_buf(pem, (int)size);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    (void)BIO_free(bio);
    tf_wipe(pem, size);
    free(pem);
    if (key == NULL || !is_accepted(key)) {
        (void)tf_report_next(TF_EFORMAT, "Name the key itself, not its FILE.pub.",
                             "%s: not a PEM private key, Ed25519 or P-256", path);
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

tf_err tf_key_save(const char *path, const EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *pem = NULL;
    tf_err err = TF_EINTERNAL;

    if (bio != NULL &&
        PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
        long size = BIO_get_mem_data(bio, &pem);
        err = tf_file_write(path, pem, (size_t)size, 0600);
    }
    (void)BIO_free(bio);
    return err;
}

size_t tf_key_spki(const EVP_PKEY *key, uint8_t spki[static TF_SPKI_MAX])
{
    uint8_t *at = spki;
    int size = i2d_PUBKEY(key, NULL);

    if (size <= 0 || size > TF_SPKI_MAX) {
        return 0;
    }
    return (size_t)i2d_PUBKEY(key, &at);
}

tf_err tf_spki_load(const char *path, uint8_t spki[static TF_SPKI_MAX], size_t *size)
{
    uint8_t *pem = NULL;
    size_t pem_size = 0;
    tf_err err = tf_file_read(path, PEM_FILE_MAX, &pem, &pem_size);

    if (err != TF_OK) {
        return err;
    }
    BIO *bio = BIO_new_mem_buf(pem, (int)pem_size);
    EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    (void)BIO_free(bio);
    free(pem);
    *size = key != NULL && is_accepted(key) ? tf_key_spki(key, spki) : 0;
    EVP_PKEY_free(key);
    if (*size == 0) {
        (void)tf_report_next(TF_EFORMAT,
                             "The public half of a key lies beside it: FILE.pub.",
                             "%s: not a PEM public key, Ed25519 or P-256", path);
        return TF_EFORMAT;
    }
    return TF_OK;
}

tf_err tf_descriptor_load(const char *path, struct tf_descriptor *out)
{
    uint8_t *text = NULL;
    size_t size = 0;
    tf_err err = tf_file_read(path, TF_DESCRIPTOR_MAX, &text, &size);

    if (err != TF_OK) {
        return err;
    }
    err = tf_descriptor_parse((const char *)text, size, out);
    free(text);
    if (err != TF_OK) {
        (void)tf_report(err, "%s", path);
    }
    return err;
}

void tf_keyid(const uint8_t *spki, size_t size, char keyid[static 2 * TF_SHA256_SIZE + 1])
{
    uint8_t digest[TF_SHA256_SIZE];

    tf_sha256(spki, size, digest);
    tf_hex_write(digest, sizeof(digest), keyid);
}

tf_err tf_key_sign(EVP_PKEY *key, const void *data, size_t size,
                   uint8_t signature[static TF_SIGNATURE_MAX], size_t *signature_size)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *md = EVP_PKEY_get_id(key) == EVP_PKEY_EC ? EVP_sha256() : NULL;
    size_t n = TF_SIGNATURE_MAX;
    bool good = ctx != NULL && EVP_DigestSignInit(ctx, NULL, md, NULL, key) == 1 &&
                EVP_DigestSign(ctx, signature, &n, data, size) == 1;

    EVP_MD_CTX_free(ctx);
    if (!good) {
        (void)tf_report(TF_EINTERNAL, "OpenSSL did not sign");
        return TF_EINTERNAL;
    }
    *signature_size = n;
    return TF_OK;
}

/* What goes into an envelope; with a NULL key it has no signature: what `pack` makes. */
struct content {
    const char *type;
    const void *payload;
    size_t payload_size;
    EVP_PKEY *key;
    uint8_t signature[TF_SIGNATURE_MAX];
    size_t signature_size;
};

static void write_signature(struct tf_json_writer *w, const struct content *c)
{
    uint8_t spki[TF_SPKI_MAX];
    char keyid[2 * TF_SHA256_SIZE + 1];

    tf_keyid(spki, tf_key_spki(c->key, spki), keyid);
    tf_json_open_object(w, NULL);
    tf_json_put_string(w, "keyid", keyid);
    tf_json_put_base64(w, "sig", c->signature, c->signature_size);
    tf_json_close_object(w);
}

static tf_err write_envelope(const struct content *c, char **out, size_t *size)
{
    struct tf_json_writer w;
    size_t cap = tf_base64_size(c->payload_size) + 1024;
    char *text = malloc(cap);

    if (text == NULL) {
        return TF_ENOMEM;
    }
    tf_json_writer_init(&w, text, cap);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "payloadType", c->type);
    tf_json_put_base64(&w, "payload", c->payload, c->payload_size);
    tf_json_open_array(&w, "signatures");
    if (c->key != NULL) {
        write_signature(&w, c);
    }
    tf_json_close_array(&w);
    tf_json_close_object(&w);
    tf_err err = tf_json_take(&w, size);
    if (err != TF_OK) {
        tf_wipe(text, cap);
        free(text);
        return err;
    }
    *out = text;
    return TF_OK;
}

static tf_err sign_content(struct content *c)
{
    size_t cap = c->payload_size + strlen(c->type) + 64;
    uint8_t *pae = malloc(cap);

    if (pae == NULL) {
        return TF_ENOMEM;
    }
    size_t size = tf_dsse_pae_write(c->type, c->payload, c->payload_size, pae, cap);
    tf_err err = size == 0
                     ? TF_EINTERNAL
                     : tf_key_sign(c->key, pae, size, c->signature, &c->signature_size);
    tf_wipe(pae, cap);
    free(pae);
    return err;
}

tf_err tf_envelope_make(EVP_PKEY *key, const char *type, const void *payload,
                        size_t payload_size, char **out, size_t *size)
{
    struct content c = {
        .type = type, .payload = payload, .payload_size = payload_size, .key = key};
    tf_err err = key == NULL ? TF_OK : sign_content(&c);

    return err == TF_OK ? write_envelope(&c, out, size) : err;
}
