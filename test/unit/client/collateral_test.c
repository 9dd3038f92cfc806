/* SPDX-License-Identifier: Apache-2.0 */
/* Collateral from file, cache and service, of test authorities. The service says what it
 * likes: whatever it says, the cache keeps what is good. */
#include "client/collateral_fetch.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "client/collateral_cache.h"
#include "test/test.h"
#include "test/unit/client/service.h"
#include "test/unit/verify/pki.h"
#include "test/unit/verify/snp_pki.h"
#include "verify/dcap.h"

enum { TEXT_MAX = 64 << 10, CHAIN_TEXT = 16 << 10 };

/* One who judges evidence, with a cache and a service of their own. */
struct party {
    struct pki *pki;
    struct service *service;
    char folder[64];
    struct tf_collateral_source source;
    struct tf_evidence evidence;
    struct tf_collateral_wanted wanted;
    char tcb_body[TEXT_MAX];
    char qe_body[TEXT_MAX];
    char root_hex[TEXT_MAX];
    char tcb_header[CHAIN_TEXT];
    char qe_header[CHAIN_TEXT];
    char crl_header[CHAIN_TEXT];
    char crl_url[128];
};

/* The answers by number. */
enum { TCB, IDENTITY, PCK_CRL, ROOT_CRL, REST };

static void write_header(const char *name, const struct tf_bytes *pem, char *out)
{
    size_t at = (size_t)snprintf(out, CHAIN_TEXT, "%s: ", name);

    for (size_t i = 0; i < pem->size; i++) {
        at += (size_t)snprintf(out + at, CHAIN_TEXT - at, "%%%02X", pem->data[i]);
    }
    (void)snprintf(out + at, CHAIN_TEXT - at, "\r\n");
}

static void write_signed(const char *name, const struct tf_bytes *body,
                         const uint8_t *signature, char *out)
{
    char hex[129];

    tf_hex_write(signature, 64, hex);
    (void)snprintf(out, TEXT_MAX, "{\"%s\":%.*s,\"signature\":\"%s\"}", name,
                   (int)body->size, (const char *)body->data, hex);
}

static struct service_answer *answer(struct party *p, size_t i)
{
    return &p->service->answers[i];
}

static void set(struct party *p, size_t i, const char *target, const char *header,
                const void *body, size_t size)
{
    struct service_answer *a = answer(p, i);

    a->target = target;
    a->header = header;
    a->body = body;
    a->size = size;
    a->status = 0;
}

/* Has the platform's collateral made anew and the service say so, as Intel's does. */
static void publish(struct party *p)
{
    const struct tf_collateral *c = &p->pki->collateral;
    bool is_tdx = p->pki->is_tdx;

    pki_write_collateral(p->pki);
    write_header("TCB-Info-Issuer-Chain", &c->tcb_chain, p->tcb_header);
    write_header("SGX-Enclave-Identity-Issuer-Chain", &c->qe_chain, p->qe_header);
    write_header("sgx-pck-crl-issuer-chain", &c->pck_crl_chain, p->crl_header);
    write_signed("tcbInfo", &c->tcb_info, c->tcb_signature, p->tcb_body);
    write_signed("enclaveIdentity", &c->qe_identity, c->qe_signature, p->qe_body);
    set(p, TCB,
        is_tdx ? "/tdx/certification/v4/tcb?fmspc=f5f5f5f5f5f5 "
               : "/sgx/certification/v4/tcb?fmspc=f5f5f5f5f5f5 ",
        p->tcb_header, p->tcb_body, strlen(p->tcb_body));
    set(p, IDENTITY,
        is_tdx ? "/tdx/certification/v4/qe/identity "
               : "/sgx/certification/v4/qe/identity ",
        p->qe_header, p->qe_body, strlen(p->qe_body));
    set(p, PCK_CRL, "/sgx/certification/v4/pckcrl?ca=platform&encoding=der ",
        p->crl_header, c->pck_crl.data, c->pck_crl.size);
    set(p, ROOT_CRL, "/root.der ", NULL, c->root_crl.data, c->root_crl.size);
}

