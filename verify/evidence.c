/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/evidence.h"

#include <string.h>

#include "lib/json.h"

static bool read_simulated(struct tf_json_fields *f, struct tf_evidence *out)
{
    bool is_marked = tf_json_boolean(f, "simulated");

    out->root_size = tf_json_base64(f, "root", out->root, sizeof(out->root));
    out->size = tf_json_base64(f, "report", out->data, TF_SGX_BODY_SIZE);
    return tf_json_base64(f, "signature", out->signature, sizeof(out->signature)) ==
               sizeof(out->signature) &&
           out->size == TF_SGX_BODY_SIZE && is_marked;
}

static bool read_dcap(struct tf_json_fields *f, struct tf_evidence *out)
{
    out->size = tf_json_base64(f, "quote", out->data, sizeof(out->data));
    return out->size > 0;
}

static bool read_snp(struct tf_json_fields *f, struct tf_evidence *out)
{
    out->size = tf_json_base64(f, "report", out->data, sizeof(out->data));
    tf_json_copy(f, "certificates", out->certificates, sizeof(out->certificates));
    out->certificates_size = strlen(out->certificates);
    return out->size > 0;
}

static const struct {
    const char *name;
    tf_evidence_kind kind;
    bool (*read)(struct tf_json_fields *f, struct tf_evidence *out);
} TYPES[] = {
    {"tfaas-simulated-sgx-report.v1", TF_EVIDENCE_SIMULATED, read_simulated},
    {"tfaas-simulated-native-report.v1", TF_EVIDENCE_SIMULATED_NATIVE, read_simulated},
    {"tfaas-dcap-quote.v1", TF_EVIDENCE_DCAP, read_dcap},
    {"tfaas-sev-snp-report.v1", TF_EVIDENCE_SNP, read_snp},
};
enum { TYPE_COUNT = sizeof(TYPES) / sizeof(TYPES[0]) };

static void read(struct tf_json_fields *f, void *user)
{
    struct tf_evidence *out = user;
    const char *type = tf_json_string(f, "type", 1, 64);

    for (size_t i = 0; type != NULL && i < TYPE_COUNT; i++) {
        if (strcmp(TYPES[i].name, type) == 0) {
            out->kind = TYPES[i].kind;
            f->bad |= !TYPES[i].read(f, out);
            return;
        }
    }
    f->bad = true;
}

tf_err tf_evidence_parse(const char *text, size_t size, struct tf_evidence *out)
{
    memset(out, 0, sizeof(*out));
    return size <= TF_EVIDENCE_MAX &&
                   tf_json_read(text, size, read, out, TF_EEVIDENCE_FORMAT) == TF_OK
               ? TF_OK
               : TF_EEVIDENCE_FORMAT;
}
