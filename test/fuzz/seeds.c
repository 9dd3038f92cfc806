/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seeds.c - writes the first inputs of the fuzz targets for bundles, envelopes, manifests
 * and evidence:
 *
 *     seeds DIRECTORY
 *
 * fills the folders bundle, dsse, manifest, evidence, quote, snp, collateral, pcs,
 * aesm, revocations, tlog, tsm, lease, receipt and descriptor in it. They are made, not
 * kept, so that the repository has no binaries and they follow the format. Signed with
 * the key of RFC 8032 that the targets' trust domain names.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/lease.h"
#include "test/fixture.h"
#include "test/unit/verify/pki.h"

enum { TEXT_MAX = 4096, PATH_CAP = 4096 };

static const struct fixture_entry files[] = {{"main.js", "handler", 7, 0},
                                             {"lib/a.js", "", 0, 0}};

static const char full_tail[] =
    ",\"type\":\"module\",\"engines\":[\"quickjs\"],\"reuse\":true,\"env\":{\"A\":\"1\"},"
    "\"limits\":{\"steps\":1,\"memory\":2,\"body\":3}}";

/* @return 0 if written. */
static int save(const char *directory, const char *name, const void *data, size_t size)
{
    char path[PATH_CAP];
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    size_t written = fwrite(data, 1, size, file);
    return fclose(file) != 0 || written != size;
}

static int make_folders(const char *directory)
{
    static const char *const names[] = {
        "",       "/bundle", "/dsse",       "/manifest", "/evidence",    "/core",
        "/quote", "/snp",    "/collateral", "/aesm",     "/revocations", "/tlog",
        "/tsm",   "/pcs",    "/lease",      "/receipt",  "/descriptor"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[PATH_CAP];
        (void)snprintf(path, sizeof(path), "%s%s", directory, names[i]);
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            perror(path);
            return 1;
        }
    }
    return 0;
}

/* The manifest, a zero byte, and the archive of the files alone (see bundle_fuzz.c). */
static int save_parts(const char *directory, const char *manifest, size_t size)
{
    struct fixture_bytes archive = fixture_archive(files, 2);
    uint8_t *parts = malloc(size + 1 + archive.size);
    memcpy(parts, manifest, size);
    parts[size] = 0;
    memcpy(parts + size + 1, archive.data, archive.size);
    int is_bad = save(directory, "bundle/parts", parts, size + 1 + archive.size);
    free(parts);
    free(archive.data);
    return is_bad;
}

#define ZERO_KEYID  "0000000000000000000000000000000000000000000000000000000000000000"
#define ZERO_BASE64 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/* A list with one of each, bare and signed (see revocations_fuzz.c). */
static int save_revocations(const char *directory, const struct fixture_key *key)
{
    const struct tf_revocations list = {.serial = 1,
                                        .digest_count = 1,
                                        .version_count = 1,
                                        .signer_count = 1,
                                        .digests = {{1}},
                                        .versions = {{.name = "hello", .below = 8}},
                                        .signers = {ZERO_KEYID}};
    char text[TEXT_MAX];
    size_t size = 0;
    if (tf_revocations_write(&list, text, sizeof(text), &size)) {
        return 1;
    }
    struct fixture_bytes envelope =
        fixture_envelope(key, TF_DSSE_REVOCATIONS, text, size);
    int is_bad = save(directory, "revocations/bare", text, size) |
                 save(directory, "revocations/signed", envelope.data, envelope.size);
    free(envelope.data);
    return is_bad;
}