/* As a PCCS, the service has the root's list itself, in hex. */
static void become_pccs(struct party *p)
{
    tf_hex_write(p->pki->collateral.root_crl.data, p->pki->collateral.root_crl.size,
                 p->root_hex);
    set(p, ROOT_CRL, "/sgx/certification/v4/rootcacrl ", NULL, p->root_hex,
        strlen(p->root_hex));
}

static struct party *party_open(unsigned version, bool is_tdx)
{
    struct party *p = calloc(1, sizeof(*p));

    p->pki = pki_open(version, is_tdx);
    p->service = service_open();
    (void)snprintf(p->folder, sizeof(p->folder), "/tmp/tfaas-test.XXXXXX");
    if (mkdtemp(p->folder) == NULL) {
        abort();
    }
    (void)snprintf(p->crl_url, sizeof(p->crl_url), "URI:%s/root.der", p->service->url);
    p->pki->crl_url = p->crl_url;
    p->source =
        (struct tf_collateral_source){.service = p->service->url, .cache = p->folder};
    p->evidence.kind = TF_EVIDENCE_DCAP;
    p->wanted = (struct tf_collateral_wanted){
        .evidence = &p->evidence, .policy = &p->pki->policy, .time = PKI_NOW};
    pki_issue(p->pki);
    memcpy(p->evidence.data, p->pki->quote, p->pki->quote_size);
    p->evidence.size = p->pki->quote_size;
    publish(p);
    return p;
}

/* Removes the files of a folder, and the folder. */
static void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    char name[512];

    for (struct dirent *e = NULL; folder != NULL && (e = readdir(folder)) != NULL;) {
        (void)snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.') {
            (void)unlink(name);
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    (void)rmdir(path);
}

static void party_close(struct party *p)
{
    service_close(p->service);
    pki_close(p->pki);
    remove_folder(p->folder);
    free(p);
}

static unsigned asked(struct party *p, size_t i)
{
    return atomic_load(&answer(p, i)->asked);
}

/* Finds, and what the quote is with what was found; `origin` must be where it is from. */
static tf_err judge(struct party *p, tf_collateral_origin origin)
{
    struct tf_collateral_found found;
    struct tf_appraisal a;
    tf_err err = tf_collateral_find(&p->source, &p->wanted, &found);
    struct tf_dcap_input in = {.quote = p->evidence.data,
                               .quote_size = p->evidence.size,
                               .collateral = found.has_intel ? &found.intel : NULL,
                               .time = p->wanted.time,
                               .policy = p->wanted.policy};

    CHECK(found.origin == origin);
    CHECK((err == TF_OK) == (origin != TF_COLLATERAL_NONE));
    err = tf_dcap_verify(&in, &a);
    tf_collateral_found_wipe(&found);
    return err;
}

/* Sets when the cached file was fetched. */
static void date_cache(const struct party *p, const char *name, int64_t time)
{
    char path[256];
    const struct timespec times[2] = {{.tv_sec = time}, {.tv_sec = time}};

    (void)snprintf(path, sizeof(path), "%s/%s", p->folder, name);
    CHECK(utimensat(AT_FDCWD, path, times, 0) == 0);
}

static void test_fetched_once_then_offline(void)
{
    struct party *p = party_open(3, false);

    CHECK(judge(p, TF_COLLATERAL_SERVICE) == TF_OK);
    CHECK(judge(p, TF_COLLATERAL_CACHE) == TF_OK);
    CHECK(asked(p, TCB) == 1 && asked(p, IDENTITY) == 1 && asked(p, PCK_CRL) == 1 &&
          asked(p, ROOT_CRL) == 1);
    service_stop(p->service);
    CHECK(judge(p, TF_COLLATERAL_CACHE) == TF_OK);
    p->source.service = NULL;
    CHECK(judge(p, TF_COLLATERAL_CACHE) == TF_OK);
    p->source.cache = NULL;
    CHECK(judge(p, TF_COLLATERAL_NONE) == TF_ECOLLATERAL_FETCH);
    party_close(p);
}

