/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/snp.h"

#include <string.h>

#include "lib/bytes.h"
#include "verify/der.h"

enum {
    SIGNATURE_ECDSA_P384_SHA384 = 1,
    KEY_VCEK = 0,
    KEY_VLEK = 1,
    NUMBER_SIZE = 48,  /* of r and s */
    NUMBER_FIELD = 72, /* as stored: little-endian, zeros above */
    FAMILY_ZEN4 = 0x19,
    FAMILY_ZEN5 = 0x1a
};

enum { VEK, ASK, ARK };

struct work {
    const struct tf_snp_input *in;
    struct tf_appraisal *out;
    struct tf_chain chain;
    X509_CRL *crl;
    uint32_t version;
    uint8_t current[8]; /* TCBs as they are: what they mean depends on the product */
    uint8_t committed[8];
    uint8_t launch[8];
    uint8_t family;
    uint8_t model;
    uint8_t r[NUMBER_SIZE]; /* big-endian */
    uint8_t s[NUMBER_SIZE];
    int64_t ends;
};

/* --- format ------------------------------------------------------------------------- */

static void copy(struct tf_reader *r, uint8_t *out, size_t size)
{
    const uint8_t *data = tf_read_bytes(r, size);

    if (data != NULL) {
        memcpy(out, data, size);
    }
}

static bool is_zero(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] != 0) {
            return false;
        }
    }
    return true;
}

static bool read_number(struct tf_reader *r, uint8_t out[static NUMBER_SIZE])
{
    const uint8_t *data = tf_read_bytes(r, NUMBER_FIELD);

    if (data == NULL || !is_zero(data + NUMBER_SIZE, NUMBER_FIELD - NUMBER_SIZE)) {
        return false;
    }
    for (size_t i = 0; i < NUMBER_SIZE; i++) {
        out[i] = data[NUMBER_SIZE - 1 - i];
    }
    return true;
}

/* 0x00 to 0x4f. @return the signing key's kind; anything else for what is not accepted.
 */
static uint32_t read_start(struct tf_reader *r, struct work *w)
{
    struct tf_snp_claims *c = &w->out->snp;

    w->version = tf_read_u32(r);
    c->guest_svn = tf_read_u32(r);
    c->policy = tf_read_u64(r);
    copy(r, c->family_id, sizeof(c->family_id));
    copy(r, c->image_id, sizeof(c->image_id));
    c->vmpl = tf_read_u32(r);
    uint32_t algorithm = tf_read_u32(r);
    copy(r, w->current, sizeof(w->current));
    c->platform_info = tf_read_u64(r);
    uint32_t flags = tf_read_u32(r);
    (void)tf_read_u32(r);
    bool is_known = (w->version == 2 || w->version == 3 || w->version == 5) &&
                    algorithm == SIGNATURE_ECDSA_P384_SHA384;
    return is_known ? flags >> 2 & 7 : UINT32_MAX;
}

/* 0x50 to 0x29f */
static void read_rest(struct tf_reader *r, struct work *w)
{
    struct tf_snp_claims *c = &w->out->snp;

    copy(r, w->out->report_data, sizeof(w->out->report_data));
    copy(r, c->measurement, sizeof(c->measurement));
    copy(r, c->host_data, sizeof(c->host_data));
    copy(r, c->id_key_digest, sizeof(c->id_key_digest));
    copy(r, c->author_key_digest, sizeof(c->author_key_digest));
    copy(r, c->report_id, sizeof(c->report_id));
    copy(r, c->report_id_ma, sizeof(c->report_id_ma));
    copy(r, c->reported_bytes, sizeof(c->reported_bytes));
    copy(r, &w->family, 1);
    copy(r, &w->model, 1);
    (void)tf_read_bytes(r, 22);
    copy(r, c->chip_id, sizeof(c->chip_id));
    copy(r, w->committed, sizeof(w->committed));
    (void)tf_read_bytes(r, 8); /* firmware versions */
    copy(r, w->launch, sizeof(w->launch));
    (void)tf_read_bytes(r, TF_SNP_SIGNED_SIZE - 0x1f8);
}

bool tf_snp_is_report(const uint8_t *data, size_t size)
{
    struct tf_reader r;

    /* A quote's first four bytes are its version and a key type, which is not 0. */
    tf_reader_init(&r, data, size);
    return size == TF_SNP_REPORT_SIZE && tf_read_u32(&r) <= UINT16_MAX;
}

