/* SPDX-License-Identifier: Apache-2.0 */
#include "test/dcap/world.h"

#include <sys/stat.h>
#include <time.h>

#include "lib/json.h"

/* 2025-01-01 and 2049-12-31: like Intel's root, and the same at each start. */
static const int64_t cert_start = (int64_t)20089 * PKI_DAY;
static const int64_t cert_end = (int64_t)29219 * PKI_DAY;

/* --- keys and certificates that stay
 * ------------------------------------------------------------------
 */

static bool in_folder(const struct world *w, const char *name, char out[WORLD_PATH + 32])
{
    return snprintf(out, WORLD_PATH + 32, "%s/%s", w->dir, name) < WORLD_PATH + 32;
}

/* Writes a key, or else a certificate. */
static bool write_pem(const char *path, const EVP_PKEY *key, const X509 *cert)
{
    char temporary[WORLD_PATH + 40];

    (void)snprintf(temporary, sizeof(temporary), "%s.new", path);
    FILE *file = fopen(temporary, "w");
    bool is_good = file != NULL;
    if (is_good && cert != NULL) {
        is_good = PEM_write_X509(file, cert) == 1;
    } else if (is_good) {
        is_good = PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
    }
    is_good = (file == NULL || fclose(file) == 0) && is_good;
    return is_good && rename(temporary, path) == 0;
}

/* Replaces `key` by the one in the folder, or puts it there. */
static bool keep_key(const struct world *w, const char *name, EVP_PKEY **key)
{
    char path[WORLD_PATH + 32];

    if (!in_folder(w, name, path)) {
        return false;
    }
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return write_pem(path, *key, NULL);
    }
    EVP_PKEY *kept = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    (void)fclose(file);
    if (kept == NULL) {
        return false;
    }
    EVP_PKEY_free(*key);
    *key = kept;
    return true;
}

/* A certificate of one of the CAs, which verifiers compare byte by byte. */
static bool keep_cert(const struct world *w, const char *name, struct pki *p,
                      struct pki_id *id)
{
    char path[WORLD_PATH + 32];

    if (!in_folder(w, name, path)) {
        return false;
    }
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        pki_certify(p, id, &p->root);
        return write_pem(path, NULL, id->cert);
    }
    X509 *kept = PEM_read_X509(file, NULL, NULL, NULL);
    (void)fclose(file);
    X509_free(id->cert);
    id->cert = kept;
    return kept != NULL;
}

static bool keep_keys(const struct world *w, struct pki *p)
{
    return keep_key(w, "root.key", &p->root.key) && keep_key(w, "ca.key", &p->ca.key) &&
           keep_key(w, "pck.key", &p->pck.key) && keep_key(w, "tcb.key", &p->tcb.key) &&
           keep_key(w, "attestation.key", &p->attestation);
}

/* What a policy names. */
static bool write_root(const struct world *w)
{
    char path[WORLD_PATH + 32];
    char hex[2 * TF_SHA256_SIZE + 1];
    uint8_t digest[TF_SHA256_SIZE];
    unsigned char *spki = NULL;

    int size = i2d_PUBKEY(w->sgx->root.key, &spki);
    tf_sha256(spki, (size_t)size, digest);
    OPENSSL_free(spki);
    tf_hex_write(digest, sizeof(digest), hex);
    FILE *file = in_folder(w, "root.sha256", path) ? fopen(path, "w") : NULL;
    bool is_good = file != NULL && fprintf(file, "%s\n", hex) > 0;
    return (file == NULL || fclose(file) == 0) && is_good;
}

/* --- world.json ----------------------------------------------------------------------
 */

static void take_word(struct tf_json_fields *f, const char *key, const char *otherwise,
                      char out[static WORLD_WORD])
{
    (void)snprintf(out, WORLD_WORD, "%s", otherwise);
    if (tf_json_has(f, key)) {
        tf_json_copy(f, key, out, WORLD_WORD);
    }
}