static void test_tdx_and_pccs(void)
{
    struct party *p = party_open(5, true);
    char url[128];

    become_pccs(p);
    (void)snprintf(url, sizeof(url), "%s/sgx/certification/v4/", p->service->url);
    p->source.service = url; /* as other programs are configured */
    CHECK(judge(p, TF_COLLATERAL_SERVICE) == TF_OK);
    CHECK(judge(p, TF_COLLATERAL_CACHE) == TF_OK && asked(p, ROOT_CRL) == 1);
    party_close(p);
}

/* Evidence that nobody vouches for makes no questions, so it cannot be used to ask. */
static void test_no_question_about_strangers(void)
{
    struct party *p = party_open(4, false);

    p->pki->policy.insecure_root_count = 0;
    struct tf_collateral_found found;
    CHECK(tf_collateral_find(&p->source, &p->wanted, &found) == TF_OK);
    CHECK(found.origin == TF_COLLATERAL_NONE && asked(p, TCB) == 0);
    tf_collateral_found_wipe(&found);
    p->evidence.size = 20;
    CHECK(tf_collateral_find(&p->source, &p->wanted, &found) == TF_OK);
    CHECK(found.origin == TF_COLLATERAL_NONE && asked(p, TCB) == 0);
    party_close(p);
}

static void test_lying_service(void)
{
    struct party *p = party_open(3, false);
    struct service_answer *tcb = answer(p, TCB);
    static char large[TF_SIGNED_JSON_MAX + 1];
    int refused[] = {404, 500, 302, 204};

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        tcb->status = refused[i];
        CHECK(judge(p, TF_COLLATERAL_NONE) == TF_ECOLLATERAL_FETCH);
    }
    tcb->status = 0;
    tcb->body = large;
    tcb->size = sizeof(large);
    CHECK(judge(p, TF_COLLATERAL_NONE) == TF_ECOLLATERAL_FETCH);
    publish(p);
    tcb->header = NULL;
    CHECK(judge(p, TF_COLLATERAL_NONE) == TF_ECOLLATERAL_FETCH);
    publish(p);
    tcb->size--;
    CHECK(judge(p, TF_COLLATERAL_NONE) == TF_ECOLLATERAL_FETCH);
    publish(p);
    p->tcb_body[60] ^= 1;
    CHECK(judge(p, TF_COLLATERAL_SERVICE) != TF_OK); /* said, but not kept */
    p->source.service = NULL;
    CHECK(judge(p, TF_COLLATERAL_NONE) == TF_ECOLLATERAL_FETCH);
    party_close(p);
}

static const char SGX_NAME[] = "intel-sgx-f5f5f5f5f5f5-platform.json";

/* What is good stays, whatever the service says later. */
static void test_good_one_is_not_replaced(void)
{
    struct party *p = party_open(3, false);

    p->source.max_age = 100;
    CHECK(judge(p, TF_COLLATERAL_SERVICE) == TF_OK);
    date_cache(p, SGX_NAME, PKI_NOW - 101);
    p->tcb_body[60] ^= 1; /* a signature that does not verify */
    CHECK(judge(p, TF_COLLATERAL_CACHE) == TF_OK && asked(p, TCB) == 2);
    p->tcb_body[60] ^= 1;
    p->pki->info_start -= PKI_DAY; /* an older one, played back: still valid */
    publish(p);
    CHECK(judge(p, TF_COLLATERAL_CACHE) == TF_OK && asked(p, TCB) == 3);
    p->pki->info_end = PKI_NOW - 1;
    publish(p);
    CHECK(judge(p, TF_COLLATERAL_CACHE) == TF_OK && asked(p, TCB) == 4);
    service_stop(p->service);
    CHECK(judge(p, TF_COLLATERAL_CACHE) == TF_OK);
    party_close(p);
}

