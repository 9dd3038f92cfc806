/* SPDX-License-Identifier: Apache-2.0 */
/* The attester's side: certificates and grants over a management connection. */
#include <stdio.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "enclave/instance.h"
#include "test/native/rig.h"

static char *bio_text(BIO *bio)
{
    char *data = NULL;
    long size = BIO_get_mem_data(bio, &data);
    char *text = calloc(1, (size_t)size + 1);

    memcpy(text, data, (size_t)size);
    BIO_free(bio);
    return text;
}

static EVP_PKEY *new_key(const char *kind)
{
    if (strcmp(kind, "RSA") == 0) {
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    }
    return strcmp(kind, "ED25519") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, kind)
                                        : EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
}

/* A leaf for these names, as a CA of this kind would sign it. */
static char *certificate(EVP_PKEY *key, const char *const names[3], const char *ca_kind,
                         uint64_t now)
{
    X509 *cert = X509_new();
    EVP_PKEY *ca = new_key(ca_kind);
    char san[1024] = "";

    for (int i = 0; i < 3 && names[i] != NULL; i++) {
        (void)snprintf(san + strlen(san), sizeof(san) - strlen(san), "%sDNS:%s",
                       i == 0 ? "" : ",", names[i]);
    }
    (void)X509_set_version(cert, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 7);
    (void)ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)now - 60);
    (void)ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)now + 86400);
    X509_NAME *name = X509_get_subject_name(cert);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                     (const unsigned char *)"leaf", -1, -1, 0);
    name = X509_get_issuer_name(cert);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                     (const unsigned char *)"ca", -1, -1, 0);
    (void)X509_set_pubkey(cert, key);
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
    (void)X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
    (void)X509_sign(cert, ca, EVP_PKEY_id(ca) == EVP_PKEY_ED25519 ? NULL : EVP_sha256());
    BIO *bio = BIO_new(BIO_s_mem());
    (void)PEM_write_bio_X509(bio, cert);
    X509_free(cert);
    EVP_PKEY_free(ca);
    return bio_text(bio);
}

static char *key_pem(EVP_PKEY *key, bool is_pkcs8)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (is_pkcs8) {
        (void)PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    } else {
        (void)PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL);
    }
    return bio_text(bio);
}

/* Asks for a CSR and gives its public key. */
static EVP_PKEY *csr_key(struct rig *rig, struct rig_client *client,
                         const struct rig_grant *grant)
{
    char body[1024];
    char names[512] = "";
    char *answer = NULL;
    json_t *document = NULL;

    for (int i = 0; i < 3 && grant->names[i] != NULL; i++) {
        (void)snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s\"%s\"",
                       i == 0 ? "" : ",", grant->names[i]);
    }
    (void)snprintf(body, sizeof(body), "{\"lambda\":\"%s\",\"names\":[%s]}",
                   grant->lambda, names);
    if (rig_post(rig, client, "/v1/csr", body, &answer) != 200 ||
        tf_json_parse(answer, strlen(answer), &document) != TF_OK) {
        free(answer);
        return NULL;
    }
    free(answer);
    const char *pem = json_string_value(json_object_get(document, "csr"));
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509_REQ *request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    BIO_free(bio);
    json_decref(document);
    if (request == NULL) {
        return NULL;
    }
    EVP_PKEY *key = X509_REQ_get_pubkey(request);
    if (X509_REQ_verify(request, key) != 1) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    X509_REQ_free(request);
    return key;
}

void rig_exporter(const struct rig_client *client, uint8_t out[static 32])
{
    if (SSL_export_keying_material(client->ssl, out, 32, "EXPORTER-tfaas-attest", 21,
                                   (const uint8_t *)"", 0, 1) != 1) {
        abort();
    }
}

static char *payload(const struct rig *rig, const struct rig_client *client,
                     const struct rig_grant *grant, const char *chain, const char *key)
{
    enum { CAP = 64 << 10 };
    char *text = malloc(CAP);
    uint8_t exporter[32];
    struct tf_json_writer w;

    rig_exporter(client, exporter);
    tf_json_writer_init(&w, text, CAP);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "tfaas", "grant.v1");
    tf_json_put_string(&w, "lambda", grant->lambda);
    tf_json_open_array(&w, "names");
    for (int i = 0; i < 3 && grant->names[i] != NULL; i++) {
        tf_json_put_string(&w, NULL, grant->names[i]);
    }
    tf_json_close_array(&w);
    tf_json_put_string(&w, "digest", grant->digest != NULL ? grant->digest : "");
    tf_json_put_integer(&w, "version_floor", grant->floor);
    tf_json_put_integer(&w, "not_before",
                        grant->not_before != 0 ? grant->not_before : rig->now);
    tf_json_put_integer(&w, "not_after",
                        grant->not_after != 0 ? grant->not_after : rig->now + 3600);
    tf_json_put_base64(&w, "exporter",
                       grant->exporter != NULL ? grant->exporter : exporter, 32);
    tf_json_put_string(&w, "chain", chain);
    tf_json_put_string(&w, "key", key);
    tf_json_put_integer(&w, "serial", grant->serial);
    tf_json_put_integer(&w, "time", grant->time != 0 ? grant->time : rig->now);
    tf_json_put_boolean(&w, "lease", grant->is_leased);
    tf_json_open_object(&w, "secrets");
    for (int i = 0; i < 3 && grant->secrets[i][0] != NULL; i++) {
        tf_json_put_string(&w, grant->secrets[i][0], grant->secrets[i][1]);
    }
    tf_json_close_object(&w);
    if (grant->has_extra_field) {
        tf_json_put_string(&w, "extra", "");
    }
    tf_json_close_object(&w);
    if (tf_json_take(&w, NULL) != TF_OK) {
        abort();
    }
    return text;
}

