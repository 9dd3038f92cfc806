/* SPDX-License-Identifier: Apache-2.0 */
/* explain.c - `policy check` and `policy explain`: is the file good, and what does it
 * say? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/explain.h"
#include "client/policy.h"
#include "lib/bytes.h"
#include "verify/dates.h"

enum { HEX_MAX = 2 * TF_PLATFORM_ID_MAX + 1 };

static void line(const char *indent, const void *data, size_t size)
{
    char hex[HEX_MAX];

    tf_hex_write(data, size, hex);
    (void)printf("%s%s\n", indent, hex);
}

static void explain_rtmr(const struct tf_policy *p, size_t i)
{
    if (p->rtmr_counts[i] > 0) {
        (void)printf("  and, if it is of TDX, its RTMR%zu is\n", i);
    }
    for (size_t j = 0; j < p->rtmr_counts[i]; j++) {
        line("    ", p->rtmrs[i][j], 48);
    }
}

static void explain_enclave(const struct tf_policy *p)
{
    (void)puts("An SGX enclave is accepted when all of these hold:");
    if (p->measurement_count > 0) {
        (void)puts("  its MRENCLAVE is one of");
    }
    for (size_t i = 0; i < p->measurement_count; i++) {
        line("    ", p->measurements[i], 32);
    }
    if (p->has_signer) {
        line("  it is signed by ", p->signer, 32);
        (void)printf("  as product %u, version %u or newer\n", p->product, p->min_svn);
    }
    if (p->measurement_count == 0 && !p->has_signer) {
        (void)puts("  never: the policy names no enclave");
    }
    if (p->has_attributes) {
        line("  its ATTRIBUTES and XFRM are ", p->attributes, sizeof(p->attributes));
    }
    if (p->has_miscselect) {
        (void)printf("  its MISCSELECT is %u\n", p->miscselect);
    }
    (void)puts("A TDX or SEV-SNP guest is accepted when it is measured as");
    for (size_t i = 0; i < p->guest_count; i++) {
        line("    ", p->guests[i], 48);
    }
    if (p->guest_count == 0) {
        (void)puts("  nothing: the policy names no guest");
        return;
    }
    for (size_t i = 0; i < TF_RTMRS; i++) {
        explain_rtmr(p, i);
    }
    if (p->rtmr_counts[1] == 0 || p->rtmr_counts[2] == 0) {
        (void)puts(
            "  Without rtmr1 and rtmr2 a TDX guest may run any kernel: MRTD is its "
            "firmware");
    }
}

static void explain_domain(const struct tf_policy *p)
{
    (void)puts(p->allow_sharing
                   ? "It must serve this trust domain, alone or in a group of"
                     " domains that share the enclave:"
                   : "It must serve this trust domain, alone:");
    line("    ", p->domain, sizeof(p->domain));
    (void)puts("Its lambda must be signed by one of");
    for (size_t i = 0; i < p->publisher_count; i++) {
        (void)printf("    %s\n", p->publishers[i]);
    }
    if (p->digest_count > 0) {
        (void)puts("and be one of these bundles, by digest");
    }
    for (size_t i = 0; i < p->digest_count; i++) {
        line("    ", p->digests[i], sizeof(p->digests[i]));
    }
    if (p->min_version > 0) {
        (void)printf("and be version %" PRIu64 " or newer\n", p->min_version);
    }
}

static void explain_rule(const struct tf_tcb_rule *rule)
{
    char date[TF_DATE_SIZE];

    (void)printf("  %s", tf_tcb_status_name(rule->status));
    if (rule->has_until) {
        tf_date_write(rule->until, date);
        (void)printf(" until %s", date);
    }
    if (rule->has_advisories) {
        (void)printf(" with no open advisory but");
    }
    for (size_t i = 0; rule->has_advisories && i < rule->advisories.count; i++) {
        (void)printf(" %s", rule->advisories.ids[i]);
    }
    (void)puts(rule->has_advisories && rule->advisories.count == 0 ? " none" : "");
}

static void explain_snp(const struct tf_policy *p)
{
    for (size_t i = 0; i < p->snp_count; i++) {
        const struct tf_snp_tcb *m = &p->snp[i].minimum;
        (void)printf(
            "  AMD %s with at least boot loader %u, TEE %u, SNP %u, microcode %u",
            tf_root_product(p->snp[i].product), m->bootloader, m->tee, m->snp,
            m->microcode);
        (void)printf(p->snp[i].product == TF_ROOT_AMD_TURIN ? ", FMC %u\n" : "\n",
                     m->fmc);
    }
    if (p->snp_count == 0) {
        (void)puts("  no AMD processor: the policy names no minimum TCB");
    } else {
        (void)printf("  an AMD guest's privilege level is at most %u\n", p->max_vmpl);
    }
}

static void explain_platform(const struct tf_policy *p)
{
    char date[TF_DATE_SIZE];

    (void)puts("Accepted TCBs of platforms:\n  UpToDate");
    for (size_t i = 0; i < p->tcb_count; i++) {
        explain_rule(&p->tcb[i]);
    }
    if (p->min_evaluation > 0) {
        (void)printf("  judged by collateral of evaluation %u or newer\n",
                     p->min_evaluation);
    }
    if (p->min_tcb_date > 0) {
        tf_date_write(p->min_tcb_date, date);
        (void)printf("  of a level dated %s or later\n", date);
    }
    explain_snp(p);
    (void)puts(p->platform_count == 0 ? "Any platform of the vendors is accepted."
                                      : "Only these platforms are accepted:");
    for (size_t i = 0; i < p->platform_count; i++) {
        line("    ", p->platforms[i].bytes, p->platforms[i].size);
    }
}

static void warn(const struct tf_policy *p)
{
    if (p->insecure_allow_debug) {
        (void)puts(
            "INSECURE: DEBUG enclaves and guests are accepted; their operator reads "
            "all their memory.");
    }
    if (p->insecure_root_count > 0) {
        (void)puts("INSECURE: roots for tests are accepted beside the CPU vendors':");
    }
    for (size_t i = 0; i < p->insecure_root_count; i++) {
        line("    ", p->insecure_roots[i], TF_ROOT_SIZE);
    }
    if (p->sim_root_size > 0) {
        (void)puts(
            "INSECURE: with --allow-sim, a simulator's evidence is accepted; nothing "
            "protects a simulated enclave.");
    }
}

int tf_policy_explain(int argc, char **argv)
{
    const struct tf_option options[] = {{0}};
    const char *operands[2] = {NULL, NULL};
    struct tf_policy policy;

    if (!tf_options(argc, argv, options, operands, 2)) {
        return TF_EXIT_USAGE;
    }
    tf_err err = tf_policy_load(operands[1], &policy);
    if (err != TF_OK) {
        return tf_exit(err);
    }
    if (strcmp(operands[0], "explain") == 0) {
        explain_enclave(&policy);
        explain_domain(&policy);
        explain_platform(&policy);
    } else {
        (void)printf("%s: a good policy\n", operands[1]);
    }
    warn(&policy);
    return TF_EXIT_OK;
}
