/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/screen.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/err_text.h"
#include "verify/dates.h"

enum { HEX_MAX = 2 * 64 + 1, DATE_ONLY = 10, MINUTE = 60, HOUR = 3600, DAY = 86400 };

static void show(const char *title, const char *before, const void *data, size_t size,
                 const char *after)
{
    char hex[HEX_MAX];

    tf_hex_write(data, size, hex);
    (void)printf("%-12s %s%s%s\n", title, before, hex, after);
}

/* "for 3 days", "3 hours ago": one unit is enough. */
static void write_span(int64_t seconds, char out[static 32])
{
    static const struct {
        int64_t size;
        const char *name;
    } units[] = {{DAY, "day"}, {HOUR, "hour"}, {MINUTE, "minute"}, {1, "second"}};
    size_t i = 0;

    seconds = seconds < 0 ? 0 : seconds;
    while (i < 3 && seconds < units[i].size) {
        i++;
    }
    int64_t count = seconds / units[i].size;
    (void)snprintf(out, 32, "%" PRId64 " %s%s", count, units[i].name,
                   count == 1 ? "" : "s");
}

/* --- what it runs ------------------------------------------------------------------- */

static void show_grant(const struct tf_lambda_claim *l)
{
    char date[TF_DATE_SIZE];

    if (l->serial == 0 && !l->is_granted) {
        (void)puts("  grant      none: it has no key for its names yet");
        return;
    }
    (void)printf("  grant      serial %" PRIu64 ", %s", l->serial,
                 l->is_granted ? "serving" : "NOT serving now");
    if (l->leased_until != 0) {
        tf_date_write((int64_t)l->leased_until, date);
        (void)printf(", lease until %s", date);
    }
    (void)putchar('\n');
}

static void show_lambda(const struct tf_verdict *v)
{
    const struct tf_lambda_claim *l = &v->lambda;

    (void)printf("lambda       %s, version %" PRIu64 ", on %s\n", l->name, l->version,
                 v->engine);
    (void)printf("  digest     %s\n  signed by  %s\n  names     ", l->digest, l->signer);
    for (size_t i = 0; i < l->domain_count; i++) {
        (void)printf(" %s", l->domains[i]);
    }
    (void)putchar('\n');
    show_grant(l);
}

static void show_claims(const struct tf_verdict *v)
{
    if (v->has_lambda) {
        show_lambda(v);
    } else {
        (void)printf("lambda       not loaded in this enclave (engine %s)\n", v->engine);
    }
    for (size_t i = 0; i < v->revocation_count; i++) {
        (void)printf("  revoked by list %" PRIu64 " of %s\n", v->revocations[i].serial,
                     v->revocations[i].signer);
    }
}

/* --- what it is --------------------------------------------------------------------- */

static void show_enclave(const struct tf_appraisal *a)
{
    const char *debug = a->is_debug ? " DEBUG: its operator can read it" : "";

    if (a->is_native) {
        show("runtime", "", a->sgx.mrenclave, 32, ", in a process and no enclave");
    } else if (a->tee == TF_TEE_SGX) {
        show("enclave", "MRENCLAVE ", a->sgx.mrenclave, 32, debug);
        show("  signed by", "MRSIGNER  ", a->sgx.mrsigner, 32, "");
        (void)printf("  as         product %u, security version %u\n", a->sgx.isv_prod_id,
                     a->sgx.isv_svn);
    } else if (a->tee == TF_TEE_TDX) {
        show("guest", "MRTD ", a->td.mrtd, sizeof(a->td.mrtd), debug);
    } else {
        show("guest", "MEASUREMENT ", a->snp.measurement, sizeof(a->snp.measurement),
             debug);
        (void)printf("  as         privilege level %u, guest version %u\n", a->snp.vmpl,
                     a->snp.guest_svn);
    }
}

static void show_instance(const struct tf_verdict *v)
{
    (void)printf("  instance   %s, LVI hardening %s\n  domain     %s\n", v->instance,
                 v->lvi, v->domain);
    if (v->member_count > 1) {
        (void)printf(
            "  SHARED     by %zu domains: an escape of one's lambda reaches all\n",
            v->member_count);
    }
}

/* --- where it runs ------------------------------------------------------------------ */

static void show_voucher(const struct tf_appraisal *a)
{
    if (a->is_genuine) {
        (void)puts("  vouched    by the CPU's vendor");
    } else if (a->is_test_root) {
        (void)puts("  vouched    by NOBODY: a TEST ROOT that the policy names");
    } else {
        (void)puts("  vouched    by NOBODY: the verdict says why");
    }
}

static void show_tcb(const struct tf_tcb_claims *tcb)
{
    char date[TF_DATE_SIZE];

    tf_date_write(tcb->platform.date, date);
    (void)printf("  TCB        %s, of %.*s; open advisories:",
                 tf_tcb_status_name(tcb->status), (int)DATE_ONLY, date);
    for (size_t i = 0; i < tcb->advisories.count; i++) {
        (void)printf(" %s", tcb->advisories.ids[i]);
    }
    (void)puts(tcb->advisories.count == 0 ? " none" : "");
}

static void show_intel(const struct tf_appraisal *a)
{
    (void)printf("platform     Intel %s\n", a->tee == TF_TEE_SGX ? "SGX" : "TDX");
    if (a->has_pck) {
        show("  FMSPC", "", a->pck.fmspc, sizeof(a->pck.fmspc), "");
        show("  PPID", "", a->pck.ppid, sizeof(a->pck.ppid), "");
    }
    if (a->has_pck && a->pck.has_instance) {
        show("  id", "", a->pck.instance_id, sizeof(a->pck.instance_id), "");
    }
    show_voucher(a);
    if (a->has_tcb) {
        show_tcb(&a->tcb);
    }
}

