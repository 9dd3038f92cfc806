/* SPDX-License-Identifier: Apache-2.0 */
/* appraisal.c - one screen, or one JSON object, about a CPU vendor's evidence. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/quote.h"
#include "lib/bytes.h"
#include "lib/err_text.h"
#include "lib/json.h"
#include "verify/dates.h"

enum { JSON_MAX = 16 << 10, HEX_MAX = 2 * 64 + 1 };

static void show(const char *title, const void *data, size_t size)
{
    char hex[HEX_MAX];

    tf_hex_write(data, size, hex);
    (void)printf("%-12s %s\n", title, hex);
}

static void show_sgx(const struct tf_appraisal *a)
{
    const struct sgx_report *r = &a->sgx;

    (void)printf("evidence     SGX quote version %u%s\n", a->version,
                 a->is_debug ? " (DEBUG: its operator can read it)" : "");
    show("MRENCLAVE", r->mrenclave, sizeof(r->mrenclave));
    show("MRSIGNER", r->mrsigner, sizeof(r->mrsigner));
    (void)printf("enclave      product %u, version %u, flags %" PRIx64 ", XFRM %" PRIx64
                 "\n",
                 r->isv_prod_id, r->isv_svn, r->attributes.flags, r->attributes.xfrm);
}

static void show_td(const struct tf_appraisal *a)
{
    const struct tf_td_body *td = &a->td;

    (void)printf("evidence     TDX quote version %u%s\n", a->version,
                 a->is_debug ? " (DEBUG: its operator can read it)" : "");
    show("MRTD", td->mrtd, sizeof(td->mrtd));
    for (size_t i = 0; i < 4; i++) {
        char title[8];
        (void)snprintf(title, sizeof(title), "RTMR%zu", i);
        show(title, td->rtmr[i], sizeof(td->rtmr[i]));
    }
    (void)printf("guest        TDATTRIBUTES %016" PRIx64 ", XFAM %" PRIx64 "\n",
                 td->td_attributes, td->xfam);
}

static void show_snp(const struct tf_appraisal *a)
{
    const struct tf_snp_claims *s = &a->snp;
    const char *product = tf_root_product(s->product);

    (void)printf("evidence     SEV-SNP report version %u%s\n", a->version,
                 a->is_debug ? " (DEBUG: its operator can read it)" : "");
    show("MEASUREMENT", s->measurement, sizeof(s->measurement));
    (void)printf("guest        policy %" PRIx64 ", privilege level %u\n", s->policy,
                 s->vmpl);
    (void)printf("platform     AMD %s, %s\n", product == NULL ? "?" : product,
                 s->is_vlek ? "key of a provider (VLEK)" : "key of one chip (VCEK)");
    show("chip id", s->chip_id, sizeof(s->chip_id));
    (void)printf("TCB          boot loader %u, TEE %u, SNP %u, microcode %u, FMC %u\n",
                 s->reported.bootloader, s->reported.tee, s->reported.snp,
                 s->reported.microcode, s->reported.fmc);
}

static void show_level(const char *title, const struct tf_tcb_level *level)
{
    char date[TF_DATE_SIZE];

    tf_date_write(level->date, date);
    (void)printf("  %-10s %s, of %.10s\n", title, tf_tcb_status_name(level->status),
                 date);
}

static void show_intel(const struct tf_appraisal *a)
{
    if (a->has_pck) {
        show("FMSPC", a->pck.fmspc, sizeof(a->pck.fmspc));
        show("PPID", a->pck.ppid, sizeof(a->pck.ppid));
    }
    if (a->has_pck && a->pck.has_instance) {
        show("instance", a->pck.instance_id, sizeof(a->pck.instance_id));
    }
    if (!a->has_tcb) {
        return;
    }
    (void)printf("TCB          %s, evaluation %u\n", tf_tcb_status_name(a->tcb.status),
                 a->tcb.evaluation);
    show_level("platform", &a->tcb.platform);
    show_level("QE", &a->tcb.qe);
    if (a->tcb.has_module) {
        show_level("TDX module", &a->tcb.module);
    }
    for (size_t i = 0; i < a->tcb.advisories.count; i++) {
        (void)printf("  advisory   %s\n", a->tcb.advisories.ids[i]);
    }
}

static void show_verdict(const struct tf_appraisal *a, bool has_policy)
{
    char date[TF_DATE_SIZE];

    if (a->is_genuine || a->is_test_root) {
        tf_date_write(a->expires, date);
        (void)printf("vouched for  %s\n", a->is_genuine ? "by the CPU's vendor"
                                                        : "by NOBODY: a root for tests");
        (void)printf("until        %s\n", a->expires == 0 ? "-" : date);
    }
    (void)printf("verdict      %s\n", a->result == TF_OK ? "GOOD" : "BAD");
    for (size_t i = 0; i < a->reason_count; i++) {
        (void)printf("  because    %s: %s\n  next       %s\n", tf_err_name(a->reasons[i]),
                     tf_err_text(a->reasons[i]), tf_err_hint(a->reasons[i]));
    }
    if (!has_policy && a->is_genuine) {
        (void)puts(
            "             No --policy: nothing was said about which enclave, guest "
            "or platform.");
    }
}

static void print_screen(const struct tf_appraisal *a, bool has_policy)
{
    if (a->tee == TF_TEE_SGX) {
        show_sgx(a);
    } else if (a->tee == TF_TEE_TDX) {
        show_td(a);
    } else if (a->tee == TF_TEE_SNP) {
        show_snp(a);
    }
    if (a->tee != TF_TEE_NONE) {
        show("REPORTDATA", a->report_data, sizeof(a->report_data));
    }
    if (a->tee == TF_TEE_SGX || a->tee == TF_TEE_TDX) {
        show_intel(a);
    }
    show_verdict(a, has_policy);
}

static void put_date(struct tf_json_writer *w, const char *key, int64_t date)
{
    char text[TF_DATE_SIZE];

    tf_date_write(date, text);
    tf_json_put_string(w, key, text);
}

static void put_sgx(struct tf_json_writer *w, const struct sgx_report *r)
{
    tf_json_open_object(w, "sgx");
    tf_json_put_hex(w, "mrenclave", r->mrenclave, sizeof(r->mrenclave));
    tf_json_put_hex(w, "mrsigner", r->mrsigner, sizeof(r->mrsigner));
    tf_json_put_integer(w, "product", r->isv_prod_id);
    tf_json_put_integer(w, "svn", r->isv_svn);
    tf_json_put_hex(w, "attributes", &r->attributes, sizeof(r->attributes));
    tf_json_put_integer(w, "miscselect", r->miscselect);
    tf_json_put_hex(w, "config_id", r->config_id, sizeof(r->config_id));
    tf_json_put_hex(w, "cpu_svn", r->cpu_svn, sizeof(r->cpu_svn));
    tf_json_close_object(w);
}

static void put_td(struct tf_json_writer *w, const struct tf_td_body *td)
{
    uint8_t attributes[8];
    uint8_t xfam[8];

    tf_store_u64(attributes, td->td_attributes);
    tf_store_u64(xfam, td->xfam);
    tf_json_open_object(w, "tdx");
    tf_json_put_hex(w, "mrtd", td->mrtd, sizeof(td->mrtd));
    tf_json_open_array(w, "rtmr");
    for (size_t i = 0; i < 4; i++) {
        tf_json_put_hex(w, NULL, td->rtmr[i], sizeof(td->rtmr[i]));
    }
    tf_json_close_array(w);
    tf_json_put_hex(w, "mrconfigid", td->mrconfigid, sizeof(td->mrconfigid));
    tf_json_put_hex(w, "mrowner", td->mrowner, sizeof(td->mrowner));
    tf_json_put_hex(w, "mrownerconfig", td->mrownerconfig, sizeof(td->mrownerconfig));
    tf_json_put_hex(w, "mrseam", td->mrseam, sizeof(td->mrseam));
    tf_json_put_hex(w, "tdattributes", attributes, sizeof(attributes));
    tf_json_put_hex(w, "xfam", xfam, sizeof(xfam));
    tf_json_put_hex(w, "tee_tcb_svn", td->tee_tcb_svn, sizeof(td->tee_tcb_svn));
    tf_json_close_object(w);
}

static void put_snp(struct tf_json_writer *w, const struct tf_snp_claims *s)
{
    const char *product = tf_root_product(s->product);
    uint8_t policy[8];

    tf_store_u64(policy, s->policy);
    tf_json_open_object(w, "snp");
    tf_json_put_hex(w, "measurement", s->measurement, sizeof(s->measurement));
    tf_json_put_hex(w, "host_data", s->host_data, sizeof(s->host_data));
    tf_json_put_hex(w, "policy", policy, sizeof(policy));
    tf_json_put_integer(w, "vmpl", s->vmpl);
    tf_json_put_integer(w, "guest_svn", s->guest_svn);
    tf_json_put_string(w, "product", product == NULL ? "" : product);
    tf_json_put_boolean(w, "vlek", s->is_vlek);
    tf_json_put_hex(w, "chip_id", s->chip_id, sizeof(s->chip_id));
    tf_json_open_object(w, "reported_tcb");
    tf_json_put_integer(w, "fmc", s->reported.fmc);
    tf_json_put_integer(w, "bootloader", s->reported.bootloader);
    tf_json_put_integer(w, "tee", s->reported.tee);
    tf_json_put_integer(w, "snp", s->reported.snp);
    tf_json_put_integer(w, "microcode", s->reported.microcode);
    tf_json_close_object(w);
    tf_json_close_object(w);
}

static void put_level(struct tf_json_writer *w, const char *key,
                      const struct tf_tcb_level *level)
{
    tf_json_open_object(w, key);
    tf_json_put_string(w, "status", tf_tcb_status_name(level->status));
    put_date(w, "date", level->date);
    tf_json_close_object(w);
}

static void put_tcb(struct tf_json_writer *w, const struct tf_tcb_claims *tcb)
{
    tf_json_open_object(w, "tcb");
    tf_json_put_string(w, "status", tf_tcb_status_name(tcb->status));
    tf_json_open_array(w, "advisories");
    for (size_t i = 0; i < tcb->advisories.count; i++) {
        tf_json_put_string(w, NULL, tcb->advisories.ids[i]);
    }
    tf_json_close_array(w);
    tf_json_put_integer(w, "evaluation", tcb->evaluation);
    put_date(w, "issued", tcb->issued);
    put_date(w, "next_update", tcb->next_update);
    put_level(w, "platform", &tcb->platform);
    put_level(w, "qe", &tcb->qe);
    if (tcb->has_module) {
        put_level(w, "module", &tcb->module);
    }
    tf_json_close_object(w);
}

static void put_pck(struct tf_json_writer *w, const struct tf_pck *pck)
{
    tf_json_open_object(w, "platform");
    tf_json_put_hex(w, "fmspc", pck->fmspc, sizeof(pck->fmspc));
    tf_json_put_hex(w, "pce_id", pck->pce_id, sizeof(pck->pce_id));
    tf_json_put_hex(w, "ppid", pck->ppid, sizeof(pck->ppid));
    if (pck->has_instance) {
        tf_json_put_hex(w, "instance_id", pck->instance_id, sizeof(pck->instance_id));
    }
    tf_json_put_hex(w, "components", pck->component_svn, sizeof(pck->component_svn));
    tf_json_put_integer(w, "pce_svn", pck->pce_svn);
    tf_json_close_object(w);
}

static void put_evidence(struct tf_json_writer *w, const struct tf_appraisal *a)
{
    static const char *const names[] = {[TF_TEE_NONE] = "",
                                        [TF_TEE_SGX] = "sgx",
                                        [TF_TEE_TDX] = "tdx",
                                        [TF_TEE_SNP] = "sev-snp"};

    tf_json_put_string(w, "tee", names[a->tee]);
    tf_json_put_integer(w, "version", a->version);
    tf_json_put_boolean(w, "debug", a->is_debug);
    tf_json_put_hex(w, "report_data", a->report_data, sizeof(a->report_data));
    if (a->tee == TF_TEE_SGX) {
        put_sgx(w, &a->sgx);
    } else if (a->tee == TF_TEE_TDX) {
        put_td(w, &a->td);
    } else if (a->tee == TF_TEE_SNP) {
        put_snp(w, &a->snp);
    }
    if (a->has_pck) {
        put_pck(w, &a->pck);
    }
    if (a->has_tcb) {
        put_tcb(w, &a->tcb);
    }
}

void tf_appraisal_put(struct tf_json_writer *w, const struct tf_appraisal *a)
{
    tf_json_put_boolean(w, "genuine", a->is_genuine);
    tf_json_put_boolean(w, "test_root", a->is_test_root);
    if (a->expires != 0) {
        put_date(w, "expires", a->expires);
    }
    put_evidence(w, a);
}

static void print_json(const struct tf_appraisal *a)
{
    char text[JSON_MAX];
    struct tf_json_writer w;

    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "verdict", a->result == TF_OK ? "good" : "bad");
    tf_json_open_array(&w, "reasons");
    for (size_t i = 0; i < a->reason_count; i++) {
        tf_json_put_string(&w, NULL, tf_err_name(a->reasons[i]));
    }
    tf_json_close_array(&w);
    tf_appraisal_put(&w, a);
    tf_json_close_object(&w);
    if (tf_json_take(&w, NULL) == TF_OK) {
        (void)puts(text);
    }
}

void tf_appraisal_print(const struct tf_appraisal *a, bool has_policy, bool is_json)
{
    if (is_json) {
        print_json(a);
    } else {
        print_screen(a, has_policy);
    }
}
