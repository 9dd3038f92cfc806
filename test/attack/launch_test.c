/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_test.c - what the simulator's EINIT, EREPORT and EGETKEY must refuse, separate
 * and sign. Argument: the toy image. Fast mode with the signal handlers serves the leaves
 * in the same way as strict mode, so one mode is enough here.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "host/sim.h"
#include "lib/json.h"
#include "test/test.h"
#include "test/toy/toy.h"
#include "test/toy/toy_host.h"

enum { SIG_SIZE = sizeof(struct sgx_sigstruct), SVN = 2, SPKI_SIZE = 44 };

static struct tf_toy_files files;
static struct tf_enclave_options options;

/* Flips bits of one byte of a file in place. */
static void flip(const char *path, long offset, uint8_t bits)
{
    FILE *file = fopen(path, "r+b");

    if (!CHECK(file != NULL)) {
        exit(1);
    }
    (void)fseek(file, offset, SEEK_SET);
    int byte = fgetc(file);
    (void)fseek(file, offset, SEEK_SET);
    CHECK(fputc(byte ^ bits, file) != EOF && fclose(file) == 0);
}

static tf_err open_spoilt(const char *path, long offset, uint8_t bits)
{
    struct tf_enclave *enclave = NULL;

    flip(path, offset, bits);
    tf_err err = tf_enclave_open(&options, &enclave);
    flip(path, offset, bits);
    tf_enclave_close(enclave);
    return err;
}

static void image_with_one_byte_changed(void)
{
    static const long offsets[] = {0x300, 0x1000, 0x1100, 0x4100};

    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        CHECK(open_spoilt(files.image, offsets[i], 1) == TF_EIMAGE_MEASUREMENT);
    }
    CHECK(open_spoilt(files.image, 0, 1) == TF_EIMAGE_FORMAT);
}

static void sigstruct_with_one_byte_changed(void)
{
    CHECK(open_spoilt(files.sigstruct, 0, 1) == TF_EIMAGE_SIGNATURE);    /* header */
    CHECK(open_spoilt(files.sigstruct, 130, 1) == TF_EIMAGE_SIGNATURE);  /* modulus */
    CHECK(open_spoilt(files.sigstruct, 520, 1) == TF_EIMAGE_SIGNATURE);  /* signature */
    CHECK(open_spoilt(files.sigstruct, 928, 2) == TF_EIMAGE_SIGNATURE);  /* DEBUG */
    CHECK(open_spoilt(files.sigstruct, 960, 1) == TF_EIMAGE_SIGNATURE);  /* MRENCLAVE */
    CHECK(open_spoilt(files.sigstruct, 1026, 1) == TF_EIMAGE_SIGNATURE); /* ISVSVN */
    CHECK(open_spoilt(files.sigstruct, 1040, 1) == TF_EIMAGE_SIGNATURE); /* Q1 */
    CHECK(open_spoilt(files.sigstruct, 1424, 1) == TF_EIMAGE_SIGNATURE); /* Q2 */
}

static void sigstruct_of_another_image(void)
{
    /* A valid signature over another measurement is caught as such: see the image case. A
     * SIGSTRUCT that is cut short never gets that far. */
    struct tf_enclave *enclave = NULL;

    CHECK(truncate(files.sigstruct, SIG_SIZE - 1) == 0);
    CHECK(tf_enclave_open(&options, &enclave) == TF_EIMAGE_SIGNATURE);
    tf_toy_files_remove(&files);
    CHECK(tf_enclave_open(&options, &enclave) == TF_EIO);
}

/* --- reports, keys, evidence ----------------------------------------------------------
 */

static struct sgx_key_request request_for(uint16_t policy)
{
    struct sgx_key_request request;

    memset(&request, 0, sizeof(request));
    request.key_name = SGX_KEYNAME_SEAL;
    request.key_policy = policy;
    request.isv_svn = SVN;
    memset(request.cpu_svn, 1, sizeof(request.cpu_svn));
    request.attribute_mask.flags = UINT64_MAX;
    return request;
}

static uint64_t key_of(struct tf_toy *toy, const struct sgx_key_request *request,
                       uint8_t key[static 16])
{
    struct tf_toy_key answer = {.code = UINT64_MAX};

    CHECK(tf_toy_call(toy, TOY_KEY, request, sizeof(*request), &answer, sizeof(answer)));
    memcpy(key, answer.key, sizeof(answer.key));
    return answer.code;
}

