/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Genuine evidence of Intel and AMD: each verdict is the one that an independent verifier
 * gave at the same clock, and nothing is accepted any more once a bit differs.
 *
 * TFAAS_EXHAUSTIVE=1: flips every bit of every quote and report, and one of each byte of
 * the certificates, instead of one bit of every 13th byte. TFAAS_MUTATIONS=N: random
 * changes to each quote, and as many to each collateral (60). TFAAS_VECTOR=NAME: these
 * two for that quote alone, so that several can run side by side.
 */
#include "test/unit/verify/vectors.h"

#include "abi/sgx.h"
#include "test/random.h"
#include "test/test.h"
#include "verify/ratls.h"

static tf_err judge(const struct vector_case *c, struct tf_appraisal *a)
{
    return tf_dcap_verify(&c->input, a);
}

/* The table's short list holds exactly the appraisal's advisories. */
static bool has_advisories(const struct tf_appraisal *a, const char *list)
{
    size_t count = 0;
    char id[TF_ADVISORY_SIZE];

    for (const char *at = list; *at != '\0'; at += at[5] == ' ' ? 6 : 5) {
        (void)snprintf(id, sizeof(id), "INTEL-SA-%.5s", at);
        if (!tf_advisories_have(&a->tcb.advisories, id)) {
            return false;
        }
        count++;
    }
    return count == a->tcb.advisories.count;
}

/* Named in a policy it is good, unless it is DEBUG, as long as its collateral lasts. */
static void check_policy(const struct vector_quote *expected, struct tf_dcap_input in,
                         struct tf_appraisal *a)
{
    struct tf_policy *policy = vector_policy(a);
    bool is_debug = expected->result == TF_EEVIDENCE_DEBUG;
    /* The DEBUG one is signed with the sample key. */
    tf_err rest = is_debug ? TF_EPOLICY_DENIED : TF_OK;
    int64_t time = in.time;

    in.policy = policy;
    CHECK(tf_dcap_verify(&in, a) == (is_debug ? TF_EEVIDENCE_DEBUG : TF_OK));
    policy->insecure_allow_debug = true;
    CHECK(tf_dcap_verify(&in, a) == rest && a->reason_count == (is_debug ? 1 : 0));
    CHECK(a->expires > time);
    in.time = a->expires;
    CHECK(tf_dcap_verify(&in, a) == rest);
    in.time = a->expires + 1;
    CHECK(tf_dcap_verify(&in, a) != rest && !a->is_genuine);
    in.time = time - 365 * 86400;
    CHECK(tf_dcap_verify(&in, a) != rest && !a->is_genuine);
    free(policy);
}

static void check_verdict(const struct vector_quote *expected,
                          const struct vector_case *c)
{
    struct tf_appraisal a;
    bool is_found = false;

    (void)!judge(c, &a);
    for (size_t i = 0; i < a.reason_count; i++) {
        is_found = is_found || a.reasons[i] == expected->result;
    }
    CHECK(expected->result == TF_OK ? a.result == TF_OK : is_found);
    CHECK(a.is_genuine == (expected->result != TF_ETCB_LEVEL) && !a.is_test_root);
    CHECK(a.is_debug == (expected->result == TF_EEVIDENCE_DEBUG));
    if (expected->advisories != NULL) {
        CHECK(a.tcb.status == expected->status &&
              has_advisories(&a, expected->advisories));
    }
    if (a.is_genuine) {
        check_policy(expected, c->input, &a);
    }
}

/* The verifier's list of four: five years on, a bit in header and body, a space more. */
static void check_negatives(const struct vector_case *c)
{
    struct tf_appraisal a;
    struct vector_case changed = *c;
    uint8_t *quote = malloc(c->quote.size);

    changed.input.time += (int64_t)5 * 365 * 86400;
    tf_err err = judge(&changed, &a);
    CHECK((err == TF_ECOLLATERAL_EXPIRED || err == TF_ECHAIN_VALIDITY) && !a.is_genuine);
    changed.input.time = c->input.time;
    changed.input.quote = quote;
    memcpy(quote, c->quote.data, c->quote.size);
    quote[112] ^= 1;
    CHECK(judge(&changed, &a) == TF_EQUOTE_SIGNATURE && !a.is_genuine);
    quote[112] ^= 1;
    quote[30] ^= 1;
    CHECK(judge(&changed, &a) == TF_EQUOTE_SIGNATURE && !a.is_genuine);
    quote[30] ^= 1;
    quote[8] ^= 1; /* of version 3 the QE's SVN; later reserved */
    CHECK(judge(&changed, &a) != TF_OK && !a.is_genuine);
    free(quote);

    changed = *c;
    struct tf_bytes *info = &changed.collateral.tcb_info;
    char *spaced = malloc(info->size + 1);
    size_t comma =
        (size_t)((const uint8_t *)memchr(info->data, ',', info->size) - info->data);
    memcpy(spaced, info->data, comma + 1);
    spaced[comma + 1] = ' ';
    memcpy(spaced + comma + 2, info->data + comma + 1, info->size - comma - 1);
    *info = (struct tf_bytes){(uint8_t *)spaced, info->size + 1};
    changed.input.collateral = &changed.collateral;
    CHECK(judge(&changed, &a) == TF_ECOLLATERAL_SIGNATURE && !a.is_genuine);
    free(spaced);
}

