/* SPDX-License-Identifier: Apache-2.0 */
/* A test authority like AMD's: what the genuine vectors do not have - Turin, VLEK, report
 * version 5, revocation - and each thing that can be wrong with a report. */
#include "verify/snp.h"

#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "test/test.h"
#include "test/unit/verify/pki_der.h"
#include "verify/dates.h"

enum { DAY = 86400, DER_MAX = 4096 };
static const int64_t NOW = (int64_t)20605 * DAY;

/* Keys are made once; certificates anew for each case. */
static struct {
    EVP_PKEY *ark;
    EVP_PKEY *ask;
    EVP_PKEY *vek;
} keys;

struct scene {
    const char *product; /* "Turin" */
    const char *ark_name;
    const char *ask_name;
    const char *vek_name;
    bool has_chip_id; /* in the certificate */
    bool has_wrapped_id;
    uint8_t chip_id[64];
    size_t chip_id_size;
    uint8_t spl[5]; /* 3.1, 3.2, 3.3, 3.8, 3.9 */
    bool is_ask_revoked;
    bool has_crl;
    int64_t crl_end;
    int64_t vek_end;
    uint8_t report[TF_SNP_REPORT_SIZE];
    uint8_t der[4][DER_MAX];
    size_t size[4];
    struct tf_policy policy;
};

static void sign_pss(X509 *cert, X509_CRL *crl, EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey = NULL;

    (void)EVP_DigestSignInit(ctx, &pkey, EVP_sha384(), NULL, key);
    (void)EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING);
    (void)EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, 48);
    if (cert != NULL) {
        (void)X509_sign_ctx(cert, ctx);
    } else {
        (void)X509_CRL_sign_ctx(crl, ctx);
    }
    EVP_MD_CTX_free(ctx);
}

static void add_extension(X509 *cert, const char *oid, const uint8_t *data, size_t size)
{
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);

    (void)ASN1_OCTET_STRING_set(value, data, (int)size);
    X509_EXTENSION *e = X509_EXTENSION_create_by_OBJ(NULL, object, 0, value);
    (void)X509_add_ext(cert, e, -1);
    X509_EXTENSION_free(e);
    ASN1_OBJECT_free(object);
    ASN1_OCTET_STRING_free(value);
}

static void add_vek_extensions(const struct scene *s, X509 *cert)
{
    static const char *const oids[] = {"1.3.6.1.4.1.3704.1.3.1", "1.3.6.1.4.1.3704.1.3.2",
                                       "1.3.6.1.4.1.3704.1.3.3", "1.3.6.1.4.1.3704.1.3.8",
                                       "1.3.6.1.4.1.3704.1.3.9"};
    uint8_t der[1024];
    size_t size = pki_der(der, 0x16, s->product, strlen(s->product));

    add_extension(cert, "1.3.6.1.4.1.3704.1.2", der, size);
    for (size_t i = 0; i < 5; i++) {
        add_extension(cert, oids[i], der, pki_der(der, 0x02, &s->spl[i], 1));
    }
    if (!s->has_chip_id) {
        return;
    }
    memcpy(der, s->chip_id, s->chip_id_size);
    size = s->has_wrapped_id ? pki_der(der, 0x04, s->chip_id, s->chip_id_size)
                             : s->chip_id_size;
    add_extension(cert, "1.3.6.1.4.1.3704.1.4", der, size);
}

static void set_name(X509_NAME *name, const char *text)
{
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                     (const unsigned char *)text, -1, -1, 0);
}