/* Whether the changed request gives a key of its own. */
static void separates(struct tf_toy *toy, const struct sgx_key_request *changed)
{
    struct sgx_key_request request = request_for(SGX_KEYPOLICY_MRENCLAVE);
    uint8_t one[16];
    uint8_t other[16];

    CHECK(key_of(toy, &request, one) == SGX_SUCCESS);
    CHECK(key_of(toy, changed, other) == SGX_SUCCESS);
    CHECK(memcmp(one, other, sizeof(one)) != 0);
}

static void keys_depend_on_every_input(void)
{
    struct sgx_key_request request = request_for(SGX_KEYPOLICY_MRENCLAVE);
    uint8_t one[16];
    uint8_t other[16];
    struct tf_toy toy;

    tf_toy_open(&toy, &options);
    CHECK(key_of(&toy, &request, one) == SGX_SUCCESS);
    CHECK(key_of(&toy, &request, other) == SGX_SUCCESS);
    CHECK(memcmp(one, other, sizeof(one)) == 0);
    request.key_id[31] = 1;
    separates(&toy, &request);
    request = request_for(SGX_KEYPOLICY_MRSIGNER);
    separates(&toy, &request);
    request = request_for(SGX_KEYPOLICY_MRENCLAVE | SGX_KEYPOLICY_CONFIGID);
    separates(&toy, &request);
    request = request_for(SGX_KEYPOLICY_MRENCLAVE);
    request.isv_svn = SVN - 1;
    separates(&toy, &request);
    request = request_for(SGX_KEYPOLICY_MRENCLAVE);
    request.cpu_svn[15] = 0;
    separates(&toy, &request);
    request = request_for(SGX_KEYPOLICY_MRENCLAVE);
    request.attribute_mask.xfrm = UINT64_MAX;
    separates(&toy, &request);
    request = request_for(0);
    request.key_name = SGX_KEYNAME_REPORT;
    separates(&toy, &request);
    tf_toy_close(&toy);
}

static void keys_that_are_refused(void)
{
    struct sgx_key_request request = request_for(SGX_KEYPOLICY_MRENCLAVE);
    uint8_t key[16];
    struct tf_toy toy;

    tf_toy_open(&toy, &options);
    request.isv_svn = SVN + 1;
    CHECK(key_of(&toy, &request, key) == SGX_INVALID_ISVSVN);
    request = request_for(SGX_KEYPOLICY_MRENCLAVE);
    request.cpu_svn[3] = 2;
    CHECK(key_of(&toy, &request, key) == SGX_INVALID_CPUSVN);
    request = request_for(SGX_KEYPOLICY_MRENCLAVE);
    request.key_name = 9;
    CHECK(key_of(&toy, &request, key) == SGX_INVALID_KEYNAME);
    request.key_name = 1;
    CHECK(key_of(&toy, &request, key) == SGX_INVALID_ATTRIBUTE);
    tf_toy_close(&toy);
}

static void seal_key_under(const struct tf_enclave_options *given, uint8_t key[static 16])
{
    struct sgx_key_request request =
        request_for(SGX_KEYPOLICY_MRENCLAVE | SGX_KEYPOLICY_CONFIGID);
    struct tf_toy toy;

    tf_toy_open(&toy, given);
    CHECK(key_of(&toy, &request, key) == SGX_SUCCESS);
    tf_toy_close(&toy);
}

static void another_domain_or_machine_has_other_keys(void)
{
    struct tf_enclave_options other = options;
    char directory[128];
    char path[160];
    uint8_t keys[4][16];

    seal_key_under(&options, keys[0]);
    seal_key_under(&options, keys[1]); /* another start, another base */
    other.config_id[0] = 1;
    seal_key_under(&other, keys[2]);
    other = options;
    (void)snprintf(directory, sizeof(directory), "%s/sim2", files.directory);
    other.sim_dir = directory;
    seal_key_under(&other, keys[3]);
    CHECK(memcmp(keys[0], keys[1], 16) == 0);
    CHECK(memcmp(keys[0], keys[2], 16) != 0);
    CHECK(memcmp(keys[0], keys[3], 16) != 0);
    (void)snprintf(path, sizeof(path), "%s/machine.key", directory);
    CHECK(unlink(path) == 0);
    (void)snprintf(path, sizeof(path), "%s/root.pem", directory);
    CHECK(unlink(path) == 0 && rmdir(directory) == 0);
}

