/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hwtest.c - the steps of test/hw/hwtest.sh, one a process, on the toy image: what SGX
 * hardware must do, through the loader that the worker uses. Exit status 0: as it must
 * be.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "host/aesm.h"
#include "host/backend.h"
#include "lib/bytes.h"
#include "lib/err_text.h"
#include "test/hw/sim_port.h"
#include "test/toy/toy.h"
#include "test/toy/toy_host.h"
#include "verify/chain.h"
#include "verify/quote.h"

enum { MXCSR_CLEAN = 0x1fbf, FCW_CLEAN = 0x37f, RFLAGS_AC_DF = 0x40400, THREADS = 2 };
enum {
    IV_SIZE = 12,
    TAG_SIZE = 16,
    SECRET_SIZE = 16,
    SEAL_KEY_ID = 32,
    SEAL_CPU_SVN = 16,
    REPORT_DATA_SIZE = 64,
    NO_AESM = 3 /* exit status */
};

/* What a sealed blob carries; the key is made again from it. */
struct blob {
    uint8_t key_id[SEAL_KEY_ID];
    uint8_t cpu_svn[SEAL_CPU_SVN];
    uint8_t iv[IV_SIZE];
    uint8_t tag[TAG_SIZE];
    uint8_t secret[SECRET_SIZE];
};

static const uint8_t secret[SECRET_SIZE] = "kept in a blob.";
static const uint8_t no_data[REPORT_DATA_SIZE];

/* @return 1 and says why. */
static int bad(const char *what)
{
    (void)fprintf(stderr, "hwtest: %s\n", what);
    return 1;
}

static void print_hex(const void *bytes, size_t size)
{
    char hex[1025];

    tf_hex_write(bytes, size, hex);
    (void)printf("%s\n", hex);
}

static int get_report(struct tf_toy *toy, const struct sgx_target_info *target,
                      const uint8_t data[static REPORT_DATA_SIZE], struct sgx_report *out)
{
    struct {
        struct sgx_target_info target;
        uint8_t data[REPORT_DATA_SIZE];
    } question = {.target = *target};

    memcpy(question.data, data, sizeof(question.data));
    return tf_toy_call(toy, TOY_REPORT, &question, sizeof(question), out, sizeof(*out));
}

/* The report is for nobody: only what it says of the enclave counts. */
static int get_self(struct tf_toy *toy, struct sgx_report *out)
{
    const struct sgx_target_info nobody = {.miscselect = 0};
    return get_report(toy, &nobody, no_data, out);
}

static int do_enter(struct tf_toy *toy, const char *arg)
{
    struct tf_toy_facts facts;
    struct sgx_report report;
    char text[5];
    uint8_t mrenclave[32];
    uint8_t mrsigner[32];

    (void)arg;
    if (!tf_toy_call(toy, 9, "echo", 5, text, 5) || memcmp(text, "echo", 5) != 0) {
        return bad("no echo");
    }
    if (!tf_toy_call(toy, TOY_FACTS, "", 0, &facts, sizeof(facts)) ||
        facts.mxcsr != MXCSR_CLEAN || facts.fcw != FCW_CLEAN ||
        (facts.flags & RFLAGS_AC_DF) != 0 || facts.canary_is_set == 0 ||
        facts.dirt != 0 || memcmp(facts.greeting, "third", 5) != 0) {
        return bad("the state inside is not clean");
    }
    if (!get_self(toy, &report)) {
        return bad("no REPORT");
    }
    tf_enclave_identity(toy->enclave, mrenclave, mrsigner);
    if (memcmp(report.mrenclave, mrenclave, 32) != 0 ||
        memcmp(report.mrsigner, mrsigner, 32) != 0 ||
        (report.attributes.flags & SGX_FLAGS_INIT) == 0 ||
        (report.attributes.flags & SGX_FLAGS_DEBUG) != 0) {
        return bad("the CPU names another enclave than the loader");
    }
    print_hex(report.mrenclave, 32);
    return 0;
}

static int do_load(struct tf_toy *toy, const char *arg)
{
    uint8_t mrenclave[32];
    uint8_t mrsigner[32];

    (void)arg;
    tf_enclave_identity(toy->enclave, mrenclave, mrsigner);
    print_hex(mrenclave, 32);
    return 0;
}

struct visitor {
    struct tf_toy toy;
    unsigned long count;
    pthread_t thread;
    int is_good;
};