static void test_verdicts(void)
{
    struct vector_case c;

    for (size_t i = 0; i < VECTOR_QUOTE_COUNT; i++) {
        if (!CHECK(vector_open(VECTOR_QUOTES[i].name, &c))) {
            continue;
        }
        int was_bad = test_state.is_bad;
        test_state.is_bad = 0;
        check_verdict(&VECTOR_QUOTES[i], &c);
        check_negatives(&c);
        if (test_state.is_bad) {
            (void)fprintf(stderr, "  with %s\n", VECTOR_QUOTES[i].name);
        }
        test_state.is_bad |= was_bad;
        vector_close(&c);
    }
}

static bool is_selected(const char *name)
{
    const char *selected = getenv("TFAAS_VECTOR");

    return selected == NULL || strcmp(selected, name) == 0;
}

/* Which bits of byte `i` to flip: all, one, or none. */
static unsigned bits_of(size_t i, bool is_certificate)
{
    static int is_exhaustive = -1;

    if (is_exhaustive < 0) {
        is_exhaustive = getenv("TFAAS_EXHAUSTIVE") != NULL;
    }
    if (is_exhaustive && !is_certificate) {
        return 0xff;
    }
    return is_exhaustive || i % 13 == 0 ? 1U << (i / 13 + i) % 8 : 0;
}

/* Flips bits of `data` one by one. @return how often what `is_genuine` says was yes. */
static unsigned flip(uint8_t *data, size_t size, size_t certificates,
                     bool (*is_genuine)(const void *), const void *evidence)
{
    unsigned accepted = 0;

    for (size_t i = 0; i < size; i++) {
        unsigned bits = bits_of(i, i >= certificates);
        for (unsigned bit = 1; bit < 0x100; bit <<= 1) {
            if ((bits & bit) == 0) {
                continue;
            }
            data[i] ^= (uint8_t)bit;
            if (is_genuine(evidence)) {
                (void)fprintf(stderr, "accepted with byte %zu, bit %x\n", i, bit);
                accepted++;
            }
            data[i] ^= (uint8_t)bit;
        }
    }
    return accepted;
}

static bool is_genuine_quote(const void *evidence)
{
    const struct vector_case *c = evidence;
    struct tf_appraisal a;

    return judge(c, &a) == TF_OK || a.is_genuine;
}

/* Each byte of the quote up to the end of its signature data, the certificates included.
 */
static void test_no_flipped_bit_is_accepted(void)
{
    struct vector_case c;
    struct tf_quote parsed;

    for (size_t i = 0; i < VECTOR_QUOTE_COUNT; i++) {
        if (!is_selected(VECTOR_QUOTES[i].name)) {
            continue;
        }
        if (!CHECK(vector_open(VECTOR_QUOTES[i].name, &c)) ||
            !CHECK(tf_quote_parse(c.quote.data, c.quote.size, &parsed) == TF_OK)) {
            continue;
        }
        size_t certificates = (size_t)(parsed.certs.data - c.quote.data);
        CHECK(flip(c.quote.data, parsed.size, certificates, is_genuine_quote, &c) == 0);
        vector_close(&c);
    }
}

/* One to four bytes replaced, or a piece moved, or the end cut off. @return the new size.
 */
static size_t mutate(uint8_t *data, size_t size, uint64_t *random)
{
    uint64_t kind = test_random(random) % 8;

    if (kind == 0) {
        return test_random(random) % size;
    }
    if (kind == 1) {
        size_t count = 1 + test_random(random) % 64;
        size_t from = test_random(random) % (size - count);
        size_t to = test_random(random) % (size - count);
        memmove(data + to, data + from, count);
        return size;
    }
    for (uint64_t i = 0; i <= test_random(random) % 4; i++) {
        data[test_random(random) % size] = (uint8_t)test_random(random);
    }
    return size;
}

