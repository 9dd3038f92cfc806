/* SPDX-License-Identifier: Apache-2.0 */
#include "host/evidence.h"

#include "abi/limits.h"
#include "lib/json.h"

/* Base64 and a little JSON around it. */
static_assert(TF_AESM_QUOTE_MAX / 3 * 4 + 128 <= TF_EVIDENCE_MAX, "every quote fits");

tf_err tf_evidence_write_quote(const uint8_t *quote, size_t quote_size, char *out,
                               size_t cap, size_t *size)
{
    struct tf_json_writer w;

    tf_json_writer_init(&w, out, cap);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "type", "tfaas-dcap-quote.v1");
    tf_json_put_base64(&w, "quote", quote, quote_size);
    tf_json_close_object(&w);
    return tf_json_take(&w, size);
}

tf_err tf_evidence_write_snp(const uint8_t report[static TF_SNP_REPORT_SIZE],
                             const char *pem, char *out, size_t cap, size_t *size)
{
    struct tf_json_writer w;

    tf_json_writer_init(&w, out, cap);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "type", "tfaas-sev-snp-report.v1");
    tf_json_put_base64(&w, "report", report, TF_SNP_REPORT_SIZE);
    tf_json_put_string(&w, "certificates", pem);
    tf_json_close_object(&w);
    return tf_json_take(&w, size);
}

tf_err tf_evidence_quote(struct tf_aesm *aesm, const struct sgx_report *report, char *out,
                         size_t *size)
{
    uint8_t quote[TF_AESM_QUOTE_MAX];
    size_t quote_size = 0;

    tf_err err = tf_aesm_quote(aesm, report, quote, sizeof(quote), &quote_size);
    if (err != TF_OK) {
        return err;
    }
    return tf_evidence_write_quote(quote, quote_size, out, TF_EVIDENCE_MAX, size);
}