/* @return false if there is one that is none. */
static bool take_date(struct tf_json_fields *f, const char *key, int64_t otherwise,
                      int64_t *out)
{
    char text[WORLD_WORD];

    *out = otherwise;
    take_word(f, key, "", text);
    return text[0] == '\0' || tf_date_parse(text, out) == TF_OK;
}

static void take_hex(struct tf_json_fields *f, const char *key, uint8_t *out, size_t size,
                     int otherwise)
{
    memset(out, otherwise, size);
    if (tf_json_has(f, key)) {
        tf_json_hex(f, key, out, size);
    }
}

static bool take_advisories(struct world *w, struct tf_json_fields *f)
{
    (void)snprintf(w->advisories, sizeof(w->advisories), "[]");
    if (!tf_json_has(f, "advisories")) {
        return true;
    }
    const json_t *list = tf_json_array(f, "advisories", 0, 64);
    size_t size = list == NULL ? 0
                               : json_dumpb(list, w->advisories,
                                            sizeof(w->advisories) - 1, JSON_COMPACT);
    w->advisories[size < sizeof(w->advisories) ? size : 0] = '\0';
    return size != 0 && size < sizeof(w->advisories);
}

static bool take_dates(struct pki *p, struct tf_json_fields *f)
{
    int64_t now = (int64_t)time(NULL);

    bool is_good =
        take_date(f, "tcb_date", cert_start, &p->level_date) &&
        take_date(f, "issued", now - PKI_DAY, &p->info_start) &&
        take_date(f, "next_update", now + 10 * (int64_t)PKI_DAY, &p->info_end) &&
        take_date(f, "crl_next_update", now + 30 * (int64_t)PKI_DAY, &p->root_crl_end);
    p->identity_start = p->info_start;
    p->identity_end = p->info_end;
    p->crl_start = p->info_start;
    p->pck_crl_end = p->root_crl_end;
    return is_good;
}

static bool take_platform(struct pki *p, struct tf_json_fields *f)
{
    char ca[WORLD_WORD];

    take_word(f, "ca", "platform", ca);
    bool is_processor = strcmp(ca, "processor") == 0;
    p->ca.name =
        is_processor ? "Intel SGX PCK Processor CA" : "Intel SGX PCK Platform CA";
    p->has_instance = !is_processor;
    take_hex(f, "fmspc", p->fmspc, sizeof(p->fmspc), 0xf5);
    memcpy(p->info_fmspc, p->fmspc, sizeof(p->info_fmspc));
    take_hex(f, "ppid", p->ppid, sizeof(p->ppid), 0x99);
    take_hex(f, "instance", p->instance, sizeof(p->instance), 0x77);
    /* A certificate of its own for each platform, so that one can be revoked. */
    p->pck.serial = 1000 + (long)(p->ppid[0] << 16 | p->ppid[1] << 8 | p->ppid[15]);
    p->pck.is_revoked = tf_json_boolean_or(f, "pck_revoked", false);
    p->ca.is_revoked = tf_json_boolean_or(f, "ca_revoked", false);
    p->evaluation = (unsigned)tf_json_integer_or(f, "evaluation", 1, 1000, 18);
    return is_processor || strcmp(ca, "platform") == 0;
}

static bool take_fields(struct world *w, struct tf_json_fields *f)
{
    bool is_good = take_platform(w->sgx, f) && take_dates(w->sgx, f);

    is_good = is_good && take_advisories(w, f);
    take_word(f, "status", "UpToDate", w->status);
    take_word(f, "qe_status", "UpToDate", w->qe_status);
    take_word(f, "module_status", "UpToDate", w->module_status);
    take_word(f, "aesm", "good", w->aesm);
    take_word(f, "http", "good", w->http);
    w->delay_ms = (unsigned)tf_json_integer_or(f, "aesm_delay_ms", 0, 60000, 0);
    w->qe = (unsigned)tf_json_integer_or(f, "qe", 0, 255, 0);
    return tf_json_fields_end(f) && is_good;
}