/* A flag, a report of zeros, and claims that fit (see evidence_fuzz.c). */
static int save_evidence(const char *directory)
{
    static const char claims[] =
        "{\"tfaas\":\"claims.v1\",\"nonce\":\"" ZERO_BASE64
        "\",\"exporter\":\"" ZERO_BASE64 "\",\"spki\":\"" ZERO_KEYID
        "\",\"domain\":\"" ZERO_KEYID "\",\"receipts\":\"" ZERO_KEYID
        "\",\"instance\":\"00000000000000000000000000000000\",\"engine\":\"quickjs\","
        "\"lvi\":\"off\",\"time\":1,\"revocations\":[{\"signer\":\"" ZERO_KEYID
        "\",\"serial\":1}],\"lambdas\":[{\"name\":\"hello\",\"version\":1,\"digest\":"
        "\"" ZERO_KEYID "\",\"signer\":\"" ZERO_KEYID
        "\",\"domains\":[\"hello.example\"],\"granted\":false,\"serial\":2,"
        "\"leased_until\":3}]}";
    uint8_t seed[1 + 384 + sizeof(claims) - 1] = {1};
    memcpy(seed + 1 + 384, claims, sizeof(claims) - 1);
    return save(directory, "evidence/good", seed, sizeof(seed));
}

static int save_descriptors(const char *directory)
{
    struct fixture_key keys[] = {fixture_key_open("ED25519"), fixture_key_open("P-256"),
                                 fixture_key_open("P-256")};
    char first[1024];
    char second[1024];
    char group[TF_DESCRIPTOR_MAX];
    const char *const members[] = {first, second};

    fixture_shared_write(first, sizeof(first), &keys[0], &keys[1]);
    fixture_shared_write(second, sizeof(second), &keys[2], NULL);
    size_t size = fixture_group_write(group, sizeof(group), members, 2);
    for (size_t i = 0; i < 3; i++) {
        fixture_key_close(&keys[i]);
    }
    return save(directory, "descriptor/one", first, strlen(first)) ||
           save(directory, "descriptor/group", group, size);
}

static int save_lease(const char *directory)
{
    struct tf_lease_statement lease = {.time = 1,
                                       .until = 2,
                                       .requests = 3,
                                       .lambdas = {{"hello", 4, 5}, {"a", 6, 0}},
                                       .lambda_count = 2,
                                       .revocations = {{ZERO_KEYID, 7}},
                                       .revocation_count = 1};
    char text[TEXT_MAX];
    size_t size = 0;

    return tf_lease_write(&lease, text, sizeof(text), &size) ||
           save(directory, "lease/good", text, size);
}

/* Bundle, sealed grant and two ClientHellos, whole; then an entry (see core_fuzz.c).
 * Or a bundle that is revoked and comes back. */
static int save_core(const char *directory)
{
    static const uint8_t steps[] = {1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1,
                                    2, 1, 0, 0, 0, 1, 3, 2, 0, 0, 0, 2};
    static const uint8_t revoked[] = {1, 0, 0, 0, 0, 0, 1, 4, 0,
                                      0, 0, 0, 2, 1, 0, 0, 0, 0};
    return save(directory, "core/whole", steps, sizeof(steps)) |
           save(directory, "core/revoked", revoked, sizeof(revoked));
}

/* A byte that names the parser, and what it reads (see collateral_fuzz.c). */
static int save_part(const char *directory, char kind, const char *name, const void *data,
                     size_t size)
{
    uint8_t *seed = malloc(size + 1);
    seed[0] = (uint8_t)kind;
    memcpy(seed + 1, data, size);
    int is_bad = save(directory, name, seed, size + 1);
    free(seed);
    return is_bad;
}

/* A quote or a blank report as evidence, without claims (see evidence_fuzz.c). */
static int save_wrapped(const char *directory, const char *name, const char *type,
                        const char *key, const void *data, size_t size)
{
    static char text[TF_EVIDENCE_MAX];
    struct tf_json_writer w;
    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "type", type);
    tf_json_put_base64(&w, key, data, size);
    if (strcmp(key, "report") == 0) {
        tf_json_put_string(&w, "certificates", "-----BEGIN CERTIFICATE-----\n");
    }
    tf_json_close_object(&w);
    return tf_json_take(&w, &size) != TF_OK || save(directory, name, text, size + 1);
}