static struct sgx_report report_of(struct tf_toy *toy,
                                   const struct sgx_target_info *target)
{
    struct {
        struct sgx_target_info target;
        uint8_t data[64];
    } question;
    struct sgx_report report;

    memset(&report, 0, sizeof(report));
    question.target = *target;
    memset(question.data, 'd', sizeof(question.data));
    CHECK(tf_toy_call(toy, TOY_REPORT, &question, sizeof(question), &report,
                      sizeof(report)));
    return report;
}

/* Checks the evidence as a verifier does. */
static bool is_evidence_good(const char *text, size_t size,
                             const struct sgx_report *report)
{
    static const char context[] = "tfaas SIMULATED SGX evidence v1";
    uint8_t message[sizeof(context) + SGX_REPORT_BODY_SIZE];
    uint8_t spki[SPKI_SIZE];
    const uint8_t *at = spki;
    uint8_t signature[64];
    struct tf_json_fields f;
    json_t *document = NULL;

    if (tf_json_parse(text, size, &document) != TF_OK) {
        return false;
    }
    tf_json_fields_init(&f, document);
    bool is_good = tf_json_string(&f, "type", 1, 64) != NULL;
    is_good &= tf_json_boolean(&f, "simulated");
    is_good &= tf_json_base64(&f, "root", spki, sizeof(spki)) == sizeof(spki);
    is_good &= tf_json_base64(&f, "report", message + sizeof(context),
                              SGX_REPORT_BODY_SIZE) == SGX_REPORT_BODY_SIZE;
    is_good &= tf_json_base64(&f, "signature", signature, sizeof(signature)) == 64;
    is_good &= tf_json_fields_end(&f);
    json_decref(document);
    memcpy(message, context, sizeof(context));
    is_good &= memcmp(message + sizeof(context), report, SGX_REPORT_BODY_SIZE) == 0;
    EVP_PKEY *root = d2i_PUBKEY(NULL, &at, sizeof(spki));
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    is_good =
        is_good && EVP_DigestVerifyInit(md, NULL, NULL, NULL, root) == 1 &&
        EVP_DigestVerify(md, signature, sizeof(signature), message, sizeof(message)) == 1;
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(root);
    return is_good;
}

static void evidence_for_genuine_reports_only(void)
{
    static char evidence[TF_EVIDENCE_MAX];
    struct sgx_target_info target;
    uint8_t mrenclave[32];
    uint8_t mrsigner[32];
    size_t size = 0;
    struct tf_toy toy;

    tf_toy_open(&toy, &options);
    CHECK(tf_enclave_target_info(toy.enclave, &target) == TF_OK);
    struct sgx_report report = report_of(&toy, &target);
    tf_enclave_identity(toy.enclave, mrenclave, mrsigner);
    CHECK(memcmp(report.mrenclave, mrenclave, 32) == 0);
    CHECK(memcmp(report.mrsigner, mrsigner, 32) == 0);
    CHECK(report.report_data[63] == 'd' && report.isv_svn == SVN);
    CHECK((report.attributes.flags & SGX_FLAGS_INIT) != 0);
    CHECK(tf_enclave_quote(toy.enclave, &report, evidence, &size) == TF_OK);
    CHECK(is_evidence_good(evidence, size, &report));
    for (size_t i = 0; i < sizeof(report); i++) { /* forged: any byte changed */
        struct sgx_report forged = report;
        ((uint8_t *)&forged)[i] ^= 1;
        CHECK(tf_enclave_quote(toy.enclave, &forged, evidence, &size) ==
              TF_EEVIDENCE_FORMAT);
    }
    target.mrenclave[0] ^= 1; /* made for another enclave */
    report = report_of(&toy, &target);
    CHECK(tf_enclave_quote(toy.enclave, &report, evidence, &size) == TF_EEVIDENCE_FORMAT);
    tf_toy_close(&toy);
}

int main(int argc, char **argv)
{
    tf_toy_files_begin(&files, argc, argv);
    options = tf_toy_options(&files);
    RUN(image_with_one_byte_changed);
    RUN(sigstruct_with_one_byte_changed);
    RUN(keys_depend_on_every_input);
    RUN(keys_that_are_refused);
    RUN(another_domain_or_machine_has_other_keys);
    RUN(evidence_for_genuine_reports_only);
    RUN(sigstruct_of_another_image);
    tf_toy_files_remove(&files);
    return test_end();
}
