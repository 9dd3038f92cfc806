/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_quote.c - simulated evidence: a REPORT signed by a key that anyone on this machine
 * can use. The format is doc/formats.md's, and cannot be taken for a DCAP quote.
 */
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "host/sim.h"
#include "lib/crypto.h"
#include "lib/json.h"

enum { SIGNATURE_SIZE = 64 };

static const char context[] = "tfaas SIMULATED SGX evidence v1"; /* signed with its NUL */

void tf_sim_target_info(struct sgx_target_info *out)
{
    static const char name[] = "tfaas simulated quoting enclave";

    memset(out, 0, sizeof(*out));
    tf_sha256(name, sizeof(name) - 1, out->mrenclave);
    out->attributes.flags = SGX_FLAGS_INIT | SGX_FLAGS_MODE64BIT;
    out->attributes.xfrm = TF_XFRM;
}

static bool is_for_us(const struct tf_sim_machine *machine,
                      const struct sgx_report *report)
{
    struct sgx_target_info own;
    uint8_t mac[16];

    tf_sim_target_info(&own);
    tf_sim_report_mac(machine, &own, report, mac);
    return tf_crypto_equal(mac, report->mac, sizeof(mac));
}

static EVP_PKEY *read_root(const struct tf_sim_machine *machine)
{
    BIO *bio = BIO_new_mem_buf(machine->root_pem, (int)machine->root_pem_size);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return key;
}

static bool sign(EVP_PKEY *root, const struct sgx_report *report,
                 uint8_t signature[static SIGNATURE_SIZE])
{
    uint8_t message[sizeof(context) + SGX_REPORT_BODY_SIZE];
    size_t size = SIGNATURE_SIZE;
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    memcpy(message, context, sizeof(context));
    memcpy(message + sizeof(context), report, SGX_REPORT_BODY_SIZE);
    bool is_done = md != NULL && EVP_DigestSignInit(md, NULL, NULL, NULL, root) == 1 &&
                   EVP_DigestSign(md, signature, &size, message, sizeof(message)) == 1 &&
                   size == SIGNATURE_SIZE;
    EVP_MD_CTX_free(md);
    return is_done;
}

static tf_err write_evidence(EVP_PKEY *root, const struct sgx_report *report, char *out,
                             size_t *size)
{
    uint8_t signature[SIGNATURE_SIZE];
    uint8_t *spki = NULL;
    struct tf_json_writer w;

    int spki_size = i2d_PUBKEY(root, &spki);
    if (spki_size <= 0 || !sign(root, report, signature)) {
        OPENSSL_free(spki);
        return TF_EINTERNAL;
    }
    tf_json_writer_init(&w, out, TF_EVIDENCE_MAX);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "type", "tfaas-simulated-sgx-report.v1");
    tf_json_put_boolean(&w, "simulated", true);
    tf_json_put_base64(&w, "root", spki, (size_t)spki_size);
    tf_json_put_base64(&w, "report", report, SGX_REPORT_BODY_SIZE);
    tf_json_put_base64(&w, "signature", signature, sizeof(signature));
    tf_json_close_object(&w);
    OPENSSL_free(spki);
    return tf_json_take(&w, size);
}

tf_err tf_sim_quote(const struct tf_sim_machine *machine, const struct sgx_report *report,
                    char *out, size_t *size)
{
    if (!is_for_us(machine, report)) {
        return TF_EEVIDENCE_FORMAT;
    }
    EVP_PKEY *root = read_root(machine);
    if (root == NULL) {
        return TF_EINTERNAL;
    }
    tf_err err = write_evidence(root, report, out, size);
    EVP_PKEY_free(root);
    return err;
}