static void show_amd(const struct tf_appraisal *a)
{
    const char *product = tf_root_product(a->snp.product);
    const struct tf_snp_tcb *t = &a->snp.reported;

    (void)printf("platform     AMD SEV-SNP, %s, %s\n",
                 product == NULL ? "product not known" : product,
                 a->snp.is_vlek ? "key of a provider" : "key of one chip");
    show("  chip", "", a->snp.chip_id, sizeof(a->snp.chip_id), "");
    show_voucher(a);
    (void)printf("  TCB        boot loader %u, TEE %u, SNP %u, microcode %u, FMC %u\n",
                 t->bootloader, t->tee, t->snp, t->microcode, t->fmc);
}

static void show_platform(const struct tf_appraisal *a)
{
    if (a->is_simulated) {
        (void)puts("platform     SIMULATED: no hardware; its operator can read and change"
                   " it");
    } else if (a->tee == TF_TEE_SNP) {
        show_amd(a);
    } else {
        show_intel(a);
    }
}

/* --- how old ------------------------------------------------------------------------ */

static bool is_ours(const struct tf_verdict *v)
{
    for (size_t i = 0; i < v->reason_count; i++) {
        tf_err reason = v->reasons[i];
        if (reason == TF_EEVIDENCE_BINDING || reason == TF_EEVIDENCE_NONCE ||
            reason == TF_EEVIDENCE_CHANNEL || reason == TF_EEVIDENCE_KEY) {
            return false;
        }
    }
    return v->has_claims;
}

static void show_collateral(const struct tf_attestation *t)
{
    static const char *const origins[] = {[TF_COLLATERAL_NONE] = "",
                                          [TF_COLLATERAL_FILE] = "from a file",
                                          [TF_COLLATERAL_CACHE] = "from the cache",
                                          [TF_COLLATERAL_SERVICE] = "just fetched"};
    const struct tf_tcb_claims *tcb = &t->verdict.appraisal.tcb;
    char date[TF_DATE_SIZE];
    char next[TF_DATE_SIZE];
    char span[32];

    (void)printf("collateral   %s", origins[t->origin]);
    if (t->origin == TF_COLLATERAL_CACHE) {
        write_span(t->time - t->fetched, span);
        (void)printf(", fetched %s ago", span);
    }
    (void)putchar('\n');
    if (tcb->issued != 0) {
        tf_date_write(tcb->issued, date);
        tf_date_write(tcb->next_update, next);
        (void)printf("  issued     %s, next update %s\n", date, next);
    }
}

static void show_certificate(tf_err ratls)
{
    if (ratls == TF_OK) {
        (void)puts("  cert       carries RA-TLS evidence about its own key");
    } else if (ratls == TF_EEVIDENCE_FORMAT) {
        (void)puts("  cert       carries no RA-TLS evidence");
    } else {
        (void)printf("  cert       carries RA-TLS evidence that does NOT fit (%s)\n",
                     tf_err_name(ratls));
    }
}

static void show_age(const struct tf_attestation *t)
{
    const struct tf_appraisal *a = &t->verdict.appraisal;
    char date[TF_DATE_SIZE];

    tf_date_write(t->time, date);
    (void)printf("evidence     %s, %s\n", date,
                 is_ours(&t->verdict)
                     ? "made just now: for our nonce, on this TLS connection"
                     : "NOT made for us: not for our nonce, connection or its key");
    show_certificate(t->certificate);
    if (t->origin != TF_COLLATERAL_NONE) {
        show_collateral(t);
    }
    if (a->expires != 0) {
        char span[32];
        tf_date_write(a->expires, date);
        write_span(a->expires - t->time, span);
        (void)printf("  good until %s, for %s\n", date, span);
    }
}

static void show_verdict(const struct tf_verdict *v)
{
    const struct tf_appraisal *a = &v->appraisal;
    const char *but = a->is_simulated   ? " (SIMULATED: for tests only)"
                      : a->is_test_root ? " (TEST ROOT: for tests only)"
                                        : "";

    (void)printf("verdict      %s%s\n", v->result == TF_OK ? "GOOD" : "BAD", but);
    for (size_t i = 0; i < v->reason_count; i++) {
        const char *hint = tf_err_hint(v->reasons[i]);
        (void)printf("  because    %s: %s\n", tf_err_name(v->reasons[i]),
                     tf_err_text(v->reasons[i]));
        if (hint[0] != '\0') {
            (void)printf("  next       %s\n", hint);
        }
    }
    if (v->result == TF_OK && !v->lambda.is_granted) {
        (void)puts("  next       `tfaas grant` gives it its certificate");
    }
}

void tf_screen_print(const struct tf_attestation *attestation)
{
    const struct tf_verdict *v = &attestation->verdict;

    if (v->has_claims) {
        show_claims(v);
    }
    if (v->appraisal.tee != TF_TEE_NONE) {
        show_enclave(&v->appraisal);
    }
    if (v->has_claims) {
        show_instance(v);
    }
    if (v->appraisal.tee != TF_TEE_NONE) {
        show_platform(&v->appraisal);
    }
    show_age(attestation);
    show_verdict(v);
}