static unsigned long mutations(void)
{
    const char *text = getenv("TFAAS_MUTATIONS");

    return text == NULL ? 60 : strtoul(text, NULL, 10);
}

static void mutate_quote(const struct vector_case *c, uint64_t *random)
{
    struct tf_quote parsed;
    struct tf_appraisal a;
    struct vector_case changed = *c;
    unsigned accepted = 0;

    if (!CHECK(tf_quote_parse(c->quote.data, c->quote.size, &parsed) == TF_OK)) {
        return;
    }
    for (unsigned long i = 0; i < mutations(); i++) {
        uint8_t *data = malloc(parsed.size);
        memcpy(data, c->quote.data, parsed.size);
        size_t size = mutate(data, parsed.size, random);
        uint8_t *exact = malloc(size + (size == 0)); /* its end is a trap */
        memcpy(exact, data, size);
        changed.input.quote = exact;
        changed.input.quote_size = size;
        (void)judge(&changed, &a);
        bool is_same = size == parsed.size && memcmp(data, c->quote.data, size) == 0;
        accepted += a.is_genuine && !is_same ? 1 : 0;
        free(data);
        free(exact);
    }
    CHECK(accepted == 0);
}

static bool is_same_part(const struct tf_bytes *a, const struct tf_bytes *b)
{
    return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

/* White space between the file's fields may change without any field changing. */
static bool is_same_collateral(const struct tf_collateral *a,
                               const struct tf_collateral *b)
{
    return is_same_part(&a->pck_crl_chain, &b->pck_crl_chain) &&
           is_same_part(&a->tcb_chain, &b->tcb_chain) &&
           is_same_part(&a->tcb_info, &b->tcb_info) &&
           is_same_part(&a->qe_chain, &b->qe_chain) &&
           is_same_part(&a->qe_identity, &b->qe_identity) &&
           is_same_part(&a->root_crl, &b->root_crl) &&
           is_same_part(&a->pck_crl, &b->pck_crl) &&
           memcmp(a->tcb_signature, b->tcb_signature, 64) == 0 &&
           memcmp(a->qe_signature, b->qe_signature, 64) == 0;
}

static void mutate_collateral(const struct vector_case *c, uint64_t *random)
{
    struct tf_appraisal a;
    unsigned accepted = 0;

    for (unsigned long i = 0; i < mutations(); i++) {
        struct vector_case changed = *c;
        uint8_t *data = malloc(c->text.size);
        memcpy(data, c->text.data, c->text.size);
        size_t size = mutate(data, c->text.size, random);
        if (tf_collateral_parse((char *)data, size, &changed.collateral) == TF_OK) {
            changed.input.collateral = &changed.collateral;
            (void)judge(&changed, &a);
            accepted +=
                a.is_genuine && !is_same_collateral(&c->collateral, &changed.collateral)
                    ? 1
                    : 0;
            tf_collateral_wipe(&changed.collateral);
        }
        free(data);
    }
    CHECK(accepted == 0);
}

static void test_no_mutation_is_accepted(void)
{
    struct vector_case c;
    uint64_t random = 0x9e3779b97f4a7c15;

    for (size_t i = 0; i < VECTOR_QUOTE_COUNT; i++) {
        if (is_selected(VECTOR_QUOTES[i].name) &&
            CHECK(vector_open(VECTOR_QUOTES[i].name, &c))) {
            mutate_quote(&c, &random);
            mutate_collateral(&c, &random);
            vector_close(&c);
        }
    }
}

/* --- SEV-SNP ------------------------------------------------------------------------ */

static bool is_genuine_report(const void *evidence)
{
    const struct vector_snp *s = evidence;
    struct tf_appraisal a;

    return tf_snp_verify(&s->input, &a) == TF_OK || a.is_genuine;
}

static void flip_report(struct vector_snp *s)
{
    CHECK(flip(s->report.data, s->report.size, s->report.size, is_genuine_report, s) ==
          0);
    CHECK(flip(s->vek.data, s->vek.size, 0, is_genuine_report, s) == 0);
    CHECK(flip(s->ask.data, s->ask.size, 0, is_genuine_report, s) == 0);
    CHECK(flip(s->ark.data, s->ark.size, 0, is_genuine_report, s) == 0);
}

static void check_snp(struct vector_snp *s, bool is_debug)
{
    struct tf_appraisal a;

    CHECK(tf_snp_verify(&s->input, &a) == TF_ESNP_OLD && a.is_genuine);
    CHECK(a.is_debug == is_debug && a.reason_count == (is_debug ? 2 : 1));
    struct tf_policy *policy = vector_policy(&a);
    s->input.policy = policy;
    CHECK(tf_snp_verify(&s->input, &a) == (is_debug ? TF_EEVIDENCE_DEBUG : TF_OK));
    policy->insecure_allow_debug = true;
    CHECK(tf_snp_verify(&s->input, &a) == TF_OK);
    policy->snp[0].minimum.microcode++;
    CHECK(tf_snp_verify(&s->input, &a) == TF_ESNP_OLD);
    policy->snp[0].minimum.microcode--;
    policy->guests[0][47] ^= 1;
    CHECK(tf_snp_verify(&s->input, &a) == TF_EPOLICY_MEASUREMENT);
    policy->guests[0][47] ^= 1;
    policy->platform_count = 1;
    policy->platforms[0].size = 64;
    CHECK(tf_snp_verify(&s->input, &a) == TF_EPOLICY_PLATFORM);
    memcpy(policy->platforms[0].bytes, a.snp.chip_id, 64);
    CHECK(tf_snp_verify(&s->input, &a) == TF_OK);
    s->input.time += (int64_t)30 * 365 * 86400;
    CHECK(tf_snp_verify(&s->input, &a) == TF_ECHAIN_VALIDITY);
    s->input.time -= (int64_t)30 * 365 * 86400;
    s->report.data[0x90] ^= 1; /* MEASUREMENT */
    CHECK(tf_snp_verify(&s->input, &a) == TF_ESNP_SIGNATURE);
    s->report.data[0x90] ^= 1;
    s->input.policy = NULL;
    free(policy);
}

static void test_snp(void)
{
    struct vector_snp s;
    struct vector_snp other;
    struct tf_appraisal a;

    for (size_t i = 0; i < VECTOR_REPORT_COUNT; i++) {
        if (!CHECK(vector_snp_open(VECTOR_REPORTS[i], &s))) {
            continue;
        }
        check_snp(&s, i == 0); /* the Milan guest was launched with DEBUG */
        flip_report(&s);
        if (CHECK(vector_snp_open(VECTOR_REPORTS[1 - i], &other))) {
            s.input.vek = other.input.vek;
            CHECK(tf_snp_verify(&s.input, &a) == TF_ECHAIN_LINK);
            s.input.ask = other.input.ask;
            s.input.ark = other.input.ark;
            CHECK(tf_snp_verify(&s.input, &a) != TF_OK && !a.is_genuine);
            vector_snp_close(&other);
        }
        vector_snp_close(&s);
    }
}

/* --- RA-TLS ------------------------------------------------------------------------- */

static void test_ratls(void)
{
    struct vector_file pem = vector_read("ra-tls", "", "gramine-cert.pem");
    struct vector_file quote = vector_read("ra-tls", "", "gramine-cert.quote.bin");
    struct vector_case c;
    struct tf_ratls ratls;
    struct tf_appraisal a;

    if (!CHECK(pem.data != NULL && quote.data != NULL &&
               tf_ratls_parse(pem.data, pem.size, &ratls) == TF_OK)) {
        return;
    }
    CHECK(ratls.quote.size == quote.size &&
          memcmp(ratls.quote.data, quote.data, quote.size) == 0);
    CHECK(ratls.nonce.size == 0 && ratls.claims.size > 0);
    /* Its platform is of the same family as the collateral of the first vector. */
    if (CHECK(vector_open(VECTOR_QUOTES[0].name, &c))) {
        c.input.quote = ratls.quote.data;
        c.input.quote_size = ratls.quote.size;
        (void)judge(&c, &a);
        CHECK(a.is_genuine && a.is_debug && a.result != TF_OK);
        CHECK(a.reasons[a.reason_count - 1] == TF_EEVIDENCE_DEBUG);
        CHECK((a.sgx.attributes.flags & SGX_FLAGS_DEBUG) != 0);
        vector_close(&c);
    }
    tf_ratls_wipe(&ratls);
    free(pem.data);
    free(quote.data);
}

int main(void)
{
    struct vector_case c;

    if (!vector_open(VECTOR_QUOTES[0].name, &c)) {
        (void)printf("SKIP  genuine evidence: no ../shared/vectors here\n1 passed, 0 "
                     "failed\n");
        return 0;
    }
    vector_close(&c);
    RUN(test_verdicts);
    RUN(test_snp);
    RUN(test_ratls);
    RUN(test_no_flipped_bit_is_accepted);
    RUN(test_no_mutation_is_accepted);
    return test_end();
}