/* A platform falls: seen as soon as max_age has passed, and never before it is asked. */
static void test_platform_falls(void)
{
    struct party *p = party_open(3, false);

    p->source.max_age = 100;
    CHECK(judge(p, TF_COLLATERAL_SERVICE) == TF_OK);
    p->pki->level_status = "OutOfDate";
    p->pki->info_start += 1;
    publish(p);
    date_cache(p, SGX_NAME, PKI_NOW - 100);
    CHECK(judge(p, TF_COLLATERAL_CACHE) == TF_OK);
    date_cache(p, SGX_NAME, PKI_NOW - 101);
    CHECK(judge(p, TF_COLLATERAL_SERVICE) == TF_ETCB_STATUS);
    /* A bad verdict asks each time: it may have been repaired. */
    date_cache(p, SGX_NAME, PKI_NOW);
    CHECK(judge(p, TF_COLLATERAL_SERVICE) == TF_ETCB_STATUS);
    p->pki->level_status = "UpToDate";
    publish(p);
    CHECK(judge(p, TF_COLLATERAL_SERVICE) == TF_OK);
    date_cache(p, SGX_NAME, PKI_NOW + 1); /* from the future: its age is not known */
    CHECK(judge(p, TF_COLLATERAL_SERVICE) == TF_OK);
    p->pki->pck.is_revoked = true;
    publish(p);
    date_cache(p, SGX_NAME, PKI_NOW - 101);
    CHECK(judge(p, TF_COLLATERAL_SERVICE) == TF_ECHAIN_REVOKED);
    /* The list from before it was revoked is still valid, and is played back in vain. */
    p->pki->pck.is_revoked = false;
    p->pki->crl_start -= 1;
    publish(p);
    CHECK(judge(p, TF_COLLATERAL_CACHE) == TF_ECHAIN_REVOKED);
    service_stop(p->service);
    CHECK(judge(p, TF_COLLATERAL_CACHE) == TF_ECHAIN_REVOKED);
    party_close(p);
}

/* The verdict says what was wrong with the only one there is. */
static void test_expired(void)
{
    struct party *p = party_open(3, false);

    CHECK(judge(p, TF_COLLATERAL_SERVICE) == TF_OK);
    p->wanted.time = PKI_NOW + 11 * PKI_DAY;
    CHECK(judge(p, TF_COLLATERAL_SERVICE) == TF_ECOLLATERAL_EXPIRED);
    service_stop(p->service);
    CHECK(judge(p, TF_COLLATERAL_CACHE) == TF_ECOLLATERAL_EXPIRED);
    party_close(p);
}

/* One part of the cached collateral expires before another: the other may not be played
 * back to a time before the platform fell. */
static void test_played_back_when_expired(void)
{
    struct party *p = party_open(3, false);

    p->pki->level_status = "OutOfDate";
    p->pki->pck_crl_end = PKI_NOW + PKI_DAY;
    publish(p);
    CHECK(judge(p, TF_COLLATERAL_SERVICE) == TF_ETCB_STATUS);
    date_cache(p, SGX_NAME, PKI_NOW);
    p->pki->level_status = "UpToDate";
    p->pki->info_start -= PKI_DAY;
    p->pki->pck_crl_end = PKI_NOW + 30 * PKI_DAY;
    p->pki->crl_start += 1;
    publish(p);
    p->wanted.time = PKI_NOW + 2 * PKI_DAY;
    CHECK(judge(p, TF_COLLATERAL_CACHE) == TF_ECOLLATERAL_EXPIRED);
    p->pki->info_start += PKI_DAY + 1; /* what was said later replaces it */
    publish(p);
    CHECK(judge(p, TF_COLLATERAL_SERVICE) == TF_OK);
    party_close(p);
}