static void *visit(void *user)
{
    struct visitor *v = user;
    struct tf_toy_facts facts;

    v->is_good = tf_enclave_thread_init(v->toy.enclave) == TF_OK;
    for (unsigned long i = 0; i < v->count && v->is_good; i++) {
        v->is_good = tf_toy_call(&v->toy, TOY_FACTS, "", 0, &facts, sizeof(facts));
    }
    return NULL;
}

/* Both threads enter for the first time at once; then each `arg` times. */
static int do_threads(struct tf_toy *toy, const char *arg)
{
    static struct visitor visitors[THREADS];
    struct tf_toy_facts facts;
    unsigned long count = strtoul(arg, NULL, 10);

    for (unsigned i = 0; i < THREADS; i++) {
        visitors[i].toy = *toy;
        visitors[i].toy.thread = i;
        visitors[i].count = count;
        if (pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]) != 0) {
            return bad("no thread");
        }
    }
    int is_good = 1;
    for (unsigned i = 0; i < THREADS; i++) {
        is_good &= pthread_join(visitors[i].thread, NULL) == 0 && visitors[i].is_good;
    }
    if (!is_good || !tf_toy_call(toy, TOY_FACTS, "", 0, &facts, sizeof(facts)) ||
        facts.visits != THREADS * count + 1) {
        return bad("visits got lost");
    }
    (void)printf("%lu entries by %d threads\n", THREADS * count, THREADS);
    return 0;
}

/* A fault inside: this process ends, with a status that the script knows. */
static int do_fault(struct tf_toy *toy, const char *arg)
{
    tf_toy_put(toy, (uint32_t)strtoul(arg, NULL, 10), "", 0);
    (void)tf_toy_enter(toy);
    return bad("the enclave survived its fault");
}

static int do_target(struct tf_toy *toy, const char *arg)
{
    struct sgx_report self;
    struct sgx_target_info target = {.miscselect = 0};

    (void)arg;
    if (!get_self(toy, &self)) {
        return bad("no REPORT");
    }
    memcpy(target.mrenclave, self.mrenclave, sizeof(target.mrenclave));
    memcpy(target.config_id, self.config_id, sizeof(target.config_id));
    target.attributes = self.attributes;
    target.miscselect = self.miscselect;
    target.config_svn = self.config_svn;
    print_hex(&target, sizeof(target));
    return 0;
}

static int do_report(struct tf_toy *toy, const char *arg)
{
    struct sgx_target_info target;
    struct sgx_report report;

    if (tf_hex_parse(arg, strlen(arg), (uint8_t *)&target, sizeof(target)) != TF_OK ||
        !get_report(toy, &target, no_data, &report)) {
        return bad("no REPORT");
    }
    print_hex(&report, sizeof(report));
    return 0;
}

static int get_key(struct tf_toy *toy, const struct sgx_key_request *request,
                   uint8_t key[static 16])
{
    struct tf_toy_key answer;

    if (!tf_toy_call(toy, TOY_KEY, request, sizeof(*request), &answer, sizeof(answer)) ||
        answer.code != SGX_SUCCESS) {
        return 0;
    }
    memcpy(key, answer.key, sizeof(answer.key));
    return 1;
}

static int is_mac_good(const struct sgx_report *report, const uint8_t key[static 16])
{
    uint8_t mac[16];
    size_t size = 0;
    char cipher[] = "AES-128-CBC";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
        OSSL_PARAM_construct_end()};

    return EVP_Q_mac(NULL, "CMAC", NULL, NULL, params, key, 16, (const uint8_t *)report,
                     SGX_REPORT_BODY_SIZE, mac, sizeof(mac), &size) != NULL &&
           size == sizeof(mac) && memcmp(mac, report->mac, sizeof(mac)) == 0;
}

/* As the target of the report (SDM vol. 3D, EREPORT and EGETKEY). */
static int do_verify(struct tf_toy *toy, const char *arg)
{
    struct sgx_report report;
    struct sgx_key_request request = {.key_name = SGX_KEYNAME_REPORT};
    uint8_t key[16];

    if (tf_hex_parse(arg, strlen(arg), (uint8_t *)&report, sizeof(report)) != TF_OK) {
        return bad("no REPORT");
    }
    memcpy(request.key_id, report.key_id, sizeof(request.key_id));
    if (!get_key(toy, &request, key)) {
        return bad("EGETKEY refuses a report key");
    }
    if (!is_mac_good(&report, key)) {
        return bad("the MAC is not for this enclave");
    }
    report.isv_svn++;
    return is_mac_good(&report, key) ? bad("the MAC covers nothing") : 0;
}