int rig_grant(struct rig *rig, struct rig_client *client, const struct rig_grant *wanted,
              char **out)
{
    struct rig_grant grant = *wanted;

    grant.lambda = grant.lambda != NULL ? grant.lambda : "hello";
    grant.serial = grant.serial != 0 ? grant.serial : ++rig->serial;
    grant.names[0] = grant.names[0] != NULL ? grant.names[0] : "hello.example";
    EVP_PKEY *key = grant.is_upload || grant.has_no_key
                        ? new_key(grant.kind != NULL ? grant.kind : "P-256")
                        : csr_key(rig, client, &grant);
    EVP_PKEY *in_cert = grant.other_key != NULL ? grant.other_key : key;
    if (in_cert == NULL) {
        in_cert = key = new_key("P-256"); /* the request was refused; go on without */
    }
    char *chain =
        grant.chain != NULL
            ? strdup(grant.chain)
            : certificate(in_cert, grant.san[0] != NULL ? grant.san : grant.names,
                          grant.ca != NULL ? grant.ca : "P-256",
                          grant.cert_now != 0 ? grant.cert_now : rig->now);
    if (grant.chain_end != NULL) {
        chain = realloc(chain, strlen(chain) + strlen(grant.chain_end) + 1);
        strcat(chain, grant.chain_end);
    }
    char *pem = grant.is_upload ? key_pem(key, grant.is_pkcs8) : strdup("");
    char *text = payload(rig, client, &grant, chain, pem);
    struct fixture_bytes envelope =
        fixture_envelope(grant.signer != NULL ? grant.signer : &rig->publisher,
                         TF_DSSE_GRANT, text, strlen(text));
    int status = rig_post(rig, client, "/v1/grant", (const char *)envelope.data, out);
    free(envelope.data);
    free(text);
    free(pem);
    free(chain);
    EVP_PKEY_free(key);
    return status;
}

int rig_lease(struct rig *rig, struct rig_client *client,
              const struct tf_lease_statement *wanted, const struct fixture_key *signer,
              char **out)
{
    static const uint8_t zeros[TF_SHA256_SIZE];
    struct tf_lease_statement lease = *wanted;
    char text[TF_LEASE_MAX];
    size_t size = 0;

    if (memcmp(lease.instance, zeros, sizeof(lease.instance)) == 0) {
        memcpy(lease.instance, tf_instance_self()->id, sizeof(lease.instance));
    }
    if (memcmp(lease.exporter, zeros, sizeof(zeros)) == 0) {
        rig_exporter(client, lease.exporter);
    }
    lease.time = lease.time != 0 ? lease.time : rig->now;
    lease.until = lease.until != 0 ? lease.until : lease.time + 600;
    if (tf_lease_write(&lease, text, sizeof(text), &size) != TF_OK) {
        abort();
    }
    struct fixture_bytes envelope = fixture_envelope(
        signer != NULL ? signer : &rig->attester, TF_DSSE_LEASE, text, size);
    int status = rig_post(rig, client, "/v1/lease", (const char *)envelope.data, out);
    free(envelope.data);
    return status;
}

void rig_serve_hello(struct rig *rig)
{
    const struct rig_lambda hello = {.name = "hello",
                                     .version = 7,
                                     .code = "echo",
                                     .domains = {"hello.example", "hallo.example"}};
    char *answer = NULL;

    if (rig_load(rig, 0, &hello) != TF_OK) {
        char *text = rig_result(rig);
        (void)fprintf(stderr, "load: %s\n", text);
        abort();
    }
    struct rig_client *client = rig_connect(rig, 0, "hello.manage.tfaas.internal");
    if (!rig_is_up(client) ||
        rig_grant(rig, client, &(struct rig_grant){0}, &answer) != 200) {
        (void)fprintf(stderr, "grant: %s\n", answer != NULL ? answer : "no connection");
        abort();
    }
    free(answer);
    rig_hang_up(rig, client);
}

bool rig_serve(struct rig *rig, const char *name, const char *code, const char *limits)
{
    char dns[32];
    char sni[64];

    (void)snprintf(dns, sizeof(dns), "%s.example", name);
    (void)snprintf(sni, sizeof(sni), "%s.manage.tfaas.internal", name);
    const struct rig_lambda lambda = {
        .name = name, .version = 1, .code = code, .domains = {dns}, .limits = limits};
    const struct rig_grant grant = {.lambda = name, .names = {dns}};
    if (rig_load(rig, 0, &lambda) != TF_OK) {
        return false;
    }
    struct rig_client *client = rig_connect(rig, 0, sni);
    int status = rig_grant(rig, client, &grant, NULL);
    rig_hang_up(rig, client);
    return status == 200;
}