static void test_file(void)
{
    struct party *p = party_open(3, false);
    char path[128];

    CHECK(judge(p, TF_COLLATERAL_SERVICE) == TF_OK);
    (void)snprintf(path, sizeof(path), "%s/%s", p->folder, SGX_NAME);
    p->source = (struct tf_collateral_source){.file = path};
    CHECK(judge(p, TF_COLLATERAL_FILE) == TF_OK);
    p->source.file = "/tmp/tfaas-test.is-not-there";
    CHECK(judge(p, TF_COLLATERAL_NONE) == TF_ECOLLATERAL_FETCH);
    p->source.file = "/etc/hostname";
    CHECK(judge(p, TF_COLLATERAL_NONE) == TF_ECOLLATERAL_FETCH);
    party_close(p);
}

/* --- SEV-SNP ------------------------------------------------------------------------ */

struct amd {
    struct snp_pki *pki;
    struct service *service;
    char folder[64];
    struct tf_collateral_source source;
    struct tf_evidence evidence;
    struct tf_collateral_wanted wanted;
    char chain[TEXT_MAX];
};

enum { VCEK, CHAIN, CRL };

static void publish_amd(struct amd *p)
{
    static const char *const targets[] = {
        ("/vcek/v1/Turin/c1c1c1c1c1c1c1c1"
         "?fmcSPL=06&blSPL=02&teeSPL=01&snpSPL=04&ucodeSPL=72 "),
        "/vcek/v1/Turin/cert_chain ", "/vcek/v1/Turin/crl "};

    snp_pki_issue(p->pki);
    snp_pki_pem(p->pki, 1, 2, p->chain, sizeof(p->chain));
    const struct tf_bytes bodies[] = {snp_pki_part(p->pki, 0),
                                      {(uint8_t *)p->chain, strlen(p->chain)},
                                      snp_pki_part(p->pki, 3)};
    for (size_t i = 0; i < 3; i++) {
        p->service->answers[i].target = targets[i];
        p->service->answers[i].body = bodies[i].data;
        p->service->answers[i].size = bodies[i].size;
    }
    memcpy(p->evidence.data, p->pki->report, sizeof(p->pki->report));
    p->evidence.size = sizeof(p->pki->report);
}

static struct amd *amd_open(void)
{
    struct amd *p = calloc(1, sizeof(*p));

    p->pki = snp_pki_open(NULL);
    p->service = service_open();
    (void)snprintf(p->folder, sizeof(p->folder), "/tmp/tfaas-test.XXXXXX");
    if (mkdtemp(p->folder) == NULL) {
        abort();
    }
    p->source =
        (struct tf_collateral_source){.service = p->service->url, .cache = p->folder};
    p->evidence.kind = TF_EVIDENCE_SNP;
    p->wanted = (struct tf_collateral_wanted){
        .evidence = &p->evidence, .policy = &p->pki->policy, .time = SNP_NOW};
    publish_amd(p);
    return p;
}

static void amd_close(struct amd *p)
{
    service_close(p->service);
    snp_pki_close(p->pki);
    remove_folder(p->folder);
    free(p);
}

static tf_err judge_amd(struct amd *p, tf_collateral_origin origin, bool has_list)
{
    struct tf_collateral_found found;
    struct tf_appraisal a;
    struct tf_bytes parts[3] = {{0}};
    tf_err err = tf_collateral_find(&p->source, &p->wanted, &found);
    const struct tf_bytes own = {(uint8_t *)p->evidence.certificates,
                                 p->evidence.certificates_size};

    CHECK(found.origin == origin && (found.snp_crl.size > 0) == has_list);
    CHECK((err == TF_OK) == (origin != TF_COLLATERAL_NONE || own.size > 0));
    (void)!tf_snp_split(own.size > 0 ? &own : &found.snp_certificates, parts);
    const struct tf_snp_input in = {.report = p->evidence.data,
                                    .report_size = p->evidence.size,
                                    .vek = parts[0],
                                    .ask = parts[1],
                                    .ark = parts[2],
                                    .crl = found.snp_crl,
                                    .time = p->wanted.time,
                                    .policy = p->wanted.policy};
    err = tf_snp_verify(&in, &a);
    tf_collateral_found_wipe(&found);
    return err;
}