/* What a service says of TCB info, of nothing else, and short chains (pcs_fuzz.c). */
static int save_service(const char *directory, const struct pki *p)
{
    static const char rest[] =
        "a%0Ab\0{\"enclaveIdentity\":{},\"signature\":\"" ZERO_KEYID ZERO_KEYID "\"}\0c\0"
        "3080\0d\0"
        "3080";
    static char text[2 * PKI_TEXT];
    int size = snprintf(text, PKI_TEXT, "{\"tcbInfo\":%s,\"signature\":\"%s\"}",
                        p->tcb_info, ZERO_KEYID ZERO_KEYID);
    memcpy(text + size + 1, rest, sizeof(rest) - 1);
    return save(directory, "pcs/good", text, (size_t)size + sizeof(rest));
}

/* AESM's answer: field `number` of the Response with errorCode 0 and these bytes. */
static int save_answer(const char *directory, const char *name, uint8_t number,
                       const void *data, size_t size)
{
    uint8_t m[PKI_QUOTE + 16] = {(uint8_t)(number << 3 | 2)};
    size_t inner = size + 5;
    if (inner >= 1 << 14) {
        return 1;
    }
    if (number > 15) { /* the key takes two bytes */
        m[0] |= 0x80;
        m[1] = 1;
    }
    size_t at = number > 15 ? 2 : 1;
    const uint8_t head[] = {
        (uint8_t)(inner | 0x80), (uint8_t)(inner >> 7), 8, 0, 2 << 3 | 2,
        (uint8_t)(size | 0x80),  (uint8_t)(size >> 7)};
    memcpy(m + at, head, sizeof(head));
    memcpy(m + at + sizeof(head), data, size);
    return save(directory, name, m, at + sizeof(head) + size);
}

/* The certificates of an SEV-SNP guest: a table of three, of ten bytes each. */
static int save_table(const char *directory)
{
    static const uint8_t guids[3][16] = {{0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
                                          0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd},
                                         {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4,
                                          0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82},
                                         {0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52,
                                          0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0,
                                          0xae}};
    static const uint8_t der[10] = {0x30, 0x82, 0, 6, 1};
    uint8_t table[4 * 24 + 3 * sizeof(der)] = {0};
    for (size_t i = 0; i < 3; i++) {
        memcpy(table + 24 * i, guids[i], sizeof(guids[i]));
        table[24 * i + 16] = (uint8_t)(96 + i * sizeof(der));
        table[24 * i + 20] = sizeof(der);
        memcpy(table + 96 + i * sizeof(der), der, sizeof(der));
    }
    return save(directory, "tsm/table", table, sizeof(table));
}

/* A good quote and the collateral for it. */
static int save_quote(const char *directory, const char *name, struct pki *p)
{
    unsigned char *der = NULL;
    const struct tf_bytes *crl = &p->collateral.pck_crl;
    pki_issue(p);
    int size = i2d_X509(p->pck.cert, &der);
    int is_bad = save(directory, name, p->quote, p->quote_size);
    is_bad |= save_part(directory, 1, p->is_tdx ? "collateral/tdx" : "collateral/sgx",
                        p->tcb_info, strlen(p->tcb_info));
    is_bad |=
        save_part(directory, 2, "collateral/qe", p->qe_identity, strlen(p->qe_identity));
    is_bad |= save_part(directory, 3, "collateral/pck", der, (size_t)size);
    is_bad |= save_part(directory, 4, "collateral/crl", crl->data, crl->size);
    OPENSSL_free(der);
    return is_bad;
}

/* A quote of each version, and a blank report. */
static int save_quotes(const char *directory)
{
    static const char *const names[] = {"quote/v3", "quote/v4", "quote/v5"};
    int is_bad = 0;
    for (unsigned version = 3; version < 6; version++) {
        struct pki *p = pki_open(version, version > 3);
        p->has_td15 = version == 5;
        p->has_instance = true;
        p->pck.is_revoked = true;
        is_bad |= save_quote(directory, names[version - 3], p);
        if (version == 3) {
            is_bad |= save_wrapped(directory, "evidence/dcap", "tfaas-dcap-quote.v1",
                                   "quote", p->quote, p->quote_size);
            is_bad |= save_service(directory, p);
            is_bad |= save_answer(directory, "aesm/quote", 17, p->quote, p->quote_size);
            is_bad |= save_answer(directory, "aesm/target", 15, p->td, 512);
        }
        pki_close(p);
    }
    uint8_t report[1184] = {2};
    report[0x34] = 1;
    is_bad |= save_wrapped(directory, "evidence/snp", "tfaas-sev-snp-report.v1", "report",
                           report, sizeof(report));
    return is_bad | save(directory, "snp/blank", report, sizeof(report));
}

