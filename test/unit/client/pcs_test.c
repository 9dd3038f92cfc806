/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pcs.h"

#include <stdlib.h>
#include <string.h>

#include "test/test.h"
#include "verify/collateral.h"

static bool decodes_to(const char *text, const char *expected)
{
    char *out = NULL;
    bool is_same = tf_pcs_decode_chain(text, &out) == TF_OK && strcmp(out, expected) == 0;

    free(out);
    return is_same;
}

static void test_chain(void)
{
    char *out = NULL;

    CHECK(decodes_to("-----BEGIN%20CERTIFICATE-----%0AMII%2B%2f+%3D%3d",
                     "-----BEGIN CERTIFICATE-----\nMII+/+=="));
    CHECK(decodes_to("", ""));
    CHECK(tf_pcs_decode_chain(NULL, &out) == TF_ECOLLATERAL_FORMAT && out == NULL);
    CHECK(tf_pcs_decode_chain("a%", &out) == TF_ECOLLATERAL_FORMAT && out == NULL);
    CHECK(tf_pcs_decode_chain("a%4", &out) == TF_ECOLLATERAL_FORMAT && out == NULL);
    CHECK(tf_pcs_decode_chain("a%4g", &out) == TF_ECOLLATERAL_FORMAT && out == NULL);
    CHECK(tf_pcs_decode_chain("a%00b", &out) == TF_ECOLLATERAL_FORMAT && out == NULL);
    CHECK(tf_pcs_decode_chain("a%0d%0ab", &out) == TF_ECOLLATERAL_FORMAT && out == NULL);
    CHECK(tf_pcs_decode_chain("a%ff", &out) == TF_ECOLLATERAL_FORMAT && out == NULL);
    CHECK(tf_pcs_decode_chain("a b", &out) == TF_ECOLLATERAL_FORMAT && out == NULL);
    CHECK(tf_pcs_decode_chain("a\xc3", &out) == TF_ECOLLATERAL_FORMAT && out == NULL);
}

static tf_err decode_crl(const char *text, size_t size, const char *expected,
                         size_t expected_size)
{
    uint8_t *exact = malloc(size + (size == 0)); /* its end is a trap */
    uint8_t *out = NULL;
    size_t out_size = 0;

    memcpy(exact, text, size);
    tf_err err = tf_pcs_decode_crl(exact, size, &out, &out_size);
    CHECK((err == TF_OK) == (out != NULL));
    CHECK(err != TF_OK ||
          (out_size == expected_size && memcmp(out, expected, out_size) == 0));
    free(exact);
    free(out);
    return err;
}

static void test_crl(void)
{
    static char large[2 * TF_CRL_MAX + 2];

    CHECK(decode_crl("\x30\x01\x02", 3, "\x30\x01\x02", 3) == TF_OK);
    CHECK(decode_crl("310aFf", 6, "\x31\x0a\xff", 3) == TF_OK);
    CHECK(decode_crl("0x", 2, "0x", 2) == TF_OK); /* 0x30 begins DER: judged later */
    CHECK(decode_crl("", 0, "", 0) == TF_ECOLLATERAL_CRL);
    CHECK(decode_crl("1", 1, "", 0) == TF_ECOLLATERAL_CRL);
    CHECK(decode_crl("abc", 3, "", 0) == TF_ECOLLATERAL_CRL);
    CHECK(decode_crl("-----BEGIN X509 CRL-----", 24, "", 0) == TF_ECOLLATERAL_CRL);
    memset(large, '1', sizeof(large));
    CHECK(decode_crl(large, sizeof(large), "", 0) == TF_ECOLLATERAL_CRL);
    large[0] = 0x30;
    CHECK(decode_crl(large, TF_CRL_MAX + 1, "", 0) == TF_ECOLLATERAL_CRL);
}

#define SIGNATURE                                                                        \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                   \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct tf_bytes text(const char *string)
{
    return (struct tf_bytes){(const uint8_t *)string, strlen(string)};
}

static struct tf_pcs_answers good_answers(void)
{
    return (struct tf_pcs_answers){
        .tcb_info = {text("{\"tcbInfo\":{\"a\":\"\\\"\"},\"signature\":\"" SIGNATURE
                          "\"}"),
                     "t%0A"},
        .qe_identity = {text("{\"enclaveIdentity\":{},\"signature\":\"" SIGNATURE "\"}"),
                        "q"},
        .pck_crl = {text("\x30\x01"), "p"},
        .root_crl = text("3102")};
}

static tf_err compose(const struct tf_pcs_answers *answers)
{
    char *out = NULL;
    size_t size = 0;
    tf_err err = tf_pcs_compose(answers, &out, &size);

    CHECK((err == TF_OK) == (out != NULL));
    free(out);
    return err;
}

/* What is signed stays as it was, byte by byte. */
static void test_compose(void)
{
    struct tf_pcs_answers answers = good_answers();
    struct tf_collateral c;
    char *out = NULL;
    size_t size = 0;

    if (!CHECK(tf_pcs_compose(&answers, &out, &size) == TF_OK &&
               tf_collateral_parse(out, size, &c) == TF_OK)) {
        return;
    }
    CHECK(c.tcb_info.size == 10 && memcmp(c.tcb_info.data, "{\"a\":\"\\\"\"}", 10) == 0);
    CHECK(c.qe_identity.size == 2 && c.tcb_signature[1] == 0x23);
    CHECK(c.tcb_chain.size == 2 && memcmp(c.tcb_chain.data, "t\n", 2) == 0);
    CHECK(c.root_crl.size == 2 && c.root_crl.data[0] == 0x31);
    CHECK(c.pck_crl.size == 2 && c.pck_crl.data[0] == 0x30);
    tf_collateral_wipe(&c);
    free(out);
}

static void test_bad_answers(void)
{
    struct tf_pcs_answers answers = good_answers();

    CHECK(compose(&answers) == TF_OK);
    answers.tcb_info.issuer_chain = NULL;
    CHECK(compose(&answers) == TF_ECOLLATERAL_FORMAT);
    answers = good_answers();
    answers.qe_identity.issuer_chain = "%";
    CHECK(compose(&answers) == TF_ECOLLATERAL_FORMAT);
    answers = good_answers();
    answers.pck_crl.issuer_chain = NULL;
    CHECK(compose(&answers) == TF_ECOLLATERAL_FORMAT);
    answers = good_answers();
    answers.tcb_info.body.size--;
    CHECK(compose(&answers) == TF_ECOLLATERAL_FORMAT);
    answers = good_answers();
    answers.qe_identity.body = answers.tcb_info.body; /* the other's name */
    CHECK(compose(&answers) == TF_ECOLLATERAL_FORMAT);
    answers = good_answers();
    answers.root_crl = text("Not found");
    CHECK(compose(&answers) == TF_ECOLLATERAL_CRL);
}

int main(void)
{
    RUN(test_chain);
    RUN(test_crl);
    RUN(test_compose);
    RUN(test_bad_answers);
    return test_end();
}