static unsigned asked_amd(struct amd *p, size_t i)
{
    return atomic_load(&p->service->answers[i].asked);
}

static void test_kds_once_then_offline(void)
{
    struct amd *p = amd_open();

    CHECK(judge_amd(p, TF_COLLATERAL_SERVICE, true) == TF_OK);
    CHECK(judge_amd(p, TF_COLLATERAL_CACHE, true) == TF_OK);
    CHECK(asked_amd(p, VCEK) == 1 && asked_amd(p, CHAIN) == 1 && asked_amd(p, CRL) == 1);
    service_stop(p->service);
    CHECK(judge_amd(p, TF_COLLATERAL_CACHE, true) == TF_OK);
    p->source.cache = NULL;
    CHECK(judge_amd(p, TF_COLLATERAL_NONE, false) == TF_ECOLLATERAL_FETCH);
    amd_close(p);
}

/* The host's own certificates are not asked for; AMD's list is. */
static void test_kds_list_alone(void)
{
    struct amd *p = amd_open();

    snp_pki_pem(p->pki, 0, 3, p->evidence.certificates, sizeof(p->evidence.certificates));
    p->evidence.certificates_size = strlen(p->evidence.certificates);
    CHECK(judge_amd(p, TF_COLLATERAL_NONE, true) == TF_OK && asked_amd(p, VCEK) == 0);
    amd_close(p);
}

/* And the list from before, still valid, is played back in vain. */
static void test_kds_revokes(void)
{
    struct amd *p = amd_open();

    p->pki->is_ask_revoked = true;
    publish_amd(p);
    CHECK(judge_amd(p, TF_COLLATERAL_SERVICE, true) == TF_ECHAIN_REVOKED);
    p->pki->is_ask_revoked = false;
    p->pki->crl_start -= 1;
    publish_amd(p);
    p->source.max_age = -1;
    CHECK(judge_amd(p, TF_COLLATERAL_CACHE, true) == TF_ECHAIN_REVOKED);
    CHECK(asked_amd(p, CRL) == 2);
    amd_close(p);
}

static void test_lying_kds(void)
{
    struct amd *p = amd_open();

    p->service->answers[VCEK].size--;
    CHECK(judge_amd(p, TF_COLLATERAL_NONE, false) == TF_ECOLLATERAL_FETCH);
    publish_amd(p);
    p->service->answers[VCEK].body = p->service->answers[CRL].body;
    p->service->answers[VCEK].size = p->service->answers[CRL].size;
    CHECK(judge_amd(p, TF_COLLATERAL_NONE, false) == TF_ECOLLATERAL_FETCH);
    publish_amd(p);
    p->service->answers[CRL].size--;
    CHECK(judge_amd(p, TF_COLLATERAL_SERVICE, false) == TF_OK);
    CHECK(asked_amd(p, CRL) == 1);
    amd_close(p);
}

int main(void)
{
    RUN(test_fetched_once_then_offline);
    RUN(test_tdx_and_pccs);
    RUN(test_no_question_about_strangers);
    RUN(test_lying_service);
    RUN(test_good_one_is_not_replaced);
    RUN(test_platform_falls);
    RUN(test_expired);
    RUN(test_played_back_when_expired);
    RUN(test_file);
    RUN(test_kds_once_then_offline);
    RUN(test_kds_list_alone);
    RUN(test_kds_revokes);
    RUN(test_lying_kds);
    return test_end();
}