/* From version 3 on the report names the processor (AMD 56860, CPUID_FAM_ID). */
static bool is_processor_of(tf_root product, uint8_t family, uint8_t model)
{
    if (product == TF_ROOT_AMD_MILAN) {
        return family == FAMILY_ZEN4 && model < 0x10;
    }
    if (product == TF_ROOT_AMD_GENOA) {
        return family == FAMILY_ZEN4 &&
               ((model >= 0x10 && model < 0x20) || (model >= 0xa0 && model < 0xb0));
    }
    return family == FAMILY_ZEN5 && model < 0x20;
}

static tf_root processor_product(const struct work *w)
{
    static const tf_root roots[] = {TF_ROOT_AMD_MILAN, TF_ROOT_AMD_GENOA,
                                    TF_ROOT_AMD_TURIN};

    for (size_t i = 0; w->version >= 3 && i < sizeof(roots) / sizeof(roots[0]); i++) {
        if (is_processor_of(roots[i], w->family, w->model)) {
            return roots[i];
        }
    }
    return TF_ROOT_NONE;
}

static tf_err parse(struct work *w)
{
    struct tf_reader r;

    if (w->in->report_size != TF_SNP_REPORT_SIZE) {
        return TF_ESNP_FORMAT;
    }
    tf_reader_init(&r, w->in->report, w->in->report_size);
    uint32_t key = read_start(&r, w);
    if (key != KEY_VCEK && key != KEY_VLEK) {
        return TF_EQUOTE_KIND;
    }
    read_rest(&r, w);
    bool is_good = read_number(&r, w->r) && read_number(&r, w->s);
    size_t left = tf_reader_left(&r);
    const uint8_t *rest = tf_read_bytes(&r, left);
    /* Not signed, so nothing may be there. */
    if (!is_good || rest == NULL || !is_zero(rest, left)) {
        return TF_ESNP_FORMAT;
    }
    w->out->snp.is_vlek = key == KEY_VLEK;
    w->out->snp.product = processor_product(w);
    w->out->tee = TF_TEE_SNP;
    w->out->version = (uint16_t)w->version;
    w->out->is_debug = tf_appraisal_is_debug(w->out);
    return TF_OK;
}

/* --- chain -------------------------------------------------------------------------- */

static const struct product {
    tf_root root;
    const char *name; /* as KDS has it: the start of productName */
    const char *ark;
    const char *ask;
    const char *asvk;
} PRODUCTS[] = {
    {TF_ROOT_AMD_MILAN, "Milan", "ARK-Milan", "SEV-Milan", "SEV-VLEK-Milan"},
    {TF_ROOT_AMD_GENOA, "Genoa", "ARK-Genoa", "SEV-Genoa", "SEV-VLEK-Genoa"},
    {TF_ROOT_AMD_TURIN, "Turin", "ARK-Turin", "SEV-Turin", "SEV-VLEK-Turin"},
};
enum { PRODUCT_COUNT = sizeof(PRODUCTS) / sizeof(PRODUCTS[0]) };

static tf_err parse_chain(struct work *w)
{
    tf_err err = tf_chain_add(&w->chain, &w->in->vek);

    if (err == TF_OK) {
        err = tf_chain_add(&w->chain, &w->in->ask);
    }
    return err == TF_OK ? tf_chain_add(&w->chain, &w->in->ark) : err;
}

static const struct product *find_product(const struct work *w, tf_root root)
{
    for (size_t i = 0; i < PRODUCT_COUNT; i++) {
        const struct product *p = &PRODUCTS[i];
        if ((root == p->root || root == TF_ROOT_NONE) &&
            tf_cert_is_named(w->chain.certs[ARK], p->ark)) {
            return p;
        }
    }
    return NULL;
}

