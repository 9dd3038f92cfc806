/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_evidence.c - simulated evidence: a report signed by a key that anyone on this
 * machine can use. The format is doc/formats.md's, and cannot be taken for a quote of
 * hardware.
 */
#include <string.h>

#include <openssl/evp.h>

#include "host/sim.h"
#include "lib/crypto.h"
#include "lib/json.h"

enum { SIGNATURE_SIZE = 64, LABEL_MAX = 64 };

/* What is signed before the report, with its NUL. */
static const struct tf_sim_evidence {
    const char *type;
    const char *label;
} kinds[] = {
    [TF_SIM_SGX] = {"tfaas-simulated-sgx-report.v1", "tfaas SIMULATED SGX evidence v1"},
    [TF_SIM_NATIVE] = {"tfaas-simulated-native-report.v1",
                       "tfaas SIMULATED native evidence v1"},
};

static bool sign(EVP_PKEY *root, const char *label, const struct sgx_report *report,
                 uint8_t signature[static SIGNATURE_SIZE])
{
    uint8_t message[LABEL_MAX + SGX_REPORT_BODY_SIZE];
    size_t size = SIGNATURE_SIZE;
    size_t label_size = strlen(label) + 1;
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    memcpy(message, label, label_size);
    memcpy(message + label_size, report, SGX_REPORT_BODY_SIZE);
    bool is_done = md != NULL && EVP_DigestSignInit(md, NULL, NULL, NULL, root) == 1 &&
                   EVP_DigestSign(md, signature, &size, message,
                                  label_size + SGX_REPORT_BODY_SIZE) == 1 &&
                   size == SIGNATURE_SIZE;
    EVP_MD_CTX_free(md);
    return is_done;
}

tf_err tf_sim_evidence(const struct tf_sim_machine *machine, enum tf_sim_kind kind,
                       const struct sgx_report *report, char *out, size_t *size)
{
    uint8_t signature[SIGNATURE_SIZE];
    uint8_t spki[TF_SIM_SPKI_SIZE];
    struct tf_json_writer w;
    EVP_PKEY *root = tf_sim_machine_signer(machine, spki);

    bool is_signed = root != NULL && sign(root, kinds[kind].label, report, signature);
    EVP_PKEY_free(root);
    if (!is_signed) {
        return TF_EINTERNAL;
    }
    tf_json_writer_init(&w, out, TF_EVIDENCE_MAX);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "type", kinds[kind].type);
    tf_json_put_boolean(&w, "simulated", true);
    tf_json_put_base64(&w, "root", spki, sizeof(spki));
    tf_json_put_base64(&w, "report", report, SGX_REPORT_BODY_SIZE);
    tf_json_put_base64(&w, "signature", signature, sizeof(signature));
    tf_json_close_object(&w);
    return tf_json_take(&w, size);
}