static int get_seal_key(struct tf_toy *toy, const struct blob *blob,
                        uint8_t key[static 16])
{
    struct sgx_report self;
    struct sgx_key_request request = {.key_name = SGX_KEYNAME_SEAL,
                                      .key_policy = SGX_KEYPOLICY_MRENCLAVE |
                                                    SGX_KEYPOLICY_CONFIGID};

    if (!get_self(toy, &self)) {
        return 0;
    }
    request.isv_svn = self.isv_svn;
    request.attribute_mask.flags = UINT64_MAX;
    request.attribute_mask.xfrm = UINT64_MAX;
    memcpy(request.cpu_svn, blob->cpu_svn, sizeof(request.cpu_svn));
    memcpy(request.key_id, blob->key_id, sizeof(request.key_id));
    return get_key(toy, &request, key);
}

static int do_seal(struct tf_toy *toy, const char *arg)
{
    struct sgx_report self;
    struct blob blob;
    uint8_t key[16];
    int size = 0;

    (void)arg;
    if (!get_self(toy, &self) || RAND_bytes((uint8_t *)&blob, sizeof(blob)) != 1) {
        return bad("no REPORT");
    }
    memcpy(blob.cpu_svn, self.cpu_svn, sizeof(blob.cpu_svn));
    if (!get_seal_key(toy, &blob, key)) {
        return bad("EGETKEY refuses a seal key");
    }
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int is_done = c != NULL &&
                  EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, blob.iv) == 1 &&
                  EVP_EncryptUpdate(c, blob.secret, &size, secret, SECRET_SIZE) == 1 &&
                  EVP_EncryptFinal_ex(c, blob.secret + size, &size) == 1 &&
                  EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, blob.tag) == 1;
    EVP_CIPHER_CTX_free(c);
    if (!is_done) {
        return bad("AES-GCM");
    }
    print_hex(&blob, sizeof(blob));
    return 0;
}

static int do_unseal(struct tf_toy *toy, const char *arg)
{
    struct blob blob;
    uint8_t key[16];
    uint8_t plain[SECRET_SIZE];
    int size = 0;

    if (tf_hex_parse(arg, strlen(arg), (uint8_t *)&blob, sizeof(blob)) != TF_OK ||
        !get_seal_key(toy, &blob, key)) {
        return bad("EGETKEY refuses the blob's key");
    }
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int is_good = c != NULL &&
                  EVP_DecryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, blob.iv) == 1 &&
                  EVP_DecryptUpdate(c, plain, &size, blob.secret, SECRET_SIZE) == 1 &&
                  EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, blob.tag) == 1 &&
                  EVP_DecryptFinal_ex(c, plain + size, &size) == 1 &&
                  memcmp(plain, secret, SECRET_SIZE) == 0;
    EVP_CIPHER_CTX_free(c);
    return is_good ? 0 : bad("the blob does not open");
}

/* What a verifier would look at first; that the chain is Intel's is for `tfaas quote`. */
static int judge_quote(const uint8_t *bytes, size_t size, const struct sgx_report *report)
{
    struct tf_quote q;

    tf_err err = tf_quote_parse(bytes, size, &q);
    if (err != TF_OK) {
        return bad(tf_err_text(err));
    }
    if (q.version != 3 || q.tee != TF_TEE_SGX || q.size != size) {
        return bad("not a quote of version 3 over an SGX enclave, cut to its size");
    }
    if (q.body.size != SGX_REPORT_BODY_SIZE ||
        memcmp(q.body.data, report, SGX_REPORT_BODY_SIZE) != 0) {
        return bad("the quote is of another REPORT");
    }
    EVP_PKEY *key = tf_p256_key(q.key);
    bool is_signed = key != NULL && tf_ecdsa_check(key, &q.signed_part, q.signature,
                                                   q.signature + 32, 32);
    EVP_PKEY_free(key);
    return is_signed ? 0 : bad("the quote is not signed by its attestation key");
}

static int bad_answer(tf_err err, const struct tf_aesm *aesm)
{
    (void)fprintf(stderr, "hwtest: AESM: %s, errorCode %u\n", tf_err_name(err),
                  aesm->code);
    return err == TF_ENOTFOUND ? NO_AESM : 1;
}