/* What the two kinds of collateral have in common. */
static void copy_platform(const struct world *w, struct pki *p)
{
    const struct pki *from = w->sgx;

    p->ca.name = from->ca.name;
    p->has_instance = from->has_instance;
    memcpy(p->fmspc, from->fmspc, sizeof(p->fmspc));
    memcpy(p->info_fmspc, from->info_fmspc, sizeof(p->info_fmspc));
    memcpy(p->ppid, from->ppid, sizeof(p->ppid));
    memcpy(p->instance, from->instance, sizeof(p->instance));
    p->pck.serial = from->pck.serial;
    p->pck.is_revoked = from->pck.is_revoked;
    p->ca.is_revoked = from->ca.is_revoked;
    p->evaluation = from->evaluation;
    p->level_date = from->level_date;
    p->info_start = p->identity_start = p->crl_start = from->info_start;
    p->info_end = p->identity_end = from->info_end;
    p->root_crl_end = p->pck_crl_end = from->root_crl_end;
}

/* @return whether it could. */
static bool issue(struct world *w, struct pki *p)
{
    const char *ca = p->has_instance ? "ca-platform.pem" : "ca-processor.pem";

    p->level_status = w->status;
    p->level_advisories = w->advisories;
    p->qe_status = w->qe_status;
    p->module_status = w->module_status;
    if (!keep_cert(w, ca, p, &p->ca)) {
        return false;
    }
    pki_certify(p, &p->pck, &p->ca);
    pki_write_collateral(p);
    pki_write_quote(p);
    return true;
}

bool world_refresh(struct world *w)
{
    char path[WORLD_PATH + 32];
    char text[8192] = "{}";
    json_t *document = NULL;
    struct tf_json_fields f;
    size_t size = 2;

    bool is_named = w->config != NULL ? snprintf(path, sizeof(path), "%s", w->config) > 0
                                      : in_folder(w, "world.json", path);
    FILE *file = is_named ? fopen(path, "r") : NULL;
    if (file != NULL) {
        size = fread(text, 1, sizeof(text), file);
        (void)fclose(file);
    }
    if (tf_json_parse(text, size, &document) != TF_OK) {
        (void)fprintf(stderr, "fake_dcap: %s is no JSON\n", path);
        return false;
    }
    tf_json_fields_init(&f, document);
    bool is_good = take_fields(w, &f);
    json_decref(document);
    if (!is_good) {
        (void)fprintf(stderr, "fake_dcap: %s has a field that is not as in world.h\n",
                      path);
        return false;
    }
    copy_platform(w, w->tdx);
    return issue(w, w->sgx) && issue(w, w->tdx);
}

/* --- life ----------------------------------------------------------------------------
 */

static struct pki *open_pki(const struct world *w, unsigned version, bool is_tdx)
{
    struct pki *p = pki_open(version, is_tdx);
    struct pki_id *const ids[] = {&p->root, &p->ca, &p->pck, &p->tcb};

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        ids[i]->start = cert_start;
        ids[i]->end = cert_end;
    }
    if (!keep_keys(w, p) || !keep_cert(w, "root.pem", p, &p->root) ||
        !keep_cert(w, "tcb.pem", p, &p->tcb)) {
        pki_close(p);
        return NULL;
    }
    return p;
}

bool world_open(struct world *w, const char *dir, const char *sim_dir, const char *config)
{
    memset(w, 0, sizeof(*w));
    w->config = config;
    (void)pthread_mutex_init(&w->lock, NULL);
    if (strlen(dir) >= sizeof(w->dir)) {
        return false;
    }
    memcpy(w->dir, dir, strlen(dir) + 1);
    (void)mkdir(dir, 0700);
    w->sgx = open_pki(w, 3, false);
    w->tdx = open_pki(w, 4, true);
    if (w->sgx == NULL || w->tdx == NULL) {
        return false;
    }
    if (sim_dir != NULL && tf_sim_machine_open(&w->machine, sim_dir) != 0) {
        return false;
    }
    return world_refresh(w) && write_root(w);
}