/* Certificate `which` of 0 VEK, 1 ASK, 2 ARK into s->der. */
static X509 *certify(struct scene *s, size_t which)
{
    const char *const names[] = {s->vek_name, s->ask_name, s->ark_name, s->ark_name};
    EVP_PKEY *const subject[] = {keys.vek, keys.ask, keys.ark, keys.ark};
    X509 *cert = X509_new();
    ASN1_TIME *start = ASN1_TIME_set(NULL, (time_t)(NOW - DAY));
    ASN1_TIME *end =
        ASN1_TIME_set(NULL, (time_t)(which == 0 ? s->vek_end : NOW + 900 * DAY));
    unsigned char *at = s->der[which];

    (void)X509_set_version(cert, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(cert), (long)which + 1);
    (void)X509_set1_notBefore(cert, start);
    (void)X509_set1_notAfter(cert, end);
    (void)X509_set_pubkey(cert, subject[which]);
    set_name(X509_get_subject_name(cert), names[which]);
    set_name(X509_get_issuer_name(cert), names[which + 1]);
    if (which == 0) {
        add_vek_extensions(s, cert);
    } else {
        X509_EXTENSION *ca =
            X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
        X509_EXTENSION *use = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage,
                                                  "critical,keyCertSign,cRLSign");
        (void)X509_add_ext(cert, ca, -1);
        (void)X509_add_ext(cert, use, -1);
        X509_EXTENSION_free(ca);
        X509_EXTENSION_free(use);
    }
    sign_pss(cert, NULL, subject[which + 1]);
    s->size[which] = (size_t)i2d_X509(cert, &at);
    ASN1_TIME_free(start);
    ASN1_TIME_free(end);
    return cert;
}

static void list_revoked(struct scene *s, X509 *ark, X509 *ask)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(NOW - DAY));
    ASN1_TIME *to = ASN1_TIME_set(NULL, (time_t)s->crl_end);
    unsigned char *at = s->der[3];

    (void)X509_CRL_set_version(crl, 1);
    (void)X509_CRL_set_issuer_name(crl, X509_get_subject_name(ark));
    (void)X509_CRL_set1_lastUpdate(crl, from);
    (void)X509_CRL_set1_nextUpdate(crl, to);
    if (s->is_ask_revoked) {
        X509_REVOKED *entry = X509_REVOKED_new();
        (void)X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(ask));
        (void)X509_REVOKED_set_revocationDate(entry, from);
        (void)X509_CRL_add0_revoked(crl, entry);
    }
    sign_pss(NULL, crl, keys.ark);
    s->size[3] = (size_t)i2d_X509_CRL(crl, &at);
    X509_CRL_free(crl);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
}

static void put_number(const BIGNUM *number, uint8_t *out)
{
    (void)BN_bn2lebinpad(number, out, 72);
}

static void sign_report(struct scene *s)
{
    uint8_t der[160];
    size_t size = sizeof(der);
    const unsigned char *at = der;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    (void)EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, keys.vek);
    (void)EVP_DigestSign(ctx, der, &size, s->report, TF_SNP_SIGNED_SIZE);
    EVP_MD_CTX_free(ctx);
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)size);
    put_number(ECDSA_SIG_get0_r(signature), s->report + TF_SNP_SIGNED_SIZE);
    put_number(ECDSA_SIG_get0_s(signature), s->report + TF_SNP_SIGNED_SIZE + 72);
    ECDSA_SIG_free(signature);
}

/* A Turin with a VCEK, under a policy that accepts it. */
static struct scene *scene_open(void)
{
    struct scene *s = calloc(1, sizeof(*s));
    unsigned char *spki = NULL;
    static const uint8_t tcb[8] = {6, 2, 1, 4,
                                   0, 0, 0, 72}; /* FMC, BL, TEE, SNP, ucode */
    static const uint8_t spl[5] = {2, 1, 4, 72, 6};

    s->product = "Turin";
    s->ark_name = "ARK-Turin";
    s->ask_name = "SEV-Turin";
    s->vek_name = "SEV-VCEK";
    s->has_chip_id = true;
    s->chip_id_size = 8;
    memset(s->chip_id, 0xc1, 8);
    memcpy(s->spl, spl, sizeof(spl));
    s->has_crl = true;
    s->crl_end = NOW + 30 * DAY;
    s->vek_end = NOW + 900 * DAY;
    s->report[0] = 5;
    s->report[0x0a] = 2; /* POLICY: the bit that is always 1 */
    s->report[0x34] = 1;
    memset(s->report + 0x90, 0x3e, 48);
    memcpy(s->report + 0x180, tcb, 8);
    memcpy(s->report + 0x1e0, tcb, 8);
    s->report[0x188] = 0x1a; /* CPUID: family, model */
    s->report[0x189] = 0x02;
    memset(s->report + 0x1a0, 0xc1, 8);
    int size = i2d_PUBKEY(keys.ark, &spki);
    tf_sha256(spki, (size_t)size, s->policy.insecure_roots[0]);
    OPENSSL_free(spki);
    s->policy.insecure_root_count = 1;
    s->policy.guest_count = 1;
    memset(s->policy.guests[0], 0x3e, 48);
    s->policy.snp_count = 1;
    s->policy.snp[0] = (struct tf_snp_rule){TF_ROOT_AMD_TURIN, {6, 2, 1, 4, 72}};
    return s;
}