static tf_err check_chain(struct work *w)
{
    tf_root root = TF_ROOT_NONE;
    bool is_vlek = w->out->snp.is_vlek;

    if (w->in->vek.size == 0) {
        return TF_ECOLLATERAL_FETCH;
    }
    tf_err err = parse_chain(w);
    if (err == TF_OK) {
        err = tf_chain_check(&w->chain, &TF_CHAIN_AMD, w->in->policy, w->in->time, &root);
    }
    if (err != TF_OK) {
        return err;
    }
    if (root == TF_ROOT_INTEL_SGX) {
        return TF_ECHAIN_ROOT; /* another vendor's */
    }
    const struct product *product = find_product(w, root);
    if (product == NULL) {
        return TF_ESNP_PRODUCT;
    }
    if (!tf_cert_is_named(w->chain.certs[ASK], is_vlek ? product->asvk : product->ask) ||
        !tf_cert_is_named(w->chain.certs[VEK], is_vlek ? "SEV-VLEK" : "SEV-VCEK")) {
        return TF_ESNP_KEY;
    }
    w->out->is_test_root = root == TF_ROOT_NONE;
    w->out->snp.product = product->root;
    for (size_t i = 0; i < w->chain.count; i++) {
        int64_t end = tf_cert_end(w->chain.certs[i]);
        w->ends = end < w->ends ? end : w->ends;
    }
    return TF_OK;
}

static tf_err check_crl(struct work *w)
{
    if (w->in->crl.size == 0) {
        return TF_OK;
    }
    tf_err err = tf_crl_parse(&w->in->crl, &w->crl);
    if (err == TF_OK) {
        err = tf_crl_check(w->crl, w->chain.certs[ARK], &TF_CHAIN_AMD, w->in->time);
    }
    if (err != TF_OK) {
        return err;
    }
    int64_t end = tf_crl_end(w->crl);
    w->ends = end < w->ends ? end : w->ends;
    return tf_crl_lists(w->crl, w->chain.certs[ASK]) ? TF_ECHAIN_REVOKED : TF_OK;
}

/* --- what the certificate is for ---------------------------------------------------- */

#define AMD_EXTENSION "1.3.6.1.4.1.3704.1."

static bool read_number_extension(const X509 *cert, const char *oid, uint8_t *out)
{
    struct tf_bytes value;
    struct tf_reader r;
    uint32_t number = 0;

    if (!tf_cert_extension(cert, oid, &value)) {
        return false;
    }
    tf_reader_init(&r, value.data, value.size);
    if (!tf_der_integer(&r, TF_DER_INTEGER, UINT8_MAX, &number) ||
        tf_reader_left(&r) != 0) {
        return false;
    }
    *out = (uint8_t)number;
    return true;
}

/* "Milan-B0" is a Milan; the VLEK's has no stepping. */
static bool is_product_named(const X509 *cert, const struct work *w)
{
    struct tf_bytes value;
    struct tf_reader r;
    struct tf_reader text;
    const char *name = tf_root_product(w->out->snp.product);
    size_t size = strlen(name);

    if (!tf_cert_extension(cert, AMD_EXTENSION "2", &value)) {
        return false;
    }
    tf_reader_init(&r, value.data, value.size);
    return tf_der_open(&r, TF_DER_IA5, &text) && tf_reader_left(&r) == 0 &&
           text.size >= size && memcmp(text.data, name, size) == 0 &&
           (text.size == size || text.data[size] == '-');
}

/* The chip id is in the extension as it is, or as an OCTET STRING; Turin's has 8 bytes.
 */
static tf_err check_chip(const struct work *w, const X509 *cert)
{
    struct tf_bytes id;
    struct tf_reader r;
    struct tf_reader in;
    const struct tf_snp_claims *c = &w->out->snp;
    size_t size = c->product == TF_ROOT_AMD_TURIN ? 8 : sizeof(c->chip_id);
    bool has_id = tf_cert_extension(cert, AMD_EXTENSION "4", &id);

    if (has_id == c->is_vlek) {
        return TF_ESNP_KEY; /* only a VCEK is one chip's */
    }
    if (c->is_vlek) {
        return TF_OK;
    }
    if (id.size == size + 2) {
        tf_reader_init(&r, id.data, id.size);
        if (!tf_der_open(&r, TF_DER_OCTETS, &in)) {
            return TF_ESNP_CHIP;
        }
        id = (struct tf_bytes){in.data, in.size};
    }
    return id.size == size && memcmp(id.data, c->chip_id, size) == 0 &&
                   is_zero(c->chip_id + size, sizeof(c->chip_id) - size)
               ? TF_OK
               : TF_ESNP_CHIP;
}

struct tf_snp_tcb tf_snp_tcb_of(tf_root product, const uint8_t bytes[static 8])
{
    if (product == TF_ROOT_AMD_TURIN) {
        return (struct tf_snp_tcb){.fmc = bytes[0],
                                   .bootloader = bytes[1],
                                   .tee = bytes[2],
                                   .snp = bytes[3],
                                   .microcode = bytes[7]};
    }
    return (struct tf_snp_tcb){
        .bootloader = bytes[0], .tee = bytes[1], .snp = bytes[6], .microcode = bytes[7]};
}