/* A grant from its intent on, behind a byte that asks for signatures (tlog_fuzz.c). */
static int save_tlog(const char *directory)
{
    static const char events[] =
        "+{\"type\":\"intent\",\"serial\":1,\"lambda\":\"shop\",\"digest\":\"" ZERO_KEYID
        "\",\"version\":1,\"names\":[\"shop.test\"],\"instance\":\""
        "00000000000000000000000000000000\",\"machine\":\"127.0.0.1:1\",\"platform\":"
        "\"\",\"measurement\":\"\",\"simulated\":true,\"certificate\":\"" ZERO_KEYID
        "\",\"not_after\":1}\n{\"type\":\"granted\",\"serial\":1}\n"
        "{\"type\":\"update\",\"serial\":1,\"digest\":\"" ZERO_KEYID "\",\"version\":2}\n"
        "{\"type\":\"lease-stopped\",\"serial\":1,\"reason\":\"tcb-status\"}\n";
    return save(directory, "tlog/events", events, sizeof(events) - 1);
}

/* Payloads of both kinds under the published key; receipt_fuzz.c signs them. */
static int save_receipts(const char *directory)
{
#define RECEIPT_HEAD(kind)                                                               \
    "{\"tfaas\":\"" kind                                                                 \
    "\",\"lambda\":\"hello\",\"instance\":\"00000000000000000000000000000000\","         \
    "\"key\":\"" FIXTURE_SPKI "\",\"time\":1,"
#define RECEIPT_TAIL "\"steps\":1,\"peak\":2,\"in\":3,\"out\":4}"
    static const char one[] = RECEIPT_HEAD(
        "receipt.v1") "\"version\":1,\"digest\":\"" ZERO_KEYID
                      "\",\"serial\":1,\"ok\":true,\"status\":200," RECEIPT_TAIL;
    static const char usage[] =
        RECEIPT_HEAD("usage.v1") "\"receipts\":1,\"ok\":1,\"failed\":0," RECEIPT_TAIL;
    return save(directory, "receipt/one", one, sizeof(one) - 1) |
           save(directory, "receipt/usage", usage, sizeof(usage) - 1);
}

static int save_all(const char *directory, const struct fixture_key *key)
{
    char text[TEXT_MAX];
    size_t size = fixture_manifest_write(text, sizeof(text), files, 2);
    struct fixture_bytes envelope = fixture_envelope(key, TF_DSSE_MANIFEST, text, size);
    struct fixture_bytes bundle = fixture_bundle(key, text, size, files, 2);
    int is_bad = save(directory, "manifest/small", text, size);
    is_bad |= save(directory, "dsse/manifest", envelope.data, envelope.size);
    is_bad |= save(directory, "bundle/whole", bundle.data, bundle.size);
    is_bad |= save_parts(directory, text, size);
    memcpy(text + size - 1, full_tail, sizeof(full_tail));
    is_bad |= save(directory, "manifest/full", text, strlen(text));
    is_bad |= save_evidence(directory);
    is_bad |= save_lease(directory);
    is_bad |= save_descriptors(directory);
    is_bad |= save_core(directory);
    is_bad |= save_revocations(directory, key);
    is_bad |= save_quotes(directory);
    is_bad |= save_tlog(directory);
    is_bad |= save_receipts(directory);
    is_bad |= save_table(directory);
    free(envelope.data);
    free(bundle.data);
    return is_bad;
}

int main(int argc, char **argv)
{
    if (argc != 2 || make_folders(argv[1])) {
        (void)fprintf(stderr, "usage: seeds DIRECTORY\n");
        return 2;
    }
    struct fixture_key key = fixture_key_published();
    int is_bad = save_all(argv[1], &key);
    fixture_key_close(&key);
    return is_bad;
}