static struct tf_bytes part(const struct scene *s, size_t i)
{
    return (struct tf_bytes){s->der[i], s->size[i]};
}

static tf_err judge(const struct scene *s, struct tf_appraisal *a)
{
    const struct tf_snp_input in = {.report = s->report,
                                    .report_size = sizeof(s->report),
                                    .vek = part(s, 0),
                                    .ask = part(s, 1),
                                    .ark = part(s, 2),
                                    .crl = part(s, 3),
                                    .time = NOW,
                                    .policy = &s->policy};

    return tf_snp_verify(&in, a);
}

/* Makes certificates, list and signature, and judges. */
static tf_err issued(struct scene *s, struct tf_appraisal *a)
{
    X509 *ark = certify(s, 2);
    X509 *ask = certify(s, 1);

    X509_free(certify(s, 0));
    if (s->has_crl) {
        list_revoked(s, ark, ask);
    }
    X509_free(ark);
    X509_free(ask);
    sign_report(s);
    tf_err err = judge(s, a);
    CHECK(err == a->result && !a->is_genuine);
    return err;
}

static void use_vlek(struct scene *s)
{
    s->report[0x48] = 1 << 2;
    memset(s->report + 0x1a0, 0, 64);
    s->ask_name = "SEV-VLEK-Turin";
    s->vek_name = "SEV-VLEK";
    s->has_chip_id = false;
}

static void test_good(void)
{
    struct tf_appraisal a;
    struct scene *s = scene_open();

    CHECK(issued(s, &a) == TF_OK && a.tee == TF_TEE_SNP && a.version == 5);
    CHECK(a.is_test_root && a.snp.product == TF_ROOT_AMD_TURIN && !a.snp.is_vlek);
    CHECK(a.snp.reported.fmc == 6 && a.snp.reported.microcode == 72);
    CHECK(a.expires == NOW + 30 * DAY);
    s->has_wrapped_id = true; /* as an OCTET STRING */
    CHECK(issued(s, &a) == TF_OK);
    s->report[0] = 3;
    CHECK(issued(s, &a) == TF_OK && a.version == 3);
    use_vlek(s);
    CHECK(issued(s, &a) == TF_OK && a.snp.is_vlek);
    /* A list of platforms cannot be met by a provider's key. */
    s->policy.platform_count = 1;
    s->policy.platforms[0].size = 64;
    CHECK(issued(s, &a) == TF_EPOLICY_PLATFORM);
    free(s);
}

/* --- one thing wrong
 * -------------------------------------------------------------------- */

static void forget_root(struct scene *s)
{
    s->policy.insecure_root_count = 0;
}
static void name_other_product(struct scene *s)
{
    s->product = "Genoa";
}
static void lengthen_product(struct scene *s)
{
    s->product = "Turing";
}
static void use_other_ark(struct scene *s)
{
    s->ark_name = "ARK-Naples";
}
static void use_other_processor(struct scene *s)
{
    s->report[0x188] = 0x19;
}
static void use_asvk(struct scene *s)
{
    s->ask_name = "SEV-VLEK-Turin";
}
static void claim_vlek(struct scene *s)
{
    s->report[0x48] = 1 << 2;
}
static void claim_no_key(struct scene *s)
{
    s->report[0x48] = 7 << 2;
}
static void give_vlek_a_chip(struct scene *s)
{
    use_vlek(s);
    s->has_chip_id = true;
}
static void use_other_chip(struct scene *s)
{
    s->report[0x1a0] ^= 1;
}
static void lengthen_chip(struct scene *s)
{
    s->report[0x1a8] = 1;
}
static void raise_tcb(struct scene *s)
{
    s->report[0x187]++;
}
static void raise_fmc(struct scene *s)
{
    s->report[0x180]++;
}
static void lower_committed(struct scene *s)
{
    s->report[0x1e3]--;
}
static void want_newer(struct scene *s)
{
    s->policy.snp[0].minimum.snp++;
}
static void want_other_product(struct scene *s)
{
    s->policy.snp[0].product = TF_ROOT_AMD_MILAN;
}
static void revoke_ask(struct scene *s)
{
    s->is_ask_revoked = true;
}
static void expire_crl(struct scene *s)
{
    s->crl_end = NOW - 1;
}
static void expire_vek(struct scene *s)
{
    s->vek_end = NOW - 1;
}
static void use_version(struct scene *s)
{
    s->report[0] = 4;
}
static void use_algorithm(struct scene *s)
{
    s->report[0x34] = 2;
}
static void debug(struct scene *s)
{
    s->report[0x0a] |= 8;
}
static void migrate(struct scene *s)
{
    s->report[0x0a] |= 4;
}
static void lower_privilege(struct scene *s)
{
    s->report[0x30] = 1;
}
static void use_other_guest(struct scene *s)
{
    s->report[0x90] ^= 1;
}