static bool is_tcb_of(const X509 *cert, tf_root product, const struct tf_snp_tcb *tcb)
{
    struct tf_snp_tcb has = {0};
    bool is_read = read_number_extension(cert, AMD_EXTENSION "3.1", &has.bootloader) &&
                   read_number_extension(cert, AMD_EXTENSION "3.2", &has.tee) &&
                   read_number_extension(cert, AMD_EXTENSION "3.3", &has.snp) &&
                   read_number_extension(cert, AMD_EXTENSION "3.8", &has.microcode);

    if (product == TF_ROOT_AMD_TURIN) {
        is_read = read_number_extension(cert, AMD_EXTENSION "3.9", &has.fmc) && is_read;
    }
    return is_read && has.fmc == tcb->fmc && has.bootloader == tcb->bootloader &&
           has.tee == tcb->tee && has.snp == tcb->snp && has.microcode == tcb->microcode;
}

static tf_err check_certificate(struct work *w)
{
    struct tf_snp_claims *c = &w->out->snp;
    const X509 *cert = w->chain.certs[VEK];

    if (!is_product_named(cert, w) ||
        (w->version >= 3 && !is_processor_of(c->product, w->family, w->model))) {
        return TF_ESNP_PRODUCT;
    }
    c->current = tf_snp_tcb_of(c->product, w->current);
    c->reported = tf_snp_tcb_of(c->product, c->reported_bytes);
    c->committed = tf_snp_tcb_of(c->product, w->committed);
    c->launch = tf_snp_tcb_of(c->product, w->launch);
    tf_err err = check_chip(w, cert);
    if (err != TF_OK) {
        return err;
    }
    return is_tcb_of(cert, c->product, &c->reported) ? TF_OK : TF_ESNP_TCB;
}

static tf_err check_signature(struct work *w)
{
    const struct tf_bytes part = {w->in->report, TF_SNP_SIGNED_SIZE};

    return tf_ecdsa_check(X509_get0_pubkey(w->chain.certs[VEK]), &part, w->r, w->s,
                          NUMBER_SIZE)
               ? TF_OK
               : TF_ESNP_SIGNATURE;
}

/* Moves behind the next end of a certificate. False if there is none. */
static bool skip_certificate(struct tf_reader *r)
{
    static const char END[] = "-----END CERTIFICATE-----\n";
    enum { END_SIZE = sizeof(END) - 1 };

    while (tf_reader_left(r) >= END_SIZE) {
        if (memcmp(r->data + r->at, END, END_SIZE) == 0) {
            (void)tf_read_bytes(r, END_SIZE);
            return true;
        }
        (void)tf_read_bytes(r, 1);
    }
    return false;
}

tf_err tf_snp_split(const struct tf_bytes *pem, struct tf_bytes parts[static 3])
{
    struct tf_bytes found[3];
    struct tf_reader r;

    tf_reader_init(&r, pem->data, pem->size);
    for (size_t i = 0; i < 3; i++) {
        size_t start = r.at;
        if (!skip_certificate(&r)) {
            return TF_ECHAIN_FORMAT;
        }
        found[i] = (struct tf_bytes){pem->data + start, r.at - start};
    }
    if (tf_reader_left(&r) != 0) {
        return TF_ECHAIN_FORMAT;
    }
    memcpy(parts, found, sizeof(found));
    return TF_OK;
}

tf_err tf_snp_verify(const struct tf_snp_input *input, struct tf_appraisal *out)
{
    static tf_err (*const steps[])(struct work *) = {parse, check_chain, check_crl,
                                                     check_certificate, check_signature};
    struct work w = {.in = input, .out = out, .ends = INT64_MAX};
    tf_err err = TF_OK;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; err == TF_OK && i < sizeof(steps) / sizeof(steps[0]); i++) {
        err = steps[i](&w);
    }
    tf_chain_wipe(&w.chain);
    X509_CRL_free(w.crl);
    if (err != TF_OK) {
        tf_appraisal_refuse(out, err);
        return out->result;
    }
    out->is_genuine = !out->is_test_root;
    out->expires = w.ends;
    tf_appraisal_apply(out, input->policy, input->time);
    return out->result;
}