/* Over a nonce, by the AESM that listens there. */
static int do_quote(struct tf_toy *toy, const char *arg)
{
    struct tf_aesm aesm = {.path = *arg != '\0' ? arg : TF_AESM_PATH,
                           .timeout_ms = TF_AESM_TIMEOUT_MS};
    struct sgx_target_info target;
    struct sgx_report report;
    uint8_t nonce[REPORT_DATA_SIZE];
    static uint8_t quote[TF_AESM_QUOTE_MAX];
    size_t size = 0;

    tf_err err = tf_aesm_target_info(&aesm, &target);
    if (err != TF_OK) {
        return bad_answer(err, &aesm);
    }
    if (RAND_bytes(nonce, sizeof(nonce)) != 1 ||
        !get_report(toy, &target, nonce, &report) ||
        memcmp(report.report_data, nonce, sizeof(nonce)) != 0) {
        return bad("no REPORT over the nonce");
    }
    err = tf_aesm_quote(&aesm, &report, quote, sizeof(quote), &size);
    if (err != TF_OK) {
        return bad_answer(err, &aesm);
    }
    if (judge_quote(quote, size, &report) != 0) {
        return 1;
    }
    (void)printf("version 3, ECDSA P-256, %zu bytes, over a nonce\n", size);
    return 0;
}

static double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Entries a second, and cycles of the TSC for each, empty but for the exit. */
static int do_rate(struct tf_toy *toy, const char *arg)
{
    double length = strtod(arg, NULL);
    double start = seconds();
    unsigned long count = 0;
    uint64_t cycles = __builtin_ia32_rdtsc();

    while (seconds() - start < length) {
        for (unsigned i = 0; i < 100; i++) {
            if (tf_toy_enter(toy).exit != TF_EXIT_IDLE) {
                return bad("the enclave stopped");
            }
        }
        count += 100;
    }
    cycles = __builtin_ia32_rdtsc() - cycles;
    (void)printf("%.0f entries/s, %.0f cycles each\n",
                 (double)count / (seconds() - start), (double)cycles / (double)count);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(struct tf_toy *toy, const char *arg);
} steps[] = {{"load", do_load},     {"enter", do_enter},   {"threads", do_threads},
             {"fault", do_fault},   {"target", do_target}, {"report", do_report},
             {"verify", do_verify}, {"seal", do_seal},     {"unseal", do_unseal},
             {"quote", do_quote},   {"rate", do_rate}};

static int run(const struct tf_enclave_options *options, const char *step,
               const char *arg)
{
    struct tf_toy toy;

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (strcmp(steps[i].name, step) == 0) {
            tf_toy_open(&toy, options);
            int status = steps[i].run(&toy, arg);
            tf_toy_close(&toy);
            return status;
        }
    }
    return bad("no such step");
}

int main(int argc, char **argv)
{
    static const struct option table[] = {{"sgx", no_argument, NULL, 'x'},
                                          {"sim-port", no_argument, NULL, 'p'},
                                          {"image", required_argument, NULL, 'i'},
                                          {"sigstruct", required_argument, NULL, 's'},
                                          {"sim-dir", required_argument, NULL, 'm'},
                                          {"config", required_argument, NULL, 'c'},
                                          {"cycles", required_argument, NULL, 't'},
                                          {"strict", no_argument, NULL, 'S'},
                                          {NULL, 0, NULL, 0}};
    struct tf_enclave_options o = {.sim_dir = "."};
    int option = 0;

    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        o.backend = option == 'x' ? &tf_backend_sgx : o.backend;
        if (option == 'p') { /* the hardware backend, and the simulator below it */
            o.backend = &tf_backend_sgx;
            o.sgx_port = tf_sim_port(&o);
        }
        o.is_strict |= option == 'S';
        o.image_path = option == 'i' ? optarg : o.image_path;
        o.sigstruct_path = option == 's' ? optarg : o.sigstruct_path;
        o.sim_dir = option == 'm' ? optarg : o.sim_dir;
        o.transition_cycles =
            option == 't' ? strtoul(optarg, NULL, 10) : o.transition_cycles;
        o.config_id[0] =
            option == 'c' ? (uint8_t)strtoul(optarg, NULL, 10) : o.config_id[0];
        if (option == '?') {
            return 2;
        }
    }
    if (optind >= argc || o.image_path == NULL || o.sigstruct_path == NULL) {
        return bad("usage: hwtest --image F --sigstruct F [--sgx] STEP [ARG]");
    }
    return run(&o, argv[optind], optind + 1 < argc ? argv[optind + 1] : "");
}