static void test_each_fault_has_its_reason(void)
{
    static const struct {
        void (*change)(struct scene *);
        tf_err expected;
    } rows[] = {
        {forget_root, TF_ECHAIN_ROOT},
        {name_other_product, TF_ESNP_PRODUCT},
        {lengthen_product, TF_ESNP_PRODUCT},
        {use_other_ark, TF_ESNP_PRODUCT},
        {use_other_processor, TF_ESNP_PRODUCT},
        {use_asvk, TF_ESNP_KEY},
        {claim_vlek, TF_ESNP_KEY},
        {give_vlek_a_chip, TF_ESNP_KEY},
        {claim_no_key, TF_EQUOTE_KIND},
        {use_other_chip, TF_ESNP_CHIP},
        {lengthen_chip, TF_ESNP_CHIP},
        {raise_tcb, TF_ESNP_TCB},
        {raise_fmc, TF_ESNP_TCB},
        {lower_committed, TF_ESNP_OLD},
        {want_newer, TF_ESNP_OLD},
        {want_other_product, TF_ESNP_OLD},
        {revoke_ask, TF_ECHAIN_REVOKED},
        {expire_crl, TF_ECOLLATERAL_EXPIRED},
        {expire_vek, TF_ECHAIN_VALIDITY},
        {use_version, TF_EQUOTE_KIND},
        {use_algorithm, TF_EQUOTE_KIND},
        {debug, TF_EEVIDENCE_DEBUG},
        {migrate, TF_ESNP_GUEST},
        {lower_privilege, TF_ESNP_GUEST},
        {use_other_guest, TF_EPOLICY_MEASUREMENT},
    };
    struct tf_appraisal a;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct scene *s = scene_open();
        rows[i].change(s);
        tf_err err = issued(s, &a);
        if (!CHECK(err == rows[i].expected)) {
            (void)fprintf(stderr, "  row %zu: %s\n", i, tf_err_name(err));
        }
        free(s);
    }
}

/* The part behind the signed one. */
static void test_signature_area(void)
{
    struct tf_appraisal a;
    struct scene *s = scene_open();

    CHECK(issued(s, &a) == TF_OK);
    s->report[TF_SNP_SIGNED_SIZE] ^= 1;
    CHECK(judge(s, &a) == TF_ESNP_SIGNATURE);
    s->report[TF_SNP_SIGNED_SIZE] ^= 1;
    s->report[TF_SNP_SIGNED_SIZE + 71] = 1;
    CHECK(judge(s, &a) == TF_ESNP_FORMAT);
    s->report[TF_SNP_SIGNED_SIZE + 71] = 0;
    s->report[TF_SNP_REPORT_SIZE - 1] = 1;
    CHECK(judge(s, &a) == TF_ESNP_FORMAT);
    s->report[TF_SNP_REPORT_SIZE - 1] = 0;
    CHECK(judge(s, &a) == TF_OK);
    free(s);
}

int main(void)
{
    keys.ark = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    keys.ask = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    keys.vek = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    RUN(test_good);
    RUN(test_each_fault_has_its_reason);
    RUN(test_signature_area);
    EVP_PKEY_free(keys.ark);
    EVP_PKEY_free(keys.ask);
    EVP_PKEY_free(keys.vek);
    return test_end();
}
