/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vectors.h - genuine evidence for tests and benchmarks, read from ../shared/vectors (or
 * the folder TFAAS_VECTORS). It is not part of the repository: a test that does not find
 * it says so and passes. Trusts its callers.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/collateral.h"
#include "verify/dates.h"
#include "verify/dcap.h"
#include "verify/snp.h"

enum { VECTOR_FILE_MAX = 1 << 20 };

/** A file on the heap, with a NUL behind it. */
struct vector_file {
    uint8_t *data;
    size_t size;
};

/** What the vectors' README says of a quote. */
struct vector_quote {
    const char *name;
    tf_err result;        /* without a policy */
    tf_tcb_status status; /* when a level matches */
    const char *advisories;
};

static const struct vector_quote VECTOR_QUOTES[] = {
    {"sgx-v3-00606a000000-automata", TF_ETCB_STATUS, TF_TCB_SW_HARDENING, "00615"},
    {"sgx-v3-00606a000000-oasis", TF_ETCB_STATUS, TF_TCB_OUT_OF_DATE,
     "00615 00657 00730 00738 00767 00828 00837 00960"},
    {"sgx-v3-00606a000000-occlum", TF_EEVIDENCE_DEBUG, TF_TCB_OUT_OF_DATE, NULL},
    {"sgx-v3-00a067110000-phala", TF_ETCB_STATUS, TF_TCB_CONFIGURATION_AND_SW,
     "00289 00615"},
    {"tdx-v4-00806f050000-automata", TF_ETCB_STATUS, TF_TCB_OUT_OF_DATE,
     "00960 00982 00986"},
    {"tdx-v4-00806f050000-flashbots", TF_OK, TF_TCB_UP_TO_DATE, ""},
    {"tdx-v4-50806f000000-google", TF_ETCB_LEVEL, TF_TCB_UP_TO_DATE, NULL},
    {"tdx-v5-90c06f000000-google", TF_OK, TF_TCB_UP_TO_DATE, ""},
};
enum { VECTOR_QUOTE_COUNT = sizeof(VECTOR_QUOTES) / sizeof(VECTOR_QUOTES[0]) };

static const char *const VECTOR_REPORTS[] = {"milan-v2-vcek-google",
                                             "genoa-azure-trustee"};
enum { VECTOR_REPORT_COUNT = sizeof(VECTOR_REPORTS) / sizeof(VECTOR_REPORTS[0]) };

/** Reads KIND/NAME/FILE; data is NULL if it is not there. */
static inline struct vector_file vector_read(const char *kind, const char *name,
                                             const char *file)
{
    char path[1024];
    const char *folder = getenv("TFAAS_VECTORS");
    struct vector_file out = {0};

    (void)snprintf(path, sizeof(path), "%s/%s/%s%s%s",
                   folder == NULL ? "../shared/vectors" : folder, kind, name,
                   name[0] == '\0' ? "" : "/", file);
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        return out;
    }
    out.data = malloc(VECTOR_FILE_MAX + 1);
    out.size = fread(out.data, 1, VECTOR_FILE_MAX, stream);
    out.data = realloc(out.data, out.size + 1);
    out.data[out.size] = 0;
    (void)fclose(stream);
    return out;
}

/** One quote with all that judges it. */
struct vector_case {
    struct vector_file quote;
    struct vector_file text;
    struct tf_collateral collateral;
    struct tf_dcap_input input;
};

/** Fills it. @return whether the vectors are there. End with vector_close. */
static inline bool vector_open(const char *name, struct vector_case *out)
{
    struct vector_file at = vector_read("dcap", name, "verify_at.txt");

    memset(out, 0, sizeof(*out));
    if (at.data == NULL) {
        return false;
    }
    at.data[strcspn((char *)at.data, "\n")] = 0;
    out->quote = vector_read("dcap", name, "quote.bin");
    out->text = vector_read("dcap", name, "collateral.json");
    bool is_good = tf_date_parse((char *)at.data, &out->input.time) == TF_OK &&
                   tf_collateral_parse((char *)out->text.data, out->text.size,
                                       &out->collateral) == TF_OK;
    free(at.data);
    if (!is_good) {
        abort();
    }
    out->input.quote = out->quote.data;
    out->input.quote_size = out->quote.size;
    out->input.collateral = &out->collateral;
    return true;
}

static inline void vector_close(struct vector_case *c)
{
    tf_collateral_wipe(&c->collateral);
    free(c->quote.data);
    free(c->text.data);
}

/** One SEV-SNP report with its chain. */
struct vector_snp {
    struct vector_file report;
    struct vector_file vek;
    struct vector_file ask;
    struct vector_file ark;
    struct tf_snp_input input;
};

static inline struct tf_bytes vector_bytes(const struct vector_file *file)
{
    return (struct tf_bytes){file->data, file->size};
}

/** Fills it. @return whether the vectors are there. End with vector_snp_close. */
static inline bool vector_snp_open(const char *name, struct vector_snp *out)
{
    memset(out, 0, sizeof(*out));
    out->report = vector_read("snp", name, "report.bin");
    if (out->report.data == NULL) {
        return false;
    }
    out->vek = vector_read("snp", name, "vek.der");
    out->ask = vector_read("snp", name, "ask.pem");
    out->ark = vector_read("snp", name, "ark.pem");
    out->input.report = out->report.data;
    out->input.report_size = out->report.size;
    out->input.vek = vector_bytes(&out->vek);
    out->input.ask = vector_bytes(&out->ask);
    out->input.ark = vector_bytes(&out->ark);
    out->input.time = tf_date_days(2026, 1, 1) * 86400;
    return true;
}

static inline void vector_snp_close(struct vector_snp *s)
{
    free(s->report.data);
    free(s->vek.data);
    free(s->ask.data);
    free(s->ark.data);
}

/** A policy that accepts just this genuine evidence: its enclave or guest, and its TCB.
 */
static inline struct tf_policy *vector_policy(const struct tf_appraisal *a)
{
    struct tf_policy *p = calloc(1, sizeof(*p));

    if (a->tee == TF_TEE_SGX) {
        p->measurement_count = 1;
        memcpy(p->measurements[0], a->sgx.mrenclave, 32);
    } else {
        p->guest_count = 1;
        memcpy(p->guests[0], a->tee == TF_TEE_TDX ? a->td.mrtd : a->snp.measurement, 48);
    }
    for (size_t i = 0; a->tee == TF_TEE_TDX && i < TF_RTMRS; i++) {
        p->rtmr_counts[i] = 1;
        memcpy(p->rtmrs[i][0], a->td.rtmr[i], 48);
    }
    p->tcb_count = 1;
    p->tcb[0].status = a->tcb.status;
    p->tcb[0].has_advisories = true;
    p->tcb[0].advisories = a->tcb.advisories;
    p->snp_count = 1;
    p->snp[0].product = a->snp.product;
    p->snp[0].minimum = a->snp.reported;
    return p;
}
