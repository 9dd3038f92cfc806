/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_quote.c - the simulated quoting enclave: takes a REPORT that was made for it, and
 * has it signed.
 */
#include <string.h>

#include "host/sim.h"
#include "lib/crypto.h"

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

tf_err tf_sim_quote(const struct tf_sim_machine *machine, const struct sgx_report *report,
                    char *out, size_t *size)
{
    if (!is_for_us(machine, report)) {
        return TF_EEVIDENCE_FORMAT;
    }
    return tf_sim_evidence(machine, TF_SIM_SGX, report, out, size);
}
